"""What docs/v1.md says of control files, groups, charges and the limit, shown on a tree in Python."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from memcgfs import Tree
from memcgfs.cli.stubs import stubs_of
from memcgfs.handles import Dir, TaskHandle
from memcgfs.mm import PAGE_BYTES
from memcgfs.options import DIALECT_DEFAULTS

from ..listener import Listener
from ..refusal import refused

NO_LIMIT = 9223372036854771712
DOCS = Path(__file__).parents[2] / "docs"


def tree_of(**options: object) -> Tree:
    """Nothing is read ahead from swap, and pages are all that is charged."""
    tree = Tree(**{"dialect": "v1", "kmem": "off", "ram": "32M", "swap": "32M", **options})
    tree.root[".machine/sys/vm/page-cluster"] = 0
    return tree


@pytest.fixture
def tree() -> Tree:
    return tree_of()


@pytest.fixture
def box(tree: Tree) -> Dir:
    return tree.mkdir("box")


@pytest.fixture
def task(tree: Tree, box: Dir) -> TaskHandle:
    return tree.spawn(101, box)


@pytest.fixture(autouse=True)
def checked(tree: Tree) -> Iterator[None]:
    yield
    tree.machine.check()


def stat(directory: Dir) -> dict[str, int]:
    """Pages of memory.stat, events as they are."""
    lines = (line.split() for line in directory.read("memory.stat").decode().splitlines())
    return {name: int(number) // (1 if "pg" in name or "refault" in name else PAGE_BYTES) for name, number in lines}


def pages(directory: Dir, counter: str = "memory") -> int:
    return int(directory[f"{counter}.usage_in_bytes"]) // PAGE_BYTES


def refusal(directory: Dir, name: str, value: int | str) -> int | None:
    try:
        directory[name] = value
    except OSError as error:
        return error.errno
    return None


# Control files.


@pytest.mark.fact("F1")
@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("10000", 8192), (" 64k\n\n", 65536), ("0x3000", 12288), ("020000", 8192), ("-1", NO_LIMIT), ("18446744073709555712", 4096),
        ("", 0), ("K", 0),
    ],
)
def test_amounts(box: Dir, text: str, shown: int) -> None:
    box["memory.limit_in_bytes"] = f"{text}\n"
    assert box["memory.limit_in_bytes"] == shown


@pytest.mark.fact("F1")
@pytest.mark.parametrize("text", ["1.5M", "64KB", "+4096", "-2", "08", "max", "1 2"])
def test_what_is_no_amount(box: Dir, text: str) -> None:
    assert refusal(box, "memory.limit_in_bytes", text) == errno.EINVAL


@pytest.mark.fact("F2")
def test_other_numbers(box: Dir) -> None:
    for text, shown in (("33\n", 33), ("0x21", 33), ("041", 33), ("+33", 33)):
        box["memory.swappiness"] = 0
        box["memory.swappiness"] = text
        assert box["memory.swappiness"] == shown
    for text in (" 33", "33 ", "33\n\n", "33k", "201"):
        assert refusal(box, "memory.swappiness", text) == errno.EINVAL
    assert refusal(box, "memory.swappiness", "99999999999999999999") == errno.ERANGE


@pytest.mark.fact("F3")
def test_what_resets(box: Dir, task: TaskHandle) -> None:
    box["memory.limit_in_bytes"] = 100 * PAGE_BYTES
    task.touch(0, 200)
    assert int(box["memory.failcnt"]) > 0
    task.ctl("munmap 0 200")
    box["memory.failcnt"] = "abc"
    box["memory.max_usage_in_bytes"] = "abc"
    assert (box["memory.failcnt"], box["memory.max_usage_in_bytes"]) == (0, box["memory.usage_in_bytes"])


@pytest.mark.fact("F4")
def test_a_write_to_tasks_is_one_number(box: Dir, tree: Tree) -> None:
    tree.spawn(101)
    tree.spawn(102)
    assert refusal(box, "tasks", "101 102") == errno.EINVAL
    assert refusal(box, "tasks", "101\n102\n") == errno.EINVAL
    assert box["tasks"] == ""


@pytest.mark.fact("F5")
def test_what_a_file_can_do(box: Dir) -> None:
    assert refusal(box, "memory.stat", 1) == errno.EINVAL
    with refused(errno.EINVAL):
        box.read("memory.force_empty")


@pytest.mark.fact("F6")
def test_modes(tree: Tree, box: Dir) -> None:
    modes = {name: tree.fs.find(f"box/{name}".encode()).mode & 0o777 for name in box.files}
    assert modes["memory.limit_in_bytes"] == modes["tasks"] == 0o644
    assert modes["memory.stat"] == modes["memory.usage_in_bytes"] == modes["memory.pressure_level"] == 0o444
    assert modes["memory.force_empty"] == 0o200
    assert {name for name, mode in modes.items() if mode == 0o200} <= {"memory.force_empty", "cgroup.event_control"}


@pytest.mark.fact("F7")
def test_files_of_a_removed_group(tree: Tree, box: Dir) -> None:
    handle = tree.fs.open(tree.fs.find(b"box/memory.stat").ino, os.O_RDONLY, tree.owner)
    box.rmdir()
    tree.mkdir("box")
    with refused(errno.ENODEV), tree.request("box/memory.stat"):
        tree.fs.read(handle, 0, 100)
    tree.fs.release(handle)


# Groups.


@pytest.mark.fact("G1")
def test_a_removed_group_leaves_its_pages_above(tree: Tree, box: Dir) -> None:
    inner = tree.mkdir("box/inner")
    task = tree.spawn(101, inner)
    for directory in (inner, box):
        with refused(errno.EBUSY):
            directory.rmdir()
    task.ctl("write data 0 30")
    task.touch(0, 10)
    box["tasks"] = 101
    inner.rmdir()
    assert pages(box) == 40
    assert stat(box)["rss"] == 0
    task.ctl("munmap 0 10")
    assert pages(box) == 30


@pytest.mark.fact("G1", "V5")
def test_who_pays_for_what_comes_back_from_swap(tree: Tree, box: Dir, task: TaskHandle) -> None:
    other = tree.mkdir("other")
    task.touch(0, 50)
    box["memory.force_empty"] = 1
    assert (pages(box), pages(box, "memory.memsw")) == (0, 50)
    other["tasks"] = 101
    task.touch(0, 20)
    assert (pages(box), pages(other)) == (20, 0)
    task.ctl("munmap 0 20")
    box.rmdir()
    task.touch(20, 30)
    assert pages(other) == 30


@pytest.mark.fact("G2")
def test_what_a_group_inherits(tree: Tree, box: Dir) -> None:
    kept = {"memory.swappiness": 33, "notify_on_release": 1, "cgroup.clone_children": 1}
    for name, value in kept.items():
        box[name] = value
    box["memory.oom_control"] = 1
    box["memory.limit_in_bytes"] = "1M"
    inner = tree.mkdir("box/inner")
    assert {name: inner[name] for name in kept} == kept
    assert str(inner["memory.oom_control"]).startswith("oom_kill_disable 1\n")
    assert inner["memory.limit_in_bytes"] == NO_LIMIT


@pytest.mark.fact("G3", "G5")
def test_files_with_one_value_left(box: Dir) -> None:
    box["memory.use_hierarchy"] = 1
    box["memory.move_charge_at_immigrate"] = 0
    assert refusal(box, "memory.use_hierarchy", 0) == errno.EINVAL
    assert refusal(box, "memory.move_charge_at_immigrate", 1) == errno.EINVAL
    assert (box["memory.use_hierarchy"], box["memory.move_charge_at_immigrate"]) == (1, 0)


@pytest.mark.fact("G4")
def test_the_top_has_no_limits(tree: Tree) -> None:
    for name in ("memory.limit_in_bytes", "memory.memsw.limit_in_bytes", "memory.oom_control", "memory.force_empty"):
        assert refusal(tree.root, name, 1) == errno.EINVAL


@pytest.mark.fact("G5")
def test_charges_stay_where_they_are(tree: Tree, box: Dir, task: TaskHandle) -> None:
    other = tree.mkdir("other")
    task.touch(0, 20)
    other["tasks"] = 101
    task.touch(20, 5)
    assert (pages(box), pages(other)) == (20, 5)


# Charging.


@pytest.mark.fact("V1")
def test_a_page_is_charged_once(tree: Tree, box: Dir, task: TaskHandle) -> None:
    other = tree.mkdir("other")
    task.ctl("write data 0 10")
    reader = tree.spawn(102, other)
    reader.ctl("read data 0 10")
    reader.mmap(0, 10, file="data", shared=True)
    reader.touch(0, 10, write=False)
    assert (pages(box), pages(other)) == (10, 0)
    assert (stat(box)["cache"], stat(box)["mapped_file"]) == (10, 10)
    task.reap()
    reader.reap()
    assert pages(box) == 10


@pytest.mark.fact("V2", "V6")
def test_a_charge_counts_all_the_way_up(tree: Tree, box: Dir) -> None:
    inner = tree.mkdir("box/inner")
    box["memory.limit_in_bytes"] = 100 * PAGE_BYTES
    inner["memory.limit_in_bytes"] = 200 * PAGE_BYTES
    task = tree.spawn(101, inner)
    task.touch(0, 100)
    assert (pages(inner), pages(box)) == (100, 100)
    assert (stat(inner)["rss"], stat(box)["rss"], stat(box)["total_rss"]) == (100, 0, 100)
    assert stat(inner)["hierarchical_memory_limit"] == 100
    task.touch(100, 1)
    assert pages(box) <= 100
    assert (inner["memory.failcnt"], int(box["memory.failcnt"]) > 0) == (0, True)


@pytest.mark.fact("V3")
def test_the_zero_page_is_nobody_s(box: Dir, task: TaskHandle) -> None:
    task.touch(0, 20, write=False)
    assert pages(box) == 0
    task.touch(0, 20)
    assert pages(box) == 20


@pytest.mark.fact("V7", "V8")
def test_events_and_the_highest_usage(box: Dir, task: TaskHandle) -> None:
    task.touch(0, 20)
    task.ctl("munmap 0 20")
    task.touch(0, 5)
    assert (stat(box)["pgpgin"], stat(box)["pgpgout"]) == (25, 20)
    assert box["memory.max_usage_in_bytes"] == 20 * PAGE_BYTES


# Kernel memory.


@pytest.mark.fact("K1")
def test_page_tables_are_charged() -> None:
    """A table for each 512 pages."""
    with_it, without = tree_of(kmem="on"), tree_of()
    for tree in (with_it, without):
        tree.spawn(101, tree.mkdir("box")).touch(0, 1024)
        tree.machine.check()
    used = pages(with_it.root.children[0])
    kernels = pages(with_it.root.children[0], "memory.kmem")
    assert kernels >= 2
    assert used == 1024 + kernels
    assert (pages(without.root.children[0]), pages(without.root.children[0], "memory.kmem")) == (1024, 0)


@pytest.mark.fact("K2")
def test_kernel_memory_has_no_limit(box: Dir) -> None:
    box["memory.kmem.limit_in_bytes"] = "1M"
    assert box["memory.kmem.limit_in_bytes"] == NO_LIMIT


# At the limit.


@pytest.mark.fact("Z1")
def test_a_limit_that_is_lowered_makes_room(box: Dir, task: TaskHandle) -> None:
    task.touch(0, 200)
    box["memory.limit_in_bytes"] = 100 * PAGE_BYTES
    assert pages(box) <= 100
    assert stat(box)["swap"] == 200 - pages(box)
    assert box["memory.failcnt"] == 0


@pytest.mark.fact("Z1")
def test_one_that_cannot_be_met_is_busy(box: Dir, task: TaskHandle) -> None:
    box["memory.limit_in_bytes"] = 200 * PAGE_BYTES
    task.mmap(0, 150, locked=True)
    task.touch(200, 50)
    assert refusal(box, "memory.limit_in_bytes", 100 * PAGE_BYTES) == errno.EBUSY
    assert box["memory.limit_in_bytes"] == 200 * PAGE_BYTES


@pytest.mark.fact("Z2")
def test_the_order_of_limits(box: Dir) -> None:
    box["memory.limit_in_bytes"] = "4M"
    assert refusal(box, "memory.memsw.limit_in_bytes", "3M") == errno.EINVAL
    box["memory.memsw.limit_in_bytes"] = "5M"
    assert refusal(box, "memory.limit_in_bytes", "6M") == errno.EINVAL


@pytest.mark.fact("Z3", "Z4")
def test_memory_and_swap_together(box: Dir, task: TaskHandle) -> None:
    """Swapping helps against the one limit, not against the other."""
    box["memory.limit_in_bytes"] = box["memory.memsw.limit_in_bytes"] = 100 * PAGE_BYTES
    task.touch(0, 100)
    with refused(errno.ENOMEM):
        task.touch(100, 1)
    assert box["memory.memsw.failcnt"] == 0
    assert task.status["State"] == "Z (zombie)"


@pytest.mark.fact("Z3")
def test_reclaim_goes_down(tree: Tree, box: Dir) -> None:
    box["memory.limit_in_bytes"] = 300 * PAGE_BYTES
    inner = [tree.mkdir(f"box/{name}") for name in "ab"]
    for pid, directory in enumerate(inner, 101):
        tree.spawn(pid, directory).touch(0, 140)
    tree.spawn(103, box).touch(0, 150)
    assert all(stat(directory)["swap"] > 0 for directory in inner)


@pytest.mark.fact("V4", "Z5")
def test_force_empty_with_a_task_inside(box: Dir, task: TaskHandle) -> None:
    task.touch(0, 100)
    box["memory.force_empty"] = "anything"
    assert (pages(box), stat(box)["swap"]) == (0, 100)
    task.touch(0, 10, write=False)
    assert (pages(box), stat(box)["swapcached"]) == (10, 10)


@pytest.mark.fact("Z6")
def test_a_batch_is_charged_ahead() -> None:
    for batch, shown in ((1, 1), (64, 64)):
        tree = tree_of(batch=batch)
        box = tree.mkdir("box")
        tree.spawn(101, box).touch(0, 1)
        assert pages(box) == shown
        tree.machine.check()


# Out of memory.


@pytest.mark.fact("U1", "U2", "U3")
def test_the_largest_is_killed_and_the_fault_goes_on(tree: Tree, box: Dir) -> None:
    inner = tree.mkdir("box/inner")
    box["memory.limit_in_bytes"] = box["memory.memsw.limit_in_bytes"] = 100 * PAGE_BYTES
    large, small = tree.spawn(101, inner), tree.spawn(102, box)
    large.touch(0, 60)
    small.touch(0, 41)
    assert large.status["State"] == "Z (zombie)"
    assert pages(box) == 41
    assert ("oom_kill 1" in str(inner["memory.oom_control"]), "oom_kill 0" in str(box["memory.oom_control"])) == (True, True)


@pytest.mark.fact("U2")
@pytest.mark.parametrize(("limit", "victim"), [(999, 101), (1001, 102)])
def test_oom_score_adj_counts_whole_pages(tree: Tree, box: Dir, limit: int, victim: int) -> None:
    """1,000 thousandths are nothing of 999 pages, and 1,000 of 1,001."""
    box["memory.limit_in_bytes"] = box["memory.memsw.limit_in_bytes"] = limit * PAGE_BYTES
    large, small = tree.spawn(101, box), tree.spawn(102, box)
    small.dir["oom_score_adj"] = 1000
    large.touch(0, 600)
    small.touch(0, 300)
    large.touch(600, limit - 900)
    with suppress(OSError):
        large.touch(600 + limit - 900, 1)
    assert {task.pid for task in (large, small) if task.status["State"] == "Z (zombie)"} == {victim}


@pytest.mark.fact("E7", "E3")
def test_a_fault_waits_where_nobody_is_to_be_killed(tree: Tree, box: Dir, task: TaskHandle) -> None:
    box["memory.limit_in_bytes"] = box["memory.memsw.limit_in_bytes"] = 20 * PAGE_BYTES
    box["memory.oom_control"] = 1
    listener = listen(tree, "memory.oom_control")
    with refused(errno.EAGAIN):
        task.ctl("touch 0 30 w")
    assert str(box["memory.oom_control"]).startswith("oom_kill_disable 1\nunder_oom 1\n")
    assert listener.nr_told == 1
    assert listen(tree, "memory.oom_control").nr_told == 1  # at once
    box["memory.memsw.limit_in_bytes"] = box["memory.limit_in_bytes"] = 40 * PAGE_BYTES
    assert task.status["Touched"] == "30 of 30"
    assert pages(box) == 30


@pytest.mark.fact("E7")
def test_a_system_call_does_not(box: Dir, task: TaskHandle) -> None:
    box["memory.limit_in_bytes"] = box["memory.memsw.limit_in_bytes"] = "256K"
    box["memory.oom_control"] = 1
    task.ctl("write shm:data 0 64")
    with refused(errno.ENOMEM):
        task.ctl("write shm:data 64 1")
    assert "under_oom 0" in str(box["memory.oom_control"])
    assert task.status["State"] == "R (running)"


@pytest.mark.fact("U4", "H1")
def test_threads_move_alone_and_die_together(tree: Tree, box: Dir) -> None:
    leader = tree.spawn(101)
    leader.ctl("thread 102")
    box["tasks"] = 102
    assert (box["tasks"], box["cgroup.procs"]) == (102, 101)
    box["cgroup.procs"] = 102
    assert (box["tasks"], box["cgroup.procs"]) == ("101\n102\n", 101)
    box["memory.limit_in_bytes"] = box["memory.memsw.limit_in_bytes"] = 20 * PAGE_BYTES
    with suppress(OSError):
        tree.root[".machine/tasks/102/ctl"] = "touch 0 30 w"
    assert "State:\tZ" in str(tree.root[".machine/tasks/101/status"])
    assert "State:\tZ" in str(tree.root[".machine/tasks/102/status"])
    assert box["tasks"] == ""


# Notifications.


def listen(tree: Tree, name: str, argument: str = "") -> Listener:
    listener = Listener(tree, f"box/{name}")
    tree.root["box/cgroup.event_control"] = f"3 4 {argument}"
    return listener


@pytest.mark.fact("E1")
def test_what_is_no_registration(tree: Tree, box: Dir) -> None:
    for name, argument in (
        ("memory.usage_in_bytes", "lots"), ("memory.pressure_level", "huge"), ("memory.pressure_level", "low,all"), ("memory.stat", ""),
    ):  # fmt: skip
        with refused(errno.EINVAL):
            listen(tree, name, argument)


@pytest.mark.fact("E1", "E2")
@pytest.mark.parametrize("name", ["memory.usage_in_bytes", "memory.memsw.usage_in_bytes"])
def test_a_threshold_is_told_in_both_directions(tree: Tree, box: Dir, task: TaskHandle, name: str) -> None:
    """Within 128 pages of where it is crossed."""
    listener = listen(tree, name, "1M")
    task.touch(0, 250)
    assert listener.nr_told == 0
    task.touch(250, 134)
    assert listener.nr_told == 1
    task.touch(384, 300)
    assert listener.nr_told == 1
    task.ctl("munmap 0 684")
    assert listener.nr_told == 2


@pytest.mark.fact("E3")
def test_a_kill_is_told(tree: Tree, box: Dir, task: TaskHandle) -> None:
    box["memory.limit_in_bytes"] = box["memory.memsw.limit_in_bytes"] = 20 * PAGE_BYTES
    listener = listen(tree, "memory.oom_control")
    with suppress(OSError):
        task.touch(0, 30)
    assert listener.nr_told == 1


@pytest.mark.fact("E4")
def test_a_removal_wakes_whoever_listens(tree: Tree, box: Dir) -> None:
    listeners = [listen(tree, "memory.oom_control"), listen(tree, "memory.usage_in_bytes", "1M")]
    box.rmdir()
    assert [listener.nr_told for listener in listeners] == [1, 1]


@pytest.mark.fact("E5")
@pytest.mark.parametrize("level", ["low", "medium", "critical"])
def test_pressure_is_told(tree: Tree, box: Dir, task: TaskHandle, level: str) -> None:
    """Small groups are scanned to the last page at once, which is critical."""
    listener = listen(tree, "memory.pressure_level", level)
    box["memory.limit_in_bytes"] = "1M"
    task.touch(0, 256)
    assert listener.nr_told == 0
    task.touch(256, 500)
    assert listener.nr_told > 0


# The model classic.


def on_lists(tree: Tree, directory: Dir) -> dict[str, int]:
    """Pages of memory.stat, when those that waited in a cpu's batch are on their lists, too."""
    tree.root[".machine/clock"] = "+4s"
    return stat(directory)


