"""The Python face: the same files, the same parsing, the same refusals."""

from __future__ import annotations

import errno
import os
import subprocess
import sys

import pytest

import memcgfs
from memcgfs.options import parse_options
from memcgfs.tree import ERRNO_OF, Tree, errno_of
from tests.refusal import refused


def test_the_first_example() -> None:
    tree = memcgfs.Tree(ram="64M", swap="64M")
    web = tree.mkdir("web")
    web["memory.limit"] = 64
    task = tree.spawn(101, web)
    task.touch(0, 400, write=True)
    usage, swapped, resident = web["memory.usage"], task.status["VmSwap"], task.status["VmRSS"]
    assert isinstance(usage, int)
    assert isinstance(swapped, int)
    assert isinstance(resident, int)
    assert 0 < usage <= 64
    assert swapped + resident == 1600
    tree.machine.check()


def test_files_read_as_numbers_or_text() -> None:
    tree = Tree(ram="8M", release_agent="/sbin/agent")
    a = tree.mkdir("a")
    assert (a["memory.usage"], a["tasks"], a["memory.stat"]) == (0, "", "cache 0\nrss 0\nactive 0\ninactive 0\n")
    assert tree.root["release_agent"] == "/sbin/agent\n"
    assert tree.root["a/memory.control_type"] == 3
    tree.root["a/memory.control_type"] = "1"
    assert a.read("memory.control_type") == b"1\n"


def test_directories() -> None:
    tree = Tree(ram="8M")
    a = tree.mkdir("a")
    b = a.mkdir("b")
    assert [(a.path, b.path), [child.path for child in a.children]] == [("/a/b"[:2], "/a/b"), ["/a/b"]]
    with refused(errno.EEXIST):
        tree.mkdir("a/b")
    with refused(errno.ENOENT):
        tree.mkdir("x/y")
    with refused(errno.ENOENT):
        tree.root["a/nothing"]
    with refused(errno.EISDIR):
        tree.root["a"]
    with refused(errno.EBUSY):
        tree.root.rmdir()
    b.rename("c")
    assert b.path == "/a/c"
    b.rmdir()
    a.mkdir("c")
    for use in (b.rmdir, lambda: b.rename("d"), lambda: b.mkdir("x"), lambda: b["tasks"]):
        with refused(errno.ENOENT):
            use()
    assert [child.path for child in a.children] == ["/a/c"]


def test_nothing_is_left_open_or_referred_to() -> None:
    tree = Tree(ram="8M")
    a = tree.mkdir("a")
    task = tree.spawn(100, a)
    ino = tree.fs.find(b"a").ino
    with refused(errno.EINVAL):
        a["memory.limit"] = "many"
    task.reap()
    a.rmdir()
    assert tree.fs._open_files == {}
    with refused(errno.ENOENT), tree.request("a"):
        tree.fs.node(ino)


def test_strict_is_strict() -> None:
    a = Tree(ram="8M", strict=True).mkdir("a")
    a["memory.limit"] = 5
    with refused(errno.EINVAL):
        a["memory.limit"] = "6\n"
    with refused(errno.ENOENT):
        a["memory.stat"]


REFUSED = [{"model": "lru"}, {"ram": "16T"}, {"ram": "4K"}, {"swap": "17592186044416K"}, {"ram": 0}, {"files": "16T"}]


@pytest.mark.parametrize("options", REFUSED, ids=str)
def test_a_machine_that_cannot_be_is_refused_in_one_line(options: dict[str, object]) -> None:
    with pytest.raises(memcgfs.OptionError, match=rf"^{next(iter(options))}=[^\n]+$"):
        Tree(**options)


def test_options_and_keywords_make_the_same_tree() -> None:
    by_word = Tree.from_options(parse_options("ram=8M,swap=0,mem_container,arch=i386"))
    by_keyword = Tree(ram="8M", swap=0, mem_container=True, arch="i386")
    assert by_word.options == by_keyword.options
    assert by_word.root.files == by_keyword.root.files
    assert by_word.root["mem_limit"] == 2**31 - 1


def test_what_is_not_refused_but_broken_comes_through(monkeypatch: pytest.MonkeyPatch) -> None:
    tree = Tree(ram="8M")

    def broken(container: object) -> None:
        raise KeyError("a bug")

    monkeypatch.setattr(tree.machine, "remove_container", broken)
    a = tree.mkdir("a")
    with pytest.raises(KeyError):
        a.rmdir()
    assert a["memory.usage"] == 0
    assert errno_of(KeyError("a bug")) is None


def test_every_refusal_has_an_errno() -> None:
    """But for those of options, and what is no refusal."""
    from memcgfs import mm
    from memcgfs.cgroup.errors import CgroupError
    from memcgfs.kernfs.errors import KernfsError
    from memcgfs.machinefs.errors import MachinefsError

    classes = {
        error
        for root in (CgroupError, KernfsError, MachinefsError, mm.MachineError)
        for error in root.__subclasses__()
    }
    assert classes - set(ERRNO_OF) == {mm.ConfigError, mm.MachineBroken}
    assert all(os.strerror(number) for number in ERRNO_OF.values())


SESSION = """
import os, memcgfs
tree = memcgfs.Tree(ram="8M", swap="8M")
for name in ("a", "b", "a/c"):
    tree.mkdir(name)
tree.root["a/memory.limit"] = 40
task = tree.spawn(100, tree.root.children[1])
task.touch(0, 300)
child = task.fork(101)
child.touch(0, 50)
tree.root["b/tasks"] = 101
task.ctl("exit")
tree.root[".machine/clock"] = "+3s"
def walk(path):
    directory = tree.fs.find(path)
    for name, node, _ in tree.fs.readdir(directory.ino):
        print(path, name, node.attributes())
        if name in (b".", b".."):
            continue
        if hasattr(node, "children"):
            walk(path + b"/" + name)
        elif name not in (b"mem", b"pagemap"):
            try:
                print(tree.root.read(os.fsdecode(path + b"/" + name)))
            except OSError as error:
                print(error)
walk(b"")
walk(b".machine")
"""


def test_two_runs_give_the_same_bytes_whatever_the_hash_seed() -> None:
    outputs = {
        subprocess.run(
            [sys.executable, "-c", SESSION],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "77")
    }
    assert len(outputs) == 1
    assert b"memory.limit" in outputs.pop()
