"""oom_v1.py: whom the OOM killer of 6.18 chooses, what it counts, and what happens where it is disabled."""

from __future__ import annotations

from typing import Any

import pytest

from memcgfs import mm
from memcgfs.mm.oom_v1 import adj_of, score_adj_of
from tests.conftest import MakeMachine


@pytest.fixture
def make_v1(make_small: MakeMachine) -> MakeMachine:
    """Without swap, and page tables for nothing."""

    def make(frames: int = 4096, **fields: Any) -> mm.Machine:
        return make_small(frames, 0, **{"rules": "v1", "model": "cgroups2008", "charges_kmem": False} | fields)

    return make


def test_a_writer_dies_at_its_limit(make_v1: MakeMachine) -> None:
    machine = make_v1()
    a = machine.create_container()
    a.limit = 64
    task = machine.spawn(10, a, comm="writer")
    with pytest.raises(mm.OutOfMemory) as refusal:
        task.touch(0, 100)
    assert (refusal.value.args[1], task.state, task.died, a.oom_kills, a.usage) == (64, "Z", "out of memory", 1, 0)
    assert "Memory cgroup out of memory: Killed process 10 (writer) total-vm:400kB, anon-rss:256kB" in machine.log[-1]


def test_limit_0_kills_at_the_first_page(make_v1: MakeMachine) -> None:
    machine = make_v1()
    a = machine.create_container()
    a.limit = 0
    task = machine.spawn(10, a)
    with pytest.raises(mm.OutOfMemory):
        task.touch(0, 1)
    assert (task.state, a.oom_kills) == ("Z", 1)


def test_the_biggest_dies_and_the_toucher_goes_on(make_v1: MakeMachine) -> None:
    """In the whole subtree of the limit that was met; the kill is counted where the victim is."""
    machine = make_v1()
    a = machine.create_container()
    b, c, other = machine.create_container(a), machine.create_container(a), machine.create_container()
    outsider, big, small = machine.spawn(10, other), machine.spawn(11, b), machine.spawn(12, c)
    outsider.touch(0, 500)
    big.touch(0, 60)
    small.touch(0, 30)
    a.limit = 100
    small.touch(30, 20)
    assert [task.state for task in (outsider, big, small)] == ["R", "Z", "R"]
    assert [box.oom_kills for box in (a, b, c, other)] == [0, 1, 0, 0]
    assert (small.rss_pages, a.usage) == (50, 50)


def test_what_it_has_elsewhere_counts(make_v1: MakeMachine) -> None:
    machine = make_v1()
    a, b = machine.create_container(), machine.create_container()
    mover, stayer = machine.spawn(10, b), machine.spawn(11, a)
    mover.touch(0, 80)
    machine.attach(mover, a)
    a.limit = 40
    with pytest.raises(mm.OutOfMemory):
        stayer.touch(0, 60)
    assert [task.state for task in (mover, stayer)] == ["Z", "Z"]
    assert a.oom_kills == 2


def test_the_zero_page_is_nobodys_memory(make_v1: MakeMachine) -> None:
    """Who only reads what nobody wrote has nothing, however much of it."""
    machine = make_v1()
    a = machine.create_container()
    reader, writer = machine.spawn(10, a), machine.spawn(11, a)
    reader.touch(0, 400, write=False)
    child = reader.fork(12)
    assert (reader.rss_pages, child.rss_pages) == (0, 0)
    reader.touch(0, 5)
    assert reader.rss_pages == 5
    child.munmap(0, 400)
    a.limit = 50
    with pytest.raises(mm.OutOfMemory):
        writer.touch(0, 60)
    assert [task.state for task in (reader, writer)] == ["R", "Z"]


