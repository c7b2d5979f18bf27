"""Reverse maps: from a page to the page table entries that map it (mm/rmap.c; patch 9/9 for the container argument).

An anonymous page knows its anon_vma and its offset, a page of a file the file and its index there; the anon_vma and the file know their
VMAs, the oldest first; where a VMA holds the offset, the entry there maps the page or does not. Cost of a walk: O(VMAs of the anon_vma
or the file); of an anon_vma one, unless the task has forked or split it.
"""

from __future__ import annotations

from .core import Core
from .memcontrol import mem_container_uncharge_page, mod_lruvec_page_state
from .page_alloc import put_page
from .pagetable import pte_frame, pte_place, swp_pte
from .page_dirty import set_page_dirty
from .params import NR_ANON_PAGES, NR_FILE_MAPPED, PG_ANON, PG_LOCKED, PG_REFERENCED, PTE_ACCESSED, PTE_DIRTY
from .params import PTE_PRESENT, PTE_RW, VM_LOCKED, VM_LOCKED_SHARED, VM_SHARED, ZERO_PAGE
from .trace import trace_unmap
from .trace_ring import CHARGED_MAPPED, CHARGED_UNUSED, UNMAP_RECLAIM


def set_anon_rmap(core: Core, pfn: int, vma: int, vpn: int) -> None:
    """__page_set_anon_rmap: the first mapping of the page."""
    core.frames.set_mapping(pfn, core.vmas.anon_vma[vma], vpn)
    core.frames.set(pfn, PG_ANON)
    mod_lruvec_page_state(core, pfn, NR_ANON_PAGES, 1)


def page_add_new_anon_rmap(core: Core, pfn: int, vma: int, vpn: int) -> None:
    core.frames.mapcount[pfn] = 1
    set_anon_rmap(core, pfn, vma, vpn)


def page_add_anon_rmap(core: Core, pfn: int, vma: int, vpn: int) -> None:
    """A page of the swap cache is mapped. If somebody maps it already, the caller's charge was one too many, and is given back."""
    core.frames.mapcount[pfn] += 1
    if core.frames.mapcount[pfn] == 1:
        set_anon_rmap(core, pfn, vma, vpn)
    else:
        mem_container_uncharge_page(core, pfn, CHARGED_UNUSED)


def page_add_file_rmap(core: Core, pfn: int) -> None:
    """A page of a file, or the zero page. A second mapping's charge goes back, as for anonymous pages."""
    core.frames.mapcount[pfn] += 1
    if core.frames.mapcount[pfn] == 1:
        mod_lruvec_page_state(core, pfn, NR_FILE_MAPPED, 1)
    else:
        mem_container_uncharge_page(core, pfn, CHARGED_UNUSED)


def page_remove_rmap(core: Core, pfn: int) -> None:
    """One mapping less; the last one gives up the charge that stands for "mapped"."""
    left = core.frames.mapcount[pfn] - 1
    core.frames.mapcount[pfn] = left
    if left != 0:
        return
    mem_container_uncharge_page(core, pfn, CHARGED_MAPPED)
    if core.frames.has(pfn, PG_ANON):
        mod_lruvec_page_state(core, pfn, NR_ANON_PAGES, -1)
    else:
        mod_lruvec_page_state(core, pfn, NR_FILE_MAPPED, -1)


def count_file_rss(core: Core, mm: int, pfn: int, amount: int) -> None:
    """The address space maps a page of a file, or no more. Whether the zero page is memory of its own differs between kernels."""
    if pfn != ZERO_PAGE or core.rules.counts_zero_page:
        core.mms.file_rss[mm] += amount


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


def is_spared(core: Core, mm: int) -> bool:
    """Has somebody else the swap token, in the middle of a fault? Then its pages count as referenced."""
    return mm == core.token.mm and mm != core.current_mm and core.mms.in_fault[mm] > 0


def counts_as_locked(core: Core, vma: int) -> bool:
    """What the VMA maps counts as referenced, young or not, and nobody needs to ask further."""
    return core.rules.spares_locked and core.vmas.flags[vma] & VM_LOCKED != 0


