"""Pages on their way to a list, or from one to another, in batches (mm/swap.c of 6.18: cpu_fbatches).

A page in a batch has a reference more, so that nobody can free it, and is where it was: a new one nowhere. All of a batch arrive when
it is full, in the order in which they came, or when somebody drains (lru_add_drain). There is one batch a kind; the kernel has one a
cpu, and the machine's tasks run on one at a time.
"""

from __future__ import annotations

from typing import Final

from ..core import Core
from ..page_alloc import get_page, put_page
from ..params import PG_ACTIVE, PG_ANON, PG_DIRTY, PG_LOCKED, PG_LRU, PG_MLOCKED, PG_REFERENCED, PG_SWAPBACKED, PG_SWAPCACHE
from ..params import PG_UNEVICTABLE, PGACTIVATE, PGDEACTIVATE, PGROTATED
from ..trace import trace_lru
from ..trace_ring import ARRIVED_DRAINED, ARRIVED_FULL, ROTATED_WRITTEN, TRACE_LRU_ACTIVATE, TRACE_LRU_DEACTIVATE, TRACE_LRU_INSERTION
from ..trace_ring import TRACE_LRU_ROTATE, WHY_ACTIVATE_ACCESSED, WHY_DEACTIVATE_ADVISED, WHY_DEACTIVATE_LAZYFREE
from .lruvec import Lruvecs, folio_lruvec, lruvec_add_folio, lruvec_add_folio_tail, lruvec_del_folio

# The members of struct cpu_fbatches (mm/swap.c), each of PAGEVEC_SIZE pages (include/linux/pagevec.h; MachineConfig.folio_batch_size).
BATCH_ADD: Final = 0
BATCH_ACTIVATE: Final = 1
BATCH_DEACTIVATE: Final = 2
BATCH_LAZYFREE: Final = 3
BATCH_MOVE_TAIL: Final = 4
NR_FOLIO_BATCHES: Final = 5


class FolioBatches:
    """Row b of `pages` is batch b, `size` pages long, with count[b] of them in use."""

    def __init__(self, core: Core) -> None:
        self.size = core.folio_batch_size
        self.pages = core.arrays.of("I", NR_FOLIO_BATCHES * self.size)
        self.count = core.arrays.of("I", NR_FOLIO_BATCHES)

    def waiting(self, batch: int) -> list[int]:
        return [self.pages[batch * self.size + place] for place in range(self.count[batch])]


def folio_batch_add(core: Core, batches: FolioBatches, lruvecs: Lruvecs, pfn: int, batch: int) -> None:
    """folio_batch_add_and_move: the page waits, unless it is the one that fills the batch."""
    get_page(core, pfn)
    batches.pages[batch * batches.size + batches.count[batch]] = pfn
    batches.count[batch] += 1
    if batches.count[batch] == batches.size:
        folio_batch_move(core, batches, lruvecs, batch)
    elif batches.count[batch] == 1:
        core.rules.arm_flush(core)


def folio_batch_move(core: Core, batches: FolioBatches, lruvecs: Lruvecs, batch: int) -> None:
    """folio_batch_move_lru: all of them arrive. One that somebody took off its list meanwhile stays as it is."""
    first = batch * batches.size
    count = batches.count[batch]
    batches.count[batch] = 0
    for place in range(count):
        pfn = batches.pages[first + place]
        if batch == BATCH_ADD:
            lru_add(core, lruvecs, pfn, ARRIVED_FULL if count == batches.size else ARRIVED_DRAINED)
        elif core.frames.has(pfn, PG_LRU) and not core.frames.has(pfn, PG_UNEVICTABLE):
            if batch == BATCH_ACTIVATE:
                lru_activate(core, lruvecs, pfn)
            elif batch == BATCH_DEACTIVATE:
                lru_deactivate(core, lruvecs, pfn)
            elif batch == BATCH_LAZYFREE:
                lru_lazyfree(core, lruvecs, pfn)
            else:
                lru_move_tail(core, lruvecs, pfn)
    for place in range(count):
        put_page(core, batches.pages[first + place])


def folio_lru_add_drain(core: Core, batches: FolioBatches, lruvecs: Lruvecs) -> None:
    """lru_add_drain_cpu, in its order."""
    drain_batch(core, batches, lruvecs, BATCH_ADD)
    drain_batch(core, batches, lruvecs, BATCH_MOVE_TAIL)
    drain_batch(core, batches, lruvecs, BATCH_DEACTIVATE)
    drain_batch(core, batches, lruvecs, BATCH_LAZYFREE)
    drain_batch(core, batches, lruvecs, BATCH_ACTIVATE)


def drain_batch(core: Core, batches: FolioBatches, lruvecs: Lruvecs, batch: int) -> None:
    if batches.count[batch] > 0:
        folio_batch_move(core, batches, lruvecs, batch)


def lru_add(core: Core, lruvecs: Lruvecs, pfn: int, why: int) -> None:
    """A page comes to the head of its list; one that is locked in memory to the one that reclaim does not walk."""
    if core.frames.has(pfn, PG_MLOCKED):
        core.frames.clear(pfn, PG_ACTIVE)
        core.frames.set(pfn, PG_UNEVICTABLE)
    else:
        core.frames.clear(pfn, PG_UNEVICTABLE)
    core.frames.set(pfn, PG_LRU)
    lruvec_add_folio(core, lruvecs, pfn)
    if core.traced:
        trace_lru(core, TRACE_LRU_INSERTION, pfn, core.frames.has(pfn, PG_ACTIVE), why)


