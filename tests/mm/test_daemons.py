"""daemons.py: who is due when; the lowest number first."""

from __future__ import annotations

from types import ModuleType

import pytest

from memcgfs.mm.params import DAEMON_KSWAPD, DAEMON_KUPDATE, DAEMON_PDFLUSH, NR_DAEMONS
from tests.conftest import MakeMachine

from .looking import uncompiled


def test_all_sleep_at_first(engine: ModuleType) -> None:
    daemons = engine.Daemons(engine.Arrays())
    assert daemons.next_ns == -1
    assert all(daemons.is_asleep(number) for number in range(NR_DAEMONS))


def test_the_first_is_next_and_of_two_at_once_the_lower(engine: ModuleType) -> None:
    daemons = engine.Daemons(engine.Arrays())
    for daemon, due_ns in ((DAEMON_KUPDATE, 5), (DAEMON_PDFLUSH, 7), (DAEMON_KSWAPD + 3, 7)):
        daemons.set_due(daemon, due_ns)
    order = []
    while daemons.next_ns >= 0:
        order.append((daemons.next_ns, daemons.next_daemon))
        daemons.set_due(daemons.next_daemon, -1)
    assert order == [(5, DAEMON_KUPDATE), (7, DAEMON_KSWAPD + 3), (7, DAEMON_PDFLUSH)]


def test_a_time_can_be_moved(engine: ModuleType) -> None:
    daemons = engine.Daemons(engine.Arrays())
    daemons.set_due(DAEMON_KUPDATE, 5)
    daemons.set_due(DAEMON_KUPDATE, 9)
    assert (daemons.next_ns, daemons.next_daemon) == (9, DAEMON_KUPDATE)
    assert not daemons.is_asleep(DAEMON_KUPDATE)


@uncompiled
def test_who_runs_is_not_entered_again(engine: ModuleType) -> None:
    """It may ask for a later time meanwhile, which counts from when it is through."""
    daemons = engine.Daemons(engine.Arrays())
    daemons.begin(DAEMON_KSWAPD)
    assert not daemons.is_asleep(DAEMON_KSWAPD)
    daemons.set_due(DAEMON_KSWAPD, 3)
    assert daemons.next_ns == -1
    daemons.end(DAEMON_KSWAPD)
    assert daemons.next_ns == 3


@uncompiled
def test_a_daemon_in_the_nap_of_another_leaves_it_as_it_was(make_small: MakeMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    """kswapd of node 1 sleeps 10 ns; kswapd of node 0 falls due in it, and runs; and both run as nobody."""
    machine = make_small()
    task = machine.spawn(100)
    core = machine.core
    runs: list[tuple[str, int, int, int, bool, bool]] = []

    def look(what: str) -> None:
        runs.append((what, machine.clock_ns, core.current_node, core.current_mm, core.current_is_kswapd, core.current_is_pdflush))

    def run_kswapd(model: object, core: object, node: int) -> int:
        look("begin")
        if len(runs) == 1:
            machine.engine.sleep_until(core, machine.clock_ns + 10)
            look("end")
        return -1

    monkeypatch.setattr(type(core.model), "run_kswapd", run_kswapd)
    core.daemons.set_due(DAEMON_KSWAPD + 1, 5)
    core.daemons.set_due(DAEMON_KSWAPD, 9)
    task.run(20)
    assert runs == [("begin", 5, 1, 0, True, False), ("begin", 9, 0, 0, True, False), ("end", 15, 1, 0, True, False)]
    assert core.daemons.next_ns == -1
    assert (machine.clock_ns, core.current_is_kswapd) == (20, False)
