"""Control files and directories as fs/kernfs has them: modes, reading on, writes, names, order, dates, groups, extended attributes."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memcgfs.kernfs import KERNFS, OWNER, ROOT_INO, Caller, Changes, Directory, DirectoryOps, Kernfs, Node, SeqFile
from memcgfs.kernfs.errors import (
    BadXattr,
    InvalidRename,
    NameTooLong,
    NoDirectAccess,
    NoSpaceForXattrs,
    NoSuchNamespace,
    NoSuchXattr,
    NoSync,
    NotReadable,
    NotWritable,
    NoXattrs,
    TooLong,
)
from memcgfs.kernfs.habits import name_hash
from memcgfs.kernfs.polling import CHANGED, DEFAULT_POLLMASK
from memcgfs.kernfs.seq_file import SeqReader

WRITE = os.O_WRONLY
BOTH = os.O_RDWR


class Box:
    def __init__(self) -> None:
        self.text = "one\n"

    def show(self) -> str:
        return self.text

    def write(self, command: bytes, caller: Caller) -> None:
        self.text = command.decode()


FILES = (
    SeqFile("both", Box.show, Box.write),
    SeqFile("shown", Box.show),
    SeqFile("written", write=Box.write),
    SeqFile("list", Box.show, is_list=True),
)


class Boxes(DirectoryOps):
    habits = KERNFS

    def __init__(self, fs: Kernfs) -> None:
        self.fs = fs

    def mkdir(self, parent: Directory, name: bytes, mode: int, caller: Caller) -> Directory:
        box = Box()
        directory = self.fs.add_directory(parent, name, mode=mode, owner=caller, subject=box, ops=self)
        self.fs.add_files(directory, FILES, caller, box)
        return directory

    def rmdir(self, directory: Directory) -> None:
        self.fs.remove(directory)

    def rename(self, node: Node, new_parent: Directory, new_name: bytes, target: Node | None) -> None:
        self.fs.rename_node(node, new_name)


@pytest.fixture
def fs() -> Kernfs:
    now = iter(range(1, 10**6))
    fs = Kernfs(lambda: next(now))
    fs.root.ops = Boxes(fs)
    return fs


@pytest.fixture
def box(fs: Kernfs) -> Directory:
    return fs.mkdir(ROOT_INO, b"box", 0o755)


def ino(box: Directory, name: bytes = b"both") -> int:
    return box.children[name].ino


def test_the_mode_says_what_a_file_can_do(fs: Kernfs, box: Directory) -> None:
    assert {name: oct(node.mode & 0o777) for name, node in box.children.items()} == {
        b"both": "0o644", b"shown": "0o444", b"written": "0o200", b"list": "0o444",
    }  # fmt: skip


def test_what_a_file_cannot_do_shows_when_it_is_asked_to(fs: Kernfs, box: Directory) -> None:
    shown, written = fs.open(ino(box, b"shown"), BOTH), fs.open(ino(box, b"written"), BOTH)
    with pytest.raises(NotWritable):
        fs.write(shown, 0, b"1")
    with pytest.raises(NotReadable):
        fs.read(written, 0, 10)
    assert fs.write(shown, 0, b"") == 0
    with pytest.raises(NoDirectAccess):
        fs.open(ino(box), os.O_DIRECT)


def test_a_page_is_a_command_and_one_byte_more_is_none(fs: Kernfs, box: Directory) -> None:
    handle = fs.open(ino(box), WRITE)
    assert fs.write(handle, 0, b"x" * 4096) == 4096
    with pytest.raises(TooLong):
        fs.write(handle, 0, b"x" * 4097)
    with pytest.raises(TooLong):
        fs.write(fs.open(ino(box, b"shown"), WRITE), 0, b"x" * 4097)
    assert fs.write(handle, 0, b"") == 0
    assert box.subject.text == "x" * 4096


def test_what_is_read_on_is_what_was_there_at_first(fs: Kernfs, box: Directory) -> None:
    handle = fs.open(ino(box), BOTH)
    assert fs.read(handle, 0, 2) == b"on"
    fs.write(handle, 2, b"fourteen\n")
    assert fs.read(handle, 2, 100) == b"e\n"
    assert fs.read(handle, 4, 100) == b""
    assert fs.read(handle, 0, 100) == b"fourteen\n"


def test_a_read_behind_a_write_goes_on_where_that_ended(fs: Kernfs, box: Directory) -> None:
    handle = fs.open(ino(box), BOTH)
    fs.write(handle, 0, b"8192")
    box.subject.text += "\n"
    assert fs.read(handle, 4, 100) == b"\n"
    assert fs.read(handle, 1 << 62, 10) == b""


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(1, 12))), st.binary(max_size=10))
def test_of_a_file_that_stays_as_it_is_any_read_gives_its_piece(reads: list[tuple[int, int]], text: bytes) -> None:
    reader = SeqReader(lambda: text)
    for offset, nbytes in reads:
        assert reader.read(offset, nbytes) == text[offset : offset + nbytes]


def test_a_list_of_nobody_is_not_shown(fs: Kernfs, box: Directory) -> None:
    box.subject.text = ""
    handles = {name: fs.open(ino(box, name), os.O_RDONLY) for name in (b"list", b"shown")}
    assert [fs.poll(handle) for handle in handles.values()] == [CHANGED, CHANGED]
    for handle in handles.values():
        assert fs.read(handle, 0, 10) == b""
    assert {name: fs.poll(handle) for name, handle in handles.items()} == {b"list": CHANGED, b"shown": DEFAULT_POLLMASK}


def test_names_are_listed_by_their_hash(fs: Kernfs, box: Directory) -> None:
    """As /sys lists /sys/class on any Linux: `bdi` before `block`, whichever was made first."""
    for name in (b"block", b"bdi", b"net", b"x" * 300):
        fs.mkdir(box.ino, name, 0o755)
    listed = [name for name, _, _ in fs.readdir(box.ino)][2:]
    assert listed == sorted(box.children, key=name_hash)
    middle = list(fs.readdir(box.ino))[4]
    fs.rmdir(box.ino, b"net")
    rest = [name for name in listed[listed.index(middle[0]) + 1 :] if name != b"net"]
    assert [name for name, _, _ in fs.readdir(box.ino, middle[2])] == rest


@pytest.mark.skipif(not os.path.isdir("/sys/class"), reason="no /sys here")
def test_the_hash_is_the_kernels() -> None:
    for directory in (b"/sys", b"/sys/class", b"/sys/kernel"):
        if os.statvfs(directory).f_blocks == 0:
            names = os.listdir(directory)
            assert names == sorted(names, key=name_hash)


def test_a_name_may_be_as_long_as_a_path(fs: Kernfs) -> None:
    fs.mkdir(ROOT_INO, b"n" * 4095, 0o755)
    with pytest.raises(NameTooLong):
        fs.mkdir(ROOT_INO, b"n" * 4096, 0o755)


def test_dates_move_once_somebody_has_set_attributes(fs: Kernfs, box: Directory) -> None:
    before = box.mtime_ns
    fs.mkdir(box.ino, b"a", 0o755)
    assert box.mtime_ns == before
    fs.setattr(box.ino, Changes(mode=0o700))
    fs.rmdir(box.ino, b"a")
    assert box.mtime_ns > before


def test_whoever_sets_something_sees_it_by_its_date() -> None:
    fs = Kernfs(lambda: 7)
    fs.root.ops = Boxes(fs)
    box = fs.mkdir(ROOT_INO, b"box", 0o755)
    assert fs.setattr(ino(box), Changes(atime_ns=1, mtime_ns=2)).ctime_ns == 8
    assert fs.setattr(ino(box), Changes(size=4096)).size == 0


def test_the_group_is_passed_on(fs: Kernfs, box: Directory) -> None:
    fs.setattr(box.ino, Changes(mode=0o2755, gid=33))
    inner = fs.mkdir(box.ino, b"inner", 0o755, Caller(1, 1000, 1000))
    assert (inner.uid, inner.gid, inner.mode & 0o7777) == (1000, 33, 0o2755)
    assert inner.children[b"both"].gid == 33


def test_a_rename_has_no_flags(fs: Kernfs, box: Directory) -> None:
    with pytest.raises(InvalidRename):
        fs.rename(ROOT_INO, b"box", ROOT_INO, b"free", 1)
    fs.rename(ROOT_INO, b"box", ROOT_INO, b"free")


def test_nothing_of_a_directory_is_written_back(fs: Kernfs, box: Directory) -> None:
    with pytest.raises(NoSync):
        fs.fsyncdir(box.ino)


@pytest.mark.parametrize("which", [lambda box: box.ino, ino])
def test_extended_attributes(fs: Kernfs, box: Directory, which: Callable[[Directory], int]) -> None:
    node = which(box)
    for name in (b"user.b", b"trusted.a", b"security.c"):
        fs.setxattr(node, name, name)
    assert fs.listxattr(node) == [b"security.c", b"trusted.a", b"user.b"]
    assert fs.listxattr(node, Caller(1, 1000, 1000)) == [b"security.c", b"user.b"]
    assert fs.getxattr(node, b"user.b") == b"user.b"
    fs.removexattr(node, b"user.b")
    for missing in (fs.getxattr, fs.removexattr):
        with pytest.raises(NoSuchXattr):
            missing(node, b"user.b")
        with pytest.raises(NoSuchNamespace):
            missing(node, b"system.b")
        with pytest.raises(BadXattr):
            missing(node, b"user.")


def test_users_keep_so_much_and_no_more(fs: Kernfs, box: Directory) -> None:
    fs.setxattr(box.ino, b"user.large", bytes(128 << 10))
    with pytest.raises(NoSpaceForXattrs):
        fs.setxattr(box.ino, b"user.more", b"1")
    fs.setxattr(box.ino, b"trusted.more", b"1")
    fs.removexattr(box.ino, b"user.large")
    for number in range(128):
        fs.setxattr(box.ino, b"user.%d" % number, b"")
    with pytest.raises(NoSpaceForXattrs):
        fs.setxattr(box.ino, b"user.more", b"")


def test_trees_of_2007_have_none() -> None:
    with pytest.raises(NoXattrs):
        Kernfs(lambda: 0).getxattr(ROOT_INO, b"user.x")
    Kernfs(lambda: 0).fsyncdir(ROOT_INO)
    assert OWNER.uid == 0
