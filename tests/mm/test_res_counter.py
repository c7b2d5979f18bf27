"""res_counter.py: usage, limit and failcnt in the unsigned arithmetic of the architecture."""

from __future__ import annotations

import ctypes
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from memcgfs.mm.config import ULONG_BITS
from tests.conftest import MakeMachine

ULONG = {"i386": ctypes.c_uint32, "x86_64": ctypes.c_uint64}
LONG_MAX = {"i386": 2147483647, "x86_64": 9223372036854775807}


def make_counters(engine: ModuleType, arch: str = "x86_64", *, unit: int = 1, wraps: bool = True) -> Any:
    counters = engine.ResCounters(engine.Arrays(), 3, (1 << ULONG_BITS[arch]) - 1, unit, wraps, (1 << ULONG_BITS[arch] - 1) - 1)
    for counter in range(3):
        counters.init(counter, -1)
    return counters


@pytest.mark.fact("C1")
@pytest.mark.parametrize("arch", ["i386", "x86_64"])
def test_a_new_counter_has_nothing_and_the_limit_long_max(engine: ModuleType, arch: str) -> None:
    counters = make_counters(engine, arch)
    assert (counters.usage[1], counters.limit[1], counters.failcnt[1]) == (0, LONG_MAX[arch], 0)


@pytest.mark.fact("C3")
def test_usage_may_equal_the_limit(engine: ModuleType) -> None:
    counters = make_counters(engine)
    counters.limit[1] = 3
    assert [counters.charge(1, 1) for _ in range(4)] == [True, True, True, False]
    assert counters.usage[1] == 3


@pytest.mark.fact("C5")
def test_each_refused_charge_is_counted_and_charges_nothing(engine: ModuleType) -> None:
    counters = make_counters(engine)
    counters.limit[1] = 2
    counters.charge(1, 2)
    for _ in range(5):
        assert not counters.charge(1, 1)
    assert (counters.usage[1], counters.failcnt[1]) == (2, 5)
    counters.uncharge(1, 1)
    assert counters.charge(1, 1)
    assert counters.failcnt[1] == 5, "a charge that succeeds is not counted"


def test_failcnt_does_not_count_asking(engine: ModuleType) -> None:
    counters = make_counters(engine)
    counters.limit[1] = 1
    counters.charge(1, 1)
    assert not counters.check_under_limit(1)
    assert counters.failcnt[1] == 0


@pytest.mark.fact("C2")
@pytest.mark.parametrize("arch", ["i386", "x86_64"])
def test_limit_0_forbids_nothing(engine: ModuleType, arch: str) -> None:
    """0 - 1 wraps to ULONG_MAX, and no usage is above that."""
    counters = make_counters(engine, arch)
    counters.limit[1] = 0
    counters.usage[1] = LONG_MAX[arch]
    assert counters.charge(1, 1)
    assert (counters.usage[1], counters.failcnt[1]) == (LONG_MAX[arch] + 1, 0)


@pytest.mark.fact("C2")
@pytest.mark.parametrize("arch", ["i386", "x86_64"])
def test_a_charge_above_the_limit_wraps_too(engine: ModuleType, arch: str) -> None:
    """3 - 5 is ULONG_MAX - 1: five pages at once fit where four one by one would not."""
    counters = make_counters(engine, arch)
    counters.limit[1] = 3
    assert counters.charge(1, 5)
    assert counters.usage[1] == 5


@pytest.mark.fact("C3")
def test_under_the_limit_is_strict(engine: ModuleType) -> None:
    counters = make_counters(engine)
    counters.limit[1] = 2
    answers = []
    for usage in range(4):
        counters.usage[1] = usage
        answers.append(counters.check_under_limit(1))
    assert answers == [True, True, False, False]


def test_nothing_is_under_limit_0(engine: ModuleType) -> None:
    """Although everything may be charged: the test is usage < limit, which does not wrap."""
    counters = make_counters(engine)
    counters.limit[1] = 0
    assert not counters.check_under_limit(1)


@pytest.mark.fact("C4")
def test_uncharge_is_clamped_at_zero(engine: ModuleType) -> None:
    counters = make_counters(engine)
    counters.charge(1, 5)
    assert counters.uncharge(1, 3)
    assert counters.usage[1] == 2
    assert not counters.uncharge(1, 3)
    assert counters.usage[1] == 0
    assert counters.uncharge(1, 0)


@pytest.mark.fact("C7")
def test_no_counter_knows_of_another(engine: ModuleType) -> None:
    counters = make_counters(engine)
    counters.limit[0] = 1
    assert counters.charge(1, 5)
    assert counters.charge(0, 1)
    assert not counters.charge(0, 1)
    assert [counters.usage[counter] for counter in range(3)] == [1, 5, 0]
    assert [counters.failcnt[counter] for counter in range(3)] == [1, 0, 0]


# The engine is a module: no example can change it for the next.
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data(), arch=st.sampled_from(["i386", "x86_64"]))
def test_charge_is_what_c_makes_of_it(engine: ModuleType, data: st.DataObject, arch: str) -> None:
    """if (counter->usage > counter->limit - val) in C's own unsigned long."""
    words = st.integers(0, (1 << ULONG_BITS[arch]) - 1)
    near = st.one_of(st.integers(0, 4), words)
    usage, limit, value = data.draw(near, "usage"), data.draw(near, "limit"), data.draw(near, "value")
    assume(usage + value < 1 << ULONG_BITS[arch])
    counters = make_counters(engine, arch)
    counters.usage[1], counters.limit[1] = usage, limit
    refused = usage > ULONG[arch](limit - value).value
    assert counters.charge(1, value) == (not refused)
    assert counters.failcnt[1] == refused
    assert counters.usage[1] == usage + (0 if refused else value)


@pytest.mark.fact("C1")
@pytest.mark.parametrize("arch", ["i386", "x86_64"])
def test_a_limit_is_as_wide_as_the_architectures_long(make_small: MakeMachine, arch: str) -> None:
    container = make_small(arch=arch).create_container()
    container.limit = (1 << ULONG_BITS[arch]) + 5
    assert container.limit == 5
    container.limit = -1
    assert container.limit == (1 << ULONG_BITS[arch]) - 1


@pytest.mark.fact("C4")
def test_giving_back_too_much_is_a_line_in_the_log(make_small: MakeMachine) -> None:
    """Usage is made one too small, so that the last of two pages to go finds it at 0."""
    machine = make_small()
    container = machine.create_container()
    task = machine.spawn(10, container)
    task.touch(0, 2)
    machine.core.counters.usage[container.cid] = 1
    machine.reap(task)
    assert container.usage == 0
    assert [line for line in machine.log if "res_counter_uncharge_locked" in line] == [
        "[    0.000000] WARNING: at kernel/res_counter.c: res_counter_uncharge_locked(): more uncharged than charged"
    ]
