"""`tasks`: what may be written to it, who may, who is in it."""

from __future__ import annotations

import errno
from contextlib import nullcontext

import pytest

from memcgfs.handles import Dir
from memcgfs.kernfs import Caller
from memcgfs.tree import Tree
from tests.refusal import refused

from .conftest import FakeHost, MakeTree

ROOT = Caller(pid=900, uid=0, gid=0)


def write_as(tree: Tree, caller: Caller, directory: Dir, text: bytes, error: int = 0) -> None:
    """Written by `caller` to the directory's tasks; refused with `error`, if that is not 0."""
    handle = tree.fs.open(tree.fs.find(f"{directory.path}/tasks".encode()).ino, 1, caller)
    with refused(error) if error else nullcontext(), tree.request("tasks"):
        assert tree.fs.write(handle, 0, text) == len(text)
    tree.fs.release(handle)


def tasks(directory: Dir) -> list[int]:
    return [int(line) for line in directory.read("tasks").splitlines()]


WRITTEN: list[tuple[bytes, int, int | None]] = [
    # what is written by host process 900, the errno, who is then in `a`
    (b"100", 0, 100),
    (b"100\n", 0, 100),
    (b" \t\n\v\f\r\xa0100", 0, 100),
    (b"100 101", 0, 100),
    (b"100\n101", 0, 100),
    (b"100abc", 0, 100),
    (b"0100", 0, 100),
    (b"100\0", 0, 100),
    (b"4294967396", 0, 100),  # 2**32 + 100
    (b"100".rjust(4095), 0, 100),
    (b"0", 0, 900),
    (b"00", 0, 900),
    (b"-0", 0, 900),
    (b"0x64", 0, 900),
    (b"18446744073709551616", 0, 900),
    (b"", errno.EIO, None),
    (b"\n", errno.EIO, None),
    (b"\0100", errno.EIO, None),
    (b"abc", errno.EIO, None),
    (b"+100", errno.EIO, None),
    (b"- 100", errno.EIO, None),
    (b"-100", errno.ESRCH, None),
    (b"99999", errno.ESRCH, None),
    (b"2147483648", errno.ESRCH, None),
    (b"100".rjust(4096), errno.E2BIG, None),
    (b"1" * (1 << 20), errno.E2BIG, None),
]


@pytest.mark.parametrize(("text", "error", "member"), WRITTEN)
def test_written(tree: Tree, host: FakeHost, text: bytes, error: int, member: int | None) -> None:
    host.add(900, uid=0)
    tree.spawn(100)
    tree.spawn(101)
    a = tree.mkdir("a")
    write_as(tree, ROOT, a, text, error)
    assert tasks(a) == ([] if member is None else [member])


def test_the_listing_ascends_and_is_that_of_the_open(tree: Tree) -> None:
    a = tree.mkdir("a")
    for pid in (30, 4, 200):
        tree.spawn(pid, a)
    assert a.read("tasks") == b"4\n30\n200\n"
    handle = tree.fs.open(tree.fs.find(b"a/tasks").ino, 0)
    tree.spawn(5, a)
    assert tree.fs.read(handle, 0, 100) == b"4\n30\n200\n"
    assert tree.fs.read(handle, 2, 3) == b"30\n"
    tree.fs.release(handle)
    assert a.read("tasks") == b"4\n5\n30\n200\n"


def test_a_task_is_in_one_container(tree: Tree) -> None:
    a, b = tree.mkdir("a"), tree.mkdir("a/b")
    tree.spawn(100)
    seen = []
    for place in (a, b, b, tree.root, a):
        place["tasks"] = 100
        seen.append((tasks(tree.root), tasks(a), tasks(b)))
    assert seen == [([], [100], []), ([], [], [100]), ([], [], [100]), ([100], [], []), ([], [100], [])]


