"""What madvise() does to pages one by one: MADV_FREE, MADV_COLD, MADV_PAGEOUT (mm/madvise.c of 6.18).

Each walks the page table of one VMA. Pages that others map, too, are left alone. Where a page goes then is the model's.
"""

from __future__ import annotations

from .core import Core
from .pagetable import is_swap_pte, leaf_end, pte_frame, pte_place
from .params import PG_ANON, PG_DIRTY, PG_LOCKED, PG_MLOCKED, PG_REFERENCED, PG_SWAPCACHE, PTE_ACCESSED, PTE_DIRTY, PTE_PRESENT, ZERO_PAGE
from .swap_state import free_swap_and_cache, remove_exclusive_swap_page


def madvise_free_range(core: Core, mm: int, start: int, end: int) -> None:
    """madvise_free_pte_range: what is in swap is given up, what is in memory is clean from now on, and old."""
    vpn = core.tables.next_leaf(mm, start, end)
    while vpn < end:
        leaf = core.tables.leaf(mm, vpn)
        stop = leaf_end(vpn, end)
        while vpn < stop:
            madvise_free_entry(core, mm, pte_place(leaf, vpn))
            vpn += 1
        vpn = core.tables.next_leaf(mm, vpn, end)


def madvise_free_entry(core: Core, mm: int, at: int) -> None:
    pte = core.tables.ram[at]
    if is_swap_pte(pte):
        core.tables.ram[at] = 0
        core.mms.swap_ptes[mm] -= 1
        free_swap_and_cache(core, pte_frame(pte))
        return
    pfn = pte_frame(pte)
    if pte & PTE_PRESENT == 0 or not core.frames.has(pfn, PG_ANON) or core.frames.mapcount[pfn] != 1:
        return
    if core.frames.has(pfn, PG_SWAPCACHE | PG_DIRTY) and not makes_clean(core, pfn):
        return
    core.tables.ram[at] = pte - (pte & (PTE_ACCESSED | PTE_DIRTY))
    core.model.lazyfree(core, pfn)


def makes_clean(core: Core, pfn: int) -> bool:
    """Nothing else has the page's content, and nobody is going to write it. False where somebody works on it just now."""
    if core.frames.test_and_set(pfn, PG_LOCKED):
        return False
    remove_exclusive_swap_page(core, pfn)
    core.frames.clear(pfn, PG_LOCKED)
    if core.frames.has(pfn, PG_SWAPCACHE):
        return False
    core.frames.clear(pfn, PG_DIRTY)
    return True


def madvise_cold_range(core: Core, mm: int, start: int, end: int, is_pageout: bool) -> None:
    """madvise_cold_or_pageout_pte_range: the pages count as unused, and are reclaimed at once, or when it is their turn."""
    vpn = core.tables.next_leaf(mm, start, end)
    while vpn < end:
        leaf = core.tables.leaf(mm, vpn)
        stop = leaf_end(vpn, end)
        while vpn < stop:
            madvise_cold_entry(core, pte_place(leaf, vpn), is_pageout)
            vpn += 1
        vpn = core.tables.next_leaf(mm, vpn, end)


def madvise_cold_entry(core: Core, at: int, is_pageout: bool) -> None:
    pte = core.tables.ram[at]
    pfn = pte_frame(pte)
    if pte & PTE_PRESENT == 0 or pfn == ZERO_PAGE or core.frames.mapcount[pfn] != 1:
        return
    core.tables.ram[at] = pte - (pte & PTE_ACCESSED)
    core.frames.clear(pfn, PG_REFERENCED)
    if not is_pageout:
        core.model.deactivate(core, pfn)
    elif not core.frames.has(pfn, PG_MLOCKED):
        core.model.reclaim_page(core, pfn)
