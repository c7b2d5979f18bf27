"""The swap cache: pages that have a slot (mm/swap_state.c; remove_exclusive_swap_page and its kin from mm/swapfile.c).

A page in the swap cache holds one count of its slot, and the cache holds one reference to the page and, in 2007, one to its meta
page: the swap cache is charged. Its slot is `private`; the way back from slot to page is SwapArea.cache.
"""

from __future__ import annotations

from .core import Core
from .memcontrol import mod_memcg_page_state, swap_free
from .page_alloc import get_page, put_page
from .params import EEXIST, ENOENT, LOCKDEP, MEMCG_SWAPCACHE, NR_FILE_PAGES, PG_DIRTY, PG_LOCKED, PG_SWAPCACHE, PG_UPTODATE, PG_WRITEBACK
from .trace import trace_page
from .trace_ring import CHARGED_CACHE, CHARGED_UNUSED, ENTER_IN, ENTER_OUT, LEAVE_EXCLUSIVE, LEAVE_RECLAIM, LEAVE_SLOT_FREE
from .trace_ring import TRACE_ADD_TO_SWAP_CACHE, TRACE_DELETE_FROM_SWAP_CACHE


def lookup_swap_cache(core: Core, slot: int) -> int:
    """The page that holds this slot, with one reference more; or 0."""
    pfn = core.swap.cache[slot]
    if pfn != 0:
        get_page(core, pfn)
    return pfn


def insert_into_swap_cache(core: Core, pfn: int, slot: int, why: int) -> int:
    """__add_to_swap_cache: charges the page to whoever runs (current->mm), then enters it.

    0; -ENOMEM; -EEXIST where another page took the slot's place while this one was charged.
    """
    error = core.rules.swap_cache_charge(core, pfn, slot, core.current_mm)
    if error != 0:
        return error
    if core.swap.cache[slot] != 0:
        core.rules.swap_cache_uncharge(core, pfn, CHARGED_UNUSED)
        return -EEXIST
    core.swap.cache[slot] = pfn
    core.swap.nr_cached += 1
    get_page(core, pfn)
    core.frames.private[pfn] = slot
    core.frames.set(pfn, PG_LOCKED | PG_SWAPCACHE)
    if core.traced:
        trace_page(core, TRACE_ADD_TO_SWAP_CACHE, pfn, why, slot, 0)
    core.zones.add(core.frames.zone(pfn), NR_FILE_PAGES, 1)
    mod_memcg_page_state(core, pfn, MEMCG_SWAPCACHE, 1)
    return 0


def add_to_swap(core: Core, pfn: int) -> bool:
    """A slot for an anonymous page that has none, on its way out. The page is locked by the caller. False where there is no slot."""
    slot = core.swap.take()
    if slot == 0:
        return False
    if insert_into_swap_cache(core, pfn, slot, ENTER_OUT) != 0:
        swap_free(core, slot)
        return False
    core.frames.set(pfn, PG_UPTODATE | PG_DIRTY)
    return True


def add_to_swap_cache(core: Core, pfn: int, slot: int) -> int:
    """A new page for a slot that is to be read. 0; -ENOENT where the slot was given up; -ENOMEM; -EEXIST."""
    if not core.swap.duplicate(slot):
        return -ENOENT
    error = insert_into_swap_cache(core, pfn, slot, ENTER_IN)
    if error != 0:
        swap_free(core, slot)
    else:
        core.rules.swapped_in(core, slot)
    return error


def delete_from_swap_cache(core: Core, pfn: int, why: int) -> None:
    """The page leaves the cache, and its slot loses a user. The caller holds a reference."""
    slot = core.frames.private[pfn]
    if LOCKDEP:
        assert core.swap.cache[slot] == pfn, f"frame {pfn} is not in the swap cache at slot {slot}"
    if core.traced:
        trace_page(core, TRACE_DELETE_FROM_SWAP_CACHE, pfn, why, slot, 0)
    core.swap.cache[slot] = 0
    core.swap.nr_cached -= 1
    core.frames.private[pfn] = 0
    core.frames.clear(pfn, PG_SWAPCACHE)
    core.zones.add(core.frames.zone(pfn), NR_FILE_PAGES, -1)
    mod_memcg_page_state(core, pfn, MEMCG_SWAPCACHE, -1)
    core.rules.swap_cache_uncharge(core, pfn, CHARGED_CACHE)
    if why == LEAVE_RECLAIM:
        core.rules.swapped_out(core, pfn, slot)
    swap_free(core, slot)
    put_page(core, pfn)


def remove_exclusive_swap_page(core: Core, pfn: int) -> bool:
    """Gives the slot back if nobody but the cache uses it and nobody but the caller holds the page; the page is dirty then."""
    if not core.frames.has(pfn, PG_SWAPCACHE) or core.frames.has(pfn, PG_WRITEBACK):
        return False
    if core.frames.count[pfn] != 2 or core.swap.map[core.frames.private[pfn]] != 1:
        return False
    core.frames.set(pfn, PG_DIRTY)
    delete_from_swap_cache(core, pfn, LEAVE_EXCLUSIVE)
    return True


def can_share_swap_page(core: Core, pfn: int) -> bool:
    """Is the page mapped by one task only, and its slot held by no other? Then a write needs no copy."""
    users = core.frames.mapcount[pfn]
    if users <= 1 and core.frames.has(pfn, PG_SWAPCACHE):
        users += core.swap.map[core.frames.private[pfn]] - 1
    return users == 1


def free_page_and_swap_cache(core: Core, pfn: int) -> None:
    """A mapping of the page has gone (mm/memory.c: zap_pte_range): so may its slot, and so goes a reference."""
    if core.frames.has(pfn, PG_SWAPCACHE) and not core.frames.test_and_set(pfn, PG_LOCKED):
        remove_exclusive_swap_page(core, pfn)
        core.frames.clear(pfn, PG_LOCKED)
    put_page(core, pfn)


def free_swap_and_cache(core: Core, slot: int) -> None:
    """A swap entry has gone; where only the cache is left to use the slot, the page goes too, unless it is being written."""
    if swap_free(core, slot) != 1:
        return
    pfn = core.swap.cache[slot]
    if pfn == 0 or core.frames.test_and_set(pfn, PG_LOCKED):
        return
    get_page(core, pfn)
    if not core.frames.has(pfn, PG_WRITEBACK) and (core.frames.count[pfn] == 2 or core.swap.is_full()):
        core.frames.set(pfn, PG_DIRTY)
        delete_from_swap_cache(core, pfn, LEAVE_SLOT_FREE)
    core.frames.clear(pfn, PG_LOCKED)
    put_page(core, pfn)
