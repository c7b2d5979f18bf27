"""The processes of this computer, as far as the tree needs them: who a pid is, when it exits, running a release agent.

Contract
- A process here is what the kernel calls a task: one thread, by its thread id.  Ids are used again, so its start time
  is part of its identity.  A zombie is found, and is not alive.
- Who was made by whom is read from /proc when somebody asks, which costs a file or a directory for each thread asked
  about, however many processes the computer has.
- `watch` holds a pidfd until the process exits, or `unwatch`.  Exits are told by `catch_up`, which is called
  before each request, so that whoever has seen a member exit finds it gone from the tree, and by `watch_exits` while
  no request comes.  So are forks, where the kernel tells them, and before the exits: who was made by somebody that has
  ended is found all the same.  Cost: one system call while anything is watched, none otherwise.
- A release agent runs as the mounter, with the arguments and the environment that the kernel gave it, and nobody waits
  for it; it is reaped like any other exit.
"""

from __future__ import annotations

import logging
import os
import re
import select
import signal
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

import trio

from .births import Births

PIDFD_THREAD: Final = os.O_EXCL
"""Flag of pidfd_open(2), from Linux 6.9 on: any thread, not only the first of a process."""
AGENT_ENVIRONMENT: Final = {"HOME": "/", "PATH": "/sbin:/bin:/usr/sbin:/usr/bin"}
DEAD_STATES: Final = (b"Z", b"X", b"x")
PF_NO_SETAFFINITY: Final = 0x0400_0000
KTHREADD: Final = 2
"""It has the number 2 and no parent; the kernel's other threads are its children."""
IDS: Final = re.compile(rb"^Tgid:\t(\d+)$.*^Uid:\t(\d+)\t\d+\t(\d+)\t", re.MULTILINE | re.DOTALL)
"""Of /proc/PID/status: the process, the real and the saved user.  What else there is (a name) has no line of its own like these."""
PIECE_BYTES: Final = 1 << 16

log = logging.getLogger(__name__)


