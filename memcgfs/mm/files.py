"""Files as the engine needs them: inode, address_space and file_ra_state as rows of arrays, and the disk that they lie on.

Names and directories are no concern of memory management; they are kept by whoever uses the machine (machinefs). A file is a number
from 1 on; 0 is "none". It has two radix trees: 2f holds its pages in the page cache, 2f + 1 where each page lies when it is not there:
a block of the disk, or of a file in memory (shmem) a slot of the swap area.
"""

from __future__ import annotations

from typing import Final

from .arrays import Arrays, pages_of
from .lists import Links
from .params import PAGE_BYTES, PAGE_SHIFT

MAX_FILE_PAGES: Final = 0x7FFFFFFF  # s_maxbytes: 8 TiB, an i386 page->index with room

FILE_ON_DISK: Final = 0
FILE_IN_MEMORY: Final = 1

I_DIRTY: Final = 1
I_LOCK: Final = 2  # its pages are being written

PVEC_PAGES: Final = 256

POOL_PAGES: Final = 4096


class Files:
    """Sizes in bytes. dirty: the inode's place on the list of dirty inodes (s_dirty, then s_io while it is written back); of a file in
    memory, on the list of those that have pages in swap (shmem_swaplist). ra_pages: how far the file's device reads ahead.

    state: I_DIRTY, I_LOCK. error: a block could not be had when a page was to be written (AS_ENOSPC); fsync reports it once.
    nr_shadows: of its pages that were reclaimed (see shadows.py). pvec: pages that are about to be written, by those who write at the
    moment, one within the other. makes_tail: the page that write() makes next is one more of its folio.
    """

    def __init__(self, arrays: Arrays, nr_files: int, device_ra_pages: int) -> None:
        self.nr_files = nr_files
        self.device_ra_pages = device_ra_pages
        self.size = arrays.of("Q", nr_files)
        self.nr_pages = arrays.of("q", nr_files)
        self.nr_blocks = arrays.of("q", nr_files)
        self.nr_shadows = arrays.of("q", nr_files)
        self.kind = arrays.of("B", nr_files)
        self.error = arrays.of("B", nr_files)
        self.state = arrays.of("B", nr_files)
        self.ra_pages = arrays.of("I", nr_files)
        self.writeback_index = arrays.of("q", nr_files)
        self.dirtied_when_ns = arrays.of("q", nr_files)
        self.dirty = Links(arrays.of("I", nr_files + 3), arrays.of("I", nr_files + 3), nr_files)
        self.s_dirty = nr_files
        self.s_io = nr_files + 1
        self.shmem_swaplist = nr_files + 2
        for head in range(self.s_dirty, self.shmem_swaplist + 1):
            self.dirty.init_head(head)
        self.makes_tail = False
        self.pvec = arrays.of("I", PVEC_PAGES)
        self.nr_pvec = 0

    def init(self, file: int, kind: int) -> None:
        self.size[file] = 0
        self.kind[file] = kind
        self.error[file] = 0
        self.state[file] = 0
        self.ra_pages[file] = self.device_ra_pages
        self.writeback_index[file] = 0

    def nr_size_pages(self, file: int) -> int:
        """Pages that the file's bytes span."""
        return (self.size[file] + PAGE_BYTES - 1) >> PAGE_SHIFT

    def is_on_disk(self, file: int) -> bool:
        return self.kind[file] == FILE_ON_DISK

    def set_size(self, file: int, nr_bytes: int) -> None:
        self.size[file] = nr_bytes

    def set_ra_pages(self, file: int, nr_pages: int) -> None:
        """The file lies on another device, which reads ahead so far; for those who open it from now on."""
        self.ra_pages[file] = nr_pages

    def is_clean(self) -> bool:
        """Has no file a dirty page?"""
        return self.dirty.is_empty(self.s_dirty) and self.dirty.is_empty(self.s_io)

    def forget_error(self, file: int) -> bool:
        """Was there one since it was asked last?"""
        error = self.error[file]
        self.error[file] = 0
        return error != 0


