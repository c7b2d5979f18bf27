"""What a task makes the kernel allocate for it, and holds: files, pipes, sockets, other tasks. Only the charge is modelled.

Sizes: (pages, bytes of objects). Those of a process and a thread are what the recordings of Linux 6.18 show for a fork without memory of
its own; the rest follow from the structures. A full pipe has 16 pages of data; a full pair of sockets has 64 kB on their way, in two
messages: the first as long as one may be, 4 pages beside its head and 8 behind, the rest in 4 and 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .errors import BadValue, OutOfMemory
from .kmem import FILE_BYTES

if TYPE_CHECKING:
    from .machine import Machine
    from .task import Task

PIPE_BYTES: Final = 2520  # an inode with its dentry, pipe_inode_info, 16 buffers, two files
SOCKET_BYTES: Final = 5_344  # two sockets with inode, dentry and file, and the two heads of what is on its way
PROCESS_PAGES: Final = 22  # task, stack, signals, files, and the upper levels of its page tables
THREAD_PAGES: Final = 7  # task and stack
CONTAINER_BYTES: Final = 10_240  # mem_cgroup with its numbers for each node and cpu, charged to the container that it is made in
OBJECTS: Final = {
    "file": (0, FILE_BYTES),
    "descriptors": (0, 64 * 8 + 32),  # 64 places of a task's table of files, with their three bits each
    "pipe": (0, PIPE_BYTES),
    "full-pipe": (16, PIPE_BYTES),
    "full-socket": (17, SOCKET_BYTES),
    "process": (PROCESS_PAGES, 0),
    "thread": (THREAD_PAGES, 0),
}


def charge(machine: Machine, container: int, nr_pages: int, nr_bytes: int) -> None:
    """Whoever runs may have to reclaim for it. Raises OutOfMemory."""
    if container == 0 or not machine.accounts_kmem:
        return
    with machine.running(machine.current):
        core, engine = machine.core, machine.engine
        error = engine.kmem_charge_pages(core, container, nr_pages)
        if error == 0 and engine.kmem_alloc(core, container, nr_bytes) != 0:
            error = 1
            engine.kmem_uncharge_pages(core, container, nr_pages)
    if error:
        raise OutOfMemory("no room in the container for the kernel's own memory")


def uncharge(machine: Machine, container: int, nr_pages: int, nr_bytes: int) -> None:
    if container == 0 or not machine.accounts_kmem:
        return
    with machine.surfacing():
        machine.engine.kmem_free(machine.core, container, nr_bytes)
        machine.engine.kmem_uncharge_pages(machine.core, container, nr_pages)


def take(task: Task, what: str, count: int) -> None:
    """The task holds so many more until it gives them back, or ends. Raises BadValue, OutOfMemory; those that it got by then it keeps."""
    if what not in OBJECTS or count < 0:
        raise BadValue(f"{count} of {what}")
    for _ in range(count):
        container = task.container.cid
        charge(task.machine, container, *OBJECTS[what])
        task.objects.append((what, container))


def give(task: Task, what: str, count: int) -> None:
    """The youngest first. Raises BadValue where it holds less."""
    held = [place for place, (name, _) in enumerate(task.objects) if name == what]
    if not 0 <= count <= len(held):
        raise BadValue(f"task {task.pid} holds {len(held)} of {what}")
    for place in reversed(held[len(held) - count :]):
        release(task.machine, task.objects.pop(place))


def release(machine: Machine, held: tuple[str, int]) -> None:
    what, container = held
    uncharge(machine, container, *OBJECTS[what])
