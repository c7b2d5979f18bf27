"""Pages of files come into the cache: on which lists they start, when they are activated, who is charged, and when they go.

make_small's disk answers at once; a hole of a file is read without any request. The first window of read-ahead is 4 pages.
"""

from __future__ import annotations

import pytest

from memcgfs import mm
from memcgfs.mm.params import AT_META_PAGE_ALLOC, PG_REFERENCED
from tests.conftest import MakeMachine

from .looking import cached, hole, once_at, waiting, zone_lists


@pytest.mark.fact("A6", "C15", "C24")
def test_cache_starts_inactive_in_the_zone_and_active_in_the_container(make_small: MakeMachine) -> None:
    """4 pages at once, charged one by one, each at the head: the last stands first on both lists."""
    machine = make_small()
    container = machine.create_container()
    file = hole(machine, 4)
    assert machine.spawn(100, container).read_file(file, 0, 4) == 4
    frames = [cached(file)[index] for index in (3, 2, 1, 0)]
    assert zone_lists(machine) == ([], frames)
    assert container.lists() == (frames, [])
    assert (container.usage, machine.root.usage) == (4, 0)
    assert machine.vmstat()["nr_file_pages"] == 4


@pytest.mark.fact("A1", "A2")
def test_a_second_read_activates(make_small: MakeMachine) -> None:
    """The first read marks each page as referenced, the second activates it: 4 activations, and the mark is gone."""
    machine = make_small()
    task, file = machine.spawn(100), hole(machine, 4)
    task.read_file(file, 0, 4)
    assert all(machine.core.frames.flags[pfn] & PG_REFERENCED for pfn in cached(file).values())
    task.read_file(file, 0, 4)
    active, inactive = zone_lists(machine)
    assert (sorted(active), inactive) == (sorted(cached(file).values()), [])
    assert not any(machine.core.frames.flags[pfn] & PG_REFERENCED for pfn in active)
    assert machine.vmstat()["pgactivate"] == 4


@pytest.mark.fact("A3")
def test_reading_one_page_again_and_again_does_not_mark_it(make_small: MakeMachine) -> None:
    """The read before ended in page 0, at offset 4096 mod 4096: this is where it goes on, thinks 2.6.23.
    From a new open file it does not."""
    machine = make_small()
    task, file = machine.spawn(100), hole(machine, 1)
    for _ in range(5):
        task.read_file(file, 0, 1)
    assert zone_lists(machine) == ([], [cached(file)[0]])
    file.open().read(0, 10)
    assert zone_lists(machine) == ([cached(file)[0]], [])


@pytest.mark.fact("A3")
def test_a_page_read_in_two_pieces_is_marked_once(make_small: MakeMachine) -> None:
    machine = make_small()
    file = hole(machine, 1)
    opened = file.open()
    opened.read(0, 1000)
    opened.read(1000, 1000)
    assert zone_lists(machine) == ([], [cached(file)[0]])
    opened.read(0, 1000)
    assert zone_lists(machine) == ([cached(file)[0]], [])


def test_a_page_written_in_two_pieces_is_active(make_small: MakeMachine) -> None:
    """write() brings its new pages to the LRU itself when it ends, so that the next one finds the page there, referenced."""
    machine = make_small()
    file = machine.create_file()
    opened = file.open()
    opened.write(0, b"a" * 100)
    assert (zone_lists(machine), waiting(machine)) == (([], [cached(file)[0]]), ([], []))
    opened.write(100, b"b" * 100)
    assert zone_lists(machine) == ([cached(file)[0]], [])


def test_the_page_of_a_random_reader_waits_for_others(make_small: MakeMachine) -> None:
    """Without read-ahead a page goes the long way: into the pagevec of 3, and to the LRU with the third."""
    machine = make_small()
    file = hole(machine, 9)
    opened = file.open()
    opened.fadvise("random", 0, 0)
    for index in (0, 4):
        opened.read(index * 4096, 1)
    assert (zone_lists(machine), len(waiting(machine)[1])) == (([], []), 2)
    opened.read(8 * 4096, 1)
    assert (len(zone_lists(machine)[1]), waiting(machine)) == (3, ([], []))


