"""Boot: zones get their frames, zonelists, watermarks and reserves (mm/page_alloc.c: free_area_init_core, build_zonelists,
default_zonelist_order, setup_per_zone_pages_min, setup_per_zone_lowmem_reserve; mm/bootmem.c: free_all_bootmem)."""

from __future__ import annotations

from .buddy import put_block
from .config import LOWMEM_RESERVE_RATIO, MachineConfig, default_min_free_kbytes, zone_batchsize
from .params import KB_PER_PAGE, LARGEST_BLOCK, LARGEST_ORDER, MAX_NR_ZONES, NR_FREE_PAGES, NR_ORDERS, PG_RESERVED, WMARK_HIGH, WMARK_LOW
from .params import WMARK_MIN, ZERO_PAGE, ZONE_HIGHMEM, ZONE_NORMAL, ZONE_ROW
from .pure import Core


def boot(core: Core, config: MachineConfig) -> int:
    """Gives min_free_kbytes. Frame 0 is the zero page, and is no zone's to give."""
    zones = core.zones
    for zone, (start, end) in enumerate(config.zone_spans()):
        zones.start[zone], zones.end[zone] = start, end
        zones.present[zone] = max(end - max(start, 1), 0)
        zones.prev_priority[zone] = config.def_priority
        for order in range(NR_ORDERS):
            core.lru.init_head(zones.free_head(zone, order))
        batch = zone_batchsize(zones.present[zone]) if config.pcp_batch is None else config.pcp_batch
        for cpu in range(core.nr_nodes):
            setup_pageset(core, zones.pcp(zone, cpu, False), 6 * batch, batch)
            setup_pageset(core, zones.pcp(zone, cpu, True), 2 * batch, batch // 2)
        free_all_bootmem(core, zone)
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


def free_all_bootmem(core: Core, zone: int) -> None:
    """All of the zone comes free, upwards. Whole blocks of the largest order are left untouched: they count, and that is all."""
    zones = core.zones
    first, end = max(zones.start[zone], 1), zones.end[zone]
    untouched = min(-(-first // LARGEST_BLOCK) * LARGEST_BLOCK, end)
    frontier = max(end // LARGEST_BLOCK * LARGEST_BLOCK, untouched)
    zones.untouched[zone], zones.frontier[zone] = untouched, frontier
    free_range(core, zone, first, untouched)
    zones.nr_free[zone * NR_ORDERS + LARGEST_ORDER] += (frontier - untouched) // LARGEST_BLOCK
    zones.stat[zone * ZONE_ROW + NR_FREE_PAGES] += frontier - untouched
    free_range(core, zone, frontier, end)


def setup_pageset(core: Core, pcp: int, high: int, batch: int) -> None:
    core.zones.pcp_high[pcp] = high
    core.zones.pcp_batch[pcp] = max(batch, 1)
    core.lru.init_head(core.zones.pcp_head(pcp))


def free_range(core: Core, zone: int, start: int, end: int) -> None:
    """In the largest blocks that their places allow, which is what freeing page by page comes to."""
    pfn = start
    while pfn < end:
        order = min((pfn & -pfn).bit_length(), (end - pfn).bit_length()) - 1
        put_block(core.zones, core.frames, core.lru, zone, pfn, order)
        core.zones.stat[zone * ZONE_ROW + NR_FREE_PAGES] += 1 << order
        pfn += 1 << order


def default_zonelist_order(core: Core) -> bool:
    """True: by zone, on all nodes, before the next lower one. That keeps the small low zones for those that need them; False, where the
    low zones are most of memory, or of some node: by node."""
    zones = core.zones
    sizes = [list(zones.present[node * MAX_NR_ZONES : (node + 1) * MAX_NR_ZONES]) for node in range(core.nr_nodes)]
    low = sum(sum(node[:ZONE_NORMAL]) for node in sizes)
    total = sum(sum(node) for node in sizes)
    if low == 0 or low > total // 2:
        return False
    average = total // (core.nr_nodes + 1)
    return not any(
        sum(node[:ZONE_NORMAL]) > sum(node) * 70 // 100 and sum(node) > average and sum(node[:ZONE_NORMAL]) for node in sizes
    )


def build_zonelists(core: Core) -> None:
    """For each node and highest zone type: the populated zones from there down, on this node first, then on the next ones round."""
    zones = core.zones
    by_zone = default_zonelist_order(core)
    for local in range(core.nr_nodes):
        nodes = [(local + step) % core.nr_nodes for step in range(core.nr_nodes)]
        for kind in range(MAX_NR_ZONES):
            types = range(kind, -1, -1)
            if by_zone:
                fallback = [node * MAX_NR_ZONES + zone for zone in types for node in nodes]
            else:
                fallback = [node * MAX_NR_ZONES + zone for node in nodes for zone in types]
            populated = [zone for zone in fallback if zones.present[zone]]
            zonelist = local * MAX_NR_ZONES + kind
            zones.zonelist_length[zonelist] = len(populated)
            for place, zone in enumerate(populated):
                zones.zonelist[zonelist * zones.nr_zones + place] = zone


def is_highmem(zone: int) -> bool:
    return zone % MAX_NR_ZONES == ZONE_HIGHMEM


def lowmem_pages(core: Core) -> int:
    return sum(core.zones.present[zone] for zone in range(core.zones.nr_zones) if not is_highmem(zone))


def setup_watermarks(core: Core, min_free_kbytes: int) -> None:
    """min by a zone's share of low memory, low a quarter and high a half above it; high memory keeps a token."""
    zones = core.zones
    pages_min = min_free_kbytes // KB_PER_PAGE
    lowmem = max(lowmem_pages(core), 1)
    for zone in range(zones.nr_zones):
        share = pages_min * zones.present[zone] // lowmem
        pages = share
        if is_highmem(zone):
            pages = min(max(zones.present[zone] // 1024, 32), 128)
        zones.wmark[zone * 3 + WMARK_MIN] = pages
        zones.wmark[zone * 3 + WMARK_LOW] = pages + share // 4
        zones.wmark[zone * 3 + WMARK_HIGH] = pages + share // 2


def setup_lowmem_reserve(core: Core) -> None:
    """What a zone keeps back from requests that could have been served higher up on its node."""
    zones = core.zones
    for first in range(0, zones.nr_zones, MAX_NR_ZONES):
        for kind in range(MAX_NR_ZONES):
            pages = zones.present[first + kind]
            for lower in range(kind - 1, -1, -1):
                zones.lowmem_reserve[(first + lower) * MAX_NR_ZONES + kind] = pages // LOWMEM_RESERVE_RATIO[lower]
                pages += zones.present[first + lower]
