"""The one reclaim path of 2.6.23 to 2.6.25 (mm/vmscan.c): page list, inactive list, active list, zone.

The machine and a container take the same path, as the seed made it; what differs is in the scan_control: on whose behalf, by whose
numbers, and how pages are isolated. Order of pages: the tail of a list is taken first, and what is put back goes to the head, first
taken deepest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core import Core
from ..lru import L_ACTIVE, L_HOLD, L_INACTIVE, PAGE_LIST, RET_PAGES, ZoneLru, add_page_to_list, lru_add_drain
from ..page_alloc import put_cold_page
from ..page_writeback import throttle_vm_writeout
from ..params import GFP_FS, GFP_IO, ISOLATE_ACTIVE, ISOLATE_BOTH, ISOLATE_INACTIVE, KSWAPD_STEAL, LOCK_ZONE_LRU
from ..params import NR_ACTIVE, NR_INACTIVE, PAGE_ACTIVATE, PAGE_ALLOC_COSTLY_ORDER, PAGE_KEEP, PAGE_SUCCESS
from ..params import PG_ACTIVE, PG_ANON, PG_CACHE, PG_DIRTY, PG_LOCKED, PG_LRU, PG_SWAPCACHE, PG_WRITEBACK
from ..params import PGACTIVATE, PGDEACTIVATE, PGREFILL, PGSCAN_DIRECT, PGSCAN_KSWAPD, PGSTEAL
from ..rmap import page_referenced, try_to_unmap
from ..scan_control import ScanControl
from ..swap_state import add_to_swap
from ..trace import payer, trace_event, trace_lru
from ..trace_ring import LEAVE_RECLAIM, MOVED_DEACTIVATED, MOVED_STAYS, PUT_BACK_ACTIVATED, PUT_BACK_KEPT, PUT_BACK_STAYS
from ..trace_ring import TRACE_LRU_ACTIVATE, TRACE_LRU_DEACTIVATE, TRACE_LRU_ISOLATE, TRACE_LRU_ISOLATE_PAGE, TRACE_LRU_PUTBACK
from ..trace_ring import TRACE_PAGE, TRACE_REFERENCED
from ..trace_ring import WHY_ACTIVATE_NO_SLOT, WHY_ACTIVATE_NO_SWAP, WHY_KEEP_CONGESTED, WHY_KEEP_MAY_NOT_ENTER
from ..trace_ring import WHY_ACTIVATE_REFERENCED, WHY_ACTIVATE_UNMAP_FAILED, WHY_DEACTIVATE_COLD, WHY_DEACTIVATE_UNMAPPED
from ..trace_ring import WHY_FREED, WHY_KEEP_DIRTY_AGAIN, WHY_KEEP_DIRTY_REFERENCED, WHY_KEEP_IN_USE, WHY_KEEP_LOCKED
from ..trace_ring import WHY_KEEP_MAY_NOT_WRITE, WHY_KEEP_NOT_REMOVED
from ..trace_ring import WHY_KEEP_WRITEBACK, WHY_KEEP_WRITING, WHY_STAY_NO_SWAP
from ..trace_ring import WHY_STAY_NOT_MAPPED_TURN, WHY_STAY_REFERENCED
from ..vmscan import needs_slot, pageout, remove_mapping
from ..waiting import congestion_wait, wait_on_page_writeback

if TYPE_CHECKING:
    from collections.abc import Callable

    from .double_lru import DoubleLru


class LruScanControl(ScanControl):
    """With the seed's pluggable member. is_zonewide: it goes by the zones' numbers, and leaves its own there.

    isolate_pages(core, nr_to_scan, dst, sc, order, mode, zone, mem_container, active) takes pages from the tail of a list to the list
    `dst`, gives how many it took, and leaves in sc.nr_isolate_scanned how many it looked at.
    """

    isolate_pages: Callable[[Core, int, int, LruScanControl, int, int, int, int, bool], int]

    def __init__(self, core: Core, model: DoubleLru, lru: ZoneLru, mem_container: int, order: int, gfp_mask: int) -> None:
        super().__init__(core, mem_container, order, gfp_mask)
        self.model = model
        self.lru = lru
        self.is_zonewide = model.is_zonewide or mem_container < 0
        self.is_sync = False
        self.nr_isolate_scanned = 0
        self.nr_put_back = 0
        self.nr_freed_pvec = 0


def shrink_page_list(core: Core, page_list: int, sc: LruScanControl) -> int:
    """Frees what can be freed of the isolated pages; the rest is left on `page_list`, PG_active saying where each belongs."""
    ret_pages = sc.lru.scan_head(sc.depth, RET_PAGES)
    nr_reclaimed = 0
    pgactivate = 0
    while not core.lru.is_empty(page_list):
        pfn = core.lru.prev[page_list]
        core.lru.remove(pfn)
        if core.frames.test_and_set(pfn, PG_LOCKED):
            sc.why = WHY_KEEP_LOCKED
            if core.traced:
                trace_answer(core, pfn, sc, False)
            core.lru.add(ret_pages, pfn)
            continue
        answer = shrink_page(core, pfn, sc)
        if core.traced:
            trace_answer(core, pfn, sc, False)
        if answer == PAGE_SUCCESS:
            nr_reclaimed += 1
            sc.lru.freed_pvec[sc.depth * sc.lru.pagevec_size + sc.nr_freed_pvec] = pfn
            sc.nr_freed_pvec += 1
            if sc.nr_freed_pvec == sc.lru.pagevec_size:
                release_freed(core, sc)
            continue
        if answer == PAGE_ACTIVATE:
            core.frames.set(pfn, PG_ACTIVE)
            pgactivate += 1
            if core.traced:
                trace_lru(core, TRACE_LRU_ACTIVATE, pfn, False, sc.why)
        core.lru.add(ret_pages, pfn)
    release_freed(core, sc)
    core.lru.splice(ret_pages, page_list)
    core.count_many(PGACTIVATE, pgactivate)
    return nr_reclaimed


def release_freed(core: Core, sc: LruScanControl) -> None:
    """__pagevec_release_nonlru, and __pagevec_free, which takes the last page first."""
    for place in range(sc.nr_freed_pvec - 1, -1, -1):
        put_cold_page(core, sc.lru.freed_pvec[sc.depth * sc.lru.pagevec_size + place])
    sc.nr_freed_pvec = 0


def shrink_page(core: Core, pfn: int, sc: LruScanControl) -> int:
    """One page of shrink_page_list, locked on entry and unlocked on return, in the kernel's order of questions.

    PAGE_SUCCESS: nobody but the caller holds it any more. PAGE_ACTIVATE, PAGE_KEEP: what to do with it instead.
    """
    sc.nr_scanned += 1
    if core.frames.mapcount[pfn] > 0 or core.frames.has(pfn, PG_SWAPCACHE):
        sc.nr_scanned += 1
    may_enter_fs = may_start_io(core, pfn, sc)
    if core.frames.has(pfn, PG_WRITEBACK):
        if not sc.is_sync or not may_enter_fs:
            return unlock_and(core, pfn, PAGE_KEEP, sc, WHY_KEEP_WRITEBACK)
        wait_on_page_writeback(core, pfn)

    referenced = page_referenced(core, pfn, True, sc.mem_container)
    if core.traced:
        trace_referenced(core, pfn, sc, referenced)
    if sc.order <= PAGE_ALLOC_COSTLY_ORDER and referenced > 0 and page_mapping_inuse(core, pfn):
        return unlock_and(core, pfn, PAGE_ACTIVATE, sc, WHY_ACTIVATE_REFERENCED)
    if not sc.may_swap and needs_slot(core, pfn):
        return unlock_and(core, pfn, PAGE_ACTIVATE, sc, WHY_ACTIVATE_NO_SWAP)
    if core.frames.has(pfn, PG_ANON) and not core.frames.has(pfn, PG_SWAPCACHE) and not add_to_swap(core, pfn):
        return unlock_and(core, pfn, PAGE_ACTIVATE, sc, WHY_ACTIVATE_NO_SWAP)

    if core.frames.mapcount[pfn] > 0 and not try_to_unmap(core, pfn):
        return unlock_and(core, pfn, PAGE_ACTIVATE, sc, WHY_ACTIVATE_UNMAP_FAILED)

    if core.frames.has(pfn, PG_DIRTY):
        if sc.order <= PAGE_ALLOC_COSTLY_ORDER and referenced > 0:
            return unlock_and(core, pfn, PAGE_KEEP, sc, WHY_KEEP_DIRTY_REFERENCED)
        if not may_enter_fs:
            return unlock_and(core, pfn, PAGE_KEEP, sc, WHY_KEEP_MAY_NOT_ENTER)
        if not sc.may_writepage:
            return unlock_and(core, pfn, PAGE_KEEP, sc, WHY_KEEP_MAY_NOT_WRITE)
        answer = pageout(core, pfn)
        if answer == PAGE_ACTIVATE:
            return unlock_and(core, pfn, PAGE_ACTIVATE, sc, WHY_ACTIVATE_NO_SLOT)
        if answer == PAGE_KEEP:
            return unlock_and(core, pfn, PAGE_KEEP, sc, WHY_KEEP_IN_USE if core.frames.count[pfn] != 2 else WHY_KEEP_CONGESTED)
        if sc.is_sync:
            wait_on_page_writeback(core, pfn)
        if core.frames.has(pfn, PG_WRITEBACK) or core.frames.has(pfn, PG_DIRTY):
            sc.why = WHY_KEEP_WRITING if core.frames.has(pfn, PG_WRITEBACK) else WHY_KEEP_DIRTY_AGAIN
            return PAGE_KEEP
        core.frames.set(pfn, PG_LOCKED)

    if not remove_mapping(core, pfn, LEAVE_RECLAIM):
        return unlock_and(core, pfn, PAGE_KEEP, sc, WHY_KEEP_NOT_REMOVED)
    return unlock_and(core, pfn, PAGE_SUCCESS, sc, WHY_FREED)


def may_start_io(core: Core, pfn: int, sc: LruScanControl) -> bool:
    """may_enter_fs: may whoever wants memory wait for a filesystem, or, for a page that has its slot, for the swap device?"""
    if sc.gfp_mask & GFP_FS:
        return True
    return core.frames.has(pfn, PG_SWAPCACHE) and sc.gfp_mask & GFP_IO != 0


def page_mapping_inuse(core: Core, pfn: int) -> bool:
    """Could somebody miss it? It is mapped, or somebody's page table holds its slot, or somebody maps the file."""
    if core.frames.mapcount[pfn] > 0 or core.frames.has(pfn, PG_SWAPCACHE):
        return True
    return core.frames.has(pfn, PG_CACHE) and not core.vmas.i_mmap.is_empty(core.vmas.file_head(core.frames.owner(pfn)))


