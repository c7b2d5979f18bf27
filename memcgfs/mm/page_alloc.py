"""Allocation of page frames (mm/page_alloc.c: __alloc_pages, get_page_from_freelist, free_hot_cold_page, __free_pages).

A request walks the zonelist of its highest zone on the node of whoever runs. It is served above the low watermark; below it kswapd is
woken, and it is served above the min watermark, which those that cannot wait and the urgent may undercut; below that it reclaims for
itself; and when that frees nothing, the OOM killer is asked, unless the block is too large for that to help. A task that was killed,
or is reclaiming, takes what there is.
"""

from __future__ import annotations

from .buddy import free_one_page, rmqueue
from .core import Core, out_of_memory, warn
from .params import ALLOC_HARDER, ALLOC_HIGH, ALLOC_NO_WATERMARKS, ALLOC_WMARK_HIGH, ALLOC_WMARK_LOW, ALLOC_WMARK_MIN
from .params import DAEMON_KSWAPD, GFP_COLD, GFP_DMA_BIT, GFP_FS, GFP_HIGH, GFP_HIGHMEM_BIT, GFP_NOFAIL, GFP_NORETRY, GFP_REPEAT
from .params import GFP_WAIT, LOCKDEP, MAX_ALLOC_ROUNDS, MAX_NR_ZONES, NUMA_FOREIGN, NUMA_HIT, NUMA_LOCAL, NUMA_MISS, NUMA_OTHER
from .params import PAGE_ALLOC_COSTLY_ORDER, PG_FREE, PG_LRU, PGALLOC, PGFREE
from .params import WARN_ALLOC_LIVELOCK, WMARK_HIGH, WMARK_LOW, WMARK_MIN, ZONE_DMA, ZONE_SHIFT
from .pageset import give_to_pageset, take_from_pageset
from .trace import trace_alloc, trace_free
from .trace_ring import CHARGED_CACHE, CHARGED_MAPPED, FREE_RECLAIM, FREE_USER
from .waiting import congestion_wait, sleep_until


def zone_statistics(core: Core, preferred: int, zone: int) -> None:
    """mm/vmstat.c, CONFIG_NUMA: the zone gave a block. A hit where its node is that of the zone which was asked first, else a miss of the
    one and foreign to the other; and local where it is the node of the cpu that asked."""
    node = zone // MAX_NR_ZONES
    if node == preferred // MAX_NR_ZONES:
        core.zones.add(zone, NUMA_HIT, 1)
    else:
        core.zones.add(zone, NUMA_MISS, 1)
        core.zones.add(preferred, NUMA_FOREIGN, 1)
    core.zones.add(zone, NUMA_LOCAL if node == core.current_node else NUMA_OTHER, 1)


def buffered_rmqueue(core: Core, gfp: int, order: int, zone: int, preferred: int) -> int:
    """A block of the zone with nothing on its frames but the zone; 0 where there is none. Single pages come from the cpu's list."""
    if order == 0:
        pcp = core.zones.pcp(zone, core.current_node, gfp & GFP_COLD != 0)
        pfn = take_from_pageset(core.zones, core.frames, core.lru, zone, pcp)
    else:
        pfn = rmqueue(core.zones, core.frames, core.lru, zone, order)
        if pfn != 0:
            for page in range(pfn, pfn + (1 << order)):
                core.frames.flags[page] = zone << ZONE_SHIFT
    if pfn != 0:
        core.zones.add(zone, PGALLOC, 1 << order)
        if core.nr_nodes > 1:
            zone_statistics(core, preferred, zone)
    return pfn


def may_take_from(core: Core, zone: int, order: int, class_zone: int, alloc_flags: int) -> bool:
    """The watermark that the request must leave."""
    if alloc_flags & ALLOC_NO_WATERMARKS:
        return True
    which = WMARK_HIGH
    if alloc_flags & ALLOC_WMARK_MIN:
        which = WMARK_MIN
    elif alloc_flags & ALLOC_WMARK_LOW:
        which = WMARK_LOW
    return core.zones.watermark_ok(zone, order, which, class_zone, alloc_flags)


