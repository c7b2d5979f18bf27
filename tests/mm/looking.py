"""What the tests of the machine look at, and the moments at which they do.

On make_small's machine the first task's page table is frame 1, and its pages 0, 1, 2.. are frames 2, 3, 4.. in the order of their
first write. Lists are written from head to tail, so the next page to be scanned stands last.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from memcgfs.mm import Container, File, Machine, Task
from memcgfs.mm.dump import entries
from memcgfs.mm.params import PG_MASK

Lists = tuple[list[int], list[int]]
"""(active, inactive)"""

uncompiled = pytest.mark.parametrize("engine", ["uncompiled"], indirect=True)
"""For what cannot be seen from outside of the compiled engine: functions that only the engine calls, and its assertions."""


def frame(task: Task, page: int) -> int:
    """The frame that the page is mapped to."""
    word = task.pagemap(page, 1)[0]
    assert word >> 63, f"page {page} is not present"
    return word & ((1 << 55) - 1)


def zone_lists(machine: Machine) -> Lists:
    lists: Lists = machine.core.model.walk(machine.core, -1)
    return lists


def waiting(machine: Machine) -> Lists:
    """The pages in the (active, inactive) pagevec, the oldest first."""
    lists: Lists = machine.core.model.waiting()
    return lists


def flags(machine: Machine, pfn: int) -> int:
    """Without the zone."""
    return int(machine.core.frames.flags[pfn]) & PG_MASK


def meta_refs(machine: Machine, pfn: int) -> int:
    """ref_cnt of the page's meta page; 0 where it has none."""
    return int(machine.core.frames.meta_refs[pfn])


def at(machine: Machine, point: int, operation: Callable[[int], bool]) -> None:
    """Calls operation(pfn) at each such interleave point until it answers True."""

    def run(where: int, pfn: int) -> None:
        if where == point:
            machine.set_interleave(None)
            if not operation(pfn):
                machine.set_interleave(run)

    machine.set_interleave(run)


def once_at(machine: Machine, point: int, operation: Callable[[], object]) -> None:
    """Calls operation() at the first such interleave point."""

    def run(pfn: int) -> bool:
        operation()
        return True

    at(machine, point, run)


def cold_task(machine: Machine, container: Container, npages: int) -> Task:
    """A task with pages 0.. in frames 2.., none of them referenced: what a child has whose parent wrote them and went.

    Its page table is the frame after the pages; frame 1, the parent's, is the next that will be handed out.
    """
    parent = machine.spawn(100, container)
    parent.touch(0, npages)
    child = parent.fork(101)
    machine.reap(parent)
    return child


def reclaim_mapped(machine: Machine) -> None:
    """Swappiness 100: mapped pages leave the active list at every priority, as soon as they are not referenced."""
    machine.set_sysctl("swappiness", 100)


def page_0_in_swap(machine: Machine) -> tuple[Container, Task]:
    """A container at its limit of 3: its task wrote to 4 pages, and the coldest is in swap. Slots are read one by one."""
    reclaim_mapped(machine)
    machine.set_sysctl("page-cluster", 0)
    container = machine.create_container()
    container.limit = 3
    task = cold_task(machine, container, 3)
    task.touch(3, 1)
    return container, task


def swap_out_page_0_shared(machine: Machine, control_type: int) -> None:
    """The fourth page of a limit of 3 costs the coldest one, page 0 of task 101, and of task 102 in a container of its own, which shares
    this page only. On a machine that scans one page at a time, and whose disk answers at once."""
    container, other = machine.create_container(), machine.create_container()
    container.limit = 3
    container.control_type = other.control_type = control_type
    reclaim_mapped(machine)
    machine.set_sysctl("page-cluster", 0)
    task = cold_task(machine, container, 3)
    sharer = task.fork(102)
    sharer.munmap(1, 2)
    machine.attach(sharer, other)
    task.touch(3, 1)
    container.limit = 10
    assert [sharer.swap_pages, task.swap_pages] == [1, 1]


def cached(file: File) -> dict[int, int]:
    """The file's pages in the page cache: frames by index."""
    return entries(file.machine.core, 2 * file.number)


def hole(machine: Machine, npages: int) -> File:
    """A file of so many pages that takes nothing of the disk: reading it costs no request."""
    file = machine.create_file()
    file.truncate(npages * 4096)
    return file
