"""Every spelling of a number, in every file that takes one."""

from __future__ import annotations

import errno
from contextlib import nullcontext

import pytest

from memcgfs.handles import Dir
from tests.refusal import refused

from .conftest import MakeTree

LONG_MAX = {"x86_64": 2**63 - 1, "i386": 2**31 - 1}

EXACT: list[tuple[bytes, int | None]] = [
    # what is written, what is the limit then (None: EINVAL)
    (b"0", 0),
    (b"1", 1),
    (b"6000", 6000),
    (b"000017", 17),
    (b"9223372036854775807", 2**63 - 1),
    (b"18446744073709551615", 2**64 - 1),
    (b"18446744073709551616", 0),
    (b"18446744073709551621", 5),
    (b"99999999999999999999", 99999999999999999999 % 2**64),
    (b"9" * 4095, int("9" * 4095) % 2**64),
    (b"", 0),
    (b"\0", 0),
    (b"5\0", 5),
    (b"5\0 junk", 5),
    (b"\n", None),
    (b"\n\n", None),
    (b" ", None),
    (b" 5", None),
    (b"5 ", None),
    (b"\t5", None),
    (b"+5", None),
    (b"-5", None),
    (b"-1", None),
    (b"0x10", None),
    (b"5k", None),
    (b"5K", None),
    (b"5M", None),
    (b"1.5", None),
    (b"5,6", None),
    (b"5 6", None),
    (b"abc", None),
    (b"12abc", None),
    (b"\xff", None),
    (b"5\r\n", None),
    (b"5\n\n", None),
    (b"5\n6", None),
]
WITH_NEWLINE: list[tuple[bytes, int | None]] = [(b"0\n", 0), (b"6000\n", 6000), (b"18446744073709551616\n", 0)]
IGNORED = 77
"""The limit before each write."""


def write_limit(directory: Dir, text: bytes, limit: int | None) -> None:
    """After the write the limit is this; None: the write is refused, and it is what it was."""
    directory["memory.limit"] = IGNORED
    with refused(errno.EINVAL) if limit is None else nullcontext():
        directory.write("memory.limit", text)
    assert directory["memory.limit"] == (IGNORED if limit is None else limit)


@pytest.mark.fact("C8")
@pytest.mark.parametrize(("text", "limit"), EXACT)
@pytest.mark.parametrize("strict", [False, True])
def test_limit(make_tree: MakeTree, strict: bool, text: bytes, limit: int | None) -> None:
    write_limit(make_tree(strict=strict).mkdir("a"), text, limit)


@pytest.mark.fact("C8")
@pytest.mark.parametrize(("text", "limit"), WITH_NEWLINE)
def test_a_newline_behind_a_number_is_forgiven_but_not_by_the_strict(
    make_tree: MakeTree, text: bytes, limit: int
) -> None:
    write_limit(make_tree().mkdir("a"), text, limit)
    write_limit(make_tree(strict=True).mkdir("a"), text, None)


@pytest.mark.fact("C1")
@pytest.mark.parametrize(
    ("text", "limit"),
    [(b"4294967295", 2**32 - 1), (b"4294967296", 0), (b"4294967301", 5), (b"9" * 20, int("9" * 20) % 2**32)],
)
def test_an_unsigned_long_of_i386_has_32_bits(make_tree: MakeTree, text: bytes, limit: int) -> None:
    write_limit(make_tree(arch="i386").mkdir("a"), text, limit)


@pytest.mark.parametrize("arch", ["x86_64", "i386"])
def test_a_fresh_container(make_tree: MakeTree, arch: str) -> None:
    fresh = make_tree(arch=arch).mkdir("a")
    assert fresh.read("memory.limit") == b"%d\n" % LONG_MAX[arch]
    for name, text in (
        ("tasks", b""),
        ("notify_on_release", b"0\n"),
        ("releasable", b"0\n"),
        ("memory.usage", b"0\n"),
        ("memory.failcnt", b"0\n"),
        ("memory.control_type", b"3\n"),
        ("memory.stat", b"cache 0\nrss 0\nactive 0\ninactive 0\n"),
    ):
        assert fresh.read(name) == text


CONTROL_TYPES: list[tuple[bytes, int | None]] = [
    (b"1", 1), (b"2", 2), (b"3", 3), (b"3\n", 3), (b"02", 2), (b"18446744073709551617", 1),
    (b"0", None), (b"4", None), (b"", None), (b"\n", None), (b"-1", None), (b" 1", None), (b"1 ", None),
    (b"0x1", None), (b"all", None), (b"18446744073709551616", None),
]  # fmt: skip


@pytest.mark.fact("C34")
@pytest.mark.parametrize(("text", "value"), CONTROL_TYPES)
def test_control_type(make_tree: MakeTree, text: bytes, value: int | None) -> None:
    a = make_tree().mkdir("a")
    a["memory.control_type"] = 2
    with refused(errno.EINVAL) if value is None else nullcontext():
        a.write("memory.control_type", text)
    assert a["memory.control_type"] == (2 if value is None else value)


@pytest.mark.fact("C34")
def test_control_type_is_not_inherited(make_tree: MakeTree) -> None:
    tree = make_tree()
    tree.mkdir("a")["memory.control_type"] = 1
    assert tree.mkdir("a/b")["memory.control_type"] == 3


NOTIFY: list[tuple[bytes, int]] = [
    (b"1", 1), (b"1\n", 1), (b"2", 1), (b"10", 1), (b"1abc", 1), (b"01", 1),
    (b"0", 0), (b"0\n", 0), (b"abc", 0), (b"-1", 0), (b"", 0), (b"\n", 0), (b" 1", 0), (b"0x1", 0),
    (b"18446744073709551616", 0),
]  # fmt: skip


@pytest.mark.parametrize(("text", "flag"), NOTIFY)
@pytest.mark.parametrize("before", [0, 1])
def test_notify_on_release_takes_any_text(make_tree: MakeTree, before: int, text: bytes, flag: int) -> None:
    a = make_tree().mkdir("a")
    a["notify_on_release"] = before
    a.write("notify_on_release", text)
    assert a["notify_on_release"] == flag


def test_notify_on_release_is_not_inherited(make_tree: MakeTree) -> None:
    tree = make_tree()
    tree.mkdir("a")["notify_on_release"] = 1
    assert tree.mkdir("a/b")["notify_on_release"] == 0


@pytest.mark.fact("C9")
@pytest.mark.parametrize("name", ["memory.usage", "memory.failcnt", "memory.stat", "releasable"])
@pytest.mark.parametrize("text", [b"0", b"", b"0\n", b"x" * 5000])
def test_files_that_take_nothing(make_tree: MakeTree, name: str, text: bytes) -> None:
    a = make_tree().mkdir("a")
    with refused(errno.EINVAL):
        a.write(name, text)


@pytest.mark.parametrize("name", ["tasks", "notify_on_release", "memory.limit", "memory.force_empty"])
def test_no_command_is_as_long_as_a_path(make_tree: MakeTree, name: str) -> None:
    a = make_tree().mkdir("a")
    with refused(errno.E2BIG):
        a.write(name, b"1" * 4096)
