"""Names, numbers, references, listings."""

from __future__ import annotations

import pytest

from memcgfs.kernfs import ROOT_INO, Caller, Directory, Kernfs
from memcgfs.kernfs.errors import (
    InvalidRename,
    IsADirectory,
    NameTaken,
    NameTooLong,
    NoSuchFile,
    NotADirectory,
    NotEmpty,
    NotPermitted,
    Pinned,
)

from .conftest import FILES, Clock, ShelfIsFull

SOMEBODY = Caller(pid=7, uid=1000, gid=100, umask=0o027)


def names(fs: Kernfs, ino: int, offset: int = 0) -> list[bytes]:
    return [name for name, _, _ in fs.readdir(ino, offset)]


def test_a_directory_belongs_to_its_maker_and_so_do_its_files(fs: Kernfs) -> None:
    directory = fs.mkdir(ROOT_INO, b"a", 0o7777, SOMEBODY)
    assert oct(directory.mode) == "0o41750"  # no set-uid, no set-gid, and less what the umask takes
    for node in [directory, *directory.children.values()]:
        assert (node.uid, node.gid) == (1000, 100)
    assert {oct(file.mode) for file in directory.children.values()} == {"0o100644"}


def test_numbers_are_never_given_twice(fs: Kernfs) -> None:
    seen = {fs.root.ino}
    for _ in range(3):
        directory = fs.mkdir(ROOT_INO, b"a", 0o755)
        numbers = {directory.ino, *(file.ino for file in directory.children.values())}
        assert len(numbers) == 1 + len(FILES)
        assert not numbers & seen
        seen |= numbers
        fs.rmdir(ROOT_INO, b"a")


def test_nlink_counts_directories_that_are_listed(fs: Kernfs) -> None:
    a = fs.mkdir(ROOT_INO, b"a", 0o755)
    hidden = fs.add_directory(fs.root, b".hidden", mode=0o755, owner=SOMEBODY, hidden=True)
    assert fs.getattr(ROOT_INO).nlink == 3
    fs.remove(hidden)
    assert fs.getattr(ROOT_INO).nlink == 3
    assert fs.getattr(a.ino).nlink == 2
    assert fs.getattr(fs.lookup(a.ino, b"number").ino).nlink == 1
    fs.mkdir(a.ino, b"b", 0o755)
    assert fs.getattr(a.ino).nlink == 3
    fs.rmdir(a.ino, b"b")
    assert fs.getattr(a.ino).nlink == 2


@pytest.mark.parametrize(
    ("name", "refusal"),
    [(b"a", NameTaken), (b".taken", NameTaken), (b"x" * 256, NameTooLong), (b"\xff" * 255, None), (b"b", None)],
)
def test_mkdir_names(fs: Kernfs, name: bytes, refusal: type[Exception] | None) -> None:
    fs.mkdir(ROOT_INO, b"a", 0o755)
    fs.add_directory(fs.root, b".taken", mode=0o755, owner=SOMEBODY, hidden=True, pinned=True)
    if refusal is None:
        assert fs.mkdir(ROOT_INO, name, 0o755).name == name
    else:
        with pytest.raises(refusal):
            fs.mkdir(ROOT_INO, name, 0o755)


def test_mkdir_where_nothing_can_be(fs: Kernfs) -> None:
    a = fs.mkdir(ROOT_INO, b"a", 0o755)
    with pytest.raises(NotADirectory):
        fs.mkdir(fs.lookup(a.ino, b"number").ino, b"x", 0o755)
    plain = fs.add_directory(fs.root, b"plain", mode=0o755, owner=SOMEBODY)
    with pytest.raises(NotPermitted):
        fs.mkdir(plain.ino, b"x", 0o755)
    fs.rmdir(ROOT_INO, b"a")
    with pytest.raises(NoSuchFile):
        fs.mkdir(a.ino, b"x", 0o755)


def test_a_listing_is_newest_first_and_leaves_out_what_is_hidden(fs: Kernfs) -> None:
    for name in (b"a", b"b", b"c"):
        fs.mkdir(ROOT_INO, name, 0o755)
    hidden = fs.add_directory(fs.root, b".hidden", mode=0o755, owner=SOMEBODY, hidden=True)
    assert names(fs, ROOT_INO) == [b".", b"..", b"c", b"b", b"a"]
    assert fs.lookup(ROOT_INO, b".hidden") is hidden


def test_dot_and_dot_dot(fs: Kernfs) -> None:
    a = fs.mkdir(ROOT_INO, b"a", 0o755)
    entries = {name: node for name, node, _ in fs.readdir(a.ino)}
    assert entries[b"."] is a
    assert entries[b".."] is fs.root
    assert {name: node for name, node, _ in fs.readdir(ROOT_INO)}[b".."] is fs.root


