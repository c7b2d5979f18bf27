"""The pieces of reclaim that every model uses (mm/vmscan.c): writing a page out, taking it from its cache, isolating it, slabs.

Which pages are looked at, and in what order, is the model's.
"""

from __future__ import annotations

from .core import Core, is_daemon
from .dcache import shrink_dcache_memory
from .filesystem import writepage
from .page_alloc import get_page, put_page
from .page_cache import remove_from_page_cache
from .page_dirty import accounts_dirty
from .page_io import swap_writepage
from .page_writeback import clear_page_dirty_for_io
from .params import DISK_FILES, GFP_KERNEL, ISOLATE_BOTH, NR_VMSCAN_WRITE, PAGE_ACTIVATE, PAGE_KEEP, PAGE_SUCCESS
from .params import PG_ACTIVE, PG_ANON, PG_CACHE, PG_DIRTY, PG_LRU, PG_RECLAIM, PG_SWAPCACHE, PG_WRITEBACK, SHRINK_BATCH, SLABS_SCANNED
from .shmem import shmem_writepage
from .swap_state import delete_from_swap_cache
from .trace import payer, trace_event
from .trace_ring import BACKED_BY_FILE, BACKED_BY_SHMEM, BACKED_BY_SWAP, TRACE_WRITEPAGE


def isolate_lru_page(core: Core, pfn: int, mode: int) -> bool:
    """__isolate_lru_page: takes a reference and PG_lru, if the page is on the LRU and as active as asked for."""
    if not core.frames.has(pfn, PG_LRU):
        return False
    if mode != ISOLATE_BOTH and core.frames.has(pfn, PG_ACTIVE) != (mode != 0):
        return False
    get_page(core, pfn)
    core.frames.clear(pfn, PG_LRU)
    return True


def needs_slot(core: Core, pfn: int) -> bool:
    """Could the page go to swap alone? It is anonymous, or of a file in memory, and has no slot yet."""
    if core.frames.has(pfn, PG_SWAPCACHE):
        return False
    if core.frames.has(pfn, PG_ANON):
        return True
    return core.frames.has(pfn, PG_CACHE) and not core.files.is_on_disk(core.frames.owner(pfn))


def may_write_to_queue(core: Core, pfn: int) -> bool:
    """A congested disk is left alone but by daemons, and by a task that is writing to it anyway. Neither swap nor files in memory know
    congestion (swap_backing_dev_info, shmem_backing_dev_info)."""
    if not accounts_dirty(core, pfn) or is_daemon(core) or core.is_writing_file:
        return True
    return not core.disks.is_write_congested(DISK_FILES)


def pageout(core: Core, pfn: int) -> int:
    """Starts the write of a dirty page whose only references are its cache's and the caller's; gives its lock back if it does.

    PAGE_KEEP: somebody else uses it, or its disk has enough to do. PAGE_ACTIVATE: a file in memory found no slot for it. PAGE_SUCCESS:
    under way, or done if the device is synchronous.
    """
    if core.frames.count[pfn] != 2 or not may_write_to_queue(core, pfn):
        return PAGE_KEEP
    clear_page_dirty_for_io(core, pfn)
    zone = core.frames.zone(pfn)
    core.frames.set(pfn, PG_RECLAIM)
    if core.traced:
        trace_pageout(core, pfn)
    if core.frames.has(pfn, PG_SWAPCACHE):
        swap_writepage(core, pfn, True)
    elif core.files.is_on_disk(core.frames.owner(pfn)):
        writepage(core, pfn, True)
    elif not shmem_writepage(core, pfn):
        core.frames.clear(pfn, PG_RECLAIM)
        return PAGE_ACTIVATE
    if not core.frames.has(pfn, PG_WRITEBACK):
        core.frames.clear(pfn, PG_RECLAIM)
    core.zones.add(zone, NR_VMSCAN_WRITE, 1)
    return PAGE_SUCCESS


def trace_pageout(core: Core, pfn: int) -> None:
    """Only inactive pages are written out."""
    reason = BACKED_BY_SWAP
    if not core.frames.has(pfn, PG_SWAPCACHE):
        reason = BACKED_BY_FILE if core.files.is_on_disk(core.frames.owner(pfn)) else BACKED_BY_SHMEM
    trace_event(core, TRACE_WRITEPAGE, pfn, payer(core, pfn), 0, core.current_priority, reason, core.frames.private[pfn])


def remove_mapping(core: Core, pfn: int, why: int) -> bool:
    """Out of the swap or page cache, if it is in one still, nobody else uses it, and it is clean. The caller keeps its reference."""
    if core.frames.count[pfn] != 2 or core.frames.has(pfn, PG_DIRTY) or not core.frames.has(pfn, PG_SWAPCACHE | PG_CACHE):
        return False
    if core.frames.has(pfn, PG_SWAPCACHE):
        delete_from_swap_cache(core, pfn, why)
    else:
        remove_from_page_cache(core, pfn, why)
        put_page(core, pfn)
    return True


def shrink_slab(core: Core, scanned: int, gfp: int, lru_pages: int) -> int:
    """Ages the dentry cache, which is the machine's one cache with a shrinker, as much as the LRU was aged; gives the objects freed.

    It is asked for 4 * scanned / seeks * objects / (lru_pages + 1) objects, at most for twice those that there are, in steps of
    SHRINK_BATCH; what is less than a step, or was refused, is carried over to the next time. An object counts as the shrinker counts it.
    """
    if scanned == 0:
        scanned = core.swap_cluster_max
    max_pass = shrink_dcache_memory(core, 0, gfp)
    delta = (4 * scanned) // core.dentry_cache.seeks * max_pass // (lru_pages + 1)
    total_scan = min(core.dentry_cache.nr_to_scan + delta, max_pass * 2)
    freed = 0
    while total_scan >= SHRINK_BATCH and core.dentry_cache.nr_objects > 0:
        left = shrink_dcache_memory(core, SHRINK_BATCH, gfp)
        if left < 0:
            break
        freed += max(max_pass - left, 0)
        max_pass = left
        core.count_many(SLABS_SCANNED, SHRINK_BATCH)
        total_scan -= SHRINK_BATCH
    if core.dentry_cache.nr_objects == 0:
        # The kernel goes on asking an empty cache.
        core.count_many(SLABS_SCANNED, total_scan - total_scan % SHRINK_BATCH)
        total_scan %= SHRINK_BATCH
    core.dentry_cache.nr_to_scan = total_scan
    return freed


def drop_slab(core: Core) -> None:
    """fs/drop_caches.c: hard pressure on the caches, as long as it frees more than ten objects."""
    while shrink_slab(core, 1000, GFP_KERNEL, 1000) > 10:
        pass
