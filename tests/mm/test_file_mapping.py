"""Mapped files: who shares what, what a write does, what reclaim sees and takes, and where a mapping ends.

make_small's disk answers at once. Around a missing page all of a small file is read.
"""

from __future__ import annotations

import pytest

from memcgfs import mm
from memcgfs.mm.params import PG_DIRTY, PG_REFERENCED, PTE_ACCESSED, PTE_DIRTY, PTE_RW
from tests.conftest import MakeMachine

from .looking import cached, frame, hole, reclaim_mapped, zone_lists


def pte(task: mm.Task, page: int) -> int:
    assert task.space is not None
    return int(task.machine.core.tables.entry(task.space.mm, page))


def mapper(machine: mm.Machine, pid: int, file: mm.File, npages: int, shared: bool = True) -> mm.Task:
    task = machine.spawn(pid)
    task.mmap(0, npages, file=file, shared=shared)
    return task


@pytest.mark.fact("C18")
def test_mappers_of_a_file_share_its_pages(make_small: MakeMachine) -> None:
    """Page 1 in two shared and a private mapping: one frame, mapped three times, nr_mapped 1. The last to unmap takes it out of nr_mapped;
    the page stays in the cache."""
    machine = make_small()
    file = hole(machine, 4)
    tasks = [mapper(machine, 100 + place, file, 4, shared=place < 2) for place in range(3)]
    for task in tasks:
        task.touch(1, 1, write=False)
    pfn = cached(file)[1]
    assert [frame(task, 1) for task in tasks] == [pfn] * 3
    assert machine.core.frames.mapcount[pfn] == 3
    assert machine.vmstat()["nr_mapped"] == 1
    for task in tasks:
        task.munmap(0, 4)
    assert (machine.core.frames.mapcount[pfn], machine.vmstat()["nr_mapped"], cached(file)[1]) == (0, 0, pfn)


def test_a_write_to_a_shared_mapping_is_everybodys(make_small: MakeMachine) -> None:
    machine = make_small()
    file = hole(machine, 2)
    tasks = [mapper(machine, 100 + place, file, 2) for place in range(2)]
    tasks[0].write_mem(10, b"shared")
    assert tasks[1].read_mem(10, 6) == b"shared"
    assert file.open().read(10, 6) == b"shared"


@pytest.mark.fact("C14")
def test_a_write_to_a_private_mapping_is_the_tasks_own(make_small: MakeMachine) -> None:
    """First a write fault that copies at once (page 0), then a read and a write (page 1): two anonymous pages, charged to the writer, and
    the file is as it was, and clean."""
    machine = make_small()
    container = machine.create_container()
    file = hole(machine, 2)
    task = machine.spawn(100, container)
    task.mmap(0, 2, file=file)
    task.write_mem(0, b"mine")
    assert (frame(task, 0) in cached(file).values(), machine.vmstat()["nr_anon_pages"]) == (False, 1)
    task.touch(1, 1, write=False)
    assert frame(task, 1) == cached(file)[1]
    task.write_mem(4096, b"mine")
    assert frame(task, 1) != cached(file)[1]
    assert task.counts()[:2] == (2, 0)
    assert file.open().read(0, 4) == file.open().read(4096, 4) == bytes(4)
    assert (container.usage, machine.vmstat()["nr_dirty"]) == (4, 0)


@pytest.mark.fact("W7")
def test_the_first_write_to_a_clean_page_is_noticed(make_small: MakeMachine) -> None:
    """A page that was read is mapped read-only; the write faults, and dirties page and file. The second write is a hit. fsync cleans the
    page and every mapping of it, so that the next write of either task faults again."""
    machine = make_small()
    file = machine.create_file()
    file.open().write(0, bytes(4096))
    machine.sync()
    tasks = [mapper(machine, 100 + place, file, 1) for place in range(2)]
    for task in tasks:
        task.touch(0, 1, write=False)
        assert not pte(task, 0) & PTE_RW
    assert machine.vmstat()["nr_dirty"] == 0
    assert tasks[0].touch(0, 1).minor == 1
    assert (machine.vmstat()["nr_dirty"], pte(tasks[0], 0) & PTE_RW) == (1, PTE_RW)
    assert tasks[0].touch(0, 1).minor == 0
    assert tasks[1].touch(0, 1).minor == 1
    tasks[0].fsync_file(file)
    assert machine.vmstat()["nr_dirty"] == 0
    assert all(not pte(task, 0) & (PTE_RW | PTE_DIRTY) and pte(task, 0) & PTE_ACCESSED for task in tasks)
    assert [task.touch(0, 1).minor for task in tasks] == [1, 1]
    assert machine.vmstat()["nr_dirty"] == 1


