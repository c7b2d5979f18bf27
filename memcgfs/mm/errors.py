"""What can go wrong in the machine, by what happened. Which errno that is for a caller is decided at the door (tree.py)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .oom_wait import Operation


class MachineError(Exception):
    """Any of the below; the message is one line for people."""


class ConfigError(MachineError):
    """No machine can be made so."""


class OutOfMemory(MachineError):
    """No page frame, or a container refused the charge. The task that faulted has been killed; one that forked has not."""


class BusError(MachineError):
    """An access beyond the end of a mapped file (SIGBUS). The task has been killed; the second argument is the accesses done before."""


class TooManyFiles(MachineError):
    """As many files as the disk has inodes, or open files as there are numbers."""


class NoSpace(MachineError):
    """No block is free on the disk."""


class FileTooBig(MachineError):
    """Beyond the largest file."""


class MachinePanicked(MachineError):
    """The kernel panicked: the machine stands still. `done` accesses of the operation that it happened in were made."""

    def __init__(self, message: str, done: int = 0) -> None:
        super().__init__(message)
        self.done = done


class BadRange(MachineError):
    """Pages outside the address space, or none."""


class BadValue(MachineError):
    """A number outside its range."""


class BadSysctl(BadValue):
    """A setting of the machine outside its range."""


class MappingExists(MachineError):
    """A mapping over another one."""


class MapsNoFile(MachineError):
    """What was asked for is done to files only, and this is anonymous memory."""


class NotMapped(MachineError):
    """Nothing is mapped there."""


class TaskExists(MachineError):
    """The pid is taken."""


class TaskDead(MachineError):
    """The task is a zombie."""


class TaskWaits(MachineError):
    """The task sleeps in the midst of another operation."""


class WaitsForMemory(TaskWaits):
    """The operation sleeps until there is memory, and goes on by itself then; `operation` knows what becomes of it."""

    def __init__(self, message: str, operation: Operation[Any]) -> None:
        super().__init__(message)
        self.operation = operation


class TooManyTasks(MachineError):
    """As many tasks as the machine's memory allows (max_threads)."""


class TooManyMappings(MachineError):
    """As many VMAs as a task, or the machine, may have."""


class TooManyContainers(MachineError):
    """As many containers as there are numbers."""


class ContainerBusy(MachineError):
    """Pages are charged to it, or an address space belongs to it."""


class Busy(MachineError):
    """More is in use than the new limit allows, and nothing more of it can be reclaimed. The old limit stands."""


class Interrupted(MachineError):
    """A signal came while the machine was at it. What was done until then stays done."""


class BadSwapArea(MachineError):
    """No such area is in use, or none can be made so."""


class SwapAreaBusy(MachineError):
    """An area of that name is in use."""


class TooManySwapAreas(MachineError):
    """As many areas as the kernel has rows for."""


class MachineBroken(MachineError):
    """The checker's findings, one a line."""

    def __init__(self, findings: list[str]) -> None:
        super().__init__("\n".join(findings))
        self.findings = findings
