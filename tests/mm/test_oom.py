"""The OOM killer: a container's (patch 7/9) and the machine's (mm/oom_kill.c of 2.6.23)."""

from __future__ import annotations

from collections.abc import Callable
from math import isqrt

import pytest

from memcgfs import mm
from memcgfs.mm.oom import badness, select_bad_process
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


@pytest.mark.fact("O6", "O7", "O8", "O9")
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


@pytest.mark.fact("O7")
def test_age_is_counted_in_whole_seconds_of_the_clock(make_small: MakeMachine) -> None:
    """From 0.9 s to 16384.1 s: the clock shows 16,384 seconds more, though a second less has gone. 16384 >> 10 is 16: divided by 2."""
    machine = make_small()
    machine.advance(900_000_000)
    task = machine.spawn(100)
    task.mmap(0, 160)
    machine.advance(16383 * SECOND_NS + 200_000_000)
    assert points(task) == 80


@pytest.mark.fact("O7")
def test_age_and_cpu_time_below_their_units_do_not_count(make_small: MakeMachine) -> None:
    """8.191 s of cpu time are 8191 jiffies >> 13: 0. 1023 s are 0 as well. One jiffy more is 1, and divides by 1."""
    machine = make_small()
    task = machine.spawn(100)
    task.mmap(0, 160)
    task.run(8191 * JIFFY_NS)
    machine.advance(1014 * SECOND_NS)
    assert points(task) == 160
    task.run(JIFFY_NS + 3 * 8192 * JIFFY_NS)
    assert points(task) == 80


def int_sqrt(number: int) -> int:
    """The root by its binary digits, from the highest: as lib/int_sqrt.c finds it."""
    root = 0
    for bit in range(31, -1, -1):
        if (root | 1 << bit) ** 2 <= number:
            root |= 1 << bit
    return root


def test_isqrt_is_the_kernels_root() -> None:
    squares = [root**2 + near for root in (1, 2, 3, 255, 65535, 65536, (1 << 32) - 1) for near in (-1, 0, 1)]
    for number in [*range(5000), *squares, (1 << 64) - 1]:
        assert isqrt(number) == int_sqrt(number), number


@pytest.mark.fact("O10")
@pytest.mark.parametrize(("arch", "largest"), [("x86_64", (1 << 64) - 1), ("i386", (1 << 32) - 1)])
def test_who_swaps_off_has_all_points_there_are(make_small: MakeMachine, arch: str, largest: int) -> None:
    """PF_SWAPOFF: at once, whatever would be taken off; but where memory of a container is short and its own is elsewhere, 0."""
    machine = make_small(arch=arch)
    task = machine.spawn(100)
    task.set_oom_adj(-16)
    task.setuid(0)
    task.is_swapping_off = True
    assert points(task) == task.oom_score == largest
    assert points(task, machine.create_container()) == 0


@pytest.mark.parametrize(("arch", "expected"), [("x86_64", (1 << 17) << 15), ("i386", 0)])
def test_points_are_an_unsigned_long(make_small: MakeMachine, arch: str, expected: int) -> None:
    """512 MB of address space, shifted left by 15: 2^32."""
    task = make_small(arch=arch).spawn(100)
    task.mmap(0, 1 << 17)
    task.set_oom_adj(15)
    assert points(task) == expected


