"""read(), write() and the faults of mapped files, page by page (mm/filemap.c).

What is returned instead of a page is a negative errno. A page comes with a reference, which the caller gives back; its bytes are moved
by the caller (file.py), who knows where from and where to.
"""

from __future__ import annotations

from .core import Core
from .files import page_tree
from .filesystem import allocate_block, copy_block_in, get_block, readpage
from .kmem import create_empty_buffers
from .memcontrol import count_memcg_event_mm
from .page_alloc import alloc_page, put_page
from .page_cache import add_to_page_cache_lru, add_to_page_cache_pvec, find_get_page, find_lock_page, lock_page_of, pagevec_lru_add
from .page_dirty import set_page_dirty
from .page_writeback import balance_dirty_pages_ratelimited
from .params import DISK_FILES, EEXIST, ENOMEM, GFP_COLD, GFP_HIGHUSER, MEMCG_PGMAJFAULT, PG_CONTENT, PG_LOCKED, PG_READAHEAD
from .params import PG_UPTODATE, PGMAJFAULT, MMAP_LOTSAMISS, PAGE_BYTES, VM_FAULT_MAJOR, VM_FAULT_MINOR, VM_FAULT_OOM, VM_FAULT_SIGBUS
from .params import VM_RAND_READ, PG_TAIL
from .params import VM_SEQ_READ
from .radix_tree import shifted
from .readahead import do_page_cache_readahead, max_sane_readahead, page_cache_async_readahead, page_cache_sync_readahead
from .readahead_folios import MAX_PAGECACHE_ORDER, fls_order, folio_order, read_around_folios
from .shmem import shmem_read_pages, shmem_write_begin
from .trace_ring import ENTER_READ, ENTER_WRITE
from .waiting import run_due


def page_cache_read(core: Core, file: int, index: int) -> int:
    """One page, without any read-ahead: its read has begun. 0, or -ENOMEM; that somebody else had it meanwhile is as good."""
    pfn = alloc_page(core, GFP_HIGHUSER | GFP_COLD)
    if pfn == 0:
        return -ENOMEM
    error = add_to_page_cache_lru(core, pfn, file, index, ENTER_READ)
    if error == 0:
        readpage(core, pfn)
    put_page(core, pfn)
    if error == -EEXIST:
        return 0
    return error


def wait_until_read(core: Core, pfn: int, file: int) -> bool:
    """The page's bytes are there, or False: it left the file while we waited. A page that nobody reads is read now."""
    while not core.frames.has(pfn, PG_UPTODATE):
        if not lock_page_of(core, pfn, file):
            return False
        if core.frames.has(pfn, PG_UPTODATE):
            core.frames.clear(pfn, PG_LOCKED)
        else:
            readpage(core, pfn)
    return True


def file_read_page(core: Core, handle: int, index: int, offset: int, nr_bytes: int, request: int) -> int:
    """do_generic_mapping_read, for bytes [offset, offset + nr_bytes) of one page of the file; `request` pages are still wanted.

    0: the file was cut before this page while we waited. A page is marked as accessed unless the read before ended in it, of 2.6 at this
    very place. Whoever called says end_read() after its last.
    """
    file = core.open_files.file[handle]
    while True:
        pfn = find_get_page(core, file, index)
        if pfn == 0:
            page_cache_sync_readahead(core, handle, index, request)
            pfn = find_get_page(core, file, index)
        if pfn == 0:
            if index >= core.files.nr_size_pages(file):
                return 0
            error = page_cache_read(core, file, index)
            if error != 0:
                return error
            continue
        if core.frames.has(pfn, PG_READAHEAD):
            page_cache_async_readahead(core, handle, pfn, index, request)
        if wait_until_read(core, pfn, file):
            break
        put_page(core, pfn)
    if core.open_files.last_index[handle] != index or (not core.rules.has_folios and core.open_files.prev_offset[handle] != offset):
        core.model.page_accessed(core, pfn)
    core.open_files.last_index[handle] = index
    core.open_files.prev_offset[handle] = (offset + nr_bytes) % PAGE_BYTES
    return pfn


