"""The files of a task, as tools that read /proc would read them."""

from __future__ import annotations

import errno
import struct
from pathlib import Path

import pytest

from memcgfs.handles import TaskHandle
from memcgfs.kernfs import Caller
from memcgfs.tree import Tree
from tests.refusal import refused

PAGE = 4096
PRESENT, SWAPPED = 1 << 63, 1 << 62


def at(tree: Tree, name: str, offset: int, what: int | bytes) -> bytes | int:
    """pread or pwrite of a file of task 100."""
    handle = tree.fs.open(tree.fs.find(f".machine/tasks/100/{name}".encode()).ino, 2)
    try:
        with tree.request(name):
            if isinstance(what, bytes):
                return tree.fs.write(handle, offset, what)
            return tree.fs.read(handle, offset, what)
    finally:
        tree.fs.release(handle)


def test_status(task: TaskHandle) -> None:
    task.touch(0, 5)
    assert task.dir.read("status").decode() == (
        "Name:\ttask\nState:\tR (running)\nTgid:\t100\nPid:\t100\nPPid:\t1\nTracerPid:\t0\n"
        "Uid:\t1000\t1000\t1000\t1000\nGid:\t1000\t1000\t1000\t1000\n"
        "VmSize:\t      20 kB\nVmLck:\t       0 kB\nVmRSS:\t      20 kB\nVmPTE:\t       4 kB\nVmSwap:\t       0 kB\n"
        "VmBlk:\t       0 kB\n"
        "Threads:\t1\nStall:\t0 ns\nTouched:\t5 of 5\n"
    )


def test_resident_and_swapped_pages_account_for_all(tree: Tree) -> None:
    a = tree.mkdir("a")
    a["memory.limit"] = 64
    task = tree.spawn(100, a)
    for page in range(400):
        task.touch(page, 1)
        assert int(a["memory.usage"]) <= 64
    status = task.status
    assert int(status["VmRSS"]) + int(status["VmSwap"]) == 400 * 4
    major = task.task.maj_flt
    task.touch(0, 1)
    assert task.task.maj_flt == major + 1
    pagemap = at(tree, "pagemap", 0, 3200)
    assert isinstance(pagemap, bytes)
    words = struct.unpack("=400Q", pagemap)
    assert all((word & PRESENT != 0) != (word & SWAPPED != 0) for word in words)
    assert sum(word & PRESENT != 0 for word in words) * 4 == task.status["VmRSS"]


def test_stat_has_the_fields_of_proc(task: TaskHandle) -> None:
    task.touch(0, 3)
    task.ctl("nice 5")
    task.ctl("run 250ms")
    ours = task.dir.read("stat").decode().split()
    assert len(ours) == len(Path("/proc/self/stat").read_text().rpartition(")")[2].split()) + 2
    by_number = dict(enumerate(ours, start=1))  # as proc(5) numbers them
    expected = {1: "100", 2: "(task)", 3: "R", 4: "1", 10: "3", 12: "0", 14: "25", 18: "25", 19: "5", 20: "1", 22: "0"}
    assert {number: by_number[number] for number in expected} == expected
    assert (by_number[23], by_number[24], by_number[38]) == (str(3 * PAGE), "3", "17")


def test_statm(tree: Tree, task: TaskHandle) -> None:
    """10 pages of memory, 3 of them written; 5 of a file, shared, 2 of them read."""
    tree.files["data"] = bytes(5 * PAGE)
    task.ctl("mmap 0 10 anon")
    task.touch(0, 3)
    task.ctl("mmap 512 5 file:data shared")
    task.touch(512, 2, write=False)
    ours = task.dir.read("statm").decode()
    assert ours == "15 5 2 0 0 10 0\n"
    assert len(ours.split()) == len(Path("/proc/self/statm").read_text().split())
    task.ctl("exit")
    assert task.dir.read("statm").decode() == "0 0 0 0 0 0 0\n"


def test_maps_parse_as_those_of_proc(task: TaskHandle) -> None:
    task.ctl("mmap 0x12345 3 anon")
    line = task.dir.read("maps").decode()
    assert line == "12345000-12348000 rw-p 00000000 00:00 0 \n"
    real = next(line for line in Path("/proc/self/maps").read_text().splitlines() if " 0 " in line)
    assert len(line.split()) == len(real.split()[:5])


def test_cgroup_is_the_path_from_the_top(tree: Tree, task: TaskHandle) -> None:
    assert task.dir["cgroup"] == "1:memory:/\n"
    tree.mkdir("a")
    tree.mkdir("a/b")["tasks"] = 100
    assert task.dir["cgroup"] == "1:memory:/a/b\n"
    task.ctl("exit")
    assert task.dir["cgroup"] == "1:memory:/\n"


def test_a_path_may_hold_any_byte(tree: Tree, task: TaskHandle) -> None:
    tree.mkdir("\udcff")["tasks"] = 100
    assert task.dir.read("cgroup") == b"1:memory:/\xff\n"


def test_memory_keeps_what_is_written(tree: Tree, task: TaskHandle) -> None:
    assert at(tree, "mem", PAGE - 2, b"four") == 4
    assert at(tree, "mem", PAGE - 3, 6) == b"\0four\0"
    assert task.status["VmRSS"] == 8
    task.touch(5, 1)
    assert at(tree, "mem", 5 * PAGE, 3) == b"\0\0\0"