def unlock_and(core: Core, pfn: int, answer: int, sc: LruScanControl, why: int) -> int:
    core.frames.clear(pfn, PG_LOCKED)
    sc.why = why
    return answer


def trace_answer(core: Core, pfn: int, sc: LruScanControl, active: bool) -> None:
    """What becomes of a page that reclaim looked at on this list, and why."""
    trace_event(core, TRACE_PAGE, pfn, payer(core, pfn), sc.mem_container, active, core.current_priority, sc.why)


def trace_referenced(core: Core, pfn: int, sc: LruScanControl, referenced: int) -> None:
    trace_event(core, TRACE_REFERENCED, pfn, payer(core, pfn), sc.mem_container, False, core.current_priority, referenced)


def trace_met(core: Core, pfn: int, sc: LruScanControl, active: bool, how: int) -> None:
    """What isolation made of a page that it met on this list."""
    zone = core.frames.zone(pfn)
    trace_event(core, TRACE_LRU_ISOLATE_PAGE, pfn, payer(core, pfn), sc.mem_container, zone, active, core.current_priority, how)


def put_back(core: Core, sc: LruScanControl, pfn: int) -> None:
    """pagevec_add, and __pagevec_release when it is full: the references of isolation go back in batches."""
    core.frames.set(pfn, PG_LRU)
    sc.lru.put_back_pvec[sc.depth * sc.lru.pagevec_size + sc.nr_put_back] = pfn
    sc.nr_put_back += 1
    if sc.nr_put_back == sc.lru.pagevec_size:
        release_put_back(core, sc)


