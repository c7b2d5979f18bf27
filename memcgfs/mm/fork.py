"""Tasks begin (kernel/fork.c; fs/exec.c): with an address space of their own, a copy of their parent's, or as a thread with the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import kernel_objects
from .address_space import AddressSpace
from .errors import OutOfMemory, TaskExists, TooManyTasks
from .exit import mmput
from .task import Task
from .trace_ring import TRACE_NEWTASK

if TYPE_CHECKING:
    from .container import Container
    from .machine import Machine


def refuse_pid(machine: Machine, pid: int) -> None:
    machine.refuse_if_panicked()
    if pid in machine.tasks:
        raise TaskExists(f"there is a task {pid}")
    if len(machine.tasks) >= machine.config.max_threads:
        raise TooManyTasks(f"a machine of this size has at most {machine.config.max_threads} tasks")


def mm_alloc(machine: Machine, container: Container, pid: int) -> AddressSpace:
    space = AddressSpace(machine, machine.mm_ids.take(), container.cid, pid)
    machine.spaces[space.mm] = space
    return space


def wake_up_new_task(machine: Machine, task: Task, parent: Task | None) -> Task:
    """sched_balance_fork: it starts on the node with the fewest living tasks, the lowest of several."""
    machine.trace(TRACE_NEWTASK, task.pid, parent.pid if parent is not None else 0, task.charged_to)
    machine.tasks[task.pid] = task
    machine.by_age[task.pid] = task
    machine.total_forks += 1
    task.node = machine.nr_running.index(min(machine.nr_running))
    machine.nr_running[task.node] += 1
    if parent is not None:
        task.parent = parent
        parent.children.append(task)
    return task


def spawn(machine: Machine, pid: int, container: Container, uid: int, comm: str) -> Task:
    refuse_pid(machine, pid)
    return wake_up_new_task(machine, Task(machine, pid, pid, container, mm_alloc(machine, container, pid), uid, comm), None)


def fork(machine: Machine, parent: Task, pid: int) -> Task:
    space = parent.alive()
    refuse_pid(machine, pid)
    kernel_objects.take(parent, "process", 1)
    child_space = mm_alloc(machine, parent.container, pid)
    machine.core.token.init(child_space.mm, space.mm)
    try:
        with machine.running(parent):
            if not space.copy_to(child_space):
                raise OutOfMemory(f"no page frame for the page tables of task {pid}")
        if parent.space is None:
            raise OutOfMemory(f"task {parent.pid} was killed: {parent.died}")
    except BaseException:
        with machine.surfacing():
            mmput(machine, child_space)
        if parent.space is not None:
            kernel_objects.give(parent, "process", 1)
        raise
    return wake_up_new_task(machine, copy_process(machine, parent, pid, pid, child_space), parent)


def clone_thread(machine: Machine, leader: Task, pid: int) -> Task:
    space = leader.alive()
    refuse_pid(machine, pid)
    kernel_objects.take(leader, "thread", 1)
    space.users += 1
    return wake_up_new_task(machine, copy_process(machine, leader, pid, leader.tgid, space), leader)


def copy_process(machine: Machine, task: Task, pid: int, tgid: int, space: AddressSpace) -> Task:
    """What the kernel allocated for the new task, at the expense of the old one, is held by the new one."""
    copy = Task(machine, pid, tgid, task.container, space, task.uid, task.comm)
    copy.objects.append(task.objects.pop())
    copy.nice, copy.oom_adj, copy.oom_score_adj = task.nice, task.oom_adj, task.oom_score_adj
    return copy


def execve(machine: Machine, task: Task) -> None:
    machine.refuse_if_asleep(task)
    old = task.alive()
    task.space = mm_alloc(machine, task.container, task.tgid)
    with machine.running(task):
        mmput(machine, old)
