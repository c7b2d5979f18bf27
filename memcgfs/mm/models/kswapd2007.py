"""kswapd of 2.6.23: balance_pgdat frees pages in the background until every zone of the node is at its high watermark (mm/vmscan.c).

It is a task of its own, so where it naps its state is kept here, and time goes on for others: balance_pgdat is entered again when the
nap is over, and answers with the time of its next nap's end, or -1 where it goes to sleep.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..arrays import array_of
from ..core import Core
from ..lru import MAX_SCAN_DEPTH
from ..params import NR_ACTIVE, NR_INACTIVE, PAGEOUTRUN, WMARK_HIGH
from ..vmscan import shrink_slab
from .shrink2007 import ScanControl2007, note_zone_scanning_priority, shrink_zone

if TYPE_CHECKING:
    pass


class Kswapd:
    """priority -1: asleep, so that the next call begins a new run. temp_priority: the level at which each zone was left."""

    def __init__(self, sc: ScanControl2007, nr_zones: int) -> None:
        self.sc = sc
        self.priority = -1
        self.nr_reclaimed = 0
        self.total_scanned = 0
        self.temp_priority = array_of("i", nr_zones)

    def restart(self, core: Core) -> None:
        """A new run from the lowest pressure."""
        self.priority = core.def_priority
        self.nr_reclaimed = 0
        self.total_scanned = 0
        self.sc.may_writepage = core.laptop_mode == 0
        self.sc.swappiness = core.swappiness
        core.count(PAGEOUTRUN)
        for zone in range(core.zones.nr_zones):
            self.temp_priority[zone] = core.def_priority


def balance_pgdat(core: Core, kswapd: Kswapd) -> int:
    """Until all zones are balanced, or a nap is due."""
    if core.scan_depth == MAX_SCAN_DEPTH:
        return core.clock_ns + core.wait_ns
    kswapd.sc.depth = core.scan_depth
    core.scan_depth += 1
    wake_ns = run_until_nap(core, kswapd)
    core.scan_depth -= 1
    return wake_ns


def run_until_nap(core: Core, kswapd: Kswapd) -> int:
    if kswapd.priority < 0:
        kswapd.restart(core)
    while not balance_once(core, kswapd):
        napping = wants_nap(core, kswapd)
        kswapd.priority -= 1
        if kswapd.nr_reclaimed >= core.swap_cluster_max or kswapd.priority < 0:
            note_temp_priorities(core, kswapd)
            kswapd.restart(core)
        if napping:
            return core.clock_ns + core.wait_ns
    note_temp_priorities(core, kswapd)
    kswapd.priority = -1
    return -1


def note_temp_priorities(core: Core, kswapd: Kswapd) -> None:
    """The level at which each zone was brought back to health, or was given up in this run."""
    for zone in range(core.zones.nr_zones):
        core.zones.prev_priority[zone] = kswapd.temp_priority[zone]


def wants_nap(core: Core, kswapd: Kswapd) -> bool:
    """It was hard: pages were scanned, and the third level of pressure was not enough."""
    return kswapd.total_scanned > 0 and kswapd.priority < core.def_priority - 2


def balance_once(core: Core, kswapd: Kswapd) -> bool:
    """One pass at one priority: from the lowest zone up to the highest that is short of pages. True where all were well."""
    end_zone = highest_zone_to_scan(core, kswapd.priority)
    if end_zone < 0:
        return True
    lru_pages = 0
    for zone in range(end_zone + 1):
        lru_pages += core.zones.count(zone, NR_ACTIVE) + core.zones.count(zone, NR_INACTIVE)
    all_zones_ok = True
    for zone in range(end_zone + 1):
        if not should_scan(core, zone, kswapd.priority):
            continue
        if not core.zones.watermark_ok(zone, 0, WMARK_HIGH, end_zone, 0):
            all_zones_ok = False
        kswapd.temp_priority[zone] = kswapd.priority
        kswapd.sc.nr_scanned = 0
        note_zone_scanning_priority(core, zone, kswapd.priority)
        kswapd.nr_reclaimed += shrink_zone(core, kswapd.priority, zone, kswapd.sc)
        nr_slab = shrink_slab(core, kswapd.sc.nr_scanned, lru_pages)
        kswapd.total_scanned += kswapd.sc.nr_scanned
        if core.zones.all_unreclaimable[zone] != 0:
            continue
        pages = core.zones.count(zone, NR_ACTIVE) + core.zones.count(zone, NR_INACTIVE)
        if nr_slab == 0 and core.zones.pages_scanned[zone] >= pages * 6:
            core.zones.all_unreclaimable[zone] = 1
        if (
            kswapd.total_scanned > core.swap_cluster_max * 2
            and kswapd.total_scanned > kswapd.nr_reclaimed + kswapd.nr_reclaimed // 2
        ):
            kswapd.sc.may_writepage = True
    return all_zones_ok


def should_scan(core: Core, zone: int, priority: int) -> bool:
    """A zone that was given up is tried at the first priority only; one without pages never."""
    if core.zones.present[zone] == 0:
        return False
    return core.zones.all_unreclaimable[zone] == 0 or priority == core.def_priority


def highest_zone_to_scan(core: Core, priority: int) -> int:
    """The highest zone below its high watermark, or -1."""
    highest = -1
    for zone in range(core.zones.nr_zones):
        if should_scan(core, zone, priority) and not core.zones.watermark_ok(zone, 0, WMARK_HIGH, 0, 0):
            highest = zone
    return highest
