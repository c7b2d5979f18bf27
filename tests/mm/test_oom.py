"""The OOM killer: a container's (patch 7/9) and the machine's (mm/oom_kill.c of 2.6.23)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from memcgfs import mm
from memcgfs.mm.oom import badness
from memcgfs.mm.params import AT_CONGESTION_WAIT
from tests.conftest import MakeMachine

from .looking import once_at

SECOND_NS = 1_000_000_000
JIFFY_NS = 1_000_000
Change = Callable[[mm.Task], object]


def points(task: mm.Task, container: mm.Container | None = None) -> int:
    return badness(task, task.machine.clock_ns, None if container is None else container.cid)


# badness


def grown_old(task: mm.Task) -> None:
    """2^14 s >> 10 is 16; the root of its root is 2."""
    task.machine.advance((1 << 14) * SECOND_NS)


def worked_hard(task: mm.Task) -> None:
    """2^17 jiffies >> 13 is 16, whose root is 4. (Its run time of 131 s >> 10 is 0.)"""
    task.run((1 << 17) * JIFFY_NS)


def adjusted(value: int) -> Change:
    return lambda task: task.set_oom_adj(value)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda task: None, 160),
        (grown_old, 80),
        (worked_hard, 40),
        (lambda task: task.set_nice(1), 320),
        (lambda task: task.set_nice(-20), 160),
        (lambda task: task.setuid(0), 10),
        (adjusted(3), 1280),
        (adjusted(-3), 20),
        (adjusted(-16), 0),
        (adjusted(-17), 0),
    ],
)
def test_what_makes_a_task_bad(make_small: MakeMachine, change: Change, expected: int) -> None:
    """160 pages are mapped; how many of them are there does not matter."""
    task = make_small().spawn(100)
    task.mmap(0, 160)
    task.touch(0, 3)
    change(task)
    assert points(task) == task.oom_score == expected


def test_a_task_of_0_points_can_be_adjusted_upwards(make_small: MakeMachine) -> None:
    task = make_small().spawn(100)
    assert points(task) == 0
    task.set_oom_adj(4)
    assert points(task) == 16


def test_children_count_half_of_theirs_and_1_unless_they_share(make_small: MakeMachine) -> None:
    task = make_small().spawn(100)
    task.mmap(0, 10)
    task.fork(101)
    task.machine.clone_thread(task, 102)
    assert points(task) == 10 + (10 // 2 + 1)


def test_memory_charged_elsewhere_scores_0(make_small: MakeMachine) -> None:
    machine = make_small()
    here, there = machine.create_container(), machine.create_container()
    task = machine.spawn(100, here)
    task.mmap(0, 10)
    assert (points(task, here), points(task, there), points(task)) == (10, 0, 10)


def test_the_dead_score_0(make_small: MakeMachine) -> None:
    task = make_small().spawn(100)
    task.mmap(0, 10)
    task.exit()
    assert points(task) == 0


@pytest.mark.parametrize("value", [-18, 16, 100])
def test_oom_adj_has_a_range(make_small: MakeMachine, value: int) -> None:
    with pytest.raises(mm.BadValue):
        make_small().spawn(100).set_oom_adj(value)


# A container's kill


def full(make_small: MakeMachine, pids: tuple[int, ...] = (100,)) -> tuple[mm.Machine, mm.Container, list[mm.Task]]:
    """A container of 6 pages with the tasks, which share them out; there is no swap."""
    machine = make_small(swap_pages=0)
    container = machine.create_container()
    container.limit = 6
    tasks = [machine.spawn(pid, container, comm=f"task{pid}") for pid in pids]
    for task in tasks:
        task.touch(0, 6 // len(tasks))
    return machine, container, tasks


def overrun(task: mm.Task) -> None:
    with pytest.raises(mm.OutOfMemory):
        task.touch(1000, 1)


def test_six_fruitless_rounds_then_the_kill(make_small: MakeMachine) -> None:
    machine, container, (task,) = full(make_small)
    overrun(task)
    assert (container.failcnt, container.usage, container.css_refs) == (6, 0, 0)
    assert machine.clock_ns == 500_000_000
    assert (task.state, task.touched) == ("Z", "0 of 1")
    assert task.died == "out of memory"


def test_the_log_names_the_victim_and_why(make_small: MakeMachine) -> None:
    machine, _, (task,) = full(make_small)
    overrun(task)
    lines = [line.partition("] ")[2] for line in machine.log]
    assert lines == [
        "[  100] uid 1000 total_vm 7 rss 6 oom_adj 0 points 7 chosen",
        "Memory container out of memory: kill process 100 (task100) score 7 or a child",
        "Killed process 100 (task100)",
        "VM: killing process task100",
    ]
    assert machine.log[0].startswith("[    0.500000] ")


def test_the_worst_dies_and_so_does_whoever_faulted(make_small: MakeMachine) -> None:
    _, container, (bad, meek) = full(make_small, (100, 200))
    bad.mmap(500, 50)
    overrun(meek)
    assert (bad.died, meek.died) == ("out of memory", "killed: out of memory in a page fault")
    assert container.usage == 0


def test_the_first_of_equals_is_taken(make_small: MakeMachine) -> None:
    """The one that was made first, whatever its pid."""
    _, _, (first, second) = full(make_small, (200, 100))
    first.mmap(500, 1)
    overrun(second)
    assert first.is_memdie
    assert not second.is_memdie


def test_a_child_with_memory_of_its_own_dies_first_and_then_the_faulter(make_small: MakeMachine) -> None:
    machine, _, (task,) = full(make_small)
    machine.clone_thread(task, 150)
    child = task.fork(101)
    machine.attach(child, machine.create_container())
    overrun(task)
    assert child.died == "out of memory"
    assert not task.is_memdie
    assert task.died == "killed: out of memory in a page fault"


def test_a_child_that_must_not_be_killed_is_passed_over(make_small: MakeMachine) -> None:
    _, _, (task,) = full(make_small)
    child = task.fork(101)
    child.set_oom_adj(-17)
    overrun(task)
    assert child.state == "R"
    assert task.is_memdie


def test_an_outsider_is_hit_where_nobody_inside_scores(make_small: MakeMachine) -> None:
    """The first task looked at is taken even at 0 points. Inside is only one that must not be killed; it dies of its fault."""
    machine = make_small(swap_pages=0)
    outsider = machine.spawn(50)
    outsider.touch(0, 3)
    container = machine.create_container()
    container.limit = 2
    task = machine.spawn(100, container)
    task.set_oom_adj(-17)
    task.touch(0, 2)
    overrun(task)
    assert outsider.died == "out of memory"
    assert task.died == "killed: out of memory in a page fault"
    assert any("points 0 chosen, charged elsewhere" in line for line in machine.log)


def test_the_worst_with_minus_17_is_spared(make_small: MakeMachine) -> None:
    _, container, (bad, meek) = full(make_small, (100, 200))
    bad.mmap(500, 50)
    bad.set_oom_adj(-17)
    overrun(meek)
    assert (bad.state, meek.is_memdie, container.usage) == ("R", True, 3)


def test_nobody_else_is_killed_while_somebody_is_dying(make_small: MakeMachine) -> None:
    """The victim is marked, but has not got to run yet: the selector sees it and lets be. The faulting task dies of its fault alone."""
    machine, _, (bad, meek) = full(make_small, (100, 200))
    bad.is_memdie = True
    overrun(meek)
    assert bad.state == "R"
    assert meek.died == "killed: out of memory in a page fault"
    assert list(machine.log) == [line for line in machine.log if line.endswith("VM: killing process task200")]


def test_all_threads_of_the_memory_die(make_small: MakeMachine) -> None:
    machine, _, (task,) = full(make_small)
    thread = machine.clone_thread(task, 101)
    overrun(task)
    assert (task.state, thread.state, thread.died) == ("Z", "Z", "out of memory")


def test_memory_with_one_thread_of_minus_17_is_not_killed(make_small: MakeMachine) -> None:
    """The kernel would choose it again, for ever; here the log says so, and the fault kills the thread that made it."""
    machine, _, (task,) = full(make_small)
    thread = machine.clone_thread(task, 101)
    thread.set_oom_adj(-17)
    overrun(task)
    assert thread.state == "R"
    assert any("cannot be killed" in line for line in machine.log)


def test_a_victim_that_runs_nowhere_dies_while_the_faulter_waits(make_small: MakeMachine) -> None:
    """Killed in the middle of somebody else's charge: its pages are gone before the next round, which succeeds."""
    machine, container, (bad, meek) = full(make_small, (100, 200))
    once_at(machine, AT_CONGESTION_WAIT, lambda: machine.send_sigkill(bad, "shot"))
    meek.touch(1000, 1)
    assert (bad.state, meek.state, container.failcnt, container.usage) == ("Z", "R", 1, 4)