class Process(Protocol):
    """What is asked of a process in order to watch it; equal ones are the same thread.  `find` gives such."""

    @property
    def tid(self) -> int: ...

    @property
    def tgid(self) -> int: ...

    def alive(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class HostProcess:
    """One thread of this computer: its real and saved user ids as it was found, its start in ticks since boot."""

    tid: int
    tgid: int
    ppid: int = field(compare=False)
    uid: int = field(compare=False)
    suid: int = field(compare=False)
    is_bound: bool = field(compare=False)
    start_ticks: int

    def alive(self) -> bool:
        stat = _stat(self.tid)
        return stat is not None and stat.state not in DEAD_STATES and stat.start_ticks == self.start_ticks


class Stat(NamedTuple):
    """What is asked of /proc/PID/stat."""

    state: bytes
    ppid: int
    flags: int
    start_ticks: int


class Host:
    """The process table.  `tell_exit` is called with the thread id of every watched process that exits, `tell_births` with
    (maker, made) of the forks on the computer while any is watched."""

    def __init__(self, tell_exit: Callable[[int], None], tell_births: Callable[[list[tuple[int, int]]], None]) -> None:
        self._tell_exit = tell_exit
        self._tell_births = tell_births
        self._births = Births()
        self._births_fd: int | None = None
        self._exits = select.epoll()
        self._at_exit: dict[int, Callable[[], object]] = {}
        """By descriptor (a pidfd, mostly), what to do when it turns readable."""
        self._watched: dict[Process, int] = {}

    def find(self, tid: int) -> HostProcess | None:
        stat = _stat(tid)
        if stat is None:
            return None
        status = _read(f"/proc/{tid}/status")
        if not status:
            return None
        ids = IDS.search(status)
        assert ids is not None  # each thread has them
        tgid, uid, suid = map(int, ids.groups())
        is_bound = bool(stat.flags & PF_NO_SETAFFINITY) or (tid == KTHREADD and stat.ppid == 0)
        return HostProcess(tid, tgid, stat.ppid, uid, suid, is_bound, stat.start_ticks)

    def parent(self, tgid: int) -> int:
        stat = _stat(tgid)
        return stat.ppid if stat is not None else 0

    def threads(self, tgid: int) -> list[int]:
        try:
            return [int(name) for name in os.listdir(f"/proc/{tgid}/task")]
        except (FileNotFoundError, ProcessLookupError):
            return []

    def children(self, process: Process) -> list[int]:
        return [int(tid) for tid in _read(f"/proc/{process.tgid}/task/{process.tid}/children").split()]

    def watch(self, process: Process) -> None:
        if process in self._watched:
            return
        if not self._watched:
            self._births_fd = self._births.listen()
            if self._births_fd is not None:
                self._exits.register(self._births_fd, select.EPOLLIN)
        try:
            pidfd = _pidfd_open(process)
        except ProcessLookupError:
            # Gone since it was found: something readable in its place has that told like any other exit.
            pidfd = os.eventfd(1)
        except OSError as error:
            # No descriptor is left, say.  Whoever asks about it finds it gone (`alive`), but not before.
            log.warning("the exit of %d will not be noticed at once: %s", process.tid, error)
            self._rest()
            return
        self._watched[process] = pidfd
        self.await_exit(pidfd, lambda: self._exited(process))

    def unwatch(self, process: Process) -> None:
        pidfd = self._watched.pop(process, None)
        if pidfd is not None:
            self._drop(pidfd)
            self._rest()

    def kill(self, process: Process) -> None:
        """Through the pidfd, so that it hits nobody else.  Never this very process: the mount would be dead with it."""
        pidfd = self._watched.get(process)
        if pidfd is None or process.tgid == os.getpid():
            return
        try:
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)
        except OSError as error:
            # It has ended by itself, or may not be signalled by the mounter.
            log.info("SIGKILL to %d: %s", process.tid, error)

    def run_release_agent(self, path: str, cgroup_path: str) -> None:
        try:
            agent = subprocess.Popen([path, cgroup_path], env=AGENT_ENVIRONMENT, cwd="/", stdin=subprocess.DEVNULL)
        except OSError as error:
            # The kernel keeps silent about it; whoever looks for the reason finds it in the log.
            log.warning("release agent: %s", error)
            return
        self.await_exit(os.pidfd_open(agent.pid), agent.wait)

    def catch_up(self) -> None:
        if not self._at_exit:
            return
        readable = self._exits.poll(0)
        if any(fd == self._births_fd for fd, _events in readable):
            self._tell_births(self._births.take())
        for pidfd, _events in readable:
            at_exit = self._at_exit.get(pidfd)
            if at_exit is not None:  # else one of the exits before it has ended this watch
                self._drop(pidfd)
                at_exit()

    async def watch_exits(self, settle: Callable[[], None]) -> None:
        """Tell exits as they happen, and let the tree do what they made due."""
        while True:
            await trio.lowlevel.wait_readable(self._exits)
            try:
                self.catch_up()
                settle()
            except Exception:
                # As for a request: a bug must not end the mount.
                log.exception("exit of a member")

    def close(self) -> None:
        for pidfd in self._at_exit:
            os.close(pidfd)
        self._at_exit.clear()
        self._births.stop()
        self._exits.close()

    def await_exit(self, pidfd: int, at_exit: Callable[[], object]) -> None:
        self._at_exit[pidfd] = at_exit
        self._exits.register(pidfd, select.EPOLLIN)

    def _drop(self, pidfd: int) -> None:
        del self._at_exit[pidfd]
        self._exits.unregister(pidfd)
        os.close(pidfd)

    def _exited(self, process: Process) -> None:
        self._watched.pop(process, None)
        self._tell_exit(process.tid)
        self._rest()

    def _rest(self) -> None:
        """Nobody is watched: forks concern nobody."""
        if not self._watched and self._births_fd is not None:
            self._exits.unregister(self._births_fd)
            self._births_fd = None
            self._births.stop()


def _stat(tid: int) -> Stat | None:
    """None if there is no such thread."""
    stat = _read(f"/proc/{tid}/stat")
    if not stat:
        return None
    # The name, field 2, is in parentheses and may itself hold any byte.
    state, *fields = stat[stat.rindex(b")") + 2 :].split()
    return Stat(state, int(fields[0]), int(fields[5]), int(fields[18]))


def _read(path: str) -> bytes:
    """All of a file of /proc; nothing if it is gone.  Without Python's file objects, which cost as much again."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except (FileNotFoundError, ProcessLookupError):
        return b""
    try:
        text = b""
        while piece := os.read(fd, PIECE_BYTES):
            text += piece
        return text
    except ProcessLookupError:
        return b""
    finally:
        os.close(fd)


def _pidfd_open(process: Process) -> int:
    try:
        return os.pidfd_open(process.tid, PIDFD_THREAD)
    except OSError as error:
        if isinstance(error, ProcessLookupError):
            raise
        # An older kernel: the exit of the whole process has to do.
        return os.pidfd_open(process.tgid)
