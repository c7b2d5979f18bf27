"""The filesystem of the machine's disk: where a file's pages lie, and how they get there and back (fs/ext2/inode.c, fs/mpage.c,
fs/buffer.c).

A block is a page. A block is found for a page when it is first written: by write() at once, for a page that a task dirtied through a
mapping only when it is written out, so that a full disk shows at fsync. A hole reads as zeros and costs no request. There are no buffer
heads: a page's only state is the page's.
"""

from __future__ import annotations

from .core import Core
from .files import block_tree
from .page_dirty import clear_page_writeback, set_page_writeback
from .page_io import copy_words
from .pagetable import word_of
from .radix_tree import shifted
from .params import DISK_FILES, ENOSPC, PAGE_BYTES, PAGE_WORDS, PG_CONTENT, PG_ERROR, PG_LOCKED, PG_UPTODATE
from .trace import trace_page
from .trace_ring import TRACE_FILE_WRITEPAGE, WRITE_PDFLUSH, WRITE_RECLAIM, WRITE_TASK
from .waiting import submit_bio


def get_block(core: Core, file: int, index: int) -> int:
    """The block of this page, or 0 for a hole."""
    return core.trees.lookup(block_tree(file), index)


def allocate_block(core: Core, file: int, index: int) -> int:
    """get_block with create: 0, or -ENOSPC where the disk is full."""
    if get_block(core, file, index) != 0:
        return 0
    block = core.blocks.take()
    if block == 0:
        return -ENOSPC
    core.trees.insert(block_tree(file), index, block)
    core.files.nr_blocks[file] += 1
    return 0


def free_block(core: Core, file: int, index: int) -> None:
    """The page is a hole from now on; it has a block."""
    core.blocks.give(core.trees.delete(block_tree(file), index))
    core.files.nr_blocks[file] -= 1


def readpage(core: Core, pfn: int) -> None:
    """Starts the read of a locked page; its lock is given back when its bytes are there."""
    block = get_block(core, core.frames.owner(pfn), core.frames.index(pfn))
    if block == 0:
        core.frames.clear(pfn, PG_CONTENT)
        core.frames.set(pfn, PG_UPTODATE)
        core.frames.clear(pfn, PG_LOCKED)
        return
    copy_block_in(core, pfn, block)
    submit_bio(core, DISK_FILES, pfn, False)


def writepage(core: Core, pfn: int, for_reclaim: bool) -> int:
    """Starts the write of a locked page whose dirty mark was just taken, and gives the lock back. 0, or -ENOSPC.

    Beyond the end of the file there is nothing to write (a truncation is on its way); what a mapping wrote behind the end in the file's
    last page is zeroed first. Without a block to be had the page counts as written, its bytes are lost when it goes, and fsync will say so.
    """
    file = core.frames.owner(pfn)
    index = core.frames.index(pfn)
    if index >= core.files.nr_size_pages(file):
        core.frames.clear(pfn, PG_LOCKED)
        return 0
    if index + 1 == core.files.nr_size_pages(file):
        clear_from(core, pfn, core.files.size[file] % PAGE_BYTES)
    error = allocate_block(core, file, index)
    set_page_writeback(core, pfn)
    core.frames.clear(pfn, PG_LOCKED)
    if error != 0:
        core.frames.set(pfn, PG_ERROR)
        core.files.error[file] = 1
        clear_page_writeback(core, pfn)
        return error
    copy_block_out(core, pfn, get_block(core, file, index))
    if core.traced:
        trace_file_write(core, pfn, for_reclaim)
    submit_bio(core, DISK_FILES, pfn, True)
    return 0


def trace_file_write(core: Core, pfn: int, for_reclaim: bool) -> None:
    reason = WRITE_PDFLUSH if core.current_is_pdflush else WRITE_TASK
    if for_reclaim:
        reason = WRITE_RECLAIM
    trace_page(core, TRACE_FILE_WRITEPAGE, pfn, reason, core.frames.owner(pfn), core.frames.index(pfn))


def clear_from(core: Core, pfn: int, first: int) -> None:
    """Zeroes the page's bytes from this one on; byte 0 stands for none of them."""
    if first == 0 or not core.frames.has(pfn, PG_CONTENT):
        return
    at = word_of(pfn) + first // 8
    core.tables.ram[at] = lowest_bytes(core.tables.ram[at], first % 8)
    for word in range(first // 8 + 1, PAGE_WORDS):
        core.tables.ram[word_of(pfn) + word] = 0


def lowest_bytes(word: int, count: int) -> int:
    """The word with its first `count` bytes (0 to 7) in memory, the rest zero: memory is little-endian."""
    return word % shifted(1, 8 * count)


def copy_block_in(core: Core, pfn: int, block: int) -> None:
    """What was never written reads as zeros, and costs the machine no bytes."""
    if core.blocks.content[block] == 0:
        core.frames.clear(pfn, PG_CONTENT)
        return
    core.frames.set(pfn, PG_CONTENT)
    copy_words(core.blocks.words, block, core.tables.ram, pfn)


def copy_block_out(core: Core, pfn: int, block: int) -> None:
    if not core.frames.has(pfn, PG_CONTENT):
        core.blocks.content[block] = 0
        return
    core.blocks.content[block] = 1
    copy_words(core.tables.ram, pfn, core.blocks.words, block)
