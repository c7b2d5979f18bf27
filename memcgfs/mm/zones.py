"""Zones: which frames belong to them, their free pages, watermarks and statistics (include/linux/mmzone.h, mm/page_alloc.c).

Free pages. A zone's frames from `frontier` up were never handed out: they need no list, no flag and no host memory. A frame that
comes back goes to the head of the free list, and is the next one to be handed out.

A row of `stat` holds the zone's statistics (NR_*) and its events (PG*), ZONE_ROW numbers a zone.
"""

from __future__ import annotations

from .arrays import array_of
from .frames import Frames
from .lists import Links
from .params import MAX_NR_ZONES, NR_ACTIVE, NR_FREE_PAGES, NR_INACTIVE, PG_FREE, PG_MASK, PGALLOC, ZONE_ROW, ZONE_SHIFT


class Zones:
    """Zone numbers are node * MAX_NR_ZONES + type; a zone of 0 pages is not populated."""

    def __init__(self, nr_nodes: int) -> None:
        nr_zones = nr_nodes * MAX_NR_ZONES
        self.nr_zones = nr_zones
        self.start = array_of("Q", nr_zones)
        self.end = array_of("Q", nr_zones)
        self.present = array_of("q", nr_zones)
        self.frontier = array_of("Q", nr_zones)
        self.free_head = array_of("I", nr_zones)
        self.wmark = array_of("q", nr_zones * 3)
        self.lowmem_reserve = array_of("q", nr_zones * MAX_NR_ZONES)
        self.zonelist = array_of("B", MAX_NR_ZONES * (nr_zones + 1))
        self.stat = array_of("q", nr_zones * ZONE_ROW)
        self.pages_scanned = array_of("q", nr_zones)
        self.all_unreclaimable = array_of("B", nr_zones)
        self.prev_priority = array_of("i", nr_zones)
        self.nr_scan_active = array_of("q", nr_zones)
        self.nr_scan_inactive = array_of("q", nr_zones)

    def count(self, zone: int, item: int) -> int:
        """zone_page_state."""
        return self.stat[zone * ZONE_ROW + item]

    def add(self, zone: int, item: int, amount: int) -> None:
        """__mod_zone_page_state, and the counting of a zone's events."""
        self.stat[zone * ZONE_ROW + item] += amount

    def total(self, item: int) -> int:
        """global_page_state. Cost: O(zones)."""
        amount = 0
        for zone in range(self.nr_zones):
            amount += self.stat[zone * ZONE_ROW + item]
        return amount

    def zone_in_list(self, kind: int, place: int) -> int:
        """The zone at this place of the zonelist for this highest zone type, or nr_zones past its end."""
        return self.zonelist[kind * (self.nr_zones + 1) + place]

    def watermark_ok(self, zone: int, which: int, class_zone: int) -> bool:
        """zone_watermark_ok for order 0: would a page of the zone be left above this watermark and its reserve?"""
        mark = self.wmark[zone * 3 + which]
        reserve = self.lowmem_reserve[zone * MAX_NR_ZONES + class_zone % MAX_NR_ZONES]
        return self.stat[zone * ZONE_ROW + NR_FREE_PAGES] > mark + reserve

    def has_free(self, zone: int) -> bool:
        return self.stat[zone * ZONE_ROW + NR_FREE_PAGES] > 0

    def is_near_oom(self, zone: int) -> bool:
        """zone_is_near_oom (mm/vmscan.c): scanned three times round without a page coming free."""
        row = zone * ZONE_ROW
        return self.pages_scanned[zone] >= (self.stat[row + NR_ACTIVE] + self.stat[row + NR_INACTIVE]) * 3


def take_frame(zones: Zones, frames: Frames, lru: Links, zone: int) -> int:
    """The next free frame of a zone that has one, its flags clear but for the zone."""
    head = zones.free_head[zone]
    zones.stat[zone * ZONE_ROW + NR_FREE_PAGES] -= 1
    zones.stat[zone * ZONE_ROW + PGALLOC] += 1
    if lru.is_empty(head):
        pfn = zones.frontier[zone]
        zones.frontier[zone] = pfn + 1
    else:
        pfn = lru.next[head]
        lru.remove(pfn)
    frames.flags[pfn] = zone << ZONE_SHIFT
    return pfn


def give_frame(zones: Zones, frames: Frames, lru: Links, pfn: int) -> None:
    """__free_one_page: a page came free in the zone, so the zone counts as reclaimable again."""
    zone = frames.zone(pfn)
    frames.flags[pfn] = (frames.flags[pfn] & ~PG_MASK) | PG_FREE
    frames.mapping[pfn] = 0
    lru.add(zones.free_head[zone], pfn)
    zones.stat[zone * ZONE_ROW + NR_FREE_PAGES] += 1
    zones.pages_scanned[zone] = 0
    zones.all_unreclaimable[zone] = 0
