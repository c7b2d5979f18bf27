"""readahead_folios.py: windows of folios, as mm/readahead.c of 6.18 cuts them; what read(), write() and faults make of them.

The numbers of the sequential reader are recorded: 4 pages, 16 in folios of 4, then 60, 240, 448, each cut to where its folios end.
"""

from __future__ import annotations

import pytest

from memcgfs import mm
from tests.conftest import MakeMachine


@pytest.fixture
def machine(make_small: MakeMachine) -> mm.Machine:
    return make_small(8192, 256, rules="v1", model="cgroups2008", charges_kmem=False, readahead_pages=2048)


@pytest.fixture
def box(machine: mm.Machine) -> mm.Container:
    return machine.create_container()


@pytest.fixture
def task(machine: mm.Machine, box: mm.Container) -> mm.Task:
    return machine.spawn(10, box)


def old_file(machine: mm.Machine, npages: int) -> mm.File:
    """On the disk, in no cache."""
    file = machine.create_file()
    task = machine.spawn(99)
    task.write_file(file, 0, npages)
    task.fsync_file(file)
    task.fadvise_file(file, "dontneed", 0, 0)
    machine.reap(task)
    return file


def counts(box: mm.Container) -> tuple[int, int]:
    """(pages of the cache, folios that came in)."""
    return box.stat()["cache"] // 4096, box.stat()["pgpgin"]


def test_a_sequential_reader_gets_larger_and_larger_folios(machine: mm.Machine, box: mm.Container, task: mm.Task) -> None:
    file = old_file(machine, 4096)
    seen: list[tuple[int, int, int]] = []
    for page in (0, 1, 4, 20, 80, 320, 768):
        for each in range(seen[-1][2] + 1 if seen else 0, page + 1):
            task.read_file(file, each, 1)
        seen.append((*counts(box), page))
    assert [found[:2] for found in seen] == [(4, 4), (20, 8), (80, 13), (320, 18), (768, 21), (1024, 22), (1536, 23)]


def test_a_single_page_in_the_middle_is_all_that_is_read(machine: mm.Machine, box: mm.Container, task: mm.Task) -> None:
    file = old_file(machine, 2048)
    task.read_file(file, 1000, 1)
    assert counts(box) == (1, 1)


def test_without_read_ahead_and_at_random_only_what_is_asked_for_is_read(machine: mm.Machine, box: mm.Container, task: mm.Task) -> None:
    first, second = old_file(machine, 64), old_file(machine, 64)
    machine.core.files.set_ra_pages(first.number, 0)
    task.read_file(first, 0, 1)
    task.fadvise_file(second, "random", 0, 0)
    task.read_file(second, 0, 1)
    assert counts(box) == (2, 2)


def test_one_write_makes_one_folio_as_large_as_its_place_allows(machine: mm.Machine, box: mm.Container, task: mm.Task) -> None:
    file = machine.create_file()
    task.write_file(file, 0, 512)
    assert counts(box) == (512, 1)
    task.write_file(file, 513, 3)
    assert counts(box) == (515, 3)


def test_a_fault_reads_around_and_maps_what_is_around(machine: mm.Machine, box: mm.Container, task: mm.Task) -> None:
    file = old_file(machine, 4096)
    task.mmap(0, 4096, file=file, writable=False)
    assert task.touch(2000, 1, write=False) == mm.Access(1, 0, 1)
    assert counts(box)[0] == 2048
    assert box.stat()["mapped_file"] // 4096 == 16
    assert task.touch(1984, 32, write=False) == mm.Access(32, 1, 0)


def test_random_advice_reads_one_page_and_sequential_a_window_from_it_on(machine: mm.Machine, box: mm.Container, task: mm.Task) -> None:
    first, second = old_file(machine, 512), old_file(machine, 4096)
    task.mmap(0, 512, file=first, writable=False)
    task.madvise(0, 512, "random")
    assert task.touch(0, 16, write=False) == mm.Access(16, 0, 16)
    task.mmap(1024, 4096, file=second, writable=False)
    task.madvise(1024, 4096, "sequential")
    assert task.touch(1024, 16, write=False) == mm.Access(16, 0, 1)
    assert counts(box)[0] == 16 + 2048


def test_a_copy_whose_original_has_to_be_read_is_made_twice(machine: mm.Machine, box: mm.Container, task: mm.Task) -> None:
    file = old_file(machine, 64)
    task.mmap(0, 64, file=file)
    task.madvise(0, 64, "random")
    assert task.touch(0, 16) == mm.Access(16, 0, 16)
    stat = box.stat()
    assert [stat["cache"] // 4096, stat["rss"] // 4096, stat["pgpgin"], stat["pgpgout"]] == [16, 16, 48, 16]


def test_more_than_the_group_holds_is_read_once(make_small: MakeMachine) -> None:
    """No page of one read-ahead is reclaimed for the next, whose reads have not begun, so that a read() larger than its group comes
    through the file once."""
    machine = make_small(8192, 256, rules="v1", model="classic", charges_kmem=False)
    box = machine.create_container()
    task = machine.spawn(10, box)
    file = old_file(machine, 300)
    box.counter("memory").resize(256)
    task.fadvise_file(file, "random", 0, 0)
    task.read_file(file, 0, 300)
    stat = box.stat()
    assert (stat["workingset_refault_file"], stat["pgpgin"]) == (0, 300)
