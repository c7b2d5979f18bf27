"""Two operations at once (Machine.race), and system calls that fault pages in without dying of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from memcgfs import mm
from tests.conftest import MakeMachine

from .test_rules2008 import machine_of_2008

WAIT_NS = 100_000_000


def kills(machine: mm.Machine) -> list[str]:
    words = ("Memory cgroup out of memory: ", "Killed process ", "VM: killing process ")
    lines = [line.split("] ", 1)[1] for line in machine.log]
    return [line for line in lines if line.startswith(words)]


def family_at_the_limit(make_machine: MakeMachine) -> tuple[mm.Machine, mm.Container, mm.Task, mm.Task]:
    machine = machine_of_2008(make_machine, ram_bytes=64 << 20, swap_bytes=0)
    group = machine.create_container()
    group.limit = 8
    parent = machine.spawn(10, group)
    parent.touch(0, 8)
    return machine, group, parent, parent.fork(11)


def test_one_after_the_other_the_second_need_not_wait(make_machine: MakeMachine) -> None:
    """The child's copy is refused, and the child killed for it, first of the two; the parent is then alone with the page."""
    _, group, parent, child = family_at_the_limit(make_machine)
    with pytest.raises(mm.OutOfMemory):
        child.touch(0, 1)
    parent.touch(0, 1)
    assert (child.state, parent.state, group.failcnt, group.usage) == ("Z", "R", 6, 8)


def test_at_once_both_wait_and_both_die(make_machine: MakeMachine) -> None:
    """Recorded: a fork at the limit kills the child, and then the parent, with failcnt 12. While the parent waits the child asks for a
    copy of the same page; it is killed, and exits at the parent's next wait, who was refused a page already and goes on to ask."""
    machine, group, parent, child = family_at_the_limit(make_machine)
    with pytest.raises(mm.OutOfMemory):
        machine.race(lambda: parent.touch(0, 1), lambda: child.touch(0, 1))
    assert (child.state, parent.state, group.failcnt, group.usage) == ("Z", "Z", 12, 0)
    assert [line.partition(" score")[0] for line in kills(machine)] == [
        "Memory cgroup out of memory: kill process 10 (task)", "Killed process 11 (task)", "VM: killing process task",
        "Memory cgroup out of memory: kill process 10 (task)", "Killed process 10 (task)", "VM: killing process task",
    ]  # fmt: skip
    assert machine.clock_ns == 10 * WAIT_NS


def test_where_nobody_waits_the_second_comes_after_the_first(make_small: MakeMachine) -> None:
    machine = make_small()
    order: list[str] = []
    one, other = machine.spawn(10), machine.spawn(11)

    def telling(task: mm.Task, name: str) -> Callable[[], None]:
        def run() -> None:
            task.touch(0, 2)
            order.append(name)

        return run

    machine.race(telling(one, "first"), telling(other, "second"))
    assert order == ["first", "second"]
    assert (one.rss_pages, other.rss_pages) == (2, 2)
    assert machine.on_interleave is None


def test_the_first_ones_refusal_is_the_one_that_is_raised(make_small: MakeMachine) -> None:
    machine = make_small()
    task = machine.spawn(10)
    with pytest.raises(mm.BadRange):
        machine.race(lambda: task.touch(-1, 1), lambda: task.madvise(0, 1, "nonsense"))
    with pytest.raises(mm.BadValue):
        machine.race(lambda: task.touch(0, 1), lambda: task.madvise(0, 1, "nonsense"))
    assert task.rss_pages == 1


@pytest.mark.parametrize(("rules", "locked"), [("2007", False), ("2007", True), ("2008", False), ("2008", True)])
def test_mlock_fails_but_nobody_dies_of_its_fault(make_machine: MakeMachine, rules: str, locked: bool) -> None:
    """Recorded: what mlock asks for in vain kills whom the OOM killer chooses, and prints no "VM: killing process". Here it chooses a
    larger task, whose pages it frees too late for this call."""
    machine = make_machine(ram_bytes=64 << 20, swap_bytes=0, rules=rules, model="cgroups2008", disk=mm.DiskConfig(0, 0, 8))
    group = machine.create_container()
    group.limit = 8
    large, small = machine.spawn(10, group), machine.spawn(11, group)
    large.touch(0, 6)
    large.mmap(1000, 100)
    small.mmap(0, 4)
    ask = small.mlock if locked else small.touch
    with pytest.raises(mm.OutOfMemory) as refusal:
        ask(0, 4)
    assert refusal.value.args[1] == 2
    assert (large.state, small.state) == ("Z", "R" if locked else "Z")
    assert any("VM: killing process" in line for line in machine.log) == (not locked)
    if locked:
        assert small.touch(0, 4).minor == 2
