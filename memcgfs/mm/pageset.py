"""Per-cpu lists: single pages of a zone on their way between the buddy allocator and whoever runs on a cpu (mm/page_alloc.c:
rmqueue_bulk, free_pages_bulk, setup_pageset). Each node has one cpu, of the same number.

Each zone has, for each cpu, a hot list, of pages that the cpu has just used, and a cold one. An empty list takes `batch` pages from the
zone, one that has grown to `high` gives as many back, the oldest first. Pages on these lists are not among the zone's free pages. A
zone that is too small for them has high 0 and batch 1, so that each page passes through at once.
"""

from __future__ import annotations

from .buddy import free_one_page, put_block, take_block
from .frames import Frames
from .lists import Links
from .params import NR_FREE_PAGES, NR_ORDERS, ZONE_ROW, ZONE_SHIFT
from .zones import Zones


def take_from_pageset(zones: Zones, frames: Frames, lru: Links, zone: int, pcp: int) -> int:
    """The first page of the list, filled before if it is empty; 0 where the zone has none."""
    head = zones.pcp_head(pcp)
    if zones.pcp_count[pcp] == 0:
        rmqueue_bulk(zones, frames, lru, zone, pcp)
        if zones.pcp_count[pcp] == 0:
            return 0
    pfn = lru.next[head]
    lru.remove(pfn)
    zones.pcp_count[pcp] -= 1
    return pfn


def rmqueue_bulk(zones: Zones, frames: Frames, lru: Links, zone: int, pcp: int) -> None:
    """A batch, in the order in which the zone gives single pages: those of the smallest block there is, upwards, then of the next."""
    wanted = zones.pcp_batch[pcp]
    while wanted > 0:
        order = zones.smallest_block(zone, 0)
        if order == NR_ORDERS:
            break
        pfn = take_block(zones, frames, lru, zone, order)
        count = min(wanted, 1 << order)
        for page in range(pfn, pfn + count):
            frames.flags[page] = zone << ZONE_SHIFT
            lru.add_tail(zones.pcp_head(pcp), page)
        put_rest(zones, frames, lru, zone, pfn + count, pfn + (1 << order))
        zones.stat[zone * ZONE_ROW + NR_FREE_PAGES] -= count
        zones.pcp_count[pcp] += count
        wanted -= count


def put_rest(zones: Zones, frames: Frames, lru: Links, zone: int, pfn: int, end: int) -> None:
    """What splitting page by page would leave of a block whose lower part is taken: the lists of smaller blocks are empty."""
    order = 0
    while pfn < end:
        if pfn & (1 << order):
            put_block(zones, frames, lru, zone, pfn, order)
            pfn += 1 << order
        order += 1


def give_to_pageset(zones: Zones, frames: Frames, lru: Links, zone: int, pcp: int, pfn: int) -> None:
    """The page that came free last goes first."""
    lru.add(zones.pcp_head(pcp), pfn)
    zones.pcp_count[pcp] += 1
    if zones.pcp_count[pcp] >= zones.pcp_high[pcp]:
        free_pages_bulk(zones, frames, lru, zone, pcp)


def free_pages_bulk(zones: Zones, frames: Frames, lru: Links, zone: int, pcp: int) -> None:
    """From the list's tail to the buddies: pages came free in the zone, so that it counts as reclaimable again."""
    head = zones.pcp_head(pcp)
    zones.all_unreclaimable[zone] = 0
    zones.pages_scanned[zone] = 0
    for _ in range(zones.pcp_batch[pcp]):
        pfn = lru.prev[head]
        lru.remove(pfn)
        free_one_page(zones, frames, lru, zone, pfn, 0)
    zones.pcp_count[pcp] -= zones.pcp_batch[pcp]
