"""What the machine asks of the charging rules: who pays for a page, what happens at the limit, what a task takes along.

One file a year: rules2007.py, rules2008.py, rules_v1.py. What they are made of, and the end of a charge that lasts as long as the use
for which it was made, stands in memcontrol.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .core import Core

if TYPE_CHECKING:
    from .kernels import Kernel


class Rules:
    """Answers are 0, or a negative errno as the kernel's functions give it.

    charges_once: a page is charged until it is freed, instead of once for each of its uses; then containers are in each other, and have
    statistics. charges_swap_cache: a page in the swap cache is charged for that, too. Those that are the kernel's around the controller
    are told in kernels.py.

    For the Python side: forgets_on_rmdir: a container without tasks can be removed, its pages being charged to nobody from then on.
    inherits_notify: a new container has its parent's notify_on_release. kills_outsiders: the OOM killer of a container looks at the
    tasks of all, those of others having no points; oom_message: what it says. knobs: what can be set of a container because these rules go
    by it (Machine.knobs); a limit they all have. name: what users call them (`rules=`), and the record in kernels.py.
    """

    name = ""

    def __init__(self, kernel: Kernel) -> None:
        self.charges_once = False
        self.charges_swap_cache = False
        self.forgets_on_rmdir = False
        self.inherits_notify = True
        self.kills_outsiders = False
        self.oom_message = "Memory cgroup out of memory"
        self.knobs: frozenset[str] = frozenset()
        self.maps_zero_page = kernel.maps_zero_page
        self.counts_zero_page = kernel.counts_zero_page
        self.shmem_insists = kernel.shmem_insists
        self.uses_own_pagevecs = kernel.uses_own_pagevecs
        self.marks_written = kernel.marks_written
        self.spares_locked = kernel.spares_locked
        self.looks_around_slot = kernel.looks_around_slot
        self.keeps_unevictable = kernel.keeps_unevictable
        self.has_late_advice = kernel.has_late_advice
        self.maps_around = kernel.maps_around
        self.has_folios = kernel.has_folios
        self.knows_exclusive = kernel.knows_exclusive
        self.retries_fault = kernel.retries_fault

    def charge(self, core: Core, pfn: int, mm: int) -> int:
        """mem_container_charge: the page is mapped by this address space."""
        return 0

    def cache_charge(self, core: Core, pfn: int, mm: int) -> int:
        """mem_container_cache_charge: the page enters the page cache."""
        return 0

    def cache_charge_nowait(self, core: Core, pfn: int, mm: int) -> int:
        """The same, by somebody who may not wait, as far as the rules know of such."""
        return self.cache_charge(core, pfn, mm)

    def cache_charge_ahead(self, core: Core, pfn: int, mm: int) -> int:
        """The same, of a page that nobody has asked for yet, as far as the rules make less of such."""
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
