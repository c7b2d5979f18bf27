"""A machine that has panicked, seen through the tree: what runs it is EIO, what looks at it goes on."""

from __future__ import annotations

import errno
from collections.abc import Callable

import pytest

from memcgfs.tree import Tree
from tests.cgroup.conftest import FakeHost
from tests.refusal import refused

SELECTED = "Kernel panic - not syncing: out of memory. panic_on_oom is selected"
TASK = ".machine/tasks/100"


@pytest.fixture
def tree() -> Tree:
    """2 MB without swap, a container with a task that has panicked it, a container without."""
    tree = Tree(ram="2M", swap=0)
    host = FakeHost()
    tree.set_host(host)
    host.add(4000)
    tree.mkdir("a")
    tree.mkdir("empty")
    tree.spawn(100, tree.root)
    tree.root["a/tasks"] = 100
    tree.root[".machine/sys/vm/panic_on_oom"] = 1
    with refused(errno.EIO):
        tree.root[TASK + "/ctl"] = "touch 0 600"
    return tree


def write(path: str, text: str) -> Callable[[Tree], object]:
    return lambda tree: tree.root.write(path, text.encode())


RUNS: dict[str, Callable[[Tree], object]] = {
    "ctl": write(TASK + "/ctl", "touch 0 1"),
    "exit": write(TASK + "/ctl", "exit"),
    "lookup": write(TASK + "/ctl", "lookup 1"),
    "mem": write(TASK + "/mem", "x"),
    "reading mem": lambda tree: tree.root.read(TASK + "/mem"),
    "oom_adj": write(TASK + "/oom_adj", "1"),
    "attach": write("empty/tasks", "100"),
    "attach a process": write("a/tasks", "4000"),
    "limit": write("a/memory.limit", "7"),
    "control_type": write("a/memory.control_type", "1"),
    "force_empty": write("empty/memory.force_empty", "1"),
    "clock": write(".machine/clock", "+1s"),
    "sysctl": write(".machine/sys/vm/panic_on_oom", "0"),
    "spawn": lambda tree: tree.spawn(101),
    "rmdir of a task": lambda tree: tree.root.__class__(tree, tree.fs.find(TASK.encode())).rmdir(),  # type: ignore[arg-type]
    "mkdir": lambda tree: tree.mkdir("b"),
    "rmdir": lambda tree: tree.root.children[0].rmdir(),
}


@pytest.mark.parametrize("name", RUNS)
def test_what_runs_the_machine_is_an_error(tree: Tree, name: str) -> None:
    before = tree.root.read(TASK + "/status"), [child.path for child in tree.root.children]
    with refused(errno.EIO):
        RUNS[name](tree)
    assert (tree.root.read(TASK + "/status"), [child.path for child in tree.root.children]) == before
    assert tree.root[".machine/check"] == "ok\n"


def test_what_looks_at_it_goes_on(tree: Tree) -> None:
    """511 frames: a page table, 465 pages, and 45 below the min watermark (180 kB), which are not for everyone."""
    assert str(tree.root[".machine/log"]).endswith(SELECTED + "\n")
    assert tree.root[".machine/check"] == "ok\n"
    for name in ("meminfo", "vmstat", "zoneinfo", "buddyinfo", "swaps", "slabinfo", "stat", "clock", "sys/vm/panic_on_oom"):
        assert tree.root.read(f".machine/{name}")
    for name in ("ctl", "status", "stat", "maps", "pagemap", "oom_score", "oom_adj", "cgroup"):
        assert tree.root.read(f"{TASK}/{name}")
    assert (tree.root["a/tasks"], tree.root["a/memory.usage"]) == (100, 465)
    assert b"Touched:\t465 of 600\n" in tree.root.read(TASK + "/status")


def test_a_process_whose_place_a_task_took_may_exit(tree: Tree) -> None:
    """Its exit is told while somebody asks for something else, who has no part in it; the task stays as it is."""
    other = Tree(ram="2M", swap=0)
    host = FakeHost()
    other.set_host(host)
    process = host.add(100)
    other.spawn(100)
    other.root[".machine/sys/vm/panic_on_oom"] = 1
    with refused(errno.EIO):
        other.root[TASK + "/ctl"] = "touch 0 600"
    process.running = False
    other.host_exited(100)
    assert b"State:\tR" in other.root.read(TASK + "/status")
    assert other.root[".machine/check"] == "ok\n"
