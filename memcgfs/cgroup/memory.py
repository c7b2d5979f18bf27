"""The memory controller's control files, as functions: what `limit`, `control_type`, `force_empty` and the rest do.

Numbers are bare decimal and wrap (patch 1/9, res_counter_read and res_counter_write).  The controller of 2007 took the
newline that `echo` writes for a wrong character; all but the strict dialect forgive one behind a number.
"""

from __future__ import annotations

from collections.abc import Callable

from ..kernfs import Caller
from ..mm import PAGE_BYTES
from ..mm.params import MEM_CONTAINER_TYPE_ALL, MEM_CONTAINER_TYPE_CACHED, MEM_CONTAINER_TYPE_MAPPED
from .cgroup import Cgroup
from .errors import BadNumber, HasTasks
from .strto import simple_strtoul

CONTROL_TYPES = (MEM_CONTAINER_TYPE_MAPPED, MEM_CONTAINER_TYPE_CACHED, MEM_CONTAINER_TYPE_ALL)

Spelling = Callable[[bytes], bytes]
"""What is left to parse of a number as it was written."""


def exact(text: bytes) -> bytes:
    return text


def newline_forgiven(text: bytes) -> bytes:
    return text[:-1] if len(text) > 1 and text.endswith(b"\n") else text


def show_usage(cgroup: Cgroup) -> str:
    return f"{cgroup.container.usage}\n"


def show_limit(cgroup: Cgroup) -> str:
    return f"{cgroup.container.limit}\n"


def show_failcnt(cgroup: Cgroup) -> str:
    return f"{cgroup.container.failcnt}\n"


def show_control_type(cgroup: Cgroup) -> str:
    return f"{cgroup.container.control_type}\n"


def show_stat(cgroup: Cgroup) -> str:
    """In bytes, as 2.6.25 had it."""
    container = cgroup.container
    return (
        f"cache {container.cache_pages * PAGE_BYTES}\n"
        f"rss {container.rss_pages * PAGE_BYTES}\n"
        f"active {container.nr_active * PAGE_BYTES}\n"
        f"inactive {container.nr_inactive * PAGE_BYTES}\n"
    )


def set_limit(spelling: Spelling) -> Callable[[Cgroup, bytes, Caller], None]:
    """A limit below the usage is fine; it shows at the next charge."""

    def write(cgroup: Cgroup, text: bytes, writer: Caller) -> None:
        cgroup.container.limit = _number(cgroup, spelling(text))

    return write


def set_control_type(spelling: Spelling) -> Callable[[Cgroup, bytes, Caller], None]:
    def write(cgroup: Cgroup, text: bytes, writer: Caller) -> None:
        control_type = _number(cgroup, spelling(text))
        if control_type not in CONTROL_TYPES:
            raise BadNumber(text)
        cgroup.container.control_type = control_type

    return write


def force_empty(cgroup: Cgroup, text: bytes, writer: Caller) -> None:
    """Whatever is written: forget the charges of a container without tasks.

    Of one that has tasks, but no charges, there is nothing to forget; and tasks of the top are not counted (init_css_set has them).
    Rules by which a page is charged until it is freed reclaim what can be, as their own file does, and refuse the top.
    """
    hierarchy = cgroup.hierarchy
    if cgroup.parent is not None and cgroup.container.usage and hierarchy.members.of(cgroup):
        raise HasTasks(cgroup.directory.name)
    if cgroup.container.has_hierarchy:
        cgroup.container.force_empty(hierarchy.interrupts(writer))
    else:
        hierarchy.machine.force_empty(cgroup.container)


def _number(cgroup: Cgroup, text: bytes) -> int:
    value, rest = simple_strtoul(text, cgroup.container.ulong_max)
    if rest:
        raise BadNumber(text)
    return value
