"""Tasks that wait for memory, because the OOM killer of their container is disabled (mm/memcontrol-v1.c: memory.oom_control).

A page fault that finds no memory there fails, lets go of all that it holds, and goes to sleep; woken, it is made again. So an operation
that may come to this is a generator: it yields where its task sleeps. It is then under way although nobody runs it, and goes on by itself,
in the order in which the tasks fell asleep, at the next Machine.settle after somebody woke it: who uncharged a page there (but for swapping
it out, which frees nothing that counts), raised a limit, or let the killer in again. Nobody who waits is woken by being moved to another
container; the one whose limit was met stays the one that it waits for, even when its directory is gone.

Each container in the subtree of one that somebody waits for is under_oom. The first to wait in a subtree has its lock, and tells those that
watch; who finds a part of it locked tells nobody.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from .errors import MachineError, OutOfMemory, WaitsForMemory

if TYPE_CHECKING:
    from .machine import Machine
    from .task import Task

WCHAN: Final = "mem_cgroup_oom_synchronize"
R = TypeVar("R")

if TYPE_CHECKING:
    Steps = Generator[None, None, R]


class Operation(Generic[R]):
    """One that waits, or has waited, for memory. `outcome` gives its result, or raises its refusal; WaitsForMemory while it sleeps."""

    def __init__(self, task: Task, steps: Steps[R]) -> None:
        self.task = task
        self.is_over = False
        self._steps = steps
        self._result: R | None = None
        self._refusal: MachineError | None = None

    def outcome(self) -> Any:
        if not self.is_over:
            self.task.machine.refuse_if_panicked()
            raise WaitsForMemory(f"task {self.task.pid} waits for memory", self)
        if self._refusal is not None:
            raise self._refusal
        return self._result

    def go_on(self) -> None:
        """As far as it comes."""
        try:
            next(self._steps)
        except StopIteration as end:
            self._result = end.value
            self.is_over = True
        except MachineError as refusal:
            self.end(refusal)
        except BaseException:
            self.is_over = True
            raise
        else:
            self.task.machine.waits.sleep(self)

    def end(self, refusal: MachineError) -> None:
        self._steps.close()
        self._refusal = refusal
        self.is_over = True

    def give_up(self) -> None:
        """A signal came: the task goes on with something else."""
        if not self.is_over:
            self.task.machine.waits.forget(self.task)
            self.end(OutOfMemory(f"task {self.task.pid} was interrupted while it waited for memory", 0))


class OomWait:
    """struct oom_wait_info."""

    __slots__ = ("container", "has_lock", "is_woken", "operation")

    def __init__(self, operation: Operation[Any], container: int, has_lock: bool) -> None:
        self.operation = operation
        self.container = container
        self.has_lock = has_lock
        self.is_woken = False


class OomWaits:
    """memcg_oom_waitq: those that wait, in the order in which they began to."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._by_task: dict[Task, OomWait] = {}

    def __iter__(self) -> Iterator[OomWait]:
        return iter(self._by_task.values())

    def __contains__(self, task: Task) -> bool:
        return task in self._by_task

    def sleep(self, operation: Operation[Any]) -> None:
        """mem_cgroup_oom_synchronize, before schedule()."""
        task = operation.task
        container, task.memcg_in_oom = task.memcg_in_oom, -1
        assert container >= 0
        self._machine.core.containers.css_get(container)
        self.mark_under_oom(container, 1)
        has_lock = self.trylock(container)
        if has_lock:
            self.notify(container)
        self._by_task[task] = OomWait(operation, container, has_lock)

    def forget(self, task: Task) -> None:
        """The same, behind it: the task sleeps no more."""
        wait = self._by_task.pop(task)
        self.mark_under_oom(wait.container, -1)
        if wait.has_lock:
            self.unlock(wait.container)
        self._machine.core.containers.css_put(wait.container)

    def wake(self, container: int) -> None:
        """memcg_oom_wake_function: whoever waits for a container above this one, or in it, or for itself."""
        containers = self._machine.core.containers
        for wait in self._by_task.values():
            if containers.is_below(wait.container, container) or containers.is_below(container, wait.container):
                wait.is_woken = True

    def end(self, task: Task, refusal: MachineError) -> None:
        """The task exits in its sleep."""
        wait = self._by_task.get(task)
        if wait is not None:
            self.forget(task)
            wait.operation.end(refusal)

    def resume(self) -> None:
        """Those that were woken run, the one that slept longest first; which may wake others."""
        while (wait := next((wait for wait in self._by_task.values() if wait.is_woken), None)) is not None:
            self.forget(wait.operation.task)
            wait.operation.go_on()

    @contextmanager
    def about_to_kill(self, container: int) -> Iterator[None]:
        """memcg1_oom_prepare, memcg1_oom_finish: meanwhile the container is under_oom, too, which was told to those who watch."""
        self.mark_under_oom(container, 1)
        has_lock = self.trylock(container)
        if has_lock:
            self.notify(container)
        self.mark_under_oom(container, -1)
        try:
            yield
        finally:
            if has_lock:
                self.unlock(container)

    # The subtree of a container

    def subtree(self, container: int) -> list[int]:
        """mem_cgroup_iter."""
        return [each.cid for each in self._machine.container_of(container).subtree()]

    def mark_under_oom(self, container: int, by: int) -> None:
        """What was made below it meanwhile was never marked."""
        under_oom = self._machine.core.containers.under_oom
        for each in self.subtree(container):
            under_oom[each] = max(under_oom[each] + by, 0)

    def trylock(self, container: int) -> bool:
        """mem_cgroup_oom_trylock: all of it, or nothing."""
        locked = self._machine.core.containers.oom_lock
        subtree = self.subtree(container)
        if any(locked[each] for each in subtree):
            return False
        for each in subtree:
            locked[each] = 1
        return True

    def unlock(self, container: int) -> None:
        for each in self.subtree(container):
            self._machine.core.containers.oom_lock[each] = 0

    def notify(self, container: int) -> None:
        """mem_cgroup_oom_notify."""
        for each in self.subtree(container):
            self._machine.watches.tell_oom(each)
