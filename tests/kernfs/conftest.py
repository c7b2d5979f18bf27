"""A toy filesystem on kernfs: each directory is a shelf with a number that can be read and written."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from memcgfs.kernfs import ByteFile, Caller, ControlFile, Directory, Kernfs


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


FILES: tuple[ControlFile[Shelf] | ByteFile[Shelf], ...] = (
    ControlFile("number", lambda shelf: f"{shelf.number}\n", Shelf.write),
    ControlFile("snapshot", lambda shelf: f"{shelf.number}\n", snapshot=True),
    ControlFile("unreadable", write=Shelf.write),
    ByteFile("memory", lambda shelf, offset, nbytes: bytes(shelf.memory[offset : offset + nbytes]), Shelf.store),
    ByteFile("read_only_memory", lambda shelf, offset, nbytes: bytes(shelf.memory[offset : offset + nbytes])),
)


class Shelves:
    """DirectoryOps of the toy."""

    def __init__(self, fs: Kernfs) -> None:
        self.fs = fs

    def mkdir(self, parent: Directory, name: bytes, mode: int, caller: Caller) -> Directory:
        shelf = Shelf()
        directory = self.fs.add_directory(parent, name, mode=mode, owner=caller, subject=shelf, ops=self)
        self.fs.add_files(directory, FILES, caller, shelf)
        return directory

    def rmdir(self, directory: Directory, caller: Caller) -> None:
        if directory.subject.full:
            raise ShelfIsFull
        self.fs.remove(directory)

    def rename(self, directory: Directory, new_name: bytes) -> None:
        self.fs.rename_node(directory, new_name)


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
