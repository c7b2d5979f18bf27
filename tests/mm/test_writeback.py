"""Dirty pages: how many there may be, who writes them and when, who waits, and what is said when the disk is full.

The slow disk answers after a second, at any number of requests up to its depth, so that what is under way stays so during a test.
"""

from __future__ import annotations

import pytest

from memcgfs import mm
from memcgfs.mm.params import AT_CONGESTION_WAIT, AT_IO_WAIT, DAEMON_KUPDATE, PG_DIRTY, PG_RECLAIM, PG_WRITEBACK
from tests.conftest import MakeMachine

from .looking import at, cached, flags, hole, once_at, zone_lists

MS = 1_000_000
SECOND = 1_000 * MS


def slow(depth: int = 128) -> mm.DiskConfig:
    return mm.DiskConfig(SECOND, 0, depth)


def dirty(machine: mm.Machine) -> tuple[int, int]:
    """(nr_dirty, nr_writeback)"""
    vmstat = machine.vmstat()
    return vmstat["nr_dirty"], vmstat["nr_writeback"]


def thresholds(machine: mm.Machine) -> tuple[int, int]:
    """(dirty, background)"""
    core, engine = machine.core, machine.engine
    return engine.dirty_threshold(core), engine.background_threshold(core)


# The limits


@pytest.mark.fact("W1")
def test_thresholds_are_shares_of_what_can_be_dirty(make_small: MakeMachine) -> None:
    """Of 201 frames 200 are free, and one more is counted: 10 % and 5 % of 201. Ratios of 40 and 30
    are 80 and 60; a background share that is not below the other is half of
    it: 40 and 20 %."""
    machine = make_small(frames=201)
    assert thresholds(machine) == (20, 10)
    machine.set_sysctl("dirty_ratio", 40)
    machine.set_sysctl("dirty_background_ratio", 30)
    assert thresholds(machine) == (80, 60)
    machine.set_sysctl("dirty_background_ratio", 40)
    assert thresholds(machine) == (80, 40)


@pytest.mark.fact("W1")
def test_mapped_memory_lowers_the_ratio_to_5_at_least(make_small: MakeMachine) -> None:
    """201 frames, one of them a page table: 200 can be dirty. 150 mapped pages (and the zero page, not mapped) are 75 %: half of the rest
    is 12 %, below the 40 asked for. 192 are 96 %: half of 4 is 2, and 5 is the least; the background share is half of that, 2."""
    machine = make_small(frames=201)
    machine.set_sysctl("dirty_ratio", 40)
    machine.set_sysctl("dirty_background_ratio", 40)
    task = machine.spawn(100)
    task.touch(0, 150)
    assert thresholds(machine) == (24, 12)
    task.touch(150, 42)
    assert thresholds(machine) == (10, 4)


def test_high_memory_does_not_count(make_machine: MakeMachine) -> None:
    """i386, 100 pages of low and 100 of high memory: 10 % of 100, with frame 0 in use and one added."""
    machine = make_machine(arch="i386", zone_pages=(100, 0, 0, 100), min_free_kbytes=0, max_containers=8)
    assert thresholds(machine)[0] == 10


# Who is held up


@pytest.mark.fact("W2")
def test_a_writer_is_held_up(make_small: MakeMachine) -> None:
    """Of 201 frames 20 may be dirty; looks are every 16 pages. At 16 there are not more; at 32 there are: the writer has to write 24, one
    and a half portions. It writes 28, because pages are looked up 14 at a time, has done its part, and is let go; the limit is exceeded
    still. pdflush was woken as well, and finds 4 dirty, fewer than the 10 of the background."""
    machine = make_small(frames=201, disk=slow(128))
    task, file = machine.spawn(100), machine.create_file()
    assert task.write_file(file, 0, 32) == 32
    assert (dirty(machine), machine.core.dirty_exceeded, machine.clock_ns) == ((4, 28), True, 0)


@pytest.mark.fact("W2")
def test_a_writer_sleeps_while_others_writes_are_under_way(make_small: MakeMachine) -> None:
    """pdflush writes the first 16. At 32 the writer writes the 16 that are dirty, which is less than its part; then it naps, until the
    disk has done enough of the 32, after a second. Nothing is exceeded any more."""
    machine = make_small(frames=201, disk=slow(128))
    task, file = machine.spawn(100), machine.create_file()
    task.write_file(file, 0, 16)
    assert dirty(machine) == (0, 16)
    task.write_file(file, 16, 16)
    assert (dirty(machine), machine.core.dirty_exceeded, machine.clock_ns) == ((0, 0), False, SECOND)


