"""Random operations on open files, in a mount and in a directory of this computer: the same answers, the same bytes."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.tree.test_data_dir import FIRST, Here, answer, of_here, offsets, paths
from tests.tree.test_data_dir import OPERATIONS as ON_NAMES

from .conftest import Mounted

FLAGS = st.sampled_from([
    os.O_RDONLY, os.O_RDWR, os.O_RDWR | os.O_CREAT, os.O_RDWR | os.O_CREAT | os.O_EXCL, os.O_WRONLY | os.O_TRUNC,
    os.O_RDWR | os.O_CREAT | os.O_TRUNC, os.O_RDWR | os.O_APPEND, os.O_WRONLY | os.O_CREAT | os.O_APPEND,
    os.O_RDONLY | os.O_DIRECTORY,
])  # fmt: skip
CLOSED = 1 << 30
"""No file has that number."""
slots = st.integers(0, 2)
lengths = st.integers(0, 9000)
OPERATIONS = st.one_of(
    st.tuples(st.just("open"), slots, paths, FLAGS),
    st.tuples(st.just("open"), slots, paths, FLAGS),
    st.tuples(st.just("close"), slots),
    st.tuples(st.just("pread"), slots, lengths, offsets),
    st.tuples(st.just("pwrite"), slots, st.binary(min_size=1, max_size=9), offsets),
    st.tuples(st.just("sequential"), slots, lengths),
    st.tuples(st.just("put"), slots, st.binary(min_size=1, max_size=9)),
    st.tuples(st.just("seek"), slots, offsets, st.sampled_from([os.SEEK_SET, os.SEEK_END])),
    st.tuples(st.just("ftruncate"), slots, offsets),
    st.tuples(st.just("fsync"), slots),
    st.tuples(st.just("fstat"), slots),
    st.tuples(st.just("chmod"), paths, st.sampled_from([0o600, 0o755])),
    ON_NAMES,
)


OPENED: tuple[tuple[Any, ...], ...] = (
    ("open", 0, "a", os.O_RDWR),
    ("open", 1, "d/a", os.O_RDWR | os.O_APPEND),
    ("open", 2, "d", os.O_RDONLY),
)


class WithOpenFiles(Here):
    """The operations in a directory, and three places for open files."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.fds: dict[int, int] = {}

    def open(self, slot: int, path: str, flags: int) -> None:
        self.close(slot)
        self.fds[slot] = os.open(self.root / path, flags, 0o644)

    def close(self, slot: int) -> None:
        if slot in self.fds:
            os.close(self.fds.pop(slot))

    def fd(self, slot: int) -> int:
        return self.fds.get(slot, CLOSED)

    def pread(self, slot: int, nbytes: int, offset: int) -> bytes:
        return os.pread(self.fd(slot), nbytes, offset)

    def pwrite(self, slot: int, content: bytes, offset: int) -> int:
        return os.pwrite(self.fd(slot), content, offset)

    def sequential(self, slot: int, nbytes: int) -> bytes:
        return os.read(self.fd(slot), nbytes)

    def put(self, slot: int, content: bytes) -> int:
        return os.write(self.fd(slot), content)

    def seek(self, slot: int, offset: int, whence: int) -> int | None:
        if slot in self.fds and os.path.isdir(f"/proc/self/fd/{self.fd(slot)}"):
            return None  # where a directory ends is each filesystem's own affair
        return os.lseek(self.fd(slot), offset, whence)

    def ftruncate(self, slot: int, nbytes: int) -> None:
        os.ftruncate(self.fd(slot), nbytes)

    def fsync(self, slot: int) -> None:
        os.fsync(self.fd(slot))

    def fstat(self, slot: int) -> object:
        found = os.fstat(self.fd(slot))
        return (found.st_mode, found.st_nlink, found.st_size) if not os.path.isdir(f"/proc/self/fd/{self.fd(slot)}") else None

    def chmod(self, path: str, mode: int) -> None:
        os.chmod(self.root / path, mode)


@pytest.fixture
def pair(tree: Mounted) -> Iterator[tuple[Path, Path]]:
    """A directory in the mount, and one of this computer; the umask is 022 meanwhile."""
    umask = os.umask(0o022)
    ours, theirs = tree / ".machine/files/random", Path(tempfile.mkdtemp(prefix="memcgfs-"))
    yield ours, theirs / "random"
    shutil.rmtree(theirs)
    os.umask(umask)


@pytest.mark.skipif(os.geteuid() != 0, reason="whoever is not root may not undo every chmod")
@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(operations=st.lists(OPERATIONS, min_size=5, max_size=40))
def test_open_files_and_names(pair: tuple[Path, Path], operations: list[tuple[Any, ...]]) -> None:
    ours, theirs = (WithOpenFiles(root) for root in pair)
    for place in (ours, theirs):
        place.root.mkdir()
    try:
        for name, *arguments in (*FIRST, *OPENED, *operations):
            given_by = answer(getattr(ours, name), *arguments), answer(getattr(theirs, name), *arguments)
            assert given_by[0] == given_by[1], (name, arguments)
        assert of_here(ours.root) == of_here(theirs.root)
    finally:
        for place in (ours, theirs):
            for slot in range(3):
                place.close(slot)
            shutil.rmtree(place.root)
