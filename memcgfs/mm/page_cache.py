"""The page cache's index: which page holds which part of a file (mm/filemap.c: find_get_page, add_to_page_cache, remove_from_page_cache).

A page in the cache holds one reference for it, and one to its meta page if it was charged: to whoever ran when it came in, unless that
container's type leaves the cache out.
"""

from __future__ import annotations

from .core import Core
from .files import page_tree, shadow_tree
from .kmem import charge_tree_nodes, drop_buffers, settle_tree_nodes
from .memcontrol import mem_container_uncharge_page, mod_lruvec_page_state, mod_memcg_page_state
from .page_alloc import get_page, put_page
from .params import EEXIST, LOCKDEP, MEMCG_SHMEM, NR_FILE_PAGES, PG_CACHE, PG_DIRTY, PG_LOCKED
from .radix_tree import ANY_ENTRY
from .trace import trace_page
from .trace_ring import CHARGED_CACHE, CHARGED_UNUSED, ENTER_AHEAD, ENTER_WRITE, TRACE_FILEMAP_ADD, TRACE_FILEMAP_DELETE
from .waiting import lock_page


def find_get_page(core: Core, file: int, index: int) -> int:
    """The page, with one reference more; or 0."""
    pfn = core.trees.lookup(page_tree(file), index)
    if pfn != 0:
        get_page(core, pfn)
    return pfn


def is_page_of(core: Core, pfn: int, file: int) -> bool:
    """Has the page not left the file meanwhile?"""
    return core.frames.has(pfn, PG_CACHE) and core.frames.owner(pfn) == file


def lock_page_of(core: Core, pfn: int, file: int) -> bool:
    """Takes the lock of a page that we hold: if it was being read it has arrived. False, and no lock: it left the file while we waited."""
    is_locked = lock_page(core, pfn)
    if LOCKDEP:
        assert is_locked, f"frame {pfn} is locked by an operation that waits for this one"
    if is_page_of(core, pfn, file):
        return True
    core.frames.clear(pfn, PG_LOCKED)
    return False


def find_lock_page(core: Core, file: int, index: int) -> int:
    """The page, with a reference and its lock; 0 where there is none."""
    while True:
        pfn = find_get_page(core, file, index)
        if pfn == 0 or lock_page_of(core, pfn, file):
            return pfn
        put_page(core, pfn)


def add_to_page_cache(core: Core, pfn: int, file: int, index: int, why: int) -> int:
    """Charges a new page to whoever runs, and enters it, locked. 0, -ENOMEM, or -EEXIST where another page came there meanwhile."""
    error = core.rules.cache_charge(core, pfn, core.current_mm)
    if error != 0:
        return error
    return enter_page_cache(core, pfn, file, index, why)


def add_to_page_cache_nowait(core: Core, pfn: int, file: int, index: int, why: int) -> int:
    """The same, by somebody who may not wait."""
    error = core.rules.cache_charge_nowait(core, pfn, core.current_mm)
    if error != 0:
        return error
    return enter_page_cache(core, pfn, file, index, why)


def enter_page_cache(core: Core, pfn: int, file: int, index: int, why: int) -> int:
    """The page is charged. 0, or -EEXIST."""
    core.trees.nr_fresh = 0
    if not core.trees.insert(page_tree(file), index, pfn):
        mem_container_uncharge_page(core, pfn, CHARGED_UNUSED)
        return -EEXIST
    get_page(core, pfn)
    core.frames.set(pfn, PG_LOCKED | PG_CACHE)
    core.frames.set_mapping(pfn, file, index)
    core.files.nr_pages[file] += 1
    if core.files.nr_shadows[file] > 0:
        take_shadow(core, pfn, file, index, why)
    if core.traced:
        trace_page(core, TRACE_FILEMAP_ADD, pfn, why, file, index)
    mod_lruvec_page_state(core, pfn, NR_FILE_PAGES, 1)
    if not core.files.is_on_disk(file):
        mod_memcg_page_state(core, pfn, MEMCG_SHMEM, 1)
    if core.trees.nr_fresh > 0:
        charge_tree_nodes(core)
    return 0


def leave_shadow(core: Core, file: int, index: int, age: int, whose: int) -> None:
    """The page was reclaimed: this stands where it stood. Nodes for shadows alone are nobody's."""
    row = core.shadows.take(age, whose)
    if row != 0:
        nr_fresh = core.trees.nr_fresh
        core.trees.insert(shadow_tree(core.files, file), index, row)
        core.trees.nr_fresh = nr_fresh
        core.files.nr_shadows[file] += 1


