"""thrash.py: who has the swap token (mm/thrash.c of 2.6.23), and what it is worth to whom has it."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from memcgfs import mm
from memcgfs.mm.params import AT_META_PAGE_ALLOC
from tests.conftest import MakeMachine

from .looking import frame, once_at, page_0_in_swap, reclaim_mapped


def state(token: Any, mm_number: int) -> tuple[int, int, int]:
    """(priority, faultstamp, last interval)."""
    return (token.priority[mm_number], token.faultstamp[mm_number], token.last_interval[mm_number])


@pytest.mark.fact("S9")
def test_first_come_first_served(engine: ModuleType) -> None:
    token = engine.SwapToken(engine.Arrays(), 4)
    token.grab(1)
    assert (token.mm, state(token, 1)) == (1, (2, 1, 1))
    token.grab(1)
    assert (token.mm, state(token, 1)) == (1, (4, 2, 1)), "who has it gains 2 with each fault"


@pytest.mark.fact("S9")
def test_faults_that_come_faster_win_it(engine: ModuleType) -> None:
    """1 has priority 2 from fault 1 on. The intervals of 2's faults: 5, 4, 3, 2 (they come after idle ones of 3): the first is no
    faster than the last one, which is 0; then it gains 1, 1 and 1, and 3 is more than 2: it takes the token, and 2 more."""
    token = engine.SwapToken(engine.Arrays(), 4)
    token.grab(1)
    intervals = []
    for idle in (3, 3, 2, 1):
        for _ in range(idle):
            token.grab(3)
        token.grab(2)
        intervals.append((token.last_interval[2], token.priority[2], token.mm))
    assert intervals == [(5, 0, 1), (4, 1, 1), (3, 2, 1), (2, 5, 2)]


def test_faults_that_come_no_faster_lose(engine: ModuleType) -> None:
    """The first fault of 2 is the fourth of all, and then it comes in turn with 1: intervals 4, 2, 2, 2. Equal is not faster, and the
    priority does not go below 0."""
    token = engine.SwapToken(engine.Arrays(), 4)
    for _ in range(3):
        token.grab(1)
    priorities = []
    for _ in range(4):
        token.grab(2)
        token.grab(1)
        priorities.append((token.last_interval[2], token.priority[2]))
    assert priorities == [(4, 0), (2, 1), (2, 0), (2, 0)]
    assert (token.mm, token.priority[1]) == (1, 14)


def test_a_child_remembers_its_parents_stamp_only(engine: ModuleType) -> None:
    token = engine.SwapToken(engine.Arrays(), 4)
    for _ in range(3):
        token.grab(1)
    token.init(2, 1)
    token.init(3, 0)
    assert (state(token, 2), state(token, 3)) == ((0, 3, 0), (0, 0, 0))


def test_put_is_for_its_holder(engine: ModuleType) -> None:
    token = engine.SwapToken(engine.Arrays(), 4)
    token.grab(1)
    token.put(2)
    assert token.mm == 1
    token.put(1)
    assert token.mm == 0
    token.grab(2)
    token.disable()
    assert token.mm == 0


# On the machine


def test_only_who_must_read_asks(make_small: MakeMachine) -> None:
    """A first touch does not, nor does a page that is found in the swap cache."""
    machine = make_small(pagevec_size=1)
    container, task = page_0_in_swap(machine)
    container.limit = 64
    token, space = machine.core.token, task.space
    assert space is not None
    assert (token.mm, token.global_faults) == (0, 0)
    child = task.fork(200)
    assert task.touch(0, 1, write=False).major == 1
    assert (token.mm, token.global_faults) == (space.mm, 1)
    assert child.touch(0, 1, write=False) == mm.Access(1, 1, 0)
    assert token.global_faults == 1


@pytest.mark.fact("S9")
@pytest.mark.parametrize("how", ["exit", "exec", "reap"])
def test_who_goes_lets_it_go(make_small: MakeMachine, how: str) -> None:
    machine = make_small(pagevec_size=1)
    container, task = page_0_in_swap(machine)
    container.limit = 64
    task.touch(0, 1, write=False)
    assert machine.core.token.mm != 0
    if how == "reap":
        machine.reap(task)
    else:
        getattr(task, how)()
    assert machine.core.token.mm == 0


def holder_and_other(machine: mm.Machine) -> tuple[mm.Task, mm.Task]:
    """A task that has the token, and another one in the top container."""
    container, task = page_0_in_swap(machine)
    container.limit = 64
    task.touch(0, 1, write=False)
    other = machine.spawn(300)
    other.touch(0, 1)
    return task, other


@pytest.mark.fact("Y8")
def test_its_pages_are_spared_while_it_faults(make_small: MakeMachine) -> None:
    """page_referenced, asked on behalf of another address space in the middle of the holder's fault, counts one reference more; not on its
    own behalf, and not when it does not fault. (Asking twice: the first answer forgets what there was.)"""
    machine = make_small(pagevec_size=1)
    task, other = holder_and_other(machine)
    engine, core = machine.engine, machine.core
    mine, theirs = frame(task, 3), frame(other, 0)
    answers: list[tuple[int, int]] = []

    def ask() -> None:
        for pfn in (mine, theirs):
            engine.page_referenced(core, pfn, True, -1)
        answers.append((engine.page_referenced(core, mine, True, -1), engine.page_referenced(core, theirs, True, -1)))

    def ask_as_other() -> None:
        ask()
        with machine.running(other):
            ask()

    with machine.running(other):
        ask()
    once_at(machine, AT_META_PAGE_ALLOC, ask_as_other)
    task.touch(20, 1)
    assert answers == [(0, 0), (0, 0), (1, 0)]


@pytest.mark.fact("D7")
def test_reclaim_at_its_last_priority_takes_it(make_small: MakeMachine) -> None:
    """A container of locked pages: its reclaim goes down to priority 0 in vain. Zones and containers share the loop."""
    machine = make_small(pagevec_size=1)
    holder_and_other(machine)
    assert machine.core.token.mm != 0
    container = machine.create_container()
    container.limit = 4
    locked = machine.spawn(400, container)
    locked.mmap(0, 4, locked=True)
    with pytest.raises(mm.OutOfMemory):
        locked.touch(4, 1)
    assert machine.core.token.mm == 0


def test_reclaim_that_succeeds_earlier_leaves_it(make_small: MakeMachine) -> None:
    machine = make_small(pagevec_size=1, swap_cluster_max=1)
    task, _ = holder_and_other(machine)
    reclaim_mapped(machine)
    container = machine.create_container()
    container.limit = 4
    machine.spawn(400, container).touch(0, 8)
    assert machine.vmstat()["pswpout"] > 1
    assert task.space is not None
    assert machine.core.token.mm == task.space.mm


def test_kswapd_takes_it_too(make_small: MakeMachine) -> None:
    """All memory is locked or the holder's, no zone gets well, and kswapd goes through all priorities before it gives the zone up."""
    machine = make_small(pagevec_size=1)
    holder_and_other(machine)
    assert machine.core.token.mm != 0
    machine.spawn(500).mmap(0, 43, locked=True)
    small = machine.spawn(501)
    small.touch(0, 1)
    machine.set_sysctl("min_free_kbytes", 40)
    machine.set_sysctl("swappiness", 0)
    zone = machine.zones()[0]
    assert (zone.free, zone.pages_min, zone.pages_low) == (12, 10, 12), "one more is to be had, and wakes kswapd"
    assert machine.core.token.mm != 0
    before = machine.vmstat()
    small.touch(1, 1)
    machine.advance(5 * 10**9)
    after = machine.vmstat()
    assert after["pageoutrun"] > before["pageoutrun"]
    assert after["allocstall"] == before["allocstall"]
    assert machine.core.token.mm == 0
