"""Tasks that wait for memory where the OOM killer is disabled: who is woken by what, when, and what becomes of their operations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memcgfs import mm
from memcgfs.mm import pure
from tests.conftest import MakeMachine

from .test_memcg_events import V1, Signals

LIMIT = 50


class Group:
    """A container whose killer is disabled, and tasks in it."""

    def __init__(self, machine: mm.Machine, limit: int = LIMIT) -> None:
        self.machine = machine
        self.container = machine.create_container()
        self.container.limit = limit
        self.container.oom_kill_disable = True
        self.next_pid = 101

    def task(self, container: mm.Container | None = None) -> mm.Task:
        self.next_pid += 1
        return self.machine.spawn(self.next_pid - 1, container or self.container)

    def waiting(self, npages: int, container: mm.Container | None = None) -> tuple[mm.Task, mm.WaitsForMemory]:
        """A task that touches so many pages, and waits."""
        task = self.task(container)
        with pytest.raises(mm.WaitsForMemory) as waits:
            task.touch(0, npages)
        return task, waits.value


@pytest.fixture
def make_group(make_small: MakeMachine) -> Callable[..., Group]:
    def make(limit: int = LIMIT, swap_pages: int = 0, **fields: Any) -> Group:
        return Group(make_small(512, swap_pages, **(V1 | fields)), limit)

    return make


@pytest.fixture
def group(make_group: Callable[..., Group]) -> Group:
    return make_group()


def progress(*tasks: mm.Task) -> list[str]:
    return [task.touched for task in tasks]


def test_the_operation_stays_under_way(group: Group) -> None:
    task, waits = group.waiting(LIMIT + 10)
    assert (task.state, task.wchan, task.touched) == ("D", "mem_cgroup_oom_synchronize", f"{LIMIT} of {LIMIT + 10}")
    assert group.container.under_oom
    assert group.container.oom_kills == 0
    with pytest.raises(mm.WaitsForMemory):
        waits.operation.outcome()
    for _ in range(3):
        group.machine.settle()
    group.machine.check()
    assert task.touched == f"{LIMIT} of {LIMIT + 10}"
    group.container.limit = LIMIT + 10
    assert task.state == "D"
    group.machine.settle()
    assert (task.state, task.wchan) == ("R", "0")
    assert waits.operation.outcome() == mm.Access(LIMIT + 10, LIMIT + 10, 0)
    assert not group.container.under_oom


def test_what_it_gets_little_by_little(group: Group) -> None:
    task, waits = group.waiting(LIMIT + 10)
    for limit in range(LIMIT + 1, LIMIT + 10):
        group.container.limit = limit
        group.machine.settle()
        assert task.touched == f"{limit} of {LIMIT + 10}"
        assert task.state == "D"
    group.container.limit = LIMIT + 10
    group.machine.settle()
    assert waits.operation.outcome().done == LIMIT + 10


@pytest.mark.fact("E7")
@pytest.mark.parametrize("what", ["same limit", "higher soft limit", "killer disabled again", "time", "moved", "unrelated"])
def test_what_wakes_nobody(group: Group, what: str) -> None:
    task, _ = group.waiting(LIMIT + 1)
    if what == "same limit":
        group.container.limit = LIMIT
    elif what == "higher soft limit":
        group.container.soft_limit = 1000
    elif what == "killer disabled again":
        group.container.oom_kill_disable = True
    elif what == "time":
        group.machine.advance(10**10)
    elif what == "moved":
        group.machine.attach(task, group.machine.root)
    else:
        other = group.machine.create_container()
        group.machine.spawn(7, other).touch(0, 10)
        group.machine.tasks[7].munmap(0, 10)
        other.limit = 1000
    assert not any(wait.is_woken for wait in group.machine.waits)
    group.machine.settle()
    assert task.state == "D"


def test_emptying_by_swapping_out_frees_nothing(make_group: Callable[..., Group]) -> None:
    """With as much memory and swap as memory, there is nothing to be had, though hardly any memory is used any more."""
    group = make_group(swap_pages=256)
    group.container.counter("memsw").resize(LIMIT)
    task, _ = group.waiting(LIMIT + 1)
    group.container.force_empty()
    group.machine.settle()
    assert task.state == "D"
    assert group.container.usage < 5
    group.container.counter("memsw").resize(LIMIT + 1)
    group.machine.settle()
    assert task.state == "R"


@pytest.mark.fact("E7")
def test_what_another_gives_back(group: Group) -> None:
    other = group.task()
    other.touch(0, 20)
    task, _ = group.waiting(LIMIT)
    other.munmap(0, 1)
    group.machine.settle()
    assert task.touched == f"31 of {LIMIT}"
    other.exit()
    group.machine.settle()
    assert task.state == "R"


def test_what_is_given_back_below_and_above(group: Group) -> None:
    """An uncharge in a group below is one here; one above is none, unless somebody waits there."""
    below = group.machine.create_container(group.container)
    other = group.task(below)
    other.touch(0, 20)
    task, _ = group.waiting(LIMIT)
    other.munmap(0, 20)
    group.machine.settle()
    assert task.state == "R"
    assert not below.under_oom


def test_a_limit_above(make_group: Callable[..., Group]) -> None:
    """It is the group whose limit was met that a task waits for, wherever it is itself."""
    group = make_group()
    below = group.machine.create_container(group.container)
    below.limit = LIMIT - 10
    task, _ = group.waiting(LIMIT, below)
    assert not group.container.under_oom
    assert below.under_oom
    below.limit = LIMIT + 100
    group.machine.settle()
    assert task.state == "R"
    more, _ = group.waiting(10, below)
    assert group.container.under_oom
    below.limit = LIMIT + 200  # it is under OOM, too, so that this wakes; but not enough
    group.machine.settle()
    assert more.state == "D"
    group.container.limit = LIMIT + 10
    group.machine.settle()
    assert more.state == "R"


def test_letting_the_killer_in(group: Group) -> None:
    task, waits = group.waiting(LIMIT + 1)
    group.container.oom_kill_disable = False
    group.machine.settle()
    with pytest.raises(mm.OutOfMemory):
        waits.operation.outcome()
    assert (task.state, group.container.oom_kills, group.container.usage) == ("Z", 1, 0)
    assert not group.container.under_oom


def test_the_death_of_who_waits(group: Group) -> None:
    """And of nobody else: what it gives back is the others'."""
    task, waits = group.waiting(LIMIT + 1)
    one, two = group.task(), group.task()
    for other in (one, two):
        with pytest.raises(mm.WaitsForMemory):
            other.touch(0, 2)
    task.exit()
    with pytest.raises(mm.OutOfMemory):
        waits.operation.outcome()
    group.machine.settle()
    assert (task.state, one.state, two.state) == ("Z", "R", "R")


