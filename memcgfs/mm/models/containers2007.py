"""The model of July 2007: one pair of lists a zone, and beside it one pair a container (the seed, on mm/vmscan.c of 2.6.23).

A page on the LRU is on two lists at once: its zone's (through page->lru) and, if it is charged, its container's (through its meta
page). Machine-wide reclaim walks the zone's lists, a container at its limit walks its own; everything else on the path is shared, and
so are its numbers: pages_scanned, all_unreclaimable, prev_priority and the scan accumulators are the zone's, whoever scans.

A meta page stays on its container's list while its page is isolated. When reclaim puts a page back on another zone list than it came
from, the meta page is not moved along; the container's isolation mends that when it comes across the page.

The file reads from the lists to the entries: isolation, the priority loop, who calls it. What happens to isolated pages stands in
shrink2007.py, the daemon in kswapd2007.py.
"""

from __future__ import annotations

from ..core import Core, interleave
from ..lru import MAX_SCAN_DEPTH, ZoneLru, activate_page, add_page_to_list, del_page_from_lru, lru_add_drain, lru_cache_add
from ..lru import lru_cache_add_active
from ..lru import mark_page_accessed, rotate_reclaimable_page
from ..memcontrol import page_get_meta_page
from ..model import Model
from ..page_writeback import wakeup_pdflush
from ..params import ALLOCSTALL, AT_ISOLATE, GFP_KERNEL, LOCK_CONTAINER_LRU, MAX_NR_ZONES
from ..params import PG_ACTIVE, PG_LRU
from ..trace import trace_event, trace_lru
from ..trace_ring import ARRIVED_CALL, BEGIN_ALLOCATION, BEGIN_LIMIT, END_ENOUGH, END_GAVE_UP, END_ZONES_LEFT, MET_GONE, MET_IN_BLOCK
from ..trace_ring import MET_NOT_ON_LRU, MET_OTHER_ZONE, MET_TAKEN, MOVED_MENDED, TRACE_DIRECT_RECLAIM_BEGIN, TRACE_DIRECT_RECLAIM_END
from ..trace_ring import TRACE_LRU_INSERTION, TRACE_MEMCG_RECLAIM_BEGIN, TRACE_MEMCG_RECLAIM_END, TRACE_MOVE_LISTS, WHY_ACTIVATE_UNUSE
from ..vmscan import isolate_lru_page, shrink_slab
from ..waiting import congestion_wait
from .kswapd2007 import Kswapd, balance_pgdat
from .shrink2007 import ScanControl2007, note_zone_scanning_priority, shrink_zone, trace_met


