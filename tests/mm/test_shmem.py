"""Shared anonymous memory is a file in memory (mm/shmem.c): who sees its pages, who pays, and how they go to swap and come back."""

from __future__ import annotations

import pytest

from memcgfs import mm
from memcgfs.mm.dump import entries
from memcgfs.mm.params import AT_IO_WAIT, AT_META_PAGE_ALLOC, GFP_KERNEL, MAX_SHMEM_ROUNDS, PG_ACTIVE, PG_CACHE, PG_FREE, PG_SWAPCACHE
from tests.conftest import MakeMachine

from .looking import at, flags, frame, once_at, uncompiled


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
    assert sum("shared memory without end" in line for line in machine.log) == 1
    assert (task.died, other.state, container.failcnt) == ("out of memory", "R", 6 * MAX_SHMEM_ROUNDS)


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
@pytest.mark.parametrize("makes_room", [False, True])
def test_its_owner_may_be_killed_while_its_page_is_charged_to_swap(make_small: MakeMachine, makes_room: bool) -> None:
    """A page that was never charged (its container left the cache out) is charged when it moves to swap, which waits; the only owner dies
    meanwhile, and the page with it. The charge is refused, or can be made, because the owner had memory in that container as well."""
    machine = make_small()
    box, full = machine.create_container(), machine.create_container()
    box.control_type = 1
    owner = machine.spawn(10, box)
    owner.mmap(0, 2, shared=True)
    owner.touch(0, 2)
    theirs = [frame(owner, page) for page in range(2)]
    runner = machine.spawn(11, full)
    runner.mmap(0, 2, locked=True)
    locker = owner if makes_room else runner
    machine.attach(locker, full)
    locker.mmap(8, 1, locked=True)
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
    assert (runner.state == "R") == makes_room
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


@pytest.mark.fact("S8")
def test_swapoff_looks_through_all_files_and_their_pages(make_small: MakeMachine) -> None:
    """Slots 1, 2 and 3 are page 1 of the first file, page 0 of the second, and page 0 of the first: neither is what is found first."""
    machine = make_small(pagevec_size=1)
    machine.set_sysctl("page-cluster", 0)
    container = machine.create_container()
    one, other = (machine.spawn(pid, container) for pid in (10, 11))
    for task in (one, other):
        task.mmap(0, 2, shared=True)
    for task, page in ((one, 1), (other, 0), (one, 0)):
        task.write_mem(page * 4096, b"%d of %d" % (page, task.pid))
    container.limit = 3
    machine.spawn(20, container).mmap(0, 3, locked=True)
    assert machine.swaps()[0].used_pages == 3
    container.limit = 64
    machine.swapoff("/dev/swap")
    assert [one.read_mem(page * 4096, 7) for page in (0, 1)] == [b"0 of 10", b"1 of 10"]
    assert other.read_mem(0, 7) == b"0 of 11"


def test_a_hole_without_memory(make_small: MakeMachine) -> None:
    """All is locked, and the only task is killed for it: there is no page for the hole."""
    machine = make_small(frames=32, swap_pages=0)
    task = machine.spawn(10)
    task.mmap(0, 1, shared=True)
    task.mmap(1, 30, locked=True)
    assert machine.zones()[0].free == 0
    with pytest.raises(mm.OutOfMemory):
        task.touch(0, 1)
    assert (task.died, machine.zones()[0].free) == ("out of memory", 31)


def page_1_in_the_swap_cache(make_small: MakeMachine) -> tuple[mm.Machine, mm.Task, mm.Task]:
    """Two tasks share memory of 2 pages, charged to nobody but as mapped. Both moved to the swap cache, from where the first task had
    page 0 back. The second is in a container that is full of locked pages."""
    machine = make_small(pagevec_size=1)
    uncharged, full = machine.create_container(), machine.create_container()
    uncharged.control_type = 1
    parent = machine.spawn(10, uncharged)
    parent.mmap(0, 2, shared=True)
    parent.write_mem(4096, b"kept")
    parent.write_mem(0, b"kept")
    child = parent.fork(11)
    uncharged.limit = 1
    machine.spawn(20, uncharged).mmap(0, 1, locked=True)
    assert machine.swaps()[0].used_pages == 2
    uncharged.limit = 64
    parent.touch(0, 1)
    assert machine.swaps()[0].used_pages == 1
    assert machine.meminfo()["SwapCached"] == 4
    machine.attach(child, full)
    child.mmap(8, 2, locked=True)
    full.limit = 2
    return machine, parent, child


def in_swap(file: mm.File) -> dict[int, int]:
    """By index the pages that have a slot: their frames in the swap cache, or 0."""
    core = file.machine.core
    return {index: int(core.swap.cache[slot]) for index, slot in entries(core, 2 * file.number + 1).items()}


def test_a_page_that_cannot_be_charged_stays_in_the_swap_cache(make_small: MakeMachine) -> None:
    """The other half of the tmpfs hang: the page is there, but its charge to the page cache is refused, each time after six rounds, and a
    wait of 20 ms. Only the first kills."""
    machine, parent, child = page_1_in_the_swap_cache(make_small)
    full, before_ns = child.container, machine.clock_ns
    with pytest.raises(mm.OutOfMemory):
        child.touch(1, 1)
    assert sum("shared memory without end" in line for line in machine.log) == 1
    assert (child.died, machine.meminfo()["SwapCached"], full.usage) == ("out of memory", 4, 0)
    assert full.failcnt == 6 * MAX_SHMEM_ROUNDS
    assert machine.clock_ns - before_ns >= MAX_SHMEM_ROUNDS * (5 * 100 + 20) * 1_000_000
    assert parent.read_mem(4096, 4) == b"kept"
    assert machine.vmstat()["pswpin"] == 0


