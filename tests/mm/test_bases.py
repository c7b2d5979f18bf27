"""What a machine does without a model, rules and a flusher of its own: their base classes answer, and do nothing."""

from __future__ import annotations

import pytest

from memcgfs import mm
from memcgfs.mm.kernels import KERNELS
from tests.conftest import MakeMachine

from .looking import cached


@pytest.fixture
def machine(make_small: MakeMachine) -> mm.Machine:
    machine = make_small(min_free_kbytes=16)
    machine.core.bind(machine.engine.Model(), machine.engine.Rules(KERNELS["2007"]), machine.engine.Flusher())
    return machine


def test_nobody_is_charged(machine: mm.Machine) -> None:
    container = machine.create_container()
    container.limit = 1
    task, file = machine.spawn(100, container), machine.create_file()
    task.touch(0, 5)
    assert task.write_file(file, 0, 3) == 3
    assert (container.usage, container.failcnt, task.rss_pages, len(cached(file))) == (0, 0, 5, 3)
    machine.remove_container(machine.create_container())


def test_nothing_ages_and_nothing_is_reclaimed(machine: mm.Machine) -> None:
    """No page is on a list. Below the low mark kswapd runs, and has nothing to do; when memory is full somebody dies."""
    task = machine.spawn(100)
    with pytest.raises(mm.OutOfMemory):
        task.touch(0, 64)
    assert "oom-killer" in machine.log[0]
    assert (machine.vmstat()["allocstall"], machine.vmstat()["pageoutrun"], machine.vmstat()["pswpout"]) == (0, 0, 0)
    assert (machine.core.model.walk(machine.core, -1), machine.core.model.waiting()) == (([], []), ([], []))


def test_a_container_is_not_reclaimed(make_small: MakeMachine) -> None:
    """With the rules of 2007 and no model: six rounds, five waits, and a kill."""
    machine = make_small()
    machine.core.bind(machine.engine.Model(), machine.engine.Rules2007(KERNELS["2007"]), machine.engine.Flusher())
    container = machine.create_container()
    container.limit = 1
    with pytest.raises(mm.OutOfMemory):
        machine.spawn(100, container).touch(0, 2)
    assert (container.failcnt, container.usage, machine.clock_ns) == (6, 0, 500_000_000)


def test_nothing_is_written_by_itself(machine: mm.Machine) -> None:
    """What is dirty stays so, until somebody says fsync."""
    task, file = machine.spawn(100), machine.create_file()
    task.write_file(file, 0, 3)
    machine.advance(60 * 10**9)
    assert machine.vmstat()["nr_dirty"] == 3
    task.fsync_file(file)
    assert machine.vmstat()["nr_dirty"] == 0
