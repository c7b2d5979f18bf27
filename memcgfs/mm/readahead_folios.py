"""Read-ahead as Linux 6.18 has it (mm/readahead.c: page_cache_sync_ra, page_cache_async_ra, page_cache_ra_order).

It reads in folios, which grow as a reader goes on: four times as large in each window, cut to where the file's place lets them lie. A
folio is a row of pages here, of which all but the first are marked (PG_TAIL): it is charged page by page, and counted once. The window's
mark is on the first page of the folio that holds it.
"""

from __future__ import annotations

from typing import Final

from .core import Core
from .files import page_tree
from .filesystem import readpage
from .page_alloc import alloc_page, put_page
from .page_cache import add_to_page_cache_ahead
from .params import EEXIST, ENOMEM, GFP_COLD, GFP_HIGHUSER, GFP_NORETRY, PAGE_SHIFT, PG_READAHEAD, PG_TAIL, PG_WRITEBACK
from .radix_tree import shifted

MAX_PAGECACHE_ORDER: Final = 9  # include/linux/pagemap.h: as large as a page middle directory maps
FORCED_CHUNK_PAGES: Final = 512  # mm/readahead.c: force_page_cache_ra


def ra_init_size(request: int, largest: int) -> int:
    """get_init_ra_size: the first window."""
    size = 1
    while size < request:
        size *= 2
    if size <= largest // 32:
        return size * 4
    if size <= largest // 4:
        return size * 2
    return largest


def ra_next_size(size: int, largest: int) -> int:
    """get_next_ra_size: four times this window as long as that is small, or twice."""
    if size < largest // 16:
        return size * 4
    if size <= largest // 2:
        return size * 2
    return largest


def fls_order(nr_pages: int) -> int:
    """ilog2."""
    order = 0
    while shifted(2, order) <= nr_pages:
        order += 1
    return order


def folio_order(index: int, order: int, last: int) -> int:
    """The largest folio up to this order that can begin at the page and does not reach beyond the last."""
    while order > 0 and (index % shifted(1, order) != 0 or index + shifted(1, order) - 1 > last):
        order -= 1
    return order


def ra_alloc_folio(core: Core, file: int, index: int, order: int, mark: int) -> int:
    """A folio of new pages, locked, on their way to read_pages(). 0, -ENOMEM, or -EEXIST where a page is there already; what came before
    it stays. Nobody is killed for what may never be wanted (readahead_gfp_mask): neither memory nor a charge is sought for long."""
    marked = mark - mark % shifted(1, order)
    for place in range(shifted(1, order)):
        pfn = alloc_page(core, GFP_HIGHUSER | GFP_COLD | GFP_NORETRY)
        if pfn == 0:
            return -ENOMEM
        if place > 0:
            core.frames.set(pfn, PG_TAIL)
        error = add_to_page_cache_ahead(core, pfn, file, index + place)
        if error != 0:
            put_page(core, pfn)
            return error
        if index == marked and place == 0:
            core.frames.set(pfn, PG_READAHEAD)
        core.open_files.pool(pfn, index + place)
    return 0


def read_pages(core: Core, base: int) -> None:
    """The reads of the pages that were pooled since `base` begin. Until now each was locked, so that none was reclaimed for the next: where
    a container cannot hold all that is asked for, it holds the first of it, which is what its reader comes to first."""
    for place in range(base, core.open_files.nr_pooled):
        readpage(core, core.open_files.pooled_pfn[place])
        put_page(core, core.open_files.pooled_pfn[place])
    core.open_files.nr_pooled = base


def is_folio_free(core: Core, file: int, index: int, order: int) -> bool:
    """Is no page of the file there yet where the folio would lie?"""
    place = 0
    while place < shifted(1, order) and core.trees.lookup(page_tree(file), index + place) == 0:
        place += 1
    return place == shifted(1, order)


def page_cache_ra_order(core: Core, handle: int) -> None:
    """Reads the window that the open file has now. Where some of it is in the cache already, the rest comes page by page."""
    file = core.open_files.file[handle]
    start = core.open_files.start[handle]
    index = start
    size = core.open_files.ra_size[handle]
    mark = start + size - core.open_files.async_size[handle]
    last = min(core.files.nr_size_pages(file), start + size) - 1
    largest = min(min(core.open_files.order[handle], MAX_PAGECACHE_ORDER), fls_order(size))
    core.open_files.order[handle] = largest
    base = core.open_files.nr_pooled
    error = 0
    while index <= last and error == 0:
        order = folio_order(index, largest, last)
        error = -EEXIST
        if is_folio_free(core, file, index, order):
            error = ra_alloc_folio(core, file, index, order, mark)
        if error == 0:
            index += shifted(1, order)
    read_pages(core, base)
    if error != 0:
        do_page_cache_ra(core, file, index, start + size - index, core.open_files.async_size[handle])