def test_a_child_is_born_where_its_parent_is(tree: Tree) -> None:
    a = tree.mkdir("a")
    parent = tree.spawn(100, a)
    parent.fork(101)
    tree.root["tasks"] = 100
    parent.fork(102)
    assert tasks(a) == [101]
    assert tasks(tree.root) == [100, 102]


@pytest.mark.parametrize("end", ["exit", "reap"])
def test_the_dead_are_in_no_listing(tree: Tree, end: str) -> None:
    a = tree.mkdir("a")
    task = tree.spawn(100, a)
    with refused(errno.EBUSY):
        a.rmdir()
    task.ctl("exit") if end == "exit" else task.reap()
    assert tasks(a) == tasks(tree.root) == []
    with refused(errno.ESRCH):
        tree.root["tasks"] = 100
    a.rmdir()


MAKERS: list[tuple[int, int]] = [
    # uid of the writer, errno for a task of uid 1000's
    (0, 0),
    (1000, 0),
    (1001, errno.EACCES),
]


@pytest.mark.parametrize(("uid", "error"), MAKERS)
def test_a_simulated_task_is_its_makers_to_attach(tree: Tree, uid: int, error: int) -> None:
    tree.fs.mkdir(tree.fs.find(b".machine/tasks").ino, b"100", 0o755, Caller(900, 1000, 1000))
    tree.root[".machine/tasks/100/ctl"] = "setuid 1001"
    tree.root[".machine/tasks/100/ctl"] = "fork 101"
    a = tree.mkdir("a")
    for pid in (b"100", b"101"):
        write_as(tree, Caller(901, uid, uid), a, pid, error)
    assert tasks(a) == ([] if error else [100, 101])


HOST_MAKERS: list[tuple[int, int, int, int]] = [
    # uid and suid of the process, uid of the writer, errno
    (1000, 1000, 0, 0),
    (1000, 1000, 1000, 0),
    (0, 1000, 1000, 0),
    (1000, 0, 1000, 0),
    (0, 0, 1000, errno.EACCES),
    (1001, 1002, 1000, errno.EACCES),
]


@pytest.mark.parametrize(("uid", "suid", "writer", "error"), HOST_MAKERS)
def test_a_host_process_is_its_users_to_attach(
    tree: Tree, host: FakeHost, uid: int, suid: int, writer: int, error: int
) -> None:
    host.add(500, uid, suid)
    a = tree.mkdir("a")
    write_as(tree, Caller(901, writer, writer), a, b"500", error)
    assert tasks(a) == ([] if error else [500])


def test_a_process_is_asked_who_it_is_now(tree: Tree, host: FakeHost) -> None:
    """It was root's when it was attached, and has given that up."""
    process = host.add(500, uid=0)
    a, b = tree.mkdir("a"), tree.mkdir("b")
    a["tasks"] = 500
    write_as(tree, Caller(901, 1000, 1000), b, b"500", errno.EACCES)
    process.uid = process.suid = 1000
    write_as(tree, Caller(901, 1000, 1000), b, b"500")
    assert tasks(b) == [500]


def test_a_task_that_stands_for_a_process_is_that_ones_users_to_attach_too(tree: Tree, host: FakeHost) -> None:
    """Root made it under the process' pid; another task of root's is not."""
    host.add(500, uid=1000)
    tree.owner = ROOT
    tree.spawn(500)
    tree.spawn(501)
    a = tree.mkdir("a")
    write_as(tree, Caller(901, 1000, 1000), a, b"500")
    write_as(tree, Caller(901, 1000, 1000), a, b"501", errno.EACCES)
    assert tasks(a) == [500]


def test_a_writer_needs_no_right_to_itself(tree: Tree, host: FakeHost) -> None:
    host.add(500, uid=0)
    a = tree.mkdir("a")
    write_as(tree, Caller(500, 1000, 1000), a, b"0")
    assert tasks(a) == [500]


