"""fork: shared pages and slots, copy on write, and what is left where it fails half way."""

from __future__ import annotations

import pytest

from memcgfs import mm
from memcgfs.mm.params import PTE_RW, ZERO_PAGE
from tests.conftest import MakeMachine

from .looking import cold_task, frame, reclaim_mapped


def family(make_small: MakeMachine, npages: int = 3) -> tuple[mm.Machine, mm.Task, mm.Task]:
    machine = make_small(pagevec_size=1)
    parent = machine.spawn(100, machine.create_container())
    parent.touch(0, npages)
    return machine, parent, parent.fork(101)


def entry(task: mm.Task, page: int) -> int:
    assert task.space is not None
    return int(task.machine.core.tables.entry(task.space.mm, page))


@pytest.mark.fact("P3")
def test_a_fork_costs_page_tables_only(make_small: MakeMachine) -> None:
    machine, parent, child = family(make_small)
    assert [frame(parent, page) for page in range(3)] == [frame(child, page) for page in range(3)]
    assert (parent.container.usage, child.rss_pages, child.page_table_pages) == (3, 3, 1)
    assert machine.meminfo()["AnonPages"] == 12
    assert not entry(parent, 0) & PTE_RW
    assert not entry(child, 0) & PTE_RW


@pytest.mark.fact("C13")
@pytest.mark.parametrize("writer", ["parent", "child"])
def test_who_writes_first_pays_for_a_copy_the_other_keeps_the_page(make_small: MakeMachine, writer: str) -> None:
    _, parent, child = family(make_small)
    one, other = (parent, child) if writer == "parent" else (child, parent)
    shared = frame(one, 0)
    assert one.touch(0, 1).minor == 1
    assert frame(one, 0) != shared == frame(other, 0)
    assert parent.container.usage == 4
    assert other.touch(0, 1).minor == 1
    assert frame(other, 0) == shared
    assert parent.container.usage == 4


@pytest.mark.fact("C13")
def test_the_copy_is_charged_to_the_writers_container(make_small: MakeMachine) -> None:
    machine, parent, child = family(make_small)
    machine.attach(child, machine.create_container())
    child.touch(0, 2)
    assert (parent.container.usage, child.container.usage) == (3, 2)


def test_reading_copies_nothing(make_small: MakeMachine) -> None:
    _, parent, child = family(make_small)
    assert child.touch(0, 3, write=False).minor == 0
    assert parent.container.usage == 3


def test_the_zero_page_is_copied_beside_other_pages(make_small: MakeMachine) -> None:
    machine = make_small()
    parent = machine.spawn(100)
    parent.mmap(0, 2)
    parent.touch(0, 1)
    parent.touch(1, 1, write=False)
    child = parent.fork(101)
    assert frame(child, 1) == ZERO_PAGE
    child.touch(1, 1)
    assert (parent.counts()[:2], child.counts()[:2], machine.root.usage) == ((1, 1), (2, 0), 2)


def test_a_mapping_of_nothing_but_zero_pages_is_not_copied(make_small: MakeMachine) -> None:
    """The child's own faults find them as well: its page table is not even made."""
    parent = make_small().spawn(100)
    parent.touch(0, 2, write=False)
    child = parent.fork(101)
    assert (child.total_vm, child.counts()) == (2, (0, 0, 0, 0))
    assert child.touch(0, 2, write=False).minor == 2


def test_a_fork_passes_over_what_has_no_page_tables(make_small: MakeMachine) -> None:
    """A mapping of 48 GB of which the first and the last page were written: 2^22 pages lie between each two runs of page tables."""
    parent = make_small().spawn(100)
    parent.mmap(0, 3 << 22)
    for page in (0, (3 << 22) - 1):
        parent.touch(page, 1)
    child = parent.fork(101)
    assert (child.rss_pages, child.page_table_pages) == (2, 2)
    assert frame(child, (3 << 22) - 1) == frame(parent, (3 << 22) - 1)


@pytest.mark.fact("P4")
def test_locked_is_not_inherited(make_small: MakeMachine) -> None:
    parent = make_small().spawn(100)
    parent.mmap(0, 2, locked=True)
    assert (parent.locked_pages, parent.fork(101).locked_pages) == (2, 0)


