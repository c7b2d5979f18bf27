"""How hard reclaim is, and who is told."""

from __future__ import annotations

from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memcgfs import mm
from memcgfs.mm.vmpressure import VMPRESSURE_CRITICAL, VMPRESSURE_LOW, VMPRESSURE_MEDIUM, VMPRESSURE_WIN, vmpressure_calc_level
from tests.conftest import MakeMachine

from .test_memcg_events import V1, Signals

LEVELS = ("low", "medium", "critical")


@pytest.fixture
def signals() -> Signals:
    return Signals()


@pytest.fixture
def machine(make_small: MakeMachine) -> mm.Machine:
    return make_small(512, 0, **V1)


@pytest.mark.parametrize(
    ("scanned", "reclaimed", "level"),
    [
        (512, 512, VMPRESSURE_LOW), (512, 600, VMPRESSURE_LOW), (512, 256, VMPRESSURE_LOW), (1000, 405, VMPRESSURE_LOW),
        (1000, 400, VMPRESSURE_MEDIUM), (512, 100, VMPRESSURE_MEDIUM), (1000, 60, VMPRESSURE_MEDIUM), (1000, 50, VMPRESSURE_CRITICAL),
        (512, 0, VMPRESSURE_CRITICAL), (1 << 40, 1, VMPRESSURE_CRITICAL),
    ],
)  # fmt: skip
def test_levels(scanned: int, reclaimed: int, level: int) -> None:
    assert vmpressure_calc_level(scanned, reclaimed) == level


@given(st.integers(1, 5000), st.integers(0, 5000))
def test_the_pressure_is_what_was_not_reclaimed(scanned: int, reclaimed: int) -> None:
    """In percent, near the borders by as much as the kernel's divisions of whole numbers lose."""
    percent = max(100 - 100 * reclaimed / scanned, 0)
    level = vmpressure_calc_level(scanned, reclaimed)
    assert level >= VMPRESSURE_MEDIUM or percent < 60.01 + 100 / scanned
    assert level < VMPRESSURE_MEDIUM or percent > 59 - 100 / scanned
    assert level == VMPRESSURE_CRITICAL or percent < 95.01 + 100 / scanned
    assert level < VMPRESSURE_CRITICAL or percent > 94 - 100 / scanned


@pytest.mark.fact("E5")
def test_a_window_is_full_before_anybody_is_told(machine: mm.Machine, engine: ModuleType, signals: Signals) -> None:
    group = machine.create_container()
    for level in LEVELS:
        group.watch_pressure(level, "default", signals.of(level))
    engine.vmpressure(machine.core, group.cid, VMPRESSURE_WIN - 1, 0)
    engine.vmpressure(machine.core, group.cid, 0, 10)
    assert signals == []
    engine.vmpressure(machine.core, group.cid, 1, 0)
    assert signals == ["low", "medium", "critical"]
    signals.clear()
    engine.vmpressure(machine.core, group.cid, VMPRESSURE_WIN, VMPRESSURE_WIN)
    assert signals == ["low"]
    signals.clear()
    engine.vmpressure(machine.core, group.cid, VMPRESSURE_WIN, VMPRESSURE_WIN // 5)
    assert signals == ["low", "medium"]


def test_a_window_counts_even_if_nobody_listens(machine: mm.Machine, engine: ModuleType, signals: Signals) -> None:
    group = machine.create_container()
    engine.vmpressure(machine.core, group.cid, VMPRESSURE_WIN, 0)
    engine.vmpressure(machine.core, group.cid, VMPRESSURE_WIN - 1, 0)
    group.watch_pressure("low", "default", signals.of("low"))
    engine.vmpressure(machine.core, group.cid, 1, 0)
    assert signals == ["low"]


@pytest.mark.fact("E5")
def test_low_priorities_are_critical_at_once(machine: mm.Machine, engine: ModuleType, signals: Signals) -> None:
    group = machine.create_container()
    group.watch_pressure("critical", "default", signals.of("critical"))
    for priority in range(12, -1, -1):
        engine.vmpressure_prio(machine.core, group.cid, priority)
    assert signals == ["critical"] * 4


@pytest.mark.parametrize(
    ("below", "above", "told"),
    [
        ("", "default", ["above"]),
        ("", "hierarchy", ["above"]),
        ("", "local", []),
        ("default", "default", ["below"]),
        ("default", "hierarchy", ["below", "above"]),
        ("default", "local", ["below"]),
        ("local", "default", ["below"]),
        ("hierarchy", "hierarchy", ["below", "above"]),
    ],
)
def test_modes(machine: mm.Machine, engine: ModuleType, signals: Signals, below: str, above: str, told: list[str]) -> None:
    """Whether who watches a group above is told of the pressure in one below."""
    top = machine.create_container()
    group = machine.create_container(top)
    top.watch_pressure("low", above, signals.of("above"))
    if below:
        group.watch_pressure("low", below, signals.of("below"))
    engine.vmpressure(machine.core, group.cid, VMPRESSURE_WIN, 0)
    assert signals == told
    signals.clear()
    engine.vmpressure(machine.core, top.cid, VMPRESSURE_WIN, 0)
    assert signals == ["above"]


def test_who_is_below_the_level_lets_it_pass(machine: mm.Machine, engine: ModuleType, signals: Signals) -> None:
    top = machine.create_container()
    group = machine.create_container(top)
    top.watch_pressure("low", "default", signals.of("above"))
    group.watch_pressure("critical", "default", signals.of("below"))
    engine.vmpressure(machine.core, group.cid, VMPRESSURE_WIN, VMPRESSURE_WIN)
    assert signals == ["above"]


@pytest.mark.parametrize(("level", "mode"), [("high", "default"), ("low", ""), ("", "default"), ("low", "global")])
def test_bad_words(machine: mm.Machine, level: str, mode: str) -> None:
    with pytest.raises(mm.BadValue):
        machine.create_container().watch_pressure(level, mode, bool)


def test_a_closed_watch_is_told_nothing(machine: mm.Machine, signals: Signals) -> None:
    group = machine.create_container()
    watch = group.watch_pressure("low", "default", signals.of("low"))
    watch.close()
    machine.watches.tell_pressure(group.cid, VMPRESSURE_CRITICAL)
    assert signals == []
    assert machine.core.containers.nr_pressure_watches == 0
