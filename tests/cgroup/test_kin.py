"""Who was made by a member: found by looking, in a process table of plain objects that tells of nothing by itself."""

from __future__ import annotations

import pytest

from memcgfs.tree import Tree

from .conftest import FakeHost
from .test_tasks import tasks


@pytest.fixture
def family(host: FakeHost) -> FakeHost:
    """500 with a thread 501 and a child 510."""
    host.add(500)
    host.clone(500, 501)
    host.fork(500, 510)
    return host


def test_who_is_there_before_stays(tree: Tree, family: FakeHost) -> None:
    a = tree.mkdir("a")
    a["tasks"] = 500
    assert tasks(a) == [500]
    family.fork(500, 511)
    family.clone(500, 502)
    family.fork(501, 520)
    family.fork(510, 530)
    assert (tasks(a), tasks(tree.root)) == ([500, 502, 511], [])


def test_all_generations_at_once(tree: Tree, host: FakeHost) -> None:
    a = tree.mkdir("a")
    host.add(500)
    a["tasks"] = 500
    for pid in range(501, 520):
        host.fork(pid - 1, pid)
    host.clone(519, 600)
    host.fork(600, 601)
    assert tasks(a) == [*range(500, 520), 600, 601]


def test_a_move_takes_nobody_along(tree: Tree, family: FakeHost) -> None:
    a, b = tree.mkdir("a"), tree.mkdir("b")
    a["tasks"] = 500
    family.fork(500, 511)
    b["tasks"] = 500
    family.fork(500, 512)
    family.fork(511, 513)
    assert (tasks(a), tasks(b)) == ([511, 513], [500, 512])


def test_a_thread_goes_where_the_oldest_of_its_process_is(tree: Tree, host: FakeHost) -> None:
    a, b = tree.mkdir("a"), tree.mkdir("b")
    host.add(500)
    a["tasks"] = 500
    host.clone(500, 501)
    b["tasks"] = 501
    host.clone(501, 502)
    assert (tasks(a), tasks(b)) == ([500, 502], [501])
    host.processes[500].is_zombie = True
    tree.host_exited(500)
    host.clone(501, 503)
    assert (tasks(a), tasks(b)) == ([502], [501, 503])


def test_a_caller_that_nobody_knows_is_placed_by_its_parents(tree: Tree, host: FakeHost) -> None:
    a = tree.mkdir("a")
    host.add(500)
    a["tasks"] = 500
    for pid in range(501, 505):
        host.fork(pid - 1, pid)
    host.clone(504, 600)
    host.add(700)
    of_host = tree.hierarchy.members.cgroup_of_host
    assert [of_host(pid).path for pid in (600, 504, 700, 9999)] == [b"/a", b"/a", b"/", b"/"]
    assert tasks(a) == [500, 501, 502, 503, 504, 600]


def test_zombies_are_not_met_and_exits_keep_nobody(tree: Tree, host: FakeHost) -> None:
    a = tree.mkdir("a")
    host.add(500)
    a["tasks"] = 500
    host.fork(500, 501).is_zombie = True
    host.fork(500, 502)
    assert tasks(a) == [500, 502]
    host.exit(500)
    tree.host_exited(500)
    host.fork(502, 503)
    assert tasks(a) == [502, 503]
    for pid in (502, 503):
        host.exit(pid)
        tree.host_exited(pid)
    a.rmdir()


def test_a_number_that_is_used_again_by_another_child(tree: Tree, host: FakeHost) -> None:
    a = tree.mkdir("a")
    host.add(500)
    host.fork(500, 501)
    a["tasks"] = 500
    assert tasks(a) == [500]
    host.exit(501)
    tree.host_exited(501)
    host.fork(500, 501)
    assert tasks(a) == [500, 501]


def test_who_is_told_of_is_known_though_its_makers_are_gone(tree: Tree, host: FakeHost) -> None:
    a, b = tree.mkdir("a"), tree.mkdir("b")
    host.add(500)
    a["tasks"] = 500
    host.fork(500, 501)
    host.fork(501, 502)
    host.exit(501)
    host.exit(500)
    host.add(900)
    tree.host_born([(500, 501), (1, 900), (501, 502), (900, 901)])
    tree.host_exited(500)
    assert (tasks(a), tasks(b)) == ([502], [])
    # To be told of somebody who was met already changes nothing.
    b["tasks"] = 502
    tree.host_born([(500, 501), (501, 502)])
    assert (tasks(a), tasks(b)) == ([], [502])


def test_one_that_nobody_saw_with_its_parent_is_not_known(tree: Tree, host: FakeHost) -> None:
    a = tree.mkdir("a")
    host.add(500)
    a["tasks"] = 500
    host.fork(500, 501)
    host.exit(500)
    tree.host_exited(500)
    assert tasks(a) == []
    a.rmdir()


def test_the_child_of_a_process_that_a_task_stands_for(tree: Tree, host: FakeHost) -> None:
    a = tree.mkdir("a")
    host.add(500)
    shadow = tree.spawn(500, a)
    host.fork(500, 501)
    assert tasks(a) == [500, 501]
    shadow.ctl("exit")
    host.fork(500, 502)
    assert tasks(a) == [501]
    shadow.reap()
    host.fork(500, 503)
    assert (tasks(a), tasks(tree.root)) == ([501], [])


def test_a_process_that_was_let_go_is_not_taken_for_a_new_child(tree: Tree, host: FakeHost) -> None:
    a = tree.mkdir("a")
    host.add(500)
    a["tasks"] = 500
    host.fork(500, 501)
    shadow = tree.spawn(501)
    assert shadow.dir["cgroup"] == "1:memory:/a\n"
    shadow.reap()
    assert tasks(a) == [500]


def test_where_they_all_are(tree: Tree, host: FakeHost) -> None:
    a, b = tree.mkdir("a"), tree.mkdir("a/b\nc")
    host.add(500)
    host.add(600)
    a["tasks"] = 500
    host.clone(500, 501)
    host.fork(501, 510)
    b["tasks"] = 600
    b["tasks"] = 501
    host.fork(600, 610)
    tree.spawn(600)
    assert tree.root.read(".machine/host_tasks").decode().splitlines() == [
        "500 500 /a", r"501 500 /a/b\012c", "510 510 /a", r"610 610 /a/b\012c",
    ]  # fmt: skip