def get_page_from_freelist(core: Core, gfp: int, order: int, zonelist: int, alloc_flags: int) -> int:
    """The first zone of the list that is above its watermark, and has such a block, gives it; 0 where none does."""
    class_zone = core.zones.zone_in_list(zonelist, 0)
    for place in range(core.zones.nr_in_list(zonelist)):
        zone = core.zones.zone_in_list(zonelist, place)
        if may_take_from(core, zone, order, class_zone, alloc_flags):
            pfn = buffered_rmqueue(core, gfp, order, zone, class_zone)
            if pfn != 0:
                return pfn
    return 0


def wakeup_kswapds(core: Core, zonelist: int, order: int) -> None:
    """Each zone of the list below its low watermark wakes the kswapd of its node."""
    for place in range(core.zones.nr_in_list(zonelist)):
        zone = core.zones.zone_in_list(zonelist, place)
        if not core.zones.watermark_ok(zone, order, WMARK_LOW, 0, 0):
            wakeup_kswapd(core, zone // MAX_NR_ZONES, order)


def wakeup_kswapd(core: Core, node: int, order: int) -> None:
    """It runs at the next chance, if it sleeps; in any case the largest order that it was asked for is remembered."""
    if core.kswapd_max_order[node] < order:
        core.kswapd_max_order[node] = order
    if core.daemons.is_asleep(DAEMON_KSWAPD + node):
        core.daemons.set_due(DAEMON_KSWAPD + node, core.clock_ns)


def gfp_zone(core: Core, gfp: int) -> int:
    """The highest zone type that may serve the request."""
    if gfp & GFP_DMA_BIT:
        return ZONE_DMA
    if gfp & GFP_HIGHMEM_BIT:
        return core.user_zone
    return core.kernel_zone


def alloc_page(core: Core, gfp: int) -> int:
    return alloc_pages(core, gfp, 0)


def alloc_pages(core: Core, gfp: int, order: int) -> int:
    """The first frame, with count 1, of a block of 2^order; 0 where there is none although all was tried that the gfp mask allows."""
    zonelist = core.current_node * MAX_NR_ZONES + gfp_zone(core, gfp)
    pfn = get_page_from_freelist(core, gfp, order, zonelist, ALLOC_WMARK_LOW)
    if pfn == 0:
        pfn = alloc_pages_slowly(core, gfp, order, zonelist)
    if pfn != 0:
        core.frames.count[pfn] = 1
        if core.traced:
            trace_alloc(core, pfn, gfp, order)
    return pfn


def alloc_pages_slowly(core: Core, gfp: int, order: int, zonelist: int) -> int:
    """From the second attempt on. A round is one pass from the kernel's label `rebalance`."""
    alloc_flags = ALLOC_WMARK_MIN
    if gfp & GFP_WAIT == 0:
        alloc_flags |= ALLOC_HARDER
    if gfp & GFP_HIGH:
        alloc_flags |= ALLOC_HIGH
    rounds = 0
    while rounds < MAX_ALLOC_ROUNDS:
        wakeup_kswapds(core, zonelist, order)
        pfn = get_page_from_freelist(core, gfp, order, zonelist, alloc_flags)
        if pfn != 0:
            return pfn
        while rounds < MAX_ALLOC_ROUNDS:
            rounds += 1
            if core.current_is_killed or core.current_is_memalloc:
                pfn = get_page_from_freelist(core, gfp, order, zonelist, ALLOC_NO_WATERMARKS)
                if pfn != 0 or gfp & GFP_NOFAIL == 0:
                    return pfn
                congestion_wait(core, core.wait_ns // 5)
                continue
            if gfp & GFP_WAIT == 0:
                return 0
            if try_to_free_pages_for(core, gfp, order, zonelist):
                pfn = get_page_from_freelist(core, gfp, order, zonelist, alloc_flags)
                if pfn != 0:
                    return pfn
            elif gfp & GFP_FS and gfp & GFP_NORETRY == 0:
                pfn = get_page_from_freelist(core, gfp, order, zonelist, ALLOC_WMARK_HIGH)
                if pfn != 0:
                    return pfn
                if order > PAGE_ALLOC_COSTLY_ORDER or not out_of_memory(core, gfp, order):
                    return 0
                if not core.current_is_killed:
                    sleep_until(core, core.clock_ns + core.jiffy_ns)
                break
            if not may_retry(gfp, order):
                return 0
            congestion_wait(core, core.wait_ns // 5)
        pfn = get_page_from_freelist(core, gfp, order, zonelist, ALLOC_WMARK_LOW)
        if pfn != 0:
            return pfn
    warn(core, WARN_ALLOC_LIVELOCK)
    return 0


def try_to_free_pages_for(core: Core, gfp: int, order: int, zonelist: int) -> bool:
    """Direct reclaim. What it needs memory for itself may come from below the watermarks (PF_MEMALLOC)."""
    core.current_is_memalloc = True
    progress = core.model.shrink_zones(core, zonelist, order, gfp)
    core.current_is_memalloc = False
    return progress


def may_retry(gfp: int, order: int) -> bool:
    """Small blocks are waited for, however long; large ones by whoever said so."""
    if gfp & GFP_NORETRY:
        return False
    if order <= PAGE_ALLOC_COSTLY_ORDER:
        return True
    return gfp & (GFP_REPEAT | GFP_NOFAIL) != 0


def get_page(core: Core, pfn: int) -> None:
    core.frames.count[pfn] += 1


def put_page(core: Core, pfn: int) -> None:
    """page_cache_release: the last reference frees the frame."""
    left = core.frames.count[pfn] - 1
    core.frames.count[pfn] = left
    if left == 0:
        free_hot_cold_page(core, pfn, False)


def put_cold_page(core: Core, pfn: int) -> None:
    """put_page for a page that nobody has looked at for long."""
    left = core.frames.count[pfn] - 1
    core.frames.count[pfn] = left
    if left == 0:
        free_hot_cold_page(core, pfn, True)


def free_hot_cold_page(core: Core, pfn: int, cold: bool) -> None:
    """The frame is nobody's: off the LRU, and to a list of the cpu, which gives it back to the zone at its time."""
    if LOCKDEP:
        assert not core.frames.has(pfn, PG_FREE), f"frame {pfn} freed twice"
        assert core.frames.mapcount[pfn] == 0, f"frame {pfn} freed while mapped"
        assert core.rules.charges_once or core.frames.meta_refs[pfn] == 0, f"frame {pfn} freed while charged"
    if core.frames.has(pfn, PG_LRU):
        core.model.page_freed(core, pfn)
    if core.frames.meta_refs[pfn] != 0:
        core.rules.page_freed(core, pfn, CHARGED_CACHE if cold else CHARGED_MAPPED)
    zone = core.frames.zone(pfn)
    core.frames.flags[pfn] = zone << ZONE_SHIFT
    core.frames.mapping[pfn] = 0
    core.count(PGFREE)
    if core.traced:
        trace_free(core, pfn, 0, FREE_RECLAIM if cold else FREE_USER)
    give_to_pageset(core.zones, core.frames, core.lru, zone, core.zones.pcp(zone, core.current_node, cold), pfn)


def free_pages(core: Core, pfn: int, order: int) -> None:
    """__free_pages: the block that alloc_pages gave, whose only reference the caller holds. Larger ones go to the zone at once."""
    core.frames.count[pfn] = 0
    if order == 0:
        free_hot_cold_page(core, pfn, False)
        return
    zone = core.frames.zone(pfn)
    for page in range(pfn, pfn + (1 << order)):
        core.frames.flags[page] = zone << ZONE_SHIFT
    core.count_many(PGFREE, 1 << order)
    if core.traced:
        trace_free(core, pfn, order, FREE_USER)
    core.zones.all_unreclaimable[zone] = 0
    core.zones.pages_scanned[zone] = 0
    free_one_page(core.zones, core.frames, core.lru, zone, pfn, order)
