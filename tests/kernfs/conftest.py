"""A toy filesystem on kernfs: each directory is a shelf with a number that can be read and written, and with sheets of
data that users put there."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from memcgfs.kernfs import LIBFS, OWNER, ByteFile, Caller, ControlFile, DataFile, Directory, Kernfs, Node
from memcgfs.kernfs.errors import NotPermitted


class ShelfIsFull(Exception):
    """What the toy refuses by itself."""


@dataclass
class Shelf:
    number: int = 0
    memory: bytearray = field(default_factory=lambda: bytearray(16))
    written: list[tuple[bytes, Caller]] = field(default_factory=list)
    full: bool = False

    def write(self, text: bytes, caller: Caller) -> None:
        self.written.append((text, caller))
        self.number = int(text)

    def store(self, offset: int, content: bytes) -> int:
        content = content[: len(self.memory) - offset]
        self.memory[offset : offset + len(content)] = content
        return len(content)


class Sheet:
    """Data of the toy: at most 100 bytes, and it remembers what happened to it."""

    def __init__(self) -> None:
        self.content = bytearray()
        self.openers: list[Caller] = []
        self.nr_open = 0
        self.nr_synced = 0
        self.nr_freed = 0

    @property
    def size_bytes(self) -> int:
        return len(self.content)

    @property
    def nr_blocks(self) -> int:
        return 1 if self.content else 0

    def open(self, caller: Caller) -> OpenSheet:
        self.openers.append(caller)
        self.nr_open += 1
        return OpenSheet(self)

    def truncate(self, size_bytes: int, caller: Caller) -> None:
        if size_bytes > 100:
            raise ShelfIsFull
        del self.content[size_bytes:]
        self.content += bytes(size_bytes - len(self.content))

    def free(self) -> None:
        assert self.nr_open == 0
        self.nr_freed += 1


class OpenSheet:
    def __init__(self, sheet: Sheet) -> None:
        self.sheet = sheet

    def read(self, offset: int, nbytes: int) -> bytes:
        return bytes(self.sheet.content[offset : offset + nbytes])

    def write(self, offset: int, content: bytes) -> int:
        content = content[: 100 - offset]
        if not content:
            raise ShelfIsFull
        self.sheet.truncate(max(len(self.sheet.content), offset + len(content)), OWNER)
        self.sheet.content[offset : offset + len(content)] = content
        return len(content)

    def fsync(self) -> None:
        self.sheet.nr_synced += 1

    def close(self) -> None:
        self.sheet.nr_open -= 1


FILES: tuple[ControlFile[Shelf] | ByteFile[Shelf], ...] = (
    ControlFile("number", lambda shelf: f"{shelf.number}\n", Shelf.write),
    ControlFile("snapshot", lambda shelf: f"{shelf.number}\n", snapshot=True),
    ControlFile("unreadable", write=Shelf.write),
    ByteFile("memory", lambda shelf, offset, nbytes: bytes(shelf.memory[offset : offset + nbytes]), Shelf.store),
    ByteFile("read_only_memory", lambda shelf, offset, nbytes: bytes(shelf.memory[offset : offset + nbytes])),
)


class Shelves:
    """DirectoryOps of the toy."""

    habits = LIBFS

    def __init__(self, fs: Kernfs) -> None:
        self.fs = fs

    def mkdir(self, parent: Directory, name: bytes, mode: int, caller: Caller) -> Directory:
        shelf = Shelf()
        directory = self.fs.add_directory(parent, name, mode=mode, owner=caller, subject=shelf, ops=self)
        self.fs.add_files(directory, FILES, caller, shelf)
        return directory

    def rmdir(self, directory: Directory) -> None:
        if directory.subject.full:
            raise ShelfIsFull
        self.fs.remove(directory)

    def rename(self, node: Node, new_parent: Directory, new_name: bytes, target: Node | None) -> None:
        if target is not None:
            self.fs.remove(target)
        self.fs.rename_node(node, new_name, new_parent)

    def create(self, parent: Directory, name: bytes, mode: int, caller: Caller) -> DataFile:
        if name == b"refused":
            raise ShelfIsFull
        return self.fs.add_data_file(parent, name, mode=mode, owner=caller, data=Sheet())

    def unlink(self, node: Node) -> None:
        if not isinstance(node, DataFile):
            raise NotPermitted(node.name)
        self.fs.remove(node)


class Clock:
    now_ns = 1_000

    def __call__(self) -> int:
        return self.now_ns


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def fs(clock: Clock) -> Kernfs:
    fs = Kernfs(clock)
    fs.root.ops = Shelves(fs)
    return fs
