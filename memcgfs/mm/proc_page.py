"""Every page frame for tools that look at memory as a whole: /proc/kpageflags, kpagecount, kpagecgroup (fs/proc/page.c, of 2.6.25 and
later; 2.6.23 had none of them), with the bits that they have today.

Frames that were never touched are answered without being looked at, so that they go on costing no host memory.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from .files import FILE_ON_DISK
from .params import NR_ORDERS, PG_ACTIVE, PG_ANON, PG_CACHE, PG_DIRTY, PG_ERROR, PG_FREE, PG_LOCKED, PG_LRU, PG_MASK
from .params import PG_RECLAIM, PG_REFERENCED, PG_RESERVED, PG_SLAB, PG_SWAPCACHE, PG_TABLE, PG_UPTODATE, PG_WRITEBACK

if TYPE_CHECKING:
    from .machine import Machine

# include/uapi/linux/kernel-page-flags.h, and KPF_RESERVED of include/linux/kernel-page-flags.h
KPF_MMAP = 11
KPF_SWAPBACKED = 14
KPF_BUDDY = 10
KPF_NOPAGE = 20
KPF_BITS = {
    PG_LOCKED: (0,),
    PG_ERROR: (1,),
    PG_REFERENCED: (2,),
    PG_UPTODATE: (3,),
    PG_DIRTY: (4,),
    PG_LRU: (5,),
    PG_ACTIVE: (6,),
    PG_SLAB: (7,),
    PG_WRITEBACK: (8,),
    PG_RECLAIM: (9,),
    PG_FREE: (KPF_BUDDY,),
    PG_ANON: (12, KPF_SWAPBACKED),  # 2.6.23 had no PG_swapbacked: the pages that have it today are known by what they are
    PG_SWAPCACHE: (13, KPF_SWAPBACKED),
    PG_RESERVED: (24, 32),  # the zero page
    PG_TABLE: (26,),
}


def stretches(machine: Machine, first: int, end: int) -> Iterator[tuple[int, int]]:
    """The parts of [first, end) outside of the blocks that were never touched."""
    zones = machine.core.zones
    for zone in range(zones.nr_zones):
        yield from clipped(first, end, zones.start[zone], zones.untouched[zone])
        yield from clipped(first, end, zones.frontier[zone], zones.end[zone])


def clipped(first: int, end: int, start: int, stop: int) -> Iterator[tuple[int, int]]:
    start, stop = max(first, start), min(end, stop)
    if start < stop:
        yield start, stop


def kpageflags(machine: Machine, first: int, count: int) -> array[int]:
    """Each frame's flags. All of a free block is BUDDY; a page on a list of some cpu has no flag."""
    zones, words = machine.core.zones, array("Q", [1 << KPF_NOPAGE]) * count
    for zone in range(zones.nr_zones):
        for start, end in clipped(first, first + count, zones.start[zone], zones.end[zone]):
            words[start - first : end - first] = array("Q", [1 << KPF_BUDDY]) * (end - start)
    for start, end in stretches(machine, first, first + count):
        words[start - first : end - first] = array("Q", stable_page_flags(machine, start, end))
        for head, order in free_blocks(machine, start, end):
            for inside, stop in clipped(start, end, head, head + (1 << order)):
                words[inside - first : stop - first] = array("Q", [1 << KPF_BUDDY]) * (stop - inside)
    return words


def free_blocks(machine: Machine, start: int, end: int) -> Iterator[tuple[int, int]]:
    """(first frame, order) of the free blocks of these frames, the one with which they may begin in its middle included."""
    frames = machine.core.frames
    first = next((head for order in range(NR_ORDERS) if frames.flags[head := start >> order << order] & PG_FREE), start)
    for pfn, flags in zip(range(first, end), part(frames.flags, first, end), strict=True):
        if flags & PG_FREE:
            yield pfn, frames.private[pfn]


def stable_page_flags(machine: Machine, start: int, end: int) -> Iterator[int]:
    frames, known = machine.core.frames, dict[int, int]()
    for pfn, flags, mapcount in zip(range(start, end), part(frames.flags, start, end), part(frames.mapcount, start, end), strict=True):
        word = known.get(flags)
        if word is None:
            word = known[flags] = kpf_word(flags & PG_MASK)
        if mapcount:
            word |= 1 << KPF_MMAP
        if flags & PG_CACHE and machine.core.files.kind[frames.owner(pfn)] != FILE_ON_DISK:
            word |= 1 << KPF_SWAPBACKED
        yield word


def kpf_word(flags: int) -> int:
    word = 0
    for flag, bits in KPF_BITS.items():
        if flags & flag:
            for bit in bits:
                word |= 1 << bit
    return word


def kpagecount(machine: Machine, first: int, count: int) -> array[int]:
    """How many page table entries map each frame."""
    words = array("Q", bytes(count * 8))
    for start, end in stretches(machine, first, first + count):
        words[start - first : end - first] = array("Q", part(machine.core.frames.mapcount, start, end))
    return words


def kpagecgroup(machine: Machine, first: int, count: int, number_of: Callable[[int], int]) -> array[int]:
    """Who pays for each frame: a number for its container, or the nearest above that has a directory, which number_of(cid) gives. 0: nobody
    does."""
    frames, numbers = machine.core.frames, dict[int, int]()
    words = array("Q", bytes(count * 8))
    for start, end in stretches(machine, first, first + count):
        owners = part(frames.container, start, end)
        charged = part(frames.meta_refs, start, end)
        for place, cid, refs in zip(range(start - first, end - first), owners, charged, strict=True):
            if refs:
                if cid not in numbers:
                    numbers[cid] = number_of(machine.core.containers.nearest_online(cid))
                words[place] = numbers[cid]
    return words


def part(field: object, start: int, end: int) -> list[int]:
    """A field of the frames from start to end."""
    return memoryview(field)[start:end].tolist()  # type: ignore[arg-type]