def test_what_is_written_behind_the_end_does_not_reach_the_disk(make_small: MakeMachine) -> None:
    """The file has 5 bytes. The mapping shows the rest of its page, and a write there stays until the page is written out, zeroed."""
    machine = make_small()
    file = machine.create_file()
    file.open().write(0, b"12345")
    task = mapper(machine, 100, file, 1)
    for place, length in ((5, 20), (1001, 1), (4088, 8)):
        task.write_mem(place, b"x" * length)
    task.fsync_file(file)
    task.munmap(0, 1)
    machine.set_sysctl("drop_caches", 1)
    file.truncate(4096)
    assert file.open().read(0, 4096) == b"12345" + bytes(4091)


@pytest.mark.fact("P5")
def test_beyond_the_end_is_a_bus_error(make_small: MakeMachine) -> None:
    machine = make_small()
    file = hole(machine, 2)
    task = mapper(machine, 100, file, 4)
    with pytest.raises(mm.BusError):
        task.touch(0, 4, write=False)
    assert (task.state, task.touched) == ("Z", "2 of 4")
    assert "bus error" in task.died


@pytest.mark.fact("P6")
def test_truncation_takes_pages_out_of_every_mapping(make_small: MakeMachine) -> None:
    """Of 4 pages, 1 and 2 are cut off: shared pages, dirty ones, and the private copy of 1 too. Who touches them then gets a bus error."""
    machine = make_small()
    file = hole(machine, 4)
    sharer, copier = mapper(machine, 100, file, 4), mapper(machine, 101, file, 4, shared=False)
    sharer.touch(0, 4)
    copier.touch(1, 1)
    copier.touch(0, 1, write=False)
    file.truncate(4096)
    assert [task.rss_pages for task in (sharer, copier)] == [1, 1]
    assert (sorted(cached(file)), machine.vmstat()["nr_dirty"], machine.vmstat()["nr_anon_pages"]) == ([0], 1, 0)
    with pytest.raises(mm.BusError):
        copier.touch(1, 1, write=False)


@pytest.mark.fact("Y6")
def test_reclaim_unmaps_a_file_from_all_its_mappers(make_small: MakeMachine) -> None:
    """A container of 4: its 4 mapped pages, also mapped by a task outside. The accessed bits of the one outside are not the container's
    concern, but they stop the first unmapping; when nobody has touched them since, pages go, and both tasks fault them in again."""
    machine = make_small()
    reclaim_mapped(machine)
    container = machine.create_container()
    container.limit = 4
    file = hole(machine, 4)
    inside = machine.spawn(100, container)
    inside.mmap(0, 4, file=file, shared=True)
    inside.touch(0, 4, write=False)
    outside = mapper(machine, 101, file, 4)
    outside.touch(0, 4, write=False)
    inside.touch(100, 2)
    assert container.usage <= 4
    gone = [page for page in range(4) if page not in cached(file)]
    assert gone
    for page in gone:
        assert (pte(inside, page), pte(outside, page)) == (0, 0)
    assert outside.touch(0, 4, write=False).done == 4


def referenced(machine: mm.Machine, pfn: int, container: int = -1) -> int:
    return int(machine.engine.page_referenced(machine.core, pfn, True, container))


@pytest.mark.fact("Y1", "Y2")
def test_references_of_a_file_page(make_small: MakeMachine) -> None:
    """Two young entries and PG_referenced (the fault's mark_page_accessed): 3, then none. For a container only its own tasks count, and
    the others' entries stay young."""
    machine = make_small()
    container = machine.create_container()
    file = hole(machine, 1)
    tasks = [mapper(machine, 100, file, 1), machine.spawn(101, container)]
    tasks[1].mmap(0, 1, file=file)
    for task in tasks:
        task.touch(0, 1, write=False)
    pfn = cached(file)[0]
    machine.core.frames.set(pfn, PG_REFERENCED)
    assert [referenced(machine, pfn), referenced(machine, pfn)] == [3, 0]
    for task in tasks:
        task.touch(0, 1, write=False)
    assert referenced(machine, pfn, container.cid) == 1
    assert pte(tasks[0], 0) & PTE_ACCESSED
    assert not pte(tasks[1], 0) & PTE_ACCESSED


