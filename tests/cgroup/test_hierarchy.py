"""Directories: making, removing and renaming them, and what is told when one is empty."""

from __future__ import annotations

import errno
from functools import partial

import pytest

from memcgfs.cgroup.errors import HasChildren, HasTasks
from memcgfs.kernfs import ROOT_INO, Caller
from memcgfs.mm import ContainerBusy
from memcgfs.tree import Tree
from tests.refusal import refused

from .conftest import FakeHost, MakeTree

AGENT = "/sbin/agent"


@pytest.mark.fact("C29")
def test_rmdir_is_refused_by_members_then_children_then_charges(tree: Tree) -> None:
    a = tree.mkdir("a")
    a["memory.limit"] = 2
    task = tree.spawn(100, a)
    task.touch(0, 2)
    b = tree.mkdir("a/b")
    for reason, mend in (
        (HasTasks, partial(tree.root.write, "tasks", b"100")),
        (HasChildren, b.rmdir),
        (ContainerBusy, task.reap),
    ):
        assert a["memory.usage"] == 2
        with pytest.raises(reason):
            tree.fs.rmdir(ROOT_INO, b"a")
        with refused(errno.EBUSY):
            a.rmdir()
        mend()
    a.rmdir()
    assert tree.root.children == []


def test_open_files_of_a_removed_container(tree: Tree) -> None:
    a = tree.mkdir("a")
    handles = [tree.fs.open(tree.fs.find(f"a/{name}".encode()).ino, 2) for name in a.files]
    a.rmdir()
    again = tree.mkdir("a")
    for handle in handles:
        with refused(errno.ENODEV), tree.request("a"):
            tree.fs.read(handle, 0, 10)
        with refused(errno.ENODEV), tree.request("a"):
            tree.fs.write(handle, 0, b"1")
        tree.fs.release(handle)
    assert again["memory.limit"] == 2**63 - 1


@pytest.mark.fact("C7")
def test_a_charge_of_a_child_is_not_its_parents(tree: Tree) -> None:
    a, b = tree.mkdir("a"), tree.mkdir("a/b")
    tree.spawn(100, b).touch(0, 5)
    assert (tree.root["memory.usage"], a["memory.usage"], b["memory.usage"]) == (0, 0, 5)


def test_rename_keeps_everything(tree: Tree) -> None:
    a = tree.mkdir("a")
    a["memory.limit"] = 9
    task = tree.spawn(100, a)
    a.rename("z")
    assert (a.path, a["memory.limit"], a["tasks"]) == ("/z", 9, 100)
    assert task.dir["cgroup"] == "1:memory:/z\n"


RENAMES: list[tuple[bytes, bytes, bytes, int]] = [
    (b"a", b"", b"b", errno.EEXIST),
    (b"a", b"b", b"z", errno.EIO),
    (b"memory.limit", b"", b"z", errno.ENOTDIR),
    (b".machine", b"", b"z", errno.EBUSY),
    (b"a", b"", b".machine", errno.EEXIST),
    (b"none", b"", b"z", errno.ENOENT),
    (b"a", b"", b"z" * 256, errno.ENAMETOOLONG),
]


@pytest.mark.parametrize(("old", "parent", "new", "error"), RENAMES)
def test_rename_refusals(tree: Tree, old: bytes, parent: bytes, new: bytes, error: int) -> None:
    tree.mkdir("a"), tree.mkdir("b")
    with refused(error), tree.request("rename"):
        tree.fs.rename(ROOT_INO, old, tree.fs.find(parent).ino, new)


def test_owners_and_modes(tree: Tree) -> None:
    directory = tree.fs.mkdir(ROOT_INO, b"a", 0o777, Caller(1, 1000, 100, umask=0o077))
    assert tree.fs.getattr(directory.ino)[1:5] == (0o40700, 2, 1000, 100)
    for node in directory.children.values():
        assert tree.fs.getattr(node.ino)[1:6] == (0o100644, 1, 1000, 100, 0)


def test_deep_nesting(tree: Tree) -> None:
    path = "/".join("abcdefghijklmnopqrst")
    above = ""
    for name in path.split("/"):
        tree.mkdir(f"{above}{name}")
        above += f"{name}/"
    tree.root[f"{path}/memory.limit"] = 3
    assert tree.root[f"{path}/memory.limit"] == 3


