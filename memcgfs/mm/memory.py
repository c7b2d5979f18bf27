"""Page faults (mm/memory.c: handle_pte_fault and what it calls), with the charges of patch 4/9 in their places.

Answers are VM_FAULT_*: MINOR, MAJOR (a disk had to be read), OOM (no frame, or a charge was refused), SIGSEGV (no VMA, or none that may
be written), SIGBUS (beyond the end of a mapped file).
"""

from __future__ import annotations

from .core import Core, anon_vma_prepare, find_vma
from .files import page_tree
from .filemap import filemap_fault
from .kmem import create_empty_buffers, kmem_charge_pages, kmem_uncharge_pages
from .memcontrol import count_memcg_event_mm, mem_container_uncharge_page, swap_free
from .page_alloc import alloc_page, get_page, put_page
from .page_io import copy_page
from .page_dirty import accounts_dirty, set_page_dirty
from .page_writeback import balance_dirty_pages_ratelimited
from .pagetable import mk_pte, pte_frame, pte_place, word_of, leaf_end
from .params import GFP_HIGHUSER, GFP_KERNEL, LEAF_ENTRIES, MEMCG_PGFAULT, MEMCG_PGMAJFAULT, NR_PAGETABLE, PG_ANON, PG_LOCKED, PG_TABLE
from .params import PG_LRU, PG_UPTODATE, PG_MLOCKED, PG_READAHEAD, FAULT_AROUND_PAGES, PG_WRITEBACK, VM_WRITTEN_SHARED
from .mlock import mlock_vma_page, munlock_page
from .params import PGFAULT, PGMAJFAULT
from .params import PTE_ACCESSED, PTE_DIRTY, PTE_PRESENT, PTE_RW, VM_FAULT_MAJOR, VM_FAULT_MINOR, VM_FAULT_OOM
from .params import VM_FAULT_SIGSEGV, VM_LOCKED, VM_SHARED, VM_WRITE, ZERO_PAGE
from .rmap import count_file_rss, page_add_anon_rmap, page_add_file_rmap, page_add_new_anon_rmap, page_remove_rmap
from .shmem import shmem_fault
from .swap_state import can_share_swap_page, lookup_swap_cache, remove_exclusive_swap_page
from .swapin import read_swap_cache_async, swapin_readahead
from .trace import trace_fault, trace_unmap
from .trace_ring import CHARGED_UNUSED, FAULT_ANON, FAULT_COW, FAULT_FILE, FAULT_MAJOR, FAULT_REUSE, FAULT_SHARED, FAULT_SWAP
from .trace_ring import FAULT_WRITE, FAULT_ZERO, UNMAP_COW
from .waiting import lock_page


def handle_mm_fault(core: Core, mm: int, vpn: int, write: bool) -> int:
    """The access to a page that the page table does not allow. Only a fault comes here; a hit never does."""
    leaf = core.tables.leaf(mm, vpn)
    vma = core.frames.private[leaf] if leaf != 0 else 0
    if not core.vmas.holds(vma, mm, vpn):
        vma = find_vma(core, mm, vpn)
        if vma == 0:
            return VM_FAULT_SIGSEGV
        if leaf == 0:
            leaf = pte_alloc(core, mm, vpn)
            if leaf == 0:
                return VM_FAULT_OOM
        core.frames.private[leaf] = vma
    if write and core.vmas.flags[vma] & VM_WRITE == 0:
        return VM_FAULT_SIGSEGV
    core.count(PGFAULT)
    count_memcg_event_mm(core, mm, MEMCG_PGFAULT)
    at = pte_place(leaf, vpn)
    pte = core.tables.ram[at]
    if pte == 0:
        if core.vmas.handle[vma] != 0:
            return do_linear_fault(core, mm, vma, vpn, at, write)
        return do_anonymous_page(core, mm, vma, vpn, at, write)
    if pte & PTE_PRESENT:
        return do_wp_page(core, mm, vma, vpn, at)
    return do_swap_page(core, mm, vma, vpn, at, write)


