"""The mappings of a page as reclaim of 6.18 asks for them (mm/rmap.c: folio_referenced, try_to_unmap; include/linux/mm_inline.h:
vma_has_recency).

A mapping that says that its pages are read in order, or in none, tells nothing by its accessed bits: they are neither looked at nor
cleared. Mappings by tasks outside of the tree that is reclaimed do not count. Unmapping asks for no accessed bit.

The VMA that last mapped a page of a file is written down with the page (in a word of core.meta, by which other models link it), and is
looked at first: a page that one VMA maps is found at once, however many the file has.
"""

from __future__ import annotations

from typing import Final

from ..core import Core
from ..page_alloc import put_page
from ..page_dirty import set_page_dirty
from ..pagetable import swp_pte
from ..params import PG_ANON, PG_DIRTY, PG_SWAPBACKED, PTE_ACCESSED, PTE_DIRTY, VM_LOCKED, VM_RAND_READ, VM_SEQ_READ
from ..rmap import page_check_address, page_remove_rmap, vma_address
from ..trace import trace_unmap
from ..trace_ring import UNMAP_RECLAIM

REFERENCED_LOCKED: Final = 1000000
"""Instead of a number of references: the page is locked in memory (folio_referenced leaves VM_LOCKED in vm_flags)."""


def vma_has_recency(core: Core, vma: int) -> bool:
    return core.vmas.flags[vma] & (VM_RAND_READ | VM_SEQ_READ) == 0


def page_vpn(core: Core, pfn: int, vma: int) -> int:
    """Where this VMA would map the page."""
    if core.frames.has(pfn, PG_ANON):
        return core.frames.index(pfn)
    return vma_address(core, pfn, vma)


def hinted_vma(core: Core, pfn: int) -> int:
    """The VMA of a file's page that is all that maps it, or 0."""
    if core.frames.mapcount[pfn] != 1 or core.frames.has(pfn, PG_ANON):
        return 0
    vma = core.meta.prev[pfn]
    if vma >= core.vmas.nr_vmas or core.vmas.mm[vma] == 0 or core.vmas.handle[vma] == 0:
        return 0
    if core.open_files.file[core.vmas.handle[vma]] != core.frames.owner(pfn):
        return 0
    if page_check_address(core, pfn, vma, vma_address(core, pfn, vma)) == 0:
        return 0
    return vma


def first_vma(core: Core, pfn: int) -> int:
    """Of the list of those that may map the page: an entry, or the list's head."""
    if core.frames.has(pfn, PG_ANON):
        return core.vmas.links.next[core.vmas.anon_vma_head(core.frames.owner(pfn))]
    return core.vmas.i_mmap.next[core.vmas.file_head(core.frames.owner(pfn))]


def vma_after(core: Core, pfn: int, vma: int) -> int:
    if core.frames.has(pfn, PG_ANON):
        return core.vmas.links.next[vma]
    return core.vmas.i_mmap.next[vma]


def folio_referenced_one(core: Core, pfn: int, vma: int, target: int) -> int:
    """1 where this mapping's entry is young, which it is no more then; -1 where it does not map the page; REFERENCED_LOCKED."""
    at = page_check_address(core, pfn, vma, page_vpn(core, pfn, vma))
    if at == 0:
        return -1
    if not core.containers.is_below(core.mms.container[core.vmas.mm[vma]], target):
        return 0
    if core.vmas.flags[vma] & VM_LOCKED:
        return REFERENCED_LOCKED
    if not vma_has_recency(core, vma) or core.tables.ram[at] & PTE_ACCESSED == 0:
        return 0
    core.tables.ram[at] ^= PTE_ACCESSED
    return 1


def folio_referenced(core: Core, pfn: int, target: int) -> int:
    """By how many mappings it was used since it was asked last; REFERENCED_LOCKED where one is locked in memory."""
    if core.frames.mapcount[pfn] == 0:
        return 0
    vma = hinted_vma(core, pfn)
    if vma != 0:
        return folio_referenced_one(core, pfn, vma, target)
    referenced = 0
    left = core.frames.mapcount[pfn]
    vma = first_vma(core, pfn)
    while vma < core.vmas.nr_vmas and left > 0:
        found = folio_referenced_one(core, pfn, vma, target)
        if found == REFERENCED_LOCKED:
            return found
        if found >= 0:
            referenced += found
            left -= 1
        vma = vma_after(core, pfn, vma)
    return referenced


def folio_try_to_unmap_one(core: Core, pfn: int, vma: int) -> bool:
    """Takes the page out of this VMA, if it is there. False where the mapping is locked, or where nobody was to miss the page's content and
    somebody wrote it again (MADV_FREE)."""
    vpn = page_vpn(core, pfn, vma)
    at = page_check_address(core, pfn, vma, vpn)
    if at == 0:
        return True
    if core.vmas.flags[vma] & VM_LOCKED:
        return False
    mm = core.vmas.mm[vma]
    pte = core.tables.ram[at]
    core.tlb.drop(mm, vpn)
    if pte & PTE_DIRTY:
        set_page_dirty(core, pfn)
    slot = 0
    if core.frames.has(pfn, PG_ANON):
        if core.frames.has(pfn, PG_SWAPBACKED):
            slot = core.frames.private[pfn]
            core.swap.duplicate(slot)
            core.mms.swap_ptes[mm] += 1
        elif core.frames.has(pfn, PG_DIRTY):
            core.frames.set(pfn, PG_SWAPBACKED)
            return False
        core.mms.anon_rss[mm] -= 1
    else:
        core.mms.file_rss[mm] -= 1
    core.tables.ram[at] = swp_pte(slot)
    if core.traced:
        trace_unmap(core, mm, vpn, pfn, slot, UNMAP_RECLAIM)
    page_remove_rmap(core, pfn)
    put_page(core, pfn)
    return True


def folio_try_to_unmap(core: Core, pfn: int) -> bool:
    """Out of every page table. False where a mapping refuses. An anonymous page that needs a slot has it."""
    vma = hinted_vma(core, pfn)
    if vma != 0:
        return folio_try_to_unmap_one(core, pfn, vma)
    vma = first_vma(core, pfn)
    while vma < core.vmas.nr_vmas and core.frames.mapcount[pfn] > 0:
        if not folio_try_to_unmap_one(core, pfn, vma):
            return False
        vma = vma_after(core, pfn, vma)
    return core.frames.mapcount[pfn] == 0


def unmapped_from_recent(core: Core, pfn: int, mm: int, vpn: int) -> bool:
    """zap_present_folio_ptes: did a VMA of this address space map a file's page there whose accessed bits tell something?"""
    vma = core.meta.prev[pfn]
    if vma < core.vmas.nr_vmas and core.vmas.holds(vma, mm, vpn):
        return vma_has_recency(core, vma)
    vma = first_vma(core, pfn)
    while vma < core.vmas.nr_vmas:
        if core.vmas.holds(vma, mm, vpn):
            return vma_has_recency(core, vma)
        vma = vma_after(core, pfn, vma)
    return False