def test_a_writer_waits_where_nothing_is_left_to_write(make_small: MakeMachine) -> None:
    """Every page goes to the disk, 8 at a time, a second each: the limits are kept, and the clock shows what the writer waited."""
    machine = make_small(frames=201, disk=slow(8))
    task, file = machine.spawn(100), machine.create_file()
    highest = 0
    for place in range(64):
        task.write_file(file, place, 1)
        highest = max(highest, sum(dirty(machine)))
    assert highest <= 36
    assert machine.clock_ns >= 2 * SECOND


def test_writing_through_a_mapping_is_held_up_as_well(make_small: MakeMachine) -> None:
    machine = make_small(frames=201, disk=slow(8))
    file = hole(machine, 64)
    task = machine.spawn(100)
    task.mmap(0, 64, file=file, shared=True)
    task.touch(0, 64)
    assert sum(dirty(machine)) <= 36
    assert machine.clock_ns >= SECOND


# pdflush


@pytest.mark.fact("W3")
def test_background_write_out_goes_down_to_its_threshold(make_small: MakeMachine) -> None:
    """dirty_ratio 40: 80 pages; background 5 %: 10. At the first look, after 16 pages, pdflush is woken, and writes all (it asks for 1024,
    and what is written counts as dirty no more)."""
    machine = make_small(frames=201, disk=slow())
    machine.set_sysctl("dirty_ratio", 40)
    task, file = machine.spawn(100), machine.create_file()
    task.write_file(file, 0, 15)
    assert dirty(machine) == (15, 0)
    task.write_file(file, 15, 1)
    assert dirty(machine) == (0, 16)
    machine.advance(SECOND)
    assert dirty(machine) == (0, 0)


@pytest.mark.fact("W3", "W6")
def test_pdflush_goes_on_when_congestion_ends(make_small: MakeMachine) -> None:
    """A disk of 16 is congested from 15 requests on, until fewer than 12 are left; a page takes a millisecond. pdflush finds it congested
    with the 15th of 80 pages, and ends its two pagevecs, 28 pages, which takes 12 ms, because 16 fit into the queue. Its nap of 100 ms
    ends when congestion does, so that the disk has never nothing to do: 80 pages in 80 ms."""
    machine = make_small(frames=201, disk=mm.DiskConfig(0, 4096 * 1000, 16))
    machine.set_sysctl("dirty_ratio", 100)
    machine.set_sysctl("dirty_background_ratio", 0)
    task, file = machine.spawn(100), machine.create_file()
    task.write_file(file, 0, 80)
    assert (dirty(machine), machine.clock_ns) == ((52, 16), 12 * MS)
    machine.advance(68 * MS)
    assert dirty(machine) == (0, 0)


@pytest.mark.fact("W4")
def test_the_periodic_write_out_takes_what_is_30_seconds_old(make_small: MakeMachine) -> None:
    """It looks every 5 seconds. A page dirtied at second 1 is 29 seconds old at 30, and written at 35; one of second 8 at 40."""
    machine = make_small(disk=slow())
    task, early, late = machine.spawn(100), machine.create_file(), machine.create_file()
    machine.advance(SECOND)
    task.write_file(early, 0, 1)
    machine.advance(7 * SECOND)
    task.write_file(late, 0, 1)
    machine.advance(27 * SECOND - 1)
    assert dirty(machine) == (2, 0)
    machine.advance(1)
    assert dirty(machine) == (1, 1)
    machine.advance(5 * SECOND - 1)
    assert dirty(machine) == (1, 0)
    machine.advance(1)
    assert dirty(machine) == (0, 1)