@pytest.mark.fact("C15", "C19", "C20")
def test_the_first_to_touch_pays(make_small: MakeMachine) -> None:
    """Read-ahead of 4 pages is charged to the reader of one; who reads the others pays nothing. When the cache is dropped, usage falls,
    and the next reader pays."""
    machine = make_small()
    first, second = machine.create_container(), machine.create_container()
    file = hole(machine, 4)
    machine.spawn(100, first).read_file(file, 0, 1)
    assert (first.usage, len(cached(file))) == (4, 4)
    reader = machine.spawn(101, second)
    reader.read_file(file, 0, 4)
    assert (first.usage, second.usage) == (4, 0)
    machine.set_sysctl("drop_caches", 1)
    assert (first.usage, second.usage, cached(file)) == (0, 0, {})
    reader.read_file(file, 0, 4)
    assert (first.usage, second.usage) == (0, 4)


@pytest.mark.fact("C33", "C36")
def test_type_1_leaves_the_cache_out_and_mapped_pages_in(make_small: MakeMachine) -> None:
    machine = make_small()
    container = machine.create_container()
    container.control_type = 1
    file, task = hole(machine, 4), machine.spawn(100, container)
    task.read_file(file, 0, 4)
    assert container.usage == 0
    task.mmap(0, 4, file=file)
    task.touch(0, 2, write=False)
    assert container.usage == 2
    task.munmap(0, 4)
    assert container.usage == 0


def test_a_process_of_the_host_pays_where_it_opened_the_file(make_small: MakeMachine) -> None:
    """And the top pays when that container is gone."""
    machine = make_small()
    container = machine.create_container()
    file = hole(machine, 4)
    opened = file.open(container)
    opened.read(0, 1)
    assert (container.usage, machine.root.usage) == (4, 0)
    machine.set_sysctl("drop_caches", 1)
    machine.remove_container(container)
    opened.read(0, 1)
    assert machine.root.usage == 4
    opened.close()


@pytest.mark.fact("C27")
def test_a_refused_charge_is_enomem(make_small: MakeMachine) -> None:
    """The container is full of locked pages: its only task is killed, and the read that asked fails all the same. The next
    finds room."""
    machine = make_small()
    container = machine.create_container()
    task = machine.spawn(100, container)
    task.mmap(0, 4, locked=True)
    container.limit = 4
    opened = hole(machine, 1).open(container)
    opened.fadvise("random", 0, 0)
    with pytest.raises(mm.OutOfMemory):
        opened.read(0, 1)
    assert (task.state, container.failcnt, container.usage) == ("Z", 6, 0)
    assert opened.read(0, 1) == b"\0"
    assert container.usage == 1


@pytest.mark.fact("P7")
def test_dropping_caches_spares_dirty_mapped_and_waiting_pages(make_small: MakeMachine) -> None:
    """Page 0 is dirty, 1 is mapped, 2 goes; the page of the other file, whose turn is first, still waits in a pagevec. Having looked at it
    empties the pagevec, so that it goes the next time."""
    machine = make_small()
    other, task, file = hole(machine, 1), machine.spawn(100), hole(machine, 3)
    task.read_file(file, 0, 3)
    task.write_file(file, 0, 1)
    task.mmap(0, 3, file=file)
    task.touch(1, 1, write=False)
    opened = other.open()
    opened.fadvise("random", 0, 0)
    opened.read(0, 1)
    machine.set_sysctl("drop_caches", 1)
    assert (sorted(cached(file)), sorted(cached(other))) == ([0, 1], [0])
    machine.set_sysctl("drop_caches", 1)
    assert (sorted(cached(file)), sorted(cached(other))) == ([0, 1], [])


