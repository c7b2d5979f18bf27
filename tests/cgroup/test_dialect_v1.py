"""The control files of dialect v1, in a tree in this process: text, numbers, refusals, inheritance, and what the top has."""

from __future__ import annotations

import errno

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memcgfs import Tree
from memcgfs.cgroup.dialect_v1 import BASE, CONTROLLER, TOP
from memcgfs.handles import Dir

from ..refusal import refused

UNLIMITED = 9223372036854771712
PAGE_BYTES = 4096
LIMITS = ("memory.limit_in_bytes", "memory.soft_limit_in_bytes", "memory.kmem.tcp.limit_in_bytes")
NUMBERS = ("memory.swappiness", "memory.oom_control", "memory.use_hierarchy", "memory.move_charge_at_immigrate")
RESETS = [name for name in (row.name for row in CONTROLLER) if name.endswith(("failcnt", "max_usage_in_bytes"))]


@pytest.fixture
def tree() -> Tree:
    return Tree(dialect="v1", ram="64M", swap="64M")


@pytest.fixture
def box(tree: Tree) -> Dir:
    return tree.mkdir("box")


def test_the_files(tree: Tree, box: Dir) -> None:
    assert len(box.files) == len(BASE + CONTROLLER) == 31
    assert set(tree.root.files) - set(box.files) == {row.name for row in TOP} == {"release_agent", "cgroup.sane_behavior"}
    assert box.files[:3] == ["cgroup.procs", "memory.use_hierarchy", "memory.kmem.tcp.usage_in_bytes"]


@pytest.mark.parametrize("name", LIMITS)
@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("4096", 4096), ("1M", 1 << 20), (" 8192\r\n\n", 8192), ("0x3000", 12288), ("010000", 4096), ("4095", 0), ("K", 0), ("\n", 0),
        ("-1", UNLIMITED), ("8E", UNLIMITED), ("16E", 0), ("18446744073709551616", 0), ("1p", 1 << 50), ("4096\08", 4096),
    ],
)  # fmt: skip
def test_amounts(box: Dir, name: str, text: str, shown: int) -> None:
    box[name] = text
    assert box[name] == shown


@pytest.mark.parametrize("name", [*LIMITS, "memory.kmem.limit_in_bytes", "memory.memsw.limit_in_bytes"])
@pytest.mark.parametrize("text", ["+4096", "-2", "-0", "1.5M", "64KB", "08", "max", "4096 8192", "1e6"])
def test_no_amounts(box: Dir, name: str, text: str) -> None:
    with refused(errno.EINVAL):
        box[name] = text
    assert box[name] == UNLIMITED