def release_put_back(core: Core, sc: LruScanControl) -> None:
    count = sc.nr_put_back
    sc.nr_put_back = 0
    for place in range(count):
        put_cold_page(core, sc.lru.put_back_pvec[sc.depth * sc.lru.pagevec_size + place])


def clear_active_flags(core: Core, page_list: int) -> int:
    """Active pages that were taken along for a block are treated as the inactive ones. Gives how many there were."""
    nr_active = 0
    pfn = core.lru.next[page_list]
    while pfn != page_list:
        if core.frames.test_and_clear(pfn, PG_ACTIVE):
            nr_active += 1
        pfn = core.lru.next[pfn]
    return nr_active


def shrink_inactive_list(core: Core, max_scan: int, zone: int, sc: LruScanControl) -> int:
    """Takes swap_cluster_max pages at a time off the inactive list until max_scan were scanned; gives how many were freed."""
    page_list = sc.lru.scan_head(sc.depth, PAGE_LIST)
    nr_scanned = 0
    nr_reclaimed = 0
    mode = ISOLATE_BOTH if sc.order > PAGE_ALLOC_COSTLY_ORDER else ISOLATE_INACTIVE
    lru_add_drain(core, sc.lru)
    while True:
        core.lockdep.lock(LOCK_ZONE_LRU)
        nr_taken = sc.isolate_pages(core, sc.swap_cluster_max, page_list, sc, sc.order, mode, zone, sc.mem_container, False)
        nr_scan = sc.nr_isolate_scanned
        if core.traced:
            trace_isolate(core, zone, sc, sc.swap_cluster_max, nr_taken, False)
        nr_active = clear_active_flags(core, page_list)
        core.zones.add(zone, NR_ACTIVE, -nr_active)
        core.zones.add(zone, NR_INACTIVE, nr_active - nr_taken)
        if sc.is_zonewide:
            core.zones.pages_scanned[zone] += nr_scan
        core.lockdep.unlock(LOCK_ZONE_LRU)

        nr_scanned += nr_scan
        nr_freed = shrink_page_list(core, page_list, sc)
        if nr_freed < nr_taken and sc.order > PAGE_ALLOC_COSTLY_ORDER and sc.model.waits_for_blocks and not core.current_is_kswapd:
            nr_freed += shrink_page_list_sync(core, page_list, zone, sc)
        nr_reclaimed += nr_freed
        if core.current_is_kswapd:
            core.zones.add(zone, PGSCAN_KSWAPD, nr_scan)
            core.count_many(KSWAPD_STEAL, nr_freed)
        elif sc.is_zonewide:
            core.zones.add(zone, PGSCAN_DIRECT, nr_scan)
        core.zones.add(zone, PGSTEAL, nr_freed)
        if nr_taken == 0:
            break
        while not core.lru.is_empty(page_list):
            pfn = core.lru.prev[page_list]
            core.lru.remove(pfn)
            add_page_to_list(core, sc.lru, pfn, core.frames.has(pfn, PG_ACTIVE))
            if core.traced:
                trace_put_back(core, pfn)
            put_back(core, sc, pfn)
        if nr_scanned >= max_scan:
            break
    release_put_back(core, sc)
    return nr_reclaimed


