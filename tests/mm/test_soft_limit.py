"""Soft limits (docs/v1.md Q6): whom a machine that is short of memory asks first."""

from __future__ import annotations

import pytest

from memcgfs.mm import Container, Machine
from tests.conftest import MakeMachine

HELD = 1200


def two_groups(make_machine: MakeMachine, **fields: object) -> tuple[Machine, Container, Container]:
    """Both hold as much, and the machine has more memory than that."""
    fields = {"ram_bytes": 16 << 20, "swap_bytes": 32 << 20, "max_containers": 64} | fields
    machine = make_machine(rules="v1", model="classic", charges_kmem=False, **fields)
    a, b = machine.create_container(), machine.create_container()
    machine.spawn(100, a).touch(0, HELD, write=True)
    machine.spawn(101, b).touch(0, HELD, write=True)
    assert (a.usage, b.usage) == (HELD, HELD)
    return machine, a, b


def need_more(machine: Machine, npages: int = 2200) -> None:
    machine.spawn(200).touch(0, npages, write=True)


@pytest.mark.parametrize("over", [0, 1])
def test_who_is_over_his_soft_limit_gives_first(make_machine: MakeMachine, over: int) -> None:
    machine, *groups = two_groups(make_machine)
    groups[over].soft_limit = 100
    need_more(machine)
    assert groups[over].usage < HELD // 2
    assert groups[1 - over].usage > HELD - 100
    machine.check()


def test_who_is_most_above_his_gives_first(make_machine: MakeMachine) -> None:
    machine, a, b = two_groups(make_machine)
    a.soft_limit, b.soft_limit = 1000, 100
    need_more(machine)
    assert b.usage < HELD // 2
    assert a.usage > b.usage + 300


def test_nobody_is_asked_first_where_all_are_within_theirs(make_machine: MakeMachine) -> None:
    """A soft limit above the usage is as none."""
    machine, a, b = two_groups(make_machine)
    a.soft_limit = HELD
    need_more(machine)
    with_it = a.usage, b.usage
    machine, a, b = two_groups(make_machine)
    need_more(machine)
    assert (a.usage, b.usage) == with_it


def test_a_group_answers_for_those_below_it(make_machine: MakeMachine) -> None:
    machine = make_machine(rules="v1", model="classic", charges_kmem=False, ram_bytes=16 << 20, swap_bytes=32 << 20, max_containers=64)
    top, other = machine.create_container(), machine.create_container()
    below = [machine.create_container(top) for _ in range(2)]
    for pid, group in enumerate([*below, other], start=100):
        machine.spawn(pid, group).touch(0, 800, write=True)
    top.soft_limit = 200
    need_more(machine)
    assert other.usage > 700
    assert all(group.usage < 600 for group in below)
    machine.check()


def test_who_has_nothing_to_give_is_passed_over(make_machine: MakeMachine) -> None:
    """What is locked in memory stays, however far above the soft limit: the next group is asked."""
    machine, a, b = two_groups(make_machine)
    machine.tasks[100].mlock(0, HELD)
    a.soft_limit, b.soft_limit = 0, 600
    need_more(machine)
    assert a.usage == HELD
    assert b.usage < HELD
    machine.check()


def test_a_soft_limit_is_no_limit(make_machine: MakeMachine) -> None:
    """Nothing happens as long as there is memory."""
    _, a, b = two_groups(make_machine)
    a.soft_limit = b.soft_limit = 0
    assert (a.usage, b.usage) == (HELD, HELD)
    assert a.counter("memory").failcnt == 0
