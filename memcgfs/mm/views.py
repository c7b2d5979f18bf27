"""The machine's numbers for people and tools: what /proc/meminfo, vmstat, zoneinfo and swaps are made of. Nothing here changes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import params
from .config import ZONE_NAMES
from .params import KB_PER_PAGE, MAX_NR_ZONES, NR_ORDERS, WMARK_HIGH, WMARK_LOW, WMARK_MIN
from .zones import Zones

if TYPE_CHECKING:
    from .machine import Machine


@dataclass(frozen=True, slots=True)
class PagesetView:
    """A per-cpu list of a zone, hot (pcp 0) or cold (1); in pages."""

    cpu: int
    pcp: int
    count: int
    high: int
    batch: int


@dataclass(frozen=True, slots=True)
class ZoneView:
    """One populated zone; amounts in pages. free_by_order: free blocks of 2^i pages. statistics: as vmstat has them, of the zone."""

    name: str
    node: int
    free: int
    present: int
    spanned: int
    start_pfn: int
    pages_min: int
    pages_low: int
    pages_high: int
    protection: list[int]
    nr_active: int
    nr_inactive: int
    statistics: dict[str, int]
    pagesets: list[PagesetView]
    nr_scan_active: int
    nr_scan_inactive: int
    pages_scanned: int
    prev_priority: int
    all_unreclaimable: bool
    free_by_order: list[int]


@dataclass(frozen=True, slots=True)
class SwapView:
    name: str
    size_pages: int
    used_pages: int
    priority: int


@dataclass(frozen=True, slots=True)
class SlabView:
    """One cache of kernel objects; each of its slabs is a page."""

    name: str
    nr_objects: int
    object_bytes: int
    objects_per_slab: int
    nr_slabs: int


@dataclass(frozen=True, slots=True)
class CpuView:
    """What the time since boot was spent on. iowait: an operation was under way, and waited; idle: none was."""

    user_ns: int
    nice_ns: int
    idle_ns: int
    iowait_ns: int


def cpus(machine: Machine) -> list[CpuView]:
    """One a node."""
    rows = zip(machine.user_ns, machine.nice_ns, machine.operating_ns, strict=True)
    return [CpuView(user, nice, machine.clock_ns - busy, busy - user - nice) for user, nice, busy in rows]


def zones(machine: Machine) -> list[ZoneView]:
    table = machine.core.zones
    found = []
    for zone in range(table.nr_zones):
        if not table.present[zone]:
            continue
        free = table.count(zone, params.NR_FREE_PAGES)
        found.append(
            ZoneView(
                name=ZONE_NAMES[zone % MAX_NR_ZONES],
                node=zone // MAX_NR_ZONES,
                free=free,
                present=table.present[zone],
                spanned=table.end[zone] - table.start[zone],
                start_pfn=table.start[zone],
                pages_min=table.wmark[zone * 3 + WMARK_MIN],
                pages_low=table.wmark[zone * 3 + WMARK_LOW],
                pages_high=table.wmark[zone * 3 + WMARK_HIGH],
                protection=[table.lowmem_reserve[zone * MAX_NR_ZONES + kind] for kind in range(MAX_NR_ZONES)],
                nr_active=table.count(zone, params.NR_ACTIVE),
                nr_inactive=table.count(zone, params.NR_INACTIVE),
                statistics={name: table.count(zone, item) for name, item in statistics(machine).items()},
                pagesets=pagesets(table, zone),
                nr_scan_active=table.nr_scan_active[zone],
                nr_scan_inactive=table.nr_scan_inactive[zone],
                pages_scanned=table.pages_scanned[zone],
                prev_priority=table.prev_priority[zone],
                all_unreclaimable=bool(table.all_unreclaimable[zone]),
                free_by_order=[table.nr_free[zone * NR_ORDERS + order] for order in range(NR_ORDERS)],
            )
        )
    return found


def pagesets(table: Zones, zone: int) -> list[PagesetView]:
    lists = [(cpu, pcp, table.pcp(zone, cpu, bool(pcp))) for cpu in range(table.nr_nodes) for pcp in (0, 1)]
    return [PagesetView(cpu, pcp, table.pcp_count[at], table.pcp_high[at], table.pcp_batch[at]) for cpu, pcp, at in lists]


def swaps(machine: Machine) -> list[SwapView]:
    areas = machine.core.swap
    rows = sorted((area, name) for name, area in machine.swapfiles.by_name.items())
    return [SwapView(name, areas.pages[area], areas.inuse_pages[area], areas.prio[area]) for area, name in rows]


def slabs(machine: Machine) -> list[SlabView]:
    cache = machine.core.dentry_cache
    return [SlabView("dentry", cache.nr_objects, cache.object_bytes, cache.objects_per_slab, cache.nr_slabs)]


def meminfo(machine: Machine) -> dict[str, int]:
    """kB, under the names and in the order of 2.6.23, as far as the machine has them; and of today MemAvailable and Shmem."""
    table, swap = machine.core.zones, machine.core.swap
    pages = {
        "MemTotal": sum(view.present for view in zones(machine)),
        "MemFree": table.total(params.NR_FREE_PAGES),
        "MemAvailable": available_pages(machine),
        "Buffers": 0,
        "Cached": table.total(params.NR_FILE_PAGES) - swap.nr_cached,
        "SwapCached": swap.nr_cached,
        "Active": table.total(params.NR_ACTIVE),
        "Inactive": table.total(params.NR_INACTIVE),
        **highmem(machine),
        "SwapTotal": swap.total_swap_pages,
        "SwapFree": swap.nr_swap_pages,
        "Dirty": table.total(params.NR_FILE_DIRTY),
        "Writeback": table.total(params.NR_WRITEBACK),
        "AnonPages": table.total(params.NR_ANON_PAGES),
        "Mapped": table.total(params.NR_FILE_MAPPED),
        "Shmem": shmem_pages(machine),
        "Slab": table.total(params.NR_SLAB_RECLAIMABLE),
        "SReclaimable": table.total(params.NR_SLAB_RECLAIMABLE),
        "PageTables": table.total(params.NR_PAGETABLE),
    }
    return {name: amount * KB_PER_PAGE for name, amount in pages.items()}


def highmem(machine: Machine) -> dict[str, int]:
    """CONFIG_HIGHMEM, which i386 has: memory above what the kernel maps, and the rest."""
    if machine.config.arch != "i386":
        return {}
    found = dict.fromkeys(("HighTotal", "HighFree", "LowTotal", "LowFree"), 0)
    for view in zones(machine):
        part = "High" if view.name == "HighMem" else "Low"
        found[f"{part}Total"] += view.present
        found[f"{part}Free"] += view.free
    return found


def shmem_pages(machine: Machine) -> int:
    """Those of the page cache that are of shared memory, not of the disk's files. Cost: O(shared mappings)."""
    return sum(machine.core.files.nr_pages[number] for number in machine.shared_memory)


