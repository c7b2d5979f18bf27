"""The slabs of dentries."""

from __future__ import annotations

from collections import Counter

from .. import params
from ..dump import partial_slabs, unused_dentries
from ..pagetable import word_of
from ..params import ZONE_SHIFT
from ..slabs import OBJECT_BITS, OBJECT_FLAGS, OBJECT_IN_USE, OBJECT_NEWER, OBJECT_WORDS, SLAB_FREE, SLAB_HEADER, SLAB_INUSE
from .walk import Walk


def check_slabs(walk: Walk) -> None:
    """Every object in use is on the list of unused dentries once; a slab with a free place is on the partial list, one without objects is
    nowhere; objects, slabs and their pages are as counted."""
    core, cache = walk.core, walk.core.dentry_cache
    ram = memoryview(core.tables.ram)
    walk.slabs = walk.with_flag(params.PG_SLAB)
    found: set[int] = set()
    partial: set[int] = set()
    for pfn in walk.slabs:
        at = word_of(pfn) + SLAB_HEADER
        places = range(cache.objects_per_slab)
        used = [place for place in places if ram[at + place * OBJECT_WORDS + OBJECT_FLAGS] & OBJECT_IN_USE]
        found.update(pfn << OBJECT_BITS | place for place in used)
        free = set()
        place = ram[word_of(pfn) + SLAB_FREE]
        while 0 < place <= cache.objects_per_slab and place - 1 not in free:
            free.add(place - 1)
            place = ram[at + (place - 1) * OBJECT_WORDS + OBJECT_NEWER]
        walk.expect(free == set(places) - set(used), f"slab {pfn}: its free places are not those that no object has")
        walk.equal(f"slab {pfn}: objects in use", ram[word_of(pfn) + SLAB_INUSE], len(used))
        walk.expect(bool(used), f"slab {pfn} is empty")
        if free:
            partial.add(pfn)
    unused = unused_dentries(core)
    walk.expect(len(set(unused)) == len(unused) and set(unused) == found, "the list of unused dentries does not hold every dentry once")
    listed = partial_slabs(core)
    walk.expect(len(set(listed)) == len(listed) and set(listed) == partial, "the partial slabs are not those with a free place")
    walk.equal("dentries", cache.nr_objects, len(found))
    walk.equal("slabs", cache.nr_slabs, len(walk.slabs))
    by_zone = Counter(walk.flags[pfn] >> ZONE_SHIFT for pfn in walk.slabs)
    for zone in range(core.zones.nr_zones):
        walk.equal(f"zone {zone}: nr_slab_reclaimable", core.zones.count(zone, params.NR_SLAB_RECLAIMABLE), by_zone[zone])
