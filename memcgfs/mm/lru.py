"""The zones' LRU lists and the ways on and off them (mm/swap.c, include/linux/mm_inline.h).

A page on its way to the LRU waits in a pagevec, holding a reference, without PG_lru; when the pagevec is full, or somebody drains,
all of its pages arrive. Whoever moves a page between the active and the inactive list tells the model (`moved`), which keeps its
own lists in step: the seed's mem_container_move_lists.
"""

from __future__ import annotations

from typing import Final

from .core import Core
from .page_alloc import get_page, put_page
from .params import LOCK_ZONE_LRU, NR_ACTIVE, NR_INACTIVE, PG_ACTIVE, PG_DIRTY, PG_LOCKED, PG_LRU, PG_REFERENCED, PGACTIVATE
from .params import PGROTATED
from .trace import trace_lru
from .trace_ring import ARRIVED_DRAINED, ARRIVED_FULL, MOVED_ACTIVATED, ROTATED_WRITTEN, TRACE_LRU_ACTIVATE, TRACE_LRU_INSERTION
from .trace_ring import TRACE_LRU_ROTATE, WHY_ACTIVATE_ACCESSED

# Lists that a reclaim keeps to itself. Reclaim runs inside reclaim where a charge is made while pages are written out; the kernel's
# stack ends somewhere too, and a deeper one than this frees nothing.
MAX_SCAN_DEPTH: Final = 8
NR_SCAN_LISTS: Final = 5
PAGE_LIST: Final = 0
RET_PAGES: Final = 1
L_HOLD: Final = 2
L_ACTIVE: Final = 3
L_INACTIVE: Final = 4


class ZoneLru:
    """Heads in core.lru from `first_head` on: 2z is zone z's inactive list, 2z + 1 its active one; then NR_SCAN_LISTS a depth."""

    def __init__(self, core: Core, nr_zones: int) -> None:
        self.first_head = core.lru.first_head + core.nr_free_heads
        self.scan_heads = self.first_head + 2 * nr_zones
        self.pagevec_size = core.pagevec_size
        self.active_pvec = core.arrays.of("I", self.pagevec_size)
        self.inactive_pvec = core.arrays.of("I", self.pagevec_size)
        self.nr_active_pvec = 0
        self.nr_inactive_pvec = 0
        self.put_back_pvec = core.arrays.of("I", self.pagevec_size * MAX_SCAN_DEPTH)
        self.freed_pvec = core.arrays.of("I", self.pagevec_size * MAX_SCAN_DEPTH)
        for head in range(self.first_head, self.scan_heads + NR_SCAN_LISTS * MAX_SCAN_DEPTH):
            core.lru.init_head(head)

    def head(self, zone: int, active: bool) -> int:
        return self.first_head + 2 * zone + active

    def scan_head(self, depth: int, which: int) -> int:
        return self.scan_heads + depth * NR_SCAN_LISTS + which

    def waiting(self) -> tuple[list[int], list[int]]:
        """The pages in the (active, inactive) pagevec, in order of arrival."""
        return (
            [self.active_pvec[place] for place in range(self.nr_active_pvec)],
            [self.inactive_pvec[place] for place in range(self.nr_inactive_pvec)],
        )


def nr_lru_heads(nr_zones: int) -> int:
    """How many list heads a ZoneLru needs in core.lru."""
    return 2 * nr_zones + NR_SCAN_LISTS * MAX_SCAN_DEPTH


def add_page_to_list(core: Core, lru: ZoneLru, pfn: int, active: bool) -> None:
    zone = core.frames.zone(pfn)
    core.lru.add(lru.head(zone, active), pfn)
    core.zones.add(zone, NR_ACTIVE if active else NR_INACTIVE, 1)


def del_page_from_list(core: Core, pfn: int, active: bool) -> None:
    core.lru.remove(pfn)
    core.zones.add(core.frames.zone(pfn), NR_ACTIVE if active else NR_INACTIVE, -1)


def lru_cache_add_active(core: Core, lru: ZoneLru, pfn: int) -> None:
    get_page(core, pfn)
    lru.active_pvec[lru.nr_active_pvec] = pfn
    lru.nr_active_pvec += 1
    if lru.nr_active_pvec == lru.pagevec_size:
        flush_active_pagevec(core, lru)


