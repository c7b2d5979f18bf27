"""Shared anonymous memory is a file in memory (mm/shmem.c): who sees its pages, who pays, and how they go to swap and come back."""

from __future__ import annotations

import pytest

from memcgfs import mm
from memcgfs.mm.params import AT_META_PAGE_ALLOC, GFP_KERNEL, PG_ACTIVE, PG_CACHE, PG_FREE, PG_SWAPCACHE
from tests.conftest import MakeMachine

from .looking import at, flags, frame, uncompiled


def test_parent_and_child_see_the_same_bytes(make_small: MakeMachine) -> None:
    machine = make_small()
    parent = machine.spawn(10)
    parent.mmap(0, 4, shared=True)
    parent.write_mem(4096, b"from the parent")
    child = parent.fork(11)
    assert child.read_mem(4096, 15) == b"from the parent"
    child.write_mem(8192, b"from the child")
    assert parent.read_mem(8192, 14) == b"from the child"
    assert frame(parent, 1) == frame(child, 1)
    assert machine.core.frames.mapcount[frame(parent, 1)] == 2


@pytest.mark.fact("C15", "C19", "P11")
def test_the_first_toucher_pays_for_the_page_and_the_second_nothing(make_small: MakeMachine) -> None:
    """A fault fills the hole (cache: 1), and maps the page (a second reference of the same charge)."""
    machine = make_small()
    one, two = machine.create_container(), machine.create_container()
    parent = machine.spawn(10, one)
    parent.mmap(0, 4, shared=True)
    child = parent.fork(11)
    machine.attach(child, two)
    parent.touch(0, 4)
    child.touch(0, 4)
    assert (one.usage, one.cache_pages, two.usage) == (4, 4, 0)
    assert [int(machine.core.frames.meta_refs[frame(parent, page)]) for page in range(4)] == [2] * 4
    machine.reap(parent)
    assert (one.usage, two.usage) == (4, 0)
    machine.reap(child)
    assert (one.usage, two.usage) == (0, 0)


def test_a_write_after_a_read_takes_no_fault(make_small: MakeMachine) -> None:
    """Nobody needs to know when a file in memory becomes dirty: a read maps its page writable."""
    task = make_small().spawn(10)
    task.mmap(0, 3, shared=True)
    assert task.touch(0, 3, write=False).minor == 3
    assert task.touch(0, 3, write=True).minor == 0


@pytest.mark.fact("P11")
def test_its_pages_go_to_swap_and_come_back(make_small: MakeMachine) -> None:
    """Reclaim moves a page to the swap cache, writes it from there, and frees it; the bytes come back with a major fault, once for all who
    map it."""
    machine = make_small()
    container = machine.create_container()
    task = machine.spawn(10, container)
    task.mmap(0, 8, shared=True)
    for page in range(8):
        task.write_mem(page * 4096, b"page %d" % page)
    child = task.fork(11)
    container.limit = 4
    task.touch(100, 4)
    assert machine.swaps()[0].used_pages >= 4
    assert machine.vmstat()["pswpout"] >= 4
    machine.check()
    container.limit = 64
    before = task.maj_flt
    assert [task.read_mem(page * 4096, 6) for page in range(8)] == [b"page %d" % page for page in range(8)]
    assert task.maj_flt > before
    assert [child.read_mem(page * 4096, 6) for page in range(8)] == [b"page %d" % page for page in range(8)]
    assert child.maj_flt == 0
    for pid in (10, 11):
        machine.reap(machine.tasks[pid])
    assert machine.swaps()[0].used_pages == 0


@uncompiled
def test_a_page_in_the_swap_cache_moves_back_without_a_read(make_small: MakeMachine) -> None:
    """A disk that takes long: the page is still being written when it is wanted again, which waits for the write and for nothing else."""
    machine = make_small(disk=mm.DiskConfig(5_000_000, 0, 8))
    task = machine.spawn(10)
    task.mmap(0, 2, shared=True)
    task.write_mem(0, b"kept")
    pfn = frame(task, 0)
    machine.core.model.shrink_zones(machine.core, machine.core.user_zone, 0, GFP_KERNEL)
    reads = machine.vmstat()["pswpin"]
    assert task.read_mem(0, 4) == b"kept"
    assert machine.vmstat()["pswpin"] == reads
    assert flags(machine, frame(task, 0)) & (PG_CACHE | PG_SWAPCACHE) == PG_CACHE
    assert frame(task, 0) == pfn


@pytest.mark.fact("R18")
def test_without_swap_its_pages_are_activated(make_small: MakeMachine) -> None:
    """pageout answers PAGE_ACTIVATE where there is no slot, so that the limit cannot be kept, and somebody dies of it."""
    machine = make_small(swap_pages=0)
    container = machine.create_container()
    task = machine.spawn(10, container)
    task.mmap(0, 8, shared=True)
    container.limit = 4
    with pytest.raises(mm.OutOfMemory):
        task.touch(0, 8)
    assert container.usage == 0


