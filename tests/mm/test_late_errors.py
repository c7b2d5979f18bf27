"""What Python code raises that the engine calls: it comes up at the end of the operation, on both builds alike, and the machine goes on."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any, NoReturn

import pytest

from memcgfs import mm
from memcgfs.mm.models.python import Policy
from memcgfs.mm.params import AT_CONGESTION_WAIT, AT_META_PAGE_ALLOC
from tests.conftest import MakeMachine, engine_of

from .looking import once_at


class Broken(Exception):
    pass


def broken(*_: object) -> NoReturn:
    raise Broken


def goes_on(machine: mm.Machine) -> None:
    """The machine is sound, and works."""
    machine.check()
    task = machine.spawn(999, machine.create_container())
    task.touch(0, 3)
    task.fork(998).touch(0, 3)
    file = machine.create_file()
    task.write_file(file, 0, 3)
    file.put()
    for pid in (998, 999):
        machine.reap(machine.tasks[pid])
    machine.check()


def full(machine: mm.Machine) -> mm.Task:
    container = machine.create_container()
    container.limit = 4
    task = machine.spawn(100, container)
    task.touch(0, 4)
    return task


# Each question that the engine has


def test_the_oom_killer_of_a_container(make_small: MakeMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is chosen, and the charge fails all the same: its fault kills the task."""
    machine = make_small(swap_pages=0)
    task = full(machine)
    monkeypatch.setattr(machine.core.kernel, "mem_container_out_of_memory", broken)
    with pytest.raises(Broken):
        task.touch(4, 1)
    assert (task.died, task.touched) == ("killed: out of memory in a page fault", "0 of 1")
    monkeypatch.undo()
    goes_on(machine)


