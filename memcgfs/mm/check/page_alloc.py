"""Free memory: blocks, per-cpu lists, and where they came from."""

from __future__ import annotations

from .. import params
from ..params import ZONE_SHIFT
from .walk import Walk


def check_free_lists(walk: Walk) -> None:
    """Free blocks lie where blocks of their order can lie, joined where they could be; each is on one list, and counted."""
    core, zones = walk.core, walk.core.zones
    heads = set()
    for zone in range(zones.nr_zones):
        if not zones.present[zone]:
            continue
        untouched = zones.frontier[zone] - zones.untouched[zone]
        free = untouched
        for order in range(params.NR_ORDERS):
            listed = core.lru.order(zones.free_head(zone, order))
            implicit = untouched >> order if order == params.LARGEST_ORDER else 0
            walk.equal(f"zone {zone}: free blocks of order {order}", zones.nr_free[zone * params.NR_ORDERS + order], len(listed) + implicit)
            for pfn in listed:
                check_free_block(walk, zone, order, pfn)
            if order < params.LARGEST_ORDER:
                blocks = set(listed)
                walk.expect(not any(pfn ^ 1 << order in blocks for pfn in listed), f"zone {zone}: two free buddies of order {order}")
            free += len(listed) << order
            heads.update(listed)
        walk.equal(f"zone {zone}: free pages", zones.count(zone, params.NR_FREE_PAGES), free)
        check_pagesets(walk, zone)
    walk.expect(heads == walk.with_flag(params.PG_FREE), "free lists and PG_free do not agree")


def check_free_block(walk: Walk, zone: int, order: int, pfn: int) -> None:
    """A block of the zone, of this order, that shares no page with another."""
    zones, pages = walk.core.zones, range(pfn, pfn + (1 << order))
    inside = zones.start[zone] <= pfn and pages.stop <= zones.end[zone]
    walk.expect(walk.flags[pfn] >> ZONE_SHIFT == zone and inside, f"zone {zone}: a foreign page is on its free list")
    walk.expect(pfn % (1 << order) == 0, f"frame {pfn}: no block of order {order} begins here")
    walk.equal(f"frame {pfn}: order of its free block", walk.core.frames.private[pfn], order)
    walk.expect(walk.free.isdisjoint(pages), f"frame {pfn}: its block of order {order} overlaps another")
    walk.free.update(pages)


def check_pagesets(walk: Walk, zone: int) -> None:
    """Pages on a per-cpu list are of its zone, counted by the list alone, and fewer than it may hold."""
    core, zones = walk.core, walk.core.zones
    for cpu in range(core.nr_nodes):
        for cold in (False, True):
            pcp = zones.pcp(zone, cpu, cold)
            listed = core.lru.order(zones.pcp_head(pcp))
            what = f"zone {zone}, cpu {cpu}: pages on its {'cold' if cold else 'hot'} list"
            walk.equal(what, zones.pcp_count[pcp], len(listed))
            walk.expect(len(listed) <= max(zones.pcp_high[pcp], zones.pcp_batch[pcp]), f"{what} are too many")
            walk.expect(all(walk.flags[pfn] == zone << ZONE_SHIFT for pfn in listed), f"{what} are not all free, or foreign")
            walk.expect(walk.free.isdisjoint(listed), f"{what} are on another list besides")
            walk.free.update(listed)


def check_numa(walk: Walk) -> None:
    """Each block that a zone gave was a hit or a miss there, and local or not; a miss is foreign to one zone."""
    zones = walk.core.zones
    for zone in range(zones.nr_zones):
        given = zones.count(zone, params.NUMA_HIT) + zones.count(zone, params.NUMA_MISS)
        by_cpu = zones.count(zone, params.NUMA_LOCAL) + zones.count(zone, params.NUMA_OTHER)
        walk.equal(f"zone {zone}: numa_hit and numa_miss", given, by_cpu)
        walk.expect(given <= zones.count(zone, params.PGALLOC), f"zone {zone}: more blocks than pages were given")
    walk.equal("numa_foreign", zones.total(params.NUMA_FOREIGN), zones.total(params.NUMA_MISS))