def test_moved_and_its_group_gone(group: Group) -> None:
    task, waits = group.waiting(LIMIT + 1)
    group.machine.attach(task, group.machine.root)
    group.machine.remove_container(group.container)
    group.machine.settle()
    assert task.state == "D"
    group.machine.check()
    task.exit()
    with pytest.raises(mm.OutOfMemory):
        waits.operation.outcome()
    assert group.machine.offline == {}


def test_moved_it_pays_where_it_is_once_it_is_woken(group: Group) -> None:
    other = group.task()
    other.touch(0, 10)
    task, _ = group.waiting(LIMIT)
    elsewhere = group.machine.create_container()
    group.machine.attach(task, elsewhere)
    other.munmap(0, 1)
    group.machine.settle()
    assert task.state == "R"
    assert (group.container.usage, elsewhere.usage) == (LIMIT - 1, 10)


@pytest.mark.fact("E7")
def test_in_order_of_blocking(group: Group) -> None:
    """Not of their numbers; all that are woken fall asleep again in that order."""
    first = group.task()
    first.touch(0, LIMIT - 1)
    tasks = [group.machine.spawn(pid, group.container) for pid in (205, 203, 204)]
    for task in tasks:
        with pytest.raises(mm.WaitsForMemory):
            task.touch(0, 4)
    assert progress(*tasks) == ["1 of 4", "0 of 4", "0 of 4"]
    for limit, expected in ((LIMIT + 2, ["3 of 4", "0 of 4", "0 of 4"]), (LIMIT + 4, ["4 of 4", "1 of 4", "0 of 4"])):
        group.container.limit = limit
        group.machine.settle()
        assert progress(*tasks) == expected
    group.container.limit = LIMIT + 11
    group.machine.settle()
    assert progress(*tasks) == ["4 of 4"] * 3


