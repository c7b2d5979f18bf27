"""kswapd of 2.6.23 to 2.6.25, one a node: balance_pgdat frees pages in the background until every zone of the node has its high watermark
left for a block of the order that woke it (mm/vmscan.c).

It is a task of its own, so where it naps its state is kept here, and time goes on for others: balance_pgdat is entered again when the
nap is over, and answers with the time of its next nap's end, or -1 where it goes to sleep. It naps between passes when it is hard, and
behind a zone for as long as more is being written than throttle_vm_writeout allows. Only a larger order that was asked for meanwhile
keeps it from sleeping.
"""

from __future__ import annotations

from ..arrays import Arrays
from ..core import Core
from ..lru import MAX_SCAN_DEPTH
from ..page_writeback import is_writeout_over_limit
from ..params import DAEMON_KSWAPD, MAX_NR_ZONES, PAGEOUTRUN, WMARK_HIGH
from ..trace import trace_event
from ..trace_ring import BEGIN_WATERMARK, END_BALANCED, TRACE_KSWAPD_SLEEP, TRACE_KSWAPD_WAKE
from ..vmscan import shrink_slab
from ..waiting import congestion_nap
from .shrink import LruScanControl, note_zone_scanning_priority, shrink_zone


class Kswapd:
    """By node. priority -1: asleep, so that the next call begins a new run. temp_priority: the level at which each zone was left.

    zone, end_zone: where the pass under way is, -1 between passes; is_shrunk: that zone's pages were scanned (nr_scanned of them), and
    its nap is not over. are_all_ok: no zone of the pass was short of pages; lru_pages: on its zones' lists at
    its start. The rest is what balance_pgdat's scan_control holds.
    """

    def __init__(self, arrays: Arrays, nr_nodes: int) -> None:
        self.priority = arrays.of("i", nr_nodes)
        self.order = arrays.of("i", nr_nodes)
        self.nr_reclaimed = arrays.of("q", nr_nodes)
        self.total_scanned = arrays.of("q", nr_nodes)
        self.may_writepage = arrays.of("B", nr_nodes)
        self.swappiness = arrays.of("i", nr_nodes)
        self.temp_priority = arrays.of("i", nr_nodes * MAX_NR_ZONES)
        self.zone = arrays.of("i", nr_nodes)
        self.end_zone = arrays.of("i", nr_nodes)
        self.lru_pages = arrays.of("q", nr_nodes)
        self.is_shrunk = arrays.of("B", nr_nodes)
        self.nr_scanned = arrays.of("q", nr_nodes)
        self.are_all_ok = arrays.of("B", nr_nodes)
        for node in range(nr_nodes):
            self.priority[node] = -1
            self.zone[node] = -1

    def wake(self, core: Core, node: int) -> None:
        """balance_pgdat is called, for the largest order that was asked for."""
        self.order[node] = core.kswapd_max_order[node]
        self.swappiness[node] = core.swappiness
        self.restart(core, node)

    def restart(self, core: Core, node: int) -> None:
        """A new run from the lowest pressure."""
        self.priority[node] = core.def_priority
        self.nr_reclaimed[node] = 0
        self.total_scanned[node] = 0
        self.may_writepage[node] = core.laptop_mode == 0
        core.count(PAGEOUTRUN)
        for zone in range(node * MAX_NR_ZONES, (node + 1) * MAX_NR_ZONES):
            self.temp_priority[zone] = core.def_priority

    def may_sleep(self, core: Core, node: int) -> bool:
        """kswapd's loop: the orders that were asked for are forgotten, and what was done for them is enough unless one is larger."""
        asked = core.kswapd_max_order[node]
        core.kswapd_max_order[node] = 0
        if self.order[node] >= asked:
            return True
        core.kswapd_max_order[node] = asked
        return False


def balance_pgdat(core: Core, kswapd: Kswapd, node: int, sc: LruScanControl) -> int:
    """Until all zones are balanced, or a nap is due."""
    if core.scan_depth == MAX_SCAN_DEPTH:
        return congestion_nap(core, DAEMON_KSWAPD + node)
    core.scan_depth += 1
    wake_ns = run_until_nap(core, kswapd, node, sc)
    core.scan_depth -= 1
    return wake_ns


def run_until_nap(core: Core, kswapd: Kswapd, node: int, sc: LruScanControl) -> int:
    if kswapd.priority[node] < 0:
        kswapd.wake(core, node)
        if core.traced:
            trace_event(core, TRACE_KSWAPD_WAKE, -1, node, kswapd.order[node], kswapd.priority[node], BEGIN_WATERMARK)
    while True:
        while begin_pass(core, kswapd, node):
            if not balance_zones(core, kswapd, node, sc):
                return congestion_nap(core, DAEMON_KSWAPD + node)
            if kswapd.are_all_ok[node] != 0:
                break
            napping = wants_nap(core, kswapd, node)
            kswapd.priority[node] -= 1
            if kswapd.nr_reclaimed[node] >= core.swap_cluster_max or kswapd.priority[node] < 0:
                note_temp_priorities(core, kswapd, node)
                kswapd.restart(core, node)
            if napping:
                return congestion_nap(core, DAEMON_KSWAPD + node)
        note_temp_priorities(core, kswapd, node)
        priority = kswapd.priority[node]
        kswapd.priority[node] = -1
        if kswapd.may_sleep(core, node):
            if core.traced:
                trace_event(core, TRACE_KSWAPD_SLEEP, -1, node, kswapd.order[node], priority, END_BALANCED)
            return -1
        kswapd.wake(core, node)