def cached_file(tree: Tree, npages: int) -> None:
    """A file on the disk, of which nothing is in memory."""
    tree.files["data"] = bytes(npages * PAGE_BYTES)
    tree.spawn(199).ctl("fsync data")
    tree.root[".machine/sys/vm/drop_caches"] = 1


@pytest.mark.fact("Q1")
def test_pages_begin_inactive(tree: Tree, box: Dir, task: TaskHandle) -> None:
    task.touch(0, 50)
    cached_file(tree, 20)
    task.ctl("fadvise data 0 20 random")
    task.ctl("read data 0 20")
    counts = on_lists(tree, box)
    assert (counts["inactive_anon"], counts["active_anon"]) == (50, 0)
    assert (counts["inactive_file"], counts["active_file"]) == (20, 0)
    task.ctl("read data 0 20")
    assert on_lists(tree, box)["active_file"] == 20


@pytest.mark.fact("Q2")
def test_a_call_frees_whole_passes() -> None:
    """Of 256 pages of a file, first in, first out, with 70 % of (length >> priority) a pass: 2, 4, 10 and 21.  No time passes, so that no
    statistics are flushed."""
    tree = tree_of(disk="0,0,128")
    box = tree.mkdir("box")
    task = tree.spawn(101, box)
    cached_file(tree, 300)
    box["memory.limit_in_bytes"] = "1M"
    task.mmap(0, 300, file="data", shared=True)
    task.ctl("madvise 0 300 random")
    task.touch(0, 256, write=False)
    assert pages(box) == 256
    task.touch(256, 1, write=False)
    assert pages(box) == 256 - 37 + 1


