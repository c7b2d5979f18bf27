"""The model of Linux 2.6.25, the first release: a pair of lists for each group and zone, and numbers of its own for each group
(mm/memcontrol.c and mm/vmscan.c of 2.6.25).

What the kernel calls mem_cgroup is a container here, page_cgroup a meta page. A record says on which of the two lists it is
(PAGE_CGROUP_FLAG_ACTIVE, here PG_META_ACTIVE), which may differ from what its page says of itself (PG_active): isolation mends that.
How much of its lists a group gives at a priority, how much of it is mapped, how unequal its lists are, and how hard its last reclaim
was, are its own; the zone's numbers are for the machine's reclaim alone.

A group's prev_priority is 0 until its first reclaim has ended: the structure is zeroed, and nobody sets it (mem_cgroup_create).
"""

from __future__ import annotations

from ..core import Core
from ..lru import MAX_SCAN_DEPTH
from ..memcontrol import page_get_meta_page
from ..params import GFP_KERNEL, LOCK_CONTAINER_LRU, MAX_NR_ZONES, NR_ACTIVE, NR_ANON_PAGES, NR_FILE_MAPPED, NR_INACTIVE, PG_ACTIVE, PG_LRU
from ..params import PG_META_ACTIVE, WMARK_HIGH
from ..trace import trace_event
from ..trace_ring import MET_NOT_ON_LRU, MET_TAKEN, MOVED_MENDED, TRACE_MOVE_LISTS
from ..vmscan import isolate_lru_page
from .double_lru import DoubleLru, do_try_to_free_pages, double_lru_heads
from .shrink import LruScanControl, trace_met


class Cgroups2008(DoubleLru):
    """In core.meta, a group has two heads for each zone: see group_list. mz_count: the length of each; nr_active, nr_inactive: of all of
    a group's."""

    name = "cgroups2008"

    def __init__(self, core: Core) -> None:
        nr_containers = core.containers.nr_containers
        nr_lists = 2 * nr_containers * core.zones.nr_zones
        DoubleLru.__init__(self, core, nr_lists, False, True)
        self.mz_count = core.arrays.of("q", nr_lists)
        self.nr_active = core.arrays.of("q", nr_containers)
        self.nr_inactive = core.arrays.of("q", nr_containers)
        self.prev_priority = core.arrays.of("i", nr_containers)

    @staticmethod
    def list_heads(nr_containers: int, nr_nodes: int) -> tuple[int, int]:
        nr_zones = nr_nodes * MAX_NR_ZONES
        return double_lru_heads(2 * nr_containers * nr_zones, nr_zones)

    def may_reclaim_mapped(self, core: Core, zone: int, sc: LruScanControl, priority: int) -> bool:
        """calc_reclaim_mapped: that of 2.6.23, and besides the longer the active list is in comparison, the sooner mapped pages go.

        Each step is rounded down, as in the kernel.
        """
        if sc.is_zonewide:
            if core.zones.is_near_oom(zone):
                return True
            prev_priority = core.zones.prev_priority[zone]
            mapped = core.zones.total(NR_FILE_MAPPED) + core.zones.total(NR_ANON_PAGES)
            mapped_ratio = mapped * 100 // core.vm_total_pages
            imbalance = core.zones.count(zone, NR_ACTIVE) // (core.zones.count(zone, NR_INACTIVE) + 1)
        else:
            prev_priority = self.prev_priority[sc.mem_container]
            mapped_ratio = calc_mapped_ratio(core, sc.mem_container)
            imbalance = self.nr_active[sc.mem_container] // (self.nr_inactive[sc.mem_container] + 1)
        distress = 100 >> min(prev_priority, priority)
        imbalance = imbalance * (core.swappiness + 1) // 100 * mapped_ratio // 100
        return mapped_ratio // 2 + distress + sc.swappiness + imbalance >= 100

    def has_far_too_much(self, core: Core, zone: int, order: int, class_zone: int) -> bool:
        """balance_pgdat since 2.6.24: equal pressure on every zone, unless one has way too many pages free already."""
        return core.zones.leaves(zone, order, 8 * core.zones.wmark[zone * 3 + WMARK_HIGH], class_zone)

    def nr_to_scan(self, core: Core, container: int, zone: int, priority: int, active: bool) -> int:
        """mem_cgroup_calc_reclaim_active and _inactive."""
        return self.mz_count[group_list(core, container, zone, active)] >> priority

    def note_priority(self, core: Core, container: int, priority: int) -> None:
        if priority < self.prev_priority[container]:
            self.prev_priority[container] = priority

    def record_priority(self, core: Core, container: int, priority: int) -> None:
        self.prev_priority[container] = priority

    def moved(self, core: Core, pfn: int, active: bool, why: int) -> None:
        """mem_cgroup_move_lists: the zone's lru_lock is held. A page without a record is on no group's list."""
        if not page_get_meta_page(core, pfn):
            return
        if core.traced:
            trace_event(core, TRACE_MOVE_LISTS, pfn, core.frames.container[pfn], active, core.current_priority, why)
        core.lockdep.lock(LOCK_CONTAINER_LRU)
        remove_list(core, self, pfn)
        add_list(core, self, pfn, active)
        core.lockdep.unlock(LOCK_CONTAINER_LRU)

    def charged(self, core: Core, pfn: int, container: int) -> None:
        """Every page starts at the head of the active list, also one that its zone has as inactive."""
        core.lockdep.lock(LOCK_CONTAINER_LRU)
        add_list(core, self, pfn, True)
        core.lockdep.unlock(LOCK_CONTAINER_LRU)

    def uncharged(self, core: Core, pfn: int, container: int) -> None:
        core.lockdep.lock(LOCK_CONTAINER_LRU)
        count_list(core, self, pfn, container, -1)
        core.meta.remove(pfn)
        core.lockdep.unlock(LOCK_CONTAINER_LRU)

    def first_list(self, core: Core) -> int:
        return 1

    def container_made(self, core: Core, container: int) -> None:
        first = group_list(core, container, 0, False)
        for place in range(first, first + 2 * core.zones.nr_zones):
            core.meta.init_head(core.meta.first_head + place)
        self.prev_priority[container] = 0

    def shrink_container(self, core: Core, container: int) -> bool:
        return try_to_free_mem_cgroup_pages(core, self, container)

    def count(self, core: Core, container: int, active: bool) -> int:
        return self.nr_active[container] if active else self.nr_inactive[container]

    def walk(self, core: Core, container: int) -> tuple[list[int], list[int]]:
        if container < 0:
            return self.walk_zones(core)
        active = []
        inactive = []
        for zone in range(core.zones.nr_zones):
            active += core.meta.order(core.meta.first_head + group_list(core, container, zone, True))
            inactive += core.meta.order(core.meta.first_head + group_list(core, container, zone, False))
        return (active, inactive)


