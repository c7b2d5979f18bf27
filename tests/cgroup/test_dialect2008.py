"""The control files of 2.6.25, in process: names, numbers, what is refused.  The real kernel's answers are in tests/conformance."""

from __future__ import annotations

import errno
from contextlib import nullcontext
from itertools import product

import pytest

from memcgfs.kernfs import PIECE_BYTES
from memcgfs.options import OptionError
from memcgfs.tree import Tree
from tests.refusal import refused

from .conftest import FakeHost, MakeTree

PAGE = 4096
LLONG_MAX = 2**63 - 1
NAMES = ["stat", "force_empty", "failcnt", "limit_in_bytes", "usage_in_bytes"]


@pytest.fixture
def tree(make_tree: MakeTree) -> Tree:
    return make_tree(dialect="2008")


@pytest.mark.parametrize(("option", "prefix"), [({}, "memory."), ({"memory": True}, "memory."), ({"noprefix": True}, "")])
def test_listing(make_tree: MakeTree, option: dict[str, bool], prefix: str) -> None:
    """What was made last comes first."""
    tree = make_tree(dialect="2008", **option)
    own = [prefix + name for name in NAMES]
    assert tree.mkdir("a").files == [*own, "releasable", "notify_on_release", "tasks"]
    assert tree.root.files == [*own, "release_agent", "releasable", "notify_on_release", "tasks"]


def test_the_names_of_the_cover_letter_of_2007_are_refused() -> None:
    with pytest.raises(OptionError, match=r"^mem_container: "):
        Tree(dialect="2008", mem_container=True)


@pytest.mark.fact("N9")
def test_a_fresh_group(tree: Tree) -> None:
    fresh = tree.mkdir("a")
    for name, text in {
        "tasks": b"",
        "notify_on_release": b"0\n",
        "releasable": b"0\n",
        "memory.usage_in_bytes": b"0\n",
        "memory.limit_in_bytes": b"9223372036854775807\n",
        "memory.failcnt": b"0\n",
        "memory.stat": b"cache 0\nrss 0\nactive 0\ninactive 0\n",
    }.items():
        assert fresh.read(name) == text
    with refused(errno.EINVAL):
        fresh.read("memory.force_empty")
    with refused(errno.ENOENT):
        fresh.read("memory.control_type")


LIMITS: list[tuple[bytes, int | None]] = [
    # what is written, what is the limit then (None: EINVAL)
    (b"0", 0),
    (b"1", PAGE),
    (b"4095", PAGE),
    (b"4096", PAGE),
    (b"4097", 2 * PAGE),
    (b"4K", PAGE),
    (b"4k", PAGE),
    (b"1M", 1 << 20),
    (b"1m", 1 << 20),
    (b"1G", 1 << 30),
    (b"1g", 1 << 30),
    (b"0x1000", PAGE),
    (b"0X1000", PAGE),
    (b"0x1k", PAGE),
    (b"010", PAGE),
    (b"010000", PAGE),
    (b"00", 0),
    (b"", 0),
    (b"\n", 0),
    (b" ", 0),
    (b"\0", 0),
    (b"\0001", 0),
    (b"K", 0),
    (b"M", 0),
    (b"g", 0),
    (b"4096\n", PAGE),
    (b"4096\n\n", PAGE),
    (b"4096 ", PAGE),
    (b"4096\r\n", PAGE),
    (b"4096\v\f\t\xa0", PAGE),
    (b"4096\0", PAGE),
    (b"4096\0abc", PAGE),
    (b"4096 \0abc", PAGE),
    (b"8192" + b" " * 5000, 2 * PAGE),
    (b"9223372036854775807", 2**63),  # the default cannot be written back
    (b"0x7fffffffffffffff", 2**63),
    (b"18446744073709547520", 2**64 - PAGE),
    (b"18446744073709547521", 0),
    (b"18446744073709551615", 0),
    (b"18446744073709551616", 0),
    (b"17179869184G", 0),
    (b"99999999999999999999", 7766279631452241920),
    (b"0x10000000000000fff", PAGE),
    (b"9" * 64, 0),
    (b"9" * 65536, 0),
    (b"-1", None),
    (b"+4096", None),
    (b"abc", None),
    (b"12abc", None),
    (b"1.5M", None),
    (b"64KB", None),
    (b"64Ki", None),
    (b"4096,8192", None),
    (b"1M 1M", None),
    (b"1M2M", None),
    (b"0x", None),
    (b"0xk", None),
    (b"08", None),
    (b"1T", None),
    (b"8E", None),
    (b" 5", None),
    (b"\t5", None),
    (b"\n5", None),
    (b"\xff", None),
]


