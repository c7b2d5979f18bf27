"""The whole state of a machine as plain values, for comparing two of them: every entry, count and list order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .pagetable import word_of
from .params import MAX_SWAPFILES, NR_ORDERS
from .pure import Core
from .radix_tree import ANY_ENTRY
from .slabs import OBJECT_BITS, OBJECT_MASK, OBJECT_NEWER, OBJECT_OLDER, OBJECT_WORDS, SLAB_HEADER, SLAB_NEXT, SLAB_PREV

if TYPE_CHECKING:
    from .machine import Machine


def dump(machine: Machine) -> dict[str, Any]:
    """Equal for two machines if and only if nothing that follows can tell them apart. Cost: O(frames used + page tables)."""
    core, zones = machine.core, machine.core.zones
    frames = core.frames
    used = [
        pfn
        for zone in range(zones.nr_zones)
        for pfn in (*range(zones.start[zone], zones.untouched[zone]), *range(zones.frontier[zone], zones.end[zone]))
    ]
    names = ("flags", "count", "mapcount", "private", "mapping", "container", "meta_refs")
    views = {name: memoryview(getattr(frames, name)) for name in names}
    return {
        "clock_ns": machine.clock_ns,
        "vmstat": machine.vmstat(),
        "zones": [repr(view) for view in machine.zones()],
        "scan": [(zones.nr_scan_active[zone], zones.nr_scan_inactive[zone]) for zone in range(zones.nr_zones)],
        "free": [
            (zone, order, core.lru.order(zones.free_head(zone, order)))
            for zone in range(zones.nr_zones)
            for order in range(NR_ORDERS)
            if zones.nr_free[zone * NR_ORDERS + order]
        ],
        "pagesets": [core.lru.order(zones.pcp_head(pcp)) for pcp in range(zones.nr_zones * zones.nr_nodes * 2) if zones.pcp_count[pcp]],
        "frames": [tuple(view[pfn] for view in views.values()) for pfn in used],
        "zone lists": core.model.walk(core, -1),
        "pagevecs": core.model.waiting(),
        "containers": {
            cid: (box.usage, box.limit, box.failcnt, box.peak, box.css_refs, box.control_type, box.lists())
            for cid, box in machine.containers.items()
        },
        "swap": [swap_area(core, area) for area in range(MAX_SWAPFILES) if core.swap.max[area]],
        "swap list": (core.swap.head, core.swap.next, core.swap.nr_swap_pages, core.swap.total_swap_pages),
        "token": (core.token.mm, core.token.global_faults, {mm: token_row(core, mm) for mm in machine.spaces}),
        "disks": [disk_queue(core, disk) for disk in range(core.disks.nr_disks)],
        "daemons": list(core.daemons.due_ns),
        "kswapd orders": list(core.kswapd_max_order),
        "files": {number: describe_file(machine, number) for number in machine.files},
        "dentries": (unused_dentries(core), partial_slabs(core), core.dentry_cache.nr_to_scan),
        "tasks": {pid: describe_task(machine, pid) for pid in machine.tasks},
        "log": list(machine.log),
    }


def swap_area(core: Core, area: int) -> dict[str, Any]:
    """An area's row, and its slots that are in use: number, users, page in the swap cache."""
    swap = core.swap
    first, end = swap.start[area], swap.start[area] + swap.max[area]
    counts = enumerate(memoryview(swap.map)[first:end], first)
    names = ("start", "max", "inuse_pages", "prio", "next_of", "lowest_bit", "highest_bit", "cluster_next", "cluster_nr")
    return {name: getattr(swap, name)[area] for name in names} | {
        "slots": [(slot, users, swap.cache[slot]) for slot, users in counts if users]
    }


def token_row(core: Core, mm: int) -> tuple[int, int, int]:
    return core.token.priority[mm], core.token.faultstamp[mm], core.token.last_interval[mm]


def disk_queue(core: Core, disk: int) -> list[tuple[int, bool, int]]:
    """The requests of a disk, the oldest first: page frame, is it a write, when it is done."""
    disks = core.disks
    places = [disk * disks.ring + (disks.first[disk] + place) % disks.ring for place in range(disks.nr_queued(disk))]
    return [(disks.pfn[place], bool(disks.is_write[place]), disks.done_ns[place]) for place in places]


def describe_file(machine: Machine, number: int) -> dict[str, Any]:
    core, files = machine.core, machine.core.files
    return {
        "size": files.size[number],
        "state": (files.state[number], files.error[number], files.writeback_index[number], files.dirtied_when_ns[number]),
        "pages": entries(core, 2 * number),
        "blocks": entries(core, 2 * number + 1),
    }


def entries(core: Core, tree: int) -> dict[int, int]:
    """A radix tree's entries by index, ascending."""
    found = {}
    index = core.trees.next_index(tree, 0, ANY_ENTRY)
    while index >= 0:
        found[index] = core.trees.lookup(tree, index)
        index = core.trees.next_index(tree, index + 1, ANY_ENTRY)
    return found


def describe_task(machine: Machine, pid: int) -> dict[str, Any]:
    task = machine.tasks[pid]
    entries = {}
    for vma in task.vmas():
        for page in range(vma.start, vma.end):
            pte = machine.core.tables.entry(task.space.mm, page) if task.space is not None else 0
            if pte:
                entries[page] = pte
    return {
        "state": task.state,
        "node": task.node,
        "blocks": list(task.blocks),
        "died": task.died,
        "faults": (task.min_flt, task.maj_flt),
        "times": (task.utime_ns, task.stall_ns),
        "counts": task.counts(),
        "vmas": [(vma.start, vma.end, vma.permissions, vma.is_locked, vma.file and vma.file.number, vma.pgoff) for vma in task.vmas()],
        "entries": entries,
    }


def unused_dentries(core: Core) -> list[int]:
    """The list from its newest to its oldest, each a frame << OBJECT_BITS | its place there; it ends early where it is broken."""
    found: list[int] = []
    ram = memoryview(core.tables.ram)
    dentry, newer = core.dentry_cache.newest, 0
    while dentry and len(found) <= core.dentry_cache.nr_objects:
        at = word_of(dentry >> OBJECT_BITS) + SLAB_HEADER + (dentry & OBJECT_MASK) * OBJECT_WORDS
        if dentry >> OBJECT_BITS >= core.frames.nr_frames or ram[at + OBJECT_NEWER] != newer:
            break
        found.append(dentry)
        dentry, newer = ram[at + OBJECT_OLDER], dentry
    return found if newer == core.dentry_cache.oldest else []


def partial_slabs(core: Core) -> list[int]:
    """The list from its first to its last; it ends early where it is broken."""
    found: list[int] = []
    ram = memoryview(core.tables.ram)
    pfn, before = core.dentry_cache.first_partial, 0
    while pfn and len(found) <= core.dentry_cache.nr_slabs:
        if pfn >= core.frames.nr_frames or ram[word_of(pfn) + SLAB_PREV] != before:
            break
        found.append(pfn)
        pfn, before = ram[word_of(pfn) + SLAB_NEXT], pfn
    return found if before == core.dentry_cache.last_partial else []
