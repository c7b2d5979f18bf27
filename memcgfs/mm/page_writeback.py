"""How much may be dirty, and who writes it (mm/page-writeback.c, fs/fs-writeback.c).

A task that dirties pages is held up once a share of memory is dirty or being written (dirty_ratio), and writes until it has written its
part. From a lower share on (dirty_background_ratio) pdflush is woken, which is a task of its own (pdflush.py). Inodes wait on s_dirty in
the order in which they became dirty, the last one first, and on s_io for their turn; a file's dirty pages are found by their tag, in the
order of their index.
"""

from __future__ import annotations

from .core import Core, is_daemon
from .files import I_DIRTY, I_LOCK, MAX_FILE_PAGES, page_tree
from .filesystem import writepage
from .page_alloc import get_page, put_page
from .page_cache import is_page_of
from .page_dirty import accounts_dirty, set_page_dirty, test_clear_page_dirty
from .params import DAEMON_LAPTOP, DAEMON_PDFLUSH, DISK_FILES, GFP_FS, GFP_IO, LOCKDEP, MAX_NR_ZONES, NR_ANON_PAGES, NR_FILE_DIRTY
from .params import NR_FILE_MAPPED, NR_FREE_PAGES, NR_WRITEBACK, PAGEVEC_SIZE, PG_LOCKED, PG_RECLAIM, PG_WRITEBACK
from .params import WB_SYNC_ALL, WB_SYNC_HOLD, WB_SYNC_NONE, ZONE_HIGHMEM
from .radix_tree import TAG_DIRTY, TAG_WRITEBACK
from .rmap import page_mkclean
from .waiting import congestion_wait, io_schedule, pass_time, wait_on_page_writeback


class WritebackControl:
    """struct writeback_control: one request to write pages out.

    nr_to_write: pages still wanted; pages_skipped: those that could not be written. nonblocking: stop where the disk is congested, and say
    so. sync_mode: WB_SYNC_NONE leaves out a page whose earlier write is under way, the others wait for that; WB_SYNC_ALL waits for all
    writes of an inode, WB_SYNC_HOLD keeps the inode on s_dirty, so that somebody finds it who does. older_than_ns: only inodes that were
    dirty by then. is_cyclic: go on in the file where the last one stopped.
    """

    def __init__(self, nr_to_write: int) -> None:
        self.nr_to_write = nr_to_write
        self.pages_skipped = 0
        self.nonblocking = False
        self.sync_mode = WB_SYNC_NONE
        self.older_than_ns = 1 << 62
        self.is_cyclic = False
        self.for_kupdate = False
        self.encountered_congestion = False


def dirtyable_memory(core: Core) -> int:
    """determine_dirtyable_memory: what is free or on the LRU, outside of high memory, because dirty pages must not fill low memory."""
    pages = 0
    for zone in range(core.zones.nr_zones):
        if zone % MAX_NR_ZONES != ZONE_HIGHMEM:
            pages += core.zones.count(zone, NR_FREE_PAGES) + core.zones.nr_lru_pages(zone)
    return pages + 1


def effective_dirty_ratio(core: Core) -> int:
    """dirty_ratio, at most half of the percentage that is not mapped, at least 5."""
    mapped = core.zones.total(NR_FILE_MAPPED) + core.zones.total(NR_ANON_PAGES)
    unmapped_ratio = 100 - mapped * 100 // dirtyable_memory(core)
    return max(min(core.dirty_ratio, half(unmapped_ratio)), 5)


def half(percentage: int) -> int:
    """Rounded towards 0, as in C: with high memory more can be mapped than can be dirty."""
    if percentage < 0:
        return 0
    return percentage // 2


def dirty_threshold(core: Core) -> int:
    """Pages that may be dirty or under writeback before who dirties more is held up."""
    return effective_dirty_ratio(core) * dirtyable_memory(core) // 100


def background_threshold(core: Core) -> int:
    """Dirty pages beyond which pdflush writes: at half of the other threshold where the ratios do not put it below."""
    ratio = effective_dirty_ratio(core)
    background_ratio = core.dirty_background_ratio
    if background_ratio >= ratio:
        background_ratio = ratio // 2
    return background_ratio * dirtyable_memory(core) // 100