def test_a_listing_goes_on_where_it_was_while_others_come_and_go(fs: Kernfs) -> None:
    for name in (b"a", b"b", b"c", b"d"):
        fs.mkdir(ROOT_INO, name, 0o755)
    listing = list(fs.readdir(ROOT_INO))
    after_c = next(cookie for name, _, cookie in listing if name == b"c")
    fs.rmdir(ROOT_INO, b"c")
    fs.rmdir(ROOT_INO, b"a")
    fs.mkdir(ROOT_INO, b"e", 0o755)
    assert names(fs, ROOT_INO, after_c) == [b"b"]
    assert names(fs, ROOT_INO) == [b".", b"..", b"e", b"d", b"b"]
    assert len({cookie for _, _, cookie in listing}) == len(listing)


def test_a_listing_one_entry_at_a_time_is_the_listing(fs: Kernfs) -> None:
    for number in range(20):
        fs.mkdir(ROOT_INO, b"%d" % number, 0o755)
    found, offset = [], 0
    while (entry := next(fs.readdir(ROOT_INO, offset), None)) is not None:
        found.append(entry[0])
        offset = entry[2]
    assert found == names(fs, ROOT_INO)


def test_rmdir_refusals(fs: Kernfs) -> None:
    a = fs.mkdir(ROOT_INO, b"a", 0o755)
    fs.add_directory(fs.root, b".taken", mode=0o755, owner=SOMEBODY, pinned=True)
    for parent, name, refusal in (
        (ROOT_INO, b"nobody", NoSuchFile),
        (ROOT_INO, b"n" * 256, NameTooLong),
        (a.ino, b"number", NotADirectory),
        (ROOT_INO, b".taken", Pinned),
    ):
        with pytest.raises(refusal):
            fs.rmdir(parent, name)
    a.subject.full = True
    with pytest.raises(ShelfIsFull):
        fs.rmdir(ROOT_INO, b"a")
    assert fs.lookup(ROOT_INO, b"a") is a


def test_a_removed_node_is_known_as_long_as_somebody_refers_to_it(fs: Kernfs) -> None:
    a = fs.mkdir(ROOT_INO, b"a", 0o755)
    number = fs.lookup(a.ino, b"number")
    fs.lookup(a.ino, b"number")
    snapshot = a.children[b"snapshot"]
    handle = fs.open(snapshot.ino, 0)
    memory = a.children[b"memory"]
    fs.rmdir(ROOT_INO, b"a")
    assert fs.getattr(a.ino).nlink == fs.getattr(number.ino).nlink == fs.getattr(snapshot.ino).nlink == 0
    with pytest.raises(NoSuchFile):
        fs.getattr(memory.ino)
    fs.forget(number.ino, 1)
    assert fs.node(number.ino) is number
    fs.forget(number.ino, 1)
    fs.forget(a.ino, 1)
    fs.release(handle)
    for ino in (number.ino, a.ino, snapshot.ino):
        with pytest.raises(NoSuchFile):
            fs.node(ino)


def test_a_removed_directory_has_nothing_in_it(fs: Kernfs) -> None:
    a = fs.mkdir(ROOT_INO, b"a", 0o755)
    fs.rmdir(ROOT_INO, b"a")
    with pytest.raises(NoSuchFile):
        fs.lookup(a.ino, b"number")
    with pytest.raises(NoSuchFile):
        fs.readdir(a.ino)


def test_a_living_node_stays_when_it_is_forgotten(fs: Kernfs) -> None:
    a = fs.mkdir(ROOT_INO, b"a", 0o755)
    fs.forget(a.ino, 1)
    assert fs.lookup(ROOT_INO, b"a") is a


def test_find_takes_paths(fs: Kernfs) -> None:
    a = fs.mkdir(ROOT_INO, b"a", 0o755)
    number = fs.find(b"/a/./number")
    assert number.parent is a
    assert fs.find(b"number", a) is number
    assert fs.find(b"") is fs.root
    assert number.nr_lookups == 0
    for path, refusal in ((b"a/number/x", NotADirectory), (b"b", NoSuchFile)):
        with pytest.raises(refusal):
            fs.find(path)


RENAMES: list[tuple[bytes, bytes, bytes, int, type[Exception] | None]] = [
    # of the root: old name, new parent, new name, flags
    (b"a", b"", b"z", 0, None),
    (b"a", b"", b"z", 1, None),
    (b"a", b"", b"a", 0, None),
    (b"a", b"", b"b", 1, NameTaken),
    (b"a", b"", b"a", 1, NameTaken),
    (b"a", b"b", b"z", 0, None),
    (b"a", b"b", b"number", 0, NotADirectory),
    (b"a", b"a", b"z", 0, InvalidRename),
    (b"a", b"", b"z", 2, InvalidRename),
    (b"a", b"", b"x" * 256, 0, NameTooLong),
    (b"nobody", b"", b"z", 0, NoSuchFile),
    (b".taken", b"", b"z", 0, Pinned),
    (b"a", b"", b".taken", 1, NameTaken),
]