@pytest.mark.fact("O6")
def test_children_count_half_of_theirs_and_1_unless_they_share(make_small: MakeMachine) -> None:
    task = make_small().spawn(100)
    task.mmap(0, 10)
    task.fork(101)
    task.machine.clone_thread(task, 102)
    assert points(task) == 10 + (10 // 2 + 1)


@pytest.mark.fact("O2")
def test_memory_charged_elsewhere_scores_0(make_small: MakeMachine) -> None:
    machine = make_small()
    here, there = machine.create_container(), machine.create_container()
    task = machine.spawn(100, here)
    task.mmap(0, 10)
    assert (points(task, here), points(task, there), points(task)) == (10, 0, 10)


@pytest.mark.fact("O11")
def test_the_dead_score_0(make_small: MakeMachine) -> None:
    task = make_small().spawn(100)
    task.mmap(0, 10)
    task.exit()
    assert points(task) == 0


@pytest.mark.fact("O9")
@pytest.mark.parametrize("value", [-18, 16, 100])
def test_oom_adj_has_a_range(make_small: MakeMachine, value: int) -> None:
    with pytest.raises(mm.BadValue):
        make_small().spawn(100).set_oom_adj(value)


# Whom the selector looks at, in which order


def chosen(machine: mm.Machine) -> int:
    victim, _, _ = select_bad_process(machine, None)
    assert victim is not None
    return victim.pid


def test_threads_are_looked_at_behind_their_leader(make_small: MakeMachine) -> None:
    """Made in the order 100, 200, 101, where 101 is a thread of 100, whose points are less: 101 and 200 have the same, 101 comes first."""
    machine = make_small()
    leader, other = machine.spawn(100), machine.spawn(200)
    machine.clone_thread(leader, 101)
    leader.mmap(0, 8)
    other.mmap(0, 8)
    leader.set_oom_adj(-1)
    assert chosen(machine) == 101


@pytest.mark.fact("O2", "O11")
def test_the_first_is_taken_even_at_0_points_and_strictly_more_wins(make_small: MakeMachine) -> None:
    machine = make_small()
    first, second, third = (machine.spawn(pid) for pid in (300, 200, 100))
    assert chosen(machine) == 300
    second.mmap(0, 1)
    third.mmap(0, 1)
    assert chosen(machine) == 200
    third.mmap(8, 1)
    assert chosen(machine) == 100
    third.set_oom_adj(-17)
    assert chosen(machine) == 200
    first.exit()
    second.exit()
    assert select_bad_process(machine, None) == (None, 0, False)


@pytest.mark.fact("O3")
def test_somebody_dying_ends_the_search(make_small: MakeMachine) -> None:
    """TIF_MEMDIE, of whomever, also behind a victim that was found; but not of one that has given its memory back."""
    machine = make_small()
    bad, dying = machine.spawn(100), machine.spawn(200)
    bad.mmap(0, 100)
    dying.is_memdie = True
    assert select_bad_process(machine, None) == (None, 0, True)
    dying.exit()
    assert chosen(machine) == 100


@pytest.mark.fact("O10")
def test_who_swaps_off_is_killed_and_its_score_reads_minus_1(make_small: MakeMachine) -> None:
    """The largest unsigned long, printed as a long. The hog has 27 points and more."""
    machine = make_small(swap_pages=0, frames=32)
    hog, swapoff = machine.spawn(100, comm="hog"), machine.spawn(200, comm="swapoff")
    swapoff.is_swapping_off = True
    swapoff.touch(0, 1)
    hog.touch(0, 27)
    hog.touch(27, 2)
    assert (hog.state, swapoff.died) == ("R", "out of memory")
    assert any(line.endswith("Out of memory: kill process 200 (swapoff) score -1 or a child") for line in machine.log)


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


@pytest.mark.fact("L4")
def test_six_fruitless_rounds_then_the_kill(make_small: MakeMachine) -> None:
    machine, container, (task,) = full(make_small)
    overrun(task)
    assert (container.failcnt, container.usage, container.css_refs) == (6, 0, 0)
    assert machine.clock_ns == 500_000_000
    assert (task.state, task.touched) == ("Z", "0 of 1")
    assert task.died == "out of memory"


@pytest.mark.fact("O1")
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


@pytest.mark.fact("O5")
def test_the_worst_dies_and_so_does_whoever_faulted(make_small: MakeMachine) -> None:
    _, container, (bad, meek) = full(make_small, (100, 200))
    bad.mmap(500, 50)
    overrun(meek)
    assert (bad.died, meek.died) == ("out of memory", "killed: out of memory in a page fault")
    assert container.usage == 0


@pytest.mark.fact("O11")
def test_the_first_of_equals_is_taken(make_small: MakeMachine) -> None:
    """The one that was made first, whatever its pid."""
    _, _, (first, second) = full(make_small, (200, 100))
    first.mmap(500, 1)
    overrun(second)
    assert first.is_memdie
    assert not second.is_memdie


@pytest.mark.fact("O4", "O5")
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


@pytest.mark.fact("O2")
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


@pytest.mark.fact("O15")
def test_where_nobody_may_be_killed_it_turns_to_the_faulter(make_small: MakeMachine) -> None:
    """The only task there is has -17: chosen for want of another, it is not killed for being chosen, but its fault kills it."""
    machine, _, (task,) = full(make_small)
    task.set_oom_adj(-17)
    overrun(task)
    lines = [line.partition("] ")[2] for line in machine.log]
    assert lines[1:] == [
        "Memory container out of memory: kill process 100 (task100) score 0 or a child",
        "process 100 (task100) cannot be killed: the kernel would choose it again, for ever",
        "VM: killing process task100",
    ]
    assert task.died == "killed: out of memory in a page fault"


@pytest.mark.fact("O9")
def test_the_worst_with_minus_17_is_spared(make_small: MakeMachine) -> None:
    _, container, (bad, meek) = full(make_small, (100, 200))
    bad.mmap(500, 50)
    bad.set_oom_adj(-17)
    overrun(meek)
    assert (bad.state, meek.is_memdie, container.usage) == ("R", True, 3)


@pytest.mark.fact("O3")
def test_nobody_else_is_killed_while_somebody_is_dying(make_small: MakeMachine) -> None:
    """The victim is marked, but has not got to run yet: the selector sees it and lets be. The faulting task dies of its fault alone."""
    machine, _, (bad, meek) = full(make_small, (100, 200))
    bad.is_memdie = True
    overrun(meek)
    assert bad.state == "R"
    assert meek.died == "killed: out of memory in a page fault"
    assert list(machine.log) == [line for line in machine.log if line.endswith("VM: killing process task200")]


@pytest.mark.fact("O12")
def test_all_threads_of_the_memory_die(make_small: MakeMachine) -> None:
    machine, _, (task,) = full(make_small)
    thread = machine.clone_thread(task, 101)
    overrun(task)
    assert (task.state, thread.state, thread.died) == ("Z", "Z", "out of memory")


@pytest.mark.fact("O12")
def test_memory_with_one_thread_of_minus_17_is_not_killed(make_small: MakeMachine) -> None:
    """The kernel would choose it again, for ever; here the log says so, and the fault kills the thread that made it."""
    machine, _, (task,) = full(make_small)
    thread = machine.clone_thread(task, 101)
    thread.set_oom_adj(-17)
    overrun(task)
    assert thread.state == "R"
    assert any("cannot be killed" in line for line in machine.log)


@pytest.mark.fact("O5")
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


@pytest.mark.fact("B7", "O13")
def test_without_memory_and_swap_the_worst_task_of_all_dies_and_the_fault_goes_on(make_small: MakeMachine) -> None:
    machine = make_small(swap_pages=0, frames=32)
    hog, small = machine.spawn(100), machine.spawn(200)
    hog.touch(0, 25)
    small.touch(0, 8)
    assert (hog.died, small.state, small.rss_pages) == ("out of memory", "R", 8)
    assert any("Out of memory: kill process 100" in line for line in machine.log)
    assert machine.log[0].endswith("task invoked oom-killer: gfp_mask=0xd2, order=0, oomkilladj=0")


def test_the_request_fails_where_the_victim_cannot_be_killed(make_small: MakeMachine) -> None:
    """The kernel would choose it again, for ever. (Where there is no victim at all it panics: test_panic.py.)"""
    machine = make_small(swap_pages=0, frames=32)
    task = machine.spawn(100)
    thread = machine.clone_thread(task, 101)
    thread.set_oom_adj(-17)
    with pytest.raises(mm.OutOfMemory):
        task.touch(0, 40)
    assert any("process 100 (task) cannot be killed" in line for line in machine.log)
    assert (task.died, thread.state) == ("killed: out of memory in a page fault", "R")


def test_a_request_of_the_kernels_own_says_so(make_small: MakeMachine) -> None:
    """A page for names (GFP_KERNEL), not for a user."""
    machine = make_small(swap_pages=0)
    task = machine.spawn(100)
    task.mmap(0, 60, locked=True)
    with pytest.raises(mm.OutOfMemory):
        task.lookup(100)
    assert machine.log[0].endswith("task invoked oom-killer: gfp_mask=0xd0, order=0, oomkilladj=0")


@pytest.mark.fact("O14")
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
