"""The files about the machine: their formats, and those that can be written."""

from __future__ import annotations

import errno
import re

import pytest

from memcgfs.handles import TaskHandle
from memcgfs.tree import Tree
from tests.refusal import refused

FORMATS = {
    "meminfo": r"([A-Z][A-Za-z()_]+: +\d+ kB\n)+",
    "vmstat": r"([a-z0-9_]+ \d+\n)+",
    "buddyinfo": r"(Node \d, zone +\w+ ( *\d+ ){11}\n)+",
    "swaps": r"Filename\t+Type\t+Size\tUsed\tPriority\n(/\S+ +partition\t8188\t0\t-1\n)",
    "slabinfo": (
        r"slabinfo - version: 2\.1\n"
        r"# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : tunables <limit> <batchcount> <sharedfactor>"
        r" : slabdata <active_slabs> <num_slabs> <sharedavail>\n"
        r"(dentry +0 +0 +208 +19 +1 : tunables +0 +0 +0 : slabdata +0 +0 +0\n)"
    ),
    "stat": (
        r"cpu  (\d+ ?){10}\ncpu0 (\d+ ?){10}\nintr 0\nctxt 0\nbtime 1185567041\nprocesses 1\nprocs_running 1\nprocs_blocked 0\n"
        r"softirq( 0){11}\n"
    ),
    "uptime": r"0\.00 0\.00\n",
    "clock": r"0\n",
    "log": r"",
    "check": r"ok\n",
}


@pytest.mark.parametrize("name", FORMATS)
def test_formats(tree: Tree, task: TaskHandle, name: str) -> None:
    assert re.fullmatch(FORMATS[name], tree.root.read(f".machine/{name}").decode())


def cpu(tree: Tree) -> list[int]:
    """user, nice, system, idle, iowait: in hundredths of a second."""
    return [int(word) for word in tree.root.read(".machine/stat").decode().splitlines()[0].split()[1:6]]