def clear_page_dirty_for_io(core: Core, pfn: int) -> bool:
    """Takes the dirty mark off a locked page, and from every mapping the right to write it unseen. Was there anything to write?

    The mark of a read-ahead window goes too: it has the bit of PG_reclaim, and the end of this write would take it for that.
    """
    core.frames.clear(pfn, PG_RECLAIM)
    if accounts_dirty(core, pfn) and page_mkclean(core, pfn):
        set_page_dirty(core, pfn)
    return test_clear_page_dirty(core, pfn)


def write_cache_pages(core: Core, file: int, wbc: WritebackControl) -> None:
    """The file's dirty pages in the order of their index, PAGEVEC_SIZE looked up at once; a request that is cyclic begins where the last
    one stopped, and once from 0 where it found nothing up there."""
    index = 0
    wraps = 0
    if wbc.is_cyclic:
        index = core.files.writeback_index[file]
        wraps = 1
    is_done = 0
    while is_done == 0:
        count = pagevec_lookup_dirty(core, file, index)
        if count > 0:
            wraps = 0
            index = core.frames.index(core.files.pvec[core.files.nr_pvec - 1]) + 1
            is_done = write_pagevec(core, file, wbc, count)
        elif wraps > 0:
            wraps = 0
            index = 0
        else:
            break
    core.files.writeback_index[file] = index


def pagevec_lookup_dirty(core: Core, file: int, index: int) -> int:
    """Pushes the next dirty pages, a reference each, and gives how many there are."""
    count = 0
    found = core.trees.next_index(page_tree(file), index, TAG_DIRTY)
    while found >= 0 and count < PAGEVEC_SIZE:
        pfn = core.trees.lookup(page_tree(file), found)
        get_page(core, pfn)
        core.files.pvec[core.files.nr_pvec] = pfn
        core.files.nr_pvec += 1
        count += 1
        found = core.trees.next_index(page_tree(file), found + 1, TAG_DIRTY)
    return count


def write_pagevec(core: Core, file: int, wbc: WritebackControl, count: int) -> int:
    """Writes the last `count` pages that were pushed, also when enough were written half-way, or one could not be; 1 where that is so.
    In the end those on their way to the LRU arrive (pagevec_release).

    A page that is locked is left out: a disk never has the lock of a dirty page, so that it is held by whoever waits while we run. Nor does
    a daemon wait for a write that is under way, which may be one that waits for room in the queue. pdflush would wait for both, but
    here the task cannot go on before pdflush is done.
    """
    is_done = 0
    base = core.files.nr_pvec - count
    for place in range(count):
        pfn = core.files.pvec[base + place]
        if core.frames.test_and_set(pfn, PG_LOCKED):
            continue
        if LOCKDEP:
            assert is_page_of(core, pfn, file), f"frame {pfn} left its file while daemons ran, who do not cut files"
        while wbc.sync_mode != WB_SYNC_NONE and not is_daemon(core) and core.frames.has(pfn, PG_WRITEBACK):
            pass_time(core, core.disks.next_ns)
        if core.frames.has(pfn, PG_WRITEBACK) or not clear_page_dirty_for_io(core, pfn):
            core.frames.clear(pfn, PG_LOCKED)
            continue
        if writepage(core, pfn, False) != 0:
            wbc.pages_skipped += 1
            is_done = 1
        else:
            wbc.nr_to_write -= 1
            if wbc.nr_to_write <= 0:
                is_done = 1
        if wbc.nonblocking and core.disks.is_write_congested(DISK_FILES):
            wbc.encountered_congestion = True
            is_done = 1
    core.model.drain(core)
    for place in range(count):
        put_page(core, core.files.pvec[base + place])
    core.files.nr_pvec = base
    return is_done


def wait_on_page_writeback_range(core: Core, file: int, first: int, last: int) -> None:
    """filemap_fdatawait: until none of these pages is under writeback."""
    index = core.trees.next_index(page_tree(file), first, TAG_WRITEBACK)
    while 0 <= index <= last:
        pfn = core.trees.lookup(page_tree(file), index)
        get_page(core, pfn)
        wait_on_page_writeback(core, pfn)
        put_page(core, pfn)
        index = core.trees.next_index(page_tree(file), index, TAG_WRITEBACK)