@pytest.mark.fact("C28")
def test_swapoff_ends_where_such_a_page_cannot_be_charged(make_small: MakeMachine) -> None:
    machine, parent, child = page_1_in_the_swap_cache(make_small)
    with pytest.raises(mm.OutOfMemory, match="1 pages could not be brought back"):
        child.swapoff("/dev/swap")
    assert child.state == "Z"
    assert parent.read_mem(4096, 4) == b"kept"
    machine.swapoff("/dev/swap")


def test_a_page_that_cannot_be_charged_is_not_read(make_small: MakeMachine) -> None:
    """In swap alone, its page in the swap cache is the first thing to be charged, and there is no other try."""
    machine, parent, child = page_1_in_the_swap_cache(make_small)
    machine.set_sysctl("page-cluster", 0)
    other = machine.spawn(30)
    other.touch(0, 90)
    machine.reap(other)
    (file,) = machine.shared_memory.values()
    assert in_swap(file)[1] == 0
    full = child.container
    with pytest.raises(mm.OutOfMemory):
        child.touch(1, 1)
    assert not any("without end" in line for line in machine.log)
    assert (child.died, full.failcnt) == ("out of memory", 6)
    assert parent.read_mem(4096, 4) == b"kept"


def test_another_takes_it_back_while_it_is_read(make_small: MakeMachine) -> None:
    """Read-ahead begins with page 0, whose charge sleeps. Meanwhile a child reads both, and has page 1 back, so that its slot is free:
    there is nothing to read, and the page is where it was looked for at first."""
    machine = make_small(pagevec_size=1)
    task = two_in_swap(machine)[0]
    child = task.fork(30)
    once_at(machine, AT_META_PAGE_ALLOC, lambda: child.touch(1, 1))
    assert task.read_mem(4096, 7) == b"1 of 10"
    assert frame(task, 1) == frame(child, 1)
    assert (task.maj_flt, child.maj_flt) == (1, 1)


def test_it_is_in_another_slot_by_then(make_small: MakeMachine) -> None:
    """While its page is charged a child has it back, and it goes to swap once more, to another slot, for the first is still held by whoever
    reads it; who finds that it has read the wrong one, and reads again. That is one major fault."""
    machine = make_small(pagevec_size=1)
    machine.set_sysctl("page-cluster", 0)
    task = two_in_swap(machine)[0]
    child = task.fork(30)
    file = next(iter(machine.shared_memory.values()))
    slots = [entries(machine.core, 2 * file.number + 1)[0]]

    def there_and_back() -> None:
        child.write_mem(0, b"changed")
        other = machine.spawn(40)
        other.touch(0, 90)
        machine.reap(other)
        slots.append(entries(machine.core, 2 * file.number + 1)[0])

    once_at(machine, AT_META_PAGE_ALLOC, there_and_back)
    assert task.read_mem(0, 7) == b"changed"
    assert slots[0] != slots[1]
    assert task.maj_flt == 1


def being_written(make_small: MakeMachine) -> tuple[mm.Machine, mm.Task]:
    """A task whose page of shared memory is in the swap cache, and under way to a disk that takes a second."""
    machine = make_small(disk=mm.DiskConfig(1_000_000_000, 0, 8))
    task = machine.spawn(10)
    task.mmap(0, 1, shared=True)
    task.write_mem(0, b"kept")
    machine.core.model.shrink_zones(machine.core, machine.core.user_zone, 0, GFP_KERNEL)
    assert (machine.vmstat()["nr_writeback"], machine.meminfo()["SwapCached"]) == (1, 4)
    return machine, task


@uncompiled
def test_swapoff_gives_up_on_a_page_that_waits_to_move_back(make_small: MakeMachine) -> None:
    """A fault has the page's lock, and waits for the write. Swapoff would wait for the lock; within the fault it cannot."""
    machine, task = being_written(make_small)
    refused: list[str] = []

    def swapoff() -> None:
        with pytest.raises(mm.OutOfMemory) as found:
            machine.swapoff("/dev/swap")
        refused.append(str(found.value))

    once_at(machine, AT_IO_WAIT, swapoff)
    assert task.read_mem(0, 4) == b"kept"
    assert refused == ["/dev/swap: 1 pages could not be brought back, and it stays in use"]


@uncompiled
def test_a_fault_gives_up_on_a_page_that_swapoff_waits_for(make_small: MakeMachine) -> None:
    """The other way round."""
    machine, task = being_written(make_small)

    def touch() -> None:
        with pytest.raises(mm.OutOfMemory):
            task.touch(0, 1)

    child = task.fork(11)
    once_at(machine, AT_IO_WAIT, touch)
    machine.swapoff("/dev/swap")
    assert any("shared memory without end" in line for line in machine.log)
    assert (task.state, child.read_mem(0, 4)) == ("Z", b"kept")
