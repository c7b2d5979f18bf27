"""The files of the machine's disk in Python: `.machine/files` as a mapping from paths to bytes.

Contract: what a mount does, through the same requests, with the same refusals as OSError.  Paths start at the directory,
without a leading slash.  A handle holds no state of its own.

>>> import memcgfs
>>> files = memcgfs.Tree(ram="8M").files
>>> files.mkdir("logs")
>>> files["logs/today"] = b"nothing yet"
>>> files["logs/today"], files.listdir(), "logs/yesterday" in files
(b'nothing yet', ['logs'], False)
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .kernfs import Attributes, Changes, Directory, Node
from .kernfs.errors import BadOffset, NoSuchFile

if TYPE_CHECKING:
    from .tree import Tree

READ_BYTES = 1 << 17
DIRECTORY_MODE = 0o777
FILE_MODE = 0o666


class DataDir:
    def __init__(self, tree: Tree, directory: Directory) -> None:
        self._tree = tree
        self._directory = directory

    # Whole files.

    def __getitem__(self, path: str) -> bytes:
        return self.read(path)

    def __setitem__(self, path: str, content: bytes) -> None:
        """The file is made, or made empty, and written."""
        with self._tree.request(path), self._opened(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC) as handle:
            self._write_all(handle, 0, content)

    def __delitem__(self, path: str) -> None:
        self.unlink(path)

    def __contains__(self, path: str) -> bool:
        try:
            self._find(path)
        except OSError:
            return False
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(self.listdir())

    # Parts of files.

    def read(self, path: str, offset: int = 0, nbytes: int | None = None) -> bytes:
        """`nbytes` from `offset` on, or all; fewer at the end."""
        content = bytearray()
        with self._tree.request(path), self._opened(path, os.O_RDONLY) as handle:
            _require_place(offset)
            while nbytes is None or len(content) < nbytes:
                left = READ_BYTES if nbytes is None else min(READ_BYTES, nbytes - len(content))
                piece = self._tree.fs.read(handle, offset + len(content), left)
                if not piece:
                    break
                content += piece
        return bytes(content)

    def write(self, path: str, offset: int, content: bytes) -> None:
        """Into a file that there is."""
        with self._tree.request(path), self._opened(path, os.O_WRONLY) as handle:
            _require_place(offset)
            self._write_all(handle, offset, content)

    def append(self, path: str, content: bytes) -> None:
        with self._tree.request(path), self._opened(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND) as handle:
            self._write_all(handle, 0, content)

    def truncate(self, path: str, nbytes: int) -> None:
        with self._tree.request(path):
            _require_place(nbytes)
            self._tree.fs.setattr(self._node(path).ino, Changes(size=nbytes), self._tree.owner)

    def fsync(self, path: str) -> None:
        with self._tree.request(path), self._opened(path, os.O_RDONLY) as handle:
            self._tree.fs.fsync(handle)

    # Names.

    def listdir(self, path: str = "") -> list[str]:
        """Newest first."""
        with self._tree.request(path):
            directory = self._tree.fs.directory(self._node(path).ino)
            return [os.fsdecode(node.name) for node in directory.listed]

    def mkdir(self, path: str) -> None:
        with self._tree.request(path):
            parent, name = self._place(path)
            directory = self._tree.fs.mkdir(parent.ino, name, DIRECTORY_MODE, self._tree.owner)
            self._tree.fs.forget(directory.ino, 1)

    def rmdir(self, path: str) -> None:
        with self._tree.request(path):
            parent, name = self._place(path)
            self._tree.fs.rmdir(parent.ino, name)

    def unlink(self, path: str) -> None:
        with self._tree.request(path):
            parent, name = self._place(path)
            self._tree.fs.unlink(parent.ino, name)

    def rename(self, path: str, new_path: str) -> None:
        with self._tree.request(path):
            parent, name = self._place(path)
            new_parent, new_name = self._place(new_path)
            self._tree.fs.rename(parent.ino, name, new_parent.ino, new_name)

    def stat(self, path: str) -> Attributes:
        return self._find(path).attributes()

    def __repr__(self) -> str:
        return f"<DataDir {os.fsdecode(self._directory.path)}>"

    # Inside.

    def _find(self, path: str) -> Node:
        with self._tree.request(path):
            return self._node(path)

    def _node(self, path: str) -> Node:
        return self._tree.fs.find(os.fsencode(path), self._directory)

    def _place(self, path: str) -> tuple[Directory, bytes]:
        """Where the last name of `path` is looked up, and the name."""
        above, _, name = path.rstrip("/").rpartition("/")
        return self._tree.fs.directory(self._node(above).ino), os.fsencode(name)

    @contextmanager
    def _opened(self, path: str, flags: int) -> Iterator[int]:
        fs, owner = self._tree.fs, self._tree.owner
        try:
            handle = fs.open(self._node(path).ino, flags, owner)
        except NoSuchFile:
            if not flags & os.O_CREAT:
                raise
            parent, name = self._place(path)
            file, handle = fs.create(parent.ino, name, FILE_MODE, flags, owner)
            fs.forget(file.ino, 1)
        try:
            yield handle
        finally:
            fs.release(handle)

    def _write_all(self, handle: int, offset: int, content: bytes) -> None:
        done = 0
        while done < len(content):
            done += self._tree.fs.write(handle, offset + done, content[done:])


def _require_place(offset: int) -> None:
    """What a mount never lets through."""
    if offset < 0:
        raise BadOffset(offset)
