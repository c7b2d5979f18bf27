"""Refaults: was a page that comes back evicted too early? (mm/workingset.c of 6.18).

Each eviction and each activation makes the lists of a group a page older (nonresident_age). The shadow of an evicted page says how old
they were; when it comes back, the difference is how many pages more its list would have had to hold. If that is no more than the pages
that could have gone instead, it comes to the active list.
"""

from __future__ import annotations

from ..core import Core
from ..params import LRU_ACTIVE_ANON, LRU_ACTIVE_FILE, LRU_INACTIVE_ANON, LRU_INACTIVE_FILE, MAX_NR_ZONES, MEMCG_REFAULT_ANON
from ..params import PG_ACTIVE, PG_CACHE, PG_SWAPBACKED, PG_SWAPCACHE, PG_WORKINGSET
from ..page_alloc import put_page
from ..page_cache import leave_shadow, remove_from_page_cache
from ..swap_state import delete_from_swap_cache
from ..trace import trace_event
from ..trace_ring import LEAVE_RECLAIM, TRACE_REFAULT
from .folio_batch import age_nonresident
from .lruvec import WORKINGSET_ACTIVATE_ANON, Lruvecs, folio_lruvec, folio_memcg


def pack_shadow(lruvec: int, is_workingset: bool) -> int:
    """Whose lists, and the page's mark; never 0."""
    return (lruvec * 2 + is_workingset) + 1


def workingset_eviction(core: Core, lruvecs: Lruvecs, pfn: int, target: int) -> None:
    """__remove_mapping of a page that is reclaimed: it leaves its cache, and its shadow there. On behalf of the group `target`."""
    lruvec = lruvecs.lruvec(target, core.frames.zone(pfn) // MAX_NR_ZONES)
    age = lruvecs.nonresident_age[lruvec]
    whose = pack_shadow(lruvec, core.frames.has(pfn, PG_WORKINGSET))
    age_nonresident(core, lruvecs, lruvec)
    if core.frames.has(pfn, PG_SWAPCACHE):
        slot = core.frames.private[pfn]
        delete_from_swap_cache(core, pfn, LEAVE_RECLAIM)
        core.swap.leave_shadow(slot, age, whose)
        return
    file = core.frames.owner(pfn)
    index = core.frames.index(pfn)
    remove_from_page_cache(core, pfn, LEAVE_RECLAIM)
    put_page(core, pfn)
    leave_shadow(core, file, index, age, whose)


def workingset_test_recent(core: Core, lruvecs: Lruvecs, lruvec: int, age: int, is_file: bool) -> bool:
    """Is the refault distance no larger than what else the evicting group has? Its lists are those of the last flush."""
    if age < lruvecs.born_age[lruvec]:
        return False
    distance = lruvecs.nonresident_age[lruvec] - age
    size = lruvecs.page_state(lruvec, LRU_ACTIVE_FILE)
    if not is_file:
        size += lruvecs.page_state(lruvec, LRU_INACTIVE_FILE)
    if core.swap.nr_swap_pages > 0:
        size += lruvecs.page_state(lruvec, LRU_ACTIVE_ANON)
        if is_file:
            size += lruvecs.page_state(lruvec, LRU_INACTIVE_ANON)
    return distance <= size


def workingset_refault(core: Core, lruvecs: Lruvecs, pfn: int, age: int, whose: int) -> None:
    """A page with a shadow is back, and is not on a list yet."""
    file = 1
    if core.frames.has(pfn, PG_SWAPBACKED):
        file = 0
    lruvec = folio_lruvec(core, lruvecs, pfn)
    core.stats.add(folio_memcg(core, pfn), MEMCG_REFAULT_ANON + file, 1)
    lruvecs.note_update(core, folio_memcg(core, pfn), 1)
    is_recent = 0
    if workingset_test_recent(core, lruvecs, (whose - 1) // 2, age, file != 0):
        is_recent = 1
        core.frames.set(pfn, PG_ACTIVE)
        age_nonresident(core, lruvecs, lruvec)
        lruvecs.change(core, lruvec, WORKINGSET_ACTIVATE_ANON + file, 1)
        if (whose - 1) % 2 != 0:
            core.frames.set(pfn, PG_WORKINGSET)
            lru_note_cost(core, lruvecs, lruvec, file != 0, 1, 0)
    if core.traced:
        distance = lruvecs.nonresident_age[(whose - 1) // 2] - age
        trace_event(core, TRACE_REFAULT, pfn, folio_memcg(core, pfn), file, is_recent, distance)


def lru_note_cost(core: Core, lruvecs: Lruvecs, lruvec: int, is_file: bool, nr_io: int, nr_rotated: int) -> None:
    """mm/swap.c: what was done for nothing counts against the pages of this type, io as much as a batch of rotations; in the group and in
    all above it. Both counts are halved when they come to more than a quarter of the lists, as of the last flush."""
    cost = nr_io * core.swap_cluster_max + nr_rotated
    if cost == 0:
        return
    while lruvec >= 0:
        if is_file:
            lruvecs.file_cost[lruvec] += cost
        else:
            lruvecs.anon_cost[lruvec] += cost
        size = lruvecs.page_state(lruvec, LRU_INACTIVE_ANON) + lruvecs.page_state(lruvec, LRU_ACTIVE_ANON)
        size += lruvecs.page_state(lruvec, LRU_INACTIVE_FILE) + lruvecs.page_state(lruvec, LRU_ACTIVE_FILE)
        if lruvecs.file_cost[lruvec] + lruvecs.anon_cost[lruvec] > size // 4:
            lruvecs.file_cost[lruvec] //= 2
            lruvecs.anon_cost[lruvec] //= 2
        lruvec = lruvecs.parent_lruvec(core, lruvec)


def mark_swapbacked(core: Core, pfn: int) -> None:
    """What is not of a file on the disk needs a slot to go."""
    if not core.frames.has(pfn, PG_CACHE) or not core.files.is_on_disk(core.frames.owner(pfn)):
        core.frames.set(pfn, PG_SWAPBACKED)
