"""`memcgfs stubs`: each control file that takes a write either acts, which is shown here file by file, or stands in the list.

An act is seen in a scene that is played twice, with the write and without it, and ends differently.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress

import pytest

from memcgfs import Tree
from memcgfs.cli.stubs import stubs_of
from memcgfs.handles import Dir
from memcgfs.kernfs import ControlFile, File
from memcgfs.options import DIALECT_DEFAULTS

from ..listener import Listener

Write = Callable[[Dir, int | str], None]
"""Writes the value to the file in question, in that container, or does nothing at all."""
Scene = Callable[[Tree, Write], object]


def box_of(tree: Tree) -> Dir:
    return tree.mkdir("box")


def usage(directory: Dir) -> object:
    return directory["memory.usage" if "memory.usage" in directory.files else "memory.usage_in_bytes"]


def attach(tree: Tree, write: Write) -> object:
    box = box_of(tree)
    tree.spawn(101)
    write(box, 101)
    return box["tasks"]


def limit(value: int | str) -> Scene:
    """200 pages are touched, of which the limit is less."""

    def play(tree: Tree, write: Write) -> object:
        box = box_of(tree)
        write(box, value)
        tree.spawn(101, box).touch(0, 200)
        return usage(box)

    return play


def memsw_limit(tree: Tree, write: Write) -> object:
    """200 pages are touched, of which swap may take nothing."""
    box = box_of(tree)
    box["memory.limit_in_bytes"] = "256K"
    write(box, "256K")
    task = tree.spawn(101, box)
    with suppress(OSError):
        task.touch(0, 200)
    return task.status["State"]


def control_type(tree: Tree, write: Write) -> object:
    box = box_of(tree)
    write(box, 1)
    tree.spawn(101, box).ctl("write data 0 10")
    return usage(box)


def force_empty(tree: Tree, write: Write) -> object:
    box = box_of(tree)
    task = tree.spawn(101, box)
    task.ctl("write data 0 10")
    task.reap()
    write(box, 0)
    return usage(box)


def released(name: str) -> Scene:
    """Of a group whose last task leaves, with the other half of what it takes set up by hand."""

    def play(tree: Tree, write: Write) -> object:
        box = box_of(tree)
        if name == "release_agent":
            box["notify_on_release"] = 1
            write(tree.root, "/bin/true")
        else:
            tree.root["release_agent"] = "/bin/true"
            write(box, 1)
        tree.spawn(101, box).reap()
        return tree.root[".machine/log"]

    return play


def swappiness(tree: Tree, write: Write) -> object:
    """Files and anonymous memory, of which too much."""
    box = box_of(tree)
    write(box, 0)
    task = tree.spawn(101, box)
    task.touch(0, 200)
    task.ctl("write data 0 200")
    task.ctl("fsync data")
    box["memory.limit_in_bytes"] = "1M"
    return box["memory.stat"]


def reset(name: str) -> Scene:
    """What was counted, up to now."""

    def play(tree: Tree, write: Write) -> object:
        box = box_of(tree)
        box["memory.limit_in_bytes"] = "256K"
        task = tree.spawn(101, box)
        task.touch(0, 200)
        task.reap()
        write(box, 0)
        return box[name]

    return play


def oom_control(tree: Tree, write: Write) -> object:
    """Who is out of memory dies, or not."""
    box = box_of(tree)
    box["memory.limit_in_bytes"] = box["memory.memsw.limit_in_bytes"] = "256K"
    write(box, 1)
    task = tree.spawn(101, box)
    with suppress(OSError):
        task.ctl("write shm:data 0 100")
    return task.status["State"]


def soft_limit(tree: Tree, write: Write) -> object:
    """Somebody else needs more than the machine has left."""
    box = box_of(tree)
    write(box, 0)
    tree.spawn(101, box).touch(0, 1000)
    tree.spawn(102, tree.mkdir("other")).touch(0, 3000)
    return usage(box)


def event_control(tree: Tree, write: Write) -> object:
    box = box_of(tree)
    listener = Listener(tree, "box/memory.usage_in_bytes")
    write(box, "3 4 1M")
    tree.spawn(101, box).touch(0, 400)
    return listener.nr_told


ACTS: dict[str, dict[str, Scene]] = {
    "2007": {
        "tasks": attach,
        "notify_on_release": released("notify_on_release"),
        "release_agent": released("release_agent"),
        "memory.limit": limit(64),
        "memory.control_type": control_type,
        "memory.force_empty": force_empty,
    },
    "2008": {
        "tasks": attach,
        "notify_on_release": released("notify_on_release"),
        "release_agent": released("release_agent"),
        "memory.limit_in_bytes": limit("256K"),
        "memory.force_empty": force_empty,
    },
    "v1": {
        "tasks": attach,
        "cgroup.procs": attach,
        "cgroup.event_control": event_control,
        "notify_on_release": released("notify_on_release"),
        "release_agent": released("release_agent"),
        "memory.limit_in_bytes": limit("256K"),
        "memory.memsw.limit_in_bytes": memsw_limit,
        "memory.soft_limit_in_bytes": soft_limit,
        "memory.swappiness": swappiness,
        "memory.oom_control": oom_control,
        "memory.force_empty": force_empty,
        "memory.failcnt": reset("memory.failcnt"),
        "memory.max_usage_in_bytes": reset("memory.max_usage_in_bytes"),
        "memory.memsw.max_usage_in_bytes": reset("memory.memsw.max_usage_in_bytes"),
        "memory.kmem.max_usage_in_bytes": reset("memory.kmem.max_usage_in_bytes"),
    },
}


def tree_of(dialect: str) -> Tree:
    return Tree(dialect=dialect, ram="16M", swap="16M")


def writable(dialect: str) -> set[str]:
    """The control files that take a write, of the top and of others."""
    tree = tree_of(dialect)
    tree.mkdir("box")
    nodes = [tree.fs.find(name.encode()) for name in [*tree.root.files, *(f"box/{name}" for name in tree.root.children[0].files)]]
    files = [node for node in nodes if isinstance(node, File)]
    return {file.type.name for file in files if isinstance(file.type, ControlFile) and file.type.write is not None}


@pytest.mark.parametrize("dialect", DIALECT_DEFAULTS)
def test_each_writable_file_acts_or_stands_in_the_list(dialect: str) -> None:
    stubs = set(stubs_of(f"dialect={dialect}"))
    assert writable(dialect) == {*ACTS[dialect], *stubs}
    assert not stubs & set(ACTS[dialect])


@pytest.mark.parametrize(("dialect", "name"), [(dialect, name) for dialect, scenes in ACTS.items() for name in scenes])
def test_it_acts(dialect: str, name: str) -> None:
    def write(directory: Dir, value: int | str) -> None:
        directory[name] = value

    with_it, without = tree_of(dialect), tree_of(dialect)
    play = ACTS[dialect][name]
    assert play(with_it, write) != play(without, lambda directory, value: None)
    with_it.machine.check()
    without.machine.check()


def test_the_command() -> None:
    """One block for each dialect, or that of the tree with these options."""
    run = [sys.executable, "-m", "memcgfs", "stubs"]
    all_of_them = subprocess.run(run, capture_output=True, text=True, check=True, timeout=60).stdout
    headings = [line.partition(":")[0] for line in all_of_them.splitlines() if not line.startswith(" ")]
    assert headings == [f"dialect={name}" for name in DIALECT_DEFAULTS]
    one = subprocess.run([*run, "-o", "dialect=2008,noprefix"], capture_output=True, text=True, check=True, timeout=60).stdout
    assert one == "dialect=2008,noprefix: none\n"
    refused = subprocess.run([*run, "-o", "dialect=1999"], capture_output=True, text=True, check=False, timeout=60)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith("memcgfs: dialect=1999: ")