def test_the_periodic_write_out_keeps_its_phase_and_can_be_set(make_small: MakeMachine) -> None:
    """The interval is set to 7 s at second 2, the age to 1 s: looks at 9, 16, 23. A page of second 10 is written
    at 16. At 0 nobody looks."""
    machine = make_small(disk=slow())
    task, file = machine.spawn(100), machine.create_file()
    machine.advance(2 * SECOND)
    machine.set_sysctl("dirty_writeback_centisecs", 700)
    machine.set_sysctl("dirty_expire_centisecs", 100)
    machine.advance(8 * SECOND)
    task.write_file(file, 0, 1)
    machine.advance(6 * SECOND - 1)
    assert dirty(machine) == (1, 0)
    machine.advance(1)
    assert dirty(machine) == (0, 1)
    machine.set_sysctl("dirty_writeback_centisecs", 0)
    task.write_file(file, 1, 1)
    machine.advance(1000 * SECOND)
    assert dirty(machine) == (1, 0)


@pytest.mark.fact("W5")
def test_laptop_mode_writes_while_the_disk_spins(make_small: MakeMachine) -> None:
    """In laptop mode nothing is written at the background threshold. 2 seconds after the last request is done, all is written."""
    machine = make_small(frames=201, disk=mm.DiskConfig(10 * MS, 0, 64))
    machine.set_sysctl("laptop_mode", 2)
    task, file, other = machine.spawn(100), machine.create_file(), machine.create_file()
    task.write_file(file, 0, 18)
    assert dirty(machine) == (18, 0)
    task.write_file(other, 0, 1)
    task.fsync_file(other)
    assert (dirty(machine), machine.clock_ns) == ((18, 0), 10 * MS)
    machine.advance(2 * SECOND - 1)
    assert dirty(machine) == (18, 0)
    machine.advance(1)
    assert dirty(machine) == (0, 0)
    assert machine.vmstat()["pgpgout"] == 19 * 4


# fsync and sync


@pytest.mark.fact("W8")
def test_fsync_waits_for_its_file(make_small: MakeMachine) -> None:
    """5 pages at once: a second. The other file stays dirty. With nothing to write it does not wait."""
    machine = make_small(disk=slow())
    task, file, other = machine.spawn(100), machine.create_file(), machine.create_file()
    for each in (file, other):
        task.write_file(each, 0, 5)
    task.fsync_file(file)
    assert (dirty(machine), machine.clock_ns) == ((5, 0), SECOND)
    task.fsync_file(file)
    assert machine.clock_ns == SECOND
    machine.sync()
    assert (dirty(machine), machine.clock_ns) == ((0, 0), 2 * SECOND)
    assert machine.vmstat()["pgpgout"] == 40


def test_fsync_writes_a_page_again_that_is_being_written(make_small: MakeMachine) -> None:
    """willneed's opposite has begun to write page 0, and it is dirtied again: fsync waits a second for the first write, and another for
    its own."""
    machine = make_small(disk=slow())
    task, file = machine.spawn(100), machine.create_file()
    task.write_file(file, 0, 1)
    task.fadvise_file(file, "dontneed", 0, 1)
    task.write_file(file, 0, 1)
    assert dirty(machine) == (1, 1)
    task.fsync_file(file)
    assert (dirty(machine), machine.clock_ns) == ((0, 0), 2 * SECOND)


@pytest.mark.fact("W8")
def test_sync_waits_for_what_it_wrote_and_not_for_what_was_under_way(make_small: MakeMachine) -> None:
    """The file whose pages dontneed began to write has no dirty page when sync comes, but is still on the list of dirty files: it is
    waited for. Once pdflush has seen that it is clean, it is not on the list, and sync returns at once (mended in 2.6.29)."""
    machine = make_small(disk=slow())
    task, file = machine.spawn(100), machine.create_file()
    task.write_file(file, 0, 1)
    task.fadvise_file(file, "dontneed", 0, 1)
    machine.sync()
    assert (dirty(machine), machine.clock_ns) == ((0, 0), SECOND)
    task.write_file(file, 0, 1)
    machine.advance(34 * SECOND)
    assert dirty(machine) == (0, 1)
    before = machine.clock_ns
    machine.sync()
    assert (dirty(machine), machine.clock_ns) == ((0, 1), before)


