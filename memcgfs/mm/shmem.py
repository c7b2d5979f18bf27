"""Files in memory: tmpfs, and shared anonymous mappings (mm/shmem.c, move_to_swap_cache and move_from_swap_cache of mm/swap_state.c).

A page of such a file is in the page cache while it is in memory. When reclaim wants it, it moves over to the swap cache, and the file
keeps its slot (in the tree where a disk's file has its blocks); a fault that finds a slot moves it back. Who is charged follows from the
two caches: the charge of the one is made before that of the other is given up, by whoever runs.

"It ends": where the page cannot be charged, 2.6.23 with v4 tries again for ever (the tmpfs hang of 2007); here the fault is out of
memory after MAX_SHMEM_ROUNDS rounds, as it is where it interrupts who has the page. Since 2.6.25 (shmem_getpage's charge in advance) it
is at once.
"""

from __future__ import annotations

from .core import Core, warn
from .files import block_tree, page_tree
from .memcontrol import count_memcg_event_mm, mem_container_uncharge_page, swap_free
from .page_alloc import alloc_page, get_page, put_page
from .page_cache import add_to_page_cache_lru, add_to_page_cache_nowait, find_lock_page, remove_from_page_cache
from .params import ENOMEM, GFP_HIGHUSER, MAX_SHMEM_ROUNDS, MEMCG_PGMAJFAULT, PG_CACHE, PG_CONTENT, PG_DIRTY, PG_LOCKED, PG_UPTODATE
from .params import PGMAJFAULT, VM_FAULT_MAJOR, VM_FAULT_MINOR, VM_FAULT_OOM, VM_FAULT_SIGBUS, WARN_SHMEM_LIVELOCK, ZERO_PAGE
from .params import PG_REFERENCED
from .radix_tree import ANY_ENTRY
from .swap_state import delete_from_swap_cache, free_swap_and_cache, insert_into_swap_cache, lookup_swap_cache
from .swapin import read_swap_cache_async, swapin_readahead
from .trace_ring import CHARGED_UNUSED, ENTER_FROM_FILE, ENTER_FROM_SWAP, ENTER_HOLE, LEAVE_SLOT_FREE, LEAVE_TO_FILE, LEAVE_TO_SWAP
from .waiting import congestion_wait, lock_page, wait_on_page_writeback


def shmem_writepage(core: Core, pfn: int) -> bool:
    """The locked page leaves its file for the swap cache, dirty: it is written from there, when reclaim meets it again, and unlocked.

    False where there is no slot for it, or no charge: it stays dirty and locked (AOP_WRITEPAGE_ACTIVATE of the kernel).
    """
    slot = core.swap.take()
    if slot != 0:
        if move_to_swap_cache(core, pfn, slot):
            core.frames.clear(pfn, PG_LOCKED)
            return True
        swap_free(core, slot)
    core.frames.set(pfn, PG_DIRTY)
    return False


def move_to_swap_cache(core: Core, pfn: int, slot: int) -> bool:
    """From the page cache, the file remembering the slot."""
    file = core.frames.owner(pfn)
    index = core.frames.index(pfn)
    if insert_into_swap_cache(core, pfn, slot, ENTER_FROM_FILE) != 0:
        return False
    if not core.frames.has(pfn, PG_CACHE):
        # The charge waited, and meanwhile the file's last owner was killed, and its page with it.
        core.swap.duplicate(slot)
        delete_from_swap_cache(core, pfn, LEAVE_SLOT_FREE)
        return False
    core.frames.clear(pfn, PG_DIRTY)
    remove_from_page_cache(core, pfn, LEAVE_TO_SWAP)
    put_page(core, pfn)
    core.swap.duplicate(slot)
    core.trees.insert(block_tree(file), index, slot)
    core.files.nr_blocks[file] += 1
    if not core.files.dirty.is_linked(file):
        core.files.dirty.add_tail(core.files.shmem_swaplist, file)
    core.frames.set(pfn, PG_DIRTY)
    return True


