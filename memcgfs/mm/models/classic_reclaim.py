"""Who asks for reclaim, and the walk from there to the lists of one group (mm/vmscan.c of 6.18: try_to_free_mem_cgroup_pages,
do_try_to_free_pages, shrink_node, balance_pgdat).

A group at its limit, the machine out of memory and kswapd take the same path. Groups are visited in turn: where a walk ends because
enough is free, the next one on behalf of the same group goes on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core import Core
from ..lru import MAX_SCAN_DEPTH
from ..page_alloc import get_page
from ..params import ALLOCSTALL, GFP_KERNEL, LRU_ACTIVE_ANON, LRU_ACTIVE_FILE, LRU_INACTIVE_ANON, LRU_INACTIVE_FILE, MAX_NR_ZONES
from ..params import NR_FREE_PAGES, PAGEOUTRUN, PG_LRU, WMARK_HIGH
from ..trace import trace_event
from ..trace_ring import BEGIN_ALLOCATION, BEGIN_LIMIT, BEGIN_WATERMARK, END_BALANCED, END_ENOUGH, END_GAVE_UP, END_ZONES_LEFT
from ..trace_ring import TRACE_DIRECT_RECLAIM_BEGIN, TRACE_DIRECT_RECLAIM_END, TRACE_KSWAPD_SLEEP, TRACE_KSWAPD_WAKE
from ..trace_ring import TRACE_MEMCG_RECLAIM_BEGIN, TRACE_MEMCG_RECLAIM_END
from ..vmpressure import vmpressure, vmpressure_prio
from ..vmscan import shrink_slab
from .classic_scan import DEACTIVATE_ANON, DEACTIVATE_FILE, FOLIO_LIST, ClassicScanControl, classic_scan_head
from .classic_scan import classic_shrink_active_list, inactive_is_low, move_folios_to_lru, shrink_folio_list, shrink_lruvec
from .lruvec import lruvec_del_folio
from .lruvec import WORKINGSET_ACTIVATE_ANON, WORKINGSET_ACTIVATE_FILE
from .soft_limit import soft_limit_reclaim

if TYPE_CHECKING:
    from .classic import Classic


def prepare_scan_control(core: Core, sc: ClassicScanControl, node: int) -> None:
    """What one pass at one priority goes by: the target's numbers on this node, all but the costs as of the last flush."""
    lruvec = sc.model.lruvecs.lruvec(sc.target, node)
    sc.anon_cost = sc.model.lruvecs.anon_cost[lruvec]
    sc.file_cost = sc.model.lruvecs.file_cost[lruvec]
    sc.may_deactivate = DEACTIVATE_ANON | DEACTIVATE_FILE
    if not sc.force_deactivate:
        sc.may_deactivate = 0
        anon = sc.model.lruvecs.page_state(lruvec, WORKINGSET_ACTIVATE_ANON)
        if anon != sc.model.lruvecs.refaults[2 * lruvec] or inactive_is_low(core, sc, lruvec, LRU_INACTIVE_ANON):
            sc.may_deactivate |= DEACTIVATE_ANON
        file = sc.model.lruvecs.page_state(lruvec, WORKINGSET_ACTIVATE_FILE)
        if file != sc.model.lruvecs.refaults[2 * lruvec + 1] or inactive_is_low(core, sc, lruvec, LRU_INACTIVE_FILE):
            sc.may_deactivate |= DEACTIVATE_FILE
    sc.cache_trim_mode = False
    if sc.model.lruvecs.page_state(lruvec, LRU_INACTIVE_FILE) >> sc.priority > 0 and sc.may_deactivate & DEACTIVATE_FILE == 0:
        sc.cache_trim_mode = not sc.no_cache_trim_mode
    sc.file_is_tiny = False
    if not sc.is_cgroup:
        sc.file_is_tiny = has_few_files(core, sc, node)


def has_few_files(core: Core, sc: ClassicScanControl, node: int) -> bool:
    """sc->file_is_tiny: what is free and what files have would not lift the node over its high watermarks, and there are anonymous pages to
    look at."""
    if sc.may_deactivate & DEACTIVATE_ANON:
        return False
    file = 0
    high = 0
    anon = 0
    for zone in range(node * MAX_NR_ZONES, (node + 1) * MAX_NR_ZONES):
        file += core.zones.count(zone, NR_FREE_PAGES)
        high += core.zones.wmark[zone * 3 + WMARK_HIGH]
    group = 0
    while group >= 0:
        lruvec = sc.model.lruvecs.lruvec(group, node)
        file += sc.model.lruvecs.list_size(lruvec, LRU_ACTIVE_FILE, MAX_NR_ZONES - 1)
        file += sc.model.lruvecs.list_size(lruvec, LRU_INACTIVE_FILE, MAX_NR_ZONES - 1)
        anon += sc.model.lruvecs.list_size(lruvec, LRU_INACTIVE_ANON, MAX_NR_ZONES - 1)
        group = core.containers.next_in_subtree(0, group)
    return file <= high and anon >> sc.priority > 0


