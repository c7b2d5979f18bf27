"""Pages to and from swap (mm/page_io.c). The page is locked by the caller, and in the swap cache."""

from __future__ import annotations

from .core import Core
from .page_dirty import set_page_writeback
from .pagetable import word_of
from .params import DISK_SWAP, PAGE_WORDS, PG_CONTENT, PG_LOCKED, PSWPIN, PSWPOUT
from .swap_state import remove_exclusive_swap_page
from .trace import trace_page
from .trace_ring import TRACE_SWAP_OUT, WRITE_RECLAIM, WRITE_TASK
from .waiting import submit_bio


def swap_writepage(core: Core, pfn: int, for_reclaim: bool) -> None:
    """Starts the write and gives the lock back; a page whose slot nobody else uses gives up the slot instead."""
    if remove_exclusive_swap_page(core, pfn):
        core.frames.clear(pfn, PG_LOCKED)
        return
    copy_out(core, pfn, core.frames.private[pfn])
    core.count(PSWPOUT)
    if core.traced:
        trace_page(core, TRACE_SWAP_OUT, pfn, WRITE_RECLAIM if for_reclaim else WRITE_TASK, core.frames.private[pfn], 0)
    set_page_writeback(core, pfn)
    core.frames.clear(pfn, PG_LOCKED)
    submit_bio(core, swap_disk(core, pfn), pfn, True)


def swap_readpage(core: Core, pfn: int) -> None:
    """Starts the read; the page's lock is given back when the read is done."""
    copy_in(core, pfn, core.frames.private[pfn])
    core.count(PSWPIN)
    submit_bio(core, swap_disk(core, pfn), pfn, False)


def swap_disk(core: Core, pfn: int) -> int:
    """The disk of the area in which the page has its slot."""
    return DISK_SWAP + core.swap.area_of(core.frames.private[pfn])


def copy_out(core: Core, pfn: int, slot: int) -> None:
    """The page's bytes, if any were ever written; otherwise the slot reads as zeros."""
    if not core.frames.has(pfn, PG_CONTENT):
        core.swap.content[slot] = 0
        return
    core.swap.content[slot] = 1
    copy_words(core.tables.ram, pfn, core.swap.words, slot)


def copy_in(core: Core, pfn: int, slot: int) -> None:
    if core.swap.content[slot] == 0:
        return
    core.frames.set(pfn, PG_CONTENT)
    copy_words(core.swap.words, slot, core.tables.ram, pfn)


def copy_page(core: Core, source_pfn: int, pfn: int) -> None:
    """copy_user_highpage: the copy that a write to a shared page makes."""
    if not core.frames.has(source_pfn, PG_CONTENT):
        return
    core.frames.set(pfn, PG_CONTENT)
    copy_words(core.tables.ram, source_pfn, core.tables.ram, pfn)


def copy_words(source: memoryview[int], number: int, target: memoryview[int], target_number: int) -> None:
    """The bytes of one page: from memory, swap or disk to memory, swap or disk."""
    for word in range(PAGE_WORDS):
        target[word_of(target_number) + word] = source[word_of(number) + word]
