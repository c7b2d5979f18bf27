"""What differs between the kernels around the controller: one record each of those on which the rules stand.

The controller of 2007 was a patch to 2.6.23; its first release was 2.6.25; that of today, as cgroup v1, is of 6.18. What a record says is
no rule of charging, but what the rest of mm/ does, which decides as well what is charged.
"""

from __future__ import annotations

from dataclasses import dataclass

from .params import PAGE_BYTES


@dataclass(frozen=True, slots=True)
class Kernel:
    """charge_unit: what a counter counts for a page. counts_ulong: a counter is an unsigned long, else it has 64 bits. limit_wraps: its
    test of the limit does (see res_counter.py). limit_unit: a new counter's limit is the largest signed number of that width, by this.

    maps_zero_page: a read of untouched anonymous memory maps the zero page, which nobody pays for (not from 2.6.24 to 2.6.31).
    counts_zero_page: it is resident memory of who maps it all the same (until 2.6.24). shmem_insists: a file in memory whose page cannot
    be charged tries again, instead of refusing the fault. uses_own_pagevecs: read-ahead and write() bring new pages to the LRU themselves,
    at their end; else (since 2.6.24, mm/filemap.c and fs/mpage.c with write_begin) these wait in the cpu's pagevec, as others do.
    marks_written: write() marks its pages as accessed. spares_locked: a mapping that is locked in memory counts as a reference to its
    page, and ends the search for others (2.6.25, mm/rmap.c). looks_around_slot: a read from swap brings the slots in use on both sides
    of its own, instead of those at the beginning of the block (2.6.25, valid_swaphandles).

    keeps_unevictable: pages that are locked in memory are on a list of their own, which reclaim does not walk (2.6.28). has_late_advice:
    madvise() knows free (4.5), cold and pageout (5.4), populate_read and populate_write (5.14), and remove. maps_around: a read fault of a
    file maps what is cached around it, too (3.15). has_folios: read-ahead and write() make folios of several pages, each counted once; and
    read-ahead is that of 6.18. knows_exclusive: a page that comes back from swap, and is one task's alone, is mapped writable at once, and
    keeps its slot until it is written (5.18). retries_fault: a task whose fault finds no memory tries again, instead of dying of it.
    """

    charge_unit: int
    counts_ulong: bool
    limit_wraps: bool
    limit_unit: int
    maps_zero_page: bool
    counts_zero_page: bool
    shmem_insists: bool
    uses_own_pagevecs: bool
    marks_written: bool
    spares_locked: bool
    looks_around_slot: bool
    keeps_unevictable: bool
    has_late_advice: bool
    maps_around: bool
    has_folios: bool
    knows_exclusive: bool
    retries_fault: bool


KERNELS = {
    "2007": Kernel(  # 2.6.23
        charge_unit=1,
        counts_ulong=True,
        limit_wraps=True,
        limit_unit=1,
        maps_zero_page=True,
        counts_zero_page=True,
        shmem_insists=True,
        uses_own_pagevecs=True,
        marks_written=True,
        spares_locked=False,
        looks_around_slot=False,
        keeps_unevictable=False,
        has_late_advice=False,
        maps_around=False,
        has_folios=False,
        knows_exclusive=False,
        retries_fault=False,
    ),
    "2008": Kernel(  # 2.6.25
        charge_unit=PAGE_BYTES,
        counts_ulong=False,
        limit_wraps=False,
        limit_unit=1,
        maps_zero_page=False,
        counts_zero_page=False,
        shmem_insists=False,
        uses_own_pagevecs=False,
        marks_written=False,
        spares_locked=True,
        looks_around_slot=True,
        keeps_unevictable=False,
        has_late_advice=False,
        maps_around=False,
        has_folios=False,
        knows_exclusive=False,
        retries_fault=False,
    ),
    "v1": Kernel(  # 6.18
        charge_unit=1,
        counts_ulong=False,
        limit_wraps=False,
        limit_unit=PAGE_BYTES,
        maps_zero_page=True,
        counts_zero_page=False,
        shmem_insists=False,
        uses_own_pagevecs=False,
        marks_written=False,
        spares_locked=True,
        looks_around_slot=True,
        keeps_unevictable=True,
        has_late_advice=True,
        maps_around=True,
        has_folios=True,
        knows_exclusive=True,
        retries_fault=True,
    ),
}
"""By the rules that stand on it."""
