"""Two at once: threads that fault on the same page, tasks that read the same slot, entries that change while memory is looked for.

What comes in between is put where the kernel sleeps: at the charge of a new page, or in a reclaim's wait.
"""

from __future__ import annotations

import pytest

from memcgfs import mm
from memcgfs.mm.params import AT_CONGESTION_WAIT, AT_IO_WAIT, AT_META_PAGE_ALLOC
from tests.conftest import MakeMachine

from .looking import cached, frame, hole, meta_refs, once_at, reclaim_mapped

SECOND = 1_000_000_000


def two_threads(machine: mm.Machine) -> tuple[mm.Task, mm.Task]:
    task = machine.spawn(100, machine.create_container())
    return task, machine.clone_thread(task, 101)


def test_two_threads_write_to_a_new_page(make_small: MakeMachine) -> None:
    """The first has its frame (2, for 1 is the page table) and sleeps at its charge; the second is faster. The first frame goes back."""
    machine = make_small()
    task, thread = two_threads(machine)
    free = machine.zones()[0].free
    once_at(machine, AT_META_PAGE_ALLOC, lambda: thread.touch(0, 1))
    task.touch(0, 1)
    assert (frame(task, 0), task.rss_pages, task.container.usage) == (3, 1, 1)
    assert machine.zones()[0].free == free - 2


def file_of_a_page(machine: mm.Machine) -> mm.File:
    """On the disk, and not in memory."""
    file = machine.create_file()
    opened = file.open()
    opened.write(0, b"a" * 4096)
    opened.fsync()
    opened.close()
    machine.drop_caches(1)
    return file


@pytest.mark.parametrize(("write", "shared", "usage"), [(False, True, 1), (True, True, 1), (True, False, 2)])
def test_two_threads_fault_in_a_page_of_a_file(make_small: MakeMachine, write: bool, shared: bool, usage: int) -> None:
    """Both wait for it to be read, and the second to come has the lock first, maps the page, or its copy; the first gives back what it was
    charged, and its copy. Usage is the page, and the one copy."""
    machine = make_small(disk=mm.DiskConfig(SECOND, 0, 8))
    task, thread = two_threads(machine)
    file = file_of_a_page(machine)
    task.mmap(0, 1, file=file, shared=shared)
    once_at(machine, AT_IO_WAIT, lambda: thread.touch(0, 1, write=write))
    assert task.touch(0, 1, write=write).major == 1
    assert (task.rss_pages, task.container.usage) == (1, usage)
    assert (frame(task, 0) == cached(file)[0]) == shared
    assert meta_refs(machine, cached(file)[0]) == 1 + shared


def test_two_threads_need_a_page_table(make_small: MakeMachine) -> None:
    """Memory is full, and reclaim waits for the disk. Meanwhile somebody's memory comes free, and the second thread makes the page table
    and maps the page; the first gives its own frame back."""
    machine = make_small(disk=mm.DiskConfig(SECOND, 0, 64))
    other = machine.spawn(200)
    other.touch(0, 62)
    assert machine.zones()[0].free == 0
    task, thread = two_threads(machine)

    def be_faster() -> None:
        machine.reap(other)
        thread.touch(0, 1)

    once_at(machine, AT_CONGESTION_WAIT, be_faster)
    task.touch(0, 1)
    assert (task.page_table_pages, task.rss_pages, machine.vmstat()["nr_page_table_pages"]) == (1, 1, 1)


def test_the_entry_that_a_fork_copies_goes_while_it_needs_a_page_table(make_small: MakeMachine) -> None:
    """A private mapping of a file: page 0 is the file's own, page 1 a copy. With 11 locked pages and a page table that is all memory, and
    only the file's two pages can go, without a write. The child's page table needs a frame, and nothing is left to copy of page 0."""
    machine = make_small(frames=16, swap_pages=0, pagevec_size=1)
    reclaim_mapped(machine)
    parent = machine.spawn(100)
    parent.mmap(0, 2, file=hole(machine, 2))
    parent.touch(0, 1, write=False)
    parent.touch(1, 1)
    parent.mmap(16, 11, locked=True)
    assert (machine.zones()[0].free, parent.counts()[:2]) == (0, (12, 1))
    child = parent.fork(101)
    assert (parent.counts()[:2], child.counts()[:2]) == ((12, 0), (12, 0))
    assert frame(child, 1) == frame(parent, 1)


def test_what_comes_in_between_is_heard_of_at_the_end_and_then_no_more(make_small: MakeMachine) -> None:
    """Its first error ends neither the operation nor the next; nothing else is put in between meanwhile."""
    machine = make_small()
    calls: list[int] = []

    def fail(point: int, pfn: int) -> None:
        calls.append(pfn)
        raise ZeroDivisionError("in between")

    machine.set_interleave(fail)
    task = machine.spawn(100)
    with pytest.raises(ZeroDivisionError, match="in between"):
        task.touch(0, 3)
    machine.set_interleave(None)
    assert (calls, task.rss_pages) == ([2], 3)
