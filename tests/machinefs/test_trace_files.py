"""The files of `.machine/trace`: lines, what is enabled, the pipe, bad writes."""

from __future__ import annotations

import errno
import re

import pytest

from memcgfs.handles import TaskHandle
from memcgfs.tree import Tree
from tests.refusal import refused

TRACE = ".machine/trace"
LINE = re.compile(r" *\S+-\d+ +\[000\] \.{5} +\d+\.\d{6}: \w+:( \w+=(\S+|\([a-z]+ \w+\)))*")


def lines(tree: Tree) -> list[str]:
    text = tree.root.read(f"{TRACE}/trace").decode()
    return [line for line in text.splitlines() if not line.startswith("#")]


def enable_all(tree: Tree) -> None:
    tree.root[f"{TRACE}/events/enable"] = "1\n"


def test_a_line_is_ftraces(tree: Tree) -> None:
    a = tree.mkdir("a b\\")
    task = tree.spawn(101, a)
    enable_all(tree)
    tree.root[".machine/clock"] = "+123456789"
    task.touch(0, 1)
    shown = lines(tree)
    assert all(LINE.fullmatch(line) for line in shown)
    charge = next(line for line in shown if ": charge:" in line)
    assert charge.startswith("            task-101     [000] .....     0.123456: charge: pfn=")
    assert charge.endswith(r" container=/a\040b\134 list=active priority=(none) reason=mapped refs=1 usage=1")
    assert tree.root.read(f"{TRACE}/trace").startswith(b"# tracer: nop\n#\n# entries-in-buffer/entries-written: 4/4   #P:1\n")


def test_reading_consumes_nothing_and_writing_clears(tree: Tree, task: TaskHandle) -> None:
    enable_all(tree)
    task.touch(0, 1)
    assert lines(tree) == lines(tree) != []
    tree.root.write(f"{TRACE}/trace", b"")
    assert lines(tree) == []


def test_a_removed_container_and_its_heir(tree: Tree) -> None:
    enable_all(tree)
    a = tree.mkdir("a")
    task = tree.spawn(101, a)
    task.touch(0, 1)
    task.reap()
    a.rmdir()
    b = tree.mkdir("b")
    tree.spawn(102, b).touch(0, 1)
    payers = [re.search(r"container=(\(.*?\)|\S+)", line) for line in lines(tree) if ": charge:" in line]
    assert [found and found[1] for found in payers] == ["(removed 1)", "/b"]
    assert any(line.lstrip().startswith("<...>-101 ") for line in lines(tree))


def test_the_pipe_consumes(tree: Tree, task: TaskHandle) -> None:
    with refused(errno.EAGAIN):
        tree.root.read(f"{TRACE}/trace_pipe")
    tree.root[f"{TRACE}/set_event"] = "memcg:charge"
    task.touch(0, 600)
    shown = lines(tree)
    assert len(shown) == 600
    assert tree.root.read(f"{TRACE}/trace_pipe").decode().splitlines() == shown
    assert lines(tree) == []
    with refused(errno.EAGAIN):
        tree.root.read(f"{TRACE}/trace_pipe")


def test_small_reads_of_the_pipe_lose_nothing(tree: Tree, task: TaskHandle) -> None:
    tree.root[f"{TRACE}/set_event"] = "memcg:charge"
    task.touch(0, 3)
    shown = "".join(f"{line}\n" for line in lines(tree)).encode()
    handle = tree.fs.open(tree.fs.find(f"{TRACE}/trace_pipe".encode()).ino, 0)
    found = b""
    while len(found) < len(shown):
        found += tree.fs.read(handle, len(found), 7)
    assert found == shown
    tree.fs.release(handle)


def test_the_pipe_ends_where_tracing_is_off_and_something_was_read(tree: Tree, task: TaskHandle) -> None:
    enable_all(tree)
    task.touch(0, 1)
    tree.root[f"{TRACE}/tracing_on"] = 0
    handle = tree.fs.open(tree.fs.find(f"{TRACE}/trace_pipe".encode()).ino, 0)
    assert tree.fs.read(handle, 0, 1 << 16)
    assert tree.fs.read(handle, 0, 1 << 16) == b""
    tree.fs.release(handle)