@pytest.mark.fact("P10")
def test_dontneed_drops_a_last_page_that_is_not_wholly_meant(make_small: MakeMachine) -> None:
    """Bytes 100 to 8192 + 10: page 0 is not meant wholly, and stays; of page 2 only 10 bytes are meant, and it goes, as in 2.6.23."""
    machine = make_small()
    file = hole(machine, 4)
    opened = file.open()
    opened.read(0, 4 * 4096)
    opened.fadvise("dontneed", 100, 8192 + 10 - 100)
    assert sorted(cached(file)) == [0, 3]


def test_clean_cache_goes_before_dirty(make_small: MakeMachine) -> None:
    """A container of 8: 4 dirty pages, then 4 clean ones that nobody read (read-ahead). Room for the next comes from the clean: the
    writes of the dirty ones have only begun (the disk takes a second)."""
    machine = make_small(disk=mm.DiskConfig(1_000_000_000, 0, 32))
    container = machine.create_container()
    container.limit = 8
    task, dirty, clean = machine.spawn(100, container), machine.create_file(), hole(machine, 8)
    task.write_file(dirty, 0, 4)
    task.fadvise_file(clean, "willneed", 0, 4)
    assert (container.usage, container.failcnt) == (8, 0)
    task.fadvise_file(clean, "willneed", 4, 1)
    assert sorted(cached(dirty)) == [0, 1, 2, 3]
    assert sorted(cached(clean)) == [4]
    assert machine.vmstat()["nr_vmscan_write"] <= 4


@pytest.mark.fact("C14", "C19")
def test_a_sharing_mapper_pays_nothing_until_the_page_is_charged_anew(make_small: MakeMachine) -> None:
    """Type 1 in both containers, so that only mappings count. The first mapper pays; the second does not, and goes on paying nothing when
    the first unmaps, because the charge goes with the last mapping, and is the first one's until then."""
    machine = make_small()
    first, second = machine.create_container(), machine.create_container()
    first.control_type = second.control_type = 1
    file = hole(machine, 1)
    tasks = [machine.spawn(100, first), machine.spawn(101, second)]
    for task in tasks:
        task.mmap(0, 1, file=file, shared=True)
        task.touch(0, 1, write=False)
    assert (first.usage, second.usage) == (1, 0)
    tasks[0].munmap(0, 1)
    assert (first.usage, second.usage) == (1, 0)
    tasks[1].munmap(0, 1)
    assert (first.usage, second.usage) == (0, 0)
    tasks[1].mmap(0, 1, file=file, shared=True)
    tasks[1].touch(0, 1, write=False)
    assert (first.usage, second.usage) == (0, 1)


def test_pages_that_a_task_writes_keep_their_bytes(make_small: MakeMachine) -> None:
    """Also those that are on the disk alone, which are not read for that: nobody waits, and pgpgin stays."""
    machine = make_small(disk=mm.DiskConfig(5_000_000, 0, 8))
    file = machine.create_file()
    opened = file.open()
    opened.write(0, b"on the disk" + bytes(2 * 4096))
    machine.sync()
    machine.set_sysctl("drop_caches", 1)
    assert not cached(file)
    task = machine.spawn(100)
    read_kb, clock_ns = machine.vmstat()["pgpgin"], machine.clock_ns
    assert task.write_file(file, 0, 2) == 2
    assert (machine.vmstat()["pgpgin"], machine.clock_ns) == (read_kb, clock_ns)
    assert opened.read(0, 11) == b"on the disk"
    machine.sync()
    machine.set_sysctl("drop_caches", 1)
    assert opened.read(0, 11) == b"on the disk"
    opened.close()


