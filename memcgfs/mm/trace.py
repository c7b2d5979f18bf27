"""Trace points (include/trace/events): what happens is recorded, where somebody wants to know.

A trace point costs one test while no event is enabled:

    if core.traced:
        trace_lru(core, TRACE_LRU_ACTIVATE, pfn, False, WHY_ACTIVATE_ACCESSED)

Which of the events are wanted is asked behind that test. Numbers that are left out are 0; -1 is "none" (frame 0 and slot 0 are, too).
A record of a page has who pays for it, and the priority of the reclaim in the midst of which it was made. Where the path is hot the call
has no more arguments than there are registers for them: with more, the caller's frame grows, and it pays for that while nothing is traced.
"""

from __future__ import annotations

from .core import Core
from .params import GFP_HIGHMEM_BIT, PG_ACTIVE, PG_LRU
from .trace_ring import ALLOC_KERNEL, ALLOC_USER, FAULT_KINDS, FAULT_MAJOR, FAULT_WRITE, TRACE_CHARGE, TRACE_CHARGE_FAILED
from .trace_ring import TRACE_COPY_PTE, TRACE_PAGE_ALLOC, TRACE_PAGE_FAULT, TRACE_PAGE_FREE, TRACE_UNCHARGE, TRACE_UNMAP


def trace_event(
    core: Core, event: int, a: int = 0, b: int = 0, c: int = 0, d: int = 0, e: int = 0, f: int = 0, g: int = 0, h: int = 0, i: int = 0
) -> None:
    """A record of these numbers."""
    if (core.traced >> event) & 1 == 0:
        return
    at = core.trace.append(core.clock_ns, event, core.current_pid)
    core.trace.words[at] = a
    core.trace.words[at + 1] = b
    core.trace.words[at + 2] = c
    core.trace.words[at + 3] = d
    core.trace.words[at + 4] = e
    core.trace.words[at + 5] = f
    core.trace.words[at + 6] = g
    core.trace.words[at + 7] = h
    core.trace.words[at + 8] = i


def trace_page(core: Core, event: int, pfn: int, reason: int, a: int, b: int) -> None:
    """A record of a page that comes to a cache, leaves it, or is read or written; and these numbers."""
    trace_event(core, event, pfn, payer(core, pfn), core.current_priority, reason, a, b)


def trace_lru(core: Core, event: int, pfn: int, active: bool, reason: int) -> None:
    """A record of a page and a list of its zone: the one on which it was, or, where it comes from none, to which it goes."""
    trace_event(core, event, pfn, payer(core, pfn), core.frames.zone(pfn), active, core.current_priority, reason)


def trace_alloc(core: Core, pfn: int, gfp: int, order: int) -> None:
    """On whose behalf; what it is charged as, and whether at all, is not known yet."""
    reason = ALLOC_USER if gfp & GFP_HIGHMEM_BIT else ALLOC_KERNEL
    trace_event(core, TRACE_PAGE_ALLOC, pfn, asker(core), core.frames.zone(pfn), order, core.current_priority, reason)


def trace_free(core: Core, pfn: int, order: int, reason: int) -> None:
    """Nobody pays any more. `reason`: FREE_*."""
    trace_event(core, TRACE_PAGE_FREE, pfn, core.frames.zone(pfn), order, core.current_priority, reason)


def trace_charge(core: Core, pfn: int, what: int) -> None:
    """The page's charge stands for this, too. With its first reference a page comes to a list of the container's."""
    container = core.frames.container[pfn]
    refs = core.frames.meta_refs[pfn]
    first_list = core.model.first_list(core) if refs == 1 else -1
    trace_event(core, TRACE_CHARGE, pfn, container, first_list, core.current_priority, what, refs, core.counters.pages(container))


def trace_charge_failed(core: Core, pfn: int, container: int, what: int) -> None:
    trace_event(core, TRACE_CHARGE_FAILED, pfn, container, core.current_priority, what, core.counters.pages(container))


def trace_uncharge(core: Core, pfn: int, container: int, refs: int, what: int) -> None:
    """It stands for this no more; so many references are left."""
    usage = core.counters.pages(container)
    trace_event(core, TRACE_UNCHARGE, pfn, container, list_of(core, pfn), core.current_priority, what, refs, usage)


def trace_fault(core: Core, mm: int, vpn: int, pfn: int, slot: int, how: int) -> None:
    """A fault has put this frame into the page table; `slot` is where it was in swap, or 0. `how`: FAULT_*, and its flags."""
    write = how // FAULT_WRITE & 1
    major = how // FAULT_MAJOR & 1
    trace_event(core, TRACE_PAGE_FAULT, core.mms.pid[mm], vpn, pfn, payer(core, pfn), how & FAULT_KINDS, slot, write, major)


def trace_unmap(core: Core, mm: int, vpn: int, pfn: int, slot: int, why: int) -> None:
    """The entry of a page table is taken away: it named this frame, or this slot; a reclaimed page leaves its slot there."""
    trace_event(core, TRACE_UNMAP, core.mms.pid[mm], vpn, pfn, payer(core, pfn), core.current_priority, why, slot)


def trace_copy_pte(core: Core, child: int, vpn: int, pfn: int, slot: int) -> None:
    trace_event(core, TRACE_COPY_PTE, core.mms.pid[child], vpn, pfn, payer(core, pfn), slot)


def payer(core: Core, pfn: int) -> int:
    """The container that the page is charged to, or -1."""
    if core.frames.meta_refs[pfn] == 0:
        return -1
    return core.frames.container[pfn]


def asker(core: Core) -> int:
    """The container of who runs, or -1 where that is the machine itself."""
    if core.current_mm == 0:
        return -1
    return core.mms.container[core.current_mm]


def list_of(core: Core, pfn: int) -> int:
    """The list of its zone that the page is on, or -1: a new one, one that waits in a pagevec, or one that reclaim has in hand."""
    if not core.frames.has(pfn, PG_LRU):
        return -1
    return core.frames.has(pfn, PG_ACTIVE)