def test_the_oom_killer_of_the_machine(make_small: MakeMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = make_small(swap_pages=0, frames=32)
    task = machine.spawn(100)
    monkeypatch.setattr(machine.core.kernel, "out_of_memory", broken)
    with pytest.raises(Broken):
        task.touch(0, 40)
    assert (task.died, task.touched) == ("killed: out of memory in a page fault", "0 of 40")
    monkeypatch.undo()
    goes_on(machine)


def test_the_log(make_small: MakeMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A counter that was tampered with makes a warning. The task has ended by then; asked again, it is forgotten."""
    machine = make_small()
    task = full(machine)
    machine.core.counters.uncharge(task.container.cid, 1)
    monkeypatch.setattr(machine.core.kernel, "warn", broken)
    with pytest.raises(Broken):
        machine.reap(task)
    assert (task.state, machine.zones()[0].free) == ("Z", 63)
    machine.reap(task)
    monkeypatch.undo()
    goes_on(machine)


def test_the_log_in_an_operation_that_is_nobodys(make_small: MakeMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = make_small()
    task = full(machine)
    machine.core.counters.uncharge(task.container.cid, 1)
    monkeypatch.setattr(machine.core.kernel, "warn", broken)
    with pytest.raises(Broken):
        machine.force_empty(task.container)
    assert (task.container.usage, task.container.lists()) == (0, ([], []))
    monkeypatch.undo()
    goes_on(machine)


def test_the_vma(make_small: MakeMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The access ends there, once; nobody dies of it, and it can be made again."""
    machine = make_small()
    task = machine.spawn(100)
    monkeypatch.setattr(machine.core.kernel, "find_vma", broken)
    with pytest.raises(Broken):
        task.touch(0, 5)
    assert (task.state, task.touched, task.rss_pages) == ("R", "0 of 5", 0)
    monkeypatch.undo()
    assert task.touch(0, 5).done == 5
    goes_on(machine)


def test_the_vma_in_a_swapoff(make_small: MakeMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page table's hint is the VMA of page 300, which is none of those in swap. The first of these is not told of its VMA, and all
    stay in the area."""
    machine = make_small()
    task = full(machine)
    task.touch(4, 4)
    task.mmap(300, 1)
    task.touch(300, 1)
    swapped = task.swap_pages
    monkeypatch.setattr(machine.core.kernel, "find_vma", broken)
    with pytest.raises(Broken):
        machine.swapoff("/dev/swap")
    assert task.swap_pages == swapped > 0
    monkeypatch.undo()
    machine.check()
    machine.swapoff("/dev/swap")
    assert task.swap_pages == 0
    goes_on(machine)


@pytest.mark.parametrize("how", ["anonymous", "copy on write", "private file"])
def test_the_anon_vma(make_small: MakeMachine, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    """anon_vma_prepare fails as for want of memory."""
    machine = make_small()
    task, file = machine.spawn(100), machine.create_file()
    file.truncate(4096)
    task.mmap(0, 1, file=file if how == "private file" else None)
    if how == "copy on write":
        task.touch(0, 1, write=False)
    monkeypatch.setattr(machine.core.kernel, "anon_vma_prepare", broken)
    with pytest.raises(Broken):
        task.touch(0, 1)
    assert task.died == "killed: out of memory in a page fault"
    monkeypatch.undo()
    goes_on(machine)


def test_the_exit_of_the_killed(make_small: MakeMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two are to exit while a third one waits: the first one's exit goes wrong behind its end, the other's is made all the same."""
    machine = make_small(swap_pages=0)
    task = full(machine)
    others = [machine.spawn(pid, task.container) for pid in (200, 201)]
    exit_of_the_machine = machine.exit

    def kill() -> None:
        for other in others:
            machine.send_sigkill(other, "shot")

    def exit_badly(dying: mm.Task, why: str) -> None:
        exit_of_the_machine(dying, why)
        if dying is others[0]:
            raise Broken

    monkeypatch.setattr(machine, "exit", exit_badly)
    once_at(machine, AT_CONGESTION_WAIT, kill)
    with pytest.raises(Broken):
        task.touch(4, 1)
    assert [other.state for other in others] == ["Z", "Z"]
    monkeypatch.undo()
    goes_on(machine)


def test_an_operation_in_the_midst_of_another(make_small: MakeMachine) -> None:
    """Its own errors, too, are the other's; it ends before the other goes on."""
    machine = make_small(swap_pages=0)
    task = full(machine)
    other = machine.spawn(200)
    states: list[str] = []

    def run_out() -> None:
        try:
            task.touch(4, 1)
        finally:
            states.append(task.state)

    once_at(machine, AT_META_PAGE_ALLOC, run_out)
    with pytest.raises(mm.OutOfMemory, match="task 100"):
        other.touch(0, 1)
    assert (states, task.state, other.state, other.rss_pages) == (["R"], "Z", "R", 1)
    goes_on(machine)


def test_what_is_raised_in_it_comes_up_at_its_end(make_small: MakeMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that whoever put it there may be content with it."""
    machine = make_small()
    task, other = machine.spawn(100), machine.spawn(200)
    caught: list[Exception] = []

    def run() -> None:
        monkeypatch.setattr(machine.core.kernel, "find_vma", broken)
        try:
            other.touch(0, 1)
        except Broken as error:
            caught.append(error)
        monkeypatch.undo()

    once_at(machine, AT_META_PAGE_ALLOC, run)
    assert task.touch(0, 3).done == 3
    assert len(caught) == 1
    goes_on(machine)


# Whatever is raised


def test_an_interrupt_comes_up_as_well(make_small: MakeMachine) -> None:
    machine = make_small()
    task = machine.spawn(100)

    def interrupt() -> NoReturn:
        raise KeyboardInterrupt

    once_at(machine, AT_META_PAGE_ALLOC, interrupt)
    with pytest.raises(KeyboardInterrupt):
        task.touch(0, 3)
    assert task.rss_pages == 3
    goes_on(machine)


def test_the_first_of_several_and_before_the_operations_own(make_small: MakeMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The child finds no frame for its page table, which is an error of fork's own; two came before."""
    machine = make_small(swap_pages=0, frames=32)
    task = machine.spawn(100)
    task.touch(0, 30)
    errors = iter((Broken("first"), Broken("second")))

    def fail(*_: object) -> NoReturn:
        raise next(errors, Broken("third"))

    monkeypatch.setattr(machine.core.kernel, "out_of_memory", fail)
    with pytest.raises(Broken, match="first") as raised:
        task.fork(101)
    assert isinstance(raised.value.__context__, mm.OutOfMemory)
    assert next(errors, None) is not None
    assert 101 not in machine.tasks
    monkeypatch.undo()
    machine.check()
    machine.reap(task)
    goes_on(machine)


def test_a_fork_that_went_wrong_at_its_end_has_no_child(make_small: MakeMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = make_small(swap_pages=0)
    task = full(machine)
    free = machine.zones()[0].free
    monkeypatch.setattr("memcgfs.mm.running.reap_killed", broken)
    with pytest.raises(Broken):
        task.fork(101)
    monkeypatch.undo()
    assert (list(machine.tasks), machine.zones()[0].free) == ([100], free)
    goes_on(machine)


def test_a_panic_has_the_last_word(make_small: MakeMachine) -> None:
    machine = make_small(swap_pages=0, frames=32)
    machine.set_sysctl("panic_on_oom", 1)
    once_at(machine, AT_META_PAGE_ALLOC, broken)
    with pytest.raises(mm.MachinePanicked) as raised:
        machine.spawn(100).touch(0, 40)
    assert isinstance(raised.value.__cause__, Broken)
    machine.check()


# A model in Python


class Failing(Policy):
    """Evicts in the order of arrival, and fails in one of its methods, while it is told to."""

    def __init__(self, method: str) -> None:
        self.method = method
        self.fails = False
        self.pages: dict[int, int] = {}

    def __getattribute__(self, name: str) -> Any:
        method = super().__getattribute__(name)
        if name not in vars(Policy) or name != self.method or not self.fails:
            return method

        def fail(*arguments: object) -> NoReturn:
            method(*arguments)
            raise Broken

        return fail

    def charged(self, pfn: int, container: int) -> None:
        self.pages[pfn] = container

    def uncharged(self, pfn: int, container: int) -> None:
        del self.pages[pfn]

    def reclaim(self, container: int, evict: Callable[[int], bool]) -> bool:
        return any(evict(pfn) for pfn, owner in list(self.pages.items()) if container in (-1, owner))


def machine_of(engine: ModuleType, policy: Policy, disk: mm.DiskConfig) -> mm.Machine:
    config = mm.MachineConfig(zone_pages=(64, 0, 0, 0), swap_bytes=1 << 20, min_free_kbytes=0, max_containers=16, disk=disk)
    return mm.Machine(config, engine, policy)


def use(machine: mm.Machine, policy: Failing) -> list[str]:
    """One operation after the other, each of which may fail; by name, those that did."""
    policy.fails = True
    failed = []

    def attempt(name: str, operation: Callable[[], object]) -> None:
        try:
            operation()
        except Broken:
            failed.append(name)
        machine.check()

    container = machine.root
    container.limit = 3
    task, file = machine.spawn(100, container), machine.create_file()
    attempt("mkdir", machine.create_container)
    attempt("touch", lambda: task.touch(0, 5))
    task = machine.spawn(101, container)
    attempt("touch again", lambda: task.touch(0, 5))
    attempt("read", lambda: task.touch(0, 1, write=False))
    attempt("write", lambda: machine.spawn(102).write_file(file, 0, 2))
    attempt("fork", lambda: task.fork(103))
    attempt("unlink", file.put)
    attempt("exit", lambda: machine.reap(task))
    policy.fails = False
    for task in list(machine.tasks.values()):
        machine.reap(task)
    return failed


@pytest.mark.parametrize("method", [name for name in vars(Policy) if not name.startswith("_")])
@pytest.mark.parametrize("disk", [mm.DiskConfig(0, 0, 8), mm.DiskConfig()])
def test_each_method_of_a_policy(method: str, disk: mm.DiskConfig) -> None:
    """What it raised comes up from whatever operation it was, and both builds are in the same state afterwards."""
    found = []
    for build in ("uncompiled", "compiled"):
        policy = Failing(method)
        machine = machine_of(engine_of(build), policy, disk)
        failed = use(machine, policy)
        machine.root.limit = 1000
        goes_on(machine)
        found.append((failed, mm.dump(machine)))
    assert found[0] == found[1]
    assert found[0][0] or (method == "written" and disk.latency_ns == 0)
    assert ("mkdir" in found[0][0]) == (method == "container_made")


def test_a_container_that_the_policy_does_not_want_is_not_made(engine: ModuleType) -> None:
    policy = Failing("container_made")
    machine = machine_of(engine, policy, mm.DiskConfig())
    policy.fails = True
    for _ in range(100):
        with pytest.raises(Broken):
            machine.create_container()
    assert list(machine.containers) == [0]
    policy.fails = False
    assert machine.create_container().cid == 1
    with pytest.raises(Broken):
        machine_of(engine, BrokenFromTheStart(), mm.DiskConfig())


class BrokenFromTheStart(Policy):
    def container_made(self, container: int) -> None:
        raise Broken


def test_an_operation_of_a_policys_own(engine: ModuleType) -> None:
    """It may run any, and hears of what goes wrong there, as whoever runs one."""
    heard: list[Exception] = []

    class Busy(Policy):
        def charged(self, pfn: int, container: int) -> None:
            if container:
                try:
                    machine.tasks[200].touch(0, 1 << 40)
                except mm.BadRange as error:
                    heard.append(error)

    machine = machine_of(engine, Busy(), mm.DiskConfig())
    machine.spawn(200)
    machine.spawn(100, machine.create_container()).touch(0, 2)
    assert len(heard) == 2
    machine.check()
