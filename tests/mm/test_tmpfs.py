"""Files in memory that are read and written (mm/shmem.c: do_shmem_file_read, shmem_file_write), and not only mapped."""

from __future__ import annotations

import pytest

from memcgfs import mm
from memcgfs.mm.params import PG_ACTIVE, PG_REFERENCED
from tests.conftest import MakeMachine

from .looking import cached, flags, frame

PAGE = 4096


@pytest.fixture(params=["2007", "2008"])
def machine(request: pytest.FixtureRequest, make_small: MakeMachine) -> mm.Machine:
    return make_small(rules=request.param, swap_pages=128)


def test_what_is_written_is_read(machine: mm.Machine) -> None:
    file = machine.create_shared_memory(0)
    opened = file.open()
    assert opened.write(PAGE - 3, b"across pages") == 12
    assert (file.size, file.blocks) == (PAGE + 9, 16)
    assert opened.read(PAGE - 3, 100) == b"across pages"
    assert opened.read(0, 4) == bytes(4)
    opened.close()
    file.put()
    assert machine.meminfo()["Shmem"] == 0


def test_reading_a_hole_makes_no_page(machine: mm.Machine) -> None:
    group = machine.create_container()
    task = machine.spawn(10, group)
    file = machine.create_shared_memory(8)
    assert task.read_file(file, 0, 20) == 8
    assert file.open().read(PAGE, 3) == bytes(3)
    assert (group.usage, cached(file), file.blocks) == (0, {}, 0)
    task.mmap(0, 8, file=file, shared=True)
    assert task.touch(0, 2, write=False).minor == 2
    assert (group.usage, group.cache_pages, file.blocks) == (2, 2, 16)
    file.put()


def test_a_read_marks_where_it_begins_a_page(machine: mm.Machine) -> None:
    file = machine.create_shared_memory(0)
    opened = file.open()
    opened.write(0, bytes(PAGE))
    machine.spawn(10).munmap(0, 1)
    pfn = cached(file)[0]
    machine.core.frames.clear(pfn, PG_REFERENCED)
    opened.read(1, 10)
    assert not flags(machine, pfn) & (PG_REFERENCED | PG_ACTIVE)
    opened.read(0, 10)
    assert flags(machine, pfn) & PG_REFERENCED
    opened.close()
    file.put()


def test_bytes_come_back_from_swap(make_machine: MakeMachine) -> None:
    """40 pages, each with its number in it, at a limit of 8: most of them are in swap, and are read from there."""
    machine = make_machine(ram_bytes=64 << 20, swap_bytes=1 << 20, rules="2008", model="cgroups2008", disk=mm.DiskConfig(0, 0, 8))
    group = machine.create_container()
    group.limit = 8
    file = machine.create_shared_memory(0)
    opened = file.open(group)
    for page in range(40):
        opened.write(page * PAGE, b"%d" % page)
    assert group.usage <= 8
    assert machine.swaps()[0].used_pages >= 32
    assert file.blocks == 40 * 8
    assert [opened.read(page * PAGE, 2).rstrip(b"\0") for page in range(40)] == [b"%d" % page for page in range(40)]
    opened.close()
    file.put()
    assert machine.swaps()[0].used_pages == 0


def test_it_is_cut_in_the_middle_of_a_page(machine: mm.Machine) -> None:
    """What is behind the new end is zeros when the file grows again."""
    file = machine.create_shared_memory(0)
    opened = file.open()
    opened.write(0, b"x" * 3 * PAGE)
    file.truncate(PAGE + 5)
    assert (file.size, file.blocks) == (PAGE + 5, 16)
    file.truncate(2 * PAGE)
    assert opened.read(PAGE, PAGE) == b"x" * 5 + bytes(PAGE - 5)
    file.truncate(10 * PAGE)
    file.truncate(9 * PAGE + 1)
    assert file.blocks == 16, "a hole is cut without filling it"
    opened.close()
    file.put()


def test_a_fault_beyond_its_end_is_a_bus_error(machine: mm.Machine) -> None:
    file = machine.create_shared_memory(2)
    task = machine.spawn(10)
    task.mmap(0, 4, file=file, shared=True)
    assert task.touch(0, 2).done == 2
    with pytest.raises(mm.BusError):
        task.touch(2, 1)
    file.put()


def test_a_mapping_and_a_write_share_the_page(machine: mm.Machine) -> None:
    file = machine.create_shared_memory(1)
    opened = file.open()
    opened.write(0, b"by write")
    task = machine.spawn(10)
    task.mmap(0, 1, file=file, shared=True)
    assert task.read_mem(0, 8) == b"by write"
    assert frame(task, 0) == cached(file)[0]
    task.write_mem(0, b"by store")
    assert opened.read(0, 8) == b"by store"
    opened.close()
    file.put()


def test_advice_and_fsync_mean_nothing_to_it(machine: mm.Machine) -> None:
    file = machine.create_shared_memory(0)
    opened = file.open()
    opened.write(0, b"x" * 3 * PAGE)
    for advice in ("normal", "random", "sequential", "willneed", "dontneed", "noreuse"):
        opened.fadvise(advice, 0, 0)
    opened.fsync()
    machine.sync()
    assert opened.read(0, 3 * PAGE) == b"x" * 3 * PAGE
    assert machine.vmstat()["pgpgout"] == 0
    opened.close()
    file.put()


def test_where_there_is_no_memory_a_write_fails_and_a_short_one_counts(make_small: MakeMachine) -> None:
    machine = make_small(frames=40, swap_pages=0, rules="2008")
    group = machine.create_container()
    group.limit = 4
    file = machine.create_shared_memory(0)
    opened = file.open(group)
    assert opened.write(0, bytes(6 * PAGE)) == 4 * PAGE
    with pytest.raises(mm.OutOfMemory):
        opened.write(4 * PAGE, bytes(PAGE))
    assert (file.size, group.usage) == (4 * PAGE, 4)
    opened.close()
    file.put()
