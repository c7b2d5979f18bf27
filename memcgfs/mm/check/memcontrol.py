"""What is charged to whom by the rules of 2007 and 2008, where each use of a page is charged for; a container's lists, by all rules."""

from __future__ import annotations

from collections import Counter

from .. import params
from .walk import Walk


def check_containers(walk: Walk) -> None:
    """usage counts the pages with a meta page, each on one of its container's lists; css counts them, and address spaces."""
    core, machine = walk.core, walk.machine
    charged: dict[int, set[int]] = {cid: set() for cid in machine.containers}
    caches = params.PG_CACHE | (params.PG_SWAPCACHE if core.rules.charges_swap_cache else 0)
    for pfn in walk.frames():
        if walk.meta_refs[pfn]:
            cid = walk.container[pfn]
            walk.expect(cid in charged, f"frame {pfn} is charged to container {cid}, which does not exist")
            charged.get(cid, set()).add(pfn)
            possible = (walk.mapcount[pfn] > 0) + bool(walk.flags[pfn] & caches)
            walk.expect(walk.meta_refs[pfn] <= possible, f"frame {pfn} holds {walk.meta_refs[pfn]} charges for {possible} uses")
    spaces = Counter(space.container for space in machine.spaces.values())
    for cid, pages in charged.items():
        walk.equal(f"container {cid}: usage", core.counters.usage[cid], len(pages) * core.counters.unit)
        check_lists(walk, cid, pages)
        expected = len(pages) + spaces[cid] + core.containers.leaked[cid]
        walk.equal(f"container {cid}: css references", core.containers.css[cid], expected)
        cached = sum(1 for pfn in pages if walk.flags[pfn] & params.PG_CHARGED_CACHE)
        walk.equal(f"container {cid}: pages charged as cache", core.containers.nr_cache[cid], cached)


def check_lists(walk: Walk, cid: int, pages: set[int]) -> None:
    """A container's lists hold the pages that are charged to it, once; or, where a page is on one list only, those that are on the LRU, and
    the top container's besides what nobody pays for."""
    core = walk.core
    active, inactive = core.model.walk(core, cid)
    listed = {*active, *inactive}
    expected = len(pages if core.model.lists_all_charged else listed)
    walk.equal(f"container {cid}: pages on its lists", len(active) + len(inactive), expected)
    if core.model.lists_all_charged:
        walk.expect(listed == pages, f"container {cid}: its lists hold other pages than are charged to it")
    else:
        foreign = {pfn for pfn in listed - pages if cid or walk.meta_refs[pfn]}
        walk.expect(not foreign, f"container {cid}: its lists hold pages that are not charged to it")
        missing = {pfn for pfn in pages - listed if walk.flags[pfn] & (params.PG_LRU | params.PG_UNEVICTABLE) == params.PG_LRU}
        walk.expect(not missing, f"container {cid}: pages that are charged to it, and on the LRU, are on none of its lists")
