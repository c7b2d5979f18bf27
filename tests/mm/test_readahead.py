"""Read-ahead as 2.6.23 had it, window by window. Holes of a file are read without a request, so that only numbers of pages matter."""

from __future__ import annotations

import pytest

from memcgfs import mm
from memcgfs.mm.params import GFP_KERNEL, PG_READAHEAD, PG_WRITEBACK
from tests.conftest import MakeMachine

from .looking import cached, flags, frame, hole, uncompiled


@pytest.mark.fact("P8")
def test_a_sequential_reader_has_windows_of_4_8_16_and_32(make_small: MakeMachine) -> None:
    """Page 0 starts a window of 4 (a request of 1, times 4), whose mark is on page 1. Page 1 has the next read, 4 to 11, marked on 4;
    page 4 12 to 27, marked on 12; page 12 28 to 59, marked on 28; page 28 60 to 91, marked on 60; page 60 what is left of 100."""
    machine = make_small(frames=200)
    task, file = machine.spawn(100), hole(machine, 100)
    ends = {0: 4, 1: 12, 4: 28, 12: 60, 28: 92, 60: 100}
    expected = 0
    for page in range(100):
        task.read_file(file, page, 1)
        expected = ends.get(page, expected)
        assert sorted(cached(file)) == list(range(expected)), page


def test_a_larger_request_starts_a_larger_window(make_small: MakeMachine) -> None:
    """3 pages make 4; that is no more than 32 / 4, so the window is 8."""
    machine = make_small(frames=200)
    task, file = machine.spawn(100), hole(machine, 100)
    task.read_file(file, 0, 3)
    assert len(cached(file)) == 8


def test_a_random_reader_gets_what_it_asks_for(make_small: MakeMachine) -> None:
    machine = make_small(frames=200)
    task, file = machine.spawn(100), hole(machine, 100)
    task.read_file(file, 50, 2)
    task.read_file(file, 20, 1)
    assert sorted(cached(file)) == [20, 50, 51]


def test_what_is_sequential_is_asked_from_where_the_read_began(make_small: MakeMachine) -> None:
    """Pages 10 and 11 are there. A read of 10 to 12 misses 12: seen from where this reader stood before it, that is a jump, so one page is
    read; the state is renewed when the read ends. The next read, of 13, is sequential: 4 pages."""
    machine = make_small(frames=200)
    task, file = machine.spawn(100), hole(machine, 100)
    other = file.open()
    other.fadvise("random", 0, 0)
    other.read(10 * 4096, 2 * 4096)
    task.read_file(file, 10, 3)
    assert sorted(cached(file)) == [10, 11, 12]
    task.read_file(file, 13, 1)
    assert sorted(cached(file)) == [10, 11, 12, 13, 14, 15, 16]


def test_a_request_larger_than_a_window_is_no_random_read(make_small: MakeMachine) -> None:
    """40 pages from 30: the window is 30 to 61, marked on its first page; so 62 to 93 follow at once, and at 62 what is left of 100."""
    machine = make_small(frames=200)
    task, file = machine.spawn(100), hole(machine, 100)
    task.read_file(file, 30, 40)
    assert sorted(cached(file)) == list(range(30, 100))


def test_two_readers_of_a_file_have_a_window_each(make_small: MakeMachine) -> None:
    """Both at windows of 4 and 8: 0 to 11, and from page 50, which is a jump, one page, then 51 to 54 and 55 to 62."""
    machine = make_small(frames=200)
    file = hole(machine, 100)
    one, two = file.open(), file.open()
    for page in range(3):
        one.read(page * 4096, 4096)
        two.read((50 + page) * 4096, 4096)
    assert sorted(cached(file)) == [*range(12), *range(50, 63)]


def test_the_mark_of_another_readers_window_starts_one_of_16(make_small: MakeMachine) -> None:
    """The first reader's window 0 to 3 has its mark on page 1. The second, who never read, comes upon it: not knowing the window it bets
    on four times the smallest, from the next page on: 2 to 17."""
    machine = make_small(frames=200)
    file = hole(machine, 100)
    file.open().read(0, 4096)
    file.open().read(4096, 4096)
    assert sorted(cached(file)) == list(range(18))