def test_files_that_are_evicted_lose_their_dirty_pages(make_small: MakeMachine) -> None:
    """Nobody can read them any more: 3 dirty pages go unwritten, those under way are waited for, and all blocks are free again."""
    machine = make_small(disk=slow())
    task, file = machine.spawn(100), machine.create_file()
    free = machine.statfs().nr_free
    task.write_file(file, 0, 2)
    task.fadvise_file(file, "dontneed", 0, 0)
    task.write_file(file, 2, 3)
    assert dirty(machine) == (3, 2)
    file.put()
    assert (dirty(machine), machine.clock_ns, machine.statfs().nr_free) == ((0, 0), SECOND, free)
    assert machine.vmstat()["pgpgout"] == 8


# A full disk


def test_a_write_to_a_full_disk_stops_there(make_small: MakeMachine) -> None:
    """8 blocks: 8 of 10 pages are written; then none. What was tried behind the end leaves no page in the cache."""
    machine = make_small(files_bytes=8 * 4096)
    task, file = machine.spawn(100), machine.create_file()
    assert task.write_file(file, 0, 10) == 8
    assert (file.size, sorted(cached(file))) == (8 * 4096, list(range(8)))
    with pytest.raises(mm.NoSpace):
        task.write_file(file, 8, 1)
    with pytest.raises(mm.NoSpace):
        file.open().write(8 * 4096 + 5, b"x")
    assert sorted(cached(file)) == list(range(8))
    file.truncate(4096)
    assert file.open().write(8 * 4096 + 5, b"x") == 1
    assert file.open().read(8 * 4096, 6) == bytes(5) + b"x"


def test_a_partial_write_to_a_hole_without_a_block_loses_nothing(make_small: MakeMachine) -> None:
    """The hole's page stays in the cache without having been read; a read then shows zeros."""
    machine = make_small(files_bytes=2 * 4096)
    file, other = hole(machine, 2), machine.create_file()
    other.open().write(0, bytes(2 * 4096))
    with pytest.raises(mm.NoSpace):
        file.open().write(10, b"x")
    assert file.open().read(0, 20) == bytes(20)


def test_a_full_disk_shows_at_fsync_once(make_small: MakeMachine) -> None:
    """20 pages of a hole, written through a mapping, and no block is free. fsync writes them 14 at a time, and the first refusal ends it:
    14 pages are lost, and it says so. The second has the 6 that are left, and says so; the third has nothing to say."""
    machine = make_small(frames=400, files_bytes=4096)
    file, other = hole(machine, 20), machine.create_file()
    other.open().write(0, b"x")
    machine.sync()
    task = machine.spawn(100)
    task.mmap(0, 20, file=file, shared=True)
    task.touch(0, 20)
    assert dirty(machine) == (20, 0)
    with pytest.raises(mm.NoSpace):
        task.fsync_file(file)
    assert dirty(machine) == (6, 0)
    with pytest.raises(mm.NoSpace):
        task.fsync_file(file)
    task.fsync_file(file)
    assert dirty(machine) == (0, 0)


# Reclaim writes


@pytest.mark.fact("R23")
def test_a_page_that_reclaim_wrote_goes_to_the_tail(make_small: MakeMachine) -> None:
    """A container of 4 whose cache is dirty: pages 0 to 3 are written for page 4 to have room; each ends at the tail of the zone's
    inactive list, and is counted."""
    machine = make_small(disk=mm.DiskConfig(MS, 0, 32))
    container = machine.create_container()
    container.limit = 4
    task, file = machine.spawn(100, container), machine.create_file()
    task.write_file(file, 0, 5)
    vmstat = machine.vmstat()
    assert vmstat["pgrotated"] >= 1
    assert vmstat["nr_vmscan_write"] >= vmstat["pgrotated"]
    assert container.usage <= 4
    assert file.size == 5 * 4096


def test_a_window_mark_is_not_taken_for_reclaims(make_small: MakeMachine) -> None:
    """Page 1 carries the mark of a window of read-ahead, which has the bit of PG_reclaim. Its write by fsync rotates nothing."""
    machine = make_small(disk=mm.DiskConfig(MS, 0, 32))
    task, file = machine.spawn(100), hole(machine, 8)
    task.read_file(file, 0, 1)
    pfn = cached(file)[1]
    assert machine.core.frames.flags[pfn] & PG_RECLAIM
    task.mmap(0, 8, file=file, shared=True)
    task.touch(1, 1)
    before = zone_lists(machine)
    task.fsync_file(file)
    assert (machine.vmstat()["pgrotated"], zone_lists(machine)) == (0, before)