def test_where_the_time_goes(tree: Tree) -> None:
    """Computing is user time, or nice time; the clock that is put forward is idle; and fsync waits for the disk (40 us a page)."""
    task, nice = tree.spawn(100), tree.spawn(101)
    task.ctl("run 250ms")
    assert cpu(tree) == [25, 0, 0, 0, 0]
    nice.ctl("nice 5")
    nice.ctl("run 1s")
    assert cpu(tree) == [25, 100, 0, 0, 0]
    tree.root[".machine/clock"] = "+2s"
    assert cpu(tree) == [25, 100, 0, 200, 0]
    assert tree.root[".machine/uptime"] == "3.25 2.00\n"
    task.ctl("write data 0 1000")
    task.ctl("fsync data")
    waited_ns = tree.machine.clock_ns - 3_250_000_000
    assert waited_ns > 30_000_000
    assert cpu(tree) == [25, 100, 0, 200, waited_ns // 10_000_000]
    for handle in (task, nice):
        handle.ctl("exit")
    tree.root.read(".machine/stat")
    assert cpu(tree)[:4] == [25, 100, 0, 200], "the time of the dead was spent as well"


def test_each_node_has_a_cpu() -> None:
    """Tasks start on the node with the fewest; while the one computes the other cpu is idle."""
    tree = Tree(ram="64M", swap=0, nodes=2)
    one, other = tree.spawn(100), tree.spawn(101)
    one.ctl("run 1s")
    other.ctl("nice 1")
    other.ctl("run 500ms")
    lines = [line.split()[:6] for line in tree.root.read(".machine/stat").decode().splitlines()[:3]]
    assert lines == [
        ["cpu", "100", "50", "0", "150", "0"],
        ["cpu0", "100", "0", "0", "50", "0"],
        ["cpu1", "0", "50", "0", "100", "0"],
    ]
    assert tree.root[".machine/uptime"] == "1.50 1.50\n"


def test_forks_are_counted(tree: Tree, task: TaskHandle) -> None:
    task.ctl("fork 101")
    tree.spawn(102).reap()
    lines = dict(line.split(maxsplit=1) for line in tree.root.read(".machine/stat").decode().splitlines())
    assert (lines["processes"], lines["procs_running"]) == ("3", "2")


def test_available_memory(tree: Tree) -> None:
    """8 MB are one zone of 2,047 pages; min_free_kbytes is isqrt(8188 * 16) = 361, so 90 pages; low is 112, high 135, nothing is reserved.
    A file's 50 pages count half, because half is less than the low watermark; of 300, all but 112 do."""
    zone = tree.machine.zones()[0]
    assert (zone.present, zone.pages_min, zone.pages_low, zone.pages_high, max(zone.protection)) == (2047, 90, 112, 135, 0)
    for nr_pages, counted in ((0, 0), (50, 25), (300, 188)):
        tree.files["data"] = bytes(nr_pages * 4096)
        memory = numbers(tree, "meminfo")
        assert memory["Cached"] == nr_pages * 4
        assert memory["MemAvailable"] == memory["MemFree"] - 135 * 4 + counted * 4


def test_high_memory_is_told_apart() -> None:
    """i386: 896 MB are low, frame 0 of them the zero page."""
    tree = Tree(ram="1G", swap=0, arch="i386")
    memory = numbers(tree, "meminfo")
    assert (memory["HighTotal"], memory["LowTotal"]) == (128 << 10, (896 << 10) - 4)
    assert memory["HighFree"] + memory["LowFree"] == memory["MemFree"]
    assert "HighTotal" not in numbers(Tree(ram="1G", swap=0), "meminfo")


@pytest.mark.parametrize("nodes", [1, 2])
def test_zoneinfo(nodes: int) -> None:
    """As of 2.6.23: the zone's numbers, its statistics under vmstat's names (of nodes where there are several), and the lists of each
    cpu."""
    tree = Tree(ram="8M", swap=0, nodes=nodes)
    text = tree.root.read(".machine/zoneinfo").decode()
    zones = tree.machine.zones()
    assert [text.count(f"Node {node}, zone ") for node in range(nodes)] == [1] * len(zones)
    keys = re.findall(r"^ +(?:pages )?(\w+):? +", text, re.MULTILINE)
    statistics = [name for name in tree.machine.vmstat() if name.startswith(("nr_", "numa_"))]
    assert ("numa_hit" in statistics) == (nodes > 1)
    assert keys == [
        "free", "min", "low", "high", "scanned", "spanned", "present", *statistics, "protection",
        *["cpu", "count", "high", "batch"] * 2 * nodes, "all_unreclaimable", "prev_priority", "start_pfn",
    ] * len(zones)  # fmt: skip


def test_zoneinfo_of_a_zone_with_per_cpu_lists() -> None:
    """64 MB: DMA has 4,095 pages, which is too few for lists; DMA32 has 12,288: 12 by 1024, a quarter of it is 3, and 3 + 1 is
    4, of which one less is the batch. Five pages and their page table are taken in two batches, and when they come free they stay on
    the list.
    """
    tree = Tree(ram="64M")
    task = tree.spawn(100)
    task.touch(0, 5)
    task.ctl("munmap 0 5")
    _, text = tree.root.read(".machine/zoneinfo").decode().split("Node 0, zone    DMA32\n")
    assert "        scanned  0 (a: 0 i: 0)\n        spanned  12288\n        present  12288\n    nr_free_pages 12282\n" in text
    assert (
        "        protection: (0, 0, 0, 0)\n"
        "  pagesets\n"
        "    cpu: 0 pcp: 0\n              count: 6\n              high:  18\n              batch: 3\n"
        "    cpu: 0 pcp: 1\n              count: 0\n              high:  6\n              batch: 1\n"
        "  all_unreclaimable: 0\n"
    ) in text


def test_buddyinfo_has_all_orders(tree: Tree) -> None:
    """16 MB but for frame 0: of the first 1,024 frames a block of each order below 10 is left, and three of order 10 above."""
    text = Tree(ram="16M").root.read(".machine/buddyinfo").decode()
    assert text == "Node 0, zone      DMA " + "     1 " * 10 + "     3 \n"


def numbers(tree: Tree, name: str) -> dict[str, int]:
    lines = tree.root.read(f".machine/{name}").decode().splitlines()
    return {line.split()[0].rstrip(":"): int(line.split()[1]) for line in lines}


def test_pages_move_in_meminfo_and_vmstat(tree: Tree, task: TaskHandle) -> None:
    memory, events = numbers(tree, "meminfo"), numbers(tree, "vmstat")
    task.touch(0, 100)
    assert numbers(tree, "meminfo")["AnonPages"] == memory["AnonPages"] + 400
    assert numbers(tree, "meminfo")["MemFree"] == memory["MemFree"] - 4 * 101  # and a page table
    assert numbers(tree, "vmstat")["pgfault"] == events["pgfault"] + 100


def test_slabs_are_counted_in_meminfo_and_vmstat(tree: Tree, task: TaskHandle) -> None:
    """190 dentries of 19 a page; that nothing here makes a slab that cannot be reclaimed is why there is no line about such."""
    task.ctl("lookup 190")
    memory, counts = numbers(tree, "meminfo"), numbers(tree, "vmstat")
    assert (memory["Slab"], memory["SReclaimable"], counts["nr_slab_reclaimable"]) == (40, 40, 10)
    assert "SUnreclaim" not in memory
    assert "nr_slab_unreclaimable" not in counts


CLOCK: list[tuple[bytes, int | None]] = [
    (b"+100ms", 100_000_000), (b"+100ms\n", 100_000_000), (b"+7", 7), (b"+0", 0), (b"+5us", 5_000), (b"+1s", 10**9),
    (b"100ms", None), (b"-1", None), (b"+", None), (b"+\n", None), (b"", None), (b"+-1", None), (b"+1.5s", None),
    (b"+1h", None), (b"+1 s", None), (b"+1\n\n", None), (b" +1", None), (b"++1", None), (b"+0x10", None),
    (b"+99999999999s", None), (b"+" + b"9" * 40, None), (b"+" + b"9" * 4000, None),
]  # fmt: skip


@pytest.mark.parametrize(("text", "ns"), CLOCK)
def test_time_passes(tree: Tree, text: bytes, ns: int | None) -> None:
    if ns is None:
        with refused(errno.EINVAL):
            tree.root.write(".machine/clock", text)
    else:
        tree.root.write(".machine/clock", text)
    assert tree.root[".machine/clock"] == (ns or 0)


def test_dates_are_the_seeds_and_the_clock(tree: Tree) -> None:
    assert tree.fs.find(b".machine/clock").mtime_ns == 1_185_567_041 * 10**9
    tree.root[".machine/clock"] = "+1500ms"
    a = tree.mkdir("a")
    assert a._directory.mtime_ns == 1_185_567_042_500_000_000


@pytest.mark.parametrize("name", ["meminfo", "vmstat", "zoneinfo", "buddyinfo", "swaps", "slabinfo", "stat", "uptime", "log", "check"])
def test_files_that_take_nothing(tree: Tree, name: str) -> None:
    with refused(errno.EINVAL):
        tree.root.write(f".machine/{name}", b"1")


def test_the_log_is_the_kernels(tree: Tree) -> None:
    a = tree.mkdir("a")
    a["memory.limit"] = 1
    with refused(errno.ENOMEM):
        tree.spawn(100, a).touch(0, 50)
    lines = tree.root.read(".machine/log").decode().splitlines()
    assert lines == list(tree.machine.log)
    assert all(re.fullmatch(r"\[ *\d+\.\d{6}\] .+", line) for line in lines)
    assert any("100" in line for line in lines)


def test_check_says_what_is_broken(tree: Tree, task: TaskHandle) -> None:
    task.touch(0, 5)
    counters = tree.machine.core.counters
    counters.usage[0] += 1
    findings = tree.root.read(".machine/check")
    assert findings.endswith(b"\n")
    assert findings != b"ok\n"
    counters.usage[0] -= 1
    assert tree.root.read(".machine/check") == b"ok\n"


def test_sysctls_are_those_of_the_machine(tree: Tree) -> None:
    names = [entry[0].decode() for entry in tree.fs.readdir(tree.fs.find(b".machine/sys/vm").ino)][2:]
    assert sorted(names) == sorted(tree.machine.sysctl_names)
    assert {"swappiness", "min_free_kbytes", "page-cluster", "laptop_mode", "vfs_cache_pressure", "panic_on_oom"} <= set(names)


SYSCTLS: list[tuple[str, bytes, int | None]] = [
    ("swappiness", b"0", 0), ("swappiness", b"100\n", 100), ("swappiness", b" 10 \n", 10), ("swappiness", b"007", 7),
    ("page-cluster", b"0", 0), ("laptop_mode", b"1", 1), ("min_free_kbytes", b"500", 500),
    ("panic_on_oom", b"2\n", 2), ("panic_on_oom", b"-1", None),
    ("vfs_cache_pressure", b"0", 0), ("vfs_cache_pressure", b"1000", 1000), ("vfs_cache_pressure", b"-1", None),
    ("swappiness", b"101", None), ("swappiness", b"-1", None), ("swappiness", b"", None), ("swappiness", b"\n", None),
    ("swappiness", b"ten", None), ("swappiness", b"10 20", None), ("swappiness", b"1.5", None),
    ("swappiness", b"0x10", None), ("swappiness", b"99999999999999999999", None), ("laptop_mode", b"-1", None),
    ("min_free_kbytes", b"4294967296", None), ("page-cluster", b"1" * 4000, None),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "value"), SYSCTLS)
def test_sysctls(tree: Tree, name: str, text: bytes, value: int | None) -> None:
    path = f".machine/sys/vm/{name}"
    before = tree.root[path]
    if value is None:
        with refused(errno.EINVAL):
            tree.root.write(path, text)
    else:
        tree.root.write(path, text)
    assert tree.root[path] == (before if value is None else value)
    assert tree.machine.sysctl(name) == tree.root[path]
