"""swapoff's work: every page of an area comes back into memory (mm/swapfile.c: try_to_unuse, unuse_mm, unuse_pte).

Each page is read into the swap cache, which charges it to whoever runs swapoff; then it is mapped wherever its slot stood in a page
table, which charges it once more, as mapped; then it leaves the swap cache. Since a charged page only gains a reference, it stays with
the runner's container.
"""

from __future__ import annotations

from .core import Core, find_vma, warn
from .memcontrol import mem_container_uncharge_page, swap_free
from .page_alloc import get_page, put_page
from .page_io import swap_writepage
from .pagetable import leaf_end, mk_pte, pte_place, swp_pte
from .params import EINTR, ENOMEM, MAX_UNUSE_ROUNDS, PG_DIRTY, PG_LOCKED, PG_SWAPCACHE, PTE_PRESENT, WARN_UNUSE_LIVELOCK
from .rmap import page_add_anon_rmap
from .shmem import shmem_unuse
from .swap_state import delete_from_swap_cache
from .swapin import read_swap_cache_async
from .trace_ring import CHARGED_UNUSED, LEAVE_UNUSE
from .waiting import lock_page, wait_on_page_writeback


def find_next_to_unuse(core: Core, area: int, slot: int) -> int:
    """The next slot in use after this one, round the area; 0 where there is none left."""
    header = core.swap.start[area]
    end = header + core.swap.max[area]
    at = slot + 1
    while at < end:
        if core.swap.map[at] != 0:
            return at
        at += 1
    at = header + 1
    while at <= slot:
        if core.swap.map[at] != 0:
            return at
        at += 1
    return 0


def find_swap_pte(core: Core, mm: int, slot: int, start: int, end: int) -> int:
    """The page in [start, end) whose entry names the slot, or task_pages. Cost: O(entries of the leaves there)."""
    pte = swp_pte(slot)
    vpn = core.tables.next_leaf(mm, start, end)
    while vpn < end:
        leaf = core.tables.leaf(mm, vpn)
        stop = leaf_end(vpn, end)
        while vpn < stop:
            if core.tables.ram[pte_place(leaf, vpn)] == pte:
                return vpn
            vpn += 1
        vpn = core.tables.next_leaf(mm, vpn, end)
    return core.task_pages


def unuse_pte(core: Core, mm: int, vpn: int, slot: int, pfn: int) -> int:
    """Maps the page, old and read-only, where the slot stood. 0, or -ENOMEM where the owner's charge was refused, or its VMA not told."""
    if core.rules.charge(core, pfn, mm) != 0:
        return -ENOMEM
    leaf = core.tables.leaf(mm, vpn)
    if leaf == 0 or core.tables.ram[pte_place(leaf, vpn)] != swp_pte(slot):
        mem_container_uncharge_page(core, pfn, CHARGED_UNUSED)
        return 0
    vma = core.frames.private[leaf]
    if not core.vmas.holds(vma, mm, vpn):
        vma = find_vma(core, mm, vpn)
        if vma == 0:
            mem_container_uncharge_page(core, pfn, CHARGED_UNUSED)
            return -ENOMEM
    core.mms.anon_rss[mm] += 1
    core.mms.swap_ptes[mm] -= 1
    get_page(core, pfn)
    core.tables.ram[pte_place(leaf, vpn)] = mk_pte(pfn, PTE_PRESENT)
    page_add_anon_rmap(core, pfn, vma, vpn)
    swap_free(core, slot)
    core.model.activate(core, pfn)
    return 0


def unuse_mm(core: Core, mm: int, slot: int, pfn: int) -> int:
    """Maps the page in this address space if the slot stands there, which it does once at most. 0, or -ENOMEM.

    The kernel looks at the whole page table for each slot; neighbouring slots mostly belong to neighbouring pages, so that here the
    search goes on where the last one ended, and finds the same.
    """
    near = core.mms.unuse_vpn[mm]
    vpn = find_swap_pte(core, mm, slot, near, core.task_pages)
    if vpn == core.task_pages:
        vpn = find_swap_pte(core, mm, slot, 0, near)
    if vpn == core.task_pages:
        return 0
    core.mms.unuse_vpn[mm] = vpn
    return unuse_pte(core, mm, vpn, slot, pfn)


def unuse_mms(core: Core, slot: int, pfn: int, start_mm: int) -> int:
    """Maps the page in every address space that has its slot, until only the swap cache uses it.

    From `start_mm` on, round all of them; gives the first that had the slot, where the next search best begins, or -ENOMEM.
    """
    found = start_mm
    has_found = 0
    mm = start_mm
    left = core.mms.nr_known
    while left > 0 and core.swap.map[slot] > 1:
        if core.mms.swap_ptes[mm] > 0:
            users = core.swap.map[slot]
            if unuse_mm(core, mm, slot, pfn) != 0:
                return -ENOMEM
            if has_found == 0 and core.swap.map[slot] < users:
                found = mm
                has_found = 1
        mm += 1
        if mm >= core.mms.nr_known:
            mm = 0
        left -= 1
    return found


def unuse_slot(core: Core, slot: int, pfn: int, start_mm: int) -> int:
    """One slot, whose page the caller holds, is given up; answers as unuse_mms.

    A user may be left that came meanwhile (a child, say, behind the search): then what is only in memory is written, for the slot to be
    read again.
    """
    if not lock_page(core, pfn):
        put_page(core, pfn)
        return -EINTR
    wait_on_page_writeback(core, pfn)
    found = unuse_mms(core, slot, pfn, start_mm)
    if found >= 0 and core.swap.map[slot] > 1 and shmem_unuse(core, pfn, slot) != 0:
        found = -ENOMEM
    if found >= 0:
        if core.swap.map[slot] > 1 and core.frames.has(pfn, PG_DIRTY) and core.frames.has(pfn, PG_SWAPCACHE):
            swap_writepage(core, pfn, False)
            lock_page(core, pfn)
            wait_on_page_writeback(core, pfn)
        if core.frames.has(pfn, PG_SWAPCACHE):
            delete_from_swap_cache(core, pfn, LEAVE_UNUSE)
        core.frames.set(pfn, PG_DIRTY)
    core.frames.clear(pfn, PG_LOCKED)
    put_page(core, pfn)
    return found


def try_to_unuse(core: Core, area: int) -> int:
    """0 when no slot of the area is in use; -ENOMEM where a page found no frame or a charge was refused, -EINTR where the runner was
    killed, or waits for what it interrupts: then what has not come back stays in the area."""
    start_mm = 0
    left = core.swap.inuse_pages[area]
    rounds = 0
    slot = find_next_to_unuse(core, area, core.swap.start[area])
    while slot != 0:
        if core.current_is_killed:
            return -EINTR
        pfn = read_swap_cache_async(core, slot, slot)
        if pfn == 0 and core.swap.map[slot] != 0:
            return -ENOMEM
        if pfn != 0:
            start_mm = unuse_slot(core, slot, pfn, start_mm)
            if start_mm < 0:
                return start_mm
        rounds += 1
        if core.swap.inuse_pages[area] < left:
            left = core.swap.inuse_pages[area]
            rounds = 0
        if rounds > MAX_UNUSE_ROUNDS * left:
            warn(core, WARN_UNUSE_LIVELOCK)
            return -EINTR
        slot = find_next_to_unuse(core, area, slot)
    return 0