@pytest.mark.fact("R22")
@pytest.mark.parametrize("is_writer", [False, True])
def test_a_congested_disk_is_left_to_who_writes_to_it(make_small: MakeMachine, is_writer: bool) -> None:
    """A container of limit 4 is full of dirty pages, and the queue of 4 is full as well. Where the task reads, its
    reclaim leaves the congested disk alone, naps time and again, and writes when there is room. Where it writes, it waits in the queue."""
    machine = make_small(disk=slow(4))
    machine.set_sysctl("dirty_ratio", 100)
    machine.set_sysctl("dirty_background_ratio", 100)
    container = machine.create_container()
    task, other = machine.spawn(100, container), machine.spawn(101)
    file, busy = machine.create_file(), machine.create_file()
    task.write_file(file, 0, 4)
    container.limit = 4
    other.write_file(busy, 0, 4)
    other.fadvise_file(busy, "dontneed", 0, 0)
    assert machine.core.disks.is_write_congested(0)
    naps: list[int] = []

    def look(point: int, pfn: int) -> None:
        if point == AT_CONGESTION_WAIT:
            naps.append(machine.clock_ns)

    machine.set_interleave(look)
    if is_writer:
        task.write_file(file, 4, 1)
    else:
        task.read_file(hole(machine, 1), 0, 1)
    machine.set_interleave(None)
    assert any(0 < clock_ns < SECOND for clock_ns in naps) != is_writer
    assert machine.vmstat()["nr_vmscan_write"] > 0


@pytest.mark.fact("D8")
def test_who_reclaims_does_not_outrun_the_disk(make_small: MakeMachine) -> None:
    """throttle_vm_writeout: 30 pages are being written, more than 11 tenths of the 20 that may be dirty. A container's reclaim, which has
    nothing to write, waits until the disk has caught up."""
    machine = make_small(frames=201, disk=slow(64))
    task, file = machine.spawn(100), machine.create_file()
    machine.set_sysctl("dirty_ratio", 40)
    task.write_file(file, 0, 30)
    task.fadvise_file(file, "dontneed", 0, 0)
    assert dirty(machine) == (0, 30)
    machine.set_sysctl("dirty_ratio", 10)
    container = machine.create_container()
    container.limit = 4
    reader = machine.spawn(101, container)
    reader.read_file(hole(machine, 8), 0, 8)
    assert (dirty(machine)[1], machine.clock_ns >= SECOND) == (0, True)


# Who waits for whom


def test_laptop_mode_does_not_wait_for_a_write_that_waits_for_room(make_small: MakeMachine) -> None:
    """A queue of one request, 5 seconds each. While fsync's third page waits for room, from second 5 to 10, laptop mode's timer runs at
    second 6: it cannot wait for that page, whose writer is not back before the timer's work is done. 3 pages take 15 seconds."""
    machine = make_small(disk=mm.DiskConfig(5 * SECOND, 0, 1))
    machine.set_sysctl("laptop_mode", 1)
    task, file = machine.spawn(100), machine.create_file()
    task.write_file(file, 0, 3)
    task.fsync_file(file)
    assert (dirty(machine)[0], machine.vmstat()["pgpgout"]) == (0, 12)
    assert machine.clock_ns >= 15 * SECOND


def test_nobody_exits_while_a_write_waits_for_room(make_small: MakeMachine) -> None:
    """A task was killed that holds the last mapping of a file. sync writes that file, and its second page waits for room in the queue: if
    the task exited now, the file would go, and wait for this page. It exits when sync is done."""
    machine = make_small(disk=slow(1))
    task, file = machine.spawn(100), hole(machine, 3)
    task.mmap(0, 3, file=file, shared=True)
    task.touch(0, 3)
    file.put()
    machine.send_sigkill(task, "killed: by the test")
    machine.sync()
    assert (task.state, machine.files, dirty(machine)) == ("Z", {}, (0, 0))


def test_an_operation_holds_its_file(make_small: MakeMachine) -> None:
    """Nobody but another task's mapping has the file when this one reads it. That task is killed, and exits while the read waits: the file
    goes when the read is over."""
    machine = make_small(disk=slow(4))
    task, holder, file = machine.spawn(100), machine.spawn(101), machine.create_file()
    task.write_file(file, 0, 8)
    task.fsync_file(file)
    machine.set_sysctl("drop_caches", 1)
    holder.mmap(0, 8, file=file)
    file.put()
    machine.send_sigkill(holder, "killed: by the test")
    assert task.read_file(file, 0, 8) == 8
    assert (holder.state, machine.files) == ("Z", {})