def forget_shadow(core: Core, file: int, index: int) -> int:
    """The row of the shadow that stands there no more; 0 where none did. It is free, and not yet used again."""
    row = core.trees.delete(shadow_tree(core.files, file), index)
    if row != 0:
        core.files.nr_shadows[file] -= 1
        core.shadows.give(row)
    return row


def forget_shadows(core: Core, file: int, first: int, last: int) -> None:
    """clear_shadow_entries: those from one page to another."""
    index = core.trees.next_index(shadow_tree(core.files, file), first, ANY_ENTRY)
    while 0 <= index <= last:
        forget_shadow(core, file, index)
        index = core.trees.next_index(shadow_tree(core.files, file), index + 1, ANY_ENTRY)


def take_shadow(core: Core, pfn: int, file: int, index: int, why: int) -> None:
    """filemap_add_folio: a page takes the place of its shadow, which says how long it was gone. One that write() makes is not asked."""
    row = core.trees.lookup(shadow_tree(core.files, file), index)
    if row != 0:
        age = core.shadows.age[row]
        whose = core.shadows.whose[row]
        forget_shadow(core, file, index)
        if why != ENTER_WRITE:
            core.model.refaulted(core, pfn, age, whose)


def add_to_page_cache_lru(core: Core, pfn: int, file: int, index: int, why: int) -> int:
    """And on its way to the inactive list."""
    error = add_to_page_cache(core, pfn, file, index, why)
    if error == 0:
        core.model.page_added(core, pfn, False)
    return error


def add_to_page_cache_ahead(core: Core, pfn: int, file: int, index: int) -> int:
    """The same of a page that is read ahead."""
    error = core.rules.cache_charge_ahead(core, pfn, core.current_mm)
    if error == 0:
        error = enter_page_cache(core, pfn, file, index, ENTER_AHEAD)
    if error == 0:
        core.model.page_added(core, pfn, False)
    return error


def add_to_page_cache_pvec(core: Core, pfn: int, file: int, index: int, why: int) -> int:
    """And into the pagevec of the call that runs: read-ahead and write() bring their pages to the LRU themselves, in batches and at their
    end, while other pages wait until others come. (Since 2.6.24 theirs wait, too.)"""
    if not core.rules.uses_own_pagevecs:
        return add_to_page_cache_lru(core, pfn, file, index, why)
    error = add_to_page_cache(core, pfn, file, index, why)
    if error == 0:
        get_page(core, pfn)
        core.open_files.lru_pvec[core.open_files.nr_lru_pvec] = pfn
        core.open_files.nr_lru_pvec += 1
        if core.open_files.nr_lru_pvec == core.pagevec_size:
            pagevec_lru_add(core)
    return error


def pagevec_lru_add(core: Core) -> None:
    """The pages of the call's own pagevec go on the inactive list."""
    count = core.open_files.nr_lru_pvec
    core.open_files.nr_lru_pvec = 0
    for place in range(count):
        core.model.page_arrived(core, core.open_files.lru_pvec[place])
    for place in range(count):
        put_page(core, core.open_files.lru_pvec[place])


def remove_from_page_cache(core: Core, pfn: int, why: int) -> None:
    """The page, locked and clean, is no file's any more. The caller gives the cache's reference back."""
    file = core.frames.owner(pfn)
    if LOCKDEP:
        assert not core.frames.has(pfn, PG_DIRTY), f"frame {pfn} leaves its file dirty"
        assert core.frames.mapcount[pfn] == 0, f"frame {pfn} leaves its file mapped"
    if core.files.is_on_disk(file):
        drop_buffers(core, pfn)
    found = core.trees.delete(page_tree(file), core.frames.index(pfn))
    settle_tree_nodes(core)
    if LOCKDEP:
        assert found == pfn, f"frame {pfn} is not where its file has it"
    if core.traced:
        trace_page(core, TRACE_FILEMAP_DELETE, pfn, why, file, core.frames.index(pfn))
    core.frames.clear(pfn, PG_CACHE)
    core.frames.mapping[pfn] = 0
    core.files.nr_pages[file] -= 1
    mod_lruvec_page_state(core, pfn, NR_FILE_PAGES, -1)
    if not core.files.is_on_disk(file):
        mod_memcg_page_state(core, pfn, MEMCG_SHMEM, -1)
    mem_container_uncharge_page(core, pfn, CHARGED_CACHE)