def agents_of(tree: Tree, host: FakeHost) -> list[str]:
    """Whose emptiness was told since the last call."""
    assert all(path == AGENT for path, _ in host.agents)
    told = [cgroup_path for _, cgroup_path in host.agents]
    host.agents.clear()
    return told


@pytest.fixture
def told(make_tree: MakeTree) -> tuple[Tree, FakeHost]:
    tree, host = make_tree(release_agent=AGENT), FakeHost()
    tree.set_host(host)
    return tree, host


def test_releasable_is_set_by_a_leaver_and_cleared_by_a_write_to_notify_on_release(tree: Tree) -> None:
    a, b = tree.mkdir("a"), tree.mkdir("b")
    assert tree.root["releasable"] == 0
    tree.spawn(100, a)
    tree.spawn(101, a)
    assert (tree.root["releasable"], a["releasable"]) == (1, 0)
    b["tasks"] = 100  # somebody is left, nobody wants to know; it is set all the same
    assert a["releasable"] == 1
    a["notify_on_release"] = 0
    assert a["releasable"] == 0
    tree.mkdir("b/c").rmdir()
    assert b["releasable"] == 1


def test_an_exit_sets_releasable_only_where_it_is_asked_for(tree: Tree) -> None:
    a, b = tree.mkdir("a"), tree.mkdir("b")
    b["notify_on_release"] = 1
    for pid, place in ((100, a), (200, b), (201, b)):
        tree.spawn(pid, place)
    tree.root[".machine/tasks/100/ctl"] = "exit"
    tree.root[".machine/tasks/200/ctl"] = "exit"
    assert (a["releasable"], b["releasable"]) == (0, 0)
    tree.root[".machine/tasks/201/ctl"] = "exit"
    assert (a["releasable"], b["releasable"]) == (0, 1)


def test_the_agent_is_told_when_the_last_task_goes(told: tuple[Tree, FakeHost]) -> None:
    tree, host = told
    a = tree.mkdir("a")
    a["notify_on_release"] = 1
    tree.spawn(100, a)
    tree.spawn(101, a)
    tree.root["tasks"] = 100
    assert agents_of(tree, host) == []
    tree.root["tasks"] = 101
    assert agents_of(tree, host) == ["/a"]
    a["tasks"] = 101
    tree.root[".machine/tasks/101/ctl"] = "exit"
    assert agents_of(tree, host) == ["/a"]
    a.rmdir()
    assert agents_of(tree, host) == []


def test_the_agent_is_told_of_a_parent_when_its_last_child_goes(told: tuple[Tree, FakeHost]) -> None:
    tree, host = told
    a, b = tree.mkdir("a"), tree.mkdir("a/b")
    a["notify_on_release"] = b["notify_on_release"] = 1
    tree.spawn(100, b)
    tree.root["tasks"] = 100
    assert agents_of(tree, host) == ["/a/b"]
    b.rmdir()
    assert agents_of(tree, host) == ["/a"]


@pytest.mark.fact("C32")
def test_the_agent_is_told_only_after_the_last_charged_page_has_gone(told: tuple[Tree, FakeHost]) -> None:
    tree, host = told
    a = tree.mkdir("a")
    a["notify_on_release"] = 1
    task = tree.spawn(100, a)
    task.touch(0, 8)
    tree.root["tasks"] = 100
    assert (agents_of(tree, host), a["memory.usage"]) == ([], 8)
    task.ctl("munmap 0 7")
    assert (agents_of(tree, host), a["memory.usage"]) == ([], 1)
    task.ctl("munmap 7 1")
    assert (agents_of(tree, host), a["memory.usage"]) == (["/a"], 0)


def test_the_agent_is_told_of_a_kill(told: tuple[Tree, FakeHost]) -> None:
    tree, host = told
    a = tree.mkdir("a")
    a["notify_on_release"] = 1
    a["memory.limit"] = 1
    with refused(errno.ENOMEM):
        tree.spawn(100, a).touch(0, 50)
    assert agents_of(tree, host) == ["/a"]


