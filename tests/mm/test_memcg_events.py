"""Thresholds of usage, and who is told of the end of memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memcgfs import mm
from memcgfs.mm.memcg_events import THRESHOLDS_EVENTS_TARGET
from memcgfs.mm.memcg_watches import Thresholds, Watch
from tests.conftest import MakeMachine

LOOK = THRESHOLDS_EVENTS_TARGET + 1
"""From one look at the thresholds to the next: the first page beyond so many."""
V1 = {"rules": "v1", "model": "cgroups2008", "charges_kmem": False}


class Signals(list[str]):
    """What was told, in order."""

    def of(self, name: str) -> Callable[[], None]:
        return lambda: self.append(name)


@pytest.fixture
def signals() -> Signals:
    return Signals()


@pytest.fixture
def make_v1(make_small: MakeMachine) -> MakeMachine:
    def make(frames: int = 2048, swap_pages: int = 0, **fields: Any) -> mm.Machine:
        return make_small(frames, swap_pages, **(V1 | fields))

    return make


def task_in(machine: mm.Machine, container: mm.Container, pid: int = 101) -> mm.Task:
    return machine.spawn(pid, container)


def test_thresholds_are_looked_at_now_and_then(make_v1: MakeMachine, signals: Signals) -> None:
    """At the first page, and each time that 128 have gone by since and one more comes."""
    machine = make_v1()
    group = machine.create_container()
    task = task_in(machine, group)
    for pages in (1, 2, LOOK, LOOK + 1, LOOK + 2):
        group.watch_usage(pages, signals.of(str(pages)))
    told = []
    for page in range(2 * LOOK + 1):
        task.touch(page, 1)
        if signals:
            told.append((group.usage, list(signals)))
            signals.clear()
    assert told == [(1, ["1"]), (LOOK + 1, ["2", str(LOOK), str(LOOK + 1)]), (2 * LOOK + 1, [str(LOOK + 2)])]


def test_a_page_given_back_is_an_event_as_well(make_v1: MakeMachine, signals: Signals) -> None:
    machine = make_v1()
    group = machine.create_container()
    task = task_in(machine, group)
    task.touch(0, 1)
    group.watch_usage(1, signals.of("one"))
    for _ in range(LOOK // 2):
        task.munmap(0, 1)
        task.touch(0, 1)
    assert signals == []
    task.munmap(0, 1)
    assert signals == ["one"]


def test_what_is_crossed_and_crossed_back_between_two_looks_is_not_told(make_v1: MakeMachine, signals: Signals) -> None:
    machine = make_v1()
    group = machine.create_container()
    task = task_in(machine, group)
    task.touch(0, 1)
    group.watch_usage(50, signals.of("fifty"))
    task.touch(0, 60)
    task.munmap(0, 60)
    task.touch(0, 40)
    assert signals == []


def test_those_above_are_told_after_those_below(make_v1: MakeMachine, signals: Signals) -> None:
    """And memory before memory and swap."""
    machine = make_v1()
    top = machine.create_container()
    group = machine.create_container(top)
    for name, container in (("top", top), ("group", group)):
        container.watch_usage(2, signals.of(f"{name} memsw"), memsw=True)
        container.watch_usage(2, signals.of(f"{name} memory"))
    task_in(machine, group).touch(0, LOOK + 1)
    assert signals == ["group memory", "group memsw", "top memory", "top memsw"]


def test_what_a_group_above_has_is_looked_at_when_one_below_charges(make_v1: MakeMachine, signals: Signals) -> None:
    machine = make_v1()
    top = machine.create_container()
    one, two = machine.create_container(top), machine.create_container(top)
    task_in(machine, one, 101).touch(0, 100)
    top.watch_usage(150, signals.of("top"))
    task_in(machine, two, 102).touch(0, LOOK + 1)
    assert signals == ["top"]
    assert top.usage == 100 + LOOK + 1


def test_usage_in_swap_counts_with_memory_and_swap_only(make_v1: MakeMachine, signals: Signals) -> None:
    machine = make_v1(2048, 2048)
    group = machine.create_container()
    group.limit = 200
    task = task_in(machine, group)
    group.watch_usage(300, signals.of("memory"))
    group.watch_usage(300, signals.of("memsw"), memsw=True)
    task.touch(0, 600)
    assert signals == ["memsw"]
    task.exit()
    assert signals == ["memsw", "memsw"]


def test_a_watch_that_is_closed_is_told_nothing(make_v1: MakeMachine, signals: Signals) -> None:
    machine = make_v1()
    group = machine.create_container()
    kept, closed = group.watch_usage(2, signals.of("kept")), group.watch_usage(2, signals.of("closed"))
    closed.when_ended(signals.of("ended"))
    closed.close()
    closed.close()
    task_in(machine, group).touch(0, LOOK + 1)
    assert signals == ["ended", "kept"]
    kept.close()
    assert machine.core.containers.nr_thresholds == 0


def test_the_end_of_a_group_is_the_last_that_is_told(make_v1: MakeMachine, signals: Signals) -> None:
    machine = make_v1()
    group = machine.create_container()
    watches = [
        group.watch_usage(5, signals.of("memory")), group.watch_usage(5, signals.of("memsw"), memsw=True),
        group.watch_oom(signals.of("oom")), group.watch_pressure("low", "default", signals.of("pressure")),
    ]  # fmt: skip
    for watch in watches:
        watch.when_ended(signals.of("ended"))
    machine.remove_container(group)
    assert signals == ["memory", "ended", "memsw", "ended", "oom", "ended", "pressure", "ended"]
    assert (machine.core.containers.nr_thresholds, machine.core.containers.nr_pressure_watches) == (0, 0)
    another = machine.create_container()
    task_in(machine, another).touch(0, LOOK + 1)
    assert len(signals) == 8


def test_an_oom_kill_is_told_in_the_whole_subtree_once(make_v1: MakeMachine, signals: Signals) -> None:
    machine = make_v1()
    top = machine.create_container()
    top.limit = 50
    group, other = machine.create_container(top), machine.create_container(top)
    outside = machine.create_container()
    for name, container in (("other", other), ("group", group), ("top", top), ("outside", outside)):
        container.watch_oom(signals.of(name))
    with pytest.raises(mm.OutOfMemory):
        task_in(machine, group).touch(0, 60)
    assert sorted(signals) == ["group", "other", "top"]
    assert not top.under_oom


# The thresholds of one counter, against the kernel's way of finding them.


class KernelThresholds:
    """struct mem_cgroup_threshold_ary: an index that walks, as in __mem_cgroup_threshold."""

    def __init__(self, thresholds: list[int], usage: int) -> None:
        self.entries = sorted(thresholds)
        self.current = sum(threshold <= usage for threshold in self.entries) - 1

    def look(self, usage: int) -> list[int]:
        told = []
        place = self.current
        while place >= 0 and self.entries[place] > usage:
            told.append(self.entries[place])
            place -= 1
        place += 1
        while place < len(self.entries) and self.entries[place] <= usage:
            told.append(self.entries[place])
            place += 1
        self.current = place - 1
        return told


SMALL = st.integers(0, 8)


@given(st.lists(SMALL, max_size=6), SMALL, st.lists(st.tuples(SMALL, st.none() | SMALL), max_size=12))
def test_thresholds_as_the_kernel_finds_them(initial: list[int], usage: int, looks: list[tuple[int, int | None]]) -> None:
    """`looks`: the usage, and a threshold that is added then."""
    told: list[int] = []
    ours = Thresholds()

    def add(threshold: int, usage: int) -> None:
        ours.add(Watch(lambda: told.append(threshold), lambda watch: None, threshold=threshold), usage)

    for threshold in initial:
        add(threshold, usage)
    kernel = KernelThresholds(initial, usage)
    for now, added in looks:
        ours.look(now)
        assert told == kernel.look(now)
        told.clear()
        if added is not None:
            add(added, now)
            kernel = KernelThresholds([*kernel.entries, added], now)