def file_read_pages(core: Core, handle: int, first: int, nr_pages: int) -> int:
    """Reads whole pages whose bytes nobody wants; how many, or a negative errno where not even one could be read."""
    if not core.files.is_on_disk(core.open_files.file[handle]):
        return shmem_read_pages(core, core.open_files.file[handle], first, nr_pages)
    core.open_files.last_index[handle] = core.open_files.prev_index[handle]
    done = 0
    pfn = 1
    while done < nr_pages and pfn > 0:
        pfn = file_read_page(core, handle, first + done, 0, PAGE_BYTES, nr_pages - done)
        if pfn > 0:
            put_page(core, pfn)
            done += 1
    core.open_files.end_read(handle)
    return pfn if done == 0 and pfn < 0 else done


def file_read_bytes(core: Core, handle: int, pages: memoryview[int]) -> int:
    """A read() of the first byte of each of these pages of a file on the disk; how many there were before one failed. After each, what has
    fallen due is done, as if they had come one by one."""
    done = 0
    count = len(pages)
    while done < count:
        pfn = file_read_page(core, handle, pages[done], 0, 1, 1)
        core.open_files.end_read(handle)
        if pfn <= 0:
            break
        put_page(core, pfn)
        done += 1
        run_due(core)
    return done


def grab_cache_page(core: Core, file: int, index: int) -> int:
    """__grab_cache_page: the page of the file, locked, made if it is not there; or a negative errno."""
    while True:
        pfn = find_lock_page(core, file, index)
        if pfn != 0:
            return pfn
        pfn = alloc_page(core, GFP_HIGHUSER)
        if pfn == 0:
            return -ENOMEM
        if core.files.makes_tail:
            core.frames.set(pfn, PG_TAIL)
        error = add_to_page_cache_pvec(core, pfn, file, index, ENTER_WRITE)
        if error == 0:
            return pfn
        put_page(core, pfn)
        if error != -EEXIST:
            return error


def file_write_begin(core: Core, handle: int, index: int, is_whole: bool) -> int:
    """prepare_write: the page, locked, with a block to go to; unless all of it is to be overwritten, with its old bytes.

    Where there is no block the page stays in the cache without being up to date, unless it was before. What is reclaimed for us is
    written even to a congested disk: it is the one that we write to (current->backing_dev_info).
    """
    if not core.files.is_on_disk(core.open_files.file[handle]):
        return shmem_write_begin(core, core.open_files.file[handle], index)
    core.is_writing_file = True
    pfn = prepare_page(core, core.open_files.file[handle], index, is_whole)
    core.is_writing_file = False
    core.files.makes_tail = False
    return pfn


def begin_folio(core: Core, handle: int, index: int, nr_pages: int, is_first: bool) -> None:
    """write() is about to write this page, and so many from it on: where a folio is made for them, it is as large as they are, and as the
    place in the file lets it lie (__filemap_get_folio with fgf_set_order). The next page that is made is the folio's first, or one more."""
    if not core.rules.has_folios or not core.files.is_on_disk(core.open_files.file[handle]):
        return
    if core.trees.lookup(page_tree(core.open_files.file[handle]), index) != 0:
        core.open_files.folio_end[handle] = index + 1
    elif is_first or index >= core.open_files.folio_end[handle]:
        order = folio_order(index, min(fls_order(nr_pages), MAX_PAGECACHE_ORDER), index + nr_pages - 1)
        core.open_files.folio_end[handle] = index + shifted(1, order)
    else:
        core.files.makes_tail = True


