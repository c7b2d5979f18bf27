"""What others do to a file while somebody waits for a page of it: the page may be gone, or the file may end before it.

The disk takes a second for each page. Who waits is interrupted as it begins to; what comes in between runs to its end.
"""

from __future__ import annotations

from types import ModuleType

import pytest

from memcgfs import mm
from memcgfs.mm.params import AT_IO_WAIT, AT_META_PAGE_ALLOC, PG_LOCKED
from tests.conftest import MakeMachine

from .looking import cached, flags, once_at, uncompiled

SECOND = 1_000_000_000
PAGE = 4096
SLOW = mm.DiskConfig(0, PAGE, 64)


def file_on_disk(make_small: MakeMachine, npages: int, content: bytes = b"a") -> mm.File:
    """A file whose bytes are on the disk, and not in memory."""
    machine = make_small(disk=SLOW)
    file = machine.create_file()
    opened = file.open()
    opened.write(0, content * (npages * PAGE))
    opened.fsync()
    opened.close()
    machine.drop_caches(1)
    assert not cached(file)
    return file


def cut_to(file: mm.File, size: int) -> None:
    """At the next wait for a disk."""
    once_at(file.machine, AT_IO_WAIT, lambda: file.truncate(size))


def test_read_of_a_page_that_is_cut_off_meanwhile(make_small: MakeMachine) -> None:
    """The page arrives after a second and leaves its file; where the reader looks again the file ends before it, and nothing was read."""
    file = file_on_disk(make_small, 3)
    reader = file.machine.spawn(100)
    reader.fadvise_file(file, "random", 0, 0)
    before_ns = file.machine.clock_ns
    cut_to(file, 0)
    assert reader.read_file(file, 0, 3) == 0
    assert file.machine.clock_ns == before_ns + SECOND
    assert (file.size, file.blocks, cached(file)) == (0, 0, {})


def test_read_of_a_file_that_becomes_shorter(make_small: MakeMachine) -> None:
    """Of two pages the second is cut off while the first is read, and the first ends after 100 bytes."""
    file = file_on_disk(make_small, 2)
    opened = file.open()
    cut_to(file, 100)
    assert opened.read(0, 2 * PAGE) == b"a" * 100
    assert list(cached(file)) == [0]
    opened.close()


def test_read_behind_the_end_that_came_meanwhile(make_small: MakeMachine) -> None:
    """The page stays, and the bytes that were wanted are behind its new end."""
    file = file_on_disk(make_small, 1)
    opened = file.open()
    cut_to(file, 100)
    assert opened.read(200, 50) == b""
    opened.close()


def test_read_of_a_page_that_was_cut_off_and_is_a_hole_now(make_small: MakeMachine) -> None:
    file = file_on_disk(make_small, 1)
    opened = file.open()

    def cut_and_grow() -> None:
        file.truncate(0)
        file.truncate(PAGE)

    once_at(file.machine, AT_IO_WAIT, cut_and_grow)
    assert opened.read(0, 10) == bytes(10)
    opened.close()


@pytest.mark.fact("P5")
def test_fault_in_a_page_that_is_cut_off_meanwhile(make_small: MakeMachine) -> None:
    """SIGBUS, as for an access that comes later."""
    file = file_on_disk(make_small, 3)
    task = file.machine.spawn(100)
    task.mmap(0, 3, file=file)
    cut_to(file, PAGE)
    with pytest.raises(mm.BusError):
        task.touch(2, 1)
    assert task.state == "Z"
    assert list(cached(file)) == [0]


def test_write_to_a_part_of_a_page_that_is_cut_off_meanwhile(make_small: MakeMachine) -> None:
    """The rest of the page is read first; when it is gone the write begins anew, in a page of zeros."""
    file = file_on_disk(make_small, 1)
    opened = file.open()
    cut_to(file, 0)
    assert opened.write(10, b"xyz") == 3
    assert opened.read(0, PAGE) == bytes(10) + b"xyz"
    assert (file.size, file.blocks) == (13, 8)
    opened.close()