def shrink_node_memcgs(core: Core, sc: ClassicScanControl, node: int) -> None:
    is_partial = not core.current_is_kswapd and not sc.full_walk
    group = sc.model.lruvecs.first_of_walk(core, sc.target, node, is_partial)
    while group >= 0:
        shrink_lruvec(core, sc, group, sc.model.lruvecs.lruvec(group, node))
        if is_partial and sc.nr_reclaimed >= sc.nr_to_reclaim:
            break
        group = sc.model.lruvecs.next_of_walk(core, sc.target, node, group, is_partial)


def classic_shrink_node(core: Core, sc: ClassicScanControl, node: int) -> None:
    """One node at one priority. Objects of the kernel's caches are the machine's, and are aged on its behalf only."""
    prepare_scan_control(core, sc, node)
    nr_scanned = sc.nr_scanned
    nr_reclaimed = sc.nr_reclaimed
    shrink_node_memcgs(core, sc, node)
    if not sc.is_cgroup:
        slab_before = core.reclaimed_slab
        shrink_slab(core, sc.nr_scanned - nr_scanned, sc.gfp_mask, node_lru_pages(core, node))
        sc.nr_reclaimed += core.reclaimed_slab - slab_before
    vmpressure(core, sc.target, sc.nr_scanned - nr_scanned, sc.nr_reclaimed - nr_reclaimed)


def node_lru_pages(core: Core, node: int) -> int:
    pages = 0
    for zone in range(node * MAX_NR_ZONES, (node + 1) * MAX_NR_ZONES):
        pages += core.zones.nr_lru_pages(zone)
    return pages


def classic_shrink_zones(core: Core, sc: ClassicScanControl, zonelist: int) -> None:
    """Each node of the zonelist once, in its order; who is above his soft limit there comes first."""
    last_node = -1
    for place in range(core.zones.nr_in_list(zonelist)):
        node = core.zones.zone_in_list(zonelist, place) // MAX_NR_ZONES
        if node != last_node:
            last_node = node
            if not sc.is_cgroup:
                soft_limit_reclaim(core, sc, node)
            classic_shrink_node(core, sc, node)


def snapshot_refaults(core: Core, sc: ClassicScanControl) -> None:
    """Whether there are new activating refaults at the next reclaim, is told from here. The kernel does so for the target's lists alone."""
    for node in range(core.nr_nodes):
        lruvec = sc.model.lruvecs.lruvec(sc.target, node)
        sc.model.lruvecs.refaults[2 * lruvec] = sc.model.lruvecs.page_state(lruvec, WORKINGSET_ACTIVATE_ANON)
        sc.model.lruvecs.refaults[2 * lruvec + 1] = sc.model.lruvecs.page_state(lruvec, WORKINGSET_ACTIVATE_FILE)


def run_priorities(core: Core, sc: ClassicScanControl, zonelist: int) -> None:
    """Ever harder, from priority 12 to 0, until enough is free."""
    sc.priority = core.def_priority
    while True:
        core.current_priority = sc.priority
        vmpressure_prio(core, sc.target, sc.priority)
        sc.nr_scanned = 0
        classic_shrink_zones(core, sc, zonelist)
        if sc.nr_reclaimed >= sc.nr_to_reclaim or sc.priority == 0:
            break
        sc.priority -= 1
    snapshot_refaults(core, sc)


def classic_free_pages(core: Core, sc: ClassicScanControl, zonelist: int) -> int:
    """do_try_to_free_pages: where nothing came free, once more through all groups; and where active pages were spared, once more without
    sparing them. Gives the pages that came free."""
    if not sc.is_cgroup:
        core.count(ALLOCSTALL)
    before_priority = core.current_priority
    if core.traced:
        trace_classic_begin(core, sc)
    core.scan_depth += 1
    run_priorities(core, sc, zonelist)
    if sc.nr_reclaimed == 0:
        sc.full_walk = True
        run_priorities(core, sc, zonelist)
    if sc.nr_reclaimed == 0 and sc.skipped_deactivate:
        sc.force_deactivate = True
        sc.skipped_deactivate = False
        run_priorities(core, sc, zonelist)
    core.scan_depth -= 1
    if core.traced:
        trace_classic_end(core, sc)
    core.current_priority = before_priority
    return sc.nr_reclaimed


def trace_classic_begin(core: Core, sc: ClassicScanControl) -> None:
    if sc.is_cgroup:
        trace_event(core, TRACE_MEMCG_RECLAIM_BEGIN, sc.target, sc.order, core.def_priority, BEGIN_LIMIT)
    else:
        trace_event(core, TRACE_DIRECT_RECLAIM_BEGIN, -1, sc.order, core.def_priority, BEGIN_ALLOCATION)


def trace_classic_end(core: Core, sc: ClassicScanControl) -> None:
    reason = END_GAVE_UP
    if sc.nr_reclaimed > 0:
        reason = END_ZONES_LEFT
    if sc.nr_reclaimed >= sc.nr_to_reclaim:
        reason = END_ENOUGH
    if sc.is_cgroup:
        trace_event(core, TRACE_MEMCG_RECLAIM_END, sc.target, sc.order, sc.priority, reason, sc.nr_reclaimed)
    else:
        trace_event(core, TRACE_DIRECT_RECLAIM_END, -1, sc.order, sc.priority, reason, sc.nr_reclaimed)


