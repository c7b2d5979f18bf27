"""What the models of 2007 and 2008 share: a page that is charged is on two lists at once, its zone's and its container's.

Machine-wide reclaim walks the zone's lists (through page->lru), a container at its limit walks its own (through the meta page);
everything else on the path is one and the same, in 2.6.23 with the seed as in 2.6.25 (mm/vmscan.c). What differs is whose numbers the
path goes by: in 2007 the zone's, whoever scans; since 2.6.25 a container's reclaim has its own, and leaves the zone's alone
(`is_zonewide` of its scan_control).

A meta page stays on its container's list while its page is isolated. When reclaim puts a page back on another zone list than it came
from, the meta page is not moved along; the container's isolation mends that when it comes across the page.

Here are the lists' two ends: how pages get on and off, and who calls for reclaim, down to the zones. What happens to isolated pages
stands in shrink.py, the daemon in kswapd.py; how a container keeps its pages, and isolates them, in the model's own file.
"""

from __future__ import annotations

from ..core import Core
from ..lru import MAX_SCAN_DEPTH, ZoneLru, activate_page, add_page_to_list, del_page_from_lru, lru_add_drain, lru_cache_add
from ..lru import lru_cache_add_active, mark_page_accessed, nr_lru_heads, rotate_reclaimable_page
from ..model import Model
from ..page_writeback import wakeup_pdflush
from ..params import ALLOCSTALL, GFP_KERNEL, PG_ACTIVE, PG_LRU
from ..trace import trace_event, trace_lru
from ..trace_ring import ARRIVED_CALL, BEGIN_ALLOCATION, BEGIN_LIMIT, END_ENOUGH, END_GAVE_UP, END_ZONES_LEFT, MET_IN_BLOCK, MET_TAKEN
from ..trace_ring import TRACE_DIRECT_RECLAIM_BEGIN, TRACE_DIRECT_RECLAIM_END, TRACE_LRU_INSERTION, TRACE_MEMCG_RECLAIM_BEGIN
from ..trace_ring import TRACE_MEMCG_RECLAIM_END, WHY_ACTIVATE_UNUSE
from ..vmpressure import vmpressure, vmpressure_prio
from ..vmscan import isolate_lru_page, shrink_slab
from ..waiting import congestion_wait
from .kswapd import Kswapd, balance_pgdat
from .shrink import LruScanControl, note_zone_scanning_priority, shrink_zone, trace_met


class DoubleLru(Model):
    """meta_scan_heads: behind the containers' `nr_meta_lists` heads in core.meta, a private list for each scan depth.

    is_zonewide: a container's reclaim goes by the zones' numbers. waits_for_blocks: who wants a large block of memory waits for the
    pages in its way to be written.
    """

    def __init__(self, core: Core, nr_meta_lists: int, is_zonewide: bool, waits_for_blocks: bool) -> None:
        Model.__init__(self)
        self.lru = ZoneLru(core, core.zones.nr_zones)
        self.meta_scan_heads = core.meta.first_head + nr_meta_lists
        for depth in range(MAX_SCAN_DEPTH):
            core.meta.init_head(self.meta_scan_heads + depth)
        self.kswapd = Kswapd(core.arrays, core.nr_nodes)
        self.is_zonewide = is_zonewide
        self.waits_for_blocks = waits_for_blocks

    # For the path.

    def may_reclaim_mapped(self, core: Core, zone: int, sc: LruScanControl, priority: int) -> bool:
        """Is the trouble great enough, or memory mapped enough, to take mapped pages off the active list?"""
        return True

    def has_far_too_much(self, core: Core, zone: int, order: int, class_zone: int) -> bool:
        """Has the zone so much free memory that kswapd can leave it alone, although another zone of its node needs it?"""
        return False

    def nr_to_scan(self, core: Core, container: int, zone: int, priority: int, active: bool) -> int:
        """A container's share of its list, where it goes by its own numbers."""
        return 0

    def note_priority(self, core: Core, container: int, priority: int) -> None:
        """mem_cgroup_note_reclaim_priority, where it goes by its own numbers."""

    def record_priority(self, core: Core, container: int, priority: int) -> None:
        """mem_cgroup_record_reclaim_priority, likewise."""

    # For the machine.

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

    def page_freed(self, core: Core, pfn: int) -> None:
        del_page_from_lru(core, pfn)

    def written(self, core: Core, pfn: int) -> None:
        rotate_reclaimable_page(core, self.lru, pfn)

    def drain(self, core: Core) -> None:
        lru_add_drain(core, self.lru)

    def shrink_zones(self, core: Core, zonelist: int, order: int, gfp: int) -> bool:
        return try_to_free_pages(core, self, zonelist, order, gfp)

    def run_kswapd(self, core: Core, node: int) -> int:
        return run_kswapd_of_node(core, self, node)

    def walk_zones(self, core: Core) -> tuple[list[int], list[int]]:
        active = []
        inactive = []
        for zone in range(core.zones.nr_zones):
            active += core.lru.order(self.lru.head(zone, True))
            inactive += core.lru.order(self.lru.head(zone, False))
        return (active, inactive)

    def waiting(self) -> tuple[list[int], list[int]]:
        return self.lru.waiting()


