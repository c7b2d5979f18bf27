"""madvise.py, mlock.py: what advice and locks do to pages, with the lists of classic."""

from __future__ import annotations

import pytest

from memcgfs import mm
from tests.conftest import MakeMachine


@pytest.fixture
def machine(make_small: MakeMachine) -> mm.Machine:
    return make_small(1024, 256, rules="v1", model="classic", charges_kmem=False)


@pytest.fixture
def box(machine: mm.Machine) -> mm.Container:
    return machine.create_container()


@pytest.fixture
def task(machine: mm.Machine, box: mm.Container) -> mm.Task:
    return machine.spawn(10, box)


def pages(box: mm.Container, *names: str) -> list[int]:
    box.machine.advance(2_100_000_000)
    found = box.stat()
    return [found[name] // 4096 for name in names]


def test_freed_lazily_pages_are_reclaimed_as_files_are_and_need_no_swap(machine: mm.Machine, box: mm.Container, task: mm.Task) -> None:
    task.touch(0, 64)
    task.madvise(0, 40, "free")
    assert pages(box, "rss", "inactive_anon", "inactive_file") == [64, 24, 40]
    assert task.touch(0, 8).minor == 0
    assert pages(box, "rss", "inactive_file") == [64, 40]
    box.counter("memory").resize(40)
    assert pages(box, "swap", "swapcached") == [0, 0]


def test_only_anonymous_memory_is_freed_lazily(machine: mm.Machine, task: mm.Task) -> None:
    file = machine.create_file()
    task.write_file(file, 0, 4)
    task.mmap(0, 4, file=file)
    with pytest.raises(mm.BadRange):
        task.madvise(0, 4, "free")


def test_paged_out_anonymous_pages_stay_in_the_swap_cache(make_small: MakeMachine) -> None:
    """Where their write takes its time."""
    machine = make_small(1024, 256, rules="v1", model="classic", charges_kmem=False, disk=mm.DiskConfig(1_000_000, 0, 64))
    box = machine.create_container()
    task = machine.spawn(10, box)
    task.touch(0, 32)
    assert pages(box, "rss", "inactive_anon") == [32, 32]
    task.madvise(0, 32, "pageout")
    assert pages(box, "rss", "swapcached") == [0, 32]
    assert box.usage == 32
    assert task.touch(0, 32, write=False) == mm.Access(32, 32, 0)


def test_paged_out_clean_pages_of_a_file_are_gone(machine: mm.Machine, box: mm.Container, task: mm.Task) -> None:
    file = machine.create_file()
    task.write_file(file, 0, 16)
    task.fsync_file(file)
    task.mmap(0, 16, file=file)
    task.touch(0, 16, write=False)
    task.madvise(0, 16, "pageout")
    assert pages(box, "cache", "mapped_file") == [0, 0]


def test_removed_pages_are_a_hole(machine: mm.Machine, box: mm.Container, task: mm.Task) -> None:
    task.mmap(0, 16, shared=True)
    task.touch(0, 16)
    task.madvise(4, 8, "remove")
    assert pages(box, "shmem", "mapped_file") == [8, 8]
    task.touch(0, 16)
    assert pages(box, "shmem") == [16]


def test_populating_reads_or_writes(machine: mm.Machine, box: mm.Container, task: mm.Task) -> None:
    task.mmap(0, 16)
    task.madvise(0, 16, "populate_read")
    assert pages(box, "rss") == [0]
    task.madvise(0, 16, "populate_write")
    assert pages(box, "rss") == [16]


def test_advice_that_came_later_is_none_in_2008(make_small: MakeMachine) -> None:
    task = make_small(256, 64, rules="2008", model="cgroups2008").spawn(10)
    task.touch(0, 4)
    for advice in mm.LATE_ADVICE:
        with pytest.raises(mm.BadValue):
            task.madvise(0, 4, advice)


def test_locked_pages_are_unevictable_until_the_last_lock_goes(machine: mm.Machine, box: mm.Container, task: mm.Task) -> None:
    task.touch(0, 32)
    task.mlock(0, 32)
    child = task.fork(11)
    assert pages(box, "unevictable", "inactive_anon") == [32, 0]
    task.munlock(0, 16)
    assert pages(box, "unevictable", "inactive_anon") == [16, 16]
    with pytest.raises(mm.BadRange):
        task.madvise(16, 4, "pageout")
    task.munmap(16, 8)
    assert pages(box, "unevictable") == [8]
    task.exit()
    assert pages(box, "unevictable", "rss") == [0, 32]
    child.exit()


def test_pages_that_come_into_a_locked_mapping_are_locked(machine: mm.Machine, box: mm.Container, task: mm.Task) -> None:
    task.mmap(0, 32, locked=True)
    assert pages(box, "unevictable") == [32]


def test_a_mapping_that_may_only_be_read_kills_who_writes(machine: mm.Machine, task: mm.Task) -> None:
    task.mmap(0, 4, writable=False)
    task.touch(0, 4, write=False)
    with pytest.raises(mm.BusError):
        task.touch(0, 1)
    assert "segmentation" in task.died