def note_temp_priorities(core: Core, kswapd: Kswapd, node: int) -> None:
    """The level at which each zone was brought back to health, or was given up in this run."""
    for zone in range(node * MAX_NR_ZONES, (node + 1) * MAX_NR_ZONES):
        core.zones.prev_priority[zone] = kswapd.temp_priority[zone]


def wants_nap(core: Core, kswapd: Kswapd, node: int) -> bool:
    """It was hard: pages were scanned, and the third level of pressure was not enough (the last one, on a machine that has no third)."""
    return kswapd.total_scanned[node] > 0 and kswapd.priority[node] < max(core.def_priority - 2, 1)


def begin_pass(core: Core, kswapd: Kswapd, node: int) -> bool:
    """One pass at one priority: from the lowest zone up to the highest that is short of pages. False where none is. A pass that is under
    way goes on."""
    if kswapd.zone[node] >= 0:
        return True
    if kswapd.priority[node] == 0:
        core.token.disable()
    end_zone = highest_zone_to_scan(core, kswapd, node)
    if end_zone < 0:
        return False
    kswapd.end_zone[node] = end_zone
    kswapd.zone[node] = node * MAX_NR_ZONES
    kswapd.are_all_ok[node] = 1
    kswapd.lru_pages[node] = 0
    for zone in range(node * MAX_NR_ZONES, end_zone + 1):
        kswapd.lru_pages[node] += core.zones.nr_lru_pages(zone)
    return True


def balance_zones(core: Core, kswapd: Kswapd, node: int, sc: LruScanControl) -> bool:
    """The pass, from where it is to its end; False where a nap comes before."""
    sc.order = kswapd.order[node]
    sc.swappiness = kswapd.swappiness[node]
    core.current_priority = kswapd.priority[node]
    while kswapd.zone[node] <= kswapd.end_zone[node]:
        zone = kswapd.zone[node]
        if kswapd.is_shrunk[node] == 0 and should_scan(core, zone, kswapd.priority[node]):
            shrink_zone_of_pass(core, kswapd, node, zone, sc)
            kswapd.is_shrunk[node] = 1
        if kswapd.is_shrunk[node] != 0:
            if is_writeout_over_limit(core):
                return False
            kswapd.is_shrunk[node] = 0
            finish_zone(core, kswapd, node, zone, sc)
        kswapd.zone[node] += 1
    kswapd.zone[node] = -1
    return True


def shrink_zone_of_pass(core: Core, kswapd: Kswapd, node: int, zone: int, sc: LruScanControl) -> None:
    priority = kswapd.priority[node]
    if not core.zones.watermark_ok(zone, kswapd.order[node], WMARK_HIGH, kswapd.end_zone[node], 0):
        kswapd.are_all_ok[node] = 0
    kswapd.temp_priority[zone] = priority
    sc.nr_scanned = 0
    sc.may_writepage = kswapd.may_writepage[node] != 0
    note_zone_scanning_priority(core, zone, priority)
    if not sc.model.has_far_too_much(core, zone, kswapd.order[node], kswapd.end_zone[node]):
        kswapd.nr_reclaimed[node] += shrink_zone(core, priority, zone, sc)
    kswapd.nr_scanned[node] = sc.nr_scanned


def finish_zone(core: Core, kswapd: Kswapd, node: int, zone: int, sc: LruScanControl) -> None:
    """Kernel objects are aged as the zone's pages were; a zone from which nothing comes is given up."""
    slab_before = core.reclaimed_slab
    nr_slab = shrink_slab(core, kswapd.nr_scanned[node], sc.gfp_mask, kswapd.lru_pages[node])
    kswapd.nr_reclaimed[node] += core.reclaimed_slab - slab_before
    kswapd.total_scanned[node] += kswapd.nr_scanned[node]
    if core.zones.all_unreclaimable[zone] != 0:
        return
    if nr_slab == 0 and core.zones.pages_scanned[zone] >= core.zones.nr_lru_pages(zone) * 6:
        core.zones.all_unreclaimable[zone] = 1
    if is_in_trouble(core, kswapd, node):
        kswapd.may_writepage[node] = 1


def is_in_trouble(core: Core, kswapd: Kswapd, node: int) -> bool:
    """Much was scanned, and less than two thirds of that came free: laptop mode or not, it may write."""
    scanned = kswapd.total_scanned[node]
    return scanned > core.swap_cluster_max * 2 and scanned > kswapd.nr_reclaimed[node] + kswapd.nr_reclaimed[node] // 2


def should_scan(core: Core, zone: int, priority: int) -> bool:
    """A zone that was given up is tried at the first priority only; one without pages never."""
    if core.zones.present[zone] == 0:
        return False
    return core.zones.all_unreclaimable[zone] == 0 or priority == core.def_priority


def highest_zone_to_scan(core: Core, kswapd: Kswapd, node: int) -> int:
    """The node's highest zone below its high watermark, or -1."""
    highest = -1
    for zone in range(node * MAX_NR_ZONES, (node + 1) * MAX_NR_ZONES):
        if should_scan(core, zone, kswapd.priority[node]) and not core.zones.watermark_ok(zone, kswapd.order[node], WMARK_HIGH, 0, 0):
            highest = zone
    return highest
