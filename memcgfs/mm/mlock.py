"""Pages that are locked in memory (mm/mlock.c of 6.18), where the rules keep them apart from those that reclaim walks.

PG_MLOCKED says that a VMA maps the page that is locked (VM_LOCKED). What that means for its list is the model's. Under older rules a
locked page stays where it is, and reclaim finds out when it tries to unmap it.
"""

from __future__ import annotations

from .core import Core
from .pagetable import leaf_end, pte_frame, pte_place
from .params import PG_MLOCKED, PTE_PRESENT, VM_LOCKED, ZERO_PAGE
from .rmap import is_mapped_locked


def mlock_vma_page(core: Core, pfn: int, vma: int) -> None:
    """mlock_vma_folio: the VMA maps the page from now on."""
    if core.vmas.flags[vma] & VM_LOCKED and core.rules.keeps_unevictable:
        mlock_page(core, pfn)


def mlock_page(core: Core, pfn: int) -> None:
    if not core.frames.test_and_set(pfn, PG_MLOCKED):
        core.model.mlocked(core, pfn)


def munlock_page(core: Core, pfn: int) -> None:
    """munlock_folio: one mapping less of a page that is marked. The mark goes with the last that is locked."""
    if not is_mapped_locked(core, pfn):
        core.frames.clear(pfn, PG_MLOCKED)
        core.model.munlocked(core, pfn)


def mlock_vma_pages_range(core: Core, mm: int, start: int, end: int, is_locked: bool) -> None:
    """mlock_pte_range: what is present of one VMA, whose flag has just changed."""
    vpn = core.tables.next_leaf(mm, start, end)
    while vpn < end:
        leaf = core.tables.leaf(mm, vpn)
        stop = leaf_end(vpn, end)
        while vpn < stop:
            pte = core.tables.ram[pte_place(leaf, vpn)]
            if pte & PTE_PRESENT and pte_frame(pte) != ZERO_PAGE:
                if is_locked:
                    mlock_page(core, pte_frame(pte))
                elif core.frames.has(pte_frame(pte), PG_MLOCKED):
                    munlock_page(core, pte_frame(pte))
            vpn += 1
        vpn = core.tables.next_leaf(mm, vpn, end)