def writeback_single_inode(core: Core, file: int, wbc: WritebackControl) -> None:
    """Writes the file's pages (__writeback_single_inode). One that somebody writes already goes to the end of the line, and what it has
    is written all the same."""
    if core.files.state[file] & I_LOCK:
        core.files.dirty.move(core.files.s_dirty, file)
        write_cache_pages(core, file, wbc)
    else:
        sync_single_inode(core, file, wbc)


def sync_single_inode(core: Core, file: int, wbc: WritebackControl) -> None:
    """__sync_single_inode. A file of which some pages are left is dirty anew, and last in line; for the periodic write-out it stays first
    in line, because it has waited long enough."""
    core.files.state[file] = I_LOCK
    write_cache_pages(core, file, wbc)
    if wbc.sync_mode == WB_SYNC_ALL and not is_daemon(core):
        wait_on_page_writeback_range(core, file, 0, MAX_FILE_PAGES)
    state = core.files.state[file]
    core.files.state[file] = state & I_DIRTY
    if state & I_DIRTY:
        core.files.dirty.move(core.files.s_dirty, file)
    elif not core.trees.is_tagged(page_tree(file), TAG_DIRTY):
        core.files.dirty.remove(file)
    else:
        core.files.state[file] = I_DIRTY
        if wbc.for_kupdate:
            core.files.dirty.move_tail(core.files.s_dirty, file)
        else:
            core.files.dirtied_when_ns[file] = core.clock_ns
            core.files.dirty.move(core.files.s_dirty, file)


def writeback_inodes(core: Core, wbc: WritebackControl) -> None:
    """sync_sb_inodes: the oldest dirty inode first, until enough is written, the disk is congested, or the next is too young."""
    start_ns = core.clock_ns
    if not wbc.for_kupdate or core.files.dirty.is_empty(core.files.s_io):
        core.files.dirty.splice(core.files.s_dirty, core.files.s_io)
    while not core.files.dirty.is_empty(core.files.s_io):
        file = core.files.dirty.prev[core.files.s_io]
        if wbc.nonblocking and core.disks.is_write_congested(DISK_FILES):
            wbc.encountered_congestion = True
            return
        if core.files.dirtied_when_ns[file] > start_ns:
            return
        if core.files.dirtied_when_ns[file] > wbc.older_than_ns:
            return
        pages_skipped = wbc.pages_skipped
        writeback_single_inode(core, file, wbc)
        if wbc.sync_mode == WB_SYNC_HOLD:
            core.files.dirtied_when_ns[file] = core.clock_ns
            core.files.dirty.move(core.files.s_dirty, file)
        if wbc.pages_skipped != pages_skipped:
            core.files.dirty.move(core.files.s_dirty, file)
        if wbc.nr_to_write <= 0:
            return


def sync_file(core: Core, file: int) -> None:
    """do_fsync: every dirty page is written, and has arrived."""
    filemap_fdatawrite(core, file, True)
    wait_on_page_writeback_range(core, file, 0, MAX_FILE_PAGES)


def filemap_fdatawrite(core: Core, file: int, is_sync: bool) -> None:
    """All dirty pages of the file are on their way to the disk (filemap_flush: but for those that were so already)."""
    wbc = WritebackControl(MAX_FILE_PAGES)
    if is_sync:
        wbc.sync_mode = WB_SYNC_ALL
    write_cache_pages(core, file, wbc)


def sync_inodes_sb(core: Core, sync_mode: int) -> None:
    wbc = WritebackControl(MAX_FILE_PAGES)
    wbc.sync_mode = sync_mode
    writeback_inodes(core, wbc)