def test_one_that_goes_on_may_let_another_go_on(make_group: Callable[..., Group]) -> None:
    """A page of a file that is reclaimed for one, or given up at its end."""
    group = make_group()
    hog = group.task()
    hog.touch(0, LIMIT - 10)
    one = group.task()
    steps: list[str] = []
    with pytest.raises(mm.WaitsForMemory):
        one.touch(0, 20)
    two, _ = group.waiting(5)
    hog.munmap(0, 12)
    group.machine.settle()
    steps += progress(one, two)
    one.exit()
    group.machine.settle()
    assert [*steps, *progress(two)] == ["20 of 20", "2 of 5", "5 of 5"]


@pytest.mark.fact("E7")
def test_a_system_call_is_refused_and_nobody_is_under_oom(group: Group) -> None:
    task = group.task()
    task.touch(0, LIMIT)
    task.mmap(1000, 10)
    with pytest.raises(mm.OutOfMemory):
        task.mlock(1000, 10)
    file = group.machine.create_file()
    with pytest.raises(mm.OutOfMemory):
        task.write_file(file, 0, 100)
    file.put()
    assert task.state == "R"
    assert not group.container.under_oom


def test_nothing_else_while_it_waits(group: Group) -> None:
    task, waits = group.waiting(LIMIT + 1)
    for operation in (
        lambda: task.touch(0, 1),
        lambda: task.munmap(0, 1),
        lambda: task.fork(300),
        lambda: task.run(10),
        lambda: task.exec(),
        lambda: task.write_mem(0, b"x"),
    ):
        with pytest.raises(mm.TaskWaits):
            operation()
    with pytest.raises(mm.WaitsForMemory):
        waits.operation.outcome()


def test_giving_up(group: Group) -> None:
    task, waits = group.waiting(LIMIT + 1)
    waits.operation.give_up()
    waits.operation.give_up()
    with pytest.raises(mm.OutOfMemory, match="interrupted"):
        waits.operation.outcome()
    assert task.state == "R"
    assert not group.container.under_oom
    task.munmap(0, LIMIT)
    assert task.touch(0, 10).done == 10


def test_what_is_written_to_memory_gets_there(group: Group) -> None:
    task = group.task()
    text = bytes(range(250)) * 40
    task.touch(0, LIMIT - 1)
    with pytest.raises(mm.WaitsForMemory) as waits:
        task.write_mem(100 * mm.PAGE_BYTES + 7, text)
    group.container.limit = LIMIT + 5
    group.machine.settle()
    assert waits.value.operation.outcome() == len(text)
    assert task.read_mem(100 * mm.PAGE_BYTES + 7, len(text)) == text


def test_what_is_read_from_memory_is_read(group: Group) -> None:
    """From swap, into a group that is full by now."""
    task = group.task()
    task.write_mem(0, b"hello")
    task.mmap(1000, 1, shared=True)
    group.task().touch(0, LIMIT - 1)
    with pytest.raises(mm.WaitsForMemory) as waits:
        task.read_mem(1000 * mm.PAGE_BYTES, 5)
    group.container.limit = LIMIT + 1
    group.machine.settle()
    assert waits.value.operation.outcome() == bytes(5)


def test_batches_of_accesses_keep_what_they_are_of(group: Group) -> None:
    """Whoever gave them may use his buffers for something else."""
    task = group.task()
    pages, writes = [*range(LIMIT), 600, 601, 3], [1] * LIMIT + [1, 0, 1]
    with pytest.raises(mm.WaitsForMemory) as waits:
        task.access(pages, writes)
    pages[:] = [0] * len(pages)
    group.container.limit = LIMIT + 1
    group.machine.settle()
    assert waits.value.operation.outcome() == mm.Access(LIMIT + 3, LIMIT + 2, 0)


