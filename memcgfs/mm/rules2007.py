"""Who is charged, and what happens at the limit, by the rules of July 2007 (mm/memcontrol.c; patches 4, 6 and 8 of v4).

A page is charged to the container of the address space that first maps it; the page and swap cache are charged to whoever runs. The
caller's gfp mask is not asked: a charge may always wait. A counter counts pages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .core import Core, interleave, mem_container_out_of_memory
from .memcontrol import add_meta_page, charge_again, lock_meta_page, mem_container_uncharge_page, page_get_meta_page, trace_round
from .memcontrol import unlock_meta_page
from .params import AT_META_PAGE_ALLOC, ENOMEM, MEM_CONTAINER_TYPE_ALL
from .rules import Rules
from .trace import trace_charge_failed
from .trace_ring import CHARGED_CACHE, CHARGED_MAPPED, ROUND_GIVE_UP, ROUND_RECLAIMED, ROUND_RETRY, ROUND_UNDER_LIMIT
from .waiting import congestion_wait

if TYPE_CHECKING:
    from .kernels import Kernel


class Rules2007(Rules):
    name = "2007"

    def __init__(self, kernel: Kernel) -> None:
        Rules.__init__(self, kernel)
        self.charges_swap_cache = True
        self.inherits_notify = False
        self.kills_outsiders = True
        self.oom_message = "Memory container out of memory"
        self.knobs = frozenset({"control_type"})

    def charge(self, core: Core, pfn: int, mm: int) -> int:
        return mem_container_charge(core, pfn, mm, False)

    def cache_charge(self, core: Core, pfn: int, mm: int) -> int:
        """Patch 8/9: the page and swap cache count only while the container's type is ALL."""
        if core.containers.control_type[core.mms.container[mm]] != MEM_CONTAINER_TYPE_ALL:
            return 0
        return mem_container_charge(core, pfn, mm, True)

    def swap_cache_charge(self, core: Core, pfn: int, slot: int, mm: int) -> int:
        return self.cache_charge(core, pfn, mm)

    def swap_cache_uncharge(self, core: Core, pfn: int, what: int) -> None:
        mem_container_uncharge_page(core, pfn, what)


def mem_container_charge(core: Core, pfn: int, mm: int, is_cache: bool) -> int:
    """One charge of the page: a reference more if it has a meta page, else a new one, in the address space's container.

    0, or -ENOMEM after the OOM killer ran.
    """
    lock_meta_page(core, pfn)
    if page_get_meta_page(core, pfn):
        charge_again(core, pfn, is_cache)
        return 0
    unlock_meta_page(core, pfn)

    interleave(core, AT_META_PAGE_ALLOC, pfn)
    container = core.mms.container[mm]
    core.containers.css_get(container)
    if not charge_or_reclaim(core, container):
        core.containers.css_put(container)
        if core.traced:
            trace_charge_failed(core, pfn, container, CHARGED_CACHE if is_cache else CHARGED_MAPPED)
        mem_container_out_of_memory(core, container)
        return -ENOMEM

    lock_meta_page(core, pfn)
    if page_get_meta_page(core, pfn):
        # Somebody else charged it meanwhile. v4 gives the charge back and forgets the css reference, which v6 mended.
        core.counters.uncharge(container, core.counters.unit)
        core.containers.leaked[container] += 1
        charge_again(core, pfn, is_cache)
        return 0
    add_meta_page(core, pfn, container, is_cache)
    return 0


def charge_or_reclaim(core: Core, container: int) -> bool:
    """The seed's loop: six rounds that free nothing are too many.

    Trying again is free if reclaim succeeded, and if usage has fallen below the limit although it did not: pages may have left the
    container without being freed. Otherwise it costs one of the retries and a wait, because pages that reclaim pushed into the swap
    cache come back charged, and go when they are written. A model that sees a reason gets one more try in the end.
    """
    nr_retries = core.reclaim_retries
    is_last = 0
    while not core.counters.charge(container, core.counters.unit):
        if core.model.shrink_container(core, container):
            trace_round(core, container, nr_retries, ROUND_RECLAIMED)
            continue
        if core.counters.check_under_limit(container):
            trace_round(core, container, nr_retries, ROUND_UNDER_LIMIT)
            continue
        if nr_retries == 0 and is_last == 0 and core.model.last_resort(core, container):
            is_last = 1
            continue
        if nr_retries == 0:
            trace_round(core, container, nr_retries, ROUND_GIVE_UP)
            return False
        trace_round(core, container, nr_retries, ROUND_RETRY)
        nr_retries -= 1
        congestion_wait(core, core.wait_ns)
    return True
