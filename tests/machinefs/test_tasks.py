"""`.machine/tasks`: making and reaping tasks, and whose they are."""

from __future__ import annotations

import errno

import pytest

from memcgfs.kernfs import Caller
from memcgfs.tree import Tree
from tests.refusal import refused

SOMEBODY = Caller(pid=900, uid=1000, gid=100, umask=0o077)

NAMES: list[tuple[bytes, int]] = [
    (b"2", 0), (b"4194303", 0), (b"101", 0),
    (b"1", errno.EINVAL), (b"0", errno.EINVAL), (b"4194304", errno.EINVAL), (b"99999999999", errno.EINVAL),
    (b"-5", errno.EINVAL), (b"+5", errno.EINVAL), (b"007", errno.EINVAL), (b"0x10", errno.EINVAL),
    (b"init", errno.EINVAL), (b"5 ", errno.EINVAL), (b"\xb2", errno.EINVAL), ("٣".encode(), errno.EINVAL),
    (b"100", errno.EEXIST), (b"x" * 256, errno.ENAMETOOLONG),
]  # fmt: skip


@pytest.mark.parametrize(("name", "error"), NAMES)
def test_a_directory_is_a_task(tree: Tree, name: bytes, error: int) -> None:
    tree.spawn(100)
    parent = tree.fs.find(b".machine/tasks")
    if error:
        with refused(error), tree.request("mkdir"):
            tree.fs.mkdir(parent.ino, name, 0o777, SOMEBODY)
        assert list(tree.machine.tasks) == [100]
    else:
        directory = tree.fs.mkdir(parent.ino, name, 0o777, SOMEBODY)
        assert int(name) in tree.machine.tasks
        assert tree.fs.getattr(directory.ino)[1:5] == (0o40755, 2, 1000, 100)
        for node in directory.children.values():
            assert tree.fs.getattr(node.ino)[1:5] == (0o100644, 1, 1000, 100)


def test_a_child_belongs_to_its_parents_maker(tree: Tree) -> None:
    tree.fs.mkdir(tree.fs.find(b".machine/tasks").ino, b"100", 0o777, SOMEBODY)
    tree.root[".machine/tasks/100/ctl"] = "fork 101"
    for path in (b".machine/tasks/101", b".machine/tasks/101/ctl"):
        assert tree.fs.find(path).attributes()[3:5] == (1000, 100)
    assert tree.root[".machine/tasks/101/status"].count("PPid:\t100\n") == 1  # type: ignore[union-attr]


def test_a_child_that_nobody_asked_for_by_name_is_announced(tree: Tree) -> None:
    came: list[bytes] = []
    tree.fs.arrival_observers.append(lambda parent, name, ino: came.append(name))
    tree.spawn(100).fork(101)
    assert came == [b"101"]


def test_rmdir_ends_a_task_and_its_charges_are_gone(tree: Tree) -> None:
    a = tree.mkdir("a")
    task = tree.spawn(100, a)
    task.touch(0, 10)
    status = tree.fs.open(tree.fs.find(b".machine/tasks/100/status").ino, 0)
    assert a["memory.usage"] == 10
    task.reap()
    assert (a["memory.usage"], list(tree.machine.tasks)) == (0, [])
    with refused(errno.ENODEV), tree.request("status"):
        tree.fs.read(status, 0, 100)
    tree.fs.release(status)
    with refused(errno.ENOENT):
        task.dir.read("status")
    tree.spawn(100)


def test_a_zombie_stays_until_it_is_reaped(tree: Tree) -> None:
    task = tree.spawn(100)
    task.ctl("exit")
    assert (task.status["State"], task.status["Died"]) == ("Z (zombie)", "exited")
    with refused(errno.EEXIST):
        tree.spawn(100)
    task.reap()
    assert tree.spawn(100).status["State"] == "R (running)"


def test_modes_and_what_cannot_be_made_or_removed(tree: Tree) -> None:
    assert oct(tree.fs.find(b".machine").mode) == "0o40755"
    assert oct(tree.fs.find(b".machine/tasks").mode) == "0o41777"
    assert oct(tree.fs.find(b".machine/sys/vm/swappiness").mode) == "0o100644"
    tree.spawn(100)
    root = tree.root
    for parent, name, making, removing in (
        ("/", ".machine", errno.EEXIST, errno.EBUSY),
        (".machine", "tasks", errno.EEXIST, errno.EPERM),
        (".machine", "x", errno.EPERM, errno.ENOENT),
        (".machine/sys", "vm", errno.EEXIST, errno.EPERM),
        (".machine/tasks/100", "x", errno.EPERM, errno.ENOENT),
        (".machine/tasks/100", "ctl", errno.EEXIST, errno.ENOTDIR),
    ):
        ino = tree.fs.find(parent.encode()).ino
        with refused(making):
            root.mkdir(f"{parent}/{name}")
        with refused(removing), tree.request(name):
            tree.fs.rmdir(ino, name.encode())
    tasks = tree.fs.find(b".machine/tasks").ino
    with refused(errno.EINVAL), tree.request("rename"):
        tree.fs.rename(tasks, b"100", tasks, b"101")


@pytest.mark.parametrize(("machinedir", "listed"), [("hidden", []), ("visible", ["/.machine"])])
def test_machinedir(machinedir: str, listed: list[str]) -> None:
    tree = Tree(ram="8M", machinedir=machinedir)
    assert [child.path for child in tree.root.children] == listed
    assert tree.fs.getattr(1).nlink == 2 + len(listed)
    assert tree.root[".machine/check"] == "ok\n"
