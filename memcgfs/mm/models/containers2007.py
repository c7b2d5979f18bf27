"""The model of July 2007: beside the zones' lists one pair a container (the seed, on mm/vmscan.c of 2.6.23).

A container's pages are on one pair of lists, whatever zone they are in. Everything else on the path is the zone's, whoever scans: the
budgets, pages_scanned, all_unreclaimable, prev_priority; so that a container's reclaim takes its share from the zone's size, and leaves
its marks there.
"""

from __future__ import annotations

from ..core import Core, interleave
from ..lru import MAX_SCAN_DEPTH
from ..memcontrol import page_get_meta_page
from ..params import AT_ISOLATE, GFP_KERNEL, LOCK_CONTAINER_LRU, MAX_NR_ZONES, NR_ANON_PAGES, NR_FILE_MAPPED, PG_ACTIVE
from ..trace import trace_event
from ..trace_ring import MET_GONE, MET_NOT_ON_LRU, MET_OTHER_ZONE, MET_TAKEN, MOVED_MENDED, TRACE_MOVE_LISTS
from ..vmscan import isolate_lru_page
from .double_lru import DoubleLru, do_try_to_free_pages, double_lru_heads
from .shrink import LruScanControl, trace_met


class Containers2007(DoubleLru):
    """In core.meta, head 2c is container c's inactive list and 2c + 1 its active one."""

    name = "containers2007"

    def __init__(self, core: Core) -> None:
        DoubleLru.__init__(self, core, 2 * core.containers.nr_containers, True, False)

    @staticmethod
    def list_heads(nr_containers: int, nr_nodes: int) -> tuple[int, int]:
        return double_lru_heads(2 * nr_containers, nr_nodes * MAX_NR_ZONES)

    def may_reclaim_mapped(self, core: Core, zone: int, sc: LruScanControl, priority: int) -> bool:
        """distress is 0 at priority 12 and 100 at 0; e.g. with swappiness 60 and 80 % of memory mapped, 40 + 0 + 60 is enough at once."""
        if core.zones.is_near_oom(zone):
            return True
        distress = 100 >> min(core.zones.prev_priority[zone], priority)
        mapped = core.zones.total(NR_FILE_MAPPED) + core.zones.total(NR_ANON_PAGES)
        mapped_ratio = mapped * 100 // core.vm_total_pages
        return mapped_ratio // 2 + distress + sc.swappiness >= 100

    def moved(self, core: Core, pfn: int, active: bool, why: int) -> None:
        """mem_container_move_lists: the zone's lru_lock is held. A page without a meta page is on no container's list."""
        if not page_get_meta_page(core, pfn):
            return
        if core.traced:
            trace_event(core, TRACE_MOVE_LISTS, pfn, core.frames.container[pfn], active, core.current_priority, why)
        core.lockdep.lock(LOCK_CONTAINER_LRU)
        core.meta.move(list_head(core, core.frames.container[pfn], active), pfn)
        core.lockdep.unlock(LOCK_CONTAINER_LRU)

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

    def shrink_container(self, core: Core, container: int) -> bool:
        return try_to_free_mem_container_pages(core, self, container)

    def walk(self, core: Core, container: int) -> tuple[list[int], list[int]]:
        if container < 0:
            return self.walk_zones(core)
        return (core.meta.order(list_head(core, container, True)), core.meta.order(list_head(core, container, False)))


def list_head(core: Core, container: int, active: bool) -> int:
    return core.meta.first_head + 2 * container + active


def set_aside(core: Core, pfn: int, container: int, head: int) -> bool:
    """Moves the meta page to a private list, unless it went away while the lock was dropped."""
    if not core.meta.is_linked(pfn) or core.frames.container[pfn] != container:
        return False
    core.meta.move(head, pfn)
    return True


def mem_container_isolate_pages(
    core: Core, nr_to_scan: int, dst: int, sc: LruScanControl, order: int, mode: int, zone: int, mem_container: int, active: bool
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


def try_to_free_mem_container_pages(core: Core, model: Containers2007, container: int) -> bool:
    """Reclaim for a container at its limit: on every node in turn, one scan_control for all of them, from the zones of ZONE_USERPAGES.

    Order 1 is a slip of v4 (0 in later kernels) without effect here.
    """
    if core.scan_depth == MAX_SCAN_DEPTH:
        return False
    sc = LruScanControl(core, model, model.lru, container, 1, GFP_KERNEL)
    sc.isolate_pages = mem_container_isolate_pages
    core.scan_depth += 1
    success = False
    for node in range(core.nr_nodes):
        if not success:
            success = do_try_to_free_pages(core, node * MAX_NR_ZONES + core.user_zone, sc)
    core.scan_depth -= 1
    return success
