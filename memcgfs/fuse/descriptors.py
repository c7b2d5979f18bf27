"""What other processes have open, as far as cgroup.event_control needs it: their eventfds, and which of our files a number means.

An eventfd is taken from its process with pidfd_getfd(2), which needs the right to trace it: that of the same user, unless Yama's
ptrace_scope says otherwise, or CAP_SYS_PTRACE.

A file of ours is never taken, and never asked for anything: the kernel would come back to us with the question, and we would wait for
ourselves.  /proc/PID/fdinfo says which mount it is of, and which inode.

We hold an eventfd as its client does, so the kernel never tells us that he has closed it.  Nobody can see what is added to one that nobody
has open, so it is enough to notice now and then: when a process exits that had registered one, and when the eventfds have doubled in number
since we looked last.  Looking costs a line of /proc for each, and a walk through the descriptors of all processes only if one is not found
where it was.  One that is on its way through a socket at that moment counts as closed.
"""

from __future__ import annotations

import ctypes
import errno
import os
import select
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

from .host import Host
from .mountpoint import mount_at

SYS_PIDFD_GETFD: Final = 438
"""The same on every architecture, as all system calls since Linux 5.0."""
EVENTFD: Final = "anon_inode:[eventfd]"
FEW: Final = 64
"""So many eventfds may be held before anybody looks."""

_libc = ctypes.CDLL(None, use_errno=True)


class HeldEventFd:
    """`tgid`, `number`: where it was taken from; `id`: which it is, whoever has it open."""

    def __init__(self, held: dict[int, HeldEventFd], fd: int, tgid: int, number: int) -> None:
        self.tgid = tgid
        self.number = number
        self.id = _fdinfo("self", fd).get("eventfd-id", "")
        self._held = held
        self._fd = fd
        self._tell: Callable[[], object] = self.close
        self._writable = select.poll()
        self._writable.register(fd, select.POLLOUT)
        held[fd] = self

    def signal(self) -> None:
        """One whose count can go no further keeps it, as the kernel would do."""
        if self._writable.poll(0):
            os.eventfd_write(self._fd, 1)

    def when_closed(self, tell: Callable[[], object]) -> None:
        self._tell = tell

    def was_closed(self) -> None:
        self._tell()

    def close(self) -> None:
        if self._held.pop(self._fd, None) is not None:
            os.close(self._fd)


class Descriptors:
    """`path`: where the tree is mounted."""

    def __init__(self, host: Host, path: Path) -> None:
        self._host = host
        self._path = path
        self._held: dict[int, HeldEventFd] = {}
        self._clients: set[int] = set()
        self._look_at = FEW

    def eventfd(self, tid: int, fd: int) -> HeldEventFd | None:
        tgid = _tgid(tid)
        link = _link(tgid, fd)
        if link != EVENTFD:
            return None
        if len(self._held) >= self._look_at:
            self._look()
            self._look_at = max(2 * len(self._held), FEW)
        pidfd = os.pidfd_open(tgid)
        try:
            taken = _pidfd_getfd(pidfd, tgid, fd)
            if tgid not in self._clients:
                self._clients.add(tgid)
                pidfd_kept, pidfd = pidfd, -1
                self._host.await_exit(pidfd_kept, lambda: self._exited(tgid))
        finally:
            if pidfd >= 0:
                os.close(pidfd)
        return HeldEventFd(self._held, taken, tgid, fd)

    def ino(self, tid: int, fd: int) -> int | None:
        tgid = _tgid(tid)
        _link(tgid, fd)
        info = _fdinfo(str(tgid), fd)
        ours = mount_at(self._path)
        if ours is None or "ino" not in info or _device(info["mnt_id"], tgid) != ours.device:
            return None
        return int(info["ino"])

    def close(self) -> None:
        for each in list(self._held.values()):
            each.close()

    # Inside.

    def _exited(self, tgid: int) -> None:
        self._clients.discard(tgid)
        self._look()

    def _look(self) -> None:
        """Tell those whose eventfd nobody else has open."""
        missing = [each for each in self._held.values() if _fdinfo(str(each.tgid), each.number).get("eventfd-id") != each.id]
        if missing:
            elsewhere = set(_eventfd_ids(int(name) for name in os.listdir("/proc") if name.isdecimal()))
            for each in missing:
                if each.id not in elsewhere:
                    each.was_closed()


def _tgid(tid: int) -> int:
    """EBADF where the thread is gone: nothing of it is open."""
    try:
        for line in Path(f"/proc/{tid}/status").read_text(errors="replace").splitlines():
            if line.startswith("Tgid:\t"):
                return int(line[6:])
    except OSError:
        pass
    raise OSError(errno.EBADF, os.strerror(errno.EBADF))


def _link(tgid: int, fd: int) -> str:
    try:
        return os.readlink(f"/proc/{tgid}/fd/{fd}")
    except PermissionError:
        raise _no_right(tgid, fd) from None
    except OSError:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF)) from None


def _pidfd_getfd(pidfd: int, tgid: int, fd: int) -> int:
    taken: int = _libc.syscall(SYS_PIDFD_GETFD, pidfd, fd, 0)
    if taken >= 0:
        return taken
    if ctypes.get_errno() in (errno.EPERM, errno.EACCES):
        raise _no_right(tgid, fd)
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _no_right(tgid: int, fd: int) -> PermissionError:
    return PermissionError(
        errno.EPERM,
        f"descriptor {fd} of process {tgid} may not be taken: the daemon needs the right to trace that process "
        f"(it runs as user {os.geteuid()}; the same user with kernel.yama.ptrace_scope=0, or CAP_SYS_PTRACE)",
    )


def _fdinfo(pid: str, fd: int) -> dict[str, str]:
    """The lines of /proc/PID/fdinfo/FD; none if there is no such thing."""
    try:
        lines = Path(f"/proc/{pid}/fdinfo/{fd}").read_text().splitlines()
    except OSError:
        return {}
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def _device(mount_id: str, tgid: int) -> str | None:
    """MAJOR:MINOR of the mount with that number, as the process sees it, or we."""
    for pid in (str(tgid), "self"):
        try:
            lines = Path(f"/proc/{pid}/mountinfo").read_text(errors="surrogateescape").splitlines()
        except OSError:
            continue
        for line in lines:
            number, _parent, device, *_ = line.split(" ", 3)
            if number == mount_id:
                return device
    return None


def _eventfd_ids(pids: Iterable[int]) -> Iterator[str]:
    """Of all that these processes, but this one, have open."""
    for pid in pids:
        if pid == os.getpid():
            continue
        try:
            numbers = [int(entry.name) for entry in os.scandir(f"/proc/{pid}/fd") if os.readlink(entry.path) == EVENTFD]
        except OSError:
            continue  # it is gone, or not ours to look at: then neither was its eventfd
        yield from (_fdinfo(str(pid), number).get("eventfd-id", "") for number in numbers)