@pytest.mark.fact("E8")
def test_each_wait_is_told_to_the_subtree(group: Group) -> None:
    """By the first that waits there: while it does, nobody else tells."""
    signals = Signals()
    below = group.machine.create_container(group.container)
    group.container.watch_oom(signals.of("group"))
    below.watch_oom(signals.of("below"))
    task, _ = group.waiting(LIMIT + 5)
    assert signals == ["group", "below"]
    group.waiting(1)
    assert signals == ["group", "below"]
    group.container.limit = LIMIT + 1
    group.machine.settle()
    assert signals == ["group", "below"] * 2
    below.watch_oom(signals.of("late"))
    assert signals[-1] == "late"
    task.exit()


def test_a_group_made_meanwhile_is_not_under_oom(group: Group) -> None:
    group.waiting(LIMIT + 1)
    below = group.machine.create_container(group.container)
    assert (group.container.under_oom, below.under_oom) == (True, False)
    group.machine.check()
    group.container.limit = LIMIT + 1
    group.machine.settle()
    assert (group.container.under_oom, below.under_oom) == (False, False)


def test_a_panic_ends_all_waits(group: Group) -> None:
    _, waits = group.waiting(LIMIT + 1)
    group.machine.panic("a test")
    group.machine.settle()
    with pytest.raises(mm.MachinePanicked):
        waits.operation.outcome()


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("touch"), st.integers(0, 3), st.integers(0, 30), st.integers(1, 30)),
        st.tuples(st.just("munmap"), st.integers(0, 3), st.integers(0, 30), st.integers(1, 30)),
        st.tuples(st.just("limit"), st.integers(0, 80)),
        st.tuples(st.just("limit below"), st.integers(0, 80)),
        st.tuples(st.just("move"), st.integers(0, 3), st.integers(0, 2)),
        st.tuples(st.just("exit"), st.integers(0, 3)),
        st.tuples(st.just("killer"), st.booleans()),
        st.tuples(st.just("give up"), st.integers(0, 3)),
        st.tuples(st.just("file"), st.integers(0, 3), st.integers(1, 20)),
    ),
    max_size=30,
)


@settings(max_examples=150, deadline=None)
@given(STEPS, st.sampled_from([0, 32]))
def test_whatever_happens_nobody_waits_in_vain(steps: list[tuple[Any, ...]], swap_pages: int) -> None:
    """The machine stays sound; nobody who waits could be served; and without limits all come to their end."""
    config = mm.MachineConfig(
        zone_pages=(1024, 0, 0, 0), swap_bytes=swap_pages * 4096, disk=mm.DiskConfig(0, 0, 8), min_free_kbytes=0, swap_cluster_max=4,
        pagevec_size=3, max_containers=8, rules="v1", model="cgroups2008", charges_kmem=False,
    )  # fmt: skip
    machine = mm.Machine(config, pure)
    top = machine.create_container()
    groups = [top, machine.create_container(top), machine.create_container(top)]
    for group in groups:
        group.oom_kill_disable = True
    tasks = [machine.spawn(101 + place, groups[1 + place % 2]) for place in range(4)]
    waits: dict[mm.Task, mm.WaitsForMemory] = {}
    file = machine.create_file()

    def do(step: tuple[Any, ...]) -> None:
        what, *arguments = step
        if what == "limit":
            top.limit = arguments[0]
        elif what == "limit below":
            groups[1].limit = arguments[0]
        elif what == "killer":
            for group in groups:
                group.oom_kill_disable = not arguments[0]
        else:
            task = tasks[arguments[0]]
            if what == "move":
                machine.attach(task, groups[arguments[1]])
            elif what == "exit":
                machine.exit(task, "exited")
            elif what == "give up":
                if task in waits:
                    waits[task].operation.give_up()
            elif what == "file":
                task.write_file(file, 0, arguments[1])
            else:
                getattr(task, what)(*arguments[1:])

    for step in steps:
        try:
            do(step)
        except mm.WaitsForMemory as wait:
            waits[wait.operation.task] = wait
        except mm.MachineError:
            pass
        machine.settle()
        machine.check()
        assert not any(wait.is_woken for wait in machine.waits)
        assert {wait.operation.task for wait in machine.waits} == {task for task in tasks if task.state == "D"}
    for group in groups:
        group.limit = 1000
    machine.settle()
    assert [task.state for task in tasks if task.state == "D"] == []
    for waited in waits.values():
        try:
            waited.operation.outcome()
        except mm.OutOfMemory:
            pass
    machine.check()
