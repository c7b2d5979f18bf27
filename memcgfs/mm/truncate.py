"""Pages leave their file: because it is cut, or because nobody will miss them (mm/truncate.c, fs/drop_caches.c, vmtruncate).

They are looked up PAGEVEC_SIZE at once, and after each such batch the pages on their way to the LRU arrive (pagevec_release).
"""

from __future__ import annotations

from .core import Core
from .files import MAX_FILE_PAGES, block_tree, page_tree
from .filesystem import free_block, get_block, readpage
from .filemap import grab_cache_page
from .mmap import zap_page_range
from .page_alloc import get_page, put_page
from .page_cache import find_get_page, forget_shadows, is_page_of, lock_page_of, pagevec_lru_add, remove_from_page_cache
from .page_dirty import cancel_dirty_page, set_page_dirty
from .params import PAGEVEC_SIZE, PG_DIRTY, PG_LOCKED, PG_UPTODATE, PG_WRITEBACK
from .radix_tree import ANY_ENTRY
from .shmem import forget_slot, shmem_truncate_page, shmem_truncate_range
from .swap_state import free_swap_and_cache
from .trace_ring import LEAVE_INVALIDATE, LEAVE_TRUNCATE, UNMAP_TRUNCATE
from .vmscan import remove_mapping
from .waiting import lock_page, wait_on_page_writeback


def unmap_mapping_range(core: Core, file: int, first: int) -> None:
    """Every mapping of the file loses what it maps from this page on, private copies too."""
    unmap_pages(core, file, first, MAX_FILE_PAGES + 1)


def unmap_pages(core: Core, file: int, first: int, end: int) -> None:
    """The same for pages [first, end)."""
    head = core.vmas.file_head(file)
    vma = core.vmas.i_mmap.next[head]
    while vma != head:
        begin = core.vmas.start[vma]
        start = begin
        if first > core.vmas.pgoff[vma]:
            start = min(begin + (first - core.vmas.pgoff[vma]), core.vmas.end[vma])
        stop = begin
        if end > core.vmas.pgoff[vma]:
            stop = min(begin + (end - core.vmas.pgoff[vma]), core.vmas.end[vma])
        if start <= stop:
            zap_page_range(core, core.vmas.mm[vma], start, stop, UNMAP_TRUNCATE)
        vma = core.vmas.i_mmap.next[vma]


def truncate_inode_pages(core: Core, file: int, first: int) -> None:
    """Takes the pages from this one on out of the cache, dirty or not: first those that nobody works on, then the rest, one by one as
    their reads and writes are done.

    Where no disk has a page that is locked, reclaim has it, and waits for this exit: it will find that the page is gone (shmem.py).
    """
    nr_seen = 0
    index = core.trees.next_index(page_tree(file), first, ANY_ENTRY)
    while index >= 0:
        pfn = core.trees.lookup(page_tree(file), index)
        if not core.frames.has(pfn, PG_LOCKED | PG_WRITEBACK):
            get_page(core, pfn)
            core.frames.set(pfn, PG_LOCKED)
            truncate_complete_page(core, pfn)
        index = core.trees.next_index(page_tree(file), index + 1, ANY_ENTRY)
        nr_seen = release_when_full(core, nr_seen + 1)
    index = core.trees.next_index(page_tree(file), first, ANY_ENTRY)
    while index >= 0:
        pfn = find_get_page(core, file, index)
        lock_page(core, pfn)
        if is_page_of(core, pfn, file):
            wait_on_page_writeback(core, pfn)
            truncate_complete_page(core, pfn)
        else:
            core.frames.clear(pfn, PG_LOCKED)
            put_page(core, pfn)
        index = core.trees.next_index(page_tree(file), index, ANY_ENTRY)
        nr_seen = release_when_full(core, nr_seen + 1)
    release_rest(core, nr_seen)


def truncate_complete_page(core: Core, pfn: int) -> None:
    """The page, locked and with a reference of the caller's, is no file's any more; lock and reference are given back."""
    cancel_dirty_page(core, pfn)
    remove_from_page_cache(core, pfn, LEAVE_TRUNCATE)
    core.frames.clear(pfn, PG_UPTODATE)
    core.frames.clear(pfn, PG_LOCKED)
    put_page(core, pfn)
    put_page(core, pfn)


def truncate_blocks(core: Core, file: int, first: int) -> None:
    """Gives the blocks from this page on back to the disk."""
    index = core.trees.next_index(block_tree(file), first, ANY_ENTRY)
    while index >= 0:
        free_block(core, file, index)
        index = core.trees.next_index(block_tree(file), index, ANY_ENTRY)