def lru_cache_add(core: Core, lru: ZoneLru, pfn: int) -> None:
    get_page(core, pfn)
    lru.inactive_pvec[lru.nr_inactive_pvec] = pfn
    lru.nr_inactive_pvec += 1
    if lru.nr_inactive_pvec == lru.pagevec_size:
        flush_inactive_pagevec(core, lru)


def flush_active_pagevec(core: Core, lru: ZoneLru) -> None:
    """__pagevec_lru_add_active: PG_active is set only now."""
    count = lru.nr_active_pvec
    for place in range(count):
        pfn = lru.active_pvec[place]
        core.frames.set(pfn, PG_LRU | PG_ACTIVE)
        add_page_to_list(core, lru, pfn, True)
        if core.traced:
            trace_lru(core, TRACE_LRU_INSERTION, pfn, True, ARRIVED_FULL if count == lru.pagevec_size else ARRIVED_DRAINED)
    lru.nr_active_pvec = 0
    for place in range(count):
        put_page(core, lru.active_pvec[place])


def flush_inactive_pagevec(core: Core, lru: ZoneLru) -> None:
    """__pagevec_lru_add."""
    count = lru.nr_inactive_pvec
    for place in range(count):
        pfn = lru.inactive_pvec[place]
        core.frames.set(pfn, PG_LRU)
        add_page_to_list(core, lru, pfn, False)
        if core.traced:
            trace_lru(core, TRACE_LRU_INSERTION, pfn, False, ARRIVED_FULL if count == lru.pagevec_size else ARRIVED_DRAINED)
    lru.nr_inactive_pvec = 0
    for place in range(count):
        put_page(core, lru.inactive_pvec[place])


def lru_add_drain(core: Core, lru: ZoneLru) -> None:
    if lru.nr_inactive_pvec > 0:
        flush_inactive_pagevec(core, lru)
    if lru.nr_active_pvec > 0:
        flush_active_pagevec(core, lru)


def del_page_from_lru(core: Core, pfn: int) -> None:
    """__page_cache_release: a page that is being freed."""
    core.frames.clear(pfn, PG_LRU)
    del_page_from_list(core, pfn, core.frames.test_and_clear(pfn, PG_ACTIVE))


def activate_page(core: Core, lru: ZoneLru, pfn: int, why: int) -> None:
    """From the inactive to the active list; a page that is not on the LRU stays as it is. `why` (WHY_*) is told the trace."""
    if core.frames.has(pfn, PG_LRU) and not core.frames.has(pfn, PG_ACTIVE):
        core.lockdep.lock(LOCK_ZONE_LRU)
        del_page_from_list(core, pfn, False)
        core.frames.set(pfn, PG_ACTIVE)
        add_page_to_list(core, lru, pfn, True)
        core.count(PGACTIVATE)
        if core.traced:
            trace_lru(core, TRACE_LRU_ACTIVATE, pfn, False, why)
        core.model.moved(core, pfn, True, MOVED_ACTIVATED)
        core.lockdep.unlock(LOCK_ZONE_LRU)


def mark_page_accessed(core: Core, lru: ZoneLru, pfn: int) -> None:
    """inactive, unreferenced -> inactive, referenced -> active, unreferenced -> active, referenced."""
    if not core.frames.has(pfn, PG_ACTIVE) and core.frames.has(pfn, PG_REFERENCED) and core.frames.has(pfn, PG_LRU):
        activate_page(core, lru, pfn, WHY_ACTIVATE_ACCESSED)
        core.frames.clear(pfn, PG_REFERENCED)
    elif not core.frames.has(pfn, PG_REFERENCED):
        core.frames.set(pfn, PG_REFERENCED)


def rotate_reclaimable_page(core: Core, lru: ZoneLru, pfn: int) -> None:
    """A page that reclaim wrote out is clean now: to the tail of the zone's inactive list, where reclaim looks first."""
    if core.frames.has(pfn, PG_LOCKED | PG_DIRTY | PG_ACTIVE) or not core.frames.has(pfn, PG_LRU):
        return
    core.lru.move_tail(lru.head(core.frames.zone(pfn), False), pfn)
    core.count(PGROTATED)
    if core.traced:
        trace_lru(core, TRACE_LRU_ROTATE, pfn, False, ROTATED_WRITTEN)
