"""Boot: zones get their frames, zonelists, watermarks and reserves (mm/page_alloc.c: free_area_init_core, build_zonelists,
setup_per_zone_pages_min, setup_per_zone_lowmem_reserve)."""

from __future__ import annotations

from .config import LOWMEM_RESERVE_RATIO, MachineConfig, default_min_free_kbytes
from .params import MAX_NR_ZONES, NR_FREE_PAGES, PG_RESERVED, WMARK_HIGH, WMARK_LOW, WMARK_MIN, ZERO_PAGE, ZONE_HIGHMEM, ZONE_ROW
from .pure import Core


def boot(core: Core, config: MachineConfig) -> int:
    """Gives min_free_kbytes. Frame 0 is the zero page, and is no zone's to give."""
    zones = core.zones
    start = 0
    for zone, size in enumerate(config.zone_sizes()):
        first = start if start > 0 else 1
        present = max(start + size - first, 0)
        zones.start[zone] = start
        zones.end[zone] = start + size
        zones.present[zone] = present
        zones.frontier[zone] = first
        zones.stat[zone * ZONE_ROW + NR_FREE_PAGES] = present
        zones.prev_priority[zone] = config.def_priority
        zones.free_head[zone] = core.lru.first_head + zone
        core.lru.init_head(core.lru.first_head + zone)
        start += size
    core.frames.flags[ZERO_PAGE] = PG_RESERVED
    core.frames.count[ZERO_PAGE] = 1
    build_zonelists(core)
    setup_lowmem_reserve(core)
    core.set_total_pages(sum(zones.present))
    kbytes = config.min_free_kbytes
    if kbytes is None:
        kbytes = default_min_free_kbytes(lowmem_pages(core))
    setup_watermarks(core, kbytes)
    return kbytes


def build_zonelists(core: Core) -> None:
    """For each highest zone type: the populated zones from there down."""
    zones = core.zones
    for kind in range(MAX_NR_ZONES):
        populated = [zone for zone in range(kind, -1, -1) if zones.present[zone]]
        row = kind * (zones.nr_zones + 1)
        for place in range(zones.nr_zones + 1):
            zones.zonelist[row + place] = populated[place] if place < len(populated) else zones.nr_zones


def lowmem_pages(core: Core) -> int:
    return sum(core.zones.present[zone] for zone in range(core.zones.nr_zones) if zone != ZONE_HIGHMEM)


def setup_watermarks(core: Core, min_free_kbytes: int) -> None:
    """min by a zone's share of low memory, low a quarter and high a half above it; high memory keeps a token."""
    zones = core.zones
    pages_min = min_free_kbytes // 4
    lowmem = max(lowmem_pages(core), 1)
    for zone in range(zones.nr_zones):
        share = pages_min * zones.present[zone] // lowmem
        pages = share
        if zone == ZONE_HIGHMEM:
            pages = min(max(zones.present[zone] // 1024, 32), 128)
        zones.wmark[zone * 3 + WMARK_MIN] = pages
        zones.wmark[zone * 3 + WMARK_LOW] = pages + share // 4
        zones.wmark[zone * 3 + WMARK_HIGH] = pages + share // 2


def setup_lowmem_reserve(core: Core) -> None:
    """What a zone keeps back from requests that could have been served higher up."""
    zones = core.zones
    for kind in range(MAX_NR_ZONES):
        pages = zones.present[kind]
        for zone in range(kind - 1, -1, -1):
            ratio = LOWMEM_RESERVE_RATIO[zone]
            zones.lowmem_reserve[zone * MAX_NR_ZONES + kind] = pages // ratio
            pages += zones.present[zone]