def forget_slot(core: Core, file: int, index: int) -> int:
    """The file has this page in swap no more; its slot."""
    slot = core.trees.delete(block_tree(file), index)
    core.files.nr_blocks[file] -= 1
    if core.files.nr_blocks[file] == 0:
        core.files.dirty.remove(file)
    return slot


def move_from_swap_cache(core: Core, pfn: int, file: int, index: int, slot: int) -> int:
    """Back into the page cache, dirty, the slot given up. The page is locked. 0, -ENOMEM or -EEXIST."""
    error = add_to_page_cache_nowait(core, pfn, file, index, ENTER_FROM_SWAP)
    if error == 0:
        delete_from_swap_cache(core, pfn, LEAVE_TO_FILE)
        core.frames.set(pfn, PG_DIRTY)
        forget_slot(core, file, index)
        swap_free(core, slot)
    return error


def shmem_getpage(core: Core, file: int, index: int, fills_holes: bool) -> int:
    """The locked page in core.fault_page, and VM_FAULT_MINOR or MAJOR; or VM_FAULT_OOM. Of a hole that is not to be filled, ZERO_PAGE."""
    answer = VM_FAULT_MINOR
    for _ in range(MAX_SHMEM_ROUNDS):
        pfn = find_lock_page(core, file, index)
        if pfn != 0:
            core.fault_page = pfn
            return answer
        slot = core.trees.lookup(block_tree(file), index)
        if slot == 0:
            if not fills_holes:
                core.fault_page = ZERO_PAGE
                return answer
            if not shmem_fill_hole(core, file, index):
                return VM_FAULT_OOM
            continue
        pfn = lookup_swap_cache(core, slot)
        if pfn == 0:
            if answer == VM_FAULT_MINOR:
                answer = VM_FAULT_MAJOR
                core.count(PGMAJFAULT)
                count_memcg_event_mm(core, core.current_mm, MEMCG_PGMAJFAULT)
            swapin_readahead(core, slot)
            pfn = read_swap_cache_async(core, slot, slot)
            if pfn == 0:
                if core.trees.lookup(block_tree(file), index) == slot:
                    return VM_FAULT_OOM
                continue
        error = shmem_take_back(core, pfn, file, index, slot)
        if error == -ENOMEM and not core.rules.shmem_insists:
            error = shmem_make_room(core, pfn)
        put_page(core, pfn)
        if error == -ENOMEM and not core.rules.shmem_insists:
            return VM_FAULT_OOM
    warn(core, WARN_SHMEM_LIVELOCK)
    return VM_FAULT_OOM


def shmem_fault(core: Core, file: int, index: int) -> int:
    """A fault in a mapping of it: as shmem_getpage(), or VM_FAULT_SIGBUS beyond its end."""
    if index >= core.files.nr_size_pages(file):
        return VM_FAULT_SIGBUS
    answer = shmem_getpage(core, file, index, True)
    if answer < VM_FAULT_OOM and not core.rules.has_folios:
        core.model.page_accessed(core, core.fault_page)
    return answer


def shmem_read_page(core: Core, file: int, index: int, offset: int) -> int:
    """do_shmem_file_read: a page to read from, with a reference, marked as accessed where its beginning is read; or -ENOMEM. A hole stays
    one."""
    if shmem_getpage(core, file, index, False) == VM_FAULT_OOM:
        return -ENOMEM
    pfn = core.fault_page
    if pfn == ZERO_PAGE:
        get_page(core, pfn)
        return pfn
    core.frames.clear(pfn, PG_LOCKED)
    if offset == 0:
        core.model.page_accessed(core, pfn)
    return pfn


def shmem_read_pages(core: Core, file: int, first: int, nr_pages: int) -> int:
    """As file_read_pages()."""
    done = 0
    pfn = 0
    while done < nr_pages and pfn >= 0 and first + done < core.files.nr_size_pages(file):
        pfn = shmem_read_page(core, file, first + done, 0)
        if pfn >= 0:
            put_page(core, pfn)
            done += 1
    return pfn if done == 0 and pfn < 0 else done