@pytest.mark.parametrize(("limit", "victim"), [(900, 10), (1100, 11), (1999, 11), (2001, 11)])
def test_adjusting_works_from_a_thousand_pages_on(make_v1: MakeMachine, limit: int, victim: int) -> None:
    """A thousandth of the limit is 0, 1, 1 or 2 pages."""
    machine = make_v1(8192)
    a = machine.create_container()
    big, small = machine.spawn(10, a), machine.spawn(11, a)
    big.touch(0, 450)
    small.touch(0, 200)
    small.set_oom_score_adj(1000)
    a.limit = limit
    machine.spawn(12, a).touch(0, limit - 650)
    third = machine.tasks[12]
    third.set_oom_score_adj(-1000)
    third.touch(2048, 1)
    assert [task.pid for task in (big, small, third) if task.state == "Z"] == [victim]


def test_nobody_who_may_be_killed(make_v1: MakeMachine) -> None:
    """The charge is refused again and again, and the fault given up in the end: the kernel would go on."""
    machine = make_v1()
    a = machine.create_container()
    a.limit = 10
    task = machine.spawn(10, a)
    task.set_oom_score_adj(-1000)
    with pytest.raises(mm.OutOfMemory):
        task.touch(0, 11)
    assert (a.oom_kills, a.usage, task.state) == (0, 0, "Z")
    assert any("no killable processes" in line for line in machine.log)


def test_threads_die_together(make_v1: MakeMachine) -> None:
    machine = make_v1()
    a = machine.create_container()
    a.limit = 10
    leader = machine.spawn(10, a)
    thread = machine.clone_thread(leader, 11)
    with pytest.raises(mm.OutOfMemory):
        thread.touch(0, 11)
    assert (leader.state, thread.state, a.oom_kills) == ("Z", "Z", 1)


def test_the_two_scales() -> None:
    """fs/proc/base.c: rounded towards zero both ways, so that a value can come back smaller."""
    assert [score_adj_of(value) for value in (-17, -16, -1, 0, 1, 14, 15)] == [-1000, -941, -58, 0, 58, 823, 1000]
    assert [adj_of(value) for value in (-1000, -941, -58, 0, 58, 999, 1000)] == [-17, -15, 0, 0, 0, 16, 15]


def test_one_is_another_name_for_the_other(make_v1: MakeMachine) -> None:
    task = make_v1().spawn(10)
    task.set_oom_adj(15)
    assert task.oom_score_adj == 1000
    task.set_oom_score_adj(-1000)
    assert task.oom_adj == -17
    child = task.fork(11)
    assert (child.oom_score_adj, child.oom_adj) == (-1000, -17)
    with pytest.raises(mm.BadValue):
        task.set_oom_score_adj(1001)


def test_score_shown(make_v1: MakeMachine) -> None:
    """fs/proc/base.c: proc_oom_score, two thirds of 1000 for who has nothing."""
    machine = make_v1(4096)
    task = machine.spawn(10)
    assert task.oom_score == 666
    task.touch(0, 2048)
    assert task.oom_score == 1000
    task.set_oom_score_adj(-1000)
    assert task.oom_score == 0


def test_where_the_killer_is_disabled_a_charge_is_refused(make_v1: MakeMachine) -> None:
    """A system call fails; its task lives."""
    machine = make_v1()
    a = machine.create_container()
    a.limit, a.oom_kill_disable = 20, True
    task = machine.spawn(10, a)
    task.mmap(0, 20, locked=True)
    file = machine.create_shared_memory(10)
    with pytest.raises(mm.OutOfMemory):
        task.write_file(file, 0, 5)
    file.put()
    with pytest.raises(mm.OutOfMemory):
        task.mmap(512, 2, locked=True)
    assert (task.state, a.usage, a.oom_kills) == ("R", 20, 0)


def test_machine_wide(make_v1: MakeMachine) -> None:
    """Whoever has most, and not the toucher's child."""
    machine = make_v1(256)
    hog, toucher = machine.spawn(10), machine.spawn(11)
    hog.touch(0, 150)
    toucher.touch(0, 200)
    assert (hog.state, toucher.state, machine.root.oom_kills) == ("Z", "R", 1)
    assert "Out of memory: Killed process 10" in machine.log[-1]
