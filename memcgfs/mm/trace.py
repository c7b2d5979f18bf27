"""Trace points (include/trace/events): what happens is recorded, where somebody wants to know.

A trace point costs one test while no event is enabled:

    if core.traced:
        trace_page(core, TRACE_LRU_ACTIVATE, pfn, zone, 0)

Which of the events are wanted is asked behind that test. Numbers that are left out are 0; -1 is "none" (frame 0 and slot 0 are, too).
Where the path is hot the call has no more arguments than there are registers for them: with more, the caller's frame grows, and it
pays for that while nothing is traced.
"""

from __future__ import annotations

from .core import Core
from .trace_ring import FAULT_KINDS, FAULT_MAJOR, FAULT_WRITE, TRACE_CHARGE, TRACE_PAGE_FAULT, TRACE_UNCHARGE, TRACE_UNMAP


def trace_event(
    core: Core, event: int, a: int = 0, b: int = 0, c: int = 0, d: int = 0, e: int = 0, f: int = 0, g: int = 0
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


def trace_page(core: Core, event: int, pfn: int, a: int, b: int) -> None:
    """A record of a page: its frame, the container that pays for it now, and these numbers."""
    trace_event(core, event, pfn, payer(core, pfn), a, b)


def trace_charge(core: Core, pfn: int, what: int) -> None:
    """The page's charge stands for this, too."""
    container = core.frames.container[pfn]
    trace_event(core, TRACE_CHARGE, pfn, container, core.frames.meta_refs[pfn], core.counters.pages(container), what)


def trace_uncharge(core: Core, pfn: int, container: int, refs: int, what: int) -> None:
    """It stands for this no more; so many references are left."""
    trace_event(core, TRACE_UNCHARGE, pfn, container, refs, core.counters.pages(container), what)


def trace_fault(core: Core, mm: int, vpn: int, pfn: int, slot: int, how: int) -> None:
    """A fault has put this frame into the page table; `slot` is where it was in swap, or 0. `how`: FAULT_*, and its flags."""
    trace_event(core, TRACE_PAGE_FAULT, core.mms.pid[mm], vpn, pfn, slot, how // FAULT_WRITE & 1, how // FAULT_MAJOR & 1, how & FAULT_KINDS)


def trace_unmap(core: Core, mm: int, vpn: int, pfn: int, slot: int, why: int) -> None:
    """The entry of a page table is taken away: it named this frame, or this slot; a reclaimed page leaves its slot there."""
    trace_event(core, TRACE_UNMAP, core.mms.pid[mm], vpn, pfn, slot, why)


def payer(core: Core, pfn: int) -> int:
    """The container that the page is charged to, or -1."""
    if core.frames.meta_refs[pfn] == 0:
        return -1
    return core.frames.container[pfn]