class OpenFiles:
    """struct file with its file_ra_state: the read-ahead window [start, start + size), whose mark lies async_size before its end.

    prev_index, prev_offset: where the last read ended; mmap_hit, mmap_miss: pages found and not found by faults.
    last_index: prev_index while a read() runs, which read-ahead does not see before the end. lru_pvec: new pages of the call that runs, on
    their way to the LRU. order, prev_pos: of read-ahead in folios, the size of those that it read last as a power of 2, and the byte after
    the last read; is_random: FADV_RANDOM, as such. folio_end: of a write() in folios, the page after the folio that it makes. pooled:
    frames for pages that are about to be read ahead, and are in no file yet.
    """

    def __init__(self, arrays: Arrays, nr_open_files: int, pagevec_size: int) -> None:
        self.nr_open_files = nr_open_files
        self.file = arrays.of("I", nr_open_files)
        self.ra_pages = arrays.of("I", nr_open_files)
        self.start = arrays.of("q", nr_open_files)
        self.ra_size = arrays.of("q", nr_open_files)
        self.async_size = arrays.of("q", nr_open_files)
        self.prev_index = arrays.of("q", nr_open_files)
        self.prev_offset = arrays.of("I", nr_open_files)
        self.mmap_hit = arrays.of("q", nr_open_files)
        self.mmap_miss = arrays.of("q", nr_open_files)
        self.pooled_pfn = arrays.of("I", POOL_PAGES)
        self.pooled_index = arrays.of("q", POOL_PAGES)
        self.nr_pooled = 0
        self.last_index = arrays.of("q", nr_open_files)
        self.order = arrays.of("I", nr_open_files)
        self.prev_pos = arrays.of("q", nr_open_files)
        self.is_random = arrays.of("B", nr_open_files)
        self.folio_end = arrays.of("q", nr_open_files)
        self.lru_pvec = arrays.of("I", pagevec_size)
        self.nr_lru_pvec = 0

    def init(self, handle: int, file: int, ra_pages: int) -> None:
        self.file[handle] = file
        self.ra_pages[handle] = ra_pages
        self.order[handle] = 0
        self.prev_pos[handle] = -1
        self.is_random[handle] = 0
        self.start[handle] = 0
        self.ra_size[handle] = 0
        self.async_size[handle] = 0
        self.prev_index[handle] = -1
        self.last_index[handle] = -1
        self.prev_offset[handle] = 0
        self.mmap_hit[handle] = 0
        self.mmap_miss[handle] = 0

    def end_read(self, handle: int) -> None:
        """A read() is over: the next one goes on from here."""
        self.prev_index[handle] = self.last_index[handle]
        if self.prev_offset[handle] != 0:
            self.prev_pos[handle] = (self.last_index[handle] << PAGE_SHIFT) + self.prev_offset[handle]
        else:
            self.prev_pos[handle] = (self.last_index[handle] + 1) << PAGE_SHIFT

    def pool(self, pfn: int, index: int) -> None:
        self.pooled_pfn[self.nr_pooled] = pfn
        self.pooled_index[self.nr_pooled] = index
        self.nr_pooled += 1

    def set_ra_pages(self, handle: int, nr_pages: int) -> None:
        self.ra_pages[handle] = nr_pages

    def set_random(self, handle: int, on: bool) -> None:
        self.is_random[handle] = on


class Blocks:
    """The disk's blocks of a page each. Block 0 is the superblock, and never a file's."""

    def __init__(self, arrays: Arrays, nr_blocks: int) -> None:
        self.nr_blocks = nr_blocks
        self.words = pages_of(nr_blocks)
        self.content = arrays.of("B", nr_blocks)
        self.free = arrays.of("I", nr_blocks)
        self.nr_returned = 0
        self.frontier = 1

    def nr_free(self) -> int:
        return self.nr_blocks - self.frontier + self.nr_returned

    def take(self) -> int:
        """A free block, the one that was given back last; 0 where the disk is full."""
        if self.nr_returned > 0:
            self.nr_returned -= 1
            return self.free[self.nr_returned]
        if self.frontier >= self.nr_blocks:
            return 0
        self.frontier += 1
        return self.frontier - 1

    def give(self, block: int) -> None:
        self.content[block] = 0
        self.free[self.nr_returned] = block
        self.nr_returned += 1


def page_tree(file: int) -> int:
    """The radix tree of the file's pages."""
    return 2 * file


def shadow_tree(files: Files, file: int) -> int:
    """The radix tree of the shadows that its reclaimed pages left; behind those of all files."""
    return 2 * files.nr_files + file


def block_tree(file: int) -> int:
    """The radix tree that says where each page lies on the disk."""
    return 2 * file + 1
