"""The zones' lists of pages, and those that 2.6.25 has for each group and zone."""

from __future__ import annotations

from collections import Counter

from .. import params
from ..params import ZONE_SHIFT
from .walk import Walk


def check_zone_lists(walk: Walk) -> None:
    """A page is on its zone's list if and only if PG_lru says so, and on the one that PG_active says."""
    core, zones = walk.core, walk.core.zones
    active, inactive = core.model.walk(core, -1)
    for which, pages, item in ((params.PG_ACTIVE, active, params.NR_ACTIVE), (0, inactive, params.NR_INACTIVE)):
        name = "active" if which else "inactive"
        by_zone = Counter(walk.flags[pfn] >> ZONE_SHIFT for pfn in pages)
        for zone in range(zones.nr_zones):
            walk.equal(f"zone {zone}: nr_{name}", zones.count(zone, item), by_zone[zone])
        for pfn in pages:
            flags = walk.flags[pfn] & (params.PG_LRU | params.PG_ACTIVE)
            walk.expect(flags == params.PG_LRU | which, f"frame {pfn} is on the {name} list with flags {walk.flags[pfn]:#x}")
    kept = core.model.unevictable(core)
    by_zone = Counter(walk.flags[pfn] >> ZONE_SHIFT for pfn in kept)
    for zone in range(zones.nr_zones):
        walk.equal(f"zone {zone}: nr_unevictable", zones.count(zone, params.NR_UNEVICTABLE), by_zone[zone])
    listed = {*active, *inactive, *kept}
    walk.expect(listed == walk.with_flag(params.PG_LRU), "zone lists and PG_lru do not agree")
    walk.expect(len(listed) == len(active) + len(inactive) + len(kept), "a page is on two zone lists")


def check_groups(walk: Walk) -> None:
    """A model with lists for each group and zone counts them, and a record says on which of them it is."""
    core, model = walk.core, walk.core.model
    if not isinstance(model, walk.machine.engine.Cgroups2008):
        return
    for cid in walk.machine.containers:
        lengths = [0, 0]
        for zone in range(core.zones.nr_zones):
            for active in (False, True):
                place = (cid * core.zones.nr_zones + zone) * 2 + active
                pages = core.meta.order(core.meta.first_head + place)
                lengths[active] += len(pages)
                what = f"container {cid}, zone {zone}, {'active' if active else 'inactive'} list"
                walk.equal(what, model.mz_count[place], len(pages))
                for pfn in pages:
                    walk.expect(core.frames.zone(pfn) == zone, f"{what}: frame {pfn} is of another zone")
                    walk.expect(bool(walk.flags[pfn] & params.PG_META_ACTIVE) == active, f"{what}: frame {pfn} says otherwise")
        walk.equal(f"container {cid}: inactive pages", model.nr_inactive[cid], lengths[0])
        walk.equal(f"container {cid}: active pages", model.nr_active[cid], lengths[1])
