"""Who runs (kernel/sched.c): an operation, from its beginning to its end.

What it waits for passes on the simulated clock, who is killed meanwhile exits at its next sleep or at its end, and the operation of a
killed task ends there. What was raised in the midst of the engine comes up at the end. Where the machine panics, what was under way
fails for want of memory, and the operation ends with MachinePanicked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .css import release_gone
from .errors import MachineError
from .exit import reap_killed
from .params import AT_CONGESTION_WAIT

if TYPE_CHECKING:
    from .container import Container
    from .machine import Machine
    from .task import Task


@contextmanager
def running(machine: Machine, task: Task | None, container: Container | None, node: int | None) -> Iterator[None]:
    """See Machine.running. What ran before goes on behind it."""
    machine.refuse_if_panicked()
    machine.refuse_if_asleep(task)
    core = machine.core
    before, start_ns = machine.current, core.clock_ns
    before_mm, before_pid, before_node = core.current_mm, core.current_pid, core.current_node
    before_memcg = core.current_memcg
    was_killed, was_memalloc = core.current_is_killed, core.current_is_memalloc
    was_writing, before_priority = core.is_writing_file, core.current_priority
    was_in_fault, before_oom = core.current_in_user_fault, core.memcg_in_oom
    core.set_writing_file(False)
    machine.current = task
    if task is not None:
        machine.under_way.append(task)
    mm = 0
    if task is not None and task.space is not None:
        mm = task.space.mm
    elif container is not None:
        mm = machine.host_mm
        core.mms.container[mm] = container.cid
    if node is None:
        node = task.node if task is not None else before_node
    core.set_current(mm, task.pid if task is not None else 0, node)
    payer = task.container if task is not None else container
    core.set_current_memcg(payer.cid if payer is not None else 0)
    operating_ns = machine.operating_ns[node]
    machine.depth += 1
    try:
        yield
    finally:
        machine.current = before
        machine.operating_ns[node] = operating_ns + core.clock_ns - start_ns  # with all that ran in between
        core.set_current(before_mm, before_pid, before_node)
        core.set_current_memcg(before_memcg)
        core.set_memalloc(was_memalloc)
        core.set_priority(before_priority)
        core.set_writing_file(was_writing)
        core.set_in_user_fault(was_in_fault)
        core.set_memcg_in_oom(before_oom)
        if was_killed or machine.panicked or before in machine.killed:
            core.kill_current()
        if task is not None:
            machine.under_way.pop()
            task.stall_ns += core.clock_ns - start_ns
        try:
            if before is None and not machine.panicked:
                reap_killed(machine)
                machine.engine.run_due(core)
        finally:
            end_operation(machine)


@contextmanager
def surfacing(machine: Machine) -> Iterator[None]:
    """For an operation, or a part of one, that is nobody's and waits for nothing."""
    machine.depth += 1
    try:
        yield
    finally:
        end_operation(machine)


def end_operation(machine: Machine) -> None:
    """What was raised in the midst of the engine comes up where the operation ends that is no part of another."""
    machine.depth -= 1
    if machine.depth:
        return
    if machine.core.containers.nr_gone:
        release_gone(machine)
    error = machine.core.take_error()
    if machine.panicked:
        raise machine.panicking() from error
    if error is not None:
        raise error


def run_apart(machine: Machine, function: Callable[..., object], *arguments: object) -> object:
    """Calls Python code in the midst of an operation. Operations that it runs are no part of that one, and raise at their own ends."""
    depth, machine.depth = machine.depth, 0
    try:
        return function(*arguments)
    finally:
        machine.depth = depth


def race(machine: Machine, first: Callable[[], object], second: Callable[[], object]) -> None:
    """See Machine.race."""
    refusals: dict[bool, MachineError] = {}

    def run(operation: Callable[[], object]) -> None:
        try:
            operation()
        except MachineError as refusal:
            refusals[operation is second] = refusal

    def at(point: int, pfn: int) -> None:
        if point == AT_CONGESTION_WAIT:
            machine.set_interleave(None)
            run(second)

    machine.set_interleave(at)
    try:
        run(first)
        has_begun = machine.on_interleave is None
    finally:
        machine.set_interleave(None)
    if not has_begun:
        run(second)
    if refusals:
        raise refusals[min(refusals)]
