"""Kernfs: the requests on a pseudo-filesystem in memory.

Why: a control filesystem needs little of a real one, and that little (numbers, modes, references, open files, names
that vanish while they are in use) has nothing to do with what the files mean.  After Linux' fs/libfs.c, the part that
its cgroup filesystem stood on in 2007, and fs/kernfs, which took its place.

Contract
- Synchronous; a request ends before the next one starts, and one that raises has changed nothing.
- Names are bytes.
- Permissions are not looked at: whoever passes requests on (the kernel, with default_permissions) has done that.
- `lookup`, `mkdir`, `mknod` and `create` count one reference on the node that they return; `forget` gives references
  back.
- A write to a control file is one command.
- Users make and remove files only where a directory's ops let them; elsewhere files exist because a directory was made
  with them.

Typical sequence: lookup, open, read or write, release, forget.
"""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from typing import NoReturn

from .caller import OWNER, Caller
from .errors import (
    BadHandle,
    CreateRefused,
    InvalidRename,
    IsADirectory,
    NoSuchFile,
    NoSuchNamespace,
    NoSync,
    NotADirectory,
    NotEmpty,
    NotPermitted,
    NoXattrs,
    Pinned,
)
from .filetype import SeqFile
from .habits import KERNFS
from .namespace import DIRECTORY_BITS, MODE_BITS, Namespace
from .node import Attributes, Changes, DataFile, Directory, File, Node
from .open_files import OpenDataFile, OpenFile
from .xattrs import with_xattr, without_xattr, xattr, xattr_names

RENAME_NOREPLACE = 1


def is_of_kernfs(node: Node) -> bool:
    """Is it as today's cgroup filesystem has it, and not as that of 2007?"""
    return node.habits is KERNFS if isinstance(node, Directory) else isinstance(node, File) and isinstance(node.type, SeqFile)


