"""A tree in this process, asked as `os` would be: descriptors with a position, paths from its root, refusals as OSError.

Contract: everything is asked by the tree's owner, whom permissions do not concern.  `TreeSystem.knows` says which steps have no
more in them than this has; flags of open(2) that the vfs itself decides are not among it.
"""

from __future__ import annotations

import errno
import os
import select
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from types import SimpleNamespace
from typing import Any, Final

from ...cgroup.errors import BadNumber, OutOfRange
from ...cgroup.strto import kstrtoint, strstrip
from ...kernfs import Changes, Directory, Kernfs, Node
from ...tree import Tree
from . import vfs
from .results import Result, data_of
from .shadow import OWN_COMMANDS, MemoryHelper, let_pass, reap

FLAGS: Final = frozenset({"O_TRUNC", "O_APPEND", "O_NONBLOCK", "O_DIRECT", "O_SYNC", "O_CLOEXEC"})
IO_BYTES: Final = 4096
FIRST_PID: Final = 1001
LISTS_OF_TASKS: Final = ("tasks", "cgroup.procs")
EVENTS: Final = "cgroup.event_control"
NOBODY: Final = (0, 2)
"""Pids: that of the writer, and that of a thread of the kernel's."""
DIRECTORY_POLLMASK: Final = select.POLLIN | select.POLLOUT


class OpenFile:
    """`handle`: None, of a directory.  `flags`: those of its open(2)."""

    def __init__(self, handle: int | None, ino: int, flags: int) -> None:
        self.handle = handle
        self.ino = ino
        self.flags = flags
        self.position = 0