def sync_inodes(core: Core) -> None:
    """sys_sync: pdflush is set to work, every dirty file is written, then once more and waited for.

    As in 2.6.23 nobody waits for a write that was under way when sync began, where its file has no other dirty page. Laptop mode's timer
    calls this as a daemon, which cannot wait for a single page; but for the disk it can, between the two rounds and at the end.
    """
    wakeup_pdflush(core, 0)
    sync_inodes_sb(core, WB_SYNC_HOLD)
    wait_for_disk(core)
    sync_inodes_sb(core, WB_SYNC_ALL)
    wait_for_disk(core)
    if core.laptop_mode != 0:
        core.daemons.set_due(DAEMON_LAPTOP, -1)


def wait_for_disk(core: Core) -> None:
    """A daemon waits until nothing is being written any more."""
    while is_daemon(core) and core.disks.nr_requests[2 * DISK_FILES + 1] > 0:
        io_schedule(core)


def balance_dirty_pages_ratelimited(core: Core) -> None:
    """A page became dirty. The limits are looked at every so many pages, every 8 while they are exceeded."""
    ratelimit = core.ratelimit_pages
    if core.dirty_exceeded:
        ratelimit = 8
    core.nr_dirtied += 1
    if core.nr_dirtied >= ratelimit:
        core.nr_dirtied = 0
        balance_dirty_pages(core)


def nr_dirty_or_written(core: Core) -> int:
    return core.zones.total(NR_FILE_DIRTY) + core.zones.total(NR_WRITEBACK)


def balance_dirty_pages(core: Core) -> None:
    """Writes, or waits for others' writes, until enough is clean or this task's part is written; then sees to it that pdflush runs."""
    write_chunk = core.ratelimit_pages + core.ratelimit_pages // 2
    pages_written = 0
    while nr_dirty_or_written(core) > dirty_threshold(core):
        core.dirty_exceeded = True
        if core.zones.total(NR_FILE_DIRTY) > 0:
            nr_written = write_some(core, write_chunk)
            if nr_dirty_or_written(core) <= dirty_threshold(core):
                break
            pages_written += nr_written
            if pages_written >= write_chunk:
                break
        congestion_wait(core, core.wait_ns)
    if core.dirty_exceeded and nr_dirty_or_written(core) <= dirty_threshold(core):
        core.dirty_exceeded = False
    if core.laptop_mode != 0:
        if pages_written > 0:
            pdflush_operation(core, 0)
    elif core.zones.total(NR_FILE_DIRTY) > background_threshold(core):
        pdflush_operation(core, 0)


def write_some(core: Core, nr_pages: int) -> int:
    """How many pages were written of so many, from the files that have waited longest."""
    wbc = WritebackControl(nr_pages)
    wbc.is_cyclic = True
    writeback_inodes(core, wbc)
    return nr_pages - wbc.nr_to_write


def pdflush_operation(core: Core, min_pages: int) -> None:
    """Background write-out begins now, until fewer than the background threshold are dirty and at least so many were written."""
    core.flusher.min_pages = max(core.flusher.min_pages, min_pages)
    if core.daemons.is_asleep(DAEMON_PDFLUSH):
        core.daemons.set_due(DAEMON_PDFLUSH, core.clock_ns)


def wakeup_pdflush(core: Core, nr_pages: int) -> None:
    """On behalf of reclaim: so many pages, or all that are dirty where it says 0."""
    if nr_pages == 0:
        nr_pages = core.zones.total(NR_FILE_DIRTY)
    pdflush_operation(core, nr_pages)


def is_writeout_over_limit(core: Core) -> bool:
    """Is more being written than a tenth beyond the dirty threshold? Where nothing is, the threshold need not be known."""
    nr_writeback = core.zones.total(NR_WRITEBACK)
    if nr_writeback == 0:
        return False
    threshold = dirty_threshold(core)
    return nr_writeback > threshold + threshold // 10


def throttle_vm_writeout(core: Core, gfp: int) -> None:
    """Who reclaims does not start writes faster than the disk ends them. One who may not enter the filesystem cannot know what it waits
    for, and just waits once."""
    if gfp & (GFP_FS | GFP_IO) != GFP_FS | GFP_IO:
        congestion_wait(core, core.wait_ns)
        return
    while is_writeout_over_limit(core):
        congestion_wait(core, core.wait_ns)
