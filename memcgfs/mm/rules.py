"""What the machine asks of the charging rules: who pays for a page, what happens at the limit, what a task takes along.

One file a year: rules2007.py, rules2008.py, rules_v1.py. What they are made of, and the end of a charge that lasts as long as the use
for which it was made, stands in memcontrol.py.
"""

from __future__ import annotations

from .core import Core


class Rules:
    """Answers are 0, or a negative errno as the kernel's functions give it.

    charges_once: a page is charged until it is freed, instead of once for each of its uses; then containers are in each other, and have
    statistics. maps_zero_page: a read of untouched anonymous memory maps the zero page, which nobody pays for. charges_swap_cache: a
    page in the swap cache is charged for that, too. shmem_insists: a file in memory whose page cannot be charged tries again, instead of
    refusing the fault. uses_own_pagevecs: read-ahead and write() bring new pages to the LRU themselves, at their end; else these wait in
    the cpu's pagevec, as others do. marks_written: write() marks its pages as accessed. spares_locked: a mapping that is locked in memory
    counts as a reference to its page, and ends the search for others. looks_around_slot: a read from swap brings the slots in use on both
    sides of its own, instead of those at the beginning of the block.

    keeps_unevictable: pages that are locked in memory are on a list of their own, which reclaim does not walk (2.6.28). has_late_advice:
    madvise() knows free (4.5), cold and pageout (5.4), populate_read and populate_write (5.14), and remove. maps_around: a read fault of a
    file maps what is cached around it, too (3.15). has_folios: read-ahead and write() make folios of several pages, each counted once; and
    read-ahead is that of 6.18.

    knows_exclusive: a page that comes back from swap, and is one task's alone, is mapped writable at once, and keeps its slot until it is
    written (5.18).

    For the Python side: forgets_on_rmdir: a container without tasks can be removed, its pages being charged to nobody from then on.
    inherits_notify: a new container has its parent's notify_on_release. kills_outsiders: the OOM killer of a container looks at the
    tasks of all, those of others having no points; oom_message: what it says. retries_fault: a task whose fault finds no memory
    tries again, instead of dying of it.
    """

    def __init__(self) -> None:
        self.charges_once = False
        self.maps_zero_page = True
        self.charges_swap_cache = True
        self.shmem_insists = True
        self.uses_own_pagevecs = True
        self.marks_written = True
        self.spares_locked = False
        self.looks_around_slot = False
        self.keeps_unevictable = False
        self.has_late_advice = False
        self.maps_around = False
        self.has_folios = False
        self.knows_exclusive = False
        self.forgets_on_rmdir = False
        self.inherits_notify = False
        self.kills_outsiders = True
        self.retries_fault = False
        self.oom_message = "Memory container out of memory"

    def charge(self, core: Core, pfn: int, mm: int) -> int:
        """mem_container_charge: the page is mapped by this address space."""
        return 0

    def cache_charge(self, core: Core, pfn: int, mm: int) -> int:
        """mem_container_cache_charge: the page enters the page cache."""
        return 0

    def cache_charge_nowait(self, core: Core, pfn: int, mm: int) -> int:
        """The same, by somebody who may not wait, as far as the rules know of such."""
        return self.cache_charge(core, pfn, mm)

    def swap_cache_charge(self, core: Core, pfn: int, slot: int, mm: int) -> int:
        """The page is about to enter the swap cache."""
        return 0

    def swap_cache_uncharge(self, core: Core, pfn: int, what: int) -> None:
        """It leaves the swap cache, or did not get in."""

    def swapped_in(self, core: Core, slot: int) -> None:
        """A page of this slot, which is to be read, is in the swap cache."""

    def swapped_out(self, core: Core, pfn: int, slot: int) -> None:
        """Reclaim took the page out of the swap cache; its slot is left."""

    def swap_freed(self, core: Core, slot: int) -> None:
        """Nobody uses the slot any more, which somebody paid for."""

    def page_freed(self, core: Core, pfn: int, what: int) -> None:
        """A page is freed that is still charged."""

    def charge_kmem(self, core: Core, container: int, nr_pages: int) -> int:
        """obj_cgroup_charge_pages: the kernel needs so many pages on behalf of the container."""
        return 0

    def uncharge_kmem(self, core: Core, container: int, nr_pages: int) -> None:
        """And gives them back. The container may be offline by now."""

    def drain_stocks(self, core: Core, container: int) -> None:
        """What is charged in advance, for the container and all below it, goes back."""

    def arm_flush(self, core: Core) -> None:
        """There is something to do then: a charge is kept in advance, or a page waits for its list."""

    def run_flush(self, core: Core) -> None:
        """What is done every MEMCG_FLUSH_NS, as long as there is something to do."""

    def container_offline(self, core: Core, container: int) -> None:
        """Its directory is gone; its pages need not be."""
