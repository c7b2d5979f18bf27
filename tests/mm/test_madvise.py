"""madvise: how the pages of a mapped file are read (mm/madvise.c; filemap_fault's questions about it)."""

from __future__ import annotations

import pytest

from memcgfs import mm
from tests.conftest import MakeMachine

NPAGES = 64


def mapped(make_machine: MakeMachine, advice: str, **fields: object) -> tuple[mm.Machine, mm.Task, mm.File]:
    """A file of 64 pages, none of them in memory, mapped with this advice."""
    machine = make_machine(ram_bytes=16 << 20, swap_bytes=0, disk=mm.DiskConfig(0, 0, 64), **fields)
    file = machine.create_file()
    task = machine.spawn(10)
    task.write_file(file, 0, NPAGES)
    task.fsync_file(file)
    task.fadvise_file(file, "dontneed", 0, 0)
    task.mmap(0, NPAGES, file=file)
    task.madvise(0, NPAGES, advice)
    return machine, task, file


def cached(machine: mm.Machine, file: mm.File) -> list[int]:
    return [page for page in range(NPAGES) if machine.core.trees.lookup(2 * file.number, page)]


@pytest.mark.parametrize(
    ("advice", "page", "pages"),
    [
        ("random", 20, [20]),
        ("normal", 20, list(range(4, 36))),  # 32 around it
        ("sequential", 20, [20]),  # as a read() in the middle of the file
        ("sequential", 0, [0, 1, 2, 3]),  # and at its beginning
        ("willneed", 20, list(range(64))),
    ],
)
def test_what_a_fault_brings(make_machine: MakeMachine, advice: str, page: int, pages: list[int]) -> None:
    machine, task, file = mapped(make_machine, advice)
    task.touch(page, 1, write=False)
    assert cached(machine, file) == pages


def test_faults_in_sequence_read_ahead_as_read_does(make_machine: MakeMachine) -> None:
    machine, task, file = mapped(make_machine, "sequential")
    task.touch(0, 6, write=False)
    by_faults = cached(machine, file)
    machine, task, file = mapped(make_machine, "sequential")
    for page in range(6):
        task.read_file(file, page, 1)
    assert by_faults == cached(machine, file)
    assert len(by_faults) > 6


def test_it_can_be_said_for_a_part_and_taken_back(make_machine: MakeMachine) -> None:
    machine, task, file = mapped(make_machine, "normal")
    task.madvise(16, 16, "random")
    assert [(vma.start, vma.end) for vma in task.vmas()] == [(0, 16), (16, 32), (32, 64)]
    task.touch(20, 1, write=False)
    assert cached(machine, file) == [20]
    task.madvise(0, NPAGES, "sequential")
    assert [(vma.start, vma.end) for vma in task.vmas()] == [(0, 64)]
    task.madvise(16, 16, "normal")
    assert len(list(task.vmas())) == 3
    task.madvise(0, NPAGES, "normal")
    task.touch(40, 1, write=False)
    assert len(cached(machine, file)) > 30


@pytest.mark.fact("N24")
def test_a_random_fault_charges_before_it_looks(make_machine: MakeMachine) -> None:
    """The page is there already, and somebody else paid for it; the group is full. A page is charged all the same, for which one is
    reclaimed, and given back at once."""
    machine, reader, file = mapped(make_machine, "random", rules="2008", model="cgroups2008")
    reader.read_file(file, 0, NPAGES)
    group = machine.create_container()
    group.limit = 8
    task = machine.spawn(20, group)
    task.mmap(0, NPAGES, file=file)
    task.mmap(1000, 8)
    other = machine.create_file()
    task.write_file(other, 0, 8)
    task.fsync_file(other)
    assert (group.usage, group.failcnt) == (8, 0)
    task.touch(0, 1, write=False)
    assert group.failcnt == 0
    task.madvise(0, NPAGES, "random")
    task.touch(1, 1, write=False)
    assert group.failcnt > 0


def test_a_random_fault_beyond_the_end_charges_nothing(make_machine: MakeMachine) -> None:
    machine, task, file = mapped(make_machine, "random")
    file.truncate(4096)
    usage = machine.root.usage
    with pytest.raises(mm.BusError):
        task.touch(1, 1, write=False)
    assert machine.root.usage <= usage


def test_refusals(make_machine: MakeMachine) -> None:
    machine, task, _ = mapped(make_machine, "normal")
    task.mmap(1000, 4)
    with pytest.raises(mm.MapsNoFile):
        task.madvise(1000, 4, "willneed")
    with pytest.raises(mm.BadValue):
        task.madvise(0, 4, "soon")
    for advice in ("random", "willneed", "dontneed"):
        with pytest.raises(mm.BadRange):
            task.madvise(machine.task_pages - 1, 2, advice)