def group_list(core: Core, container: int, zone: int, active: bool) -> int:
    """The number of one of a group's lists, among all."""
    return (container * core.zones.nr_zones + zone) * 2 + active


def add_list(core: Core, model: Cgroups2008, pfn: int, active: bool) -> None:
    """__mem_cgroup_add_list: at the head."""
    container = core.frames.container[pfn]
    if active:
        core.frames.set(pfn, PG_META_ACTIVE)
    else:
        core.frames.clear(pfn, PG_META_ACTIVE)
    core.meta.add(core.meta.first_head + group_list(core, container, core.frames.zone(pfn), active), pfn)
    count_list(core, model, pfn, container, 1)


def remove_list(core: Core, model: Cgroups2008, pfn: int) -> None:
    """__mem_cgroup_remove_list. The record may be set aside by an isolation; it is counted where it came from."""
    count_list(core, model, pfn, core.frames.container[pfn], -1)
    core.meta.remove(pfn)


def count_list(core: Core, model: Cgroups2008, pfn: int, container: int, amount: int) -> None:
    """One record more, or less, on the list that its flag names."""
    active = core.frames.has(pfn, PG_META_ACTIVE)
    model.mz_count[group_list(core, container, core.frames.zone(pfn), active)] += amount
    if active:
        model.nr_active[container] += amount
    else:
        model.nr_inactive[container] += amount


def calc_mapped_ratio(core: Core, container: int) -> int:
    """mem_cgroup_calc_mapped_ratio: of each 100 pages, those that are not cache; a page of a file is none of them, mapped or not."""
    usage = core.counters.pages(container)
    return (usage - core.containers.nr_cache[container]) * 100 // (usage + 1)


def mem_cgroup_isolate_pages(
    core: Core, nr_to_scan: int, dst: int, sc: LruScanControl, order: int, mode: int, zone: int, mem_container: int, active: bool
) -> int:
    """From the tail of the group's list of this zone to `dst`; each record is met once at most.

    One whose page is not on the LRU (on its way there, or isolated) stays where it is; one that is on the wrong list goes to the head of
    the other: neither is counted. What was taken returns to the head of the list at the end, the last one foremost.
    """
    source = core.meta.first_head + group_list(core, mem_container, zone, active)
    aside = sc.model.meta_scan_heads + sc.depth
    nr_taken = 0
    scan = 0
    core.lockdep.lock(LOCK_CONTAINER_LRU)
    pfn = core.meta.prev[source]
    while pfn != source and scan < nr_to_scan:
        ahead = core.meta.prev[pfn]
        if not core.frames.has(pfn, PG_LRU):
            if core.traced:
                trace_met(core, pfn, sc, active, MET_NOT_ON_LRU)
        else:
            is_active = core.frames.has(pfn, PG_ACTIVE)
            if is_active != active:
                core.lockdep.unlock(LOCK_CONTAINER_LRU)
                sc.model.moved(core, pfn, is_active, MOVED_MENDED)
                core.lockdep.lock(LOCK_CONTAINER_LRU)
            else:
                scan += 1
                core.meta.move(aside, pfn)
                if isolate_lru_page(core, pfn, mode):
                    core.lru.move(dst, pfn)
                    nr_taken += 1
                    if core.traced:
                        trace_met(core, pfn, sc, active, MET_TAKEN)
        pfn = ahead
    core.meta.splice(aside, source)
    core.lockdep.unlock(LOCK_CONTAINER_LRU)
    sc.nr_isolate_scanned = scan
    return nr_taken


def try_to_free_mem_cgroup_pages(core: Core, model: Cgroups2008, container: int) -> bool:
    """Reclaim for a group at its limit, in the zones that a user's page may come from, those of the node where it runs first."""
    if core.scan_depth == MAX_SCAN_DEPTH:
        return False
    sc = LruScanControl(core, model, model.lru, container, 0, GFP_KERNEL)
    sc.isolate_pages = mem_cgroup_isolate_pages
    core.scan_depth += 1
    success = do_try_to_free_pages(core, core.current_node * MAX_NR_ZONES + core.user_zone, sc)
    core.scan_depth -= 1
    return success
