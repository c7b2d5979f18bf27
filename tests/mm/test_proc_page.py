"""/proc/kpageflags, kpagecount and kpagecgroup: what a tool that looks at all of memory is told, by today's bits.

On make_small's machine the first task's page table is frame 1, and its pages are frames 2, 3, 4.. in the order of their first write.
"""

from __future__ import annotations

from memcgfs.mm import Machine
from memcgfs.mm.params import GFP_DMA_BIT, PG_ACTIVE, PG_FREE, PG_LOCKED, PG_LRU
from tests.conftest import MakeMachine

from .looking import cold_task, flags, frame, page_0_in_swap, reclaim_mapped

# include/uapi/linux/kernel-page-flags.h
REFERENCED, UPTODATE, DIRTY, LRU, ACTIVE, SLAB, WRITEBACK = (1 << bit for bit in range(2, 9))
LOCKED, BUDDY, MMAP, ANON, SWAPCACHE, SWAPBACKED = 1 << 0, 1 << 10, 1 << 11, 1 << 12, 1 << 13, 1 << 14
NOPAGE, ZERO_PAGE, PGTABLE, RESERVED = 1 << 20, 1 << 24, 1 << 26, 1 << 32

FILE, EXCLUSIVE = 1 << 61, 1 << 56


def kpageflags(machine: Machine, pfn: int) -> int:
    return machine.kpageflags(pfn, 1)[0]


def test_each_use_of_a_frame_has_its_bits(make_small: MakeMachine) -> None:
    """Page 0 is written, page 1 only read (the zero page); 19 dentries fill one slab."""
    machine = make_small(pagevec_size=1)
    task = machine.spawn(10)
    task.touch(0, 1)
    task.touch(1, 1, write=False)
    task.lookup(19)
    words = machine.kpageflags(0, 5)
    assert words[0] == ZERO_PAGE | RESERVED | MMAP
    assert words[1] == PGTABLE
    assert words[2] & (MMAP | ANON | SWAPBACKED | LRU | ACTIVE) == MMAP | ANON | SWAPBACKED | LRU | ACTIVE
    assert words[3] == SLAB
    assert words[4] == BUDDY


def test_the_bits_of_a_page_are_its_flags(make_small: MakeMachine) -> None:
    machine = make_small(pagevec_size=1)
    task = machine.spawn(10)
    task.touch(0, 1)
    before = kpageflags(machine, 2)
    for flag, bit in ((PG_LOCKED, LOCKED), (PG_LRU, LRU), (PG_ACTIVE, ACTIVE)):
        machine.core.frames.flags[2] ^= flag
        assert kpageflags(machine, 2) == before ^ bit
        machine.core.frames.flags[2] ^= flag


def test_a_files_page(make_small: MakeMachine) -> None:
    """Written, it is dirty and up to date; mapped, it is MMAP. It is never backed by swap."""
    machine = make_small(pagevec_size=1)
    task, file = machine.spawn(10), machine.create_file()
    task.write_file(file, 0, 1)
    (pfn,) = (pfn for pfn in range(machine.nr_frames) if kpageflags(machine, pfn) & DIRTY)
    assert kpageflags(machine, pfn) & (UPTODATE | LRU | MMAP | ANON | SWAPBACKED | BUDDY) == UPTODATE | LRU
    task.mmap(0, 1, file=file, shared=True)
    task.touch(0, 1, write=False)
    assert frame(task, 0) == pfn
    assert kpageflags(machine, pfn) & MMAP
    task.munmap(0, 1)
    machine.evict_file(file)


def test_shared_memory_is_backed_by_swap(make_small: MakeMachine) -> None:
    """Its pages are a file's, mapped by two; in swap they are nobody's frames."""
    machine = make_small(pagevec_size=1)
    task = machine.spawn(10)
    task.mmap(0, 2, shared=True)
    task.touch(0, 2)
    child = task.fork(11)
    child.touch(0, 1)
    assert [word & (FILE | EXCLUSIVE) for word in task.pagemap(0, 2)] == [FILE, FILE | EXCLUSIVE]
    words = [kpageflags(machine, frame(task, page)) for page in (0, 1)]
    assert [word & (MMAP | ANON | SWAPBACKED | SWAPCACHE | DIRTY) for word in words] == [MMAP | SWAPBACKED | DIRTY] * 2
    assert (machine.meminfo()["Shmem"], machine.meminfo()["Cached"]) == (8, 8)


def test_a_page_in_the_swap_cache(make_small: MakeMachine) -> None:
    """It was read back, and its slot is kept: it is in the swap cache and anonymous."""
    machine = make_small()
    _, task = page_0_in_swap(machine)
    task.touch(0, 1, write=False)
    found = kpageflags(machine, frame(task, 0))
    assert found & (ANON | SWAPBACKED | MMAP) == ANON | SWAPBACKED | MMAP
    in_cache = [pfn for pfn in range(machine.nr_frames) if kpageflags(machine, pfn) & SWAPCACHE]
    assert len(in_cache) == machine.meminfo()["SwapCached"] // 4 > 0


def test_beyond_the_last_frame_there_is_none(make_small: MakeMachine) -> None:
    machine = make_small(frames=64)
    assert list(machine.kpageflags(62, 4)) == [BUDDY, BUDDY, NOPAGE, NOPAGE]
    assert list(machine.kpagecount(62, 4)) == [0] * 4


