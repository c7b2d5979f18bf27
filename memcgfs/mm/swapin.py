"""Pages from swap into the swap cache (mm/swap_state.c: read_swap_cache_async; mm/memory.c: swapin_readahead; mm/swapfile.c:
valid_swaphandles). What is read is charged to whoever runs, whoever it belongs to."""

from __future__ import annotations

from .core import Core
from .page_alloc import alloc_page, put_page
from .page_io import swap_readpage
from .params import ENOENT, ENOMEM, GFP_HIGHUSER
from .swap_state import add_to_swap_cache, lookup_swap_cache
from .trace import trace_page
from .trace_ring import SWAP_IN_AHEAD, SWAP_IN_WANTED, TRACE_SWAP_IN


def read_swap_cache_async(core: Core, slot: int, wanted: int) -> int:
    """The page of a slot, with one reference: from the cache, or a new one whose read is under way. 0 where there was no memory.

    `wanted`: the slot that the fault is for, which is another where this is read-ahead.
    """
    while True:
        found = lookup_swap_cache(core, slot)
        if found != 0:
            return found
        pfn = alloc_page(core, GFP_HIGHUSER)
        if pfn == 0:
            return 0
        error = add_to_swap_cache(core, pfn, slot)
        if error == 0:
            if core.swap.shadow[slot] != 0:
                core.model.refaulted(core, pfn, core.swap.shadow_age[slot], core.swap.shadow[slot])
                core.swap.leave_shadow(slot, 0, 0)
            core.model.page_added(core, pfn, True)
            if core.traced:
                trace_page(core, TRACE_SWAP_IN, pfn, SWAP_IN_WANTED if slot == wanted else SWAP_IN_AHEAD, slot, wanted)
            swap_readpage(core, pfn)
            return pfn
        put_page(core, pfn)
        if error in (-ENOENT, -ENOMEM):
            return 0


def swapin_readahead(core: Core, slot: int) -> None:
    """The aligned block of 2^page_cluster slots around this one, up to the first that is not in use; charged to whoever runs.

    In 2.6.23 that is the first one in the block; since 2.6.25, the next one in each direction. Today a block of one slot is no read-ahead,
    and does not bring waiting pages to the LRU.
    """
    if core.page_cluster > 0:
        header = core.swap.start[core.swap.area_of(slot)]
        offset = max(((slot - header) >> core.page_cluster) << core.page_cluster, 1)
        if core.rules.looks_around_slot:
            offset = first_swaphandle(core, slot, offset)
        end = offset + valid_swaphandles(core, slot, offset)
        while offset < end:
            pfn = read_swap_cache_async(core, header + offset, slot)
            if pfn == 0:
                break
            put_page(core, pfn)
            offset += 1
    if core.page_cluster > 0 or not core.rules.knows_exclusive:
        core.model.drain(core)


def first_swaphandle(core: Core, slot: int, base: int) -> int:
    """The offset, not below `base`, from which on all slots are in use up to this one."""
    header = core.swap.start[core.swap.area_of(slot)]
    first = slot - header
    while first > base and core.swap.map[header + first - 1] != 0:
        first -= 1
    return first


def valid_swaphandles(core: Core, slot: int, first: int) -> int:
    """How many slots of the area are in use from offset `first` on, up to the end of the slot's block; found before the first is read."""
    area = core.swap.area_of(slot)
    header = core.swap.start[area]
    block = (slot - header) >> core.page_cluster
    count = 0
    while first + count < core.swap.max[area] and (first + count) >> core.page_cluster == block:
        if core.swap.map[header + first + count] == 0:
            break
        count += 1
    return count
