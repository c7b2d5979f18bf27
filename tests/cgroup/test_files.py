"""Which files there are, and what is in them."""

from __future__ import annotations

import errno

import pytest

from memcgfs.tree import Tree
from tests.refusal import refused

from .conftest import MakeTree

PREFIXES = {"memory": "memory.", "mem_container": "mem_", "noprefix": ""}


@pytest.mark.parametrize("names", PREFIXES)
@pytest.mark.parametrize("strict", [False, True])
def test_listing(make_tree: MakeTree, names: str, strict: bool) -> None:
    """As recorded of a kernel: what was made last comes first."""
    tree = make_tree(strict=strict, **{names: True})
    later = [] if strict else ["stat", "force_empty"]
    own = [PREFIXES[names] + name for name in [*later, "control_type", "failcnt", "limit", "usage"]]
    a = tree.mkdir("a")
    assert a.files == [*own, "releasable", "notify_on_release", "tasks"]
    assert tree.root.files == [*own, "release_agent", "releasable", "notify_on_release", "tasks"]
    assert [child.path for child in tree.root.children] == ["/a"]
    a[PREFIXES[names] + "limit"] = 5
    assert a.read(PREFIXES[names] + "limit") == b"5\n"


def test_force_empty_forgets_charges(tree: Tree) -> None:
    a = tree.mkdir("a")
    tree.spawn(100, a).touch(0, 4)
    with refused(errno.EBUSY):
        a["memory.force_empty"] = 1
    assert a["memory.usage"] == 4
    tree.root["tasks"] = 100
    assert a["memory.usage"] == 4
    a.write("memory.force_empty", b"whatever")
    assert a["memory.usage"] == 0
    a.rmdir()


def test_force_empty_shows_nothing(tree: Tree) -> None:
    with refused(errno.EINVAL):
        tree.mkdir("a").read("memory.force_empty")


def test_stat_is_in_bytes(tree: Tree) -> None:
    a = tree.mkdir("a")
    tree.spawn(100, a).touch(0, 3)
    assert a.read("memory.stat") == b"cache 0\nrss 12288\nactive 12288\ninactive 0\n"


AGENTS: list[tuple[bytes, bytes]] = [
    (b"/sbin/agent", b"/sbin/agent\n"),
    (b"/sbin/agent\n", b"/sbin/agent\n"),
    (b"/sbin/agent\n\n", b"/sbin/agent\n\n"),
    (b" /x", b" /x\n"),
    (b"", b"\n"),
    (b"\n", b"\n"),
    (b"/x\0/y", b"/x\n"),
    (b"\xff", b"\xff\n"),
    (b"a" * 4095, b"a" * 4095 + b"\n"),
]


@pytest.mark.parametrize(("written", "shown"), AGENTS)
def test_release_agent_is_kept_as_written(tree: Tree, written: bytes, shown: bytes) -> None:
    tree.root.write("release_agent", written)
    assert tree.root.read("release_agent") == shown


def test_an_agent_that_the_mounter_did_not_allow_is_named_in_the_log(tree: Tree) -> None:
    tree.root.write("release_agent", b"/elsewhere")
    box = tree.mkdir("box")
    box.write("notify_on_release", b"1")
    tree.spawn(101, box).reap()
    assert tree.machine.log[-1].endswith("release_agent /elsewhere not run for /box: not what the mounter allowed")


def test_release_agent_is_shorter_than_a_path(tree: Tree) -> None:
    with refused(errno.E2BIG):
        tree.root.write("release_agent", b"a" * 4096)
    assert tree.root.read("release_agent") == b"\n"
