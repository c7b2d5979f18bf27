"""`tree.files`: the machine's files in Python; and, with random operations, against a directory of this computer."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memcgfs.tree import Tree
from tests.refusal import refused


@pytest.fixture
def tree() -> Tree:
    return Tree(ram="8M", swap=0)


def test_files_are_bytes(tree: Tree) -> None:
    files = tree.files
    files["data"] = b"first"
    files["data"] = b"2nd"
    assert (files["data"], "data" in files, "none" in files, list(files)) == (b"2nd", True, False, ["data"])
    files.append("data", b" and more")
    files.append("new", b"x")
    assert (files["data"], files["new"], files.listdir()) == (b"2nd and more", b"x", ["new", "data"])
    assert (files.read("data", 4, 3), files.read("data", 8), files.read("data", 99)) == (b"and", b"more", b"")
    files.write("data", 12, b"!")
    files.truncate("data", 15)
    assert files["data"] == b"2nd and more!\0\0"
    files.fsync("data")
    assert (files.stat("data").size, files.stat("data").nr_blocks) == (15, 8)
    del files["data"]
    assert list(files) == ["new"]
    tree.machine.check()


def test_a_large_file(tree: Tree) -> None:
    content = bytes(range(256)) * 4000
    tree.files["data"] = content
    assert tree.files["data"] == content
    assert tree.files.read("data", 100_001, 200_000) == content[100_001:300_001]


def test_a_hole_reads_as_zeros_and_takes_no_room(tree: Tree) -> None:
    tree.files["data"] = b""
    tree.files.write("data", 10 << 20, b"end")
    assert tree.files.stat("data").size == (10 << 20) + 3
    assert tree.files.stat("data").nr_blocks <= 64
    assert tree.files.read("data", (10 << 20) - 2) == b"\0\0end"


def test_a_disk_that_is_full() -> None:
    """What fits is written; then nothing is, until room is made."""
    tree = Tree(ram="8M", swap=0, files="4M")
    with refused(errno.ENOSPC):
        for number in range(5):
            tree.files[str(number)] = b"x" * (1 << 20)
    assert tree.machine.statfs().nr_free == 0
    with refused(errno.ENOSPC):
        tree.files["more"] = b"x" * (1 << 19)
    tree.machine.check()
    tree.files.unlink("0")
    tree.files["more"] = b"x" * (1 << 19)
    tree.machine.check()


def test_a_file_that_is_too_big(tree: Tree) -> None:
    tree.files["data"] = b"abc"
    with refused(errno.EFBIG):
        tree.files.write("data", 1 << 62, b"x")
    with refused(errno.EFBIG):
        tree.files.truncate("data", 1 << 62)
    assert tree.files["data"] == b"abc"


REFUSALS: list[tuple[str, Callable[[Tree], object], int]] = [
    ("read", lambda tree: tree.files["none"], errno.ENOENT),
    ("read a directory", lambda tree: tree.files["d"], errno.EISDIR),
    ("through a file", lambda tree: tree.files["data/x"], errno.ENOTDIR),
    ("no directory", lambda tree: tree.files.append("none/x", b""), errno.ENOENT),
    ("no file", lambda tree: tree.files.write("none", 0, b"x"), errno.ENOENT),
    ("truncate none", lambda tree: tree.files.truncate("none", 0), errno.ENOENT),
    ("truncate a directory", lambda tree: tree.files.truncate("d", 0), errno.EISDIR),
    ("truncate to less than nothing", lambda tree: tree.files.truncate("data", -1), errno.EINVAL),
    ("read before the beginning", lambda tree: tree.files.read("data", -1, 1), errno.EINVAL),
    ("write before the beginning", lambda tree: tree.files.write("data", -1, b"x"), errno.EINVAL),
    ("mkdir", lambda tree: tree.files.mkdir("data"), errno.EEXIST),
    ("rmdir a file", lambda tree: tree.files.rmdir("data"), errno.ENOTDIR),
    ("rmdir", lambda tree: tree.files.rmdir("d"), errno.ENOTEMPTY),
    ("unlink", lambda tree: tree.files.unlink("d"), errno.EISDIR),
    ("unlink none", lambda tree: tree.files.unlink("none"), errno.ENOENT),
    ("into itself", lambda tree: tree.files.rename("d", "d/e/f"), errno.EINVAL),
    ("over its parent", lambda tree: tree.files.rename("d/e", "d"), errno.ENOTEMPTY),
    ("over a full one", lambda tree: tree.files.rename("empty", "d"), errno.ENOTEMPTY),
    ("a file over a directory", lambda tree: tree.files.rename("data", "empty"), errno.EISDIR),
    ("a directory over a file", lambda tree: tree.files.rename("empty", "data"), errno.ENOTDIR),
    ("a long name", lambda tree: tree.files.rename("data", "n" * 256), errno.ENAMETOOLONG),
    ("list a file", lambda tree: tree.files.listdir("data"), errno.ENOTDIR),
]


@pytest.mark.parametrize(("use", "number"), [row[1:] for row in REFUSALS], ids=[row[0] for row in REFUSALS])
def test_refusals(tree: Tree, use: Callable[[Tree], object], number: int) -> None:
    tree.files.mkdir("d")
    tree.files.mkdir("d/e")
    tree.files.mkdir("empty")
    tree.files["data"] = b"abc"
    with refused(number):
        use(tree)
    assert tree.files.listdir() == ["data", "empty", "d"]
    assert (tree.files["data"], tree.files.listdir("d"), tree.fs._open_files) == (b"abc", ["e"], {})


# Random operations, here and in a directory of this computer: the same answers, and the same files at the end.

PATHS = ("a", "b", "d", "d/a", "d/b", "d/d", "d/d/a", "e", "none/a")
paths = st.sampled_from(PATHS)
offsets = st.integers(0, 9000)
contents = st.binary(min_size=1, max_size=20) | st.just(b"page" * 1500)
OPERATIONS = st.one_of(
    st.tuples(st.just("store"), paths, contents),
    st.tuples(st.just("append"), paths, contents),
    st.tuples(st.just("write"), paths, offsets, contents),
    st.tuples(st.just("read"), paths, offsets, offsets),
    st.tuples(st.just("truncate"), paths, offsets),
    st.tuples(st.just("mkdir"), paths),
    st.tuples(st.just("mkdir"), paths),
    st.tuples(st.just("rmdir"), paths),
    st.tuples(st.just("unlink"), paths),
    st.tuples(st.just("rename"), paths, paths),
    st.tuples(st.just("rename"), paths, paths),
    st.tuples(st.just("listdir"), paths),
)


FIRST: tuple[tuple[Any, ...], ...] = (
    ("mkdir", "d"), ("mkdir", "d/d"), ("mkdir", "e"),
    *(("append", path, path.encode() * 3000) for path in ("a", "b", "d/a", "d/d/a")),
)  # fmt: skip
"""Done first, so that random operations find something."""


class Here:
    """The operations on a directory of this computer."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def store(self, path: str, content: bytes) -> None:
        (self.root / path).write_bytes(content)

    def append(self, path: str, content: bytes) -> None:
        with open(self.root / path, "ab") as file:
            file.write(content)

    def write(self, path: str, offset: int, content: bytes) -> None:
        fd = os.open(self.root / path, os.O_WRONLY)
        os.pwrite(fd, content, offset)
        os.close(fd)

    def read(self, path: str, offset: int, nbytes: int) -> bytes:
        fd = os.open(self.root / path, os.O_RDONLY)
        try:
            return os.pread(fd, nbytes, offset)
        finally:
            os.close(fd)

    def truncate(self, path: str, nbytes: int) -> None:
        os.truncate(self.root / path, nbytes)

    def mkdir(self, path: str) -> None:
        os.mkdir(self.root / path)

    def rmdir(self, path: str) -> None:
        os.rmdir(self.root / path)

    def unlink(self, path: str) -> None:
        os.unlink(self.root / path)

    def rename(self, path: str, new_path: str) -> None:
        os.rename(self.root / path, self.root / new_path)

    def listdir(self, path: str) -> list[str]:
        return os.listdir(self.root / path)