def test_nobody_of_the_host_without_a_host(make_tree: MakeTree) -> None:
    host = FakeHost()
    host.add(500)
    blind = make_tree(host_tasks=False)
    blind.set_host(host)
    for tree in (blind, make_tree()):
        a = tree.mkdir("a")
        write_as(tree, Caller(500, 0, 0), a, b"500", errno.ESRCH)
        write_as(tree, Caller(500, 0, 0), a, b"0", errno.ESRCH)


def test_a_host_process_stays_until_it_exits(tree: Tree, host: FakeHost) -> None:
    a, b = tree.mkdir("a"), tree.mkdir("b")
    process = host.add(500)
    other = host.add(501)
    assert tasks(tree.root) == []
    a["tasks"] = 500
    a["tasks"] = 501
    assert host.watched == [process, other]
    b["tasks"] = 500
    assert (tasks(a), tasks(b), tasks(tree.root)) == ([501], [500], [])
    with refused(errno.EBUSY):
        b.rmdir()
    process.running = False
    tree.host_exited(500)
    assert (tasks(b), host.watched) == ([], [other])
    b.rmdir()
    other.running = False  # and nobody has told yet
    a.rmdir()
    assert host.watched == []


def test_a_host_process_that_is_let_go_is_listed_at_the_top(tree: Tree, host: FakeHost) -> None:
    a = tree.mkdir("a")
    host.add(500)
    tree.root["tasks"] = 500  # where it is already: nothing is done
    assert tasks(tree.root) == []
    a["tasks"] = 500
    tree.root["tasks"] = 500
    assert (tasks(tree.root), tasks(a)) == ([500], [])
    a.rmdir()


def test_a_reused_pid_is_somebody_else(tree: Tree, host: FakeHost) -> None:
    a, b = tree.mkdir("a"), tree.mkdir("b")
    old = host.add(500)
    a["tasks"] = 500
    old.running = False
    new = host.add(500)
    b["tasks"] = 500
    assert (tasks(a), tasks(b), host.watched) == ([], [500], [new])


def test_a_task_under_a_pid_of_the_host_takes_its_place(tree: Tree, host: FakeHost) -> None:
    a, b = tree.mkdir("a"), tree.mkdir("b")
    process = host.add(500)
    a["tasks"] = 500
    shadow = tree.spawn(500)
    assert (tasks(a), shadow.dir["cgroup"]) == ([500], "1:memory:/a\n")
    shadow.touch(0, 3)
    assert a["memory.usage"] == 3
    write_as(tree, Caller(500, 0, 0), b, b"0")
    assert (tasks(a), tasks(b)) == ([], [500])
    process.running = False
    tree.host_exited(500)
    assert (tasks(b), shadow.status["State"]) == ([], "Z (zombie)")
    b.rmdir()
    shadow.reap()
    assert tasks(tree.root) == []


def test_a_dead_shadow_hides_its_process_until_it_is_reaped(tree: Tree, host: FakeHost) -> None:
    a = tree.mkdir("a")
    host.add(500)
    shadow = tree.spawn(500)
    shadow.ctl("exit")
    with refused(errno.ESRCH):
        a["tasks"] = 500
    shadow.reap()
    a["tasks"] = 500
    assert tasks(a) == [500]


def test_a_reaped_shadow_lets_its_process_go(tree: Tree, host: FakeHost) -> None:
    a = tree.mkdir("a")
    process = host.add(500)
    a["tasks"] = 500
    tree.spawn(500).reap()
    assert (tasks(a), tasks(tree.root)) == ([], [])
    a["tasks"] = 500
    assert (tasks(a), host.watched) == ([500], [process])


def test_a_child_under_a_pid_of_the_host_is_where_its_parent_is(tree: Tree, host: FakeHost) -> None:
    a, b = tree.mkdir("a"), tree.mkdir("b")
    process = host.add(500)
    a["tasks"] = 500
    child = tree.spawn(100, b).fork(500)
    assert (tasks(a), tasks(b), host.watched) == ([], [100, 500], [process])
    process.running = False
    tree.host_exited(500)
    assert child.status["State"] == "Z (zombie)"
