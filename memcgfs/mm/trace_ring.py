"""The ring of trace records (kernel/trace/ring_buffer.c): rows of RECORD_WORDS numbers, of which the newest overwrite the oldest.

A record: time, event, who ran, and up to nine numbers whose meaning the event's row in tracer.py tells. Records are counted from the
machine's start, so that a record keeps its number while others come and go.

A new event is a number here, a row in tracer.TRACE_EVENTS, and a call where it happens (trace.py).
"""

from __future__ import annotations

from typing import Final

from .arrays import Arrays

RECORD_WORDS: Final = 12
DEFAULT_RECORDS: Final = 65536

TRACE_CHARGE: Final = 0
TRACE_CHARGE_FAILED: Final = 1
TRACE_UNCHARGE: Final = 2
TRACE_MOVE_LISTS: Final = 3
TRACE_DIRECT_RECLAIM_BEGIN: Final = 4
TRACE_DIRECT_RECLAIM_END: Final = 5
TRACE_MEMCG_RECLAIM_BEGIN: Final = 6
TRACE_MEMCG_RECLAIM_END: Final = 7
TRACE_KSWAPD_WAKE: Final = 8
TRACE_KSWAPD_SLEEP: Final = 9
TRACE_LRU_ISOLATE: Final = 10
TRACE_LRU_INSERTION: Final = 11
TRACE_LRU_ACTIVATE: Final = 12
TRACE_LRU_DEACTIVATE: Final = 13
TRACE_LRU_PUTBACK: Final = 14
TRACE_LRU_ROTATE: Final = 15
TRACE_REFERENCED: Final = 16
TRACE_PAGE: Final = 17
TRACE_WRITEPAGE: Final = 18
TRACE_ADD_TO_SWAP_CACHE: Final = 19
TRACE_DELETE_FROM_SWAP_CACHE: Final = 20
TRACE_SWAP_OUT: Final = 21
TRACE_WRITEBACK_END: Final = 22
TRACE_SWAP_IN: Final = 23
TRACE_PAGE_FAULT: Final = 24
TRACE_COPY_PTE: Final = 25
TRACE_UNMAP: Final = 26
TRACE_MARK_VICTIM: Final = 27
TRACE_OOM_KILL: Final = 28
TRACE_PAGE_ALLOC: Final = 29
TRACE_PAGE_FREE: Final = 30
TRACE_NEWTASK: Final = 31
TRACE_EXIT: Final = 32
TRACE_FILEMAP_ADD: Final = 33
TRACE_FILEMAP_DELETE: Final = 34
TRACE_CHARGE_ROUND: Final = 35
TRACE_FILE_WRITEPAGE: Final = 36
TRACE_LRU_ISOLATE_PAGE: Final = 37
TRACE_REFAULT: Final = 38

# What a charge stands for, and whose end gave it back
CHARGED_MAPPED: Final = 0
CHARGED_CACHE: Final = 1
CHARGED_UNUSED: Final = 2
CHARGED_FORCED: Final = 3

# What followed on a charge that the limit refused
ROUND_RECLAIMED: Final = 0
ROUND_UNDER_LIMIT: Final = 1
ROUND_RETRY: Final = 2
ROUND_GIVE_UP: Final = 3

# What a fault put in place
FAULT_ZERO: Final = 0
FAULT_ANON: Final = 1
FAULT_SWAP: Final = 2
FAULT_COW: Final = 3
FAULT_REUSE: Final = 4
FAULT_FILE: Final = 5
FAULT_SHARED: Final = 6
FAULT_KINDS: Final = 0xFF
FAULT_WRITE: Final = 0x100
FAULT_MAJOR: Final = 0x200

# Why an entry of a page table was taken away
UNMAP_ZAP: Final = 0
UNMAP_COW: Final = 1
UNMAP_RECLAIM: Final = 2
UNMAP_TRUNCATE: Final = 3

# What reclaim answered for a page, and at which question: shrink_page_list's in their order, then shrink_active_list's
WHY_KEEP_LOCKED: Final = 0
WHY_KEEP_WRITEBACK: Final = 1
WHY_ACTIVATE_REFERENCED: Final = 2
WHY_ACTIVATE_NO_SWAP: Final = 3
WHY_ACTIVATE_UNMAP_FAILED: Final = 4
WHY_KEEP_DIRTY_REFERENCED: Final = 5
WHY_KEEP_MAY_NOT_ENTER: Final = 6
WHY_KEEP_MAY_NOT_WRITE: Final = 7
WHY_KEEP_IN_USE: Final = 8
WHY_KEEP_CONGESTED: Final = 9
WHY_ACTIVATE_NO_SLOT: Final = 10
WHY_KEEP_WRITING: Final = 11
WHY_KEEP_DIRTY_AGAIN: Final = 12
WHY_KEEP_NOT_REMOVED: Final = 13
WHY_FREED: Final = 14
WHY_STAY_NOT_MAPPED_TURN: Final = 15
WHY_STAY_NO_SWAP: Final = 16
WHY_STAY_REFERENCED: Final = 17
WHY_DEACTIVATE_UNMAPPED: Final = 18
WHY_DEACTIVATE_COLD: Final = 19