def answer(call: Callable[..., object], *arguments: object) -> object:
    """What it gives, or the errno."""
    try:
        given = call(*arguments)
    except OSError as error:
        return errno.errorcode[error.errno or 0]
    return sorted(given) if isinstance(given, list) else given


def everything(files: dict[str, bytes | None]) -> dict[str, bytes | None]:
    return dict(sorted(files.items()))


def of_here(root: Path) -> dict[str, bytes | None]:
    return everything({str(p.relative_to(root)): p.read_bytes() if p.is_file() else None for p in root.rglob("*")})


def of_tree(tree: Tree, above: str = "") -> dict[str, bytes | None]:
    found: dict[str, bytes | None] = {}
    for name in tree.files.listdir(above):
        path = f"{above}/{name}".lstrip("/")
        try:
            found[path] = tree.files[path]
        except IsADirectoryError:
            found |= {path: None, **of_tree(tree, path)}
    return everything(found)


@settings(deadline=None, max_examples=200)
@given(st.lists(OPERATIONS, min_size=5, max_size=40))
def test_it_does_what_a_directory_of_this_computer_does(operations: list[tuple[Any, ...]]) -> None:
    tree = Tree(ram="8M", swap=0)
    root = Path(tempfile.mkdtemp(prefix="memcgfs-"))
    try:
        here = Here(root)
        for name, *arguments in (*FIRST, *operations):
            ours = tree.files.__setitem__ if name == "store" else getattr(tree.files, name)
            assert answer(ours, *arguments) == answer(getattr(here, name), *arguments), (name, arguments)
        assert of_tree(tree) == of_here(root)
        tree.machine.check()
    finally:
        shutil.rmtree(root)