def test_the_agent_is_told_when_a_host_process_exits(told: tuple[Tree, FakeHost]) -> None:
    tree, host = told
    a = tree.mkdir("a")
    a["notify_on_release"] = 1
    process = host.add(500)
    a["tasks"] = 500
    process.running = False
    tree.host_exited(500)
    tree.settle()
    assert agents_of(tree, host) == ["/a"]


def test_nobody_is_told_of_what_never_held_anything(told: tuple[Tree, FakeHost]) -> None:
    tree, host = told
    a = tree.mkdir("a")
    a["notify_on_release"] = 1
    tree.mkdir("b").rmdir()
    assert agents_of(tree, host) == []


def test_nobody_is_told_of_the_top(told: tuple[Tree, FakeHost]) -> None:
    tree, host = told
    tree.root["notify_on_release"] = 1
    tree.mkdir("a").rmdir()
    assert (agents_of(tree, host), tree.root["releasable"]) == ([], 1)


def test_a_container_is_not_empty_while_it_has_a_child(told: tuple[Tree, FakeHost]) -> None:
    tree, host = told
    a, b = tree.mkdir("a"), tree.mkdir("a/b")
    a["notify_on_release"] = 1
    tree.spawn(100, a)
    tree.root["tasks"] = 100
    assert agents_of(tree, host) == []
    b.rmdir()
    assert agents_of(tree, host) == ["/a"]


def test_of_several_the_last_to_become_empty_is_told_first(told: tuple[Tree, FakeHost]) -> None:
    tree, host = told
    for pid, name in ((500, "a"), (501, "b"), (502, "c")):
        tree.mkdir(name)["notify_on_release"] = 1
        host.add(pid)
        tree.root[f"{name}/tasks"] = pid
    for pid in (500, 501, 502):
        host.processes[pid].running = False
        tree.host_exited(pid)
    tree.root.children[1].rmdir()  # b, before its turn came
    assert agents_of(tree, host) == ["/c", "/a"]


def test_the_last_page_sets_releasable_by_itself(told: tuple[Tree, FakeHost]) -> None:
    tree, host = told
    a = tree.mkdir("a")
    task = tree.spawn(100, a)
    task.touch(0, 1)
    tree.root["tasks"] = 100
    a["notify_on_release"] = 1
    assert a["releasable"] == 0
    task.ctl("munmap 0 1")
    assert (a["releasable"], agents_of(tree, host)) == (1, ["/a"])


def test_a_task_that_dies_while_its_pages_live_on(told: tuple[Tree, FakeHost]) -> None:
    """A forked child elsewhere still maps them, so they stay charged where they were."""
    tree, host = told
    a = tree.mkdir("a")
    parent = tree.spawn(100, a)
    parent.touch(0, 3)
    child = parent.fork(101)
    tree.root["tasks"] = 101
    a["notify_on_release"] = 1
    parent.ctl("exit")
    assert (a["releasable"], a["memory.usage"], agents_of(tree, host)) == (1, 3, [])
    child.ctl("exit")
    assert (a["memory.usage"], agents_of(tree, host)) == (0, ["/a"])


def test_a_death_counts_under_the_flag_of_its_time(tree: Tree) -> None:
    a = tree.mkdir("a")
    tree.spawn(100, a).ctl("exit")
    a["notify_on_release"] = 1
    assert a["releasable"] == 0


@pytest.mark.parametrize("written", ["/bin/sh", "/sbin/agent2", "/sbin/../sbin/agent", "", " /sbin/agent"])
def test_only_the_very_agent_that_was_allowed_is_run(told: tuple[Tree, FakeHost], written: str) -> None:
    tree, host = told
    assert tree.root["release_agent"] == f"{AGENT}\n"
    a = tree.mkdir("a")
    a["notify_on_release"] = 1
    tree.root["release_agent"] = written
    for pid in (100, 101):
        tree.spawn(pid, a)
        tree.root["tasks"] = pid
        assert agents_of(tree, host) == ([] if pid == 100 else ["/a"])
        tree.root["release_agent"] = f"{AGENT}\n"


def test_without_an_allowed_agent_none_is_run(tree: Tree, host: FakeHost) -> None:
    a = tree.mkdir("a")
    a["notify_on_release"] = 1
    tree.root["release_agent"] = AGENT
    tree.spawn(100, a)
    tree.root["tasks"] = 100
    assert host.agents == []
