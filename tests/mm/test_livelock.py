"""Two places where 2.6.23 would try for ever and the machine does not: it says so in its log, and is out of memory."""

from __future__ import annotations

import pytest

from memcgfs import mm
from memcgfs.mm.params import MAX_ALLOC_ROUNDS, MAX_FAULTS_PER_ACCESS
from tests.conftest import MakeMachine

from .looking import cold_task, reclaim_mapped

JIFFY_NS = 1_000_000


def test_a_limit_that_cannot_hold_a_page_and_its_copy(make_small: MakeMachine) -> None:
    """Limit 1, type 1, and a page that is shared. To make room for the copy reclaim unmaps the page itself, which counts no more;
    so the copy is charged, finds that the entry has changed, and goes. The access begins anew, from the swap cache, and so on."""
    machine = make_small(pagevec_size=1)
    reclaim_mapped(machine)
    task = cold_task(machine, machine.create_container(), 1)
    task.fork(300)
    task.container.limit = 1
    task.container.control_type = 1
    with pytest.raises(mm.OutOfMemory):
        task.touch(0, 1)
    assert any("page fault without end" in line for line in machine.log)
    assert machine.vmstat()["pgfault"] >= MAX_FAULTS_PER_ACCESS


def test_a_victim_that_never_dies(make_small: MakeMachine) -> None:
    """The OOM killer spares the others while somebody is dying, and whoever needs the page tries again a tick later."""
    machine = make_small(frames=32, swap_pages=0)
    stuck = machine.spawn(100)
    stuck.is_memdie = True
    task = machine.spawn(200)
    with pytest.raises(mm.OutOfMemory):
        task.touch(0, 40)
    assert sum("page allocation without end" in line for line in machine.log) == 1
    assert machine.clock_ns >= (MAX_ALLOC_ROUNDS - 10) * JIFFY_NS
    assert (stuck.state, task.died) == ("R", "killed: out of memory in a page fault")


def test_many_faults_of_a_batch_are_no_livelock(make_small: MakeMachine) -> None:
    """Only faults of one access in a row count."""
    machine = make_small()
    container = machine.create_container()
    container.limit = 8
    task = machine.spawn(100, container)
    task.access([0, 1, 2, 3, 4, 5, 6, 7, 8, 9] * 50, [1] * 500)
    assert task.min_flt + task.maj_flt > MAX_FAULTS_PER_ACCESS
    assert task.state == "R"
