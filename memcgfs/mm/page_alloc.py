"""Allocation of page frames, order 0 (mm/page_alloc.c: __alloc_pages, get_page_from_freelist, free_hot_page).

A request walks the zonelist of its highest zone. It is served above the low watermark; below it kswapd is woken, and it is served
above the min watermark; below that it reclaims for itself; and when that frees nothing, the OOM killer is asked. A task that was
killed takes what there is.
"""

from __future__ import annotations

from .core import Core, out_of_memory, warn
from .params import DAEMON_KSWAPD, GFP_DMA_BIT, GFP_HIGHMEM_BIT, LOCKDEP, MAX_ALLOC_ROUNDS, PG_FREE, PG_LRU, PGFREE
from .params import WARN_ALLOC_LIVELOCK, WMARK_HIGH, WMARK_LOW, WMARK_MIN, ZONE_DMA
from .trace import trace_event
from .trace_ring import TRACE_PAGE_ALLOC, TRACE_PAGE_FREE
from .waiting import congestion_wait, sleep_until
from .zones import give_frame, take_frame


def get_page_from_freelist(core: Core, kind: int, which: int) -> int:
    """The first zone of the list above its watermark gives a frame; 0 where none is."""
    class_zone = core.zones.zone_in_list(kind, 0)
    place = 0
    zone = class_zone
    while zone < core.zones.nr_zones:
        if core.zones.watermark_ok(zone, which, class_zone):
            return take_frame(core.zones, core.frames, core.lru, zone)
        place += 1
        zone = core.zones.zone_in_list(kind, place)
    return 0


def get_page_without_watermarks(core: Core, kind: int) -> int:
    """ALLOC_NO_WATERMARKS, for the dying."""
    place = 0
    zone = core.zones.zone_in_list(kind, 0)
    while zone < core.zones.nr_zones:
        if core.zones.has_free(zone):
            return take_frame(core.zones, core.frames, core.lru, zone)
        place += 1
        zone = core.zones.zone_in_list(kind, place)
    return 0


def wakeup_kswapd(core: Core, kind: int) -> None:
    """kswapd runs at the next chance if a zone of the list is below its low watermark."""
    if not core.daemons.is_asleep(DAEMON_KSWAPD):
        return
    place = 0
    zone = core.zones.zone_in_list(kind, 0)
    while zone < core.zones.nr_zones:
        if not core.zones.watermark_ok(zone, WMARK_LOW, 0):
            core.daemons.set_due(DAEMON_KSWAPD, core.clock_ns)
            return
        place += 1
        zone = core.zones.zone_in_list(kind, place)


def gfp_zone(core: Core, gfp: int) -> int:
    """The highest zone type that may serve the request."""
    if gfp & GFP_DMA_BIT:
        return ZONE_DMA
    if gfp & GFP_HIGHMEM_BIT:
        return core.user_zone
    return core.kernel_zone


def alloc_page(core: Core, gfp: int) -> int:
    """A frame with count 1, or 0: out of memory although reclaim and the OOM killer were asked."""
    kind = gfp_zone(core, gfp)
    pfn = get_page_from_freelist(core, kind, WMARK_LOW)
    if pfn == 0:
        pfn = alloc_page_slowly(core, kind, gfp)
    if pfn != 0:
        core.frames.count[pfn] = 1
        if core.traced:
            trace_event(core, TRACE_PAGE_ALLOC, pfn, core.frames.zone(pfn))
    return pfn


def alloc_page_slowly(core: Core, kind: int, gfp: int) -> int:
    rounds = 0
    while rounds < MAX_ALLOC_ROUNDS:
        wakeup_kswapd(core, kind)
        pfn = get_page_from_freelist(core, kind, WMARK_MIN)
        if pfn != 0:
            return pfn
        while rounds < MAX_ALLOC_ROUNDS:
            rounds += 1
            if core.current_is_killed:
                return get_page_without_watermarks(core, kind)
            if core.model.shrink_zones(core, kind, 0):
                pfn = get_page_from_freelist(core, kind, WMARK_MIN)
                if pfn != 0:
                    return pfn
            else:
                pfn = get_page_from_freelist(core, kind, WMARK_HIGH)
                if pfn != 0:
                    return pfn
                if not out_of_memory(core, gfp, 0):
                    return 0
                if not core.current_is_killed:
                    sleep_until(core, core.clock_ns + core.jiffy_ns)
                break
            congestion_wait(core, core.wait_ns // 5)
        pfn = get_page_from_freelist(core, kind, WMARK_LOW)
        if pfn != 0:
            return pfn
    warn(core, WARN_ALLOC_LIVELOCK)
    return 0


def get_page(core: Core, pfn: int) -> None:
    core.frames.count[pfn] += 1


def put_page(core: Core, pfn: int) -> None:
    """page_cache_release: the last reference frees the frame."""
    left = core.frames.count[pfn] - 1
    core.frames.count[pfn] = left
    if left == 0:
        free_page(core, pfn)


def free_page(core: Core, pfn: int) -> None:
    """The frame is nobody's: off the LRU, and back to its zone."""
    if LOCKDEP:
        assert not core.frames.has(pfn, PG_FREE), f"frame {pfn} freed twice"
        assert core.frames.mapcount[pfn] == 0, f"frame {pfn} freed while mapped"
        assert core.frames.meta_refs[pfn] == 0, f"frame {pfn} freed while charged"
    if core.frames.has(pfn, PG_LRU):
        core.model.page_freed(core, pfn)
    core.count(PGFREE)
    if core.traced:
        trace_event(core, TRACE_PAGE_FREE, pfn, core.frames.zone(pfn))
    give_frame(core.zones, core.frames, core.lru, pfn)