class TreeSystem:
    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._fs: Kernfs = tree.fs
        self._open: dict[int, OpenFile] = {}
        self._next_fd = 3

    @staticmethod
    def knows(step: Mapping[str, Any]) -> bool:
        """Other users, paths that the vfs walks by itself, and descriptors of directories, are a kernel's affair."""
        names = [step[end] for end in ("path", "to") if isinstance(step.get(end), str)]
        walks = any(name.startswith("/") or name.endswith("/") or {".", ".."} & set(name.split("/")[name == "." :]) for name in names)
        forks = step.get("cmd", "").split(" ")[0] in OWN_COMMANDS
        is_simple = not (walks or forks or names_nobody(step) or step.get("dir") or step.get("uid") or step.get("as"))
        return is_simple and set(step.get("flags", ())) <= FLAGS

    # Names.

    def _asking(self, path: str) -> AbstractContextManager[None]:
        return self._tree.request(path)

    def _found(self, path: str) -> Node:
        return self._fs.find(vfs.getname(path))

    @contextmanager
    def _parent(self, path: str) -> Iterator[tuple[int, bytes]]:
        """The number of the directory, and the name in it."""
        with self._asking(path):
            vfs.getname(path)
            above, _, name = path.rpartition("/")
            yield self._fs.directory(self._found(above).ino).ino, os.fsencode(name)

    def mkdir(self, path: str, mode: int = 0o777) -> None:
        with self._parent(path) as (ino, name):
            self._fs.forget(self._fs.mkdir(ino, name, mode, self._tree.owner).ino, 1)

    def rmdir(self, path: str) -> None:
        with self._parent(path) as (ino, name):
            self._fs.rmdir(ino, name)

    def unlink(self, path: str) -> None:
        with self._parent(path) as (ino, name):
            self._fs.unlink(ino, name)

    def rename(self, path: str, new_path: str) -> None:
        with self._parent(path) as (ino, name), self._parent(new_path) as (new_ino, new_name):
            self._fs.rename(ino, name, new_ino, new_name)

    def symlink(self, target: str, path: str) -> None:
        with self._parent(path) as (ino, name):
            self._fs.symlink(ino, name)

    def link(self, path: str, new_path: str) -> None:
        with self._parent(new_path) as (ino, name):
            self._found(path)
            self._fs.link(ino, name)

    def mknod(self, path: str, mode: int, device: int) -> None:
        with self._parent(path) as (ino, name):
            self._fs.mknod(ino, name, vfs.may_mknod(mode), self._tree.owner)

    def listdir(self, path: str) -> list[str]:
        with self._asking(path):
            names = [os.fsdecode(name) for name, _, _ in self._fs.readdir(self._found(path).ino)]
        return [name for name in names if name not in (".", "..")]

    # Attributes.

    def stat(self, path: str) -> Any:
        with self._asking(path):
            found = self._found(path).attributes()
        return SimpleNamespace(
            st_mode=found.mode, st_uid=found.uid, st_gid=found.gid, st_size=found.size, st_nlink=found.nlink, st_blksize=IO_BYTES,
            st_blocks=found.nr_blocks, st_atime_ns=found.atime_ns, st_mtime_ns=found.mtime_ns, st_ctime_ns=found.ctime_ns,
        )  # fmt: skip

    def _set(self, path: str, changes: Changes) -> None:
        with self._asking(path):
            self._fs.setattr(self._found(path).ino, changes, self._tree.owner)

    def chmod(self, path: str, mode: int) -> None:
        self._set(path, Changes(mode=stat.S_IMODE(mode)))

    def chown(self, path: str, uid: int, gid: int) -> None:
        """chown_common: -1 leaves it as it is."""
        mode = vfs.mode_after_chown(self.stat(path).st_mode)
        self._set(path, Changes(mode=mode, uid=None if uid < 0 else uid, gid=None if gid < 0 else gid))

    def utime(self, path: str, times: tuple[int, int]) -> None:
        self._set(path, Changes(atime_ns=times[0] * 10**9, mtime_ns=times[1] * 10**9))

    def truncate(self, path: str, size: int) -> None:
        self._set(path, Changes(size=vfs.size_of(size)))

    def setxattr(self, path: str, name: str, value: bytes) -> None:
        with self._asking(path):
            self._fs.setxattr(self._found(path).ino, vfs.xattr_name(name), vfs.xattr_value(value))

    def getxattr(self, path: str, name: str) -> bytes:
        with self._asking(path):
            return self._fs.getxattr(self._found(path).ino, vfs.xattr_name(name))

    def listxattr(self, path: str) -> list[str]:
        with self._asking(path):
            return list(map(os.fsdecode, self._fs.listxattr(self._found(path).ino, self._tree.owner)))

    def removexattr(self, path: str, name: str) -> None:
        with self._asking(path):
            self._fs.removexattr(self._found(path).ino, vfs.xattr_name(name))

    # Open files.

    def open(self, path: str, flags: int, mode: int = 0) -> int:
        with self._asking(path):
            node = self._found(path)
            if isinstance(node, Directory):
                vfs.may_open_directory(flags)
                handle = None
            else:
                handle = self._fs.open(node.ino, flags, self._tree.owner)
            found = OpenFile(handle, node.ino, flags)
        fd = self._next_fd
        self._open[fd] = found
        self._next_fd += 1
        return fd

    def close(self, fd: int) -> None:
        found = self._open.pop(fd)
        if found.handle is not None:
            with self._asking("close"):
                self._fs.release(found.handle)

    def close_all(self) -> None:
        for fd in list(self._open):
            self.close(fd)

    def read(self, fd: int, nbytes: int) -> bytes:
        found = self._open[fd]
        content = self.pread(fd, nbytes, found.position)
        found.position += len(content)
        return content

    def pread(self, fd: int, nbytes: int, offset: int) -> bytes:
        with self._asking("read"):
            vfs.may_read(self._open[fd].flags, offset, nbytes)
            return self._fs.read(self._handle(fd), offset, nbytes)

    def write(self, fd: int, content: bytes) -> int:
        found = self._open[fd]
        count = self.pwrite(fd, content, found.position)
        found.position += count
        return count

    def pwrite(self, fd: int, content: bytes, offset: int) -> int:
        with self._asking("write"):
            vfs.may_write(self._open[fd].flags, offset, len(content))
            return self._fs.write(self._handle(fd), offset, content)

    def writev(self, fd: int, pieces: Sequence[bytes]) -> int:
        return self.write(fd, b"".join(pieces))

    def lseek(self, fd: int, offset: int, whence: int) -> int:
        """generic_file_llseek, of a file whose size is 0."""
        found = self._open[fd]
        with self._asking("lseek"):
            found.position = place_of(offset, whence, found.position)
        return found.position

    def ftruncate(self, fd: int, size: int) -> None:
        with self._asking("ftruncate"):
            self._fs.setattr(self._open[fd].ino, Changes(size=vfs.size_of(size)), self._tree.owner)

    def fsync(self, fd: int) -> None:
        with self._asking("fsync"):
            found = self._open[fd]
            if found.handle is None:
                self._fs.fsyncdir(found.ino)
            else:
                self._fs.fsync(found.handle)

    def poll(self, fd: int) -> int:
        found = self._open[fd]
        if found.handle is None:
            return DIRECTORY_POLLMASK
        with self._asking("poll"):
            return self._fs.poll(found.handle)

    def _handle(self, fd: int) -> int:
        handle = self._open[fd].handle
        if handle is None:
            raise OSError(errno.EISDIR, "a directory")
        return handle