SELECTIONS = [
    ("memcg:charge", ["memcg:charge"]), ("oom:*", ["oom:mark_victim", "oom:oom_kill"]), ("oom:", ["oom:mark_victim", "oom:oom_kill"]),
    ("oom", ["oom:mark_victim", "oom:oom_kill"]), ("charge\n", ["memcg:charge"]), ("oom:* !oom:oom_kill", ["oom:mark_victim"]),
    ("*:charge", ["memcg:charge"]), ("\n", []), ("!oom:*", []),
]  # fmt: skip


@pytest.mark.parametrize(("text", "events"), SELECTIONS)
def test_set_event(tree: Tree, text: str, events: list[str]) -> None:
    enable_all(tree)
    tree.root[f"{TRACE}/set_event"] = text
    assert tree.root.read(f"{TRACE}/set_event").decode().split() == events


def test_all_events(tree: Tree) -> None:
    tree.root[f"{TRACE}/set_event"] = "*:*"
    available = tree.root.read(f"{TRACE}/available_events")
    assert tree.root.read(f"{TRACE}/set_event") == available
    assert {b"memcg:charge", b"vmscan:mm_vmscan_lru_isolate", b"pagemap:mm_lru_activate"} <= set(available.split())


def test_enable_files(tree: Tree) -> None:
    root, events = tree.root, f"{TRACE}/events"
    assert (root.read(f"{events}/enable"), root.read(f"{events}/oom/enable")) == (b"0\n", b"0\n")
    root[f"{events}/oom/oom_kill/enable"] = 1
    assert [root.read(f"{events}/{name}") for name in ("enable", "oom/enable", "oom/oom_kill/enable", "oom/mark_victim/enable")] == [
        b"X\n", b"X\n", b"1\n", b"0\n",
    ]  # fmt: skip
    root[f"{events}/oom/enable"] = 1
    assert root.read(f"{events}/oom/enable") == b"1\n"
    root[f"{events}/enable"] = 0
    assert root.read(f"{TRACE}/set_event") == b""


def test_format(tree: Tree) -> None:
    text = tree.root.read(f"{TRACE}/events/memcg/charge/format").decode()
    number = tree.root[f"{TRACE}/events/memcg/charge/id"]
    assert text.startswith(f"name: charge\nID: {number}\nformat:\n\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n")
    assert "\tfield:long long usage;\toffset:56;\tsize:8;\tsigned:1;\n" in text
    assert 'print fmt: "pfn=%lld container=%s list=%s priority=%s reason=%s refs=%lld usage=%lld", REC->pfn' in text


def test_buffer_size(tree: Tree, task: TaskHandle) -> None:
    assert tree.root[f"{TRACE}/buffer_size_kb"] == 65536 * 96 // 1024
    enable_all(tree)
    tree.root[f"{TRACE}/buffer_size_kb"] = 1
    task.touch(0, 50)
    assert len(lines(tree)) == 1024 // 96
    assert tree.root[f"{TRACE}/buffer_size_kb"] == 1
    assert b"entries-in-buffer/entries-written: 10/" in tree.root.read(f"{TRACE}/trace")


BAD = [
    ("set_event", b"bogus", errno.EINVAL), ("set_event", b"memcg:bogus", errno.EINVAL), ("tracing_on", b"on", errno.EINVAL),
    ("tracing_on", b"", errno.EINVAL), ("buffer_size_kb", b"0", errno.EINVAL), ("buffer_size_kb", b"-1", errno.EINVAL),
    ("buffer_size_kb", b"9999999999", errno.ENOMEM), ("events/enable", b"2", errno.EINVAL), ("events/oom/enable", b"X", errno.EINVAL),
    ("events/oom/oom_kill/enable", b"\n", errno.EINVAL), ("available_events", b"x", errno.EINVAL), ("trace_pipe", b"x", errno.EINVAL),
    ("events/oom/oom_kill/id", b"1", errno.EINVAL), ("events/oom/oom_kill/format", b"1", errno.EINVAL),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "number"), BAD)
def test_bad_writes(tree: Tree, name: str, text: bytes, number: int) -> None:
    with refused(number):
        tree.root.write(f"{TRACE}/{name}", text)


def test_owner_and_modes(tree: Tree) -> None:
    for name, mode in (("", 0o40755), ("/trace", 0o100644), ("/events/oom/enable", 0o100644)):
        assert tree.fs.find(f"{TRACE}{name}".encode()).mode & 0o177777 in (mode, mode & 0o7777)