@pytest.mark.fact("Y5")
def test_a_locked_shared_mapping_counts_where_it_covers_the_page(make_small: MakeMachine) -> None:
    """One task maps all 4 pages, another page 0 alone, shared and locked in memory: page 0 counts as referenced for ever, page 1 does not.
    The locked page cannot be unmapped."""
    machine = make_small()
    file = hole(machine, 4)
    locker = machine.spawn(100)
    locker.mmap(0, 1, file=file, shared=True, locked=True)
    other = mapper(machine, 101, file, 4)
    other.touch(0, 4, write=False)
    pages = cached(file)
    for pfn in pages.values():
        referenced(machine, pfn)
    assert [referenced(machine, pages[0]) for _ in range(3)] == [1, 1, 1]
    assert referenced(machine, pages[1]) == 0
    machine.set_sysctl("drop_caches", 1)
    assert sorted(cached(file)) == [0, 1, 2, 3]


@pytest.mark.fact("A4")
def test_zapping_a_young_entry_leaves_its_mark_on_the_page(make_small: MakeMachine) -> None:
    """The entry was dirty and young: so is the page, afterwards. The fault activated nothing: it marked once."""
    machine = make_small()
    file = hole(machine, 1)
    task = mapper(machine, 100, file, 1)
    task.touch(0, 1)
    pfn = cached(file)[0]
    referenced(machine, pfn)
    task.touch(0, 1)
    task.munmap(0, 1)
    assert machine.core.frames.flags[pfn] & (PG_DIRTY | PG_REFERENCED) == PG_DIRTY | PG_REFERENCED
    assert zone_lists(machine) == ([], [pfn])


def test_fork_copies_no_entry_of_a_shared_mapping(make_small: MakeMachine) -> None:
    """The child finds the pages by faults of its own; the anonymous pages of a private mapping are shared at once."""
    machine = make_small()
    file = hole(machine, 2)
    task = mapper(machine, 100, file, 2)
    task.touch(0, 2)
    task.mmap(16, 2, file=file)
    task.touch(16, 1)
    child = task.fork(101)
    assert child.counts()[:2] == (1, 0)
    assert child.touch(0, 2, write=False) == mm.Access(2, 2, 0)
    child.write_mem(0, b"both")
    assert task.read_mem(0, 4) == b"both"


@pytest.mark.fact("C26")
@pytest.mark.parametrize(("is_cached", "shared", "write"), [(True, True, False), (True, False, True), (False, True, False)])
def test_a_refused_charge_in_a_mapped_file_kills(make_small: MakeMachine, is_cached: bool, shared: bool, write: bool) -> None:
    """The container is full of locked pages. What is refused is the mapping of a page that the top has cached and does not count, the
    private copy of one, or a page's way into the cache. The file is as it was."""
    machine = make_small()
    file = hole(machine, 1)
    if is_cached:
        machine.root.control_type = 1
        file.open().read(0, 1)
    container = machine.create_container()
    task = machine.spawn(100, container)
    task.mmap(100, 4, locked=True)
    task.mmap(0, 1, file=file, shared=shared)
    container.limit = 4
    with pytest.raises(mm.OutOfMemory):
        task.touch(0, 1, write=write)
    assert (task.state, container.usage) == ("Z", 0)
    assert len(cached(file)) == is_cached
    assert file.open().read(0, 4096) == bytes(4096)


def test_a_fault_reads_a_page_that_a_refused_write_left(make_small: MakeMachine) -> None:
    """write() found no block for the hole, and left the page in the cache as it had made it. A fault finds it there, and reads it."""
    machine = make_small(files_bytes=2 * 4096)
    file, other = hole(machine, 2), machine.create_file()
    other.open().write(0, bytes(2 * 4096))
    with pytest.raises(mm.NoSpace):
        file.open().write(10, b"x")
    assert sorted(cached(file)) == [0]
    task = mapper(machine, 100, file, 2)
    assert task.touch(0, 1, write=False) == mm.Access(1, 0, 1)
    assert task.read_mem(0, 20) == bytes(20)


def test_a_mapping_that_begins_behind_the_page_is_passed_over(make_small: MakeMachine) -> None:
    """The one has unmapped page 0, and maps 1 to 3; the other, which comes behind it in the file's list, maps all. Page 0 is found in the
    second alone, and unmapped there."""
    machine = make_small()
    reclaim_mapped(machine)
    file = hole(machine, 4)
    late = mapper(machine, 100, file, 4)
    late.munmap(0, 1)
    early = mapper(machine, 101, file, 4)
    early.touch(0, 4, write=False)
    pfn = cached(file)[0]
    assert machine.engine.page_referenced(machine.core, pfn, True, -1) == 2
    machine.set_sysctl("drop_caches", 1)
    assert cached(file)[0] == pfn
    early.munmap(0, 1)
    machine.set_sysctl("drop_caches", 1)
    assert sorted(cached(file)) == [1, 2, 3]
