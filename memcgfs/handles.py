"""The Python face of a tree: directories, their files, and tasks as objects.

Contract: the same files as in a mount, read and written whole, with the same parsing and the same refusals, as OSError.
A handle holds no state of its own; one of something that was removed says ENOENT or ENODEV, as a path would.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING

from .kernfs import Directory, File
from .kernfs.errors import NoSuchFile, Pinned, WouldBlock
from .machinefs import MapOptions, TaskEntry, map_file

if TYPE_CHECKING:
    from . import mm
    from .tree import Tree

READ_BYTES = 1 << 16


class Dir:
    """A directory.  `dir[name]` is a file's content: an int if it is one number, else the text as it is."""

    def __init__(self, tree: Tree, directory: Directory) -> None:
        self._tree = tree
        self._directory = directory

    @property
    def path(self) -> str:
        """From the root of the tree, with a leading slash."""
        return os.fsdecode(self._directory.path)

    @property
    def children(self) -> list[Dir]:
        """The directories in it that are listed, newest first."""
        return [Dir(self._tree, node) for node in self._directory.listed if isinstance(node, Directory)]

    @property
    def files(self) -> list[str]:
        return [os.fsdecode(node.name) for node in self._directory.listed if isinstance(node, File)]

    def mkdir(self, path: str) -> Dir:
        tree, fs = self._tree, self._tree.fs
        above, _, name = path.rstrip("/").rpartition("/")
        with tree.request(path):
            parent = fs.find(os.fsencode(above), self._directory)
            directory = fs.mkdir(parent.ino, os.fsencode(name), 0o777, tree.owner)
            fs.forget(directory.ino, 1)
        return Dir(tree, directory)

    def rmdir(self) -> None:
        with self._tree.request(self.path):
            self._tree.fs.rmdir(self._parent().ino, self._directory.name)

    def rename(self, name: str) -> None:
        with self._tree.request(self.path):
            ino = self._parent().ino
            self._tree.fs.rename(ino, self._directory.name, ino, os.fsencode(name))

    def read(self, path: str) -> bytes:
        """The whole of the file `path`, as cat would print it; of one that is read as it comes, what there is.

        Raises BlockingIOError where cat would wait.
        """
        fs = self._tree.fs
        with self._tree.request(path), self._opened(path) as handle:
            content = b""
            try:
                while piece := fs.read(handle, len(content), READ_BYTES):
                    content += piece
            except WouldBlock:
                if not content:
                    raise
        return content

    def write(self, path: str, content: bytes) -> None:
        """One write, which is one command, to a file that is opened as by `>`."""
        with self._tree.request(path), self._opened(path, os.O_WRONLY | os.O_TRUNC) as handle:
            self._tree.fs.write(handle, 0, content)

    def __getitem__(self, path: str) -> int | str:
        text = self.read(path).decode("utf-8", "surrogateescape")
        try:
            return int(text)
        except ValueError:
            return text

    def __setitem__(self, path: str, value: int | str) -> None:
        self.write(path, os.fsencode(str(value)))

    def __repr__(self) -> str:
        return f"<Dir {self.path}>"

    def _parent(self) -> Directory:
        if self._directory.parent is None:
            raise Pinned(self.path)
        if not self._directory.alive:
            raise NoSuchFile(self.path)
        return self._directory.parent

    @contextmanager
    def _opened(self, path: str, flags: int = os.O_RDONLY) -> Iterator[int]:
        fs = self._tree.fs
        handle = fs.open(fs.find(os.fsencode(path), self._directory).ino, flags, self._tree.owner)
        try:
            yield handle
        finally:
            fs.release(handle)


class TaskHandle:
    """A simulated task: its files, and what bulk work needs of it.  `task` is the machine's own view."""

    def __init__(self, tree: Tree, directory: Directory) -> None:
        self._tree = tree
        self._entry: TaskEntry = directory.subject
        self.dir = Dir(tree, directory)

    @property
    def task(self) -> mm.Task:
        return self._entry.task

    @property
    def pid(self) -> int:
        return self.task.pid

    @property
    def status(self) -> dict[str, int | str]:
        """The lines of `status`; amounts of memory in kB, numbers as numbers."""
        lines = self.dir.read("status").decode().splitlines()
        return {name: _amount(text.strip()) for name, _, text in (line.partition(":") for line in lines)}

    def ctl(self, command: str) -> None:
        self.dir["ctl"] = command

    def touch(self, start: int, npages: int, write: bool = True) -> mm.Access:
        with self._tree.request(self.dir.path):
            return self.task.touch(start, npages, write=write)

    def access(self, pages: Sequence[int], writes: Sequence[int]) -> mm.Access:
        with self._tree.request(self.dir.path):
            return self.task.access(pages, writes)

    def mmap(self, start: int, npages: int, *, file: str | None = None, shared: bool = False, locked: bool = False,
             populate: bool = False, writable: bool = True) -> None:  # fmt: skip
        """Map pages, of the file at this path below `.machine/files` or of none."""
        with self._tree.request(self.dir.path if file is None else file):
            how = MapOptions(shared, locked, populate, writable)
            if file is None:
                self.task.mmap(start, npages, **asdict(how))
            else:
                map_file(self._entry, os.fsencode(file), start, npages, how)

    def fork(self, pid: int) -> TaskHandle:
        self.ctl(f"fork {pid}")
        return self._other(pid)

    def thread(self, pid: int) -> TaskHandle:
        self.ctl(f"thread {pid}")
        return self._other(pid)

    def _other(self, pid: int) -> TaskHandle:
        directory = self._tree.fs.find(b".machine/tasks/%d" % pid)
        assert isinstance(directory, Directory)
        return TaskHandle(self._tree, directory)

    def reap(self) -> None:
        """End it if it lives, and forget it."""
        self.dir.rmdir()

    def __repr__(self) -> str:
        return f"<TaskHandle {self.pid}>"


def _amount(text: str) -> int | str:
    number = text.removesuffix(" kB").removesuffix(" ns")
    return int(number) if number.isdecimal() else text