@pytest.mark.fact("Q3")
def test_swappiness_0(tree: Tree, box: Dir, task: TaskHandle) -> None:
    cached_file(tree, 200)
    task.touch(0, 200)
    task.ctl("read data 0 200")
    box["memory.swappiness"] = 0
    box["memory.limit_in_bytes"] = "1M"
    assert (stat(box)["swap"], stat(box)["rss"]) == (0, 200)
    assert refusal(box, "memory.limit_in_bytes", "512K") == errno.EBUSY
    assert (stat(box)["swap"], stat(box)["rss"]) == (0, 200)


@pytest.mark.fact("Q4")
def test_what_comes_back_is_counted(tree: Tree, box: Dir, task: TaskHandle) -> None:
    cached_file(tree, 300)
    box["memory.limit_in_bytes"] = "1M"
    task.ctl("fadvise data 0 300 random")
    for page in range(0, 300, 10):
        task.ctl(f"read data {page} 10")
    assert stat(box)["workingset_refault_file"] == 0
    task.ctl("read data 0 10")
    assert stat(box)["workingset_refault_file"] == 10


@pytest.mark.fact("Q5")
def test_a_random_mapping_references_nothing(tree: Tree, box: Dir, task: TaskHandle) -> None:
    """Its first page is used all the time, and goes first."""
    cached_file(tree, 300)
    box["memory.limit_in_bytes"] = "1M"
    task.mmap(0, 300, file="data", shared=True)
    task.ctl("madvise 0 300 random")
    for page in range(300):
        task.touch(page, 1, write=False)
        task.touch(0, 1, write=False)
    assert task.task.maj_flt == 301


# What the page shows of the program itself.


def test_the_page_shows_the_stubs() -> None:
    section = (DOCS / "v1.md").read_text().partition("\n## What takes a write and does nothing\n")[2].partition("\n## ")[0]
    assert dict(re.findall(r"^    (\S+)  +(.*)$", section, re.MULTILINE)) == stubs_of("dialect=v1")
    assert all(not stubs_of(f"dialect={name}") for name in DIALECT_DEFAULTS if name != "v1")
