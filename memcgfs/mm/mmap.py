"""Changes to whole ranges of an address space: unmapping, copying at fork, and the batch of accesses (mm/memory.c, mm/mmap.c).

access_pages is the one entry of every simulated access: ctl, mem, replay and Python all come through it.
"""

from __future__ import annotations

from .core import Core, warn
from .memory import handle_mm_fault, pte_alloc, pte_free
from .mlock import munlock_page
from .page_alloc import get_page
from .page_dirty import set_page_dirty
from .pagetable import is_swap_pte, leaf_end, pte_frame, pte_place
from .params import ENOMEM, MAX_FAULTS_PER_ACCESS, PG_ANON, PG_MLOCKED, PTE_ACCESSED, PTE_DIRTY, PTE_PRESENT, PTE_RW
from .params import VM_FAULT_MAJOR, VM_FAULT_MINOR, VM_FAULT_OOM, VM_FAULT_SIGSEGV
from .params import WARN_FAULT_LIVELOCK
from .rmap import count_file_rss, page_remove_rmap
from .swap_state import free_page_and_swap_cache, free_swap_and_cache
from .trace import trace_copy_pte, trace_unmap
from .waiting import next_due_ns, run_due


def access_pages(core: Core, mm: int, pages: memoryview[int], writes: memoryview[int], first: int) -> int:
    """Accesses pages[first:] in order, writing where writes[i] is not 0; gives how many of all were accessed.

    Less than all: the access there was refused, and core.fault says why (VM_FAULT_OOM, _SIGSEGV, _SIGBUS). After each fault the
    machine does what has fallen due, so that a batch is worth exactly its accesses one by one.
    """
    done = first
    faults = 0
    faulting = -1
    count = len(pages)
    while done < count:
        vpn = pages[done]
        write = writes[done]
        if vpn >= core.task_pages:
            core.fault = VM_FAULT_SIGSEGV
            break
        leaf = core.tables.leaf(mm, vpn)
        if leaf != 0:
            at = pte_place(leaf, vpn)
            pte = core.tables.ram[at]
            if write:
                if pte & PTE_RW:
                    core.tables.ram[at] = pte | PTE_ACCESSED | PTE_DIRTY
                    if core.tlb.is_on:
                        use_translation(core, mm, vpn, at, pte)
                    done += 1
                    continue
            elif pte & PTE_PRESENT:
                core.tables.ram[at] = pte | PTE_ACCESSED
                if core.tlb.is_on:
                    use_translation(core, mm, vpn, at, pte)
                done += 1
                continue
        if not fault_in(core, mm, vpn, write):
            break
        faults = faults + 1 if done == faulting else 1
        faulting = done
        if faults == MAX_FAULTS_PER_ACCESS:
            warn(core, WARN_FAULT_LIVELOCK)
            core.fault = VM_FAULT_OOM
            break
        if 0 <= next_due_ns(core) <= core.clock_ns:
            run_due(core)
    return done


def use_translation(core: Core, mm: int, vpn: int, at: int, before: int) -> None:
    """An access for which the processor holds the translation leaves the entry as old as it was; unless it is the first write, which sets
    the dirty bit there."""
    is_held = core.tlb.use(mm, vpn, not core.frames.has(pte_frame(before), PG_ANON))
    if is_held and core.tables.ram[at] & PTE_DIRTY == before & PTE_DIRTY:
        core.tables.ram[at] = before


def fault_in(core: Core, mm: int, vpn: int, write: int) -> bool:
    """The access faults, and says in core.fault how that ended. May the batch go on?"""
    core.mms.in_fault[mm] += 1
    core.fault = handle_mm_fault(core, mm, vpn, write != 0)
    core.mms.in_fault[mm] -= 1
    if core.fault == VM_FAULT_MAJOR:
        core.mms.maj_flt[mm] += 1
    elif core.fault == VM_FAULT_MINOR:
        core.mms.min_flt[mm] += 1
        core.clock_ns += core.fault_ns
    if core.memcg_in_oom >= 0 and core.fault < VM_FAULT_OOM:
        core.set_memcg_in_oom(-1)
    return core.fault < VM_FAULT_OOM and not core.current_is_killed


