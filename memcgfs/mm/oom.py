"""The OOM killer of 2.6.23 (mm/oom_kill.c), with patch 7/9: a container's own.

badness() says how bad a task is, select_bad_process() looks at all tasks in the order in which they were made, and
oom_kill_process() tries the victim's children first. With a container the filter sits in badness() only: a task whose memory is
charged elsewhere has 0 points, but the first task looked at is taken even at 0, so that an outsider can be hit.
"""

from __future__ import annotations

from math import isqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .machine import Machine
    from .task import Task

NSEC_PER_JIFFY = 1_000_000
SHIFT_HZ = 10  # HZ is 1000
OOM_DISABLE = -17
OOM_ADJUST_RANGE = range(-16, 16)
MOST_REPORTED = 20
CONTAINER_MESSAGE = "Memory container out of memory"


def badness(task: Task, uptime_ns: int, container: int | None) -> int:
    """Points: address space, a half of each child's, less for age and cpu time, more for nice, less for root; shifted by oom_adj."""
    space = task.space
    if space is None or (container is not None and space.container != container):
        return 0
    points = space.total_vm
    for child in task.children:
        if child.space is not None and child.space is not space:
            points += child.space.total_vm // 2 + 1
    cpu_time = task.utime_ns // NSEC_PER_JIFFY >> SHIFT_HZ + 3
    run_time = (uptime_ns - task.start_ns) // 1_000_000_000 >> 10
    if cpu_time:
        points //= isqrt(cpu_time) or 1
    if run_time:
        points //= isqrt(isqrt(run_time)) or 1
    if task.nice > 0:
        points *= 2
    if task.uid == 0:
        points //= 4  # CAP_SYS_ADMIN
        points //= 4  # CAP_SYS_RAWIO
    if task.oom_adj > 0:
        points = max(points, 1) << task.oom_adj
    elif task.oom_adj < 0:
        points >>= -task.oom_adj
    return points


def select_bad_process(machine: Machine, container: int | None) -> tuple[Task | None, int, bool]:
    """(victim, points, somebody is dying already)."""
    chosen, most = None, 0
    for task in machine.tasks_by_age():
        if task.space is None:
            continue
        if task.is_memdie:
            return None, 0, True
        if task.oom_adj == OOM_DISABLE:
            continue
        points = badness(task, machine.clock_ns, container)
        if points > most or chosen is None:
            chosen, most = task, points
    return chosen, most, False


def report(machine: Machine, victim: Task, container: int | None) -> None:
    """Why this task: everybody's points, worst first, before the kernel's own line."""
    rows = [
        (badness(task, machine.clock_ns, container), -age, task)
        for age, task in enumerate(machine.tasks_by_age())
        if task.space is not None
    ]
    rows.sort(reverse=True, key=lambda row: row[:2])
    shown = [row for place, row in enumerate(rows) if place < MOST_REPORTED or row[2] is victim]
    for score, _, task in shown:
        space = task.space
        assert space is not None
        mark = "chosen" if task is victim else "spared"
        where = "" if container is None or space.container == container else ", charged elsewhere"
        machine.printk(
            f"[{task.pid:5d}] uid {task.uid} total_vm {space.total_vm} rss {task.rss_pages} "
            f"oom_adj {task.oom_adj} points {score} {mark}{where}"
        )
    if len(shown) < len(rows):
        machine.printk(f"... and {len(rows) - len(shown)} more")


def oom_kill_task(machine: Machine, task: Task) -> bool:
    """False where the address space has a user that must not be killed."""
    sharers = [other for other in machine.tasks_by_age() if other.space is task.space and other.space is not None]
    if any(other.oom_adj == OOM_DISABLE for other in sharers):
        return False
    machine.printk(f"Killed process {task.pid} ({task.comm})")
    task.is_memdie = True
    for other in sharers:
        machine.send_sigkill(other, "out of memory")
    return True


def oom_kill_process(machine: Machine, task: Task, points: int, message: str) -> bool:
    """Kills the first child with memory of its own that can be killed, wherever it is charged, or else the task."""
    machine.printk(f"{message}: kill process {task.pid} ({task.comm}) score {points} or a child")
    for child in task.children:
        if child.space is not None and child.space is not task.space and oom_kill_task(machine, child):
            return True
    return oom_kill_task(machine, task)


def mem_container_out_of_memory(machine: Machine, container: int) -> None:
    """Somebody dies, unless somebody is dying; whoever faulted is killed besides, by its fault."""
    current = machine.current
    victim, points, is_dying = select_bad_process(machine, container)
    if is_dying or (victim is None and current is None):
        return
    if victim is None:
        victim, points = current, 0
    assert victim is not None
    report(machine, victim, container)
    if not oom_kill_process(machine, victim, points, CONTAINER_MESSAGE):
        machine.printk(f"process {victim.pid} ({victim.comm}) cannot be killed: 2.6.23 would choose it again, for ever")


def out_of_memory(machine: Machine) -> bool:
    """The machine's own. False where nobody could be killed: the kernel panics there, the request fails here."""
    current = machine.current
    name, adjust = (current.comm, current.oom_adj) if current is not None else ("kswapd0", 0)
    machine.printk(f"{name} invoked oom-killer: gfp_mask=0x280d2, order=0, oomkilladj={adjust}")
    victim, points, is_dying = select_bad_process(machine, None)
    if is_dying:
        return True
    if victim is None:
        machine.printk("Out of memory and no killable processes...")
        return False
    report(machine, victim, None)
    return oom_kill_process(machine, victim, points, "Out of memory")
