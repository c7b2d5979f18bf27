"""What the hierarchy needs to know of the computer's own processes, and is given by whoever mounts it.

Contract: `cgroup` never looks at the computer itself; it is handed one `HostProcesses`, or none, and then no pid of the
host exists.  Whoever implements it calls `Members.host_exited(tid)` when a thread that is being watched has ended;
until then `alive()` may say so earlier, and is believed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol


class HostProcess(Protocol):
    """One thread of the host, as it was found; equal to another record if both mean the same thread, not just id."""

    @property
    def tid(self) -> int: ...

    @property
    def tgid(self) -> int: ...

    @property
    def ppid(self) -> int: ...

    @property
    def uid(self) -> int: ...

    @property
    def suid(self) -> int: ...

    @property
    def is_bound(self) -> bool:
        """A thread of the kernel's that nobody may move."""
        ...

    def alive(self) -> bool:
        """Neither gone nor a zombie."""
        ...


class HostProcesses(Protocol):
    def find(self, tid: int) -> HostProcess | None:
        """The thread with that number, which may be a zombie."""
        ...

    def parent(self, tgid: int) -> int:
        """The process that made it, or took its maker's place; 0 if there is none, or it is gone."""
        ...

    def threads(self, tgid: int) -> Sequence[int]:
        """Of a process, oldest first; none if it is gone."""
        ...

    def children(self, process: HostProcess) -> Sequence[int]:
        """The processes that this very thread made, and that are there yet."""
        ...

    def watch(self, process: HostProcess) -> None:
        """From now on, tell when `process` ends."""
        ...

    def unwatch(self, process: HostProcess) -> None:
        """No longer."""
        ...

    def kill(self, process: HostProcess) -> None:
        """SIGKILL, to a process that is being watched."""
        ...

    def run_release_agent(self, path: str, cgroup_path: str) -> None:
        """Start the program at `path` with one argument, and do not wait for it."""
        ...


class EventFd(Protocol):
    """An eventfd(2) of somebody else's, held open with him."""

    def signal(self) -> None:
        """eventfd_signal: add one.  Never waits, and never fails."""
        ...

    def when_closed(self, tell: Callable[[], object]) -> None:
        """Whom to tell that nobody else has it open any more."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


class Descriptors(Protocol):
    """What others have open.  Raises PermissionError, with the reason in one line, where it may not be looked at; OSError with EBADF
    where nothing is open under that number."""

    def eventfd(self, tid: int, fd: int) -> EventFd | None:
        """That of the thread `tid`; None if it is something else."""
        ...

    def ino(self, tid: int, fd: int) -> int | None:
        """The number of the node of this tree that is open there; None if it is of another filesystem."""
        ...
