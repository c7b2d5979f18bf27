"""The dialect of today's first version: the control files of a memory cgroup of Linux 6.18, and its directories, which are kernfs'.

A name of a container may be as long as a path, and has no newline in it.
"""

from __future__ import annotations

from ..kernfs import KERNFS, SeqFile
from ..kernfs.filetype import acts
from . import framework_v1 as framework
from . import memory_v1 as memory
from .dialect import Dialect, Rows
from .event_control import register_event
from .knobs import Stub, always, turns, turns_below_top

NOT_LIMITED = always("kernel memory has no limit of its own: the number is read, and that is all")
NO_SOCKETS = always("no sockets are emulated: nothing is ever charged")
IS_GONE = always("one value is left, which changes nothing")
NEVER_COUNTS = always("only refusals of the memory counter are counted: there is nothing to reset")
FOR_CPUSETS = always("it means something to cpusets only")


def counter_files(prefix: str, counter: str, *, max_usage: Stub, failcnt: Stub = NEVER_COUNTS) -> Rows:
    return (
        SeqFile(f"{prefix}usage_in_bytes", memory.show_usage(counter)),
        SeqFile(f"{prefix}max_usage_in_bytes", memory.show_max_usage(counter), memory.reset_max_usage(counter), stub=max_usage),
        SeqFile(f"{prefix}failcnt", memory.show_failcnt(counter), memory.reset_failcnt(counter), stub=failcnt),
    )


BASE: Rows = (
    SeqFile("cgroup.procs", framework.show_procs, framework.attach_process, is_list=True),
    SeqFile("cgroup.clone_children", framework.show_clone_children, framework.set_clone_children, stub=FOR_CPUSETS),
    SeqFile("tasks", framework.show_tasks, framework.attach_thread, is_list=True),
    SeqFile("notify_on_release", framework.show_notify_on_release, framework.set_notify_on_release),
)
TOP: Rows = (
    SeqFile("cgroup.sane_behavior", framework.show_sane_behavior),
    SeqFile("release_agent", framework.show_release_agent, framework.set_release_agent),
)
CONTROLLER: Rows = (
    *counter_files("memory.", "memory", max_usage=acts, failcnt=acts),
    SeqFile("memory.limit_in_bytes", memory.show_limit("memory"), memory.set_limit("memory")),
    SeqFile("memory.soft_limit_in_bytes", memory.show_soft_limit, memory.set_soft_limit, stub=turns("soft_limit")),
    SeqFile("memory.stat", memory.show_stat),
    SeqFile("memory.force_empty", write=memory.force_empty),
    SeqFile("memory.use_hierarchy", memory.show_use_hierarchy, memory.set_use_hierarchy, stub=IS_GONE),
    SeqFile("cgroup.event_control", write=register_event),
    SeqFile("memory.swappiness", memory.show_swappiness, memory.set_swappiness, stub=turns_below_top("swappiness")),
    SeqFile("memory.move_charge_at_immigrate", memory.show_zero, memory.set_move_charge, stub=IS_GONE),
    SeqFile("memory.oom_control", memory.show_oom_control, memory.set_oom_control, stub=turns("oom_control")),
    SeqFile("memory.pressure_level", memory.show_pressure_level),
    SeqFile("memory.numa_stat", memory.show_numa_stat),
    SeqFile("memory.kmem.limit_in_bytes", memory.show_limit("kmem"), memory.set_kmem_limit, stub=NOT_LIMITED),
    *counter_files("memory.kmem.", "kmem", max_usage=turns("kmem")),
    SeqFile("memory.kmem.slabinfo", memory.show_slabinfo),
    SeqFile("memory.kmem.tcp.limit_in_bytes", memory.show_tcp_limit, memory.set_tcp_limit, stub=NO_SOCKETS),
    *counter_files("memory.kmem.tcp.", "tcp", max_usage=NO_SOCKETS, failcnt=NO_SOCKETS),
    SeqFile("memory.memsw.limit_in_bytes", memory.show_limit("memsw"), memory.set_limit("memsw"), stub=turns("memsw")),
    *counter_files("memory.memsw.", "memsw", max_usage=turns("memsw")),
)


def dialect_v1() -> Dialect:
    return Dialect("v1", BASE, TOP, CONTROLLER, habits=KERNFS)