def shrink_page_list_sync(core: Core, page_list: int, zone: int, sc: LruScanControl) -> int:
    """A block is wanted, and not all of what was taken for it came free: once more, waiting for what is being written."""
    congestion_wait(core, core.wait_ns)
    nr_active = clear_active_flags(core, page_list)
    core.count_many(PGDEACTIVATE, nr_active)
    sc.is_sync = True
    nr_freed = shrink_page_list(core, page_list, sc)
    sc.is_sync = False
    return nr_freed


def active_why(core: Core, pfn: int, reclaim_mapped: bool, stays: bool) -> int:
    """Why shrink_active_list decided so, found again from what it asked."""
    if not stays:
        return WHY_DEACTIVATE_COLD if core.frames.mapcount[pfn] > 0 else WHY_DEACTIVATE_UNMAPPED
    if not reclaim_mapped:
        return WHY_STAY_NOT_MAPPED_TURN
    if core.swap.total_swap_pages == 0 and core.frames.has(pfn, PG_ANON):
        return WHY_STAY_NO_SWAP
    return WHY_STAY_REFERENCED


def trace_active_page(core: Core, pfn: int, sc: LruScanControl, reclaim_mapped: bool, stays: bool) -> None:
    sc.why = active_why(core, pfn, reclaim_mapped, stays)
    trace_answer(core, pfn, sc, True)