def pte_alloc(core: Core, mm: int, vpn: int) -> int:
    """A frame for the page table, which the current task pays for where the kernel's memory is charged. 0 where there is none."""
    payer = core.current_memcg
    if not core.tables.can_add(mm, vpn) or kmem_charge_pages(core, payer, 1) != 0:
        return 0
    pfn = alloc_page(core, GFP_KERNEL)
    if pfn == 0:
        kmem_uncharge_pages(core, payer, 1)
        return 0
    made_meanwhile = core.tables.leaf(mm, vpn)
    if made_meanwhile != 0:
        put_page(core, pfn)
        kmem_uncharge_pages(core, payer, 1)
        return made_meanwhile
    for word in range(LEAF_ENTRIES):
        core.tables.ram[word_of(pfn) + word] = 0
    core.frames.set(pfn, PG_TABLE)
    core.frames.private[pfn] = 0
    core.frames.container[pfn] = payer
    core.tables.add_leaf(mm, vpn, pfn)
    core.mms.nr_ptes[mm] += 1
    core.zones.add(core.frames.zone(pfn), NR_PAGETABLE, 1)
    return pfn


def pte_free(core: Core, mm: int, vpn: int) -> None:
    """The page table of this page, all of whose entries are 0, goes back."""
    pfn = core.tables.remove_leaf(mm, vpn)
    if pfn != 0:
        core.mms.nr_ptes[mm] -= 1
        core.zones.add(core.frames.zone(pfn), NR_PAGETABLE, -1)
        core.frames.clear(pfn, PG_TABLE)
        core.frames.private[pfn] = 0
        payer = core.frames.container[pfn]
        core.frames.container[pfn] = 0
        put_page(core, pfn)
        kmem_uncharge_pages(core, payer, 1)


def map_new_page(core: Core, mm: int, vma: int, vpn: int, at: int, pfn: int) -> None:
    """A charged anonymous page of this address space alone: writable, dirty, on its way to the active list."""
    core.mms.anon_rss[mm] += 1
    core.model.page_added(core, pfn, True)
    page_add_new_anon_rmap(core, pfn, vma, vpn)
    core.tables.ram[at] = mk_pte(pfn, PTE_PRESENT | PTE_RW | PTE_ACCESSED | PTE_DIRTY)
    mlock_vma_page(core, pfn, vma)


def alloc_charged_page(core: Core, mm: int) -> int:
    """A user page charged to the address space's container, or 0."""
    pfn = alloc_page(core, GFP_HIGHUSER)
    if pfn == 0:
        return 0
    core.frames.set(pfn, PG_UPTODATE)
    if core.rules.charge(core, pfn, mm) != 0:
        put_page(core, pfn)
        return 0
    return pfn


def lost_race(core: Core, pfn: int) -> int:
    """Somebody changed the entry while the new page was charged: the page goes back, and the access is tried again."""
    mem_container_uncharge_page(core, pfn, CHARGED_UNUSED)
    put_page(core, pfn)
    return VM_FAULT_MINOR


def do_anonymous_page(core: Core, mm: int, vma: int, vpn: int, at: int, write: bool) -> int:
    """The first touch. A read maps the zero page, which is charged to nobody, as long as the kernel had one to map."""
    if not write and core.rules.maps_zero_page:
        get_page(core, ZERO_PAGE)
        page_add_file_rmap(core, ZERO_PAGE)
        count_file_rss(core, mm, ZERO_PAGE, 1)
        core.tables.ram[at] = mk_pte(ZERO_PAGE, PTE_PRESENT | PTE_ACCESSED)
        if core.traced:
            trace_fault(core, mm, vpn, ZERO_PAGE, 0, FAULT_ZERO)
        return VM_FAULT_MINOR
    if core.vmas.anon_vma[vma] == 0 and not anon_vma_prepare(core, vma):
        return VM_FAULT_OOM
    pfn = alloc_charged_page(core, mm)
    if pfn == 0:
        return VM_FAULT_OOM
    if core.tables.ram[at] != 0:
        return lost_race(core, pfn)
    map_new_page(core, mm, vma, vpn, at, pfn)
    if core.traced:
        trace_fault(core, mm, vpn, pfn, 0, FAULT_ANON + FAULT_WRITE * write)
    return VM_FAULT_MINOR