def test_memory_that_is_not_there(tree: Tree, task: TaskHandle) -> None:
    with refused(errno.EIO):
        at(tree, "mem", 1 << 40, 10)
    with refused(errno.EINVAL):
        at(tree, "mem", (1 << 47) - 2, b"four")
    task.ctl("exit")
    with refused(errno.ESRCH):
        at(tree, "mem", 0, b"x")


def test_bytes_come_back_from_swap(tree: Tree) -> None:
    a = tree.mkdir("a")
    a["memory.limit"] = 64
    task = tree.spawn(100, a)
    for page in range(200):
        at(tree, "mem", page * PAGE, b"page %d" % page)
    assert int(task.status["VmSwap"]) > 0
    for page in range(200):
        text = b"page %d" % page
        assert at(tree, "mem", page * PAGE, len(text)) == text


PAGEMAP: list[tuple[int, int, int]] = [
    # offset, size, length of the answer
    (0, 8, 8), (8, 16, 16), (0, 80, 80), (19 * 8, 80, 8), (20 * 8, 80, 0), ((1 << 35) * 8, 80, 0), (1 << 60, 8, 0),
]  # fmt: skip


@pytest.mark.parametrize(("offset", "size", "length"), PAGEMAP)
def test_pagemap_ends_with_the_last_mapping(tree: Tree, task: TaskHandle, offset: int, size: int, length: int) -> None:
    """So that who copies a whole tree comes to an end."""
    task.ctl("mmap 2 18 anon")
    answer = at(tree, "pagemap", offset, size)
    assert isinstance(answer, bytes)
    assert len(answer) == length


def test_pagemap_is_whole_words(tree: Tree, task: TaskHandle) -> None:
    for offset, size in ((1, 8), (0, 7), (4, 4)):
        with refused(errno.EINVAL):
            at(tree, "pagemap", offset, size)
    with refused(errno.EINVAL):
        at(tree, "pagemap", 0, b"\0" * 8)
    task.ctl("exit")
    assert at(tree, "pagemap", 0, 80) == b""


def test_mincore_is_a_byte_a_page(tree: Tree, task: TaskHandle) -> None:
    """A page of a file counts that is in the page cache, mapped or not; what no mapping holds is 0; it ends with the last mapping."""
    task.ctl("mmap 2 4 anon")
    task.touch(3, 2)
    task.ctl("write data 0 2")
    task.ctl("mmap 8 3 file:data")
    assert task.dir.read("mincore") == bytes([0, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0])
    assert at(tree, "mincore", 3, 3) == bytes([1, 1, 0])
    assert at(tree, "mincore", 10, 100) == bytes([0])
    assert at(tree, "mincore", 11, 100) == at(tree, "mincore", 1000, 1) == b""
    with refused(errno.EINVAL):
        at(tree, "mincore", 0, b"\1")
    task.ctl("exit")
    assert task.dir.read("mincore") == b""


OOM_ADJ: list[tuple[bytes, int | None]] = [
    (b"0", 0), (b"15", 15), (b"15\n", 15), (b"-16", -16), (b"-17\n", -17), (b" 5 ", 5), (b"0x5", 5),
    (b"16", None), (b"-18", None), (b"5 5", None), (b"5abc", None),
]  # fmt: skip


@pytest.mark.parametrize(("text", "value"), OOM_ADJ)
def test_oom_adj(task: TaskHandle, text: bytes, value: int | None) -> None:
    task.dir["oom_adj"] = 3
    if value is None:
        with refused(errno.EINVAL):
            task.dir.write("oom_adj", text)
    else:
        task.dir.write("oom_adj", text)
    assert task.dir["oom_adj"] == (3 if value is None else value)


@pytest.mark.parametrize("text", [b"", b"\n", b"five", b"-", b"--5"])
def test_what_begins_with_no_number_is_an_error_of_its_own(task: TaskHandle, text: bytes) -> None:
    task.dir["oom_adj"] = 3
    with refused(errno.EIO):
        task.dir.write("oom_adj", text)
    assert task.dir["oom_adj"] == 3


@pytest.mark.parametrize(("uid", "text", "error"), [(0, b"-5", 0), (1000, b"5", 0), (1000, b"-1", errno.EACCES)])
def test_oom_adj_is_lowered_by_root_only(tree: Tree, task: TaskHandle, uid: int, text: bytes, error: int) -> None:
    handle = tree.fs.open(tree.fs.find(b".machine/tasks/100/oom_adj").ino, 1, Caller(1, uid, uid))
    if error:
        with refused(error), tree.request("oom_adj"):
            tree.fs.write(handle, 0, text)
    else:
        tree.fs.write(handle, 0, text)
    assert task.dir["oom_adj"] == (0 if error else int(text))
    tree.fs.release(handle)


def test_oom_score_is_total_vm_and_what_adjusts_it(task: TaskHandle) -> None:
    task.touch(0, 64)
    assert task.dir["oom_score"] == 64
    task.dir["oom_adj"] = 2
    assert task.dir["oom_score"] == 256
    task.ctl("setuid 0")
    assert task.dir["oom_score"] == 16  # a quarter for root, and a quarter of that for its capabilities