def test_two_cut_a_file_at_once(make_small: MakeMachine) -> None:
    """Read-ahead of 3 pages is under way, for which both wait: who cuts off 2 of them finds that the other has taken all."""
    file = file_on_disk(make_small, 3)
    file.machine.spawn(100).fadvise_file(file, "willneed", 0, 0)
    assert all(flags(file.machine, pfn) & PG_LOCKED for pfn in cached(file).values())
    cut_to(file, 0)
    file.truncate(PAGE)
    assert (file.size, file.blocks, cached(file)) == (0, 0, {})


def test_the_page_in_which_a_file_is_to_end_is_cut_off_meanwhile(make_small: MakeMachine) -> None:
    """It is read, for what is behind the end to be zeroed."""
    file = file_on_disk(make_small, 1)
    cut_to(file, 0)
    file.truncate(100)
    assert (file.size, file.blocks, cached(file)) == (0, 0, {})


@uncompiled
def test_a_page_that_who_waits_has_locked_cannot_be_had(engine: ModuleType) -> None:
    """A fault has the lock of a file's page while it is charged, and a write to the page comes in between. The kernel's would wait; here it
    runs within the fault, which cannot go on before. (Such a machine is not sound any more, and is not one of make_machine's.)"""
    machine = mm.Machine(mm.MachineConfig(ram_bytes=1 << 20, max_containers=8), engine)
    uncharged = machine.create_container()
    uncharged.control_type = 1
    writer, mapper, file = machine.spawn(100, uncharged), machine.spawn(101), machine.create_file()
    writer.write_file(file, 0, 1)
    mapper.mmap(0, 1, file=file)
    once_at(machine, AT_META_PAGE_ALLOC, lambda: writer.write_file(file, 0, 1))
    with pytest.raises(AssertionError, match=f"frame {cached(file)[0]} is locked by an operation that waits for this one"):
        mapper.touch(0, 1, write=False)


def test_pdflush_leaves_a_page_that_is_locked(make_small: MakeMachine) -> None:
    """Two pages are dirty, which nobody is charged for (type 1). A task of a full container faults on the first, has its lock, and waits
    for its charge; after 30 s pdflush comes by, and can write the second alone."""
    machine = make_small()
    writers, full = machine.create_container(), machine.create_container()
    writers.control_type = 1
    file = machine.create_file()
    machine.spawn(100, writers).write_file(file, 0, 2)
    task = machine.spawn(101, full)
    task.mmap(0, 1, locked=True)
    task.mmap(8, 2, file=file, shared=True)
    full.limit = 1
    machine.advance(30 * SECOND - 1)
    with pytest.raises(mm.OutOfMemory):
        task.touch(8, 1, write=False)
    assert machine.clock_ns > 30 * SECOND
    assert (machine.vmstat()["nr_dirty"], machine.vmstat()["pgpgout"]) == (1, 4)
    machine.advance(35 * SECOND)
    assert machine.vmstat()["nr_dirty"] == 0


@pytest.mark.fact("P6")
def test_pages_behind_the_end_are_not_written(make_small: MakeMachine) -> None:
    """Page 1 is being written until 4.5 s, page 0 until 5.5 s, and both are dirty again. The file is cut, which waits for page 0; at 5 s
    pdflush finds page 1 dirty, and drops it: two requests were all."""
    machine = make_small(disk=SLOW)
    machine.set_sysctl("dirty_expire_centisecs", 0)
    task, file = machine.spawn(100), machine.create_file()
    machine.advance(3_500_000_000)
    for page in (1, 0):
        task.write_file(file, page, 1)
        task.fadvise_file(file, "dontneed", 0, 0)
    task.write_file(file, 1, 1)
    assert (machine.vmstat()["nr_dirty"], machine.vmstat()["nr_writeback"]) == (1, 2)
    file.truncate(0)
    assert machine.clock_ns == 5_500_000_000
    assert (machine.vmstat()["nr_dirty"], machine.vmstat()["pgpgout"]) == (0, 8)