class Containers2007(Model):
    """In core.meta, head 2c is container c's inactive list and 2c + 1 its active one; then a private list for each scan depth."""

    def __init__(self, core: Core, nr_zones: int, nr_containers: int) -> None:
        self.lru = ZoneLru(core, nr_zones)
        self.meta_scan_heads = core.meta.first_head + 2 * nr_containers
        for depth in range(MAX_SCAN_DEPTH):
            core.meta.init_head(self.meta_scan_heads + depth)
        self.kswapd = Kswapd(core.arrays, core.nr_nodes)

    def page_added(self, core: Core, pfn: int, active: bool) -> None:
        if active:
            lru_cache_add_active(core, self.lru, pfn)
        else:
            lru_cache_add(core, self.lru, pfn)

    def page_arrived(self, core: Core, pfn: int) -> None:
        core.frames.set(pfn, PG_LRU)
        add_page_to_list(core, self.lru, pfn, False)
        if core.traced:
            trace_lru(core, TRACE_LRU_INSERTION, pfn, False, ARRIVED_CALL)

    def page_accessed(self, core: Core, pfn: int) -> None:
        mark_page_accessed(core, self.lru, pfn)

    def activate(self, core: Core, pfn: int) -> None:
        activate_page(core, self.lru, pfn, WHY_ACTIVATE_UNUSE)

    def moved(self, core: Core, pfn: int, active: bool, why: int) -> None:
        """mem_container_move_lists: the zone's lru_lock is held. A page without a meta page is on no container's list."""
        if not page_get_meta_page(core, pfn):
            return
        if core.traced:
            trace_event(core, TRACE_MOVE_LISTS, pfn, core.frames.container[pfn], active, core.current_priority, why)
        core.lockdep.lock(LOCK_CONTAINER_LRU)
        core.meta.move(list_head(core, core.frames.container[pfn], active), pfn)
        core.lockdep.unlock(LOCK_CONTAINER_LRU)

    def page_freed(self, core: Core, pfn: int) -> None:
        del_page_from_lru(core, pfn)

    def written(self, core: Core, pfn: int) -> None:
        rotate_reclaimable_page(core, self.lru, pfn)

    def drain(self, core: Core) -> None:
        lru_add_drain(core, self.lru)

    def charged(self, core: Core, pfn: int, container: int) -> None:
        """Every page starts at the head of the active list, also one that its zone has as inactive."""
        core.lockdep.lock(LOCK_CONTAINER_LRU)
        core.meta.add(list_head(core, container, True), pfn)
        core.lockdep.unlock(LOCK_CONTAINER_LRU)

    def uncharged(self, core: Core, pfn: int, container: int) -> None:
        core.lockdep.lock(LOCK_CONTAINER_LRU)
        core.meta.remove(pfn)
        core.lockdep.unlock(LOCK_CONTAINER_LRU)

    def first_list(self, core: Core) -> int:
        return 1

    def container_made(self, core: Core, container: int) -> None:
        core.meta.init_head(list_head(core, container, False))
        core.meta.init_head(list_head(core, container, True))

    def shrink_zones(self, core: Core, zonelist: int, order: int, gfp: int) -> bool:
        return try_to_free_pages(core, self, zonelist, order, gfp)

    def shrink_container(self, core: Core, container: int) -> bool:
        return try_to_free_mem_container_pages(core, self, container)

    def run_kswapd(self, core: Core, node: int) -> int:
        return run_kswapd_of_node(core, self, node)

    def walk(self, core: Core, container: int) -> tuple[list[int], list[int]]:
        if container >= 0:
            return (core.meta.order(list_head(core, container, True)), core.meta.order(list_head(core, container, False)))
        active = []
        inactive = []
        for zone in range(core.zones.nr_zones):
            active += core.lru.order(self.lru.head(zone, True))
            inactive += core.lru.order(self.lru.head(zone, False))
        return (active, inactive)

    def waiting(self) -> tuple[list[int], list[int]]:
        return self.lru.waiting()


def list_head(core: Core, container: int, active: bool) -> int:
    return core.meta.first_head + 2 * container + active


def set_aside(core: Core, pfn: int, container: int, head: int) -> bool:
    """Moves the meta page to a private list, unless it went away while the lock was dropped."""
    if not core.meta.is_linked(pfn) or core.frames.container[pfn] != container:
        return False
    core.meta.move(head, pfn)
    return True


def isolate_pages_global(
    core: Core, nr_to_scan: int, dst: int, sc: ScanControl2007, order: int, mode: int, zone: int, mem_container: int, active: bool
) -> int:
    """isolate_lru_pages: from the tail of the zone's list to `dst`. Where a block is wanted, with what can go of the block around each
    page (lumpy reclaim)."""
    source = sc.model.lru.head(zone, active)
    nr_taken = 0
    scan = 0
    while scan < nr_to_scan and not core.lru.is_empty(source):
        pfn = core.lru.prev[source]
        scan += 1
        isolate_lru_page(core, pfn, mode)
        core.lru.move(dst, pfn)
        nr_taken += 1
        if core.traced:
            trace_met(core, pfn, sc, active, MET_TAKEN)
        if order > 0:
            first = (pfn >> order) << order
            for cursor in range(max(first, core.zones.start[zone]), min(first + (1 << order), core.zones.end[zone])):
                if cursor == pfn:
                    continue
                scan += 1
                if isolate_lru_page(core, cursor, mode):
                    core.lru.move(dst, cursor)
                    nr_taken += 1
                    if core.traced:
                        trace_met(core, cursor, sc, core.frames.has(cursor, PG_ACTIVE), MET_IN_BLOCK)
    sc.nr_isolate_scanned = scan
    return nr_taken


