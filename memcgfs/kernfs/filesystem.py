"""Kernfs: the requests on a pseudo-filesystem in memory.

Why: a control filesystem needs little of a real one, and that little (numbers, modes, references, open files, names
that vanish while they are in use) has nothing to do with what the files mean.  After Linux' fs/libfs.c, the part that
its cgroup filesystem stood on in 2007, and fs/kernfs, which took its place.

Contract
- Synchronous; a request ends before the next one starts, and one that raises has changed nothing.
- Names are bytes.
- Permissions are not looked at: whoever passes requests on (the kernel, with default_permissions) has done that.
- `lookup` and `mkdir` count one reference on the node that they return; `forget` gives references back.
- A write is one command.  Reads and writes of a file whose directory was removed are refused with `Removed`, here and
  nowhere else.
- Files exist because a directory was made with them; users create none.

Typical sequence: lookup, open, read or write, release, forget.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NoReturn

from .caller import OWNER, Caller
from .errors import (
    BadHandle,
    CreateRefused,
    InvalidRename,
    IsADirectory,
    NameTaken,
    NoSuchFile,
    NotADirectory,
    NotPermitted,
    OtherParent,
    Pinned,
    Removed,
)
from .namespace import DIRECTORY_BITS, Namespace
from .node import Attributes, Changes, Directory, File, Node

RENAME_NOREPLACE = 1
MODE_BITS = 0o7777


class OpenFile:
    __slots__ = ("caller", "file", "snapshot")

    def __init__(self, file: File, caller: Caller, snapshot: bytes | None) -> None:
        self.file = file
        self.caller = caller
        self.snapshot = snapshot


class Kernfs(Namespace):
    """One tree and its open files."""

    def __init__(self, clock: Callable[[], int], *, owner: Caller = OWNER, mode: int = 0o755) -> None:
        super().__init__(clock, owner=owner, mode=mode)
        self._open_files: dict[int, OpenFile] = {}
        self._next_handle = 1

    # Names.

    def lookup(self, parent_ino: int, name: bytes, caller: Caller = OWNER) -> Node:
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
        now = self._clock()
        if changes.mode is not None:
            node.mode = node.mode & ~MODE_BITS | changes.mode & MODE_BITS
        if changes.uid is not None:
            node.uid = changes.uid
        if changes.gid is not None:
            node.gid = changes.gid
        if changes.size is not None:
            # The size is remembered and means nothing: a file's text is made when it is read.
            node.size_bytes = changes.size
            node.mtime_ns = now
        if changes.atime_ns is not None:
            node.atime_ns = changes.atime_ns
        if changes.mtime_ns is not None:
            node.mtime_ns = changes.mtime_ns
        node.ctime_ns = now
        return node.attributes()

    # Directories.

    def mkdir(self, parent_ino: int, name: bytes, mode: int, caller: Caller = OWNER) -> Directory:
        parent = self.directory(parent_ino)
        self._require_free(parent, name)
        if parent.ops is None:
            raise NotPermitted(name)
        with self._requesting(parent, name):
            directory = parent.ops.mkdir(parent, name, mode & DIRECTORY_BITS & ~caller.umask, caller)
        directory.nr_lookups += 1
        return directory

    def rmdir(self, parent_ino: int, name: bytes, caller: Caller = OWNER) -> None:
        parent = self.directory(parent_ino)
        directory = self._child(parent, name)
        if not isinstance(directory, Directory):
            raise NotADirectory(name)
        if directory.pinned:
            raise Pinned(name)
        if parent.ops is None:
            raise NotPermitted(name)
        with self._requesting(parent, name):
            parent.ops.rmdir(directory, caller)

    def rename(self, parent_ino: int, name: bytes, new_parent_ino: int, new_name: bytes, flags: int = 0,
               caller: Caller = OWNER) -> None:  # fmt: skip
        """In place only.  The refusals and their order are those of cgroup_rename, behind those of the vfs."""
        parent, new_parent = self.directory(parent_ino), self.directory(new_parent_ino)
        node = self._child(parent, name)
        target = new_parent.children.get(new_name)
        if flags & ~RENAME_NOREPLACE:
            raise InvalidRename(name)
        if target is node:
            return
        if isinstance(node, Directory) and node.pinned:
            raise Pinned(name)
        if parent.ops is None:
            raise NotPermitted(name)
        if not isinstance(node, Directory):
            raise NotADirectory(name)
        if target is not None:
            raise NameTaken(new_name)
        if parent is not new_parent:
            raise OtherParent(new_name)
        self._require_free(parent, new_name)
        with self._requesting(parent, name):
            parent.ops.rename(node, new_name)

    # What users may not do.  The errors are the vfs' own, for a directory that lacks the operation.

    def create(self, parent_ino: int, name: bytes, caller: Caller = OWNER) -> NoReturn:
        self._require_free(self.directory(parent_ino), name)
        raise CreateRefused(name)

    def mknod(self, parent_ino: int, name: bytes, caller: Caller = OWNER) -> NoReturn:
        self._require_free(self.directory(parent_ino), name)
        raise NotPermitted(name)

    symlink = link = mknod

    def unlink(self, parent_ino: int, name: bytes, caller: Caller = OWNER) -> NoReturn:
        node = self._child(self.directory(parent_ino), name)
        raise IsADirectory(name) if isinstance(node, Directory) else NotPermitted(name)

    # Open files.

    def open(self, ino: int, flags: int, caller: Caller = OWNER) -> int:
        """A handle.  The access mode in `flags` is the kernel's to enforce."""
        file = self.node(ino)
        if not isinstance(file, File):
            raise IsADirectory(file.name)
        if not file.alive:
            raise Removed(file.name)
        handle = self._next_handle
        self._open_files[handle] = OpenFile(file, caller, file.type.opened(file.subject))
        self._next_handle = handle + 1
        file.nr_opens += 1
        return handle

    def read(self, handle: int, offset: int, nbytes: int) -> bytes:
        opened = self._opened(handle)
        file = opened.file
        if not file.alive:
            raise Removed(file.name)
        if opened.snapshot is not None:
            return opened.snapshot[offset : offset + nbytes]
        return file.type.read_at(file.subject, offset, nbytes)

    def write(self, handle: int, offset: int, content: bytes) -> int:
        """Done in the name of whoever opened the file; the number of bytes taken, all or (`ByteFile`) fewer."""
        opened = self._opened(handle)
        file = opened.file
        if not file.alive:
            raise Removed(file.name)
        return file.type.write_at(file.subject, offset, content, opened.caller)

    def release(self, handle: int) -> None:
        file = self._opened(handle).file
        del self._open_files[handle]
        file.nr_opens -= 1
        self._drop_if_unused(file)

    # Inside.

    def _opened(self, handle: int) -> OpenFile:
        try:
            return self._open_files[handle]
        except KeyError:
            raise BadHandle(handle) from None

