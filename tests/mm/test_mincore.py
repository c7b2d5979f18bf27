"""mincore(2): what is in memory, mapped here or not; it is no access, and its answer takes a page for a moment."""

from __future__ import annotations

import pytest

from memcgfs import mm
from memcgfs.mm.params import PG_REFERENCED
from tests.conftest import MakeMachine

from .looking import frame, hole


def test_anonymous_memory_is_in_core_once_touched(make_small: MakeMachine) -> None:
    task = make_small().spawn(100)
    task.mmap(0, 4)
    task.touch(1, 2)
    assert task.mincore(0, 4) == bytes([0, 1, 1, 0])


def test_asking_is_no_access(make_small: MakeMachine) -> None:
    machine = make_small()
    task = machine.spawn(100)
    task.touch(0, 1)
    before = machine.vmstat()["pgfault"]
    task.mincore(0, 1)
    assert machine.vmstat()["pgfault"] == before
    assert not machine.core.frames.flags[frame(task, 0)] & PG_REFERENCED


def test_a_file_s_page_is_in_core_for_whoever_maps_it(make_small: MakeMachine) -> None:
    """From page 2 of the mapping on, the file's pages 0 and 1: the first was read by another task."""
    machine = make_small()
    file = hole(machine, 2)
    reader, mapper = machine.spawn(100), machine.spawn(101)
    mapper.mmap(2, 2, file=file, shared=True)
    assert mapper.mincore(2, 2) == bytes([0, 0])
    reader.fadvise_file(file, "random", 0, 0)
    reader.read_file(file, 0, 1)
    assert mapper.mincore(2, 2) == bytes([1, 0])


def test_a_swapped_page_is_in_core_while_the_swap_cache_has_it(make_small: MakeMachine) -> None:
    """Without a disk that takes time nothing stays in the swap cache; with one a page is there until its write is done and it is freed."""
    for disk, expected in ((mm.DiskConfig(0, 0, 8), 0), (mm.DiskConfig(1_000_000, 0, 8), 1)):
        machine = make_small(disk=disk, rules="2008", model="cgroups2008")
        group = machine.create_container()
        group.limit = 8
        task = machine.spawn(100, group)
        task.touch(0, 12)
        assert task.swap_pages > 0
        swapped = [page for page, word in enumerate(task.pagemap(0, 12)) if not word >> 63]
        assert {task.mincore(page, 1)[0] for page in swapped} == {expected}


def test_the_answer_takes_a_page(make_small: MakeMachine) -> None:
    machine = make_small()
    task = machine.spawn(100)
    task.touch(0, 1)
    before = machine.vmstat()
    task.mincore(0, 1)
    after = machine.vmstat()
    assert after["pgfree"] - before["pgfree"] == 1
    assert after["nr_free_pages"] == before["nr_free_pages"]


def test_what_is_not_mapped_is_refused(make_small: MakeMachine) -> None:
    task = make_small().spawn(100)
    task.mmap(0, 2)
    with pytest.raises(mm.NotMapped):
        task.mincore(0, 3)