def mem_container_isolate_pages(
    core: Core, nr_to_scan: int, dst: int, sc: ScanControl2007, order: int, mode: int, zone: int, mem_container: int, active: bool
) -> int:
    """From the tail of the container's list to `dst`, where the pages belong to this zone.

    The tail decides: active on the inactive list or the other way round, it moves to the head of the list where it belongs and is not
    counted; in another zone, it is counted and stays, so that nothing behind it is reached in this call; gone meanwhile, it is counted.
    Otherwise its meta page is set aside, and the page is taken if it is on the LRU. What was set aside returns to the head at the end.
    """
    source = list_head(core, mem_container, active)
    aside = sc.model.meta_scan_heads + sc.depth
    nr_taken = 0
    scan = 0
    while scan < nr_to_scan and not core.meta.is_empty(source):
        pfn = core.meta.prev[source]
        interleave(core, AT_ISOLATE, pfn)
        is_active = core.frames.has(pfn, PG_ACTIVE)
        if is_active and not active:
            sc.model.moved(core, pfn, True, MOVED_MENDED)
            continue
        if not is_active and active:
            sc.model.moved(core, pfn, False, MOVED_MENDED)
            continue
        scan += 1
        if core.frames.zone(pfn) != zone:
            if core.traced:
                trace_met(core, pfn, sc, active, MET_OTHER_ZONE)
            continue
        core.lockdep.lock(LOCK_CONTAINER_LRU)
        is_there = set_aside(core, pfn, mem_container, aside)
        core.lockdep.unlock(LOCK_CONTAINER_LRU)
        met = MET_NOT_ON_LRU if is_there else MET_GONE
        if is_there and isolate_lru_page(core, pfn, mode):
            core.lru.move(dst, pfn)
            nr_taken += 1
            met = MET_TAKEN
        if core.traced:
            trace_met(core, pfn, sc, active, met)
    core.lockdep.lock(LOCK_CONTAINER_LRU)
    core.meta.splice(aside, source)
    core.lockdep.unlock(LOCK_CONTAINER_LRU)
    sc.nr_isolate_scanned = scan
    return nr_taken


def shrink_zones(core: Core, priority: int, zonelist: int, sc: ScanControl2007) -> int:
    """Every zone of the list; one that kswapd gave up is tried at the first priority only."""
    sc.all_unreclaimable = True
    nr_reclaimed = 0
    for place in range(core.zones.nr_in_list(zonelist)):
        zone = core.zones.zone_in_list(zonelist, place)
        note_zone_scanning_priority(core, zone, priority)
        if core.zones.all_unreclaimable[zone] == 0 or priority == core.def_priority:
            sc.all_unreclaimable = False
            nr_reclaimed += shrink_zone(core, priority, zone, sc)
    return nr_reclaimed


def count_lru_pages(core: Core, zonelist: int) -> int:
    """The pages on the lists of this zonelist's zones, against which slabs are weighed."""
    pages = 0
    for place in range(core.zones.nr_in_list(zonelist)):
        pages += core.zones.nr_lru_pages(core.zones.zone_in_list(zonelist, place))
    return pages