def do_page_cache_ra(core: Core, file: int, index: int, nr_pages: int, lookahead: int) -> None:
    """Page by page; the mark goes on the page `lookahead` before the end. Ends where a page finds no memory, or no charge. What was found
    up to a page that is there already is read before it goes on (page_cache_ra_unbounded)."""
    nr_to_read = min(nr_pages, core.files.nr_size_pages(file) - index)
    base = core.open_files.nr_pooled
    for place in range(nr_to_read):
        if core.trees.lookup(page_tree(file), index + place) != 0:
            read_pages(core, base)
            continue
        mark = -1
        if 0 < lookahead <= nr_to_read and place == nr_to_read - lookahead:
            mark = index + place
        if ra_alloc_folio(core, file, index + place, 0, mark) == -ENOMEM:
            break
    read_pages(core, base)


def force_page_cache_ra(core: Core, file: int, index: int, nr_pages: int, largest: int) -> None:
    """What is asked for and no more, 2 MB at a time. A device without read-ahead reads a page at least."""
    left = min(nr_pages, max(largest, FORCED_CHUNK_PAGES))
    while left > 0:
        chunk = min(left, FORCED_CHUNK_PAGES)
        do_page_cache_ra(core, file, index, chunk, 0)
        index += chunk
        left -= chunk


def nr_cached_before(core: Core, file: int, index: int, largest: int) -> int:
    """page_cache_prev_miss: how many pages in a row are cached just before this one."""
    count = 0
    while count < largest and count < index and core.trees.lookup(page_tree(file), index - count - 1) != 0:
        count += 1
    return count


def goes_on(core: Core, handle: int, index: int) -> bool:
    """Does it begin where the last read ended, or in the page after that?"""
    place = core.open_files.prev_pos[handle]
    return place >= 0 and 0 <= index - (place >> PAGE_SHIFT) <= 1


def page_cache_sync_ra(core: Core, handle: int, index: int, request: int) -> None:
    """A page is missing."""
    file = core.open_files.file[handle]
    largest = core.open_files.ra_pages[handle]
    if largest == 0:
        force_page_cache_ra(core, file, index, 1, 0)
        return
    if core.open_files.is_random[handle]:
        force_page_cache_ra(core, file, index, request, largest)
        return
    if index == 0 or request > largest or goes_on(core, handle, index):
        size = ra_init_size(request, largest)
        core.open_files.async_size[handle] = size - request if size > request else size // 2
    else:
        size = nr_cached_before(core, file, index, largest)
        if size <= request:
            do_page_cache_ra(core, file, index, request, 0)
            return
        if size == index:
            size *= 2
        size = min(size + request, largest)
        core.open_files.async_size[handle] = 1
    core.open_files.start[handle] = index
    core.open_files.ra_size[handle] = size
    core.open_files.order[handle] = 0
    page_cache_ra_order(core, handle)


def nr_folio_pages(core: Core, file: int, index: int) -> int:
    """The folio that begins at this page."""
    count = 1
    pfn = core.trees.lookup(page_tree(file), index + 1)
    while pfn != 0 and core.frames.has(pfn, PG_TAIL):
        count += 1
        pfn = core.trees.lookup(page_tree(file), index + count)
    return count


def page_cache_async_ra(core: Core, handle: int, pfn: int, index: int, request: int) -> None:
    """A marked page is read: the next window is asked for, which ends where its folios do."""
    if core.open_files.ra_pages[handle] == 0 or core.frames.has(pfn, PG_WRITEBACK):
        return
    core.frames.clear(pfn, PG_READAHEAD)
    file = core.open_files.file[handle]
    largest = core.open_files.ra_pages[handle]
    start = core.open_files.start[handle]
    size = core.open_files.ra_size[handle]
    ahead = start + size - core.open_files.async_size[handle] - index
    if 0 <= ahead < nr_folio_pages(core, file, index):
        start += size
    else:
        start = index + 1
        while start - index <= largest and core.trees.lookup(page_tree(file), start) != 0:
            start += 1
        if start - index > largest:
            return
        size = start - index + request
    size = ra_next_size(size, largest)
    order = core.open_files.order[handle] + 2
    align = shifted(1, min(order, fls_order(largest)))
    end = (start + size) - (start + size) % align
    if end > start:
        size = end - start
    core.open_files.order[handle] = order
    core.open_files.start[handle] = start
    core.open_files.ra_size[handle] = size
    core.open_files.async_size[handle] = size
    page_cache_ra_order(core, handle)


def read_around_folios(core: Core, handle: int, index: int) -> None:
    """do_sync_mmap_readahead: around a page that a fault misses, a window with this page in the middle."""
    largest = core.open_files.ra_pages[handle]
    core.open_files.start[handle] = max(index - largest // 2, 0)
    core.open_files.ra_size[handle] = largest
    core.open_files.async_size[handle] = largest // 4
    core.open_files.order[handle] = 0
    page_cache_ra_order(core, handle)
