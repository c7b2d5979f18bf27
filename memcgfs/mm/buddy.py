"""The buddy allocator: free blocks of 2^order pages, split when a smaller one is wanted, joined when both halves are free
(mm/page_alloc.c: __rmqueue, expand, __free_one_page).

A free block is known by its first frame: PG_FREE is on it, `private` is its order, and it is on the list of its zone and order. Its
other frames carry nothing. Lists are used at the head, so that the block that came free last goes first.
"""

from __future__ import annotations

from .frames import Frames
from .lists import Links
from .params import LARGEST_BLOCK, LARGEST_ORDER, NR_FREE_PAGES, NR_ORDERS, PG_FREE, ZONE_ROW, ZONE_SHIFT
from .zones import Zones


def rmqueue(zones: Zones, frames: Frames, lru: Links, zone: int, order: int) -> int:
    """__rmqueue: the first frame of a block, taken out of the smallest that is large enough; 0 where there is none."""
    size = zones.smallest_block(zone, order)
    if size == NR_ORDERS:
        return 0
    pfn = take_block(zones, frames, lru, zone, size)
    while size > order:
        size -= 1
        put_block(zones, frames, lru, zone, pfn + (1 << size), size)
    zones.stat[zone * ZONE_ROW + NR_FREE_PAGES] -= 1 << order
    return pfn


def take_block(zones: Zones, frames: Frames, lru: Links, zone: int, order: int) -> int:
    """The first block of the list, or the highest of those that were never touched; there is one."""
    head = zones.free_head(zone, order)
    zones.nr_free[zone * NR_ORDERS + order] -= 1
    if lru.is_empty(head):
        zones.frontier[zone] -= LARGEST_BLOCK
        return zones.frontier[zone]
    pfn = lru.next[head]
    unlist_block(frames, lru, pfn)
    return pfn


def put_block(zones: Zones, frames: Frames, lru: Links, zone: int, pfn: int, order: int) -> None:
    frames.flags[pfn] = (zone << ZONE_SHIFT) | PG_FREE
    frames.private[pfn] = order
    lru.add(zones.free_head(zone, order), pfn)
    zones.nr_free[zone * NR_ORDERS + order] += 1


def unlist_block(frames: Frames, lru: Links, pfn: int) -> None:
    lru.remove(pfn)
    frames.clear(pfn, PG_FREE)
    frames.private[pfn] = 0


def is_free_buddy(zones: Zones, frames: Frames, zone: int, pfn: int, order: int) -> bool:
    """page_is_buddy: the other half is one free block, of the same zone."""
    if pfn < zones.start[zone] or pfn >= zones.end[zone]:
        return False
    return frames.has(pfn, PG_FREE) and frames.private[pfn] == order


def free_one_page(zones: Zones, frames: Frames, lru: Links, zone: int, pfn: int, order: int) -> None:
    """__free_one_page: joins the block with its buddy, and the two with theirs, as long as they are free."""
    zones.stat[zone * ZONE_ROW + NR_FREE_PAGES] += 1 << order
    while order < LARGEST_ORDER:
        buddy = pfn ^ (1 << order)
        if not is_free_buddy(zones, frames, zone, buddy, order):
            break
        unlist_block(frames, lru, buddy)
        zones.nr_free[zone * NR_ORDERS + order] -= 1
        pfn = min(pfn, buddy)
        order += 1
    put_block(zones, frames, lru, zone, pfn, order)