def do_try_to_free_pages(core: Core, zonelist: int, sc: ScanControl2007) -> bool:
    """The shared driver: ever harder, from priority 12 to 0, until swap_cluster_max pages are free.

    For a container slabs are spared, and only freed pages are success; for the machine it is enough that a zone was worth scanning.
    """
    core.count(ALLOCSTALL)
    before_priority = core.current_priority
    if core.traced:
        trace_reclaim_begin(core, sc)
    lru_pages = count_lru_pages(core, zonelist)
    success = False
    nr_reclaimed = 0
    total_scanned = 0
    priority = core.def_priority
    while priority >= 0:
        sc.nr_scanned = 0
        core.current_priority = priority
        if priority == 0:
            core.token.disable()
        nr_reclaimed += shrink_zones(core, priority, zonelist, sc)
        if sc.mem_container < 0:
            slab_before = core.reclaimed_slab
            shrink_slab(core, sc.nr_scanned, sc.gfp_mask, lru_pages)
            nr_reclaimed += core.reclaimed_slab - slab_before
        total_scanned += sc.nr_scanned
        if nr_reclaimed >= sc.swap_cluster_max:
            success = True
            break
        if total_scanned > sc.swap_cluster_max + sc.swap_cluster_max // 2:
            wakeup_pdflush(core, 0 if core.laptop_mode != 0 else total_scanned)
            sc.may_writepage = True
        if sc.nr_scanned > 0 and priority < core.def_priority - 2:
            congestion_wait(core, core.wait_ns)
        priority -= 1
    if not success and not sc.all_unreclaimable and sc.mem_container < 0:
        success = True
    for place in range(core.zones.nr_in_list(zonelist)):
        zone = core.zones.zone_in_list(zonelist, place)
        core.zones.prev_priority[zone] = max(priority, 0)
    if core.traced:
        trace_reclaim_end(core, sc, nr_reclaimed, max(priority, 0), success)
    core.current_priority = before_priority
    return success


def trace_reclaim_begin(core: Core, sc: ScanControl2007) -> None:
    if sc.mem_container < 0:
        trace_event(core, TRACE_DIRECT_RECLAIM_BEGIN, -1, sc.order, core.def_priority, BEGIN_ALLOCATION)
    else:
        trace_event(core, TRACE_MEMCG_RECLAIM_BEGIN, sc.mem_container, sc.order, core.def_priority, BEGIN_LIMIT)


def trace_reclaim_end(core: Core, sc: ScanControl2007, nr_reclaimed: int, priority: int, success: bool) -> None:
    """Enough is swap_cluster_max; where less came free the machine is content with a zone that is worth another try, a container is not."""
    reason = END_ZONES_LEFT if success else END_GAVE_UP
    if nr_reclaimed >= sc.swap_cluster_max:
        reason = END_ENOUGH
    event = TRACE_DIRECT_RECLAIM_END if sc.mem_container < 0 else TRACE_MEMCG_RECLAIM_END
    trace_event(core, event, sc.mem_container, sc.order, priority, reason, nr_reclaimed)


def nr_meta_heads(nr_containers: int) -> int:
    """How many list heads the model needs in core.meta."""
    return 2 * nr_containers + MAX_SCAN_DEPTH


def try_to_free_pages(core: Core, model: Containers2007, zonelist: int, order: int, gfp: int) -> bool:
    """Direct reclaim by who needs a page."""
    if core.scan_depth == MAX_SCAN_DEPTH:
        return False
    sc = ScanControl2007(core, model, model.lru, -1, order, gfp)
    sc.isolate_pages = isolate_pages_global
    core.scan_depth += 1
    success = do_try_to_free_pages(core, zonelist, sc)
    core.scan_depth -= 1
    return success


def run_kswapd_of_node(core: Core, model: Containers2007, node: int) -> int:
    """Some of the work of one kswapd, while others may nap in the middle of theirs."""
    sc = ScanControl2007(core, model, model.lru, -1, 0, GFP_KERNEL)
    sc.isolate_pages = isolate_pages_global
    return balance_pgdat(core, model.kswapd, node, sc)


def try_to_free_mem_container_pages(core: Core, model: Containers2007, container: int) -> bool:
    """Reclaim for a container at its limit: on every node in turn, one scan_control for all of them, from the zones of ZONE_USERPAGES.

    Order 1 is a slip of v4 (0 in later kernels) without effect here.
    """
    if core.scan_depth == MAX_SCAN_DEPTH:
        return False
    sc = ScanControl2007(core, model, model.lru, container, 1, GFP_KERNEL)
    sc.isolate_pages = mem_container_isolate_pages
    core.scan_depth += 1
    success = False
    for node in range(core.nr_nodes):
        if not success:
            success = do_try_to_free_pages(core, node * MAX_NR_ZONES + core.user_zone, sc)
    core.scan_depth -= 1
    return success