def test_the_page_of_a_hole_that_cannot_be_charged_is_given_up(make_small: MakeMachine) -> None:
    """The tmpfs hang of 2007: shmem_getpage tries again for ever. Here it ends, and says so. The memory is locked, so that nothing of it
    can be reclaimed."""
    machine = make_small()
    container = machine.create_container()
    other = machine.spawn(9)
    task = machine.spawn(10, container)
    task.mmap(0, 4, locked=True)
    task.mmap(8, 2, shared=True)
    other.set_oom_adj(15)
    container.limit = 4
    with pytest.raises(mm.OutOfMemory):
        task.touch(8, 1)
    assert any("shared memory without end" in line for line in machine.log) or task.died


def test_swapoff_gives_its_pages_back_to_the_file(make_small: MakeMachine) -> None:
    machine = make_small()
    container = machine.create_container()
    task = machine.spawn(10, container)
    task.mmap(0, 8, shared=True)
    for page in range(8):
        task.write_mem(page * 4096, b"page %d" % page)
    container.limit = 4
    task.touch(100, 4)
    assert machine.swaps()[0].used_pages >= 4
    container.limit = 64
    machine.swapoff("/dev/swap")
    assert machine.swaps() == []
    assert [task.read_mem(page * 4096, 6) for page in range(8)] == [b"page %d" % page for page in range(8)]


@uncompiled
def test_its_owner_may_be_killed_while_its_page_is_charged_to_swap(make_small: MakeMachine) -> None:
    """A page that was never charged (its container left the cache out) is charged when it moves to swap, which waits; the only owner dies
    meanwhile, and the page with it."""
    machine = make_small()
    box, full = machine.create_container(), machine.create_container()
    box.control_type = 1
    owner = machine.spawn(10, box)
    owner.mmap(0, 2, shared=True)
    owner.touch(0, 2)
    theirs = [frame(owner, page) for page in range(2)]
    runner = machine.spawn(11, full)
    runner.mmap(0, 3, locked=True)
    full.limit = 3

    def kill(pfn: int) -> bool:
        if pfn in theirs:
            machine.send_sigkill(owner, "killed by a test")
        return pfn in theirs

    at(machine, AT_META_PAGE_ALLOC, kill)
    with machine.running(runner):
        while owner.space is not None:
            machine.core.model.shrink_zones(machine.core, machine.core.user_zone, 0, GFP_KERNEL)
    assert owner.died == "killed by a test"
    assert not machine.files
    assert all(machine.core.frames.count[pfn] == 0 and flags(machine, pfn) in (PG_FREE, 0) for pfn in theirs)


@pytest.mark.fact("A6")
def test_pages_start_inactive_and_are_found_by_every_mapper(make_small: MakeMachine) -> None:
    machine = make_small(pagevec_size=1)
    task = machine.spawn(10)
    task.mmap(0, 1, shared=True)
    task.touch(0, 1)
    child = task.fork(11)
    child.touch(0, 1)
    pfn = frame(task, 0)
    assert not flags(machine, pfn) & PG_ACTIVE or machine.vmstat()["pgactivate"] == 1
    assert machine.engine.page_referenced(machine.core, pfn, True, -1) >= 2


def two_in_swap(machine: mm.Machine) -> list[mm.Task]:
    """Two tasks of a container, each with a shared mapping of its own of 4 pages, all of them in swap."""
    container = machine.create_container()
    tasks = [machine.spawn(10 + place, container) for place in range(2)]
    for task in tasks:
        task.mmap(0, 4, shared=True)
        for page in range(4):
            task.write_mem(page * 4096, b"%d of %d" % (page, task.pid))
    container.limit = 4
    machine.spawn(20, container).touch(100, 4)
    container.limit = 64
    return tasks


def test_slots_go_with_the_last_mapping(make_small: MakeMachine) -> None:
    machine = make_small()
    first, second = two_in_swap(machine)
    used = machine.swaps()[0].used_pages
    assert used == 8
    machine.reap(first)
    assert machine.swaps()[0].used_pages == 4
    machine.reap(second)
    assert (machine.swaps()[0].used_pages, machine.meminfo()["Shmem"]) == (0, 0)


@pytest.mark.fact("S8")
def test_swapoff_finds_the_file_of_each_slot(make_small: MakeMachine) -> None:
    machine = make_small()
    tasks = two_in_swap(machine)
    machine.swapoff("/dev/swap")
    assert machine.meminfo()["Shmem"] == 8 * 4
    for task in tasks:
        assert [task.read_mem(page * 4096, 7) for page in range(4)] == [b"%d of %d" % (page, task.pid) for page in range(4)]