def test_sync_goes_past_a_file_without_room(make_small: MakeMachine) -> None:
    """The older file's pages find no block, and are lost; the other is written all the same. Who asks for the one is told, once."""
    machine = make_small(files_bytes=3 * 4096)
    sparse, file = hole(machine, 2), machine.create_file()
    task = machine.spawn(100)
    task.mmap(0, 2, file=sparse, shared=True)
    task.touch(0, 2)
    machine.advance(SECOND)
    task.write_file(file, 0, 3)
    machine.sync()
    assert (dirty(machine), machine.vmstat()["pgpgout"]) == ((0, 0), 3 * 4)
    with pytest.raises(mm.NoSpace):
        task.fsync_file(sparse)
    machine.sync()
    task.fsync_file(sparse)


@pytest.mark.fact("W4", "W6")
def test_the_periodic_write_out_naps_where_the_disk_is_congested(make_small: MakeMachine) -> None:
    """40 pages are due at second 30. A disk of 16 that takes 10 ms a page is congested with the 15th, in the second pagevec, of which
    the last 12 wait for room; the nap ends with congestion, and the rest follows: all is written 400 ms later, without a gap."""
    machine = make_small(frames=400, disk=mm.DiskConfig(0, 4096 * 100, 16))
    machine.set_sysctl("dirty_ratio", 100)
    machine.set_sysctl("dirty_background_ratio", 100)
    task, file = machine.spawn(100), machine.create_file()
    task.write_file(file, 0, 40)
    machine.advance(30 * SECOND)
    assert (dirty(machine), machine.clock_ns) == ((12, 16), 30 * SECOND + 120 * MS)
    machine.advance(280 * MS)
    assert dirty(machine) == (0, 0)


def test_an_interval_that_is_set_while_files_are_dirty(make_small: MakeMachine) -> None:
    """A page is dirty since 0 s, and the next look would be at 5 s. At 1 s the interval becomes 7 s, and the age 1 s: the look is at 8
    s."""
    machine = make_small()
    machine.spawn(100).write_file(machine.create_file(), 0, 1)
    machine.advance(SECOND)
    machine.set_sysctl("dirty_expire_centisecs", 100)
    machine.set_sysctl("dirty_writeback_centisecs", 700)
    machine.advance(7 * SECOND - 1)
    assert dirty(machine) == (1, 0)
    machine.advance(1)
    assert dirty(machine) == (0, 0)


def test_an_interval_that_is_set_in_the_middle_of_a_write_out(make_small: MakeMachine) -> None:
    """The periodic write-out has met congestion at 30 s, and naps; switched off it ends what it began, and does not come again."""
    machine = make_small(frames=256, disk=mm.DiskConfig(0, 4096, 8))
    machine.set_sysctl("dirty_ratio", 100)
    machine.set_sysctl("dirty_background_ratio", 100)
    task, file = machine.spawn(100), machine.create_file()
    task.write_file(file, 0, 40)
    machine.advance(30 * SECOND)
    assert machine.core.daemons.is_napping[DAEMON_KUPDATE]
    machine.set_sysctl("dirty_writeback_centisecs", 0)
    machine.advance(60 * SECOND)
    assert dirty(machine) == (0, 0)
    task.write_file(file, 0, 1)
    machine.advance(60 * SECOND)
    assert dirty(machine) == (1, 0)


@pytest.mark.fact("W3", "W4")
@pytest.mark.parametrize(("is_periodic", "npages"), [(False, 1499), (True, 1499), (True, 1024)])
def test_pdflush_writes_in_portions_of_1024_pages(make_small: MakeMachine, is_periodic: bool, npages: int) -> None:
    """1,499 dirty pages of one file, fewer than the background threshold of 2,000. At 30 s all are written; or at once, when the threshold
    has become 400 and 251 more pages make the writer look. The disk answers at once, so that pdflush never naps: it takes two turns, for
    1,024 pages one."""
    machine = make_small(frames=8000)
    machine.set_sysctl("dirty_ratio", 100)
    machine.set_sysctl("dirty_background_ratio", 100)
    task, file = machine.spawn(100), machine.create_file()
    task.write_file(file, 0, npages)
    assert dirty(machine) == (npages, 0)
    if is_periodic:
        machine.advance(30 * SECOND)
    else:
        machine.set_sysctl("dirty_background_ratio", 5)
        task.write_file(file, 1499, 251)
    assert dirty(machine) == (0, 0)
    assert machine.clock_ns == (30 * SECOND if is_periodic else 0)


