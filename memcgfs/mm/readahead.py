"""Read-ahead (mm/readahead.c as 2.6.23 had it: on demand, its state in the open file).

A sequential reader has a window [start, start + size) of pages that were asked for. One of them carries a mark, async_size before the
window's end; who reads the marked page has the next, larger window read while it uses what is left of this one.
Whoever runs is charged for what is read ahead, whether it will use it or not.
"""

from __future__ import annotations

from .core import Core
from .files import page_tree
from .filesystem import readpage
from .page_alloc import alloc_page, put_page
from .page_cache import add_to_page_cache_pvec, pagevec_lru_add
from .params import DISK_FILES, GFP_COLD, GFP_HIGHUSER, NR_FREE_PAGES, NR_INACTIVE, PG_READAHEAD, PG_WRITEBACK
from .readahead_folios import force_page_cache_ra, page_cache_async_ra, page_cache_sync_ra
from .trace_ring import ENTER_AHEAD


def get_init_ra_size(request: int, largest: int) -> int:
    """The first window: the request as a power of two, four times that if small, twice if middling."""
    size = 1
    while size < request:
        size *= 2
    if size <= largest // 32:
        return size * 4
    if size <= largest // 4:
        return size * 2
    return largest


def get_next_ra_size(size: int, largest: int) -> int:
    """The next window: twice this one. (Four times one below a sixteenth of the largest, which none is: they begin with 4 pages.)"""
    return min(size * 2, largest)


def max_sane_readahead(core: Core, nr_pages: int) -> int:
    """No more than half of what is free or inactive."""
    return min(nr_pages, (core.zones.total(NR_INACTIVE) + core.zones.total(NR_FREE_PAGES)) // 2)


def do_page_cache_readahead(core: Core, file: int, index: int, nr_pages: int, lookahead: int) -> int:
    """__do_page_cache_readahead: finds frames for the pages that are not there, then reads them; gives how many those were.

    The mark goes on the page `lookahead` before the end, if that is one of the new ones.
    """
    end = core.files.nr_size_pages(file)
    base = core.open_files.nr_pooled
    for place in range(nr_pages):
        if index + place >= end:
            break
        if core.trees.lookup(page_tree(file), index + place) != 0:
            continue
        pfn = alloc_page(core, GFP_HIGHUSER | GFP_COLD)
        if pfn == 0:
            break
        if lookahead > 0 and place == nr_pages - lookahead:
            core.frames.set(pfn, PG_READAHEAD)
        core.open_files.pool(pfn, index + place)
    nr_found = core.open_files.nr_pooled - base
    for place in range(nr_found):
        pfn = core.open_files.pooled_pfn[base + place]
        if add_to_page_cache_pvec(core, pfn, file, core.open_files.pooled_index[base + place], ENTER_AHEAD) == 0:
            readpage(core, pfn)
        put_page(core, pfn)
    core.open_files.nr_pooled = base
    pagevec_lru_add(core)
    return nr_found


def force_page_cache_readahead(core: Core, file: int, index: int, nr_pages: int) -> None:
    """What fadvise asks for: all of it that is sane, 2 MB at a time."""
    if core.rules.has_folios:
        force_page_cache_ra(core, file, index, nr_pages, core.files.ra_pages[file])
        return
    left = max_sane_readahead(core, nr_pages)
    while left > 0:
        chunk = min(left, 512)
        do_page_cache_readahead(core, file, index, chunk, 0)
        index += chunk
        left -= chunk


def page_cache_sync_readahead(core: Core, handle: int, index: int, request: int) -> None:
    """A page is missing."""
    if core.rules.has_folios:
        page_cache_sync_ra(core, handle, index, request)
    elif core.open_files.ra_pages[handle] > 0:
        ondemand_readahead(core, handle, False, index, request)


def page_cache_async_readahead(core: Core, handle: int, pfn: int, index: int, request: int) -> None:
    """A marked page is read: the mark goes, and unless the disk has enough to do, the next window is asked for."""
    if core.rules.has_folios:
        page_cache_async_ra(core, handle, pfn, index, request)
        return
    if core.open_files.ra_pages[handle] == 0 or core.frames.has(pfn, PG_WRITEBACK):
        return
    core.frames.clear(pfn, PG_READAHEAD)
    if not core.disks.is_read_congested(DISK_FILES):
        ondemand_readahead(core, handle, True, index, request)


def is_sequential(core: Core, handle: int, index: int, request: int) -> bool:
    """Does it go on where the last read ended, or is it too large to be random?"""
    distance = index - core.open_files.prev_index[handle]
    return 0 <= distance <= 1 or request > core.open_files.ra_pages[handle]


def ondemand_readahead(core: Core, handle: int, hit_mark: bool, index: int, request: int) -> None:
    largest = core.open_files.ra_pages[handle]
    start = core.open_files.start[handle]
    size = core.open_files.ra_size[handle]
    async_size = core.open_files.async_size[handle]
    if index != 0 and (index == start + size - async_size or index == start + size):
        core.open_files.start[handle] = start + size
        core.open_files.ra_size[handle] = get_next_ra_size(size, largest)
        core.open_files.async_size[handle] = core.open_files.ra_size[handle]
    elif not hit_mark and not is_sequential(core, handle, index, request):
        do_page_cache_readahead(core, core.open_files.file[handle], index, request, 0)
        return
    else:
        size = get_init_ra_size(request, largest)
        core.open_files.start[handle] = index
        core.open_files.async_size[handle] = size - request if size > request else size
        if hit_mark:
            core.open_files.start[handle] = index + 1
            size = min(size * 4, largest)
        core.open_files.ra_size[handle] = size
    do_page_cache_readahead(
        core,
        core.open_files.file[handle],
        core.open_files.start[handle],
        core.open_files.ra_size[handle],
        core.open_files.async_size[handle],
    )