def trace_isolate(core: Core, zone: int, sc: LruScanControl, nr_to_scan: int, nr_taken: int, active: bool) -> None:
    seen = sc.nr_isolate_scanned
    trace_event(core, TRACE_LRU_ISOLATE, zone, sc.mem_container, active, core.current_priority, sc.order, nr_to_scan, seen, nr_taken)


def trace_put_back(core: Core, pfn: int) -> None:
    """On the list that its mark says."""
    active = core.frames.has(pfn, PG_ACTIVE)
    trace_lru(core, TRACE_LRU_PUTBACK, pfn, active, PUT_BACK_ACTIVATED if active else PUT_BACK_KEPT)


def shrink_active_list(core: Core, nr_pages: int, zone: int, sc: LruScanControl, priority: int) -> None:
    """Moves pages from the active to the inactive list. A mapped page stays if it must, or if it was referenced; an unmapped one goes."""
    l_hold = sc.lru.scan_head(sc.depth, L_HOLD)
    l_active = sc.lru.scan_head(sc.depth, L_ACTIVE)
    l_inactive = sc.lru.scan_head(sc.depth, L_INACTIVE)
    reclaim_mapped = sc.model.may_reclaim_mapped(core, zone, sc, priority)

    lru_add_drain(core, sc.lru)
    core.lockdep.lock(LOCK_ZONE_LRU)
    pgmoved = sc.isolate_pages(core, nr_pages, l_hold, sc, sc.order, ISOLATE_ACTIVE, zone, sc.mem_container, True)
    pgscanned = sc.nr_isolate_scanned
    if core.traced:
        trace_isolate(core, zone, sc, nr_pages, pgmoved, True)
    if sc.is_zonewide:
        core.zones.pages_scanned[zone] += pgscanned
    core.zones.add(zone, NR_ACTIVE, -pgmoved)
    core.lockdep.unlock(LOCK_ZONE_LRU)

    while not core.lru.is_empty(l_hold):
        pfn = core.lru.prev[l_hold]
        core.lru.remove(pfn)
        if core.frames.mapcount[pfn] > 0 and (
            not reclaim_mapped
            or (core.swap.total_swap_pages == 0 and core.frames.has(pfn, PG_ANON))
            or page_referenced(core, pfn, False, sc.mem_container) > 0
        ):
            core.lru.add(l_active, pfn)
            if core.traced:
                trace_active_page(core, pfn, sc, reclaim_mapped, True)
        else:
            core.lru.add(l_inactive, pfn)
            if core.traced:
                trace_active_page(core, pfn, sc, reclaim_mapped, False)

    core.lockdep.lock(LOCK_ZONE_LRU)
    pgdeactivate = 0
    while not core.lru.is_empty(l_inactive):
        pfn = core.lru.prev[l_inactive]
        core.lru.remove(pfn)
        core.frames.clear(pfn, PG_ACTIVE)
        add_page_to_list(core, sc.lru, pfn, False)
        if core.traced:
            trace_lru(core, TRACE_LRU_DEACTIVATE, pfn, True, active_why(core, pfn, reclaim_mapped, False))
        core.model.moved(core, pfn, False, MOVED_DEACTIVATED)
        pgdeactivate += 1
        put_back(core, sc, pfn)
    while not core.lru.is_empty(l_active):
        pfn = core.lru.prev[l_active]
        core.lru.remove(pfn)
        add_page_to_list(core, sc.lru, pfn, True)
        if core.traced:
            trace_lru(core, TRACE_LRU_PUTBACK, pfn, True, PUT_BACK_STAYS)
        core.model.moved(core, pfn, True, MOVED_STAYS)
        put_back(core, sc, pfn)
    core.lockdep.unlock(LOCK_ZONE_LRU)
    core.zones.add(zone, PGREFILL, pgscanned)
    core.count_many(PGDEACTIVATE, pgdeactivate)
    release_put_back(core, sc)


