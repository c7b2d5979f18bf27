"""Files of data: made, opened, written, renamed and removed by users."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable

import pytest

from memcgfs.kernfs import ROOT_INO, Caller, Changes, DataFile, Directory, Kernfs
from memcgfs.kernfs.errors import NameTaken, NoSuchFile, NotPermitted

from .conftest import Clock, Sheet, ShelfIsFull

SOMEBODY = Caller(pid=7, uid=1000, gid=100, umask=0o027)


@pytest.fixture
def a(fs: Kernfs) -> Directory:
    return fs.mkdir(ROOT_INO, b"a", 0o755)


def made(fs: Kernfs, directory: Directory, name: bytes = b"data", content: bytes = b"") -> tuple[DataFile, Sheet]:
    """A closed file that nobody refers to but by its name."""
    file, handle = fs.create(directory.ino, name, 0o666, os.O_RDWR, SOMEBODY)
    if content:
        fs.write(handle, 0, content)
    fs.release(handle)
    fs.forget(file.ino, 1)
    assert isinstance(file.data, Sheet)
    return file, file.data


def test_a_file_belongs_to_its_maker(fs: Kernfs, a: Directory) -> None:
    file, handle = fs.create(a.ino, b"data", 0o104666, os.O_RDWR, SOMEBODY)
    assert fs.getattr(file.ino)[1:6] == (0o104640, 1, 1000, 100, 0)
    assert (file.nr_lookups, file.nr_opens) == (1, 1)
    assert fs.lookup(a.ino, b"data") is file
    fs.release(handle)
    with pytest.raises(NameTaken):
        fs.create(a.ino, b"data", 0o666, os.O_RDWR)
    assert not fs.getattr(file.ino).lasting


def test_mknod_makes_files_of_data_only(fs: Kernfs, a: Directory) -> None:
    file = fs.mknod(a.ino, b"data", stat.S_IFREG | 0o600, SOMEBODY)
    assert (fs.find(b"a/data"), file.mode, file.nr_lookups, file.nr_opens) == (file, 0o100600, 1, 0)
    for kind in (stat.S_IFIFO, stat.S_IFCHR, stat.S_IFSOCK):
        with pytest.raises(NotPermitted):
            fs.mknod(a.ino, b"other", kind | 0o600)


def test_what_the_ops_refuse_leaves_nothing(fs: Kernfs, a: Directory) -> None:
    before = list(a.children)
    with pytest.raises(ShelfIsFull):
        fs.create(a.ino, b"refused", 0o644, 0)
    assert (list(a.children), fs._open_files) == (before, {})


def test_bytes_are_kept(fs: Kernfs, a: Directory, clock: Clock) -> None:
    file, sheet = made(fs, a)
    handle = fs.open(file.ino, os.O_RDWR, SOMEBODY)
    clock.now_ns = 2_000
    assert fs.write(handle, 3, b"abc") == 3
    clock.now_ns = 3_000
    assert fs.read(handle, 0, 100) == b"\0\0\0abc"
    assert fs.read(handle, 6, 100) == b""
    assert fs.getattr(file.ino)[5:10] == (6, 3_000, 2_000, 2_000, 1)
    assert fs.write(handle, 98, b"xyz") == 2
    with pytest.raises(ShelfIsFull):
        fs.write(handle, 100, b"z")
    fs.fsync(handle)
    assert sheet.openers == [SOMEBODY, SOMEBODY]
    assert sheet.nr_synced == 1
    fs.release(handle)
    assert sheet.nr_open == 0


def test_append_and_truncate_on_open(fs: Kernfs, a: Directory) -> None:
    file, sheet = made(fs, a, content=b"abc")
    handle = fs.open(file.ino, os.O_WRONLY | os.O_APPEND)
    assert fs.write(handle, 0, b"de") == 2
    sheet.content += b"f"
    fs.write(handle, 4096, b"g")
    assert sheet.content == b"abcdefg"
    fs.release(fs.open(file.ino, os.O_WRONLY | os.O_TRUNC))
    assert sheet.content == b""
    fs.write(handle, 0, b"h")
    assert sheet.content == b"h"


def test_setattr_truncates_or_changes_nothing(fs: Kernfs, a: Directory, clock: Clock) -> None:
    file, sheet = made(fs, a, content=b"abc")
    clock.now_ns = 5_000
    assert fs.setattr(file.ino, Changes(size=1))[5:10] == (1, 1_000, 5_000, 5_000, 1)
    before = fs.getattr(file.ino)
    clock.now_ns = 6_000
    with pytest.raises(ShelfIsFull):
        fs.setattr(file.ino, Changes(size=101, mode=0o600))
    assert fs.getattr(file.ino) == before
    assert sheet.content == b"a"


def test_an_open_file_outlives_its_name(fs: Kernfs, a: Directory) -> None:
    file, sheet = made(fs, a, content=b"abc")
    fs.lookup(a.ino, b"data")
    first, second = fs.open(file.ino, os.O_RDWR), fs.open(file.ino, os.O_RDONLY)
    fs.unlink(a.ino, b"data")
    with pytest.raises(NoSuchFile):
        fs.lookup(a.ino, b"data")
    assert fs.getattr(file.ino).nlink == 0
    fs.write(first, 3, b"d")
    third = fs.open(file.ino, os.O_RDONLY)  # as /proc/self/fd/N does
    assert fs.read(third, 0, 9) == b"abcd"
    fs.release(third)
    fs.release(first)
    assert (fs.read(second, 0, 9), sheet.nr_freed) == (b"abcd", 0)
    fs.release(second)
    assert sheet.nr_freed == 1
    with pytest.raises(NoSuchFile):
        fs.open(file.ino, os.O_RDONLY)
    fs.forget(file.ino, 1)
    assert sheet.nr_freed == 1
    with pytest.raises(NoSuchFile):
        fs.getattr(file.ino)


def test_bytes_go_with_the_name_of_a_closed_file(fs: Kernfs, a: Directory) -> None:
    removals: list[Callable[[], None]] = [
        lambda: fs.unlink(a.ino, b"data"),
        lambda: fs.rename(a.ino, b"new", a.ino, b"data"),
    ]
    for remove in removals:
        _file, sheet = made(fs, a)
        _new, other = made(fs, a, b"new")
        remove()
        assert (sheet.nr_freed, other.nr_freed) == (1, 0)
        fs.unlink(a.ino, b"new" if b"new" in a.children else b"data")
        assert other.nr_freed == 1
    _file, sheet = made(fs, a)
    fs.rmdir(ROOT_INO, b"a")
    assert sheet.nr_freed == 1


def test_a_file_moves(fs: Kernfs, a: Directory, clock: Clock) -> None:
    file, sheet = made(fs, a, content=b"abc")
    b = fs.mkdir(ROOT_INO, b"b", 0o755)
    handle = fs.open(file.ino, os.O_RDWR)
    clock.now_ns = 4_000
    fs.rename(a.ino, b"data", b.ino, b"moved")
    assert (file.path, file.parent, fs.read(handle, 0, 9)) == (b"/b/moved", b, b"abc")
    assert [fs.getattr(node.ino)[7:9] for node in (a, b, file)] == [(4_000, 4_000), (4_000, 4_000), (1_000, 4_000)]
    assert b"data" not in a.children
    assert sheet.nr_freed == 0
