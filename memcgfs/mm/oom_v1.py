"""The OOM killer of Linux 6.18 (mm/oom_kill.c; mm/memcontrol.c: mem_cgroup_oom).

How bad a task is, is how much memory its end would free: what it has mapped, in swap, and in page tables, wherever that is charged; and
what oom_score_adj adds or takes off, in thousandths of what there is to be had, which are whole pages: nothing below 1,000 of those. The
worst one dies as a whole process, with everybody else who shares its memory. It is looked for in the container whose limit was met, and in
all below it, and counted in its own.

Left out, because this machine cannot come there: cpusets and memory policies, memory.oom.group (v2), children as victims in a parent's
place (no more since 4.20), the reaper: who is killed gives its memory back at once, unless it is in the midst of an operation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .exit import mark_victim, reap_killed, send_sigkill
from .oom import COMPULSORY_PANIC, MACHINE, MOST_REPORTED, threads, trace_verdict
from .params import KB_PER_PAGE, PG_LRU
from .trace_ring import VERDICT_CHOSEN, VERDICT_DYING, VERDICT_NOBODY, VERDICT_PANIC, VICTIM_CHOSEN, VICTIM_SHARES

if TYPE_CHECKING:
    from .machine import Machine
    from .task import Task

OOM_SCORE_ADJ_MIN = -1000
OOM_SCORE_ADJ_MAX = 1000
OOM_DISABLE = -17
OOM_ADJUST_MAX = 15


def score_adj_of(oom_adj: int) -> int:
    """fs/proc/base.c: oom_adj_write. The old scale ends at 15, and -17 means never."""
    if oom_adj == OOM_ADJUST_MAX:
        return OOM_SCORE_ADJ_MAX
    return int(oom_adj * OOM_SCORE_ADJ_MAX / -OOM_DISABLE)


def adj_of(oom_score_adj: int) -> int:
    """oom_adj_read."""
    if oom_score_adj == OOM_SCORE_ADJ_MAX:
        return OOM_ADJUST_MAX
    return int(oom_score_adj * -OOM_DISABLE / OOM_SCORE_ADJ_MAX)


def oom_badness(task: Task, totalpages: int) -> int | None:
    """None: it cannot be killed."""
    if task.space is None or task.oom_score_adj == OOM_SCORE_ADJ_MIN:
        return None
    return sum(task.counts()) + task.oom_score_adj * (totalpages // 1000)


def machine_pages(machine: Machine) -> int:
    return int(machine.core.vm_total_pages + machine.core.swap.total_swap_pages)


def oom_score(task: Task) -> int:
    """fs/proc/base.c: proc_oom_score."""
    totalpages = machine_pages(task.machine)
    points = oom_badness(task, totalpages)
    return 0 if points is None else max(int((1000 + int(points * 1000 / totalpages)) * 2 / 3), 0)


def mem_cgroup_get_max(machine: Machine, container: int) -> int:
    """What there is to be had: the limit, and as much of swap as the other limit leaves, if the container swaps."""
    core = machine.core
    pages = core.counters.limit[container]
    if machine.container_of(container).swappiness:
        pages += min(core.memsw.limit[container] - pages, core.swap.total_swap_pages)
    return int(pages) or 1


def processes(machine: Machine, container: int) -> list[Task]:
    """mem_cgroup_scan_tasks: those that live, in the container and below; MACHINE: all."""
    containers = machine.core.containers
    return [
        task
        for task in threads(machine)
        if task.space is not None and task.pid == task.tgid and (container == MACHINE or containers.is_below(task.container.cid, container))
    ]


def select_bad_process(machine: Machine, container: int, totalpages: int) -> tuple[Task | None, int, bool]:
    """(victim, points, somebody is dying already). Of those that are equally bad the last one."""
    chosen, most = None, 0
    for task in processes(machine, container):
        if task.is_memdie:
            return None, 0, True
        points = oom_badness(task, totalpages)
        if task.is_swapping_off:
            points = machine.config.ulong_max
        if points is not None and (chosen is None or points >= most):
            chosen, most = task, points
    return chosen, most, False


def new_pages(machine: Machine) -> list[int]:
    """Those that somebody pays for, and that reclaim does not find, as they have not come to a list of the LRU yet."""
    frames = machine.core.frames
    return [pfn for pages in machine.core.model.waiting() for pfn in pages if not frames.has(pfn, PG_LRU) and frames.meta_refs[pfn]]


def dump_header(machine: Machine, container: int, gfp: int, order: int) -> None:
    """Who asked, what the container has, and the tasks that were looked at."""
    core, current = machine.core, machine.current
    name, adj = (current.comm, current.oom_score_adj) if current is not None else ("host", 0)
    machine.printk(f"{name} invoked oom-killer: gfp_mask=0x{gfp:x}, order={order}, oom_score_adj={adj}")
    if container != MACHINE:
        for title, counters in (("memory", core.counters), ("memory+swap", core.memsw), ("kmem", core.kmem)):
            usage, limit = counters.usage[container] * KB_PER_PAGE, counters.limit[container] * KB_PER_PAGE
            machine.printk(f"{title}: usage {usage}kB, limit {limit}kB, failcnt {counters.failcnt[container]}")
        nr_waiting = sum(core.containers.is_below(core.frames.container[pfn], container) for pfn in new_pages(machine))
        if nr_waiting:
            machine.printk(f"lru_add batch: {nr_waiting} pages, on no list yet")
    machine.printk("Tasks state (memory values in pages):")
    machine.printk("[  pid  ]   uid  tgid total_vm      rss pgtables swapents oom_score_adj name")
    for task in processes(machine, container)[:MOST_REPORTED]:
        anon, file, swap, tables = task.counts()
        machine.printk(
            f"[{task.pid:7d}] {task.uid:5d} {task.tgid:5d} {task.total_vm:8d} {anon + file:8d} {tables:8d} {swap:8d} "
            f"{task.oom_score_adj:13d} {task.comm}"
        )


def oom_kill_process(machine: Machine, victim: Task, message: str) -> None:
    """The whole process, and whoever shares its memory."""
    assert victim.space is not None
    anon, file, _, tables = victim.counts()
    machine.printk(
        f"{message}: Killed process {victim.pid} ({victim.comm}) total-vm:{victim.total_vm * KB_PER_PAGE}kB, "
        f"anon-rss:{anon * KB_PER_PAGE}kB, file-rss:{file * KB_PER_PAGE}kB, UID:{victim.uid} pgtables:{tables * KB_PER_PAGE}kB "
        f"oom_score_adj:{victim.oom_score_adj}"
    )
    machine.core.containers.nr_oom_kills[victim.space.container] += 1
    for task in [task for task in threads(machine) if task.space is victim.space]:
        task.is_memdie = True
        mark_victim(machine, task, VICTIM_CHOSEN if task is victim else VICTIM_SHARES)
        send_sigkill(machine, task, "out of memory")


def kill_somebody(machine: Machine, container: int, totalpages: int, gfp: int, order: int, message: str) -> bool:
    """out_of_memory, once it is to be. Is somebody dying?"""
    current = machine.current
    if current is not None and current.died:
        trace_verdict(machine, None, container, order, 0, VERDICT_DYING)
        return True
    victim, points, is_dying = select_bad_process(machine, container, totalpages)
    if is_dying:
        trace_verdict(machine, None, container, order, 0, VERDICT_DYING)
        return True
    dump_header(machine, container, gfp, order)
    if victim is None:
        return False
    trace_verdict(machine, victim, container, order, points, VERDICT_CHOSEN)
    oom_kill_process(machine, victim, message)
    return True


def mem_cgroup_oom(machine: Machine, container: int) -> bool:
    """A charge found no room at this container's limit. Is it worth trying again? Where the killer is disabled it is not: a task's own
    fault is marked, to wait for memory when it has let go of all that it holds; a system call fails."""
    core = machine.core
    if machine.panicked:
        return False
    if core.containers.oom_kill_disable[container]:
        if core.current_in_user_fault:
            core.set_memcg_in_oom(container)
        return False
    with machine.waits.about_to_kill(container):
        if kill_somebody(machine, container, mem_cgroup_get_max(machine, container), 0, 0, core.rules.oom_message):
            reap_killed(machine)
            return True
        trace_verdict(machine, None, container, 0, 0, VERDICT_NOBODY)
        machine.printk("Out of memory and no killable processes...")
        return False


def out_of_memory(machine: Machine, gfp: int, order: int) -> bool:
    """The machine's own, as that of 2.6.23 (oom.py) but for who is chosen."""
    if machine.panicked:
        return False
    if machine.panic_on_oom:
        dump_header(machine, MACHINE, gfp, order)
        trace_verdict(machine, None, MACHINE, order, 0, VERDICT_PANIC)
        machine.panic(COMPULSORY_PANIC if machine.panic_on_oom == 2 else "out of memory. panic_on_oom is selected")
        return False
    if kill_somebody(machine, MACHINE, machine_pages(machine), gfp, order, "Out of memory"):
        return True
    trace_verdict(machine, None, MACHINE, order, 0, VERDICT_PANIC)
    machine.panic("System is deadlocked on memory")
    return False