def gathered_active(core: Core, zone: int, priority: int, sc: LruScanControl) -> int:
    """What has come together of the active list's shares, once it is a batch."""
    core.zones.nr_scan_active[zone] += (core.zones.count(zone, NR_ACTIVE) >> priority) + 1
    gathered = core.zones.nr_scan_active[zone]
    if gathered < sc.swap_cluster_max:
        return 0
    core.zones.nr_scan_active[zone] = 0
    return gathered


def gathered_inactive(core: Core, zone: int, priority: int, sc: LruScanControl) -> int:
    core.zones.nr_scan_inactive[zone] += (core.zones.count(zone, NR_INACTIVE) >> priority) + 1
    gathered = core.zones.nr_scan_inactive[zone]
    if gathered < sc.swap_cluster_max:
        return 0
    core.zones.nr_scan_inactive[zone] = 0
    return gathered


def shrink_zone(core: Core, priority: int, zone: int, sc: LruScanControl) -> int:
    """A share of each list by priority; then batches of both lists in turn. Of the zone's lists it is gathered up until it is worth a
    batch."""
    if sc.is_zonewide:
        nr_active = gathered_active(core, zone, priority, sc)
        nr_inactive = gathered_inactive(core, zone, priority, sc)
    else:
        nr_active = sc.model.nr_to_scan(core, sc.mem_container, zone, priority, True)
        nr_inactive = sc.model.nr_to_scan(core, sc.mem_container, zone, priority, False)

    nr_reclaimed = 0
    while nr_active > 0 or nr_inactive > 0:
        if nr_active > 0:
            nr_to_scan = min(nr_active, sc.swap_cluster_max)
            nr_active -= nr_to_scan
            shrink_active_list(core, nr_to_scan, zone, sc, priority)
        if nr_inactive > 0:
            nr_to_scan = min(nr_inactive, sc.swap_cluster_max)
            nr_inactive -= nr_to_scan
            nr_reclaimed += shrink_inactive_list(core, nr_to_scan, zone, sc)
    if not core.current_is_kswapd:
        throttle_vm_writeout(core, sc.gfp_mask)
    return nr_reclaimed


def note_zone_scanning_priority(core: Core, zone: int, priority: int) -> None:
    if priority < core.zones.prev_priority[zone]:
        core.zones.prev_priority[zone] = priority