# Why a page is activated by others
WHY_ACTIVATE_ACCESSED: Final = 20
WHY_ACTIVATE_UNUSE: Final = 21

# What two-list reclaim of today answers besides, and why advice moves a page
WHY_KEEP_REFERENCED: Final = 22
WHY_KEEP_UNEVICTABLE: Final = 23
WHY_ACTIVATE_WRITEBACK: Final = 24
WHY_ACTIVATE_DIRTY: Final = 25
WHY_DEACTIVATE_ADVISED: Final = 26
WHY_DEACTIVATE_LAZYFREE: Final = 27

# Why memory is reclaimed, and why it ends
BEGIN_LIMIT: Final = 0
BEGIN_ALLOCATION: Final = 1
BEGIN_WATERMARK: Final = 2
END_ENOUGH: Final = 0
END_ZONES_LEFT: Final = 1
END_GAVE_UP: Final = 2
END_BALANCED: Final = 3

# What isolation made of a page that it met
MET_TAKEN: Final = 0
MET_IN_BLOCK: Final = 1
MET_OTHER_ZONE: Final = 2
MET_GONE: Final = 3
MET_NOT_ON_LRU: Final = 4

# Why a page arrives on the LRU just now
ARRIVED_FULL: Final = 0
ARRIVED_DRAINED: Final = 1
ARRIVED_CALL: Final = 2

# As what a page is put back, and why its container's lists follow
PUT_BACK_KEPT: Final = 0
PUT_BACK_ACTIVATED: Final = 1
PUT_BACK_STAYS: Final = 2
MOVED_ACTIVATED: Final = 0
MOVED_DEACTIVATED: Final = 1
MOVED_STAYS: Final = 2
MOVED_MENDED: Final = 3
ROTATED_WRITTEN: Final = 0

# Why a page enters the swap cache or the page cache, and why it leaves
ENTER_OUT: Final = 0
ENTER_IN: Final = 1
ENTER_FROM_FILE: Final = 2
ENTER_READ: Final = 3
ENTER_AHEAD: Final = 4
ENTER_WRITE: Final = 5
ENTER_HOLE: Final = 6
ENTER_FROM_SWAP: Final = 7
LEAVE_RECLAIM: Final = 0
LEAVE_INVALIDATE: Final = 1
LEAVE_TRUNCATE: Final = 2
LEAVE_TO_SWAP: Final = 3
LEAVE_TO_FILE: Final = 4
LEAVE_EXCLUSIVE: Final = 5
LEAVE_SLOT_FREE: Final = 6
LEAVE_UNUSE: Final = 7

# What reclaim has to write, who writes, for whom a write is done, and what is read from swap
BACKED_BY_SWAP: Final = 0
BACKED_BY_FILE: Final = 1
BACKED_BY_SHMEM: Final = 2
WRITE_RECLAIM: Final = 0
WRITE_PDFLUSH: Final = 1
WRITE_TASK: Final = 2
DONE_FLUSHED: Final = 0
DONE_RECLAIM: Final = 1
SWAP_IN_WANTED: Final = 0
SWAP_IN_AHEAD: Final = 1

# What a frame is for, and whose last reference to it has gone
ALLOC_KERNEL: Final = 0
ALLOC_USER: Final = 1
FREE_USER: Final = 0
FREE_RECLAIM: Final = 1

# Out of memory: what was short, what came of it, why a task dies of it; and how tasks end
OOM_LIMIT: Final = 0
OOM_ALLOCATION: Final = 1
VERDICT_CHOSEN: Final = 0
VERDICT_DYING: Final = 1
VERDICT_NOBODY: Final = 2
VERDICT_UNKILLABLE: Final = 3
VERDICT_PANIC: Final = 4
VICTIM_CHOSEN: Final = 0
VICTIM_CHILD: Final = 1
VICTIM_SHARES: Final = 2
VICTIM_FAULTED: Final = 3
EXIT_EXITED: Final = 0
EXIT_REAPED: Final = 1
EXIT_KILLED: Final = 2


class TraceRing:
    """Records first..end-1 are there."""

    def __init__(self, arrays: Arrays, nr_records: int) -> None:
        self.first = 0
        self.end = 0
        self.overrun = 0
        self.resize(arrays, nr_records)

    def resize(self, arrays: Arrays, nr_records: int) -> None:
        """Room for so many; what was recorded is lost, but for what the caller kept."""
        self.nr_records = nr_records
        self.words = arrays.of("q", nr_records * RECORD_WORDS)

    def forget_until(self, end: int) -> None:
        """The records before this one were read, or are not wanted."""
        self.first = end

    def forget_overrun(self) -> None:
        self.overrun = 0

    def place_of(self, number: int) -> int:
        """Where a record begins."""
        return number % self.nr_records * RECORD_WORDS

    def append(self, ns: int, event: int, pid: int) -> int:
        """A new record, its numbers still those of the one it overwrites; gives where they begin."""
        if self.end - self.first == self.nr_records:
            self.first += 1
            self.overrun += 1
        at = self.place_of(self.end)
        self.end += 1
        self.words[at] = ns
        self.words[at + 1] = event
        self.words[at + 2] = pid
        return at + 3