def test_a_task_that_is_killed_while_it_reclaims_ends_there(make_small: MakeMachine) -> None:
    machine, container, (task,) = full(make_small)
    once_at(machine, AT_CONGESTION_WAIT, lambda: machine.send_sigkill(task, "shot"))
    overrun(task)
    assert (task.state, task.died, container.usage) == ("Z", "shot", 0)


# The machine's kill


def test_without_memory_and_swap_the_worst_task_of_all_dies_and_the_fault_goes_on(make_small: MakeMachine) -> None:
    machine = make_small(swap_pages=0, frames=32)
    hog, small = machine.spawn(100), machine.spawn(200)
    hog.touch(0, 25)
    small.touch(0, 8)
    assert (hog.died, small.state, small.rss_pages) == ("out of memory", "R", 8)
    assert any("Out of memory: kill process 100" in line for line in machine.log)
    assert machine.log[0].endswith("task invoked oom-killer: gfp_mask=0x280d2, order=0, oomkilladj=0")


def test_the_machine_fails_the_request_where_nobody_may_be_killed(make_small: MakeMachine) -> None:
    machine = make_small(swap_pages=0, frames=32)
    task = machine.spawn(100)
    task.set_oom_adj(-17)
    with pytest.raises(mm.OutOfMemory):
        task.touch(0, 40)
    assert any("no killable processes" in line for line in machine.log)
    assert task.died == "killed: out of memory in a page fault"


def test_who_is_killed_by_the_machine_while_it_faults_takes_what_there_is(make_small: MakeMachine) -> None:
    """min is 4 pages, which only the dying may take: the fault succeeds, and the task ends when it is over."""
    machine = make_small(swap_pages=0, frames=32, min_free_kbytes=16)
    task = machine.spawn(100)
    with pytest.raises(mm.OutOfMemory):
        task.touch(0, 40)
    assert task.died == "out of memory"
    assert machine.vmstat()["pgalloc_dma"] == 31 - 4 + 1


def test_its_fault_killed_nobody(make_small: MakeMachine) -> None:
    """The fault succeeded, so the log has no line of the fault handler's."""
    machine = make_small(swap_pages=0, frames=32, min_free_kbytes=16)
    with pytest.raises(mm.OutOfMemory):
        machine.spawn(100).touch(0, 40)
    assert not any("VM: killing process" in line for line in machine.log)
