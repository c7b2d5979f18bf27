"""Reverse maps: from a page to the page table entries that map it (mm/rmap.c; patch 9/9 for the container argument).

An anonymous page knows its anon_vma and its offset; the anon_vma knows its VMAs, the oldest first; where a VMA holds the offset, the
entry there maps the page or does not. Cost of a walk: O(VMAs of the anon_vma), one unless the task has forked or split it.
"""

from __future__ import annotations

from .core import Core
from .memcontrol import mem_container_uncharge_page
from .page_alloc import put_page
from .pagetable import pte_frame, pte_place, swp_pte
from .params import INDEX_BITS, NR_ANON_PAGES, NR_FILE_MAPPED, PG_ANON, PG_DIRTY, PG_REFERENCED, PTE_ACCESSED
from .params import PTE_DIRTY, PTE_PRESENT, SWAP_AGAIN, SWAP_FAIL, SWAP_SUCCESS, VM_LOCKED


def anon_mapping(anon_vma: int, index: int) -> int:
    """The word that page->mapping and page->index are here."""
    return (anon_vma << INDEX_BITS) | index


def page_anon_vma(core: Core, pfn: int) -> int:
    return core.frames.mapping[pfn] >> INDEX_BITS


def page_index(core: Core, pfn: int) -> int:
    word = core.frames.mapping[pfn]
    return word - ((word >> INDEX_BITS) << INDEX_BITS)


def set_anon_rmap(core: Core, pfn: int, vma: int, vpn: int) -> None:
    """__page_set_anon_rmap: the first mapping of the page."""
    core.frames.mapping[pfn] = anon_mapping(core.vmas.anon_vma[vma], vpn)
    core.frames.set(pfn, PG_ANON)
    core.zones.add(core.frames.zone(pfn), NR_ANON_PAGES, 1)


def page_add_new_anon_rmap(core: Core, pfn: int, vma: int, vpn: int) -> None:
    core.frames.mapcount[pfn] = 1
    set_anon_rmap(core, pfn, vma, vpn)


def page_add_anon_rmap(core: Core, pfn: int, vma: int, vpn: int) -> None:
    """A page of the swap cache is mapped. If somebody maps it already, the caller's charge was one too many, and is given back."""
    core.frames.mapcount[pfn] += 1
    if core.frames.mapcount[pfn] == 1:
        set_anon_rmap(core, pfn, vma, vpn)
    else:
        mem_container_uncharge_page(core, pfn)


def page_add_file_rmap(core: Core, pfn: int) -> None:
    """Only the zero page is mapped so as yet."""
    core.frames.mapcount[pfn] += 1
    if core.frames.mapcount[pfn] == 1:
        core.zones.add(core.frames.zone(pfn), NR_FILE_MAPPED, 1)


def page_remove_rmap(core: Core, pfn: int) -> None:
    """One mapping less; the last one gives up the charge that stands for "mapped"."""
    left = core.frames.mapcount[pfn] - 1
    core.frames.mapcount[pfn] = left
    if left != 0:
        return
    mem_container_uncharge_page(core, pfn)
    if core.frames.has(pfn, PG_ANON):
        core.zones.add(core.frames.zone(pfn), NR_ANON_PAGES, -1)
    else:
        core.zones.add(core.frames.zone(pfn), NR_FILE_MAPPED, -1)


def page_check_address(core: Core, pfn: int, vma: int, vpn: int) -> int:
    """Where the entry lies that maps the page in this VMA, or 0 where none does."""
    if vpn < core.vmas.start[vma] or vpn >= core.vmas.end[vma]:
        return 0
    leaf = core.tables.leaf(core.vmas.mm[vma], vpn)
    if leaf == 0:
        return 0
    at = pte_place(leaf, vpn)
    pte = core.tables.ram[at]
    if pte & PTE_PRESENT == 0 or pte_frame(pte) != pfn:
        return 0
    return at


def page_referenced(core: Core, pfn: int, container: int) -> int:
    """How many references the page got since it was asked last, which forgets them.

    On behalf of a container (not -1) mappings by address spaces of others do not count, and keep their accessed bits.
    """
    referenced = 0
    if core.frames.test_and_clear(pfn, PG_REFERENCED):
        referenced += 1
    mapcount = core.frames.mapcount[pfn]
    if mapcount == 0 or not core.frames.has(pfn, PG_ANON):
        return referenced
    vpn = page_index(core, pfn)
    head = core.vmas.anon_vma_head(page_anon_vma(core, pfn))
    vma = core.vmas.links.next[head]
    while vma != head and mapcount > 0:
        if container < 0 or core.mms.container[core.vmas.mm[vma]] == container:
            at = page_check_address(core, pfn, vma, vpn)
            if at != 0:
                mapcount -= 1
                pte = core.tables.ram[at]
                if pte & PTE_ACCESSED:
                    core.tables.ram[at] = pte ^ PTE_ACCESSED
                    referenced += 1
        vma = core.vmas.links.next[vma]
    return referenced


def try_to_unmap_one(core: Core, pfn: int, vma: int, vpn: int) -> int:
    """Takes the page out of one VMA, whichever container its address space is in. A young or locked mapping refuses."""
    at = page_check_address(core, pfn, vma, vpn)
    if at == 0:
        return SWAP_AGAIN
    pte = core.tables.ram[at]
    if core.vmas.flags[vma] & VM_LOCKED:
        return SWAP_FAIL
    if pte & PTE_ACCESSED:
        core.tables.ram[at] = pte ^ PTE_ACCESSED
        return SWAP_FAIL
    if pte & PTE_DIRTY:
        core.frames.set(pfn, PG_DIRTY)
    mm = core.vmas.mm[vma]
    slot = core.frames.private[pfn]
    core.swap.duplicate(slot)
    core.mms.anon_rss[mm] -= 1
    core.mms.swap_ptes[mm] += 1
    core.tables.ram[at] = swp_pte(slot)
    page_remove_rmap(core, pfn)
    put_page(core, pfn)
    return SWAP_AGAIN


def try_to_unmap(core: Core, pfn: int) -> int:
    """Out of every page table; the page is in the swap cache. SWAP_SUCCESS, SWAP_FAIL, or SWAP_AGAIN where a mapping was not found."""
    vpn = page_index(core, pfn)
    head = core.vmas.anon_vma_head(page_anon_vma(core, pfn))
    vma = core.vmas.links.next[head]
    ret = SWAP_AGAIN
    while vma != head:
        ret = try_to_unmap_one(core, pfn, vma, vpn)
        if ret == SWAP_FAIL or core.frames.mapcount[pfn] == 0:
            break
        vma = core.vmas.links.next[vma]
    if core.frames.mapcount[pfn] == 0:
        ret = SWAP_SUCCESS
    return ret