@pytest.mark.fact("C20")
@pytest.mark.parametrize("advice", ["normal", "random"])
def test_the_page_of_who_was_faster_stays(make_small: MakeMachine, advice: str) -> None:
    """While the one's page is charged, another reads the same: the one gives its page and its charge back, and uses the other's."""
    machine = make_small()
    slower, faster = machine.create_container(), machine.create_container()
    file = hole(machine, 1)
    opened, other = file.open(slower), file.open(faster)
    opened.fadvise(advice, 0, 0)
    once_at(machine, AT_META_PAGE_ALLOC, lambda: other.read(0, 1))
    assert opened.read(0, 1) == b"\0"
    assert (slower.usage, faster.usage, len(cached(file))) == (0, 1, 1)


@pytest.mark.fact("P7")
def test_dropping_caches_spares_pages_that_are_being_read(make_small: MakeMachine) -> None:
    """Of a file on the disk 3 pages are being read ahead: they are locked. When they have arrived they go."""
    machine = make_small(disk=mm.DiskConfig(1_000_000_000, 0, 8))
    file, task = machine.create_file(), machine.spawn(100)
    task.write_file(file, 0, 3)
    task.fsync_file(file)
    machine.drop_caches(1)
    task.fadvise_file(file, "willneed", 0, 0)
    machine.drop_caches(1)
    assert len(cached(file)) == 3
    machine.advance(1_000_000_000)
    machine.drop_caches(1)
    assert cached(file) == {}


@pytest.mark.fact("C27")
def test_a_file_cannot_end_in_a_page_that_cannot_be_had(make_small: MakeMachine) -> None:
    """The rest of its last page would have to be zeroed: it is to be read, and charged to a container that is full. The file has its new
    size all the same."""
    machine = make_small()
    container = machine.create_container()
    machine.spawn(100, container).mmap(0, 2, locked=True)
    container.limit = 2
    file = machine.create_file()
    opened = file.open()
    opened.write(0, b"a" * 4096)
    opened.fsync()
    machine.drop_caches(1)
    with pytest.raises(mm.OutOfMemory):
        file.truncate(100, container)
    assert (file.size, file.blocks, cached(file)) == (100, 8, {})


def test_a_file_that_ends_in_a_hole_writes_nothing(make_small: MakeMachine) -> None:
    """Whether the hole was never read, or is in memory: there is no block to write to."""
    machine = make_small()
    for is_read in (False, True):
        file = hole(machine, 2)
        if is_read:
            file.open().read(0, 4096)
        file.truncate(100)
        assert len(cached(file)) == is_read
        assert (file.blocks, machine.vmstat()["nr_dirty"]) == (0, 0)


@pytest.mark.fact("C20")
def test_a_writer_takes_the_page_of_who_was_faster(make_small: MakeMachine) -> None:
    """The same for write(): its new page goes back, and it writes to the reader's, whom that is charged to."""
    machine = make_small()
    slower, faster = machine.create_container(), machine.create_container()
    file = hole(machine, 1)
    opened, other = file.open(slower), file.open(faster)
    once_at(machine, AT_META_PAGE_ALLOC, lambda: other.read(0, 1))
    assert opened.write(0, b"written") == 7
    assert other.read(0, 7) == b"written"
    assert (slower.usage, faster.usage, len(cached(file))) == (0, 1, 1)


@pytest.mark.parametrize("advice", ["normal", "random"])
@pytest.mark.parametrize("operation", ["read_file", "write_file"])
def test_a_page_without_a_frame_for_it(make_small: MakeMachine, advice: str, operation: str) -> None:
    """All memory is locked, and the task that wants a page of a file is killed for it: read-ahead has none, nor has the page itself."""
    machine = make_small(frames=32, swap_pages=0)
    file, task = hole(machine, 1), machine.spawn(100)
    task.mmap(0, 30, locked=True)
    task.fadvise_file(file, advice, 0, 0)
    with pytest.raises(mm.OutOfMemory, match="task 100 was killed: out of memory"):
        getattr(task, operation)(file, 0, 1)
    assert cached(file) == {}