def available_pages(machine: Machine) -> int:
    """si_mem_available, of 3.14 and later: what a program could have without swapping, at a guess. Free memory above what the zones keep
    back, and of the page cache and of what slabs could give up, all but a half or the low watermarks, whichever is less."""
    views, table = zones(machine), machine.core.zones
    low = sum(view.pages_low for view in views)
    kept_back = sum(min(max(view.protection) + view.pages_high, view.present) for view in views)
    available: int = table.total(params.NR_FREE_PAGES) - kept_back
    cache = table.total(params.NR_FILE_PAGES) - machine.core.swap.nr_cached - shmem_pages(machine)
    for pages in (cache, table.total(params.NR_SLAB_RECLAIMABLE)):
        available += pages - min(pages // 2, low)
    return max(available, 0)


STATISTICS = {
    "nr_free_pages": params.NR_FREE_PAGES,
    "nr_inactive": params.NR_INACTIVE,
    "nr_active": params.NR_ACTIVE,
    "nr_anon_pages": params.NR_ANON_PAGES,
    "nr_mapped": params.NR_FILE_MAPPED,
    "nr_file_pages": params.NR_FILE_PAGES,
    "nr_dirty": params.NR_FILE_DIRTY,
    "nr_writeback": params.NR_WRITEBACK,
    "nr_slab_reclaimable": params.NR_SLAB_RECLAIMABLE,
    "nr_page_table_pages": params.NR_PAGETABLE,
    "nr_vmscan_write": params.NR_VMSCAN_WRITE,
}
NUMA_STATISTICS = {
    "numa_hit": params.NUMA_HIT,
    "numa_miss": params.NUMA_MISS,
    "numa_foreign": params.NUMA_FOREIGN,
    "numa_local": params.NUMA_LOCAL,
    "numa_other": params.NUMA_OTHER,
}
TRANSFERS = {"pgpgin": params.PGPGIN, "pgpgout": params.PGPGOUT}  # in kB
EVENTS_BEFORE_ZONES = {"pswpin": params.PSWPIN, "pswpout": params.PSWPOUT}
EVENTS = {
    "pgfree": params.PGFREE,
    "pgactivate": params.PGACTIVATE,
    "pgdeactivate": params.PGDEACTIVATE,
    "pgfault": params.PGFAULT,
    "pgmajfault": params.PGMAJFAULT,
}
ZONE_EVENTS = {
    "pgrefill": params.PGREFILL,
    "pgsteal": params.PGSTEAL,
    "pgscan_kswapd": params.PGSCAN_KSWAPD,
    "pgscan_direct": params.PGSCAN_DIRECT,
}
LAST_EVENTS = {
    "slabs_scanned": params.SLABS_SCANNED,
    "kswapd_steal": params.KSWAPD_STEAL,
    "pageoutrun": params.PAGEOUTRUN,
    "allocstall": params.ALLOCSTALL,
    "pgrotated": params.PGROTATED,
}


def statistics(machine: Machine) -> dict[str, int]:
    """What is counted of a zone, by name; of nodes where there are several (CONFIG_NUMA)."""
    return STATISTICS | NUMA_STATISTICS if machine.core.nr_nodes > 1 else STATISTICS


def vmstat(machine: Machine) -> dict[str, int]:
    """Counts under the names and in the order of /proc/vmstat of 2.6.23, as far as something here can move them."""
    table, events = machine.core.zones, machine.core.events
    populated = [zone for zone in range(table.nr_zones) if table.present[zone]]
    found = {name: table.total(item) for name, item in statistics(machine).items()}
    found |= {name: events[event] * KB_PER_PAGE for name, event in TRANSFERS.items()}
    found |= {name: events[event] for name, event in EVENTS_BEFORE_ZONES.items()}
    found |= per_zone(machine, populated, "pgalloc", params.PGALLOC)
    found |= {name: events[event] for name, event in EVENTS.items()}
    for name, event in ZONE_EVENTS.items():
        found |= per_zone(machine, populated, name, event)
    return found | {name: events[event] for name, event in LAST_EVENTS.items()}


def per_zone(machine: Machine, populated: list[int], name: str, event: int) -> dict[str, int]:
    """One line a zone type: pgsteal_dma, pgsteal_dma32, ..."""
    found: dict[str, int] = {}
    for zone in populated:
        key = f"{name}_{ZONE_NAMES[zone % MAX_NR_ZONES].lower().replace('highmem', 'high')}"
        found[key] = found.get(key, 0) + machine.core.zones.count(zone, event)
    return found
