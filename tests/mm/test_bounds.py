"""Numbers that are too large are refused before anything happened, and the same on both builds."""

from __future__ import annotations

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