def zap_page(core: Core, mm: int, vpn: int, at: int, why: int) -> None:
    """zap_pte_range, one entry that is not 0. `why`: UNMAP_ZAP or UNMAP_TRUNCATE."""
    pte = core.tables.ram[at]
    core.tables.ram[at] = 0
    core.tlb.drop(mm, vpn)
    if is_swap_pte(pte):
        core.mms.swap_ptes[mm] -= 1
        if core.traced:
            trace_unmap(core, mm, vpn, 0, pte_frame(pte), why)
        free_swap_and_cache(core, pte_frame(pte))
        return
    pfn = pte_frame(pte)
    if core.traced:
        trace_unmap(core, mm, vpn, pfn, 0, why)
    if core.frames.has(pfn, PG_ANON):
        core.mms.anon_rss[mm] -= 1
    else:
        count_file_rss(core, mm, pfn, -1)
        if pte & PTE_DIRTY:
            set_page_dirty(core, pfn)
        if pte & PTE_ACCESSED:
            core.model.unmapped(core, pfn, mm, vpn)
    page_remove_rmap(core, pfn)
    if core.frames.has(pfn, PG_MLOCKED):
        munlock_page(core, pfn)
    free_page_and_swap_cache(core, pfn)


def zap_page_range(core: Core, mm: int, start: int, end: int, why: int) -> None:
    """Unmaps [start, end). Cost: O(pages mapped there + leaves the range spans, empty segments skipped)."""
    core.model.drain(core)
    vpn = core.tables.next_leaf(mm, start, end)
    while vpn < end:
        leaf = core.tables.leaf(mm, vpn)
        stop = leaf_end(vpn, end)
        while vpn < stop:
            at = pte_place(leaf, vpn)
            if core.tables.ram[at] != 0:
                zap_page(core, mm, vpn, at, why)
            vpn += 1
        vpn = core.tables.next_leaf(mm, vpn, end)


def free_pgtables(core: Core, mm: int, start: int, end: int) -> None:
    """Gives the leaves of [start, end) back, bounds rounded inwards by the caller where a neighbour shares a leaf."""
    vpn = core.tables.next_leaf(mm, start, end)
    while vpn < end:
        pte_free(core, mm, vpn)
        vpn = core.tables.next_leaf(mm, vpn, end)


def copy_page_range(core: Core, mm: int, child: int, start: int, end: int, cow: bool) -> int:
    """fork: the child maps what the parent maps, both read-only where a write is to copy. 0, or -ENOMEM.

    Swapped pages gain a user of their slot. The child's entries are old.
    """
    vpn = core.tables.next_leaf(mm, start, end)
    while vpn < end:
        leaf = core.tables.leaf(mm, vpn)
        stop = leaf_end(vpn, end)
        while vpn < stop:
            at = pte_place(leaf, vpn)
            if core.tables.ram[at] != 0 and not copy_one_pte(core, child, vpn, at, cow):
                return -ENOMEM
            vpn += 1
        vpn = core.tables.next_leaf(mm, vpn, end)
    return 0


def copy_one_pte(core: Core, child: int, vpn: int, at: int, cow: bool) -> bool:
    """False where the child's page table found no frame."""
    leaf = core.tables.leaf(child, vpn)
    if leaf == 0:
        leaf = pte_alloc(core, child, vpn)
        if leaf == 0:
            return False
    pte = core.tables.ram[at]
    if pte == 0:
        return True
    if is_swap_pte(pte):
        core.swap.duplicate(pte_frame(pte))
        if core.traced:
            trace_copy_pte(core, child, vpn, 0, pte_frame(pte))
        core.mms.swap_ptes[child] += 1
    else:
        if cow and pte & PTE_RW:
            pte ^= PTE_RW
            core.tables.ram[at] = pte
        pfn = pte_frame(pte)
        get_page(core, pfn)
        if core.traced:
            trace_copy_pte(core, child, vpn, pfn, 0)
        core.frames.mapcount[pfn] += 1
        if core.frames.has(pfn, PG_ANON):
            core.mms.anon_rss[child] += 1
        else:
            count_file_rss(core, child, pfn, 1)
        if pte & PTE_ACCESSED:
            pte ^= PTE_ACCESSED
    core.tables.ram[pte_place(leaf, vpn)] = pte
    return True