@pytest.mark.parametrize(("old", "parent", "new", "flags", "refusal"), RENAMES)
def test_rename(fs: Kernfs, old: bytes, parent: bytes, new: bytes, flags: int, refusal: type[Exception] | None) -> None:
    a = fs.mkdir(ROOT_INO, b"a", 0o755)
    fs.mkdir(ROOT_INO, b"b", 0o755)
    fs.add_directory(fs.root, b".taken", mode=0o755, owner=SOMEBODY, hidden=True, pinned=True)
    before = names(fs, ROOT_INO)
    if refusal is None:
        new_parent = fs.find(parent)
        fs.rename(ROOT_INO, old, new_parent.ino, new, flags)
        assert fs.lookup(new_parent.ino, new) is a
        assert (old in fs.root.children) is (old == new)
    else:
        with pytest.raises(refusal):
            fs.rename(ROOT_INO, old, fs.find(parent).ino, new, flags)
        assert names(fs, ROOT_INO) == before


def test_rename_over_what_is_there(fs: Kernfs) -> None:
    """A directory replaces directories, a file files; a directory in use above the source is not empty."""
    a, b = (fs.mkdir(ROOT_INO, name, 0o755) for name in (b"a", b"b"))
    c = fs.mkdir(a.ino, b"c", 0o755)
    with pytest.raises(IsADirectory):
        fs.rename(a.ino, b"number", ROOT_INO, b"b")
    with pytest.raises(NotEmpty):
        fs.rename(a.ino, b"c", ROOT_INO, b"a")
    with pytest.raises(NotEmpty):
        fs.rename(a.ino, b"number", ROOT_INO, b"a")
    with pytest.raises(InvalidRename):
        fs.rename(ROOT_INO, b"a", c.ino, b"z")
    came: list[tuple[int, bytes, int]] = []
    fs.arrival_observers.append(lambda *event: came.append(event))
    fs.removal_observers.append(lambda *event: came.append(event))
    fs.rename(a.ino, b"c", ROOT_INO, b"b")
    assert came == []  # whoever asks for a rename knows that the target goes
    assert (fs.find(b"b"), c.parent, c.path, b.alive) == (c, fs.root, b"/b", False)
    assert (fs.getattr(a.ino).nlink, fs.getattr(ROOT_INO).nlink) == (2, 4)


def test_a_directory_without_ops_renames_nothing(fs: Kernfs) -> None:
    plain = fs.add_directory(fs.root, b"plain", mode=0o755, owner=SOMEBODY)
    fs.add_directory(plain, b"x", mode=0o755, owner=SOMEBODY)
    with pytest.raises(NotPermitted):
        fs.rename(plain.ino, b"x", plain.ino, b"y")


def test_a_renamed_directory_is_listed_as_the_newest(fs: Kernfs) -> None:
    for name in (b"a", b"b"):
        fs.mkdir(ROOT_INO, name, 0o755)
    fs.rename(ROOT_INO, b"a", ROOT_INO, b"z")
    assert names(fs, ROOT_INO) == [b".", b"..", b"z", b"b"]


def test_dates(fs: Kernfs, clock: Clock) -> None:
    a = fs.mkdir(ROOT_INO, b"a", 0o755)
    clock.now_ns = 2_000
    assert fs.getattr(a.ino)[6:9] == (1_000, 1_000, 1_000)
    fs.mkdir(a.ino, b"b", 0o755)
    assert fs.getattr(a.ino)[6:9] == (1_000, 2_000, 2_000)
    clock.now_ns = 3_000
    fs.rename(ROOT_INO, b"a", ROOT_INO, b"z")
    assert fs.getattr(a.ino)[6:9] == (1_000, 2_000, 3_000)
    assert fs.getattr(ROOT_INO)[6:9] == (1_000, 3_000, 3_000)


def test_others_are_told_of_what_they_did_not_ask_for(fs: Kernfs) -> None:
    came: list[tuple[int, bytes, int]] = []
    gone: list[tuple[int, bytes, int]] = []
    fs.arrival_observers.append(lambda *event: came.append(event))
    fs.removal_observers.append(lambda *event: gone.append(event))
    a = fs.mkdir(ROOT_INO, b"a", 0o755)
    fs.rename(ROOT_INO, b"a", ROOT_INO, b"b")
    fs.rmdir(ROOT_INO, b"b")
    assert (came, gone) == ([], [])
    c = fs.add_directory(fs.root, b"c", mode=0o755, owner=SOMEBODY)
    fs.rename_node(c, b"d")
    fs.remove(c)
    assert came == [(ROOT_INO, b"c", c.ino), (ROOT_INO, b"d", c.ino)]
    assert gone == [(ROOT_INO, b"c", c.ino), (ROOT_INO, b"d", c.ino)]
    assert isinstance(a, Directory)
