"""Numbers that are too large are refused before anything happened, and the same on both builds."""

from __future__ import annotations

from array import array

import pytest

from memcgfs import mm
from memcgfs.mm.config import CLOCK_MAX_NS, LONGEST_NS
from tests.conftest import MakeMachine

FAR = [-1, CLOCK_MAX_NS + 1, 2**63 - 1, 2**64 - 1]


@pytest.mark.parametrize("duration_ns", FAR)
def test_the_clock_goes_only_so_far(make_small: MakeMachine, duration_ns: int) -> None:
    machine = make_small()
    task = machine.spawn(101)
    with pytest.raises(mm.BadValue):
        task.run(duration_ns)
    with pytest.raises(mm.BadValue):
        machine.advance(duration_ns)
    assert (task.utime_ns, task.stall_ns, machine.clock_ns) == (0, 0, 0)


def test_it_goes_as_far_as_that(make_small: MakeMachine) -> None:
    machine = make_small()
    machine.spawn(101).run(CLOCK_MAX_NS - 1)
    machine.advance(1)
    with pytest.raises(mm.BadValue):
        machine.advance(1)


@pytest.mark.parametrize(
    "fields",
    [{"fault_ns": LONGEST_NS + 1}, {"fault_ns": -1}, {"disk": mm.DiskConfig(LONGEST_NS + 1, 0, 1)}, {"disk": mm.DiskConfig(0, 1 << 62, 1)}],
)
def test_waits_are_bounded(fields: dict[str, object]) -> None:
    with pytest.raises(mm.ConfigError, match=f"^{next(iter(fields)).removesuffix('_ns')}="):
        mm.MachineConfig(**fields)  # type: ignore[arg-type]


def test_a_number_given_again_waits_once(make_small: MakeMachine) -> None:
    """A removed container's number is soon another's; the queue of released ones has one place for each number."""
    machine = make_small(max_containers=8)
    for _ in range(20):
        container = machine.create_container()
        task = machine.spawn(101, container)
        task.touch(0, 2)
        machine.reap(task)
        machine.remove_container(container)
        machine.check()
    assert machine.take_released() == []
    last = machine.create_container()
    machine.reap(machine.spawn(101, last))
    assert machine.take_released() == [last]
    assert machine.take_released() == []


def test_files_refuse_what_has_no_meaning(make_small: MakeMachine) -> None:
    machine = make_small()
    file, task = machine.create_file(), machine.spawn(101)
    opened = file.open()
    for call in (
        lambda: file.truncate(-1),
        lambda: opened.fadvise("willneed", -1, 0),
        lambda: opened.fadvise("willneed", 0, -1),
        lambda: opened.fadvise("whatever", 0, 0),
        lambda: task.read_file(file, -1, 1),
        lambda: task.read_file(file, 0, -1),
        lambda: task.write_file(file, -1, 1),
        lambda: task.write_file(file, 0, -1),
        lambda: task.access([0, 1], [1]),
    ):
        with pytest.raises(mm.BadValue):
            call()
    assert (file.size, task.rss_pages) == (0, 0)


def test_accesses_of_any_buffer(make_small: MakeMachine) -> None:
    """Page numbers in narrower words, and every other one of an array, are copied."""
    task = make_small().spawn(101)
    task.access(array("H", [1, 2]), array("H", [1, 1]))
    task.access(memoryview(array("Q", [3, 0, 4, 0]))[::2], [1, 1])
    assert [page for page, word in enumerate(task.pagemap(0, 6)) if word] == [1, 2, 3, 4]


def test_a_pagemap_ends_with_the_address_space(make_small: MakeMachine) -> None:
    """i386: 3 GB are 786,432 pages."""
    task = make_small(arch="i386").spawn(101)
    last = (3 << 18) - 1
    task.touch(last, 1)
    assert [bool(word) for word in task.pagemap(last - 1, 4)] == [False, True, False, False]
