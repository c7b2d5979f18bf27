"""Where 2.6.23 panics (mm/oom_kill.c, kernel/panic.c): the operation ends, the machine stands still, and it is sound as it stands."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import pytest

from memcgfs import mm
from memcgfs.mm.params import AT_CONGESTION_WAIT, AT_META_PAGE_ALLOC
from tests.conftest import MakeMachine

from .looking import cold_task, once_at, reclaim_mapped

NOBODY = "Kernel panic - not syncing: Out of memory and no killable processes..."
SELECTED = "Kernel panic - not syncing: out of memory. panic_on_oom is selected"
COMPULSORY = "Kernel panic - not syncing: out of memory. Compulsory panic_on_oom is selected."
Operation = Callable[[mm.Machine], object]


def small(make_small: MakeMachine, panic_on_oom: int = 1) -> tuple[mm.Machine, mm.Task]:
    """31 frames and no swap: a page table, and pages for all but the 31st."""
    machine = make_small(swap_pages=0, frames=32)
    machine.set_sysctl("panic_on_oom", panic_on_oom)
    return machine, machine.spawn(100)


def panicked(make_small: MakeMachine) -> tuple[mm.Machine, mm.Task]:
    machine, task = small(make_small)
    with pytest.raises(mm.MachinePanicked):
        task.touch(0, 31)
    return machine, task


@pytest.mark.fact("O13")
@pytest.mark.parametrize(("setting", "line"), [(1, SELECTED), (2, COMPULSORY), (3, SELECTED)])
def test_panic_on_oom(make_small: MakeMachine, setting: int, line: str) -> None:
    """Nobody is chosen, nobody killed, the fault handler says nothing; the 30 pages that were touched are there."""
    machine, task = small(make_small, setting)
    with pytest.raises(mm.MachinePanicked, match="stands still: kernel panic - not syncing: out of memory") as panic:
        task.touch(0, 31)
    assert [text.partition("] ")[2] for text in machine.log] == [
        "task invoked oom-killer: gfp_mask=0xd2, order=0, oomkilladj=0",
        line,
    ]
    assert (task.state, task.died, task.rss_pages, task.touched) == ("R", "", 30, "30 of 31")
    assert panic.value.done == 30


def test_without_the_setting_somebody_is_killed(make_small: MakeMachine) -> None:
    machine, task = small(make_small, 0)
    with pytest.raises(mm.OutOfMemory):
        task.touch(0, 31)
    assert not machine.panicked


@pytest.mark.fact("O13")
def test_without_anybody_to_kill_it_panics_whatever_the_setting(make_small: MakeMachine) -> None:
    machine, task = small(make_small, 0)
    task.set_oom_adj(-17)
    with pytest.raises(mm.MachinePanicked, match="no killable processes"):
        task.touch(0, 31)
    assert machine.log[-1].endswith(NOBODY)
    assert task.state == "R"


def test_a_process_of_the_host_is_nobody_to_kill(make_small: MakeMachine, engine: ModuleType) -> None:
    """Who asks is no task of the machine, and there is none: 31 frames are full of dentries, which pressure 0 keeps, and one more is one
    too many."""
    machine = make_small(swap_pages=0, frames=32)
    machine.set_sysctl("vfs_cache_pressure", 0)
    with pytest.raises(mm.MachinePanicked), machine.running(None):
        assert engine.lookup_missing(machine.core, 31 * 19 + 1) == 31 * 19
    assert machine.log[0].endswith("host invoked oom-killer: gfp_mask=0xd0, order=0, oomkilladj=0")
    assert machine.log[1].endswith(NOBODY)


@pytest.mark.fact("O1")
def test_a_container_without_memory_is_no_reason(make_small: MakeMachine) -> None:
    """panic_on_oom is not asked on that path, nor whether somebody was found."""
    machine, _ = small(make_small, 2)
    container = machine.create_container()
    container.limit = 2
    task = machine.spawn(101, container)
    task.set_oom_adj(-17)
    machine.tasks[100].set_oom_adj(-17)
    with pytest.raises(mm.OutOfMemory):
        task.touch(0, 3)
    assert not machine.panicked


OPERATIONS: dict[str, Operation] = {
    "touch": lambda machine: machine.tasks[100].touch(0, 1),
    "access": lambda machine: machine.tasks[100].access([0], [1]),
    "read mem": lambda machine: machine.tasks[100].read_mem(0, 1),
    "write mem": lambda machine: machine.tasks[100].write_mem(0, b"x"),
    "mmap": lambda machine: machine.tasks[100].mmap(1000, 1),
    "munmap": lambda machine: machine.tasks[100].munmap(0, 1),
    "madvise": lambda machine: machine.tasks[100].madvise(0, 1, "dontneed"),
    "mlock": lambda machine: machine.tasks[100].mlock(0, 1),
    "munlock": lambda machine: machine.tasks[100].munlock(0, 1),
    "lookup": lambda machine: machine.tasks[100].lookup(1),
    "run": lambda machine: machine.tasks[100].run(1),
    "nice": lambda machine: machine.tasks[100].set_nice(1),
    "setuid": lambda machine: machine.tasks[100].setuid(1),
    "oom_adj": lambda machine: machine.tasks[100].set_oom_adj(1),
    "exec": lambda machine: machine.tasks[100].exec(),
    "exit": lambda machine: machine.tasks[100].exit(),
    "reap": lambda machine: machine.reap(machine.tasks[100]),
    "fork": lambda machine: machine.tasks[100].fork(101),
    "clone": lambda machine: machine.clone_thread(machine.tasks[100], 101),
    "spawn": lambda machine: machine.spawn(101),
    "attach": lambda machine: machine.attach(machine.tasks[100], machine.root),
    "container": lambda machine: machine.create_container(),
    "limit": lambda machine: setattr(machine.root, "limit", 7),
    "type": lambda machine: setattr(machine.root, "control_type", 1),
    "force_empty": lambda machine: machine.force_empty(machine.root),
    "sysctl": lambda machine: machine.set_sysctl("panic_on_oom", 0),
    "clock": lambda machine: machine.advance(1),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_nothing_moves_any_more(make_small: MakeMachine, name: str) -> None:
    machine, _ = panicked(make_small)
    before = mm.dump(machine)
    with pytest.raises(mm.MachinePanicked):
        OPERATIONS[name](machine)
    assert mm.dump(machine) == before
    assert machine.root.control_type == 3
    assert machine.sysctl("panic_on_oom") == 1


def test_a_container_cannot_be_removed(make_small: MakeMachine) -> None:
    machine, task = small(make_small)
    container = machine.create_container()
    with pytest.raises(mm.MachinePanicked):
        task.touch(0, 31)
    with pytest.raises(mm.MachinePanicked):
        machine.remove_container(container)


def test_looking_at_it_goes_on(make_small: MakeMachine) -> None:
    machine, task = panicked(make_small)
    machine.check()
    assert machine.meminfo()["MemFree"] == 0
    assert machine.vmstat()["pgfault"] == 31
    assert (task.oom_score, task.pagemap(0, 1)[0] >> 63, machine.root.usage) == (31, 1, 30)


def test_a_fork_that_panics_is_undone(make_small: MakeMachine) -> None:
    machine, task = small(make_small)
    task.touch(0, 30)
    css = machine.root.css_refs
    with pytest.raises(mm.MachinePanicked):
        task.fork(101)
    assert (list(machine.tasks), machine.root.css_refs, len(machine.spaces)) == ([100], css, 1)


def test_a_lookup_that_panics_keeps_what_it_has(make_small: MakeMachine) -> None:
    machine, task = small(make_small)
    task.mmap(0, 28, locked=True)
    with pytest.raises(mm.MachinePanicked):
        task.lookup(100)
    assert machine.slabs()[0].nr_objects == 2 * 19


def test_a_panic_in_the_middle_of_another_operation_stops_that_one_too(make_small: MakeMachine) -> None:
    """While one task charges its page, another takes all the others. The first has its page already; its operation ends all the same."""
    machine, task = small(make_small)
    hog = machine.spawn(200)
    once_at(machine, AT_META_PAGE_ALLOC, lambda: hog.touch(0, 40))
    with pytest.raises(mm.MachinePanicked):
        task.touch(0, 5)
    assert (task.state, hog.state) == ("R", "R")
    assert machine.zones()[0].free == 0


def test_who_was_killed_before_it_panicked_exits_no_more(make_small: MakeMachine) -> None:
    """And the task whose operation it was makes no further access: its first page was nearly there, and is."""
    machine, task = small(make_small)
    other = machine.spawn(200)
    other.touch(0, 2)

    def kill_and_panic() -> None:
        machine.send_sigkill(other, "shot")
        machine.panic("test")

    once_at(machine, AT_META_PAGE_ALLOC, kill_and_panic)
    with pytest.raises(mm.MachinePanicked):
        task.touch(0, 10)
    assert (other.state, other.rss_pages, task.rss_pages) == ("R", 2, 1)


@pytest.mark.parametrize("limit", [5, 0])
def test_a_panic_while_one_looks_for_memory(make_small: MakeMachine, limit: int) -> None:
    """In the wait of a container's reclaim, or of the machine's own: no killer is asked any more, and nobody dies."""
    machine, task = small(make_small)
    container = machine.create_container()
    machine.attach(task, container)
    task.set_oom_adj(5)
    task.mmap(0, 5, locked=True)
    machine.spawn(200).mmap(0, 2, locked=True)
    container.limit = limit
    once_at(machine, AT_CONGESTION_WAIT, lambda: machine.panic("test"))
    with pytest.raises(mm.MachinePanicked):
        task.touch(5, 40)
    assert (task.state, machine.log[-1].endswith("Kernel panic - not syncing: test")) == ("R", True)


def test_a_panic_while_reclaim_makes_no_progress(make_small: MakeMachine) -> None:
    """kswapd has given the zone up, so that reclaim looks at it once, and finds a page that cannot be charged on its way to swap, because
    who reclaims is in a full container, as is kswapd. While it waits the machine panics: no killer is asked, and the log ends there."""
    machine = make_small(pagevec_size=1, swap_cluster_max=1)
    reclaim_mapped(machine)
    box, full = machine.create_container(), machine.create_container()
    cold_task(machine, box, 4)
    machine.force_empty(box)
    runner = machine.spawn(200, full)
    runner.mmap(0, 2, locked=True)
    machine.spawn(201).mmap(0, 1, locked=True)
    full.limit, machine.root.limit = 2, 1
    for _ in range(machine.zones()[0].free):
        runner.alloc_block(0)
    machine.core.zones.all_unreclaimable[0] = 1
    once_at(machine, AT_CONGESTION_WAIT, lambda: machine.panic("test"))
    with pytest.raises(mm.MachinePanicked):
        runner.alloc_block(0)
    assert runner.state == "R"
    assert [line.partition("] ")[2] for line in machine.log] == ["Kernel panic - not syncing: test"]