def reclaim_for_limit(core: Core, model: Classic, container: int, may_swap: bool) -> int:
    """try_to_free_mem_cgroup_pages: at least SWAP_CLUSTER_MAX pages of the group and those below it, on all nodes, that of who runs first.
    Anonymous pages stay where memory and swap together are what is short."""
    if core.scan_depth == MAX_SCAN_DEPTH:
        return 0
    sc = ClassicScanControl(core, model, container, True, GFP_KERNEL)
    sc.may_swap = may_swap
    return classic_free_pages(core, sc, core.current_node * MAX_NR_ZONES + core.user_zone)


def reclaim_for_allocation(core: Core, model: Classic, zonelist: int, order: int, gfp: int) -> bool:
    """try_to_free_pages: by who needs a page, in the zones that can give it."""
    if core.scan_depth == MAX_SCAN_DEPTH:
        return False
    sc = ClassicScanControl(core, model, 0, False, gfp)
    sc.order = order
    sc.highest_type = core.zones.zone_in_list(zonelist, 0) % MAX_NR_ZONES
    return classic_free_pages(core, sc, zonelist) > 0


def reclaim_one_folio(core: Core, model: Classic, pfn: int) -> bool:
    """reclaim_pages, for a page that somebody advises to take (MADV_PAGEOUT): references do not count, and a write is not waited for. Is
    the page free?"""
    if not core.frames.has(pfn, PG_LRU) or core.scan_depth == MAX_SCAN_DEPTH:
        return False
    sc = ClassicScanControl(core, model, 0, False, GFP_KERNEL)
    sc.ignores_references = True
    folios = classic_scan_head(model, sc, FOLIO_LIST)
    core.scan_depth += 1
    get_page(core, pfn)
    lruvec_del_folio(core, model.lruvecs, pfn)
    core.frames.clear(pfn, PG_LRU)
    core.lru.add(folios, pfn)
    nr_reclaimed = shrink_folio_list(core, sc)
    move_folios_to_lru(core, sc, folios)
    core.scan_depth -= 1
    return nr_reclaimed > 0


def pgdat_balanced(core: Core, node: int, order: int) -> bool:
    """Has some zone of the node its high watermark left for such a block? A node without pages is balanced."""
    has_zone = 0
    for zone in range(node * MAX_NR_ZONES, (node + 1) * MAX_NR_ZONES):
        if core.zones.present[zone] > 0:
            has_zone = 1
            if core.zones.watermark_ok(zone, order, WMARK_HIGH, node * MAX_NR_ZONES + core.user_zone, 0):
                return True
    return has_zone == 0


def kswapd_age_node(core: Core, sc: ClassicScanControl, node: int) -> None:
    """A batch of each group's active anonymous pages is deactivated where too few are inactive."""
    if core.swap.total_swap_pages == 0:
        return
    group = 0
    while group >= 0:
        lruvec = sc.model.lruvecs.lruvec(group, node)
        if inactive_is_low(core, sc, lruvec, LRU_INACTIVE_ANON):
            classic_shrink_active_list(core, core.swap_cluster_max, lruvec, sc, LRU_ACTIVE_ANON)
        group = core.containers.next_in_subtree(0, group)


def classic_balance_pgdat(core: Core, model: Classic, node: int) -> None:
    """kswapd of a node, from being woken to going to sleep: ever harder until the node is balanced, down to priority 1. Where it freed
    nothing at all it waits for the next who wakes it."""
    sc = ClassicScanControl(core, model, 0, False, GFP_KERNEL)
    sc.order = core.kswapd_max_order[node]
    core.kswapd_max_order[node] = 0
    core.count(PAGEOUTRUN)
    if core.traced:
        trace_event(core, TRACE_KSWAPD_WAKE, -1, node, sc.order, core.def_priority, BEGIN_WATERMARK)
    core.scan_depth += 1
    sc.nr_to_reclaim = 0
    for zone in range(node * MAX_NR_ZONES, (node + 1) * MAX_NR_ZONES):
        if core.zones.present[zone] > 0:
            sc.nr_to_reclaim += max(core.zones.wmark[zone * 3 + WMARK_HIGH], core.swap_cluster_max)
    while sc.priority >= 1 and not pgdat_balanced(core, node, sc.order):
        core.current_priority = sc.priority
        kswapd_age_node(core, sc, node)
        sc.nr_scanned = 0
        nr_before = sc.nr_reclaimed
        soft_limit_reclaim(core, sc, node)
        classic_shrink_node(core, sc, node)
        if sc.nr_scanned < sc.nr_to_reclaim or sc.nr_reclaimed == nr_before:
            sc.priority -= 1
    snapshot_refaults(core, sc)
    core.scan_depth -= 1
    if core.traced:
        trace_event(core, TRACE_KSWAPD_SLEEP, -1, node, sc.order, sc.priority, END_BALANCED)