def page_referenced_one(core: Core, pfn: int, vma: int, vpn: int) -> int:
    """How often the page was referenced through this VMA: once where its entry is young, which it is no more then, and once where the swap
    token spares it; -1 where the VMA does not map the page."""
    at = page_check_address(core, pfn, vma, vpn)
    if at == 0:
        return -1
    referenced = 0
    pte = core.tables.ram[at]
    if counts_as_locked(core, vma):
        referenced = 1
    elif pte & PTE_ACCESSED:
        core.tables.ram[at] = pte ^ PTE_ACCESSED
        referenced = 1
    if is_spared(core, core.vmas.mm[vma]):
        referenced += 1
    return referenced


def may_count(core: Core, vma: int, container: int) -> bool:
    """Patch 9/9: on behalf of a container, mappings by address spaces of others do not count, and keep their accessed bits."""
    return container < 0 or core.mms.container[core.vmas.mm[vma]] == container


def page_referenced(core: Core, pfn: int, is_locked: bool, container: int) -> int:
    """How many references the page got since it was asked last, which forgets them.

    A mapped page of a file can only be asked while it is locked; where somebody else holds its lock, it counts as referenced once.
    """
    referenced = 0
    if core.frames.test_and_clear(pfn, PG_REFERENCED):
        referenced += 1
    if core.frames.mapcount[pfn] == 0:
        return referenced
    if core.frames.has(pfn, PG_ANON):
        return referenced + page_referenced_anon(core, pfn, container)
    if is_locked:
        return referenced + page_referenced_file(core, pfn, container)
    if core.frames.test_and_set(pfn, PG_LOCKED):
        return referenced + 1
    referenced += page_referenced_file(core, pfn, container)
    core.frames.clear(pfn, PG_LOCKED)
    return referenced


def page_referenced_anon(core: Core, pfn: int, container: int) -> int:
    referenced = 0
    mapcount = core.frames.mapcount[pfn]
    vpn = core.frames.index(pfn)
    head = core.vmas.anon_vma_head(core.frames.owner(pfn))
    vma = core.vmas.links.next[head]
    while vma != head and mapcount > 0:
        if may_count(core, vma, container):
            found = page_referenced_one(core, pfn, vma, vpn)
            if found >= 0:
                mapcount -= 1
                referenced += found
                if counts_as_locked(core, vma):
                    return referenced
        vma = core.vmas.links.next[vma]
    return referenced


def page_referenced_file(core: Core, pfn: int, container: int) -> int:
    """A shared mapping of the page's part of the file that is locked in memory counts at once, mapped or not, and ends the search."""
    referenced = 0
    mapcount = core.frames.mapcount[pfn]
    head = core.vmas.file_head(core.frames.owner(pfn))
    vma = core.vmas.i_mmap.next[head]
    while vma != head and mapcount > 0:
        vpn = vma_address(core, pfn, vma)
        if vpn < core.vmas.end[vma] and may_count(core, vma, container):
            if core.vmas.flags[vma] & VM_LOCKED_SHARED == VM_LOCKED_SHARED:
                return referenced + 1
            found = page_referenced_one(core, pfn, vma, vpn)
            if found >= 0:
                mapcount -= 1
                referenced += found
                if counts_as_locked(core, vma):
                    return referenced
        vma = core.vmas.i_mmap.next[vma]
    return referenced


def vma_address(core: Core, pfn: int, vma: int) -> int:
    """Where this VMA would map the page of its file; beyond task_pages where it cannot."""
    index = core.frames.index(pfn)
    if index < core.vmas.pgoff[vma]:
        return core.task_pages
    return index - core.vmas.pgoff[vma] + core.vmas.start[vma]


def is_mapped_locked(core: Core, pfn: int) -> bool:
    """Does a VMA map the page that is locked in memory?"""
    if core.frames.mapcount[pfn] == 0:
        return False
    if core.frames.has(pfn, PG_ANON):
        return is_locked_anon(core, pfn)
    head = core.vmas.file_head(core.frames.owner(pfn))
    vma = core.vmas.i_mmap.next[head]
    while vma != head:
        if core.vmas.flags[vma] & VM_LOCKED and page_check_address(core, pfn, vma, vma_address(core, pfn, vma)) != 0:
            return True
        vma = core.vmas.i_mmap.next[vma]
    return False


