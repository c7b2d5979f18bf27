"""The meta page of a page, and the end of a charge (mm/memcontrol.c; patches 3, 4 and 6 of v4).

A page is counted once in its container's usage, however often it is charged: ref_cnt holds one reference for "mapped by somebody"
and one for "in the swap or page cache", and the last to go uncharges it. A page without a meta page (the zero page, page tables) is
charged to nobody, and uncharging it does nothing.
"""

from __future__ import annotations

from .core import Core, warn
from .memcg_events import memcg_check_events
from .params import LOCK_META_PAGE, LOCKDEP, PG_CHARGED_CACHE, PG_METAPAGE, WARN_UNCHARGE_BELOW_ZERO
from .trace import trace_charge, trace_event, trace_uncharge
from .trace_ring import CHARGED_CACHE, CHARGED_FORCED, CHARGED_MAPPED, TRACE_CHARGE_ROUND


def page_get_meta_page(core: Core, pfn: int) -> bool:
    """Has the page a meta page? (Its number would be the frame's.)"""
    return core.frames.meta_refs[pfn] != 0


def lock_meta_page(core: Core, pfn: int) -> None:
    """The bit lock in the page's flags."""
    if LOCKDEP:
        core.lockdep.lock(LOCK_META_PAGE)
        assert not core.frames.test_and_set(pfn, PG_METAPAGE), f"meta page lock of frame {pfn} taken twice"


def unlock_meta_page(core: Core, pfn: int) -> None:
    if LOCKDEP:
        assert core.frames.test_and_clear(pfn, PG_METAPAGE), f"meta page lock of frame {pfn} was not held"
        core.lockdep.unlock(LOCK_META_PAGE)


def page_assign_meta_page(core: Core, pfn: int, container: int, refs: int) -> None:
    """Refs 0 takes the meta page away."""
    core.frames.container[pfn] = container
    core.frames.meta_refs[pfn] = refs


def charge_again(core: Core, pfn: int, is_cache: bool) -> None:
    """The page has a meta page, which stands for one use more from now on. Its lock is held, and given back."""
    core.frames.meta_refs[pfn] += 1
    if core.traced:
        trace_charge(core, pfn, CHARGED_CACHE if is_cache else CHARGED_MAPPED)
    unlock_meta_page(core, pfn)


def add_meta_page(core: Core, pfn: int, container: int, is_cache: bool) -> None:
    """The page, which its container has been charged for, gets its meta page. Its lock is held, and given back."""
    page_assign_meta_page(core, pfn, container, 1)
    if is_cache:
        core.frames.set(pfn, PG_CHARGED_CACHE)
        core.containers.nr_cache[container] += 1
    if core.traced:
        trace_charge(core, pfn, CHARGED_CACHE if is_cache else CHARGED_MAPPED)
    memcg_check_events(core, container, 1)
    core.model.charged(core, pfn, container)
    unlock_meta_page(core, pfn)


def trace_round(core: Core, container: int, nr_retries: int, then: int) -> None:
    """A charge was refused, and this is what follows."""
    if core.traced:
        trace_event(core, TRACE_CHARGE_ROUND, container, core.current_priority, then, core.counters.pages(container), nr_retries)


def mem_container_uncharge_page(core: Core, pfn: int, what: int) -> None:
    """mem_container_uncharge: one reference less; the last one gives the page back to the container's counter and lists.

    In the order of the seed: css_put, the page's link cleared, the counter, the list. `what` the charge stood for is told the trace.
    Where a page is charged once for all of its uses, none of them gives the charge back.
    """
    if core.rules.charges_once:
        return
    refs = core.frames.meta_refs[pfn]
    if refs == 0:
        return
    if refs > 1:
        core.frames.meta_refs[pfn] = refs - 1
        if core.traced:
            trace_uncharge(core, pfn, core.frames.container[pfn], refs - 1, what)
        return
    lock_meta_page(core, pfn)
    container = core.frames.container[pfn]
    core.containers.css_put(container)
    page_assign_meta_page(core, pfn, 0, 0)
    unlock_meta_page(core, pfn)
    if core.frames.test_and_clear(pfn, PG_CHARGED_CACHE):
        core.containers.nr_cache[container] -= 1
    if not core.counters.uncharge(container, core.counters.unit):
        warn(core, WARN_UNCHARGE_BELOW_ZERO)
    if core.traced:
        trace_uncharge(core, pfn, container, 0, what)
    memcg_check_events(core, container, 1)
    core.model.uncharged(core, pfn, container)


def mod_lruvec_page_state(core: Core, pfn: int, item: int, amount: int) -> None:
    """A statistic of the page's zone, and of the container that pays for the page (include/linux/vmstat.h since 4.16)."""
    core.zones.add(core.frames.zone(pfn), item, amount)
    mod_memcg_page_state(core, pfn, item, amount)


def mod_memcg_page_state(core: Core, pfn: int, item: int, amount: int) -> None:
    """One that only containers have."""
    if core.rules.charges_once and core.frames.meta_refs[pfn] != 0:
        core.stats.add(core.frames.container[pfn], item, amount)


def count_memcg_event_mm(core: Core, mm: int, item: int) -> None:
    """An event of the container that the address space is in, whoever pays for the page."""
    if core.rules.charges_once:
        core.stats.add(core.mms.container[mm], item, 1)


def swap_free(core: Core, slot: int) -> int:
    """One user of the slot less; gives the users left. With the last one somebody's charge for it ends."""
    left = core.swap.free(slot)
    if left == 0 and core.swap.owner[slot] != 0:
        core.rules.swap_freed(core, slot)
    return left


def mem_cgroup_swappiness(core: Core, container: int) -> int:
    """The machine's for its own reclaim, and the top container's, which is the same; since 2.6.29 each other container has one."""
    if container <= 0 or not core.rules.charges_once:
        return core.swappiness
    return core.containers.swappiness[container]


def charge_kmem(core: Core, container: int, nr_pages: int) -> int:
    """The kernel needs so many pages on behalf of the container: 0, or -ENOMEM."""
    return core.rules.charge_kmem(core, container, nr_pages)


def uncharge_kmem(core: Core, container: int, nr_pages: int) -> None:
    """They are free again, whatever has become of the container."""
    core.rules.uncharge_kmem(core, container, nr_pages)


def drain_all_stocks(core: Core, container: int) -> None:
    """What was charged in advance to the container, or below it, is given back."""
    core.rules.drain_stocks(core, container)


def container_offline(core: Core, container: int) -> None:
    """The container's directory is gone."""
    core.rules.container_offline(core, container)


def lru_add_drain_all(core: Core) -> None:
    """Pages on their way to the LRU arrive, on every cpu."""
    core.model.drain(core)


def shrink_subtree(core: Core, container: int, may_swap: bool) -> int:
    """Reclaim for a container on somebody's request; gives the pages that it has less."""
    return core.model.shrink_subtree(core, container, may_swap)


def force_empty_page(core: Core, pfn: int) -> None:
    """The page is charged to nobody from now on, whoever uses it (memory.force_empty of 2.6.25)."""
    if core.frames.meta_refs[pfn] != 0:
        core.frames.meta_refs[pfn] = 1
        mem_container_uncharge_page(core, pfn, CHARGED_FORCED)
