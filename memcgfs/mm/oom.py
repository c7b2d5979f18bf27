"""The OOM killer of 2.6.23 (mm/oom_kill.c), with patch 7/9: a container's own.

badness() says how bad a task is, select_bad_process() looks at all tasks in the order of the task list, and
oom_kill_process() tries the victim's children first. With a container the filter sits in badness() only: a task whose memory is
charged elsewhere has 0 points, but the first task looked at is taken even at 0, so that an outsider can be hit.

Left out, because this machine cannot come there: the notifiers that may call it off (nobody registers one on these architectures); a
task bound to some nodes, by policy or cpuset, and the eighth of its points that it gives for nodes that are not the victim's; a task
that is exiting and still has memory, since here it gives it back as its first step; the init task, which has no number here (pids
begin at 2, and orphans have the parent 1); the time slice that the victim is lent.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import isqrt
from typing import TYPE_CHECKING

from .exit import mark_victim, send_sigkill
from .trace_ring import OOM_ALLOCATION, OOM_LIMIT, TRACE_OOM_KILL, VERDICT_DYING, VERDICT_CHOSEN, VERDICT_NOBODY, VERDICT_PANIC
from .trace_ring import VERDICT_UNKILLABLE, VICTIM_CHILD, VICTIM_CHOSEN, VICTIM_SHARES

if TYPE_CHECKING:
    from .machine import Machine
    from .task import Task

NSEC_PER_JIFFY = 1_000_000
NSEC_PER_SEC = 1_000_000_000
SHIFT_HZ = 10  # HZ is 1000
OOM_DISABLE = -17
OOM_ADJUST_RANGE = range(-16, 16)
MOST_REPORTED = 20
MACHINE = -1
COMPULSORY_PANIC = "out of memory. Compulsory panic_on_oom is selected."


def badness(task: Task, uptime_ns: int, container: int | None) -> int:
    """Points: address space, a half of each child's, less for age and cpu time, more for nice, less for root; shifted by oom_adj.

    An unsigned long, which on i386 a large task can be shifted out of. Root has all capabilities, others have none.
    """
    space = task.space
    if space is None or (container is not None and space.container != container):
        return 0
    ulong_max = task.machine.config.ulong_max
    points = space.total_vm
    if task.is_swapping_off:
        return ulong_max
    for child in task.children:
        if child.space is not None and child.space is not space:
            points += child.space.total_vm // 2 + 1
    cpu_time = task.utime_ns // NSEC_PER_JIFFY >> SHIFT_HZ + 3
    run_time = uptime_ns // NSEC_PER_SEC - task.start_ns // NSEC_PER_SEC >> 10
    if cpu_time:
        points //= isqrt(cpu_time)
    if run_time:
        points //= isqrt(isqrt(run_time))
    if task.nice > 0:
        points *= 2
    if task.uid == 0:
        points //= 4  # CAP_SYS_ADMIN
        points //= 4  # CAP_SYS_RAWIO
    if task.oom_adj > 0:
        points = max(points, 1) << task.oom_adj
    elif task.oom_adj < 0:
        points >>= -task.oom_adj
    return points & ulong_max


def threads(machine: Machine) -> Iterator[Task]:
    """do_each_thread: thread groups in the order in which they were made, and the threads of each in theirs."""
    groups: dict[int, list[Task]] = {}
    for task in machine.tasks_by_age():
        groups.setdefault(task.tgid, []).append(task)
    for group in groups.values():
        yield from group


def select_bad_process(machine: Machine, container: int | None) -> tuple[Task | None, int, bool]:
    """(victim, points, somebody is dying already)."""
    chosen, most = None, 0
    for task in threads(machine):
        if task.space is None:
            continue
        if container is not None and task.space.container != container and not machine.core.rules.kills_outsiders:
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
        for age, task in enumerate(threads(machine))
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


def oom_kill_task(machine: Machine, task: Task, why: int) -> bool:
    """False where the address space has a user that must not be killed."""
    sharers = [other for other in threads(machine) if other.space is task.space and other.space is not None]
    if any(other.oom_adj == OOM_DISABLE for other in sharers):
        return False
    machine.printk(f"Killed process {task.pid} ({task.comm})")
    task.is_memdie = True
    for other in sharers:
        mark_victim(machine, other, why if other is task else VICTIM_SHARES)
        send_sigkill(machine, other, "out of memory")
    return True


def oom_kill_process(machine: Machine, task: Task, points: int, message: str) -> bool:
    """Kills the first child with memory of its own that can be killed, wherever it is charged, or else the task.

    False where neither can be: 2.6.23 looks for a victim again, finds the same, and goes round for ever.
    """
    machine.printk(f"{message}: kill process {task.pid} ({task.comm}) score {score_of(machine, points)} or a child")
    for child in task.children:
        if child.space is not None and child.space is not task.space and oom_kill_task(machine, child, VICTIM_CHILD):
            return True
    if oom_kill_task(machine, task, VICTIM_CHOSEN):
        return True
    machine.printk(f"process {task.pid} ({task.comm}) cannot be killed: the kernel would choose it again, for ever")
    return False


def score_of(machine: Machine, points: int) -> int:
    """The kernel prints points as a long, so that the largest unsigned long reads -1."""
    sign_bit = machine.config.ulong_max // 2 + 1
    return points - 2 * (points & sign_bit)


def trace_verdict(machine: Machine, victim: Task | None, target: int, order: int, points: int, verdict: int) -> None:
    """On whose behalf, and what comes of it. A verdict without a victim has pid 0."""
    pid, container = (victim.pid, victim.charged_to) if victim is not None else (0, -1)
    reason = OOM_ALLOCATION if target == MACHINE else OOM_LIMIT
    priority = machine.core.current_priority
    machine.trace(TRACE_OOM_KILL, pid, container, target, order, priority, reason, score_of(machine, points), verdict)


def mem_container_out_of_memory(machine: Machine, container: int) -> None:
    """Somebody dies, unless somebody is dying; whoever faulted is killed besides, by its fault. panic_on_oom is not asked here."""
    current = machine.current
    if machine.panicked:
        return
    machine.watches.tell_oom(container)
    victim, points, is_dying = select_bad_process(machine, container)
    if is_dying:
        trace_verdict(machine, None, container, 0, 0, VERDICT_DYING)
        return
    if victim is None:
        victim, points = current, 0
    if victim is None:
        trace_verdict(machine, None, container, 0, 0, VERDICT_NOBODY)
        return
    report(machine, victim, container)
    trace_verdict(machine, victim, container, 0, points, VERDICT_CHOSEN)
    if not oom_kill_process(machine, victim, points, machine.core.rules.oom_message):
        trace_verdict(machine, victim, container, 0, points, VERDICT_UNKILLABLE)


def out_of_memory(machine: Machine, gfp: int, order: int) -> bool:
    """The machine's own. False where nobody was killed, and nobody is dying: the machine has panicked, or its victim cannot be killed.

    panic_on_oom: 2 means always, any other number but 0 unless the request was bound to some nodes, which none is here. Who asks may be
    a process of the host, which is no task of this machine and cannot be its victim.
    """
    if machine.panicked:
        return False
    current = machine.current
    name, adjust = (current.comm, current.oom_adj) if current is not None else ("host", 0)
    machine.printk(f"{name} invoked oom-killer: gfp_mask=0x{gfp:x}, order={order}, oomkilladj={adjust}")
    if machine.panic_on_oom:
        trace_verdict(machine, None, MACHINE, order, 0, VERDICT_PANIC)
        machine.panic(COMPULSORY_PANIC if machine.panic_on_oom == 2 else "out of memory. panic_on_oom is selected")
        return False
    victim, points, is_dying = select_bad_process(machine, None)
    if is_dying:
        trace_verdict(machine, None, MACHINE, order, 0, VERDICT_DYING)
        return True
    if victim is None:
        trace_verdict(machine, None, MACHINE, order, 0, VERDICT_PANIC)
        machine.panic("Out of memory and no killable processes...")
        return False
    report(machine, victim, None)
    trace_verdict(machine, victim, MACHINE, order, points, VERDICT_CHOSEN)
    if oom_kill_process(machine, victim, points, "Out of memory"):
        return True
    trace_verdict(machine, victim, MACHINE, order, points, VERDICT_UNKILLABLE)
    return False