def prepare_page(core: Core, file: int, index: int, is_whole: bool) -> int:
    while True:
        pfn = grab_cache_page(core, file, index)
        if pfn < 0:
            return pfn
        if get_block(core, file, index) == 0:
            error = allocate_block(core, file, index)
            if error != 0:
                core.frames.clear(pfn, PG_LOCKED)
                put_page(core, pfn)
                return error
            if not core.frames.test_and_set(pfn, PG_UPTODATE):
                core.frames.clear(pfn, PG_CONTENT)
        if is_whole or core.frames.has(pfn, PG_UPTODATE):
            return pfn
        readpage(core, pfn)
        if lock_page_of(core, pfn, file):
            return pfn
        put_page(core, pfn)


def file_write_end(core: Core, handle: int, pfn: int, end: int) -> None:
    """commit_write: the bytes are there, up to byte `end` of the file. The page is dirty, and so much of it that somebody may have to
    write some out."""
    file = core.open_files.file[handle]
    core.frames.set(pfn, PG_UPTODATE)
    if core.files.is_on_disk(file):
        create_empty_buffers(core, pfn)
    set_page_dirty(core, pfn)
    if end > core.files.size[file]:
        core.files.size[file] = end
    core.frames.clear(pfn, PG_LOCKED)
    if core.rules.marks_written:
        core.model.page_accessed(core, pfn)
    put_page(core, pfn)
    if not core.files.is_on_disk(file):
        return
    core.is_writing_file = True
    balance_dirty_pages_ratelimited(core)
    core.is_writing_file = False


def file_write_pages(core: Core, handle: int, first: int, nr_pages: int) -> int:
    """Writes whole pages, each the bytes that it has; how many, or a negative errno where not even one could be written.

    Like all that is overwritten whole a page is not read first; so that its bytes stay they come from the block without a request.
    """
    done = 0
    error = 0
    while done < nr_pages and error == 0:
        begin_folio(core, handle, first + done, nr_pages - done, done == 0)
        pfn = file_write_begin(core, handle, first + done, True)
        if pfn < 0:
            error = pfn
        else:
            if not core.frames.has(pfn, PG_UPTODATE):
                copy_block_in(core, pfn, get_block(core, core.open_files.file[handle], first + done))
            file_write_end(core, handle, pfn, (first + done + 1) * PAGE_BYTES)
            done += 1
    pagevec_lru_add(core)
    return done if done > 0 or error == 0 else error


def filemap_fault(core: Core, handle: int, index: int, advice: int) -> int:
    """The locked page that a fault wants, in core.fault_page, and VM_FAULT_MINOR or MAJOR; or VM_FAULT_OOM, or SIGBUS beyond the end,
    where the file may have been cut while we waited: then the page is gone.

    Around a missing page as many are read as a window has, unless faults in this file missed far more often than they hit. `advice`,
    of the VMA's flags: VM_SEQ_READ reads ahead as read() does; VM_RAND_READ reads the page alone, which it allocates and charges before
    it looks whether there is one.
    """
    if core.rules.has_folios:
        return filemap_fault_folios(core, handle, index, advice)
    file = core.open_files.file[handle]
    answer = VM_FAULT_MINOR
    if index >= core.files.nr_size_pages(file):
        return VM_FAULT_SIGBUS
    if advice & VM_RAND_READ and page_cache_read(core, file, index) != 0:
        return VM_FAULT_OOM
    while True:
        pfn = find_lock_page(core, file, index)
        if advice & VM_SEQ_READ:
            if pfn == 0:
                page_cache_sync_readahead(core, handle, index, 1)
                pfn = find_lock_page(core, file, index)
            if pfn != 0 and core.frames.has(pfn, PG_READAHEAD):
                page_cache_async_readahead(core, handle, pfn, index, 1)
        elif pfn == 0:
            core.open_files.mmap_miss[handle] += 1
            if core.open_files.mmap_miss[handle] <= core.open_files.mmap_hit[handle] + MMAP_LOTSAMISS:
                if answer == VM_FAULT_MINOR:
                    answer = VM_FAULT_MAJOR
                    core.count(PGMAJFAULT)
                    count_memcg_event_mm(core, core.current_mm, MEMCG_PGMAJFAULT)
                read_around(core, handle, file, index)
                pfn = find_lock_page(core, file, index)
        if pfn == 0:
            if index >= core.files.nr_size_pages(file):
                return VM_FAULT_SIGBUS
            if page_cache_read(core, file, index) != 0:
                return VM_FAULT_OOM
            continue
        if answer == VM_FAULT_MINOR:
            core.open_files.mmap_hit[handle] += 1
        if not core.frames.has(pfn, PG_UPTODATE):
            if answer == VM_FAULT_MINOR:
                answer = VM_FAULT_MAJOR
                core.count(PGMAJFAULT)
                count_memcg_event_mm(core, core.current_mm, MEMCG_PGMAJFAULT)
            readpage(core, pfn)
            put_page(core, pfn)
            continue
        core.model.page_accessed(core, pfn)
        core.open_files.prev_index[handle] = index
        core.open_files.last_index[handle] = index
        core.fault_page = pfn
        return answer