def do_linear_fault(core: Core, mm: int, vma: int, vpn: int, at: int, write: bool) -> int:
    """__do_fault: the first touch of a mapped file. What is mapped is charged to us: the file's page, which its cache charge may have
    been somebody else's; or where we write to a private mapping, our copy of it."""
    if not write and core.rules.maps_around and do_fault_around(core, mm, vma, vpn, at):
        return VM_FAULT_MINOR
    handle = core.vmas.handle[vma]
    if write and core.rules.has_folios and not make_copy_in_vain(core, mm, vma, vpn):
        return VM_FAULT_OOM
    is_on_disk = core.files.is_on_disk(core.open_files.file[handle])
    if is_on_disk:
        ret = filemap_fault(core, handle, core.vmas.file_index(vma, vpn), core.vmas.flags[vma])
    else:
        ret = shmem_fault(core, core.open_files.file[handle], core.vmas.file_index(vma, vpn))
    if ret >= VM_FAULT_OOM:
        return ret
    file_pfn = core.fault_page
    if write and core.vmas.flags[vma] & VM_SHARED == 0:
        return do_cow_fault(core, mm, vma, vpn, at, file_pfn, ret)
    if core.rules.charge(core, file_pfn, mm) != 0:
        ret = VM_FAULT_OOM
    elif core.tables.ram[at] != 0:
        mem_container_uncharge_page(core, file_pfn, CHARGED_UNUSED)
    else:
        core.mms.file_rss[mm] += 1
        page_add_file_rmap(core, file_pfn)
        core.model.mapped(core, file_pfn, vma)
        get_page(core, file_pfn)
        if write:
            core.tables.ram[at] = mk_pte(file_pfn, PTE_PRESENT | PTE_RW | PTE_ACCESSED | PTE_DIRTY)
        elif is_on_disk:
            core.tables.ram[at] = mk_pte(file_pfn, PTE_PRESENT | PTE_ACCESSED)
        else:
            core.tables.ram[at] = mk_pte(file_pfn, PTE_PRESENT | PTE_RW | PTE_ACCESSED)
        mlock_vma_page(core, file_pfn, vma)
        if core.traced:
            trace_fault(core, mm, vpn, file_pfn, 0, FAULT_FILE + FAULT_WRITE * write + FAULT_MAJOR * (ret == VM_FAULT_MAJOR))
        if write:
            core.frames.clear(file_pfn, PG_LOCKED)
            set_page_dirty_balance(core, file_pfn)
            put_page(core, file_pfn)
            return ret
    core.frames.clear(file_pfn, PG_LOCKED)
    put_page(core, file_pfn)
    if ret == VM_FAULT_MAJOR and core.rules.maps_around and not write:
        do_fault_around(core, mm, vma, vpn, at)
    return ret


def make_copy_in_vain(core: Core, mm: int, vma: int, vpn: int) -> bool:
    """do_cow_fault of 6.18: the copy for a private mapping is made, and charged, before its original is looked for. Who has to read that
    from the disk lets go of the address space, and so of the copy, and starts again. False: no page, or no charge for it."""
    file = core.open_files.file[core.vmas.handle[vma]]
    if core.vmas.flags[vma] & VM_SHARED or not core.files.is_on_disk(file):
        return True
    index = core.vmas.file_index(vma, vpn)
    if index >= core.files.nr_size_pages(file) or core.trees.lookup(page_tree(file), index) != 0:
        return True
    pfn = alloc_charged_page(core, mm)
    if pfn == 0:
        return False
    lost_race(core, pfn)
    return True


def do_fault_around(core: Core, mm: int, vma: int, vpn: int, at: int) -> bool:
    """filemap_map_pages: whatever is ready in the cache of up to FAULT_AROUND_PAGES around the page is mapped, to be read. Is the page? Who
    had to wait for the disk comes here again.

    The page that carries the mark of read-ahead is left out, so that somebody meets it.
    """
    first = max(vpn - vpn % FAULT_AROUND_PAGES, core.vmas.start[vma])
    end = min(leaf_end(vpn, core.vmas.end[vma]), first + FAULT_AROUND_PAGES)
    file = core.open_files.file[core.vmas.handle[vma]]
    for place in range(first, end):
        if core.tables.ram[at + place - vpn] != 0:
            continue
        index = core.vmas.file_index(vma, place)
        pfn = core.trees.lookup(page_tree(file), index) if index < core.files.nr_size_pages(file) else 0
        if pfn != 0 and is_ready_to_map(core, pfn):
            map_file_page(core, mm, vma, at + place - vpn, pfn)
    return core.tables.ram[at] != 0