def test_free_frames_are_those_of_the_zones(make_small: MakeMachine) -> None:
    """Whatever came free in whatever order: as many are BUDDY as are counted free in the zones."""
    machine = make_small(zone_pages=(16, 0, 40, 0))
    task = machine.spawn(10)
    task.touch(0, 45)
    for page in range(0, 45, 2):
        task.madvise(page, 1, "dontneed")
    assert sum(word & BUDDY != 0 for word in machine.kpageflags(0, 56)) == machine.vmstat()["nr_free_pages"]
    used = {frame(task, page) for page in range(1, 45, 2)}
    assert not any(kpageflags(machine, pfn) & BUDDY for pfn in used)


def test_what_is_no_free_block_is_not_buddy(make_small: MakeMachine) -> None:
    machine = make_small()
    pfn = machine.engine.alloc_page(machine.core, GFP_DMA_BIT)
    assert kpageflags(machine, pfn) == 0
    machine.engine.put_page(machine.core, pfn)
    assert flags(machine, pfn) == PG_FREE
    assert kpageflags(machine, pfn) == BUDDY


def test_kpagecount_counts_those_who_map(make_small: MakeMachine) -> None:
    """After fork two map page 0, until one of them writes; the zero page is mapped by each that read page 1."""
    machine = make_small()
    task = machine.spawn(10)
    task.touch(0, 1)
    task.touch(1, 1, write=False)
    assert list(machine.kpagecount(0, 4)) == [1, 0, 1, 0]
    child = task.fork(11)
    shared = frame(task, 0)
    assert machine.kpagecount(shared, 1)[0] == 2
    assert machine.kpagecount(0, 1)[0] == 2
    child.touch(0, 1)
    assert machine.kpagecount(shared, 1)[0] == machine.kpagecount(frame(child, 0), 1)[0] == 1


def test_kpagecgroup_names_who_pays(make_small: MakeMachine) -> None:
    """One page each for the top (number 7) and a container; page tables are nobody's, and so is what force_empty forgot."""
    machine = make_small()
    container = machine.create_container()
    numbers = {machine.root.cid: 7, container.cid: 8}
    one, other = machine.spawn(10), machine.spawn(11, container)
    one.touch(0, 1)
    other.touch(0, 2)
    owners = machine.kpagecgroup(0, 64, numbers.__getitem__)
    assert [owners[frame(*page)] for page in ((one, 0), (other, 0), (other, 1))] == [7, 8, 8]
    assert owners.count(7) == machine.root.usage == 1
    assert owners.count(8) == container.usage == 2
    machine.force_empty(container)
    assert set(machine.kpagecgroup(0, 64, numbers.__getitem__)) == {0, 7}


def test_pagemap_says_whose_page_it_is(make_small: MakeMachine) -> None:
    """Bit 61: a file's page; bit 56: mapped here alone. The private copy of a file's page is as any anonymous one."""
    machine = make_small()
    task, file = machine.spawn(10), machine.create_file()
    task.write_file(file, 0, 2)
    task.mmap(0, 2, file=file)
    task.touch(0, 2, write=False)
    task.touch(1, 1)
    task.touch(2, 1)
    task.touch(3, 1, write=False)
    assert [word & (FILE | EXCLUSIVE) for word in task.pagemap(0, 4)] == [FILE | EXCLUSIVE, EXCLUSIVE, EXCLUSIVE, 0]
    assert [word >> 63 for word in task.pagemap(0, 4)] == [1] * 4
    child = task.fork(11)
    assert [word & (FILE | EXCLUSIVE) for word in child.pagemap(0, 3)] == [FILE, 0, 0], "dup_mmap copied the table"
    task.munmap(0, 2)
    machine.reap(child)
    machine.evict_file(file)


def test_a_machine_of_a_tebibyte_is_answered_without_looking(make_machine: MakeMachine) -> None:
    """Of its last frames no descriptor is read: the host would give memory for it."""
    machine = make_machine(ram_bytes=1 << 40)
    machine.spawn(10).touch(0, 10)
    last = machine.nr_frames - 4
    assert list(machine.kpageflags(last, 4)) == [BUDDY] * 4
    middle = machine.nr_frames // 2
    assert set(machine.kpageflags(middle, 1 << 17)) == {BUDDY}
    assert not any(machine.kpagecount(middle, 1 << 17))


def test_pagemap_names_the_swap_area(make_small: MakeMachine) -> None:
    """Bits 0-4 its number, from bit 5 the place in it: the first slot of the second area is 1, as slot 0 is its header."""
    machine = make_small()
    machine.swapon("/dev/sdb1", 16, 5)
    reclaim_mapped(machine)
    container = machine.create_container()
    container.limit = 3
    task = cold_task(machine, container, 3)
    task.touch(3, 3)
    swapped = [word for word in task.pagemap(0, 6) if word >> 62 == 1]
    assert {word & 31 for word in swapped} == {1}
    assert sorted(word >> 5 & (1 << 50) - 1 for word in swapped) == list(range(1, len(swapped) + 1))
    assert len(swapped) == 3


def test_a_read_may_begin_anywhere(make_small: MakeMachine) -> None:
    """In the middle of a free block, too."""
    machine = make_small(zone_pages=(16, 0, 40, 0))
    task = machine.spawn(10)
    task.touch(0, 30)
    for page in (1, 2, 3, 9, 10, 20):
        task.madvise(page, 1, "dontneed")
    whole = machine.kpageflags(0, 56)
    for first in range(56):
        for count in (1, min(5, 56 - first), 56 - first):
            assert machine.kpageflags(first, count) == whole[first : first + count]