def vmtruncate(core: Core, file: int, nr_bytes: int) -> None:
    """The file is so long from now on. What is cut off is unmapped, leaves the cache, and gives its blocks back."""
    core.files.size[file] = nr_bytes
    first = core.files.nr_size_pages(file)
    unmap_mapping_range(core, file, first)
    forget_shadows(core, file, first, MAX_FILE_PAGES)
    truncate_inode_pages(core, file, first)
    if core.files.is_on_disk(file):
        truncate_blocks(core, file, first)
    else:
        shmem_truncate_range(core, file, first)


def block_truncate_page(core: Core, file: int, index: int) -> int:
    """The page in which a file is to end, locked and with its bytes, so that those behind the end can be zeroed; 0 where it is a hole
    that was never read; or a negative errno. finish_truncated_page() gives it back."""
    if not core.files.is_on_disk(file):
        return shmem_truncate_page(core, file, index)
    while get_block(core, file, index) != 0 or core.trees.lookup(page_tree(file), index) != 0:
        pfn = grab_cache_page(core, file, index)
        if pfn < 0:
            return pfn
        if not core.frames.has(pfn, PG_UPTODATE):
            readpage(core, pfn)
            if not lock_page_of(core, pfn, file):
                put_page(core, pfn)
                pagevec_lru_add(core)
                continue
        wait_on_page_writeback(core, pfn)
        return pfn
    return 0


def finish_truncated_page(core: Core, pfn: int) -> None:
    """Of a hole there is nothing to write."""
    if not core.files.is_on_disk(core.frames.owner(pfn)) or get_block(core, core.frames.owner(pfn), core.frames.index(pfn)) != 0:
        set_page_dirty(core, pfn)
    core.frames.clear(pfn, PG_LOCKED)
    put_page(core, pfn)
    pagevec_lru_add(core)


def invalidate_mapping_pages(core: Core, file: int, first: int, last: int) -> int:
    """Takes the pages of [first, last] out of the cache that are clean and that nobody uses; gives their number."""
    count = 0
    nr_seen = 0
    forget_shadows(core, file, first, last)
    index = core.trees.next_index(page_tree(file), first, ANY_ENTRY)
    while 0 <= index <= last:
        pfn = core.trees.lookup(page_tree(file), index)
        get_page(core, pfn)
        if not core.frames.test_and_set(pfn, PG_LOCKED):
            if not core.frames.has(pfn, PG_DIRTY | PG_WRITEBACK) and core.frames.mapcount[pfn] == 0:
                count += remove_mapping(core, pfn, LEAVE_INVALIDATE)
            core.frames.clear(pfn, PG_LOCKED)
        put_page(core, pfn)
        index = core.trees.next_index(page_tree(file), index + 1, ANY_ENTRY)
        nr_seen = release_when_full(core, nr_seen + 1)
    release_rest(core, nr_seen)
    return count


def release_when_full(core: Core, nr_seen: int) -> int:
    """So many pages were looked at since the last batch; gives how many there are in the next one."""
    if nr_seen < PAGEVEC_SIZE:
        return nr_seen
    core.model.drain(core)
    return 0


def release_rest(core: Core, nr_seen: int) -> None:
    if nr_seen > 0:
        core.model.drain(core)


def truncate_range(core: Core, file: int, first: int, end: int) -> None:
    """fallocate(FALLOC_FL_PUNCH_HOLE): pages [first, end) of the file are unmapped, leave the cache, dirty or not, and are a hole."""
    unmap_pages(core, file, first, end)
    index = core.trees.next_index(page_tree(file), first, ANY_ENTRY)
    while 0 <= index < end:
        pfn = find_get_page(core, file, index)
        lock_page(core, pfn)
        if is_page_of(core, pfn, file):
            wait_on_page_writeback(core, pfn)
            truncate_complete_page(core, pfn)
        else:
            core.frames.clear(pfn, PG_LOCKED)
            put_page(core, pfn)
        index = core.trees.next_index(page_tree(file), index, ANY_ENTRY)
    index = core.trees.next_index(block_tree(file), first, ANY_ENTRY)
    while 0 <= index < end:
        if core.files.is_on_disk(file):
            free_block(core, file, index)
        else:
            free_swap_and_cache(core, forget_slot(core, file, index))
        index = core.trees.next_index(block_tree(file), index, ANY_ENTRY)
    core.model.drain(core)


def drop_pagecache(core: Core, file: int) -> None:
    """drop_caches, for one file."""
    invalidate_mapping_pages(core, file, 0, MAX_FILE_PAGES)