@pytest.mark.parametrize(("text", "limit"), LIMITS)
def test_limit(tree: Tree, text: bytes, limit: int | None) -> None:
    a = tree.mkdir("a")
    a["memory.limit_in_bytes"] = 7 * PAGE
    with refused(errno.EINVAL) if limit is None else nullcontext():
        a.write("memory.limit_in_bytes", text)
    assert a["memory.limit_in_bytes"] == (7 * PAGE if limit is None else limit)


def test_a_limit_of_any_length_wraps_as_64_bits_do(tree: Tree) -> None:
    """A decimal of 5000 digits, longer than Python converts at once, against Python's own arithmetic."""
    digits = b"1234567890" * 500
    value = 0
    for digit in digits:
        value = value * 10 + digit - ord("0")
    tree.root.write("memory.limit_in_bytes", digits)
    assert tree.root["memory.limit_in_bytes"] == -(-(value % 2**64) // PAGE) * PAGE % 2**64


@pytest.mark.parametrize("name", ["memory.limit_in_bytes", "memory.force_empty"])
def test_what_the_transport_may_have_cut_is_refused(tree: Tree, name: str) -> None:
    a = tree.mkdir("a")
    a.write(name, b"8192".ljust(PIECE_BYTES - 1))
    with refused(errno.E2BIG):
        a.write(name, b"8192".ljust(PIECE_BYTES))


@pytest.mark.parametrize("name", ["memory.usage_in_bytes", "memory.failcnt", "memory.stat", "releasable"])
@pytest.mark.parametrize("text", [b"0", b"5\n", b"abc", b"", b"x" * 8192])
def test_what_takes_no_command(tree: Tree, name: str, text: bytes) -> None:
    with refused(errno.EINVAL):
        tree.mkdir("a").write(name, text)


@pytest.mark.parametrize("name", ["tasks", "notify_on_release", "release_agent"])
def test_what_takes_less_than_a_page(tree: Tree, name: str) -> None:
    if name != "tasks":
        tree.root.write(name, b"a" * 4095)
    with refused(errno.E2BIG):
        tree.root.write(name, b"a" * 4096)


@pytest.mark.parametrize(
    ("written", "shown"),
    [(b"/agent\n\n\n", b"/agent\n"), (b"/agent \t\r\n", b"/agent\n"), (b" /agent", b" /agent\n"), (b"/a b", b"/a b\n"), (b"\n", b"\n"),
     (b"/a\0/b", b"/a\n"), (b"a" * 4095, b"a" * 4095 + b"\n")],
)  # fmt: skip
def test_blanks_behind_a_release_agent_are_stripped(tree: Tree, written: bytes, shown: bytes) -> None:
    tree.root.write("release_agent", written)
    assert tree.root.read("release_agent") == shown


@pytest.mark.fact("N12")
def test_a_new_group_has_its_parents_notify_on_release(tree: Tree) -> None:
    tree.root["notify_on_release"] = 1
    a = tree.mkdir("a")
    tree.root["notify_on_release"] = 0
    assert (a["notify_on_release"], tree.mkdir("a/b")["notify_on_release"], tree.mkdir("c")["notify_on_release"]) == (1, 1, 0)


@pytest.mark.fact("N11")
def test_force_empty_is_busy_where_a_task_has_charges(tree: Tree) -> None:
    """The kernel asks for tasks only as long as anything is charged."""
    a = tree.mkdir("a")
    task = tree.spawn(100, a)
    a.write("memory.force_empty", b"x" * 8192)
    task.touch(0, 4)
    with refused(errno.EBUSY):
        a["memory.force_empty"] = 1
    tree.root["tasks"] = 100
    a["memory.force_empty"] = 1
    assert a["memory.usage_in_bytes"] == 0
    task.touch(0, 4)
    assert (a["memory.usage_in_bytes"], tree.root["memory.usage_in_bytes"]) == (0, 0)


def test_the_top_forgets_also_with_tasks(tree: Tree) -> None:
    tree.spawn(100).touch(0, 4)
    assert tree.root["memory.usage_in_bytes"] == 4 * PAGE
    tree.root["memory.force_empty"] = 0
    assert tree.root["memory.usage_in_bytes"] == 0


@pytest.mark.fact("N10")
def test_rmdir_forgets_charges_and_stays_busy_with_tasks_or_children(tree: Tree) -> None:
    a = tree.mkdir("a")
    tree.mkdir("a/b")
    with refused(errno.EBUSY):
        a.rmdir()
    a.children[0].rmdir()
    task = tree.spawn(100, a)
    task.touch(0, 4)
    with refused(errno.EBUSY):
        a.rmdir()
    tree.root["tasks"] = 100
    a.rmdir()
    task.touch(0, 4)
    assert (tree.root["memory.usage_in_bytes"], tree.mkdir("a")["memory.usage_in_bytes"]) == (0, 0)


def test_the_agent_is_told_once_the_last_charged_page_is_gone(make_tree: MakeTree) -> None:
    tree = make_tree(dialect="2008", release_agent="/agent")
    host = FakeHost()
    tree.set_host(host)
    a = tree.mkdir("a")
    a["notify_on_release"] = 1
    task = tree.spawn(100, a)
    task.ctl("write data 0 8")
    task.reap()
    assert host.agents == []
    tree.files.unlink("data")
    assert host.agents == [("/agent", "/a")]


def test_stat_is_not_seekable_and_the_others_are(tree: Tree) -> None:
    """What the mount tells the kernel; there, pread at an offset is ESPIPE."""
    fs = tree.fs
    for name in tree.root.files:
        handle = fs.open(fs.find(name.encode()).ino, 1)
        assert fs.is_seekable(handle) == (name != "memory.stat")
        fs.release(handle)


YEARS = list(product(("2007", "2008"), ("2007", "2008"), ("containers2007", "cgroups2008")))


@pytest.mark.parametrize(("dialect", "rules", "model"), YEARS)
def test_dialects_rules_and_models_combine_freely(make_tree: MakeTree, dialect: str, rules: str, model: str) -> None:
    """A limit of 8 pages holds 20; a limit of 0 forbids by the rules of 2008, and means none by those of 2007, whatever it is called."""
    tree = make_tree(dialect=dialect, rules=rules, model=model)
    limit, unit = ("memory.limit", 1) if dialect == "2007" else ("memory.limit_in_bytes", PAGE)
    usage = limit.replace("limit", "usage")
    a, b = tree.mkdir("a"), tree.mkdir("b")
    assert a[limit] == (LLONG_MAX // PAGE if (dialect, rules) == ("2007", "2008") else LLONG_MAX)
    a[limit] = 8 * unit
    assert a[limit] == 8 * unit
    tree.spawn(100, a).touch(0, 20)
    usage_of_a = a[usage]
    assert isinstance(usage_of_a, int)
    assert 0 < usage_of_a <= 8 * unit
    b[limit] = 0
    task = tree.spawn(101, b)
    with nullcontext() if rules == "2007" else refused(errno.ENOMEM):
        task.touch(0, 1)
    assert b[usage] == (unit if rules == "2007" else 0)
