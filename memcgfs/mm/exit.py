"""Tasks end (kernel/exit.c; kernel/signal.c): by themselves, or killed, which shows at their next chance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from . import kernel_objects
from .errors import OutOfMemory
from .trace_ring import EXIT_EXITED, EXIT_KILLED, EXIT_REAPED, TRACE_EXIT, TRACE_MARK_VICTIM, VICTIM_FAULTED

if TYPE_CHECKING:
    from .address_space import AddressSpace
    from .machine import Machine
    from .task import Task

REAPED: Final = "reaped"


def do_exit(machine: Machine, task: Task, why: str) -> None:
    """The memory goes back, the task is a zombie, its children are init's."""
    if task.space is None:
        return
    reason = EXIT_KILLED if task.died else EXIT_REAPED if why == REAPED else EXIT_EXITED
    container = task.charged_to
    space, task.space = task.space, None
    machine.ended.append(task.pid)
    task.died = why
    machine.waits.end(task, OutOfMemory(f"task {task.pid} was killed: {why}", 0))
    for opened in list(task.opened.values()):
        task.forget_file(opened.file)
    task.container = machine.root
    for child in task.children:
        child.parent = None
    task.children = []
    machine.nr_running[task.node] -= 1
    with machine.running(None, node=task.node):
        machine.core.set_current(0, task.pid, task.node)  # exit_mm: it runs to its end, without an address space
        machine.trace(TRACE_EXIT, task.pid, container, reason)
        while task.blocks:
            machine.engine.free_pages(machine.core, *task.blocks.pop())
        mmput(machine, space)
    while task.objects:
        kernel_objects.release(machine, task.objects.pop())


def mmput(machine: Machine, space: AddressSpace) -> None:
    space.users -= 1
    if space.users == 0:
        space.teardown()
        machine.core.token.put(space.mm)
        del machine.spaces[space.mm]
        machine.mm_ids.give(space.mm)


def release_task(machine: Machine, task: Task) -> None:
    """Ends the task if it lives, and forgets it."""
    machine.refuse_if_panicked()
    do_exit(machine, task, REAPED)
    if task.parent is not None:
        task.parent.children.remove(task)
    del machine.tasks[task.pid]
    del machine.by_age[task.pid]


def send_sigkill(machine: Machine, task: Task, why: str) -> None:
    """The task exits at its next chance: at once if somebody else runs and sleeps, or at the end of its operation."""
    if task.space is None or any(other is task for other in machine.killed):
        return
    task.died = why
    machine.killed.append(task)
    machine.core.set_has_killed(True)
    if task is machine.current:
        machine.core.kill_current()


def mark_victim(machine: Machine, task: Task, why: int) -> None:
    """It is about to be killed, because memory is short (VICTIM_*)."""
    machine.victims.append(task.pid)
    machine.trace(TRACE_MARK_VICTIM, task.pid, task.charged_to, why)


def fault_out_of_memory(machine: Machine, task: Task) -> None:
    """arch/i386/mm/fault.c: whoever the OOM killer chose, the task whose fault failed dies."""
    if machine.panicked or machine.core.memcg_in_oom >= 0 or (task.died and machine.core.rules.retries_fault):
        return
    machine.printk(f"VM: killing process {task.comm}")
    if task.space is not None and not task.died:
        mark_victim(machine, task, VICTIM_FAULTED)
    send_sigkill(machine, task, "killed: out of memory in a page fault")


def reap_killed(machine: Machine) -> None:
    """Those that were killed exit, but for tasks in the middle of an operation: they do at its end. After a panic nobody does."""
    if machine.panicked:
        return
    waiting = [task for task in machine.killed if task in machine.under_way]
    dying, machine.killed = [task for task in machine.killed if task not in machine.under_way], waiting
    machine.core.set_has_killed(bool(waiting))
    for task in dying:
        try:
            machine.exit(task, task.died)
        except BaseException as error:
            machine.core.keep_error(error)
