"""kswapd of 2.6.23, one a node: balance_pgdat frees pages in the background until every zone of the node has its high watermark left
for a block of the order that woke it (mm/vmscan.c).

It is a task of its own, so where it naps its state is kept here, and time goes on for others: balance_pgdat is entered again when the
nap is over, and answers with the time of its next nap's end, or -1 where it goes to sleep. Only a larger order that was asked for
meanwhile keeps it from sleeping.
"""

from __future__ import annotations

from ..arrays import array_of
from ..core import Core
from ..lru import MAX_SCAN_DEPTH
from ..params import MAX_NR_ZONES, NR_ACTIVE, NR_INACTIVE, PAGEOUTRUN, WMARK_HIGH
from ..trace import trace_event
from ..trace_ring import TRACE_KSWAPD_SLEEP, TRACE_KSWAPD_WAKE
from ..vmscan import shrink_slab
from .shrink2007 import ScanControl2007, note_zone_scanning_priority, shrink_zone


class Kswapd:
    """By node. priority -1: asleep, so that the next call begins a new run. temp_priority: the level at which each zone was left.

    The rest is what the scan_control of balance_pgdat holds while it naps.
    """

    def __init__(self, nr_nodes: int) -> None:
        self.priority = array_of("i", nr_nodes)
        self.order = array_of("i", nr_nodes)
        self.nr_reclaimed = array_of("q", nr_nodes)
        self.total_scanned = array_of("q", nr_nodes)
        self.may_writepage = array_of("B", nr_nodes)
        self.swappiness = array_of("i", nr_nodes)
        self.temp_priority = array_of("i", nr_nodes * MAX_NR_ZONES)
        for node in range(nr_nodes):
            self.priority[node] = -1

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


def balance_pgdat(core: Core, kswapd: Kswapd, node: int, sc: ScanControl2007) -> int:
    """Until all zones are balanced, or a nap is due."""
    if core.scan_depth == MAX_SCAN_DEPTH:
        return core.clock_ns + core.wait_ns
    core.scan_depth += 1
    wake_ns = run_until_nap(core, kswapd, node, sc)
    core.scan_depth -= 1
    return wake_ns


def run_until_nap(core: Core, kswapd: Kswapd, node: int, sc: ScanControl2007) -> int:
    if kswapd.priority[node] < 0:
        if core.traced:
            trace_event(core, TRACE_KSWAPD_WAKE, node)
        kswapd.wake(core, node)
    while True:
        while not balance_once(core, kswapd, node, sc):
            napping = wants_nap(core, kswapd, node)
            kswapd.priority[node] -= 1
            if kswapd.nr_reclaimed[node] >= core.swap_cluster_max or kswapd.priority[node] < 0:
                note_temp_priorities(core, kswapd, node)
                kswapd.restart(core, node)
            if napping:
                return core.clock_ns + core.wait_ns
        note_temp_priorities(core, kswapd, node)
        kswapd.priority[node] = -1
        if kswapd.may_sleep(core, node):
            if core.traced:
                trace_event(core, TRACE_KSWAPD_SLEEP, node)
            return -1
        kswapd.wake(core, node)


def note_temp_priorities(core: Core, kswapd: Kswapd, node: int) -> None:
    """The level at which each zone was brought back to health, or was given up in this run."""
    for zone in range(node * MAX_NR_ZONES, (node + 1) * MAX_NR_ZONES):
        core.zones.prev_priority[zone] = kswapd.temp_priority[zone]


def wants_nap(core: Core, kswapd: Kswapd, node: int) -> bool:
    """It was hard: pages were scanned, and the third level of pressure was not enough."""
    return kswapd.total_scanned[node] > 0 and kswapd.priority[node] < core.def_priority - 2


def balance_once(core: Core, kswapd: Kswapd, node: int, sc: ScanControl2007) -> bool:
    """One pass at one priority: from the lowest zone up to the highest that is short of pages. True where all were well."""
    priority = kswapd.priority[node]
    if priority == 0:
        core.token.disable()
    end_zone = highest_zone_to_scan(core, kswapd, node)
    if end_zone < 0:
        return True
    sc.order = kswapd.order[node]
    sc.swappiness = kswapd.swappiness[node]
    lru_pages = 0
    for zone in range(node * MAX_NR_ZONES, end_zone + 1):
        lru_pages += core.zones.count(zone, NR_ACTIVE) + core.zones.count(zone, NR_INACTIVE)
    all_zones_ok = True
    for zone in range(node * MAX_NR_ZONES, end_zone + 1):
        if not should_scan(core, zone, priority):
            continue
        if not core.zones.watermark_ok(zone, kswapd.order[node], WMARK_HIGH, end_zone, 0):
            all_zones_ok = False
        kswapd.temp_priority[zone] = priority
        sc.nr_scanned = 0
        sc.may_writepage = kswapd.may_writepage[node] != 0
        note_zone_scanning_priority(core, zone, priority)
        kswapd.nr_reclaimed[node] += shrink_zone(core, priority, zone, sc)
        slab_before = core.reclaimed_slab
        nr_slab = shrink_slab(core, sc.nr_scanned, sc.gfp_mask, lru_pages)
        kswapd.nr_reclaimed[node] += core.reclaimed_slab - slab_before
        kswapd.total_scanned[node] += sc.nr_scanned
        if core.zones.all_unreclaimable[zone] != 0:
            continue
        pages = core.zones.count(zone, NR_ACTIVE) + core.zones.count(zone, NR_INACTIVE)
        if nr_slab == 0 and core.zones.pages_scanned[zone] >= pages * 6:
            core.zones.all_unreclaimable[zone] = 1
        if is_in_trouble(core, kswapd, node):
            kswapd.may_writepage[node] = 1
    return all_zones_ok


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