def is_locked_anon(core: Core, pfn: int) -> bool:
    vpn = core.frames.index(pfn)
    head = core.vmas.anon_vma_head(core.frames.owner(pfn))
    vma = core.vmas.links.next[head]
    while vma != head:
        if core.vmas.flags[vma] & VM_LOCKED and page_check_address(core, pfn, vma, vpn) != 0:
            return True
        vma = core.vmas.links.next[vma]
    return False


def try_to_unmap_one(core: Core, pfn: int, vma: int, vpn: int) -> bool:
    """Takes the page out of one VMA, whichever container its address space is in. False: a young or locked mapping refuses.

    An anonymous page leaves its slot behind; a page of a file leaves nothing, for the file knows it.
    """
    at = page_check_address(core, pfn, vma, vpn)
    if at == 0:
        return True
    pte = core.tables.ram[at]
    if core.vmas.flags[vma] & VM_LOCKED:
        return False
    if pte & PTE_ACCESSED:
        core.tables.ram[at] = pte ^ PTE_ACCESSED
        return False
    if pte & PTE_DIRTY:
        set_page_dirty(core, pfn)
    mm = core.vmas.mm[vma]
    if core.frames.has(pfn, PG_ANON):
        slot = core.frames.private[pfn]
        core.swap.duplicate(slot)
        core.mms.anon_rss[mm] -= 1
        core.mms.swap_ptes[mm] += 1
        core.tables.ram[at] = swp_pte(slot)
        if core.traced:
            trace_unmap(core, mm, vpn, pfn, slot, UNMAP_RECLAIM)
    else:
        core.mms.file_rss[mm] -= 1
        core.tables.ram[at] = 0
        if core.traced:
            trace_unmap(core, mm, vpn, pfn, 0, UNMAP_RECLAIM)
    page_remove_rmap(core, pfn)
    put_page(core, pfn)
    return True


def try_to_unmap(core: Core, pfn: int) -> bool:
    """Out of every page table; False where a mapping refuses, which ends the search. An anonymous page has its slot."""
    return try_to_unmap_anon(core, pfn) if core.frames.has(pfn, PG_ANON) else try_to_unmap_file(core, pfn)


def try_to_unmap_anon(core: Core, pfn: int) -> bool:
    vpn = core.frames.index(pfn)
    head = core.vmas.anon_vma_head(core.frames.owner(pfn))
    vma = core.vmas.links.next[head]
    while vma != head and core.frames.mapcount[pfn] > 0:
        if not try_to_unmap_one(core, pfn, vma, vpn):
            return False
        vma = core.vmas.links.next[vma]
    return True


def try_to_unmap_file(core: Core, pfn: int) -> bool:
    head = core.vmas.file_head(core.frames.owner(pfn))
    vma = core.vmas.i_mmap.next[head]
    while vma != head and core.frames.mapcount[pfn] > 0:
        if not try_to_unmap_one(core, pfn, vma, vma_address(core, pfn, vma)):
            return False
        vma = core.vmas.i_mmap.next[vma]
    return True


def page_mkclean(core: Core, pfn: int) -> bool:
    """Every shared mapping of the page loses its dirty bit and the right to write, so that the next write is noticed. Was one dirty?"""
    if core.frames.mapcount[pfn] == 0:
        return False
    was_dirty = 0
    head = core.vmas.file_head(core.frames.owner(pfn))
    vma = core.vmas.i_mmap.next[head]
    while vma != head:
        if core.vmas.flags[vma] & VM_SHARED:
            at = page_check_address(core, pfn, vma, vma_address(core, pfn, vma))
            if at != 0:
                pte = core.tables.ram[at]
                if pte & PTE_DIRTY:
                    was_dirty = 1
                core.tables.ram[at] = pte - (pte & (PTE_DIRTY | PTE_RW))
        vma = core.vmas.i_mmap.next[vma]
    return was_dirty != 0
