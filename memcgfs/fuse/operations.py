"""The kernel's requests, each one synchronous call into the tree.

Contract
- A request runs to its end before the next one starts: nothing here awaits between a call and its answer, except to let
  the caller feel a stall (`timescale`), which comes after the call and holds up nobody else.
- A read that finds nothing yet is tried again after each other request, until there is something, a signal is pending for
  the reader (EINTR), or the mount has gone (end of file; to a writer, ENODEV).  So is a write that nobody can do yet.  Of one
  that takes until something else happens (`StillRunning`), only the outcome is asked for again; a signal gives it up.  With
  O_NONBLOCK nobody waits, but what was begun goes on.  All that wait let another worker take requests meanwhile.
- Before a request, members that have exited are let go; after it, `tree.settle()` does what it made due.
- What the tree refuses is answered with the errno that `tree.errno_of` has for it.  Any other exception is a bug here
  or below; pyfuse3 would end the whole mount, so it becomes EIO, with the traceback in the log.
- Permissions are checked by the kernel (default_permissions) before a request is sent.

What the kernel may keep.  Names and attributes do not change behind its back, so it keeps them for ever: a stat, or the
walk of a path, costs no request.  The few names that do come or go behind its back (`fork`) it is told.  The size and
the dates of a data file do change (a simulated task writes to it), so they are asked for each time.  Contents are never
kept: every file is opened with direct_io.  Without it a control file, whose size is 0, would read empty, and the computer's
page cache would stand before the machine's.

pyfuse3 names no caller in `read` and `write`; there the opener stands for the caller, which `kernfs` sees to.
"""

from __future__ import annotations

import errno
import functools
import logging
import os
import time
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, Concatenate, Final, NamedTuple, NoReturn, ParamSpec, TypeVar, cast

import pyfuse3
import trio
from pyfuse3 import (
    EntryAttributes,
    FileHandleT,
    FileInfo,
    FileNameT,
    FlagT,
    FUSEError,
    InodeT,
    ModeT,
    PollHandle,
    ReaddirToken,
    RequestContext,
    SetattrFields,
    StatvfsData,
)

from ..kernfs import NAME_MAX, Attributes, Caller, Changes, StillRunning, WouldBlock
from ..tree import Tree, errno_of
from .host import Host
from .mountpoint import mount_at
from .pollers import Pollers
from .stalls import LOOK_S, Waiter, feel_stall

FOREVER: Final = 1e9
"""Seconds that the kernel may keep a name or attributes."""
A_MOMENT_NS: Final = 60_000_000_000
"""A date this close to the computer's now means now: pyfuse3 does not tell UTIME_NOW from a date."""
IO_BYTES: Final = 4096
"""What stat(2) calls the best size of a request."""

AT_ONCE: Final = 32
"""Callers that wait, whose signals are looked at as often as `LOOK_S` says; of more, each more seldom."""

log = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")
Answering = Callable[Concatenate["Requests", P], Coroutine[Any, Any, R]]


def request(call: Callable[Concatenate[Requests, P], R]) -> Answering[P, R]:
    """Put around a call what every request has: see the contract above."""

    @functools.wraps(call)
    async def answer(self: Requests, /, *args: P.args, **kwargs: P.kwargs) -> R:
        tree = self._tree
        started_ns, pid = (tree.machine.clock_ns, self._pid_of_caller(args)) if self._timescale else (0, 0)
        try:
            self._host.catch_up()
            try:
                return call(self, *args, **kwargs)
            finally:
                tree.settle()
                if self._waiting:
                    self._waiting.unpark_all()
                self._pollers.tell_streams(self._is_ready)
        except WouldBlock:
            raise
        except Exception as refusal:
            raise FUSEError(_errno(refusal, call.__name__)) from None
        finally:
            if self._timescale and tree.machine.clock_ns != started_ns:
                await feel_stall((tree.machine.clock_ns - started_ns) * self._timescale, pid)

    return answer


def _errno(refusal: Exception, name: str) -> int:
    number = errno_of(refusal)
    if number is None:
        log.error("%s: answered EIO because of", name, exc_info=refusal)
        return errno.EIO
    return number


class Opener(NamedTuple):
    """Who opened a file, and how."""

    pid: int
    ino: int
    is_nonblocking: bool