def is_ready_to_map(core: Core, pfn: int) -> bool:
    """next_uptodate_folio. The bit of the mark means another thing while the page is written."""
    if not core.frames.has(pfn, PG_UPTODATE) or core.frames.has(pfn, PG_LOCKED):
        return False
    return not core.frames.has(pfn, PG_READAHEAD) or core.frames.has(pfn, PG_WRITEBACK)


def map_file_page(core: Core, mm: int, vma: int, at: int, pfn: int) -> None:
    """set_pte_range, for a page that is charged already."""
    core.mms.file_rss[mm] += 1
    page_add_file_rmap(core, pfn)
    get_page(core, pfn)
    bits = PTE_PRESENT | PTE_ACCESSED
    if core.vmas.flags[vma] & VM_WRITTEN_SHARED == VM_WRITTEN_SHARED and not core.files.is_on_disk(core.frames.owner(pfn)):
        bits = PTE_PRESENT | PTE_ACCESSED | PTE_RW
    core.tables.ram[at] = mk_pte(pfn, bits)
    mlock_vma_page(core, pfn, vma)


def do_cow_fault(core: Core, mm: int, vma: int, vpn: int, at: int, file_pfn: int, ret: int) -> int:
    """A write to a private mapping copies at once. The file's page, which is locked, is given back."""
    pfn = 0
    if core.vmas.anon_vma[vma] != 0 or anon_vma_prepare(core, vma):
        pfn = alloc_charged_page(core, mm)
    if pfn == 0:
        ret = VM_FAULT_OOM
    elif core.tables.ram[at] != 0:
        lost_race(core, pfn)
    else:
        copy_page(core, file_pfn, pfn)
        map_new_page(core, mm, vma, vpn, at, pfn)
        if core.traced:
            trace_fault(core, mm, vpn, pfn, 0, FAULT_COW + FAULT_WRITE + FAULT_MAJOR * (ret == VM_FAULT_MAJOR))
    core.frames.clear(file_pfn, PG_LOCKED)
    put_page(core, file_pfn)
    return ret


def set_page_dirty_balance(core: Core, pfn: int) -> None:
    """A task wrote to a shared mapping: if the page was clean, it is held up like one that called write()."""
    if accounts_dirty(core, pfn):
        create_empty_buffers(core, pfn)
    if set_page_dirty(core, pfn) and accounts_dirty(core, pfn):
        balance_dirty_pages_ratelimited(core)


def do_wp_page(core: Core, mm: int, vma: int, vpn: int, at: int) -> int:
    """A write to a page that is mapped read-only: in a shared mapping, or ours alone, it becomes writable; else a copy is made, and charged
    to us."""
    pte = core.tables.ram[at]
    old_pfn = pte_frame(pte)
    if core.vmas.flags[vma] & VM_SHARED:
        core.tables.ram[at] = pte | PTE_RW | PTE_ACCESSED | PTE_DIRTY
        if core.traced:
            trace_fault(core, mm, vpn, old_pfn, 0, FAULT_SHARED | FAULT_WRITE)
        get_page(core, old_pfn)
        set_page_dirty_balance(core, old_pfn)
        put_page(core, old_pfn)
        return VM_FAULT_MINOR
    if core.frames.has(old_pfn, PG_ANON) and not core.frames.has(old_pfn, PG_LOCKED) and can_share_swap_page(core, old_pfn):
        core.tables.ram[at] = pte | PTE_RW | PTE_ACCESSED | PTE_DIRTY
        if core.traced:
            trace_fault(core, mm, vpn, old_pfn, 0, FAULT_REUSE | FAULT_WRITE)
        return VM_FAULT_MINOR
    if core.vmas.anon_vma[vma] == 0 and not anon_vma_prepare(core, vma):
        return VM_FAULT_OOM
    get_page(core, old_pfn)
    pfn = alloc_charged_page(core, mm)
    if pfn == 0:
        put_page(core, old_pfn)
        return VM_FAULT_OOM
    if core.tables.ram[at] != pte:
        put_page(core, old_pfn)
        return lost_race(core, pfn)
    copy_page(core, old_pfn, pfn)
    if core.traced:
        trace_unmap(core, mm, vpn, old_pfn, 0, UNMAP_COW)
    page_remove_rmap(core, old_pfn)
    if core.frames.has(old_pfn, PG_ANON):
        core.mms.anon_rss[mm] -= 1
    else:
        count_file_rss(core, mm, old_pfn, -1)
    map_new_page(core, mm, vma, vpn, at, pfn)
    if core.traced:
        trace_fault(core, mm, vpn, pfn, 0, FAULT_COW | FAULT_WRITE)
    if core.frames.has(old_pfn, PG_MLOCKED):
        munlock_page(core, old_pfn)
    put_page(core, old_pfn)
    put_page(core, old_pfn)
    return VM_FAULT_MINOR