def lru_activate(core: Core, lruvecs: Lruvecs, pfn: int) -> None:
    if core.frames.has(pfn, PG_ACTIVE):
        return
    lruvec_del_folio(core, lruvecs, pfn)
    core.frames.set(pfn, PG_ACTIVE)
    lruvec_add_folio(core, lruvecs, pfn)
    core.count(PGACTIVATE)
    if core.traced:
        trace_lru(core, TRACE_LRU_ACTIVATE, pfn, False, WHY_ACTIVATE_ACCESSED)


def lru_deactivate(core: Core, lruvecs: Lruvecs, pfn: int) -> None:
    if not core.frames.has(pfn, PG_ACTIVE):
        return
    lruvec_del_folio(core, lruvecs, pfn)
    core.frames.clear(pfn, PG_ACTIVE | PG_REFERENCED)
    lruvec_add_folio(core, lruvecs, pfn)
    core.count(PGDEACTIVATE)
    if core.traced:
        trace_lru(core, TRACE_LRU_DEACTIVATE, pfn, True, WHY_DEACTIVATE_ADVISED)


def lru_lazyfree(core: Core, lruvecs: Lruvecs, pfn: int) -> None:
    """From now on the page is like one of a file that is clean: it needs no slot."""
    if not core.frames.has(pfn, PG_ANON) or not core.frames.has(pfn, PG_SWAPBACKED) or core.frames.has(pfn, PG_SWAPCACHE):
        return
    was_active = core.frames.has(pfn, PG_ACTIVE)
    lruvec_del_folio(core, lruvecs, pfn)
    core.frames.clear(pfn, PG_ACTIVE | PG_REFERENCED | PG_SWAPBACKED)
    lruvec_add_folio(core, lruvecs, pfn)
    if core.traced:
        trace_lru(core, TRACE_LRU_DEACTIVATE, pfn, was_active, WHY_DEACTIVATE_LAZYFREE)


def lru_move_tail(core: Core, lruvecs: Lruvecs, pfn: int) -> None:
    lruvec_del_folio(core, lruvecs, pfn)
    core.frames.clear(pfn, PG_ACTIVE)
    lruvec_add_folio_tail(core, lruvecs, pfn)
    core.count(PGROTATED)
    if core.traced:
        trace_lru(core, TRACE_LRU_ROTATE, pfn, False, ROTATED_WRITTEN)


def folio_add_lru(core: Core, batches: FolioBatches, lruvecs: Lruvecs, pfn: int) -> None:
    folio_batch_add(core, batches, lruvecs, pfn, BATCH_ADD)


def folio_rotate_reclaimable(core: Core, batches: FolioBatches, lruvecs: Lruvecs, pfn: int) -> None:
    """A page that reclaim wrote is clean now: to the tail of the inactive list, where reclaim looks first."""
    if core.frames.has(pfn, PG_LOCKED | PG_DIRTY | PG_UNEVICTABLE) or not core.frames.has(pfn, PG_LRU):
        return
    folio_batch_add(core, batches, lruvecs, pfn, BATCH_MOVE_TAIL)


def folio_activate(core: Core, batches: FolioBatches, lruvecs: Lruvecs, pfn: int) -> None:
    if core.frames.has(pfn, PG_LRU) and not core.frames.has(pfn, PG_ACTIVE | PG_UNEVICTABLE):
        folio_batch_add(core, batches, lruvecs, pfn, BATCH_ACTIVATE)


def folio_deactivate(core: Core, batches: FolioBatches, lruvecs: Lruvecs, pfn: int) -> None:
    if core.frames.has(pfn, PG_LRU) and core.frames.has(pfn, PG_ACTIVE) and not core.frames.has(pfn, PG_UNEVICTABLE):
        folio_batch_add(core, batches, lruvecs, pfn, BATCH_DEACTIVATE)


def folio_mark_lazyfree(core: Core, batches: FolioBatches, lruvecs: Lruvecs, pfn: int) -> None:
    if not core.frames.has(pfn, PG_LRU) or core.frames.has(pfn, PG_UNEVICTABLE | PG_SWAPCACHE):
        return
    if core.frames.has(pfn, PG_ANON) and core.frames.has(pfn, PG_SWAPBACKED):
        folio_batch_add(core, batches, lruvecs, pfn, BATCH_LAZYFREE)


def lru_cache_activate_folio(core: Core, batches: FolioBatches, pfn: int) -> None:
    """__lru_cache_activate_folio: a page that has not arrived yet will do so on the active list."""
    place = batches.count[BATCH_ADD]
    while place > 0:
        place -= 1
        if batches.pages[place] == pfn:
            core.frames.set(pfn, PG_ACTIVE)
            return


def folio_mark_accessed(core: Core, batches: FolioBatches, lruvecs: Lruvecs, pfn: int) -> None:
    """inactive, unreferenced -> inactive, referenced -> active, unreferenced -> active, referenced."""
    if not core.frames.has(pfn, PG_REFERENCED):
        core.frames.set(pfn, PG_REFERENCED)
    elif not core.frames.has(pfn, PG_ACTIVE | PG_UNEVICTABLE):
        if core.frames.has(pfn, PG_LRU):
            folio_activate(core, batches, lruvecs, pfn)
        else:
            lru_cache_activate_folio(core, batches, pfn)
        core.frames.clear(pfn, PG_REFERENCED)
        age_nonresident(core, lruvecs, folio_lruvec(core, lruvecs, pfn))


def age_nonresident(core: Core, lruvecs: Lruvecs, lruvec: int) -> None:
    """workingset_age_nonresident (mm/workingset.c): a page went, or came to the active list: of this group, and so of all above it."""
    while lruvec >= 0:
        lruvecs.nonresident_age[lruvec] += 1
        lruvec = lruvecs.parent_lruvec(core, lruvec)