@pytest.mark.fact("P3")
def test_a_swapped_page_is_shared_by_its_slot(make_small: MakeMachine) -> None:
    machine = make_small(pagevec_size=1)
    reclaim_mapped(machine)
    parent = cold_task(machine, machine.create_container(), 4)
    parent.container.limit = 4
    parent.touch(4, 1)
    child = parent.fork(200)
    assert (parent.swap_pages, child.swap_pages, machine.swaps()[0].used_pages) == (4, 4, 4)
    parent.munmap(0, 4)
    assert machine.swaps()[0].used_pages == 4
    machine.reap(child)
    assert machine.swaps()[0].used_pages == 0


@pytest.mark.fact("S5")
def test_a_write_to_a_page_read_back_from_a_shared_slot_copies(make_small: MakeMachine) -> None:
    machine = make_small(pagevec_size=1)
    reclaim_mapped(machine)
    parent = cold_task(machine, machine.create_container(), 4)
    parent.container.limit = 4
    parent.touch(4, 1)
    parent.container.limit = 100
    child = parent.fork(200)
    parent.touch(0, 1)
    child.touch(0, 1)
    assert frame(parent, 0) != frame(child, 0)


@pytest.mark.fact("C13")
def test_the_last_of_the_family_pays_nothing_for_a_write(make_small: MakeMachine) -> None:
    machine, parent, child = family(make_small)
    shared = frame(child, 0)
    machine.reap(parent)
    child.touch(0, 1)
    assert frame(child, 0) == shared
    assert child.container.usage == 3


def test_grandchildren_share_and_each_gets_its_own(make_small: MakeMachine) -> None:
    _, parent, child = family(make_small, npages=1)
    tasks = [parent, child, child.fork(102), parent.fork(103)]
    for task in tasks:
        task.touch(0, 1)
    assert len({frame(task, 0) for task in tasks}) == 4
    assert parent.container.usage == 4


def test_a_fork_without_frames_for_page_tables_leaves_nothing_behind(make_small: MakeMachine) -> None:
    """31 frames: 4 page tables and 26 pages, of which one is left. Who cannot be killed, for a thread that must not be, lives to see
    the error."""
    machine = make_small(frames=32, swap_pages=0)
    parent = machine.spawn(100)
    thread = machine.clone_thread(parent, 150)
    thread.set_oom_adj(-17)
    for leaf in range(4):
        parent.touch(leaf * 512, 7 if leaf < 2 else 6)
    assert machine.zones()[0].free == 1
    before = machine.root.usage, machine.root.css_refs
    with pytest.raises(mm.OutOfMemory, match="page tables of task 101"):
        parent.fork(101)
    assert (machine.zones()[0].free, parent.state, list(machine.tasks)) == (1, "R", [100, 150])
    assert (machine.root.usage, machine.root.css_refs) == before
    machine.reap(parent)
    machine.reap(thread)
    assert machine.zones()[0].free == 31


def test_a_parent_killed_while_it_forks_has_no_child(make_small: MakeMachine) -> None:
    """4 of 31 frames are for the dying. 26 are taken, so that the child's second page table has to be fought for."""
    machine = make_small(frames=32, swap_pages=0, min_free_kbytes=16)
    parent = machine.spawn(100)
    for leaf in range(4):
        parent.touch(leaf * 512, 6 if leaf < 2 else 5)
    with pytest.raises(mm.OutOfMemory, match="task 100 was killed"):
        parent.fork(101)
    assert list(machine.tasks) == [100]
    assert (parent.state, machine.zones()[0].free, machine.root.css_refs) == ("Z", 31, 0)


def test_a_fork_that_runs_out_of_vmas_leaves_nothing_behind(make_small: MakeMachine) -> None:
    machine = make_small()
    parent = machine.spawn(100)
    for start in (0, 10, 20):
        parent.mmap(start, 1)
    machine.vma_ids.count = 6
    with pytest.raises(mm.TooManyMappings):
        parent.fork(101)
    assert (len(machine.spaces), machine.root.css_refs, machine.vma_ids.nr_taken) == (1, 1, 3)


def test_refused_pids_change_nothing(make_small: MakeMachine) -> None:
    _, parent, _ = family(make_small)
    refs = parent.container.css_refs
    with pytest.raises(mm.TaskExists):
        parent.fork(101)
    for pid in range(200, 218):
        parent.fork(pid)
    with pytest.raises(mm.TooManyTasks):
        parent.fork(300)
    assert parent.container.css_refs == refs + 18
    parent.exit()
    with pytest.raises(mm.TaskDead):
        parent.fork(400)
