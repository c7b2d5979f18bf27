"""The memory controller's control files of 6.18's first version, as functions.

Amounts are bytes, kept in pages and rounded down.  A limit is written as memparse reads it, -1 for none, blanks around it; a number that is
no amount (swappiness, a flag) as kstrtoull reads it.  What resets (failcnt, max_usage_in_bytes) does so whatever is written.

After mm/memcontrol-v1.c of 6.18: mem_cgroup_read_u64, mem_cgroup_write, mem_cgroup_reset, mem_cgroup_hierarchy_write,
mem_cgroup_swappiness_write, mem_cgroup_move_charge_write, mem_cgroup_oom_control_read and _write, memcg_numa_stat_show,
memcg1_stat_format, mem_cgroup_force_empty_write, mem_cgroup_dummy_seq_show.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from ..kernfs import Caller
from ..kernfs.errors import NotReadable
from ..mm import PAGE_BYTES, Container
from .cgroup import Cgroup
from .errors import BadNumber
from .page_counter import PAGE_COUNTER_MAX, page_counter_memparse
from .strto import kstrtoull, strstrip

MAX_SWAPPINESS: Final = 200

Show = Callable[[Cgroup], str]
Write = Callable[[Cgroup, bytes, Caller], None]


# The four counters: memory, memory and swap, kernel memory, and that of sockets.


def show_usage(counter: str) -> Show:
    return lambda cgroup: f"{cgroup.container.counter(counter).usage * PAGE_BYTES}\n"


def show_max_usage(counter: str) -> Show:
    return lambda cgroup: f"{cgroup.container.counter(counter).max_usage * PAGE_BYTES}\n"


def show_limit(counter: str) -> Show:
    """Counters of 2007 and 2008 go further than those of today."""
    return lambda cgroup: f"{min(cgroup.container.counter(counter).limit, PAGE_COUNTER_MAX) * PAGE_BYTES}\n"


def show_failcnt(counter: str) -> Show:
    return lambda cgroup: f"{cgroup.container.counter(counter).failcnt}\n"


def amount(text: bytes) -> int:
    """Pages."""
    pages = page_counter_memparse(strstrip(text))
    if pages is None:
        raise BadNumber(text)
    return pages


def set_limit(counter: str) -> Write:
    """Those of memory reclaim at once what is too much, and leave everything as it was where they cannot."""

    def write(cgroup: Cgroup, text: bytes, writer: Caller) -> None:
        cgroup.container.counter(counter).resize(amount(text), cgroup.hierarchy.interrupts(writer))

    return write


def set_tcp_limit(cgroup: Cgroup, text: bytes, writer: Caller) -> None:
    pages = amount(text)
    refuse_top(cgroup)
    cgroup.tcp_limit_pages = pages


def show_tcp_limit(cgroup: Cgroup) -> str:
    return f"{cgroup.tcp_limit_pages * PAGE_BYTES}\n"


def set_kmem_limit(cgroup: Cgroup, text: bytes, writer: Caller) -> None:
    amount(text)
    refuse_top(cgroup)


def reset_max_usage(counter: str) -> Write:
    return lambda cgroup, text, writer: cgroup.container.counter(counter).reset_max_usage()


def reset_failcnt(counter: str) -> Write:
    return lambda cgroup, text, writer: cgroup.container.counter(counter).reset_failcnt()


def show_soft_limit(cgroup: Cgroup) -> str:
    return f"{cgroup.container.soft_limit * PAGE_BYTES}\n"


def set_soft_limit(cgroup: Cgroup, text: bytes, writer: Caller) -> None:
    cgroup.container.soft_limit = amount(text)


# Statistics.


def show_stat(cgroup: Cgroup) -> str:
    container = cgroup.container
    memory, memsw = (min(limit, PAGE_COUNTER_MAX) for limit in container.hierarchical_limits())
    return (
        lines(container.stat().items())
        + lines((("hierarchical_memory_limit", memory * PAGE_BYTES), ("hierarchical_memsw_limit", memsw * PAGE_BYTES)))
        + lines((f"total_{name}", value) for name, value in container.total_stat().items())
    )


def lines(items: Iterable[tuple[str, int]]) -> str:
    return "".join(f"{name} {value}\n" for name, value in items)


def show_numa_stat(cgroup: Cgroup) -> str:
    """Pages: in all, and on each node; of itself, and of itself and all below it."""
    container = cgroup.container
    return numa_lines("", [container]) + numa_lines("hierarchical_", container.counted())


def numa_lines(prefix: str, containers: list[Container]) -> str:
    found = [container.numa_stat() for container in containers]
    text = ""
    for name in found[0]:
        nodes = [sum(pages) for pages in zip(*(stat[name] for stat in found), strict=True)]
        text += " ".join([f"{prefix}{name}={sum(nodes)}", *(f"N{node}={pages}" for node, pages in enumerate(nodes))]) + "\n"
    return text


# The rest.


def force_empty(cgroup: Cgroup, text: bytes, writer: Caller) -> None:
    """Whatever is written: reclaim what can be reclaimed, of the tasks that are in it as well."""
    refuse_top(cgroup)
    cgroup.container.force_empty(cgroup.hierarchy.interrupts(writer))


def show_use_hierarchy(cgroup: Cgroup) -> str:
    return f"{cgroup.container.has_hierarchy:d}\n"


def set_use_hierarchy(cgroup: Cgroup, text: bytes, writer: Caller) -> None:
    """The rules have one, or have not."""
    if kstrtoull(text) != cgroup.container.has_hierarchy:
        raise BadNumber(text)


def show_zero(cgroup: Cgroup) -> str:
    return "0\n"


def set_move_charge(cgroup: Cgroup, text: bytes, writer: Caller) -> None:
    """Charges do not move with a task any more."""
    if kstrtoull(text) != 0:
        raise BadNumber(text)


def show_swappiness(cgroup: Cgroup) -> str:
    return f"{cgroup.container.swappiness}\n"


def set_swappiness(cgroup: Cgroup, text: bytes, writer: Caller) -> None:
    value = kstrtoull(text)
    if value > MAX_SWAPPINESS:
        raise BadNumber(text)
    cgroup.container.swappiness = value


def show_oom_control(cgroup: Cgroup) -> str:
    container = cgroup.container
    return f"oom_kill_disable {container.oom_kill_disable:d}\nunder_oom {container.under_oom:d}\noom_kill {container.oom_kills}\n"


def set_oom_control(cgroup: Cgroup, text: bytes, writer: Caller) -> None:
    value = kstrtoull(text)
    refuse_top(cgroup)
    if value > 1:
        raise BadNumber(text)
    cgroup.container.oom_kill_disable = value == 1


def show_pressure_level(cgroup: Cgroup) -> str:
    """It is there to be named in a registration of events."""
    raise NotReadable("memory.pressure_level")


def show_slabinfo(cgroup: Cgroup) -> str:
    """Kernel objects are not told apart by container any more."""
    return ""


def refuse_top(cgroup: Cgroup) -> None:
    """The top container has no limits, and its OOM killer is the machine's."""
    if cgroup.parent is None:
        raise BadNumber(cgroup.path)
