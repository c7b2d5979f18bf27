"""`.machine/kpageflags`, `kpagecount`, `kpagecgroup`: whole words, to the machine's last frame; and a tool that reads them."""

from __future__ import annotations

import errno
import os
import struct
from collections import Counter

import pytest

from memcgfs.tree import Tree
from tests.refusal import refused

NR_FRAMES = 2048  # of 8 MB
NAMES = ["kpageflags", "kpagecount", "kpagecgroup"]
PRESENT, FRAME = 1 << 63, (1 << 55) - 1
# As page-types names them
FLAGS = {
    "locked": 0, "error": 1, "referenced": 2, "uptodate": 3, "dirty": 4, "lru": 5, "active": 6, "slab": 7, "writeback": 8, "reclaim": 9,
    "buddy": 10, "mmap": 11, "anonymous": 12, "swapcache": 13, "swapbacked": 14, "nopage": 20, "zero_page": 24, "pgtable": 26,
    "reserved": 32,
}  # fmt: skip


def pread(tree: Tree, path: str, nbytes: int, offset: int) -> bytes:
    handle = tree.fs.open(tree.fs.find(f".machine/{path}".encode()).ino, os.O_RDONLY)
    try:
        with tree.request(path):
            return tree.fs.read(handle, offset, nbytes)
    finally:
        tree.fs.release(handle)


def words(tree: Tree, path: str, first: int, count: int) -> tuple[int, ...]:
    content = pread(tree, path, count * 8, first * 8)
    return struct.unpack(f"={len(content) // 8}Q", content)


@pytest.mark.parametrize("name", NAMES)
def test_they_end_with_the_last_frame(tree: Tree, name: str) -> None:
    assert len(tree.root.read(f".machine/{name}")) == NR_FRAMES * 8
    assert len(pread(tree, name, 800, (NR_FRAMES - 1) * 8)) == 8
    assert pread(tree, name, 8, NR_FRAMES * 8) == b""
    assert pread(tree, name, 8, 1 << 60) == b""


@pytest.mark.parametrize("name", NAMES)
def test_they_are_whole_words(tree: Tree, name: str) -> None:
    for offset, nbytes in ((1, 8), (0, 7), (4, 4)):
        with refused(errno.EINVAL):
            pread(tree, name, nbytes, offset)
    with refused(errno.EINVAL):
        tree.root.write(f".machine/{name}", b"\0" * 8)


def test_kpagecgroup_is_the_inode_of_the_directory(tree: Tree) -> None:
    """The container's, whatever its name is just now; and the top's."""
    a, top = tree.mkdir("a"), tree.root
    tree.spawn(100, a).touch(0, 3)
    tree.spawn(101).touch(0, 2)
    a.rename("b")
    inodes = Counter(words(tree, "kpagecgroup", 0, NR_FRAMES))
    assert inodes == {0: NR_FRAMES - 5, tree.fs.find(b"b").ino: 3, tree.fs.root.ino: 2}
    assert (tree.root["b/memory.usage"], top["memory.usage"]) == (3, 2)


def symbolic(word: int) -> str:
    """page-types' long form of a word's flags."""
    return ",".join(name for name, bit in FLAGS.items() if word >> bit & 1)


def page_types_of_memory(tree: Tree) -> Counter[str]:
    """walk_pfn over all of kpageflags, in batches, until a read gives nothing."""
    found: Counter[str] = Counter()
    first = 0
    while batch := words(tree, "kpageflags", first, 500):
        found.update(map(symbolic, batch))
        first += len(batch)
    return found


def page_types_of_task(tree: Tree, pid: int) -> Counter[tuple[str, int]]:
    """walk_task: for each mapping the words of pagemap, and for each page that is present its flags and its cgroup's inode."""
    found: Counter[tuple[str, int]] = Counter()
    for line in tree.root.read(f".machine/tasks/{pid}/maps").decode().splitlines():
        start, end = (int(address, 16) >> 12 for address in line.split()[0].split("-"))
        for word in words(tree, f"tasks/{pid}/pagemap", start, end - start):
            if word & PRESENT:
                (flags,) = words(tree, "kpageflags", word & FRAME, 1)
                found[symbolic(flags), words(tree, "kpagecgroup", word & FRAME, 1)[0]] += 1
    return found


def number(tree: Tree, name: str) -> int:
    return tree.machine.vmstat()[name]


def test_page_types_finds_what_vmstat_counts(tree: Tree) -> None:
    """The algorithm of page-types (tools/mm of the kernel), on a machine that has pages of every kind."""
    a = tree.mkdir("a")
    a["memory.limit"] = 100
    task = tree.spawn(100, a)
    task.touch(0, 400)
    tree.files["data"] = bytes(20 * 4096)
    task.ctl("mmap 4096 20 file:data")
    task.ctl("touch 4096 20 r")
    task.ctl("touch 8192 1 r")
    task.ctl("lookup 100")
    tree.machine.advance(10**9)  # what is on its way to the disk arrives
    found = page_types_of_memory(tree)
    assert sum(found.values()) == NR_FRAMES

    def pages(*names: str) -> int:
        return sum(count for flags, count in found.items() if set(names) <= set(flags.split(",")))

    assert pages("buddy") == number(tree, "nr_free_pages")
    assert pages("pgtable") == number(tree, "nr_page_table_pages") == 3
    assert pages("slab") == number(tree, "nr_slab_reclaimable") == 6
    assert pages("anonymous", "mmap") == number(tree, "nr_anon_pages")
    assert pages("swapcache") * 4 == tree.machine.meminfo()["SwapCached"]
    assert pages("lru", "active") == number(tree, "nr_active") > 0
    assert pages("lru") - pages("lru", "active") == number(tree, "nr_inactive") > 0
    assert pages("zero_page") == 1
    assert pages("mmap") - pages("anonymous", "mmap") == number(tree, "nr_mapped") == 21, "20 of the file, and the zero page"
    assert "" not in found or found[""] < 30  # pages on a list of some cpu

    seen = page_types_of_task(tree, 100)
    assert sum(seen.values()) == int(task.status["VmRSS"]) // 4
    assert all("mmap" in flags for flags, _ in seen)
    payers: Counter[int] = Counter()
    for (_, ino), count in seen.items():
        payers[ino] += count
    top, mine = tree.fs.root.ino, tree.fs.find(b"a").ino
    assert payers == {0: 1, top: 20, mine: int(task.status["VmRSS"]) // 4 - 21}, "the zero page is nobody's, and Python wrote the file"