def filemap_fault_folios(core: Core, handle: int, index: int, advice: int) -> int:
    """The same as of 6.18: who misses reads once, around the page or on from it, and then the page alone; a fault is no access."""
    file = core.open_files.file[handle]
    answer = VM_FAULT_MINOR
    if index >= core.files.nr_size_pages(file):
        return VM_FAULT_SIGBUS
    pfn = core.trees.lookup(page_tree(file), index)
    if pfn == 0:
        answer = VM_FAULT_MAJOR
        core.count(PGMAJFAULT)
        count_memcg_event_mm(core, core.current_mm, MEMCG_PGMAJFAULT)
        do_sync_mmap_readahead(core, handle, index, advice)
    elif advice & VM_RAND_READ == 0:
        core.open_files.mmap_miss[handle] = max(core.open_files.mmap_miss[handle] - 1, 0)
        if core.frames.has(pfn, PG_READAHEAD):
            page_cache_async_readahead(core, handle, pfn, index, core.open_files.ra_pages[handle])
    while True:
        pfn = find_lock_page(core, file, index)
        if pfn != 0 and core.frames.has(pfn, PG_UPTODATE):
            core.fault_page = pfn
            return answer
        if pfn != 0:
            readpage(core, pfn)
            put_page(core, pfn)
        elif index >= core.files.nr_size_pages(file):
            return VM_FAULT_SIGBUS
        elif page_cache_read(core, file, index) != 0:
            return VM_FAULT_OOM


def do_sync_mmap_readahead(core: Core, handle: int, index: int, advice: int) -> None:
    """A window from the page on for a sequential reader; around it for others, unless the faults missed too often. (Not above ten times
    MMAP_LOTSAMISS does the count rise, so that hits bring it down again.)"""
    if advice & VM_RAND_READ or core.open_files.ra_pages[handle] == 0:
        return
    if advice & VM_SEQ_READ:
        page_cache_sync_readahead(core, handle, index, core.open_files.ra_pages[handle])
        return
    if core.open_files.mmap_miss[handle] < 10 * MMAP_LOTSAMISS:
        core.open_files.mmap_miss[handle] += 1
    if core.open_files.mmap_miss[handle] <= MMAP_LOTSAMISS:
        read_around_folios(core, handle, index)


def read_around(core: Core, handle: int, file: int, index: int) -> None:
    """do_page_cache_readahead: the window's worth of pages with this one in the middle, unless the disk has enough to do."""
    if core.disks.is_read_congested(DISK_FILES):
        return
    nr_pages = max_sane_readahead(core, core.open_files.ra_pages[handle])
    if nr_pages > 0:
        start = max(index - nr_pages // 2, 0)
        do_page_cache_readahead(core, file, start, nr_pages, 0)
