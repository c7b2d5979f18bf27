"""Open files: reads, writes, snapshots, what is refused."""

from __future__ import annotations

import stat
from functools import partial

import pytest

from memcgfs.kernfs import ROOT_INO, Attributes, Caller, Changes, Directory, DirectoryOps, Kernfs, Node
from memcgfs.kernfs.errors import (
    BadHandle,
    CreateRefused,
    IsADirectory,
    NameTaken,
    NameTooLong,
    NoSuchFile,
    NotPermitted,
    NotReadable,
    NotWritable,
    Removed,
    TooLong,
)

from .conftest import Clock, Shelf

SOMEBODY = Caller(pid=7, uid=1000, gid=100)


@pytest.fixture
def a(fs: Kernfs) -> Directory:
    return fs.mkdir(ROOT_INO, b"a", 0o755)


def opened(fs: Kernfs, directory: Directory, name: bytes, caller: Caller = SOMEBODY) -> int:
    return fs.open(directory.children[name].ino, 2, caller)


@pytest.mark.fact("C38")
def test_a_control_file_is_rendered_at_each_read(fs: Kernfs, a: Directory) -> None:
    handle = opened(fs, a, b"number")
    a.subject.number = 12345
    assert fs.read(handle, 0, 4096) == b"12345\n"
    assert fs.read(handle, 3, 2) == b"45"
    assert fs.read(handle, 6, 4096) == b""
    a.subject.number = 6
    assert fs.read(handle, 0, 4096) == b"6\n"


def test_a_snapshot_is_that_of_its_open(fs: Kernfs, a: Directory) -> None:
    early = opened(fs, a, b"snapshot")
    a.subject.number = 5
    late = opened(fs, a, b"snapshot")
    assert (fs.read(early, 0, 9), fs.read(late, 0, 9), fs.read(late, 1, 9)) == (b"0\n", b"5\n", b"\n")


def test_a_write_is_one_command_of_the_opener_wherever_it_is_written(fs: Kernfs, a: Directory) -> None:
    handle = opened(fs, a, b"number")
    assert fs.write(handle, 0, b"7") == 1
    assert fs.write(handle, 4000, b"42 ") == 3
    shelf: Shelf = a.subject
    assert shelf.written == [(b"7", SOMEBODY), (b"42 ", SOMEBODY)]
    assert shelf.number == 42


@pytest.mark.parametrize(("nbytes", "refused"), [(4095, False), (4096, True), (1 << 20, True)])
def test_a_command_is_shorter_than_a_path(fs: Kernfs, a: Directory, nbytes: int, refused: bool) -> None:
    handle = opened(fs, a, b"number")
    command = b"7".rjust(nbytes)
    if refused:
        with pytest.raises(TooLong):
            fs.write(handle, 0, command)
        assert a.subject.written == []
    else:
        assert fs.write(handle, 0, command) == nbytes


def test_byte_files_are_addressed_by_offset(fs: Kernfs, a: Directory) -> None:
    handle = opened(fs, a, b"memory")
    assert fs.write(handle, 4, b"abcd") == 4
    assert fs.read(handle, 3, 6) == b"\0abcd\0"
    assert fs.write(handle, 14, b"xyz") == 2
    assert fs.read(handle, 14, 100) == b"xy"
    assert fs.write(handle, 0, b"q" * 10_000) == 16


def test_what_a_file_cannot_do_is_refused(fs: Kernfs, a: Directory) -> None:
    with pytest.raises(NotReadable):
        fs.read(opened(fs, a, b"unreadable"), 0, 10)
    for name in (b"snapshot", b"read_only_memory"):
        with pytest.raises(NotWritable):
            fs.write(opened(fs, a, name), 0, b"1" * 5000)


def test_files_of_a_removed_directory(fs: Kernfs, a: Directory) -> None:
    handles = [opened(fs, a, name) for name in a.children]
    number = fs.lookup(a.ino, b"number")
    fs.rmdir(ROOT_INO, b"a")
    for handle in handles:
        with pytest.raises(Removed):
            fs.read(handle, 0, 10)
        with pytest.raises(Removed):
            fs.write(handle, 0, b"1")
        fs.release(handle)
    with pytest.raises(Removed):
        fs.open(number.ino, 0)


def test_handles_end(fs: Kernfs, a: Directory) -> None:
    handle = opened(fs, a, b"number")
    fs.release(handle)
    for use in (lambda: fs.read(handle, 0, 1), lambda: fs.write(handle, 0, b"1"), lambda: fs.release(handle)):
        with pytest.raises(BadHandle):
            use()
    assert opened(fs, a, b"number") != handle


def test_directories_are_not_opened(fs: Kernfs, a: Directory) -> None:
    with pytest.raises(IsADirectory):
        fs.open(a.ino, 0)
    with pytest.raises(NoSuchFile):
        fs.open(12345, 0)


class Fixed(DirectoryOps):
    """Directories whose files are fixed: what the base refuses."""

    def mkdir(self, parent: Directory, name: bytes, mode: int, caller: Caller) -> Directory:
        raise NotImplementedError

    def rmdir(self, directory: Directory) -> None:
        raise NotImplementedError

    def rename(self, node: Node, new_parent: Directory, new_name: bytes, target: Node | None) -> None:
        raise NotImplementedError


@pytest.mark.parametrize("ops", [None, Fixed()])
def test_users_make_no_files_where_there_are_only_control_files(fs: Kernfs, a: Directory, ops: DirectoryOps | None) -> None:
    a.ops = ops
    before = list(a.children)
    for name, refusal in ((b"new", CreateRefused), (b"number", NameTaken), (b"n" * 256, NameTooLong)):
        with pytest.raises(refusal):
            fs.create(a.ino, name, 0o644, 0)
    for make in (partial(fs.mknod, mode=stat.S_IFIFO), fs.symlink, fs.link):
        with pytest.raises(NotPermitted):
            make(a.ino, b"new")
        with pytest.raises(NameTaken):
            make(a.ino, b"number")
    with pytest.raises((CreateRefused, NotPermitted)):
        fs.mknod(a.ino, b"new", stat.S_IFREG)
    with pytest.raises(NotPermitted):
        fs.unlink(a.ino, b"number")
    with pytest.raises(IsADirectory):
        fs.unlink(ROOT_INO, b"a")
    with pytest.raises(NoSuchFile):
        fs.unlink(a.ino, b"new")
    assert list(a.children) == before


def test_setattr_changes_what_it_says_and_the_change_date(fs: Kernfs, a: Directory, clock: Clock) -> None:
    ino = a.children[b"number"].ino
    clock.now_ns = 5_000
    assert oct(fs.setattr(ino, Changes(mode=0o100600)).mode) == "0o100600"
    changed = fs.setattr(ino, Changes(uid=5, gid=6, atime_ns=11, mtime_ns=12))
    assert changed == Attributes(ino, 0o100600, 1, 5, 6, 0, 11, 12, 5_000, nr_blocks=0, lasting=True)
    clock.now_ns = 6_000
    assert fs.setattr(ino, Changes(size=4096))[5:9] == (4096, 11, 6_000, 6_000)
    assert fs.read(opened(fs, a, b"number"), 0, 10) == b"0\n"