def shmem_write_begin(core: Core, file: int, index: int) -> int:
    """A page to write to, locked and with a reference; or -ENOMEM. In 6.18 a page that was there counts as accessed, one that is made as
    referenced (shmem_get_folio_gfp for SGP_WRITE)."""
    found = core.trees.lookup(page_tree(file), index)
    if shmem_getpage(core, file, index, True) == VM_FAULT_OOM:
        return -ENOMEM
    if core.rules.has_folios and found == 0:
        core.frames.set(core.fault_page, PG_REFERENCED)
    elif core.rules.has_folios:
        core.model.page_accessed(core, core.fault_page)
    return core.fault_page


def shmem_fill_hole(core: Core, file: int, index: int) -> bool:
    """A page of zeros where there was none yet. False where there is no frame, or, unless the rules insist, no charge."""
    pfn = alloc_page(core, GFP_HIGHUSER)
    if pfn == 0:
        return False
    error = add_to_page_cache_lru(core, pfn, file, index, ENTER_HOLE)
    if error == 0:
        core.frames.set(pfn, PG_UPTODATE)
        core.frames.clear(pfn, PG_CONTENT)
        core.frames.clear(pfn, PG_LOCKED)
    put_page(core, pfn)
    return error != -ENOMEM or core.rules.shmem_insists


def shmem_take_back(core: Core, pfn: int, file: int, index: int, slot: int) -> int:
    """A page of the swap cache, once it is read and not being written, moves back to the file; not one whose lock is held by who waits for
    us, who would never give it back. 0, -ENOMEM or -EEXIST."""
    if not lock_page(core, pfn):
        return 0
    wait_on_page_writeback(core, pfn)
    error = 0
    if core.swap.cache[slot] == pfn and core.trees.lookup(block_tree(file), index) == slot:
        error = move_from_swap_cache(core, pfn, file, index, slot)
    core.frames.clear(pfn, PG_LOCKED)
    if error != 0 and core.rules.shmem_insists:
        congestion_wait(core, core.wait_ns // 5)
    return error


def shmem_make_room(core: Core, pfn: int) -> int:
    """A page that comes back was refused under a spinlock, where nobody waits. Here one may: the page is charged, which frees others, and
    given back, so that the next try finds room. 0, or -ENOMEM."""
    error = core.rules.cache_charge(core, pfn, core.current_mm)
    if error == 0:
        mem_container_uncharge_page(core, pfn, CHARGED_UNUSED)
    return error


def shmem_truncate_range(core: Core, file: int, first: int) -> None:
    """Gives the slots from this page on back."""
    index = core.trees.next_index(block_tree(file), first, ANY_ENTRY)
    while index >= 0:
        free_swap_and_cache(core, forget_slot(core, file, index))
        index = core.trees.next_index(block_tree(file), index, ANY_ENTRY)


def shmem_truncate_page(core: Core, file: int, index: int) -> int:
    """The page in which the file is to end, locked and with a reference; 0 of a hole; or -ENOMEM."""
    if shmem_getpage(core, file, index, False) == VM_FAULT_OOM:
        return -ENOMEM
    return core.fault_page


def shmem_unuse(core: Core, pfn: int, slot: int) -> int:
    """swapoff: the locked page of this slot goes back to the file in memory that has it, if one does. 0, or -ENOMEM."""
    file = core.files.dirty.next[core.files.shmem_swaplist]
    while file != core.files.shmem_swaplist:
        index = core.trees.next_index(block_tree(file), 0, ANY_ENTRY)
        while index >= 0:
            if core.trees.lookup(block_tree(file), index) == slot:
                return move_from_swap_cache(core, pfn, file, index, slot)
            index = core.trees.next_index(block_tree(file), index + 1, ANY_ENTRY)
        file = core.files.dirty.next[file]
    return 0