class Kernfs(Namespace):
    """One tree and its open files."""

    def __init__(self, clock: Callable[[], int], *, owner: Caller = OWNER, mode: int = 0o755,
                 dates_reads: bool = True) -> None:  # fmt: skip
        super().__init__(clock, owner=owner, mode=mode, dates_reads=dates_reads)
        self._open_files: dict[int, OpenFile | OpenDataFile] = {}
        self._next_handle = 1

    # Names.

    def lookup(self, parent_ino: int, name: bytes) -> Node:
        node = self._child(self.directory(parent_ino), name)
        node.nr_lookups += 1
        return node

    def readdir(self, ino: int, offset: int = 0) -> Iterator[tuple[bytes, Node, int]]:
        """(name, node, next offset) for `.`, `..` and the children that are not hidden, newest first."""
        directory = self.directory(ino)
        if not directory.alive:
            raise NoSuchFile(directory.name)
        return directory.listing(offset)

    # Attributes.

    def getattr(self, ino: int) -> Attributes:
        return self.node(ino).attributes()

    def setattr(self, ino: int, changes: Changes, caller: Caller = OWNER) -> Attributes:
        node = self.node(ino)
        now = self.clock()
        if changes.size is not None:
            if isinstance(node, Directory):
                raise IsADirectory(node.name)
            if isinstance(node, DataFile):
                node.data.truncate(changes.size, caller)
            elif isinstance(node, File) and not isinstance(node.type, SeqFile):
                # The size is remembered and means nothing: a file's text is made when it is read.
                node.size_bytes = changes.size
                if changes.size == 0 and node.alive:
                    node.type.truncated(node.subject)
            node.mtime_ns = now
        if changes.mode is not None:
            node.mode = node.mode & ~MODE_BITS | changes.mode & MODE_BITS
        if changes.uid is not None:
            node.uid = changes.uid
        if changes.gid is not None:
            node.gid = changes.gid
        if changes.atime_ns is not None:
            node.atime_ns = changes.atime_ns
        if changes.mtime_ns is not None:
            node.mtime_ns = changes.mtime_ns
        self._was_set(node)
        return node.attributes()

    # Extended attributes.

    def setxattr(self, ino: int, name: bytes, value: bytes) -> None:
        node = self.node(ino)
        self._xattrs(node)
        node.xattrs = with_xattr(node.xattrs or {}, name, value)
        self._was_set(node)

    def getxattr(self, ino: int, name: bytes) -> bytes:
        return xattr(self._xattrs(self.node(ino)), name)

    def listxattr(self, ino: int, caller: Caller = OWNER) -> list[bytes]:
        return xattr_names(self._xattrs(self.node(ino)), caller)

    def removexattr(self, ino: int, name: bytes) -> None:
        node = self.node(ino)
        node.xattrs = without_xattr(self._xattrs(node), name)
        self._was_set(node)

    def fsyncdir(self, ino: int) -> None:
        if is_of_kernfs(self.directory(ino)):
            raise NoSync(ino)

    # Directories.

    def mkdir(self, parent_ino: int, name: bytes, mode: int, caller: Caller = OWNER) -> Directory:
        parent = self.directory(parent_ino)
        self._require_free(parent, name)
        if parent.ops is None:
            raise NotPermitted(name)
        with self._requesting((parent, name)):
            directory = parent.ops.mkdir(parent, name, mode & DIRECTORY_BITS & ~caller.umask, caller)
        directory.nr_lookups += 1
        return directory

    def rmdir(self, parent_ino: int, name: bytes) -> None:
        parent = self.directory(parent_ino)
        directory = self._child(parent, name)
        if not isinstance(directory, Directory):
            raise NotADirectory(name)
        if directory.pinned:
            raise Pinned(name)
        if parent.ops is None:
            raise NotPermitted(name)
        with self._requesting((parent, name)):
            parent.ops.rmdir(directory)

    # Names of files.  What a directory without ops refuses is the vfs' own, as for one that lacks the operation.

    def rename(self, parent_ino: int, name: bytes, new_parent_ino: int, new_name: bytes, flags: int = 0) -> None:
        """The refusals and their order are those of sys_renameat and vfs_rename."""
        parent, new_parent = self.directory(parent_ino), self.directory(new_parent_ino)
        if flags & ~RENAME_NOREPLACE:
            raise InvalidRename(name)
        node = self._child(parent, name)
        target = new_parent.children.get(new_name)
        if target is None or flags & RENAME_NOREPLACE:
            self._require_free(new_parent, new_name)
        if isinstance(node, Directory) and new_parent.is_within(node):
            raise InvalidRename(name)
        if isinstance(target, Directory) and parent.is_within(target):
            raise NotEmpty(new_name)
        if target is node:
            return
        if target is not None and isinstance(node, Directory) != isinstance(target, Directory):
            raise (IsADirectory if isinstance(target, Directory) else NotADirectory)(new_name)
        if isinstance(node, Directory) and node.pinned:
            raise Pinned(name)
        if parent.ops is None:
            raise NotPermitted(name)
        if flags and parent.habits.refuses_rename_flags:
            raise InvalidRename(name)
        with self._requesting((parent, name), (new_parent, new_name)):
            parent.ops.rename(node, new_parent, new_name, target)

    def create(self, parent_ino: int, name: bytes, mode: int, flags: int,
               caller: Caller = OWNER) -> tuple[DataFile, int]:  # fmt: skip
        """A new file, and a handle of it.  The file stays if it cannot be opened."""
        file = self._make(parent_ino, name, mode, caller)
        handle = self.open(file.ino, flags, caller)
        file.nr_lookups += 1
        return file, handle

    def mknod(self, parent_ino: int, name: bytes, mode: int, caller: Caller = OWNER) -> DataFile:
        """A new file of data; there are no devices, pipes and sockets."""
        parent = self.directory(parent_ino)
        self._require_free(parent, name)
        if parent.ops is None or not stat.S_ISREG(mode):
            raise NotPermitted(name)
        file = self._make(parent_ino, name, mode, caller)
        file.nr_lookups += 1
        return file

    def link(self, parent_ino: int, name: bytes) -> NoReturn:
        """There are none, neither hard nor symbolic."""
        self._require_free(self.directory(parent_ino), name)
        raise NotPermitted(name)

    symlink = link

    def unlink(self, parent_ino: int, name: bytes) -> None:
        parent = self.directory(parent_ino)
        node = self._child(parent, name)
        if isinstance(node, Directory):
            raise IsADirectory(name)
        if parent.ops is None:
            raise NotPermitted(name)
        with self._requesting((parent, name)):
            parent.ops.unlink(node)

    # Open files.

    def open(self, ino: int, flags: int, caller: Caller = OWNER) -> int:
        """A handle.  The access mode in `flags` is the kernel's to enforce."""
        node = self.node(ino)
        opened: OpenFile | OpenDataFile
        if isinstance(node, File):
            opened = OpenFile(node, flags, caller)
        elif isinstance(node, DataFile):
            opened = OpenDataFile(node, flags, caller, self)
        else:
            raise IsADirectory(node.name)
        handle = self._next_handle
        self._open_files[handle] = opened
        self._next_handle = handle + 1
        node.nr_opens += 1
        return handle

    def is_seekable(self, handle: int) -> bool:
        """May it be read at any offset, or only on from where the last read ended?"""
        return self._opened(handle).seekable

    def read(self, handle: int, offset: int, nbytes: int) -> bytes:
        """Raises WouldBlock where there is nothing yet, but may be later; StillRunning where that is being made."""
        return self._opened(handle).read(offset, nbytes)

    def write(self, handle: int, offset: int, content: bytes) -> int:
        """Done in the name of whoever opened the file; the number of bytes taken, all or fewer (not of a command).

        Raises WouldBlock where nobody can do it yet; StillRunning where it is being done.
        """
        return self._opened(handle).write(offset, content)

    def poll(self, handle: int) -> int:
        """What poll(2) says of it now, in its bits (`polling.py`)."""
        return self._opened(handle).poll()

    def fsync(self, handle: int) -> None:
        self._opened(handle).fsync()

    def release(self, handle: int) -> None:
        opened = self._opened(handle)
        del self._open_files[handle]
        opened.close()
        opened.file.nr_opens -= 1
        self._let_go(opened.file)

    # Inside.

    def _was_set(self, node: Node) -> None:
        """Today's kernel lets everybody see by its date that something was set, also where no time passed."""
        node.ctime_ns = max(self.clock(), node.ctime_ns + 1) if is_of_kernfs(node) else self.clock()
        node.was_set = True

    def _xattrs(self, node: Node) -> dict[bytes, bytes]:
        if self.root.habits is not KERNFS:
            raise NoXattrs(node.name)
        if not is_of_kernfs(node):
            raise NoSuchNamespace(node.name)
        return node.xattrs or {}

    def _opened(self, handle: int) -> OpenFile | OpenDataFile:
        try:
            return self._open_files[handle]
        except KeyError:
            raise BadHandle(handle) from None

    def _make(self, parent_ino: int, name: bytes, mode: int, caller: Caller) -> DataFile:
        parent = self.directory(parent_ino)
        self._require_free(parent, name)
        if parent.ops is None:
            raise CreateRefused(name)
        with self._requesting((parent, name)):
            return parent.ops.create(parent, name, mode & MODE_BITS & ~caller.umask, caller)
