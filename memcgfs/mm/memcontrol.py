"""The meta page of a page, and the end of a charge (mm/memcontrol.c; patches 3, 4 and 6 of v4).

A page is counted once in its container's usage, however often it is charged: ref_cnt holds one reference for "mapped by somebody"
and one for "in the swap or page cache", and the last to go uncharges it. A page without a meta page (the zero page, page tables) is
charged to nobody, and uncharging it does nothing.
"""

from __future__ import annotations

from .core import Core, warn
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
    core.model.charged(core, pfn, container)
    unlock_meta_page(core, pfn)
    core.containers.peak[container] = max(core.containers.peak[container], core.counters.pages(container))


def trace_round(core: Core, container: int, nr_retries: int, then: int) -> None:
    """A charge was refused, and this is what follows."""
    if core.traced:
        trace_event(core, TRACE_CHARGE_ROUND, container, core.current_priority, then, core.counters.pages(container), nr_retries)


def mem_container_uncharge_page(core: Core, pfn: int, what: int) -> None:
    """mem_container_uncharge: one reference less; the last one gives the page back to the container's counter and lists.

    In the order of the seed: css_put, the page's link cleared, the counter, the list. `what` the charge stood for is told the trace.
    """
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
    core.model.uncharged(core, pfn, container)


def force_empty_page(core: Core, pfn: int) -> None:
    """The page is charged to nobody from now on, whoever uses it (memory.force_empty of 2.6.25)."""
    if core.frames.meta_refs[pfn] != 0:
        core.frames.meta_refs[pfn] = 1
        mem_container_uncharge_page(core, pfn, CHARGED_FORCED)
