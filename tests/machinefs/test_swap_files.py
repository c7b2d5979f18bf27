"""`.machine/swapon`, `swapoff`, and the two commands of `ctl`."""

from __future__ import annotations

import errno
import os

import pytest

from memcgfs.handles import TaskHandle
from memcgfs.kernfs import Caller
from memcgfs.tree import Tree
from tests.cgroup.conftest import FakeHost
from tests.refusal import refused

BOOT = b"/dev/swap"


def names(tree: Tree) -> list[str]:
    return [line.split()[0] for line in tree.root.read(".machine/swaps").decode().splitlines()[1:]]


@pytest.mark.parametrize(
    ("command", "line"),
    [
        (b"/dev/sdb1 64M", "/dev/sdb1                               partition\t65532\t0\t-2"),
        (b"/dev/sdb1 64M 7\n", "/dev/sdb1                               partition\t65532\t0\t7"),
        (b"  a  8K  0 ", "a                                       partition\t4\t0\t0"),
        (b"a 12287 32767", "a                                       partition\t4\t0\t32767"),
        (b"a" * 45 + b" 1G 0x10", "a" * 45 + " partition\t1048572\t0\t16"),
    ],
)
def test_swapon(tree: Tree, command: bytes, line: str) -> None:
    """As /proc/swaps shows it; writing or not, both files read as `swaps` does."""
    tree.root.write(".machine/swapon", command)
    text = tree.root.read(".machine/swaps").decode()
    assert text.splitlines()[2] == line
    assert tree.root.read(".machine/swapon").decode() == tree.root.read(".machine/swapoff").decode() == text


WRONG = [
    b"", b"\n", b"a", b"64M", b"a x", b"a 64M high", b"a 64M -1", b"a 64M 32768", b"a 64M 1 2", b"a 4K", b"a 0", b"a -64M", b"a 64M\nb 64M",
    b"a 64M\0", b"\xff 64M", b"a 99999999999999999999", b"a 1.5M",
]  # fmt: skip


@pytest.mark.parametrize("command", WRONG)
def test_what_swapon_does_not_take(tree: Tree, task: TaskHandle, command: bytes) -> None:
    with refused(errno.EINVAL):
        tree.root.write(".machine/swapon", command)
    with refused(errno.EINVAL):
        task.dir.write("ctl", b"swapon " + command)
    assert names(tree) == ["/dev/swap"]


@pytest.mark.parametrize("command", [b"", b"\n", b"a", b"/dev/swap now", b"/dev/swap\0", b"/dev"])
def test_what_swapoff_does_not_take(tree: Tree, task: TaskHandle, command: bytes) -> None:
    with refused(errno.EINVAL):
        tree.root.write(".machine/swapoff", command)
    with refused(errno.EINVAL):
        task.dir.write("ctl", b"swapoff " + command)
    assert names(tree) == ["/dev/swap"]


def test_what_else_swapon_refuses(tree: Tree) -> None:
    with refused(errno.EBUSY):
        tree.root.write(".machine/swapon", BOOT + b" 64M")
    with refused(errno.ENOMEM):
        tree.root.write(".machine/swapon", b"a 128G")
    for number in range(31):
        tree.root.write(".machine/swapon", b"swap%d 8K" % number)
    with refused(errno.EPERM):
        tree.root.write(".machine/swapon", b"a 8K")
    assert len(names(tree)) == 32


def swapped_out(tree: Tree) -> int:
    """A container of 20 pages with a task of 60: how many of them are in swap."""
    a = tree.mkdir("a")
    a["memory.limit"] = 20
    tree.spawn(200, a).touch(0, 60)
    nr_swapped = tree.machine.swaps()[0].used_pages
    assert nr_swapped >= 40
    return nr_swapped


def test_a_task_pays_for_swapoff_in_its_container(tree: Tree, task: TaskHandle) -> None:
    nr_swapped = swapped_out(tree)
    b = tree.mkdir("b")
    b["tasks"] = task.pid
    cached = nr_swapped - tree.machine.tasks[200].swap_pages
    task.ctl("swapoff /dev/swap")
    assert names(tree) == []
    assert b["memory.usage"] == nr_swapped - cached
    task.ctl("swapon /dev/swap 8M 5")
    assert names(tree) == ["/dev/swap"]


@pytest.mark.parametrize(("pid", "payer"), [(900, "b/"), (901, "")])
def test_a_process_of_the_host_pays_in_its_container(tree: Tree, pid: int, payer: str) -> None:
    """900 is a member of `b`; 901 is in no container, and so in the top one."""
    host = FakeHost()
    tree.set_host(host)
    host.add(900)
    host.add(901)
    nr_swapped = swapped_out(tree)
    tree.mkdir("b")["tasks"] = 900
    cached = nr_swapped - tree.machine.tasks[200].swap_pages
    writer = Caller(pid=pid, uid=0, gid=0)
    handle = tree.fs.open(tree.fs.find(b".machine/swapoff").ino, os.O_WRONLY, writer)
    with tree.request("swapoff"):
        tree.fs.write(handle, 0, BOOT)
    tree.fs.release(handle)
    assert names(tree) == []
    usage = {name: tree.root[f"{name}memory.usage"] for name in ("b/", "")}
    assert usage == {"b/": 0, "": 0, payer: nr_swapped - cached}


def test_swapoff_without_room_leaves_all_as_it_was(tree: Tree, task: TaskHandle) -> None:
    """The task's container has room for 3 pages, and it is the first to be killed for it."""
    swapped_out(tree)
    tree.machine.tasks[200].set_oom_adj(-17)
    b = tree.mkdir("b")
    b["memory.limit"] = 3
    b["tasks"] = task.pid
    with refused(errno.ENOMEM):
        task.ctl("swapoff /dev/swap")
    assert task.status["State"] == "Z (zombie)"
    assert names(tree) == ["/dev/swap"]
    assert tree.machine.swaps()[0].used_pages > 0
    assert tree.root.read(".machine/check") == b"ok\n"