@pytest.mark.fact("W9")
def test_a_file_that_becomes_dirty_again_while_it_is_written_waits_anew(make_small: MakeMachine) -> None:
    """sync waits for what it wrote of the file; meanwhile another page of it is written to, which pdflush writes: sync had woken it. Of the
    file it is known only that it became dirty: it is in line until the next look."""
    machine = make_small(disk=slow())
    writer, file = machine.spawn(100), machine.create_file()
    writer.write_file(file, 0, 2)
    once_at(machine, AT_IO_WAIT, lambda: writer.write_file(file, 5, 1))
    machine.sync()
    assert dirty(machine) == (0, 0)
    assert machine.core.files.dirty.order(machine.core.files.s_dirty) == [file.number]
    machine.advance(40 * SECOND)
    assert machine.core.files.is_clean()


@pytest.mark.fact("W8", "W9")
def test_sync_leaves_what_became_dirty_after_it_began(make_small: MakeMachine) -> None:
    """A second after sync began to wait for a file's 6 pages somebody writes 40 pages of another, and 2 of a third, when dirty_ratio has
    become 5: with the second of them the writer has to look (6 + 40 + 2 are 3 times 16), and writes 28 of the 40; the third file is next
    in line. There sync meets it, as young as it is, and ends. (pdflush would write it, but the disk is congested.)"""
    machine = make_small(frames=256, disk=mm.DiskConfig(0, 4096, 32))
    machine.set_sysctl("dirty_ratio", 100)
    machine.set_sysctl("dirty_background_ratio", 100)
    writer = machine.spawn(100)
    old, other, young = (machine.create_file() for _ in range(3))
    writer.write_file(old, 0, 6)

    def write(_: int) -> bool:
        if machine.clock_ns < SECOND:
            return False
        writer.write_file(other, 0, 40)
        machine.set_sysctl("dirty_ratio", 5)
        writer.write_file(young, 0, 2)
        return True

    at(machine, AT_IO_WAIT, write)
    machine.sync()
    assert not any(flags(machine, pfn) & (PG_DIRTY | PG_WRITEBACK) for pfn in cached(old).values())
    assert [bool(flags(machine, pfn) & PG_DIRTY) for pfn in cached(young).values()] == [True, True]
    assert (dirty(machine)[0], machine.clock_ns) == (14, 6 * SECOND)


def test_a_full_disk_shows_at_an_open_files_fsync_too(make_small: MakeMachine) -> None:
    """As for a task's own: of 2 pages that a mapping wrote one finds a block."""
    machine = make_small(files_bytes=4096)
    file = hole(machine, 2)
    task = machine.spawn(100)
    task.mmap(0, 2, file=file, shared=True)
    task.touch(0, 2)
    opened = file.open()
    with pytest.raises(mm.NoSpace):
        opened.fsync()
    opened.fsync()
    assert file.blocks == 8


@pytest.mark.fact("P10", "W6")
def test_dontneed_starts_no_write_on_a_congested_disk(make_small: MakeMachine) -> None:
    """8 requests are its depth. The dirty page of the second file stays as it is; a range that is no whole page is nothing, and so is an
    empty file that is wanted."""
    machine = make_small(disk=slow(8))
    task, files = machine.spawn(100), [machine.create_file() for _ in range(2)]
    for file, npages in zip(files, (8, 1), strict=True):
        task.write_file(file, 0, npages)
        task.fadvise_file(file, "dontneed", 0, 0)
    assert dirty(machine) == (1, 8)
    files[1].open().fadvise("dontneed", 1, 10)
    machine.create_file().open().fadvise("willneed", 0, 0)
    assert (dirty(machine), len(cached(files[1]))) == ((1, 8), 1)