def double_lru_heads(nr_meta_lists: int, nr_zones: int) -> tuple[int, int]:
    """How many list heads such a model needs in core.lru and in core.meta, those of the containers' lists among them."""
    return (nr_lru_heads(nr_zones), nr_meta_lists + MAX_SCAN_DEPTH)


def isolate_pages_global(
    core: Core, nr_to_scan: int, dst: int, sc: LruScanControl, order: int, mode: int, zone: int, mem_container: int, active: bool
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


def shrink_zones(core: Core, priority: int, zonelist: int, sc: LruScanControl) -> int:
    """Every zone of the list; one that kswapd gave up is tried at the first priority only, by who goes by the zone's numbers."""
    sc.all_unreclaimable = True
    nr_reclaimed = 0
    for place in range(core.zones.nr_in_list(zonelist)):
        zone = core.zones.zone_in_list(zonelist, place)
        if sc.is_zonewide:
            note_zone_scanning_priority(core, zone, priority)
            if core.zones.all_unreclaimable[zone] != 0 and priority != core.def_priority:
                continue
        else:
            sc.model.note_priority(core, sc.mem_container, priority)
        sc.all_unreclaimable = False
        nr_reclaimed += shrink_zone(core, priority, zone, sc)
    return nr_reclaimed


def count_lru_pages(core: Core, zonelist: int) -> int:
    """The pages on the lists of this zonelist's zones, against which slabs are weighed."""
    pages = 0
    for place in range(core.zones.nr_in_list(zonelist)):
        pages += core.zones.nr_lru_pages(core.zones.zone_in_list(zonelist, place))
    return pages


def do_try_to_free_pages(core: Core, zonelist: int, sc: LruScanControl) -> bool:
    """The shared driver: ever harder, from priority 12 to 0, until swap_cluster_max pages are free.

    For a container slabs are spared, and only freed pages are success; for the machine it is enough that a zone was worth scanning.
    How hard it is, is told as today (vmpressure): of the container, or of the top one.
    """
    if sc.is_zonewide:
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
        nr_before = nr_reclaimed
        vmpressure_prio(core, max(sc.mem_container, 0), priority)
        nr_reclaimed += shrink_zones(core, priority, zonelist, sc)
        if sc.mem_container < 0:
            slab_before = core.reclaimed_slab
            shrink_slab(core, sc.nr_scanned, sc.gfp_mask, lru_pages)
            nr_reclaimed += core.reclaimed_slab - slab_before
        vmpressure(core, max(sc.mem_container, 0), sc.nr_scanned, nr_reclaimed - nr_before)
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
    record_priority(core, zonelist, sc, max(priority, 0))
    if core.traced:
        trace_reclaim_end(core, sc, nr_reclaimed, max(priority, 0), success)
    core.current_priority = before_priority
    return success


def record_priority(core: Core, zonelist: int, sc: LruScanControl, priority: int) -> None:
    """What the next reclaim begins with as the distress of this one."""
    if not sc.is_zonewide:
        sc.model.record_priority(core, sc.mem_container, priority)
        return
    for place in range(core.zones.nr_in_list(zonelist)):
        core.zones.prev_priority[core.zones.zone_in_list(zonelist, place)] = priority


def trace_reclaim_begin(core: Core, sc: LruScanControl) -> None:
    if sc.mem_container < 0:
        trace_event(core, TRACE_DIRECT_RECLAIM_BEGIN, -1, sc.order, core.def_priority, BEGIN_ALLOCATION)
    else:
        trace_event(core, TRACE_MEMCG_RECLAIM_BEGIN, sc.mem_container, sc.order, core.def_priority, BEGIN_LIMIT)


def trace_reclaim_end(core: Core, sc: LruScanControl, nr_reclaimed: int, priority: int, success: bool) -> None:
    """Enough is swap_cluster_max; where less came free the machine is content with a zone that is worth another try, a container is not."""
    reason = END_ZONES_LEFT if success else END_GAVE_UP
    if nr_reclaimed >= sc.swap_cluster_max:
        reason = END_ENOUGH
    event = TRACE_DIRECT_RECLAIM_END if sc.mem_container < 0 else TRACE_MEMCG_RECLAIM_END
    trace_event(core, event, sc.mem_container, sc.order, priority, reason, nr_reclaimed)


def try_to_free_pages(core: Core, model: DoubleLru, zonelist: int, order: int, gfp: int) -> bool:
    """Direct reclaim by who needs a page."""
    if core.scan_depth == MAX_SCAN_DEPTH:
        return False
    sc = LruScanControl(core, model, model.lru, -1, order, gfp)
    sc.isolate_pages = isolate_pages_global
    core.scan_depth += 1
    success = do_try_to_free_pages(core, zonelist, sc)
    core.scan_depth -= 1
    return success


def run_kswapd_of_node(core: Core, model: DoubleLru, node: int) -> int:
    """Some of the work of one kswapd, while others may nap in the middle of theirs."""
    sc = LruScanControl(core, model, model.lru, -1, 0, GFP_KERNEL)
    sc.isolate_pages = isolate_pages_global
    return balance_pgdat(core, model.kswapd, node, sc)