def names_nobody(step: Mapping[str, Any]) -> bool:
    """Is somebody attached who is not there (who writes it, or a thread of the kernel's), or one of his descriptors named?"""
    name = str(step.get("path")).rpartition("/")[2]
    given = [*step.get("datas", ()), *([step["data"]] if "data" in step else ())]
    if name == EVENTS:
        return any("{fd:" in str(each) for each in given)
    if name not in LISTS_OF_TASKS:
        return False
    if any("{self}" in str(each) for each in given):
        return True
    texts = [data_of(each) for each in given]
    return any(pid_of(text) in NOBODY for text in (*texts, b"".join(texts)))


def pid_of(text: bytes) -> int | None:
    try:
        return kstrtoint(strstrip(text))
    except (BadNumber, OutOfRange):
        return None


def place_of(offset: int, whence: int, position: int) -> int:
    if whence in (os.SEEK_DATA, os.SEEK_HOLE):
        raise OSError(errno.ENXIO, "there is nothing")
    place = offset + (position if whence == os.SEEK_CUR else 0)
    if place < 0 or whence not in (os.SEEK_SET, os.SEEK_CUR, os.SEEK_END):
        raise OSError(errno.EINVAL, "before the beginning")
    return place


class Group:
    """The processes of a case, each a simulated task alone."""

    def __init__(self, tree: Tree, system: TreeSystem) -> None:
        self._tree = tree
        self._system = system
        self.pids: dict[str, int] = {}
        self._memory: dict[str, MemoryHelper] = {}
        self._next_pid = FIRST_PID

    def actor(self, name: str, play: Callable[[Mapping[str, Any]], Result]) -> None:
        self.helper(name)

    def helper(self, name: str) -> None:
        self.pids[name] = self._next_pid
        self._next_pid += 1
        self._memory[name] = MemoryHelper(self._system, "", self.pids[name])

    def tell(self, name: str, command: str) -> str:
        return self._memory[name].obey(command.split())

    def kill(self, name: str) -> None:
        reap(self._system, "", self._memory.pop(name).pid)

    def make_file(self, path: str, npages: int) -> None:
        MemoryHelper.make_file(self._system, "", path, npages)

    def let_pass(self, seconds: float) -> None:
        let_pass(self._system, "", seconds)

    def group_of(self, pid: int, base: str) -> str | None:
        if not any(memory.pid == pid for memory in self._memory.values()):
            raise FileNotFoundError(errno.ENOENT, "no such process")
        waiting = [self._system_directory(base)]
        while waiting:
            directory = waiting.pop()
            if pid in self._tree.hierarchy.members.of(directory.subject):
                return os.fsdecode(directory.path).removeprefix(base)
            waiting += [node for node in directory.listed if isinstance(node, Directory)]
        return None

    def _system_directory(self, path: str) -> Directory:
        found = self._tree.fs.find(os.fsencode(path))
        assert isinstance(found, Directory)
        return found

    def close(self) -> None:
        for memory in self._memory.values():
            reap(self._system, "", memory.pid)


def clear(system: TreeSystem, path: str) -> None:
    """Take a directory away, with those in it."""
    for name in system.listdir(path):
        if stat.S_ISDIR(system.stat(f"{path}/{name}").st_mode):
            clear(system, f"{path}/{name}")
    system.rmdir(path)