@given(st.integers(0, (1 << 64) - 1))
def test_every_limit_is_rounded_down_and_ends_somewhere(nbytes: int) -> None:
    box = Tree(dialect="v1", ram="16M", swap=0).mkdir("box")
    box["memory.limit_in_bytes"] = nbytes
    assert box["memory.limit_in_bytes"] == min(nbytes // PAGE_BYTES * PAGE_BYTES, UNLIMITED)


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("text", [" 1", "1 ", "1\t", "1\n\n", "1K", "abc", "-1", "", "1.0"])
def test_no_numbers(box: Dir, name: str, text: str) -> None:
    before = box[name]
    if text:
        with refused(errno.EINVAL):
            box[name] = text
    else:
        box[name] = text
    assert box[name] == before


@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_that_is_too_large(box: Dir, name: str) -> None:
    with refused(errno.ERANGE):
        box[name] = "18446744073709551616"


@pytest.mark.parametrize(
    ("name", "taken", "refused_ones"),
    [
        ("memory.swappiness", "200", ["201"]),
        ("memory.use_hierarchy", "+1\n", ["0", "2"]),
        ("memory.move_charge_at_immigrate", "0x0", ["1", "3"]),
        ("memory.oom_control", "01", ["2"]),
    ],
)
def test_which_numbers(box: Dir, name: str, taken: str, refused_ones: list[str]) -> None:
    box[name] = taken
    for text in refused_ones:
        with refused(errno.EINVAL):
            box[name] = text


def test_memory_and_swap_are_never_less_than_memory(box: Dir) -> None:
    with refused(errno.EINVAL):
        box["memory.memsw.limit_in_bytes"] = "64M"
    box["memory.limit_in_bytes"] = "64M"
    box["memory.memsw.limit_in_bytes"] = "64M"
    with refused(errno.EINVAL):
        box["memory.limit_in_bytes"] = "65M"


@pytest.mark.parametrize("name", RESETS)
def test_anything_resets_but_nothing(box: Dir, name: str) -> None:
    for text in ("abc", "0", "", "-1"):
        box[name] = text
        assert box[name] == 0


def test_a_new_group_has_what_its_parent_has_but_limits(tree: Tree, box: Dir) -> None:
    box["memory.limit_in_bytes"] = "1M"
    box["memory.swappiness"] = 33
    box["memory.oom_control"] = 1
    box["notify_on_release"] = 7
    box["cgroup.clone_children"] = 1
    inner = tree.mkdir("box/inner")
    assert [inner[name] for name in ("memory.limit_in_bytes", "memory.swappiness", "notify_on_release", "cgroup.clone_children")] == [
        UNLIMITED, 33, 1, 1,
    ]  # fmt: skip
    assert inner["memory.oom_control"] == "oom_kill_disable 1\nunder_oom 0\noom_kill 0\n"


@pytest.mark.parametrize("name", ["limit_in_bytes", "memsw.limit_in_bytes", "kmem.limit_in_bytes", "kmem.tcp.limit_in_bytes"])
def test_the_top_has_no_limits(tree: Tree, name: str) -> None:
    with refused(errno.EINVAL):
        tree.root[f"memory.{name}"] = "1M"


def test_what_else_the_top_refuses(tree: Tree) -> None:
    for name in ("memory.force_empty", "memory.oom_control"):
        with refused(errno.EINVAL):
            tree.root[name] = 0
    tree.root["memory.swappiness"] = 40
    assert tree.root["memory.swappiness"] == tree.root[".machine/sys/vm/swappiness"] == 40
    assert tree.root["cgroup.sane_behavior"] == 0


def test_what_shows_nothing(box: Dir) -> None:
    assert box["memory.kmem.slabinfo"] == ""
    for name in ("memory.pressure_level", "memory.force_empty", "cgroup.event_control"):
        with refused(errno.EINVAL):
            box.read(name)


def test_names_and_renames(tree: Tree, box: Dir) -> None:
    for name in ("a\nb", "\n"):
        with refused(errno.EINVAL):
            tree.mkdir(name)
        with refused(errno.EINVAL):
            box.rename(name)
    tree.mkdir("n" * 3000).rmdir()
    tree.mkdir("other")
    with refused(errno.EEXIST):
        box.rename("other")
    box.rename("box2")
    assert box["memory.swappiness"] == 60


@pytest.mark.parametrize("rules", ["2007", "2008"])
def test_with_other_rules_what_they_lack_is_0(rules: str) -> None:
    tree = Tree(dialect="v1", rules=rules, model=f"c{'ontainers' if rules == '2007' else 'groups'}{rules}", ram="64M", swap="64M")
    box = tree.mkdir("box")
    task = tree.spawn(101, box)
    task.touch(0, 10)
    assert box["memory.usage_in_bytes"] == 10 * PAGE_BYTES
    assert [box[f"memory.{name}.usage_in_bytes"] for name in ("kmem", "kmem.tcp")] == [0, 0]
    assert box["memory.limit_in_bytes"] == UNLIMITED
    assert "\ntotal_unevictable 0\n" in str(box["memory.stat"])
    box["memory.limit_in_bytes"] = "1M"
    assert box["memory.limit_in_bytes"] == 1 << 20
    task.reap()
    tree.machine.check()