class Requests(pyfuse3.Operations):
    """`tree` behind one mount.  `timescale`: real nanoseconds that a caller waits for one that its request took."""

    supports_dot_lookup = False

    def __init__(self, tree: Tree, host: Host, path: Path, timescale: float = 0.0) -> None:
        super().__init__()
        self._tree = tree
        self._fs = tree.fs
        self._host = host
        self._timescale = timescale
        self._openers: dict[FileHandleT, Opener] = {}
        self._path = path
        self._waiting = trio.lowlevel.ParkingLot()
        self._is_ending = False
        self._pollers = Pollers()
        self.start_worker: Callable[[], None] = lambda: None
        """Has requests answered while one waits."""
        tree.fs.arrival_observers.append(self._name_came)
        tree.fs.removal_observers.append(self._name_gone)
        tree.fs.poll_observers.append(self._pollers.changed)

    # Names.

    @request
    def lookup(self, parent_inode: InodeT, name: FileNameT, ctx: RequestContext) -> EntryAttributes:
        return _entry(self._fs.lookup(parent_inode, name).attributes())

    async def forget(self, inode_list: Sequence[tuple[InodeT, int]]) -> None:
        # Not a request: the kernel expects no answer.
        try:
            for ino, nr_lookups in inode_list:
                self._fs.forget(ino, nr_lookups)
        except Exception:
            log.exception("forget")

    @request
    def opendir(self, inode: InodeT, ctx: RequestContext) -> FileHandleT:
        self._fs.directory(inode)
        return FileHandleT(inode)

    @request
    def readdir(self, fh: FileHandleT, start_id: int, token: ReaddirToken) -> None:
        for name, node, next_id in self._fs.readdir(fh, start_id):
            if not pyfuse3.readdir_reply(token, FileNameT(name), _entry(node.attributes()), next_id):
                break
            if name not in (b".", b".."):
                self._fs.hold(node)

    @request
    def mkdir(self, parent_inode: InodeT, name: FileNameT, mode: ModeT, ctx: RequestContext) -> EntryAttributes:
        return _entry(self._fs.mkdir(parent_inode, name, mode, _caller(ctx)).attributes())

    @request
    def rmdir(self, parent_inode: InodeT, name: FileNameT, ctx: RequestContext) -> None:
        self._fs.rmdir(parent_inode, name)

    @request
    def rename(self, parent_inode_old: InodeT, name_old: FileNameT, parent_inode_new: InodeT, name_new: FileNameT,
               flags: FlagT, ctx: RequestContext) -> None:  # fmt: skip
        self._fs.rename(parent_inode_old, name_old, parent_inode_new, name_new, flags)

    @request
    def create(self, parent_inode: InodeT, name: FileNameT, mode: ModeT, flags: FlagT,
               ctx: RequestContext) -> tuple[FileInfo, EntryAttributes]:  # fmt: skip
        file, handle = self._fs.create(parent_inode, name, mode, flags, _caller(ctx))
        return self._opened(handle, file.ino, flags, ctx), _entry(file.attributes())

    @request
    def mknod(self, parent_inode: InodeT, name: FileNameT, mode: ModeT, rdev: int,
              ctx: RequestContext) -> EntryAttributes:  # fmt: skip
        return _entry(self._fs.mknod(parent_inode, name, mode, _caller(ctx)).attributes())

    @request
    def unlink(self, parent_inode: InodeT, name: FileNameT, ctx: RequestContext) -> None:
        self._fs.unlink(parent_inode, name)

    # What nobody may do in such a tree; kernfs knows how it is refused.

    @request
    def symlink(self, parent_inode: InodeT, name: FileNameT, target: FileNameT, ctx: RequestContext) -> NoReturn:
        self._fs.symlink(parent_inode, name)

    @request
    def link(self, inode: InodeT, new_parent_inode: InodeT, new_name: FileNameT, ctx: RequestContext) -> NoReturn:
        self._fs.link(new_parent_inode, new_name)

    # Attributes.

    @request
    def getattr(self, inode: InodeT, ctx: RequestContext) -> EntryAttributes:
        return _entry(self._fs.getattr(inode))

    @request
    def setattr(self, inode: InodeT, attr: EntryAttributes, fields: SetattrFields, fh: FileHandleT | None,
                ctx: RequestContext) -> EntryAttributes:  # fmt: skip
        changes = Changes(
            mode=attr.st_mode if fields.update_mode else None,
            uid=attr.st_uid if fields.update_uid else None,
            gid=attr.st_gid if fields.update_gid else None,
            size=attr.st_size if fields.update_size else None,
            atime_ns=self._date_ns(attr.st_atime_ns) if fields.update_atime else None,
            mtime_ns=self._date_ns(attr.st_mtime_ns) if fields.update_mtime else None,
        )
        return _entry(self._fs.setattr(inode, changes, _caller(ctx)))

    @request
    def setxattr(self, inode: InodeT, name: FileNameT, value: bytes, ctx: RequestContext) -> None:
        self._fs.setxattr(inode, name, value)

    @request
    def getxattr(self, inode: InodeT, name: FileNameT, ctx: RequestContext) -> bytes:
        return self._fs.getxattr(inode, name)

    @request
    def listxattr(self, inode: InodeT, ctx: RequestContext) -> list[bytes]:
        return self._fs.listxattr(inode, _caller(ctx))

    @request
    def removexattr(self, inode: InodeT, name: FileNameT, ctx: RequestContext) -> None:
        self._fs.removexattr(inode, name)

    @request
    def statfs(self, ctx: RequestContext) -> StatvfsData:
        """The machine's disk, whatever the file asked for: FUSE names none."""
        disk = self._tree.statfs()
        answer = StatvfsData()
        answer.f_bsize = answer.f_frsize = disk.block_bytes
        answer.f_blocks = disk.nr_blocks
        answer.f_bfree = answer.f_bavail = disk.nr_free
        answer.f_files = disk.nr_files + disk.nr_files_free
        answer.f_ffree = answer.f_favail = disk.nr_files_free
        answer.f_namemax = NAME_MAX
        return answer

    # Open files.

    @request
    def open(self, inode: InodeT, flags: FlagT, ctx: RequestContext) -> FileInfo:
        return self._opened(self._fs.open(inode, flags, _caller(ctx)), inode, flags, ctx)

    async def read(self, fh: FileHandleT, off: int, size: int) -> bytes:
        try:
            return await self._read(fh, off, size)
        except WouldBlock as blocked:
            content = await self._wait(fh, blocked, lambda: self._fs.read(fh, off, size))
            return content if content is not None else b""

    @request
    def _read(self, fh: FileHandleT, off: int, size: int) -> bytes:
        return self._fs.read(fh, off, size)

    async def write(self, fh: FileHandleT, off: int, buf: bytes) -> int:
        try:
            return await self._write(fh, off, buf)
        except WouldBlock as blocked:
            nbytes = await self._wait(fh, blocked, lambda: self._fs.write(fh, off, buf))
            if nbytes is None:
                raise FUSEError(errno.ENODEV) from None  # not EINTR, after which many would write again
            return nbytes

    @request
    def _write(self, fh: FileHandleT, off: int, buf: bytes) -> int:
        return self._fs.write(fh, off, buf)

    async def _wait(self, fh: FileHandleT, blocked: WouldBlock, again: Callable[[], R]) -> R | None:
        """What `again` gives, which was `blocked`, or what comes of what is under way already.  None: the mount ends."""
        opener = self._openers[fh]
        if opener.is_nonblocking:
            raise FUSEError(errno.EAGAIN)
        waiter = Waiter(opener.pid, self._path / os.fsdecode(self._fs.node(opener.ino).path.lstrip(b"/")))
        self.start_worker()
        while not self._is_ending:
            with trio.move_on_after(LOOK_S * (1 + len(self._waiting) // AT_ONCE)) as look:
                await self._waiting.park()
            if look.cancelled_caught:
                if waiter.is_interrupted():
                    _give_up(blocked)
                    raise FUSEError(errno.EINTR)
                if mount_at(self._path) is None:
                    break
            try:
                return self._try_again(blocked, again)
            except WouldBlock as still:
                blocked = still
            except Exception as refusal:
                raise FUSEError(_errno(refusal, "wait")) from None
        _give_up(blocked)
        return None

    def _try_again(self, blocked: WouldBlock, again: Callable[[], R]) -> R:
        """Only what was done wakes the others: one that woke them by asking would be woken by them, and so on without end."""
        if isinstance(blocked, StillRunning):
            answer: R = blocked.outcome()
            return answer
        done = again()
        self._tree.settle()
        self._waiting.unpark_all()
        return done

    def end_waits(self) -> None:
        """The mount ends: whoever waits for something to read is at the end of the file, whoever waits in a write is told so (ENODEV)."""
        self._is_ending = True
        self._waiting.unpark_all()

    @request
    def fsync(self, fh: FileHandleT, datasync: bool) -> None:
        self._fs.fsync(fh)

    @request
    def fsyncdir(self, fh: FileHandleT, datasync: bool) -> None:
        self._fs.fsyncdir(fh)

    @request
    def poll(self, inode: InodeT, fh: FileHandleT, poll_handle: PollHandle | None, ctx: RequestContext) -> int:
        """What can be done with the file now.  With a handle, somebody waits for what cannot."""
        events = self._fs.poll(fh)
        if poll_handle is not None:
            if events:
                self._pollers.wait(inode, fh, poll_handle)
            else:
                self._pollers.wait_for_stream(fh, poll_handle)
        return events

    @request
    def release(self, fh: FileHandleT) -> None:
        self._pollers.forget(InodeT(self._openers[fh].ino), fh)
        del self._openers[fh]
        self._fs.release(fh)

    # Inside.

    def _is_ready(self, fh: FileHandleT) -> bool:
        return self._fs.poll(fh) != 0

    def _pid_of_caller(self, arguments: Sequence[object]) -> int:
        """From a request's arguments: who asks, or who opened the file that they name; 0 for neither."""
        for argument in arguments:
            if isinstance(argument, RequestContext):
                return argument.pid
        opener = self._openers.get(cast(FileHandleT, arguments[0]))
        return opener.pid if opener is not None else 0

    def _opened(self, handle: int, inode: int, flags: int, ctx: RequestContext) -> FileInfo:
        fh = FileHandleT(handle)
        self._openers[fh] = Opener(ctx.pid, inode, bool(flags & os.O_NONBLOCK))
        return FileInfo(fh=fh, direct_io=True, nonseekable=not self._fs.is_seekable(handle))

    def _date_ns(self, date_ns: int) -> int:
        """What `touch` means by now is the tree's now: the computer's clock has no place in what is deterministic."""
        return self._tree.now_ns() if abs(time.time_ns() - date_ns) < A_MOMENT_NS else date_ns

    def _name_came(self, parent_ino: int, name: bytes, ino: int) -> None:
        _forget_attributes(parent_ino)

    def _name_gone(self, parent_ino: int, name: bytes, ino: int) -> None:
        _forget_attributes(parent_ino)
        # In another thread, since it waits for whoever is using the name.
        pyfuse3.invalidate_entry_async(InodeT(parent_ino), FileNameT(name), ignore_enoent=True)


def _give_up(blocked: WouldBlock) -> None:
    if isinstance(blocked, StillRunning):
        blocked.give_up()


def _caller(ctx: RequestContext) -> Caller:
    return Caller(ctx.pid, ctx.uid, ctx.gid, ctx.umask)


def _forget_attributes(ino: int) -> None:
    """Have the kernel ask again: another link count, other dates."""
    try:
        pyfuse3.invalidate_inode(InodeT(ino), attr_only=True)
    except FileNotFoundError:
        pass  # it keeps none


def _entry(attributes: Attributes) -> EntryAttributes:
    entry = EntryAttributes()
    entry.st_ino = InodeT(attributes.ino)
    entry.st_mode = ModeT(attributes.mode)
    entry.st_nlink = attributes.nlink
    entry.st_uid = attributes.uid
    entry.st_gid = attributes.gid
    entry.st_size = attributes.size
    entry.st_blksize = IO_BYTES
    entry.st_atime_ns = attributes.atime_ns
    entry.st_mtime_ns = attributes.mtime_ns
    entry.st_ctime_ns = attributes.ctime_ns
    entry.st_blocks = attributes.nr_blocks
    entry.entry_timeout = FOREVER
    entry.attr_timeout = FOREVER if attributes.lasting else 0
    return entry