def should_try_to_free_swap(core: Core, pfn: int, vma: int, is_write: bool) -> bool:
    """Is the page, which is mapped now, better off without its slot? Where swap is short; today also one that is locked in memory, or
    that was just written and is held by nobody but its cache and us."""
    if core.swap.is_full():
        return True
    if not core.rules.knows_exclusive:
        return False
    if core.vmas.flags[vma] & VM_LOCKED or core.frames.has(pfn, PG_MLOCKED):
        return True
    return is_write and core.frames.count[pfn] == 2


def do_swap_page(core: Core, mm: int, vma: int, vpn: int, at: int, write: bool) -> int:
    """The entry names a slot: from the swap cache, or read from swap with what lies around it; then charged as mapped, and mapped.

    Only who must read contends for the swap token. Where it is known that the page is this task's alone it is mapped writable also for a
    read, which leaves it its slot; a write wants to be the only one who holds the page, and brings a page that waits to the LRU for that.
    """
    pte = core.tables.ram[at]
    slot = pte_frame(pte)
    is_write = write
    ret = VM_FAULT_MINOR
    pfn = lookup_swap_cache(core, slot)
    if pfn == 0:
        core.token.grab(mm)
        swapin_readahead(core, slot)
        pfn = read_swap_cache_async(core, slot, slot)
        if pfn == 0:
            return VM_FAULT_OOM if core.tables.ram[at] == pte else VM_FAULT_MINOR
        ret = VM_FAULT_MAJOR
        core.count(PGMAJFAULT)
        count_memcg_event_mm(core, mm, MEMCG_PGMAJFAULT)
    if core.rules.charge(core, pfn, mm) != 0:
        put_page(core, pfn)
        return VM_FAULT_OOM
    if not core.rules.has_folios:
        core.model.page_accessed(core, pfn)
    is_locked = lock_page(core, pfn)
    if not is_locked or core.tables.ram[at] != pte:
        if is_locked:
            core.frames.clear(pfn, PG_LOCKED)
        mem_container_uncharge_page(core, pfn, CHARGED_UNUSED)
        put_page(core, pfn)
        return ret

    core.mms.anon_rss[mm] += 1
    core.mms.swap_ptes[mm] -= 1
    if write and core.rules.knows_exclusive and not core.frames.has(pfn, PG_LRU):
        core.model.drain(core)
    bits = PTE_PRESENT | PTE_ACCESSED
    if can_share_swap_page(core, pfn):
        if core.rules.knows_exclusive and core.vmas.flags[vma] & VM_WRITE:
            bits |= PTE_RW
        if write:
            bits |= PTE_RW | PTE_DIRTY
            write = False
    core.tables.ram[at] = mk_pte(pfn, bits)
    page_add_anon_rmap(core, pfn, vma, vpn)
    mlock_vma_page(core, pfn, vma)
    if core.traced:
        trace_fault(core, mm, vpn, pfn, slot, FAULT_SWAP + FAULT_WRITE * is_write + FAULT_MAJOR * (ret == VM_FAULT_MAJOR))
    swap_free(core, slot)
    if should_try_to_free_swap(core, pfn, vma, is_write):
        remove_exclusive_swap_page(core, pfn)
    core.frames.clear(pfn, PG_LOCKED)
    if write and do_wp_page(core, mm, vma, vpn, at) == VM_FAULT_OOM:
        return VM_FAULT_OOM
    return ret
