"""Zones: which frames belong to them, their free blocks, watermarks and statistics (include/linux/mmzone.h, mm/page_alloc.c).

Free pages lie in blocks of 2^order pages, a list for each zone and order (buddy.py). Those of the largest order that were never
touched need no list, no flag and no host memory: they are the frames from `untouched` up to `frontier`, and stand behind all others
of their order, the highest of them first.

A row of `stat` holds the zone's statistics (NR_*) and its events (PG*), ZONE_ROW numbers a zone.
"""

from __future__ import annotations

from .arrays import Arrays
from .params import ALLOC_HARDER, ALLOC_HIGH, MAX_NR_ZONES, NR_ACTIVE, NR_FREE_PAGES, NR_INACTIVE, NR_ORDERS, ZONE_ROW


class Zones:
    """Zone numbers are node * MAX_NR_ZONES + type; a zone of 0 pages is not populated.

    A zonelist's number is node * MAX_NR_ZONES + the highest type that may serve the request.
    """

    def __init__(self, arrays: Arrays, nr_nodes: int, first_head: int) -> None:
        nr_zones = nr_nodes * MAX_NR_ZONES
        self.nr_zones = nr_zones
        self.nr_nodes = nr_nodes
        self.first_head = first_head
        self.start = arrays.of("Q", nr_zones)
        self.end = arrays.of("Q", nr_zones)
        self.present = arrays.of("q", nr_zones)
        self.untouched = arrays.of("Q", nr_zones)
        self.frontier = arrays.of("Q", nr_zones)
        self.nr_free = arrays.of("q", nr_zones * NR_ORDERS)
        self.pcp_count = arrays.of("i", nr_zones * nr_nodes * 2)
        self.pcp_high = arrays.of("i", nr_zones * nr_nodes * 2)
        self.pcp_batch = arrays.of("i", nr_zones * nr_nodes * 2)
        self.wmark = arrays.of("q", nr_zones * 3)
        self.lowmem_reserve = arrays.of("q", nr_zones * MAX_NR_ZONES)
        self.zonelist = arrays.of("B", nr_zones * nr_zones)
        self.zonelist_length = arrays.of("B", nr_zones)
        self.stat = arrays.of("q", nr_zones * ZONE_ROW)
        self.pages_scanned = arrays.of("q", nr_zones)
        self.all_unreclaimable = arrays.of("B", nr_zones)
        self.prev_priority = arrays.of("i", nr_zones)
        self.nr_scan_active = arrays.of("q", nr_zones)
        self.nr_scan_inactive = arrays.of("q", nr_zones)

    def count(self, zone: int, item: int) -> int:
        """zone_page_state."""
        return self.stat[zone * ZONE_ROW + item]

    def add(self, zone: int, item: int, amount: int) -> None:
        """__mod_zone_page_state, and the counting of a zone's events."""
        self.stat[zone * ZONE_ROW + item] += amount

    def nr_lru_pages(self, zone: int) -> int:
        """The pages on both of its lists."""
        return self.count(zone, NR_ACTIVE) + self.count(zone, NR_INACTIVE)

    def total(self, item: int) -> int:
        """global_page_state. Cost: O(zones)."""
        amount = 0
        for zone in range(self.nr_zones):
            amount += self.stat[zone * ZONE_ROW + item]
        return amount

    def nr_in_list(self, zonelist: int) -> int:
        """How many zones the zonelist has, the places of zone_in_list()."""
        return self.zonelist_length[zonelist]

    def zone_in_list(self, zonelist: int, place: int) -> int:
        """The zone at this place of the zonelist."""
        return self.zonelist[zonelist * self.nr_zones + place]

    def free_head(self, zone: int, order: int) -> int:
        """The head of free_area[order].free_list."""
        return self.first_head + zone * NR_ORDERS + order

    def smallest_block(self, zone: int, order: int) -> int:
        """The lowest order, from this one up, of which there is a free block; NR_ORDERS where there is none."""
        while order < NR_ORDERS and self.nr_free[zone * NR_ORDERS + order] == 0:
            order += 1
        return order

    def pcp(self, zone: int, cpu: int, cold: bool) -> int:
        """zone_pcp(zone, cpu)->pcp[cold]: the number of a per-cpu list."""
        return (zone * self.nr_nodes + cpu) * 2 + cold

    def pcp_head(self, pcp: int) -> int:
        return self.first_head + self.nr_zones * NR_ORDERS + pcp

    def watermark_ok(self, zone: int, order: int, which: int, class_zone: int, alloc_flags: int) -> bool:
        """zone_watermark_ok: would the zone keep this watermark and its reserve without such a block?

        Besides, of the pages in blocks of 2 and more, 4 and more, up to the wanted size, a half, a quarter.. of the mark must be left.
        """
        least = self.wmark[zone * 3 + which]
        if alloc_flags & ALLOC_HIGH:
            least -= least // 2
        if alloc_flags & ALLOC_HARDER:
            least -= least // 4
        return self.leaves(zone, order, least, class_zone)

    def leaves(self, zone: int, order: int, least: int, class_zone: int) -> bool:
        """More than so many pages, and the reserve."""
        left = self.stat[zone * ZONE_ROW + NR_FREE_PAGES] - (1 << order) + 1
        if left <= least + self.lowmem_reserve[zone * MAX_NR_ZONES + class_zone % MAX_NR_ZONES]:
            return False
        for smaller in range(order):
            left -= self.nr_free[zone * NR_ORDERS + smaller] << smaller
            least >>= 1
            if left <= least:
                return False
        return True

    def is_near_oom(self, zone: int) -> bool:
        """zone_is_near_oom (mm/vmscan.c): scanned three times round without a page coming free."""
        return self.pages_scanned[zone] >= self.nr_lru_pages(zone) * 3