def test_a_congested_disk_puts_the_next_window_off(make_small: MakeMachine) -> None:
    """10 pages make a window of 32, marked on page 10, of which 8 at a time fit into the queue. When page 9 is read, the last 8 are under
    way, and 8 are congestion: page 10, which is there, loses its mark, and nothing is asked for. Page 32 is missing, and where the window
    ended: the next one comes then. The mark is gone for good, so page 20 changes nothing."""
    machine = make_small(frames=200, disk=mm.DiskConfig(1_000_000, 0, 8))
    task, file = machine.spawn(100), machine.create_file()
    task.write_file(file, 0, 80)
    task.fsync_file(file)
    machine.set_sysctl("drop_caches", 1)
    assert cached(file) == {}
    task.read_file(file, 0, 10)
    task.read_file(file, 10, 1)
    assert len(cached(file)) == 32
    task.read_file(file, 20, 12)
    assert len(cached(file)) == 32
    task.read_file(file, 32, 1)
    assert len(cached(file)) == 64
    assert machine.vmstat()["pgpgin"] == 64 * 4


@uncompiled
def test_a_page_that_reclaim_writes_is_no_mark(make_small: MakeMachine) -> None:
    """Whoever reads it while it is on its way to the disk finds the bit that marks a window: it means that reclaim wants the page."""
    machine = make_small(pagevec_size=1, disk=mm.DiskConfig(60_000_000_000, 0, 64))
    task, file = machine.spawn(100), machine.create_file()
    task.write_file(file, 0, 4)
    machine.core.model.shrink_zones(machine.core, machine.core.user_zone, 0, GFP_KERNEL)
    written = [index for index, pfn in cached(file).items() if flags(machine, pfn) & PG_WRITEBACK]
    assert written == [0, 1, 2, 3]
    assert task.read_file(file, 0, 4) == 4
    assert all(flags(machine, pfn) & PG_READAHEAD for pfn in cached(file).values())
    assert len(cached(file)) == 4


@pytest.mark.fact("P10")
def test_advice(make_small: MakeMachine) -> None:
    """random: no read-ahead; willneed: what is there of 20 pages; sequential: windows up to 64, so that the first four end at 60 and the
    fifth at 124; normal: as before."""
    machine = make_small(frames=300)
    task, file = machine.spawn(100), hole(machine, 200)
    task.fadvise_file(file, "random", 0, 0)
    task.read_file(file, 0, 1)
    assert len(cached(file)) == 1
    task.fadvise_file(file, "willneed", 190, 20)
    assert len(cached(file)) == 11
    task.fadvise_file(file, "dontneed", 190, 10)
    assert sorted(cached(file)) == [0]
    long = hole(machine, 200)
    task.fadvise_file(long, "sequential", 0, 0)
    for page in range(29):
        task.read_file(long, page, 1)
    assert len(cached(long)) == 124
    task.fadvise_file(file, "normal", 0, 0)
    task.read_file(file, 1, 1)
    assert sorted(cached(file)) == [0, 1, 2, 3, 4]


@pytest.mark.fact("P9")
def test_a_fault_reads_around(make_small: MakeMachine) -> None:
    """32 pages with the missing one in the middle: 34 to 65, one major fault; page 40 is a minor one then."""
    machine = make_small(frames=200)
    task, file = machine.spawn(100), hole(machine, 100)
    task.mmap(0, 100, file=file)
    assert task.touch(50, 1, write=False) == mm.Access(1, 0, 1)
    assert sorted(cached(file)) == list(range(34, 66))
    assert task.touch(40, 1, write=False) == mm.Access(1, 1, 0)
    assert frame(task, 40) == cached(file)[40]
    assert machine.vmstat()["pgmajfault"] == 1


@pytest.mark.fact("P9")
def test_a_file_that_only_misses_is_no_longer_read_around(make_small: MakeMachine) -> None:
    """Faults 33 pages apart always miss. The hundredth is the last that is read around; then a page at a time, and 2.6.23 calls these
    faults minor."""
    machine = make_small(frames=4000)
    task, file = machine.spawn(100), hole(machine, 33 * 102)
    task.mmap(0, 33 * 102, file=file)
    for place in range(100):
        assert task.touch(33 * place + 16, 1, write=False).major == 1
    assert len(cached(file)) == 3200
    assert task.touch(33 * 100 + 16, 1, write=False) == mm.Access(1, 1, 0)
    assert len(cached(file)) == 3201


@pytest.mark.fact("P9")
def test_a_fault_reads_its_page_alone_where_the_disk_is_congested(make_small: MakeMachine) -> None:
    """8 reads are its depth; 8 pages of another file are being read ahead."""
    machine = make_small(disk=mm.DiskConfig(1_000_000_000, 0, 8))
    task, busy, file = machine.spawn(100), machine.create_file(), machine.create_file()
    for written in (busy, file):
        task.write_file(written, 0, 8)
        task.fsync_file(written)
    machine.drop_caches(1)
    task.mmap(0, 8, file=file)
    task.fadvise_file(busy, "willneed", 0, 0)
    assert task.touch(4, 1, write=False).major == 1
    assert list(cached(file)) == [4]
