"""The checker: every invariant of the machine, walked from scratch. Each test ends with it, and `.machine/check` runs it.

It trusts nothing that is counted: it walks the page tables, the lists, the swap map and the disk's queue, counts again, and compares.
Run between operations: then a page's references are its mappings, its swap cache entry, its pagevec, and its being a page table or a slab.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from . import params
from .dump import disk_queue, entries, partial_slabs, unused_dentries
from .files import FILE_ON_DISK, I_DIRTY, I_LOCK, block_tree, page_tree, shadow_tree
from .models.folio_batch import BATCH_ADD
from .models.lruvec import NR_LRUVEC_STATS
from .radix_tree import MAP_SHIFT, TAG_DIRTY, TAG_WRITEBACK
from .pagetable import leaf_end, pte_place, word_of
from .params import INDEX_BITS, MAX_SWAPFILES, PTE_PRESENT, PTE_SHIFT, SWAPFILE_CLUSTER, ZERO_PAGE
from .params import ZONE_SHIFT
from .slabs import OBJECT_BITS, OBJECT_FLAGS, OBJECT_IN_USE, OBJECT_NEWER, OBJECT_WORDS, SLAB_FREE, SLAB_HEADER, SLAB_INUSE

if TYPE_CHECKING:
    from .container import Container
    from .core import Core
    from .machine import Machine


class Walk:
    """What the tables and lists say, counted anew."""

    def __init__(self, machine: Machine) -> None:
        core = machine.core
        self.machine, self.core = machine, core
        self.flags = memoryview(core.frames.flags)
        self.count = memoryview(core.frames.count)
        self.mapcount = memoryview(core.frames.mapcount)
        self.meta_refs = memoryview(core.frames.meta_refs)
        self.container = memoryview(core.frames.container)
        self.findings: list[str] = []
        self.mapped: Counter[int] = Counter()
        self.swapped: Counter[int] = Counter()
        self.leaves: set[int] = set()
        self.free: set[int] = set()
        self.slabs: set[int] = set()

    def expect(self, holds: bool, finding: str) -> None:
        if not holds:
            self.findings.append(finding)

    def equal(self, what: str, said: int, counted: int) -> None:
        if said != counted:
            self.findings.append(f"{what}: {said}, but {counted} were found")

    def expect_file_page(self, pfn: int, vma: int, page: int) -> None:
        """What is mapped and not anonymous is the zero page, or the page of the VMA's file."""
        vmas = self.core.vmas
        if not vmas.handle[vma]:
            self.expect(pfn == ZERO_PAGE, f"frame {pfn} is mapped at page {page}, and is not anonymous")
            return
        file = self.core.open_files.file[vmas.handle[vma]]
        index = page - vmas.start[vma] + vmas.pgoff[vma]
        in_file = bool(self.flags[pfn] & params.PG_CACHE) and self.core.frames.mapping[pfn] == file << INDEX_BITS | index
        self.expect(in_file, f"frame {pfn} is mapped at page {page}, which is page {index} of file {file}")

    def frames(self) -> Iterator[int]:
        """Every frame outside of the blocks that were never touched."""
        zones = self.core.zones
        for zone in range(zones.nr_zones):
            yield from range(max(zones.start[zone], 1), zones.untouched[zone])
            yield from range(zones.frontier[zone], zones.end[zone])

    def with_flag(self, flag: int) -> set[int]:
        return {pfn for pfn in self.frames() if self.flags[pfn] & flag}


def check(machine: Machine) -> list[str]:
    """What does not hold, one sentence each; empty for a sound machine."""
    walk = Walk(machine)
    check_rest(walk)
    check_page_tables(walk)
    check_free_lists(walk)
    check_groups(walk)
    check_lruvecs(walk)
    check_numa(walk)
    check_zone_lists(walk)
    check_charges(walk)
    check_slabs(walk)
    check_swap(walk)
    check_token(walk)
    check_references(walk)
    check_files(walk)
    check_disks(walk)
    check_daemons(walk)
    return walk.findings


def check_rest(walk: Walk) -> None:
    """No operation is under way: no lock is held, no reclaim runs."""
    walk.equal("locks held", walk.core.lockdep.held, 0)
    walk.expect(walk.core.late_error is None, f"an error was kept, and has not come up: {walk.core.late_error!r}")
    walk.equal("operations under way", walk.machine.depth, 0)
    walk.equal("reclaims under way", walk.core.scan_depth, 0)
    walk.equal("priority of the reclaim under way", walk.core.current_priority, -1)
    walk.expect(not walk.with_flag(params.PG_METAPAGE), "a meta page is locked")
    waiting = list(walk.core.containers.released[: walk.core.containers.nr_released])
    walk.expect(len(waiting) == len(set(waiting)), "a container waits twice to be looked at")
    nodes = Counter(task.node for task in walk.machine.tasks.values() if task.space is not None)
    walk.expect(walk.machine.nr_running == [nodes[node] for node in range(walk.core.nr_nodes)], "tasks on each node")
    users = Counter(id(task.space) for task in walk.machine.tasks.values())
    for mm, space in walk.machine.spaces.items():
        walk.equal(f"mm {mm}: users", space.users, users[id(space)])
    for task in walk.machine.tasks.values():
        if task.space is not None:
            walk.expect(walk.machine.spaces.get(task.space.mm) is task.space, f"task {task.pid}: its address space is not known")


def check_page_tables(walk: Walk) -> None:
    """Each entry lies under a VMA; resident and swapped pages are as counted; anonymous pages are found by their reverse map."""
    core, vmas = walk.core, walk.core.vmas
    mappings = memoryview(core.frames.mapping)
    ram = memoryview(core.tables.ram)
    for mm, space in walk.machine.spaces.items():
        anon = file = swapped = 0
        entries: Counter[int] = Counter()
        for start, vma in space.starts.items():
            end = vmas.end[vma]
            walk.expect(vmas.mm[vma] == mm and vmas.start[vma] == start < end, f"mm {mm}: VMA {vma} is not where it is sorted")
            vpn = core.tables.next_leaf(mm, start, end)
            while vpn < end:
                leaf = core.tables.leaf(mm, vpn)
                stop = leaf_end(vpn, end)
                entries[leaf] += 0
                for page in range(vpn, stop):
                    pte = ram[pte_place(leaf, page)]
                    entries[leaf] += pte != 0
                    if pte & PTE_PRESENT:
                        pfn = pte >> PTE_SHIFT
                        walk.mapped[pfn] += 1
                        if walk.flags[pfn] & params.PG_ANON:
                            anon += 1
                            walk.equal(f"frame {pfn}: reverse map", mappings[pfn], vmas.anon_vma[vma] << INDEX_BITS | page)
                        else:
                            file += pfn != ZERO_PAGE or core.rules.counts_zero_page
                            walk.expect_file_page(pfn, vma, page)
                    elif pte:
                        swapped += 1
                        walk.swapped[pte >> PTE_SHIFT] += 1
                vpn = core.tables.next_leaf(mm, stop, end)
        for leaf, count in entries.items():
            walk.expect(bool(walk.flags[leaf] & params.PG_TABLE), f"frame {leaf} is no page table")
            words = ram[word_of(leaf) : word_of(leaf + 1)]
            walk.equal(f"frame {leaf}: page table entries, all under a VMA", sum(1 for word in words if word), count)
        walk.equal(f"mm {mm}: anon_rss", core.mms.anon_rss[mm], anon)
        walk.equal(f"mm {mm}: file_rss", core.mms.file_rss[mm], file)
        walk.equal(f"mm {mm}: swap entries", core.mms.swap_ptes[mm], swapped)
        walk.equal(f"mm {mm}: page tables", core.mms.nr_ptes[mm], len(entries))
        walk.leaves |= entries.keys()
    walk.equal("page tables", core.zones.total(params.NR_PAGETABLE), len(walk.leaves))
    walk.expect(walk.with_flag(params.PG_TABLE) == walk.leaves, "a page table belongs to no address space")


def check_free_lists(walk: Walk) -> None:
    """Free blocks lie where blocks of their order can lie, joined where they could be; each is on one list, and counted."""
    core, zones = walk.core, walk.core.zones
    heads = set()
    for zone in range(zones.nr_zones):
        if not zones.present[zone]:
            continue
        untouched = zones.frontier[zone] - zones.untouched[zone]
        free = untouched
        for order in range(params.NR_ORDERS):
            listed = core.lru.order(zones.free_head(zone, order))
            implicit = untouched >> order if order == params.LARGEST_ORDER else 0
            walk.equal(f"zone {zone}: free blocks of order {order}", zones.nr_free[zone * params.NR_ORDERS + order], len(listed) + implicit)
            for pfn in listed:
                check_free_block(walk, zone, order, pfn)
            if order < params.LARGEST_ORDER:
                blocks = set(listed)
                walk.expect(not any(pfn ^ 1 << order in blocks for pfn in listed), f"zone {zone}: two free buddies of order {order}")
            free += len(listed) << order
            heads.update(listed)
        walk.equal(f"zone {zone}: free pages", zones.count(zone, params.NR_FREE_PAGES), free)
        check_pagesets(walk, zone)
    walk.expect(heads == walk.with_flag(params.PG_FREE), "free lists and PG_free do not agree")


def check_numa(walk: Walk) -> None:
    """Each block that a zone gave was a hit or a miss there, and local or not; a miss is foreign to one zone."""
    zones = walk.core.zones
    for zone in range(zones.nr_zones):
        given = zones.count(zone, params.NUMA_HIT) + zones.count(zone, params.NUMA_MISS)
        by_cpu = zones.count(zone, params.NUMA_LOCAL) + zones.count(zone, params.NUMA_OTHER)
        walk.equal(f"zone {zone}: numa_hit and numa_miss", given, by_cpu)
        walk.expect(given <= zones.count(zone, params.PGALLOC), f"zone {zone}: more blocks than pages were given")
    walk.equal("numa_foreign", zones.total(params.NUMA_FOREIGN), zones.total(params.NUMA_MISS))


def check_pagesets(walk: Walk, zone: int) -> None:
    """Pages on a per-cpu list are of its zone, counted by the list alone, and fewer than it may hold."""
    core, zones = walk.core, walk.core.zones
    for cpu in range(core.nr_nodes):
        for cold in (False, True):
            pcp = zones.pcp(zone, cpu, cold)
            listed = core.lru.order(zones.pcp_head(pcp))
            what = f"zone {zone}, cpu {cpu}: pages on its {'cold' if cold else 'hot'} list"
            walk.equal(what, zones.pcp_count[pcp], len(listed))
            walk.expect(len(listed) <= max(zones.pcp_high[pcp], zones.pcp_batch[pcp]), f"{what} are too many")
            walk.expect(all(walk.flags[pfn] == zone << ZONE_SHIFT for pfn in listed), f"{what} are not all free, or foreign")
            walk.expect(walk.free.isdisjoint(listed), f"{what} are on another list besides")
            walk.free.update(listed)


def check_free_block(walk: Walk, zone: int, order: int, pfn: int) -> None:
    """A block of the zone, of this order, that shares no page with another."""
    zones, pages = walk.core.zones, range(pfn, pfn + (1 << order))
    inside = zones.start[zone] <= pfn and pages.stop <= zones.end[zone]
    walk.expect(walk.flags[pfn] >> ZONE_SHIFT == zone and inside, f"zone {zone}: a foreign page is on its free list")
    walk.expect(pfn % (1 << order) == 0, f"frame {pfn}: no block of order {order} begins here")
    walk.equal(f"frame {pfn}: order of its free block", walk.core.frames.private[pfn], order)
    walk.expect(walk.free.isdisjoint(pages), f"frame {pfn}: its block of order {order} overlaps another")
    walk.free.update(pages)


def check_zone_lists(walk: Walk) -> None:
    """A page is on its zone's list if and only if PG_lru says so, and on the one that PG_active says."""
    core, zones = walk.core, walk.core.zones
    active, inactive = core.model.walk(core, -1)
    for which, pages, item in ((params.PG_ACTIVE, active, params.NR_ACTIVE), (0, inactive, params.NR_INACTIVE)):
        name = "active" if which else "inactive"
        by_zone = Counter(walk.flags[pfn] >> ZONE_SHIFT for pfn in pages)
        for zone in range(zones.nr_zones):
            walk.equal(f"zone {zone}: nr_{name}", zones.count(zone, item), by_zone[zone])
        for pfn in pages:
            flags = walk.flags[pfn] & (params.PG_LRU | params.PG_ACTIVE)
            walk.expect(flags == params.PG_LRU | which, f"frame {pfn} is on the {name} list with flags {walk.flags[pfn]:#x}")
    kept = core.model.unevictable(core)
    by_zone = Counter(walk.flags[pfn] >> ZONE_SHIFT for pfn in kept)
    for zone in range(zones.nr_zones):
        walk.equal(f"zone {zone}: nr_unevictable", zones.count(zone, params.NR_UNEVICTABLE), by_zone[zone])
    listed = {*active, *inactive, *kept}
    walk.expect(listed == walk.with_flag(params.PG_LRU), "zone lists and PG_lru do not agree")
    walk.expect(len(listed) == len(active) + len(inactive) + len(kept), "a page is on two zone lists")


def check_charges(walk: Walk) -> None:
    """By the rules of each year."""
    if walk.core.rules.charges_once:
        check_memcgs(walk)
    else:
        check_containers(walk)


def check_memcgs(walk: Walk) -> None:
    """A page that is charged is charged once, and lies on its container's lists. Counters hold what was charged in their containers and all
    below them: pages, kernel memory, stocks, and with memsw slots, whose owners' pages are not there. Statistics are exact."""
    core, containers = walk.core, walk.core.containers
    known = {**walk.machine.containers, **walk.machine.offline}
    charged: dict[int, set[int]] = {cid: set() for cid in known}
    stats: dict[int, Counter[int]] = {cid: Counter() for cid in known}
    for pfn in walk.frames():
        if walk.meta_refs[pfn]:
            cid, flags = walk.container[pfn], walk.flags[pfn]
            walk.equal(f"frame {pfn}: charges", walk.meta_refs[pfn], 1)
            walk.expect(cid in charged, f"frame {pfn} is charged to container {cid}, which does not exist")
            charged.get(cid, set()).add(pfn)
            count_page(walk, pfn, flags, stats.get(cid, Counter()))
        elif walk.count[pfn] and pfn != ZERO_PAGE:
            used = walk.mapcount[pfn] > 0 or walk.flags[pfn] & (params.PG_CACHE | params.PG_SWAPCACHE)
            walk.expect(not used, f"frame {pfn} is in use, and charged to nobody")
    owned = Counter(owner - 1 for slot, owner in slot_owners(walk))
    for cid, number in owned.items():
        walk.expect(cid in known, f"slots belong to container {cid}, which does not exist")
        stats.get(cid, Counter())[params.MEMCG_SWAP] = number
    stocks: Counter[int] = Counter()
    places: Counter[int] = Counter()
    for cached, pages in zip(core.stocks.cached, core.stocks.nr_pages, strict=True):
        walk.expect(cached != 0 or pages == 0, "a free place of a stock has pages")
        walk.expect(0 <= pages <= core.charge_batch, f"{pages} pages are in a place of a stock")
        if cached:
            stocks[cached - 1] += pages
            places[cached - 1] += 1
    spaces = Counter(space.container for space in walk.machine.spaces.values())
    waits = Counter(wait.container for wait in walk.machine.waits)
    tables = Counter(containers.nearest_online(walk.container[leaf]) for leaf in walk.leaves)
    kernel = {cid: core.stats.count(cid, params.MEMCG_KMEM) for cid in known}
    sums = {cid: [len(pages) + kernel[cid] + stocks[cid], owned[cid], kernel[cid]] for cid, pages in charged.items()}
    for cid in sorted(known, key=lambda cid: -depth_of(walk, cid)):
        parent = containers.parent[cid]
        if parent >= 0:
            sums[parent] = [mine + theirs for mine, theirs in zip(sums[parent], sums[cid], strict=True)]
    for cid, pages in charged.items():
        memory, swap, kmem = sums[cid]
        what = f"container {cid}"
        walk.equal(f"{what}: usage", core.counters.usage[cid], memory)
        walk.equal(f"{what}: memory and swap", core.memsw.usage[cid], memory + swap)
        walk.equal(f"{what}: kernel memory", core.kmem.usage[cid], kmem)
        walk.expect(kernel[cid] >= tables[cid] * (cid > 0 and core.charges_kmem), f"{what}: a page table is charged to nobody")
        for counters in (core.counters, core.memsw, core.kmem):
            walk.expect(counters.max_usage[cid] >= counters.usage[cid] or cid == 0, f"{what}: its highest usage is below its usage")
        for item in CHECKED_ITEMS:
            walk.equal(f"{what}: statistic {item}", core.stats.count(cid, item), stats[cid][item])
        walk.equal(f"{what}: pages charged as cache", containers.nr_cache[cid], stats[cid][params.MEMCG_ROW])
        walk.expect(containers.css[cid] >= len(pages) + spaces[cid] + owned[cid] + places[cid] + waits[cid], f"{what}: too few references")
        check_waits(walk, cid)
        check_family(walk, cid, known)
        check_lists(walk, cid, pages)


def check_lists(walk: Walk, cid: int, pages: set[int]) -> None:
    """A container's lists hold the pages that are charged to it, once; or, where a page is on one list only, those that are on the LRU, and
    the top container's besides what nobody pays for."""
    core = walk.core
    active, inactive = core.model.walk(core, cid)
    listed = {*active, *inactive}
    expected = len(pages if core.model.lists_all_charged else listed)
    walk.equal(f"container {cid}: pages on its lists", len(active) + len(inactive), expected)
    if core.model.lists_all_charged:
        walk.expect(listed == pages, f"container {cid}: its lists hold other pages than are charged to it")
    else:
        foreign = {pfn for pfn in listed - pages if cid or walk.meta_refs[pfn]}
        walk.expect(not foreign, f"container {cid}: its lists hold pages that are not charged to it")
        missing = {pfn for pfn in pages - listed if walk.flags[pfn] & (params.PG_LRU | params.PG_UNEVICTABLE) == params.PG_LRU}
        walk.expect(not missing, f"container {cid}: pages that are charged to it, and on the LRU, are on none of its lists")


CHECKED_ITEMS = (
    params.NR_ANON_PAGES, params.NR_FILE_MAPPED, params.NR_FILE_PAGES, params.NR_FILE_DIRTY, params.NR_WRITEBACK,
    params.MEMCG_SHMEM, params.MEMCG_SWAPCACHE, params.MEMCG_SWAP,
)  # fmt: skip


def count_page(walk: Walk, pfn: int, flags: int, counts: Counter[int]) -> None:
    """What a charged page adds to its container's statistics; in MEMCG_ROW, which is none of them, that it was charged as cache."""
    in_file = bool(flags & params.PG_CACHE)
    is_on_disk = in_file and walk.core.files.kind[walk.core.frames.owner(pfn)] == FILE_ON_DISK
    mapped = walk.mapcount[pfn] > 0
    counts[params.NR_ANON_PAGES] += mapped and bool(flags & params.PG_ANON)
    counts[params.NR_FILE_MAPPED] += mapped and not flags & params.PG_ANON
    counts[params.NR_FILE_PAGES] += in_file
    counts[params.NR_FILE_DIRTY] += is_on_disk and bool(flags & params.PG_DIRTY)
    counts[params.NR_WRITEBACK] += bool(flags & params.PG_WRITEBACK)
    counts[params.MEMCG_SHMEM] += in_file and not is_on_disk
    counts[params.MEMCG_SWAPCACHE] += bool(flags & params.PG_SWAPCACHE)
    counts[params.MEMCG_ROW] += bool(flags & params.PG_CHARGED_CACHE)


def slot_owners(walk: Walk) -> Iterator[tuple[int, int]]:
    """(slot, owner and 1) of each slot that somebody pays for: one in use, whose page is not in the swap cache."""
    swap = walk.core.swap
    for area in range(MAX_SWAPFILES):
        for slot in range(swap.start[area], swap.start[area] + swap.max[area]):
            if swap.owner[slot]:
                walk.expect(swap.map[slot] > 0 and not swap.cache[slot], f"slot {slot} has an owner, and is not out in swap")
                yield slot, swap.owner[slot]
            else:
                walk.expect(not swap.map[slot] or slot == swap.start[area] or bool(swap.cache[slot]), f"slot {slot} is nobody's")


def depth_of(walk: Walk, cid: int) -> int:
    parent = walk.core.containers.parent[cid]
    return 0 if parent < 0 else 1 + depth_of(walk, parent)


def check_waits(walk: Walk, cid: int) -> None:
    """Under OOM is a container, and locked, because somebody waits for memory there or above; one that was made since need not be."""
    containers = walk.core.containers
    waits = [wait for wait in walk.machine.waits if containers.is_below(cid, wait.container)]
    walk.expect(0 <= containers.under_oom[cid] <= len(waits), f"container {cid}: more under OOM than tasks wait for it")
    nr_holders = sum(wait.has_lock for wait in waits)
    walk.expect(containers.oom_lock[cid] <= nr_holders <= 1, f"container {cid}: its OOM lock has {nr_holders} holders")
    nr_here = sum(wait.container == cid for wait in waits)
    walk.expect(containers.under_oom[cid] >= nr_here, f"container {cid}: {nr_here} tasks wait for it, but it is not so much under OOM")
    for wait in waits:
        walk.expect(wait.operation.task.space is not None, f"task {wait.operation.task.pid} is dead, and waits for memory")


def check_family(walk: Walk, cid: int, known: dict[int, Container]) -> None:
    """It is in its parent, which is there, and so is whoever is in it; it is offline if and only if its directory is gone."""
    containers = walk.core.containers
    walk.equal(f"container {cid}: online", containers.is_online[cid], cid in walk.machine.containers)
    children, last = [], -1
    at = containers.first_child[cid]
    while at >= 0 and at not in children:
        walk.equal(f"container {at}: the one before it", containers.prev_sibling[at], last)
        walk.equal(f"container {at}: its parent", containers.parent[at], cid)
        children.append(at)
        last, at = at, containers.next_sibling[at]
    walk.equal(f"container {cid}: its youngest child", containers.last_child[cid], last)
    expected = {child for child in known if containers.parent[child] == cid}
    walk.expect(set(children) == expected, f"container {cid}: those in it are not those whose parent it is")


def check_containers(walk: Walk) -> None:
    """usage counts the pages with a meta page, each on one of its container's lists; css counts them, and address spaces."""
    core, machine = walk.core, walk.machine
    charged: dict[int, set[int]] = {cid: set() for cid in machine.containers}
    caches = params.PG_CACHE | (params.PG_SWAPCACHE if core.rules.charges_swap_cache else 0)
    for pfn in walk.frames():
        if walk.meta_refs[pfn]:
            cid = walk.container[pfn]
            walk.expect(cid in charged, f"frame {pfn} is charged to container {cid}, which does not exist")
            charged.get(cid, set()).add(pfn)
            possible = (walk.mapcount[pfn] > 0) + bool(walk.flags[pfn] & caches)
            walk.expect(walk.meta_refs[pfn] <= possible, f"frame {pfn} holds {walk.meta_refs[pfn]} charges for {possible} uses")
    spaces = Counter(space.container for space in machine.spaces.values())
    for cid, pages in charged.items():
        walk.equal(f"container {cid}: usage", core.counters.usage[cid], len(pages) * core.counters.unit)
        check_lists(walk, cid, pages)
        expected = len(pages) + spaces[cid] + core.containers.leaked[cid]
        walk.equal(f"container {cid}: css references", core.containers.css[cid], expected)
        cached = sum(1 for pfn in pages if walk.flags[pfn] & params.PG_CHARGED_CACHE)
        walk.equal(f"container {cid}: pages charged as cache", core.containers.nr_cache[cid], cached)


def check_groups(walk: Walk) -> None:
    """A model with lists for each group and zone counts them, and a record says on which of them it is."""
    core, model = walk.core, walk.core.model
    if not isinstance(model, walk.machine.engine.Cgroups2008):
        return
    for cid in walk.machine.containers:
        lengths = [0, 0]
        for zone in range(core.zones.nr_zones):
            for active in (False, True):
                place = (cid * core.zones.nr_zones + zone) * 2 + active
                pages = core.meta.order(core.meta.first_head + place)
                lengths[active] += len(pages)
                what = f"container {cid}, zone {zone}, {'active' if active else 'inactive'} list"
                walk.equal(what, model.mz_count[place], len(pages))
                for pfn in pages:
                    walk.expect(core.frames.zone(pfn) == zone, f"{what}: frame {pfn} is of another zone")
                    walk.expect(bool(walk.flags[pfn] & params.PG_META_ACTIVE) == active, f"{what}: frame {pfn} says otherwise")
        walk.equal(f"container {cid}: inactive pages", model.nr_inactive[cid], lengths[0])
        walk.equal(f"container {cid}: active pages", model.nr_active[cid], lengths[1])


def check_lruvecs(walk: Walk) -> None:
    """Today's model: a page is on the list that its flags and its payer say, and counted there; what is flushed is in all above; who has
    something to flush waits for it once; a page in a batch is on no list, if it is a new one; a slot has a shadow or a page."""
    core, model = walk.core, walk.core.model
    if not isinstance(model, walk.machine.engine.Classic):
        return
    lruvecs, batches = model.lruvecs, model.batches
    flushed: Counter[tuple[int, int]] = Counter()
    for cid in {**walk.machine.containers, **walk.machine.offline}:
        for node in range(core.nr_nodes):
            lruvec = lruvecs.lruvec(cid, node)
            for lru in range(params.NR_LRU_LISTS):
                check_lru_list(walk, cid, node, lru)
            for item in range(NR_LRUVEC_STATS):
                amount = lruvecs.flushed[lruvec * NR_LRUVEC_STATS + item]
                pending = lruvecs.local[lruvec * NR_LRUVEC_STATS + item] != amount
                walk.expect(not pending or lruvecs.updates[cid] > 0, f"container {cid}: something is to be flushed, and nobody knows")
                above = cid
                while above >= 0:
                    flushed[lruvecs.lruvec(above, node), item] += amount
                    above = core.containers.parent[above]
            walk.expect(lruvecs.born_age[lruvec] <= lruvecs.nonresident_age[lruvec], f"container {cid}: it was born later than now")
    for (lruvec, item), amount in flushed.items():
        stale = lruvecs.page_state(lruvec, item)
        what = f"lruvec {lruvec}: statistic {item} as it was flushed"
        if item < params.LRU_UNEVICTABLE:
            walk.equal(what, stale, amount)
        walk.expect(stale >= amount, f"{what} is less than those of its tree")
    waiting = list(lruvecs.updated[: lruvecs.nr_updated])
    walk.equal("groups that have something to flush", len(set(waiting)), len(waiting))
    walk.expect(all(lruvecs.updates[cid] for cid in waiting), "a group without changes is to be flushed")
    new = batches.waiting(BATCH_ADD)
    walk.expect(not any(walk.flags[pfn] & params.PG_LRU for pfn in new), "a page is on its way to its list, and there")
    swap = core.swap
    for area in range(MAX_SWAPFILES):
        for slot in range(swap.start[area], swap.start[area] + swap.max[area]):
            both = swap.shadow[slot] and (swap.cache[slot] or not swap.map[slot])
            walk.expect(not both, f"slot {slot}: a shadow of a page that is there, or of none")


def check_lru_list(walk: Walk, cid: int, node: int, lru: int) -> None:
    core, lruvecs = walk.core, walk.core.model.lruvecs
    lruvec = lruvecs.lruvec(cid, node)
    pages = core.lru.order(lruvecs.head(lruvec * params.NR_LRU_LISTS + lru))
    what = f"container {cid}, node {node}, list {lru}"
    kinds = Counter((walk.flags[pfn] >> ZONE_SHIFT) % params.MAX_NR_ZONES for pfn in pages)
    at = (lruvec * params.NR_LRU_LISTS + lru) * params.MAX_NR_ZONES
    for kind in range(params.MAX_NR_ZONES):
        walk.equal(f"{what}: pages of zone type {kind}", lruvecs.size[at + kind], kinds[kind])
    if lru < params.LRU_UNEVICTABLE:
        walk.equal(f"{what}: statistic", lruvecs.local[lruvec * NR_LRUVEC_STATS + lru], len(pages))
    for pfn in pages:
        flags = walk.flags[pfn]
        payer = walk.container[pfn] if walk.meta_refs[pfn] else 0
        walk.equal(f"frame {pfn}: payer, on {what}", payer, cid)
        walk.equal(f"frame {pfn}: node, on {what}", (flags >> ZONE_SHIFT) // params.MAX_NR_ZONES, node)
        kind = params.LRU_INACTIVE_ANON if flags & params.PG_SWAPBACKED else params.LRU_INACTIVE_FILE
        expected = params.LRU_UNEVICTABLE if flags & params.PG_UNEVICTABLE else kind + bool(flags & params.PG_ACTIVE)
        walk.equal(f"frame {pfn}: the list that its flags say", expected, lru)


def check_swap(walk: Walk) -> None:
    """A slot is used by the entries that name it and by its page in the swap cache; page and slot know each other."""
    swap, private = walk.core.swap, walk.core.frames.private
    cached = walk.with_flag(params.PG_SWAPCACHE)
    users = Counter(walk.swapped)
    for number, file in walk.machine.files.items():
        if not file.is_on_disk:
            users.update(entries(walk.core, 2 * number + 1).values())
    for pfn in cached:
        users[private[pfn]] += 1
        walk.equal(f"frame {pfn}: page of its slot {private[pfn]}", swap.cache[private[pfn]], pfn)
    walk.equal("pages in the swap cache", swap.nr_cached, len(cached))
    for slot, used in users.items():
        walk.equal(f"slot {slot}: users", swap.map[slot], used)
    check_swap_areas(walk, users)


def check_swap_areas(walk: Walk, users: Counter[int]) -> None:
    """Each area counts its slots in use, and no slot is used outside of one; the list holds all areas, the highest priority first."""
    swap = walk.core.swap
    known = sorted(walk.machine.swapfiles.by_name.values())
    walk.expect(known == [area for area in range(MAX_SWAPFILES) if swap.max[area]], "swap areas and their names do not agree")
    in_use = Counter(area for area in known for slot in users if swap.start[area] < slot < swap.start[area] + swap.max[area])
    walk.equal("swap slots in use", sum(in_use.values()), len(users))
    for area in known:
        first, end = swap.start[area] + 1, swap.start[area] + swap.max[area]
        counts = memoryview(swap.map)[first:end].tolist()
        walk.equal(f"swap area {area}: slots in use", swap.inuse_pages[area], in_use[area])
        walk.equal(f"users of all slots of swap area {area}", sum(counts), sum(users[slot] for slot in users if first <= slot < end))
        lowest, highest = swap.lowest_bit[area], swap.highest_bit[area]
        is_full = swap.inuse_pages[area] == swap.pages[area]
        outside = counts[: max(lowest - first, 0)] + counts[highest + 1 - first :]
        walk.expect(is_full == (highest == 0), f"swap area {area}: highest_bit is {highest} with {in_use[area]} slots in use")
        walk.expect(is_full or 0 not in outside, f"swap area {area}: free slots lie outside of lowest_bit..highest_bit")
        of_block = Counter(slot // SWAPFILE_CLUSTER for slot in users if first <= slot < end)
        for block in range(swap.start[area] // SWAPFILE_CLUSTER, (end - 1) // SWAPFILE_CLUSTER + 1):
            walk.equal(f"swap area {area}: slots in use of block {block}", swap.block_used[block], of_block[block])
        walk.expect(swap.area_of(first) == swap.area_of(end - 1) == area, f"swap area {area}: its slots are another's")
    listed, area = [], swap.head
    while area >= 0 and area not in listed:
        listed.append(area)
        area = swap.next_of[area]
    walk.expect(sorted(listed) == known and all(swap.is_writeok[area] for area in known), "the list of swap areas is not whole")
    priorities = [swap.prio[area] for area in listed]
    walk.expect(priorities == sorted(priorities, reverse=True), "the list of swap areas is not by priority")
    walk.expect(swap.next in listed or (not listed and swap.next < 0), "no swap area is next")
    walk.equal("swap slots in all", swap.total_swap_pages, sum(swap.pages[area] for area in known))
    walk.equal("free swap slots", swap.nr_swap_pages, swap.total_swap_pages - len(users))


def check_token(walk: Walk) -> None:
    """The swap token is nobody's or a living address space's, and no fault is under way."""
    holder = walk.core.token.mm
    walk.expect(holder == 0 or holder in walk.machine.spaces, f"mm {holder} holds the swap token, and is not there")
    walk.expect(not any(walk.core.mms.in_fault[mm] for mm in walk.machine.spaces), "a fault is under way")


def check_slabs(walk: Walk) -> None:
    """Every object in use is on the list of unused dentries once; a slab with a free place is on the partial list, one without objects is
    nowhere; objects, slabs and their pages are as counted."""
    core, cache = walk.core, walk.core.dentry_cache
    ram = memoryview(core.tables.ram)
    walk.slabs = walk.with_flag(params.PG_SLAB)
    found: set[int] = set()
    partial: set[int] = set()
    for pfn in walk.slabs:
        at = word_of(pfn) + SLAB_HEADER
        places = range(cache.objects_per_slab)
        used = [place for place in places if ram[at + place * OBJECT_WORDS + OBJECT_FLAGS] & OBJECT_IN_USE]
        found.update(pfn << OBJECT_BITS | place for place in used)
        free = set()
        place = ram[word_of(pfn) + SLAB_FREE]
        while 0 < place <= cache.objects_per_slab and place - 1 not in free:
            free.add(place - 1)
            place = ram[at + (place - 1) * OBJECT_WORDS + OBJECT_NEWER]
        walk.expect(free == set(places) - set(used), f"slab {pfn}: its free places are not those that no object has")
        walk.equal(f"slab {pfn}: objects in use", ram[word_of(pfn) + SLAB_INUSE], len(used))
        walk.expect(bool(used), f"slab {pfn} is empty")
        if free:
            partial.add(pfn)
    unused = unused_dentries(core)
    walk.expect(len(set(unused)) == len(unused) and set(unused) == found, "the list of unused dentries does not hold every dentry once")
    listed = partial_slabs(core)
    walk.expect(len(set(listed)) == len(listed) and set(listed) == partial, "the partial slabs are not those with a free place")
    walk.equal("dentries", cache.nr_objects, len(found))
    walk.equal("slabs", cache.nr_slabs, len(walk.slabs))
    by_zone = Counter(walk.flags[pfn] >> ZONE_SHIFT for pfn in walk.slabs)
    for zone in range(core.zones.nr_zones):
        walk.equal(f"zone {zone}: nr_slab_reclaimable", core.zones.count(zone, params.NR_SLAB_RECLAIMABLE), by_zone[zone])


def check_references(walk: Walk) -> None:
    """page_count and page_mapcount of every frame, and the statistics made of them."""
    core = walk.core
    waiting = Counter(pfn for pages in core.model.waiting() for pfn in pages)
    blocks = dict(block for task in walk.machine.tasks.values() for block in task.blocks)
    held = {page for pfn, order in blocks.items() for page in range(pfn, pfn + (1 << order))}
    walk.expect(walk.with_flag(params.PG_BLOCK) == held, "blocks of kernel memory are not those that tasks hold")
    anon = 0
    mapped_files = int(walk.mapped[ZERO_PAGE] > 0)
    for pfn in walk.frames():
        flags = walk.flags[pfn]
        walk.equal(f"frame {pfn}: mapcount", walk.mapcount[pfn], walk.mapped[pfn])
        cached = bool(flags & (params.PG_SWAPCACHE | params.PG_CACHE))
        references = walk.mapped[pfn] + cached + waiting[pfn] + (pfn in walk.leaves) + (pfn in walk.slabs) + (pfn in blocks)
        walk.equal(f"frame {pfn}: count", walk.count[pfn], references)
        walk.expect((references == 0 and pfn not in held) == (pfn in walk.free), f"frame {pfn}: {references} references, flags {flags:#x}")
        if walk.mapped[pfn] > 0:
            anon += bool(flags & params.PG_ANON)
            mapped_files += not flags & params.PG_ANON
    walk.equal("zero page: count", walk.count[ZERO_PAGE], walk.mapped[ZERO_PAGE] + 1)
    walk.equal("nr_anon_pages", core.zones.total(params.NR_ANON_PAGES), anon)
    walk.equal("nr_mapped", core.zones.total(params.NR_FILE_MAPPED), mapped_files)
    in_a_cache = len(walk.with_flag(params.PG_SWAPCACHE)) + len(walk.with_flag(params.PG_CACHE))
    walk.equal("nr_file_pages", core.zones.total(params.NR_FILE_PAGES), in_a_cache)


def check_files(walk: Walk) -> None:
    """A file and its pages know each other; its tags, dirty pages, blocks, mappings and place among the dirty files are as marked."""
    core, files = walk.core, walk.core.files
    mappings = memoryview(core.frames.mapping)
    cached: set[int] = set()
    blocks: Counter[int] = Counter()
    nodes = dirty_pages = nr_shadows = 0
    waiting = set(core.files.dirty.order(files.s_dirty)) | set(core.files.dirty.order(files.s_io))
    swapped = set(core.files.dirty.order(files.shmem_swaplist))
    for number, file in walk.machine.files.items():
        pages = entries(core, 2 * number)
        cached.update(pages.values())
        walk.equal(f"file {number}: pages", files.nr_pages[number], len(pages))
        for index, pfn in pages.items():
            flags = walk.flags[pfn]
            walk.equal(f"frame {pfn}: its file and index", mappings[pfn], number << INDEX_BITS | index)
            for tag, flag in ((TAG_DIRTY, params.PG_DIRTY), (TAG_WRITEBACK, params.PG_WRITEBACK)):
                tagged = core.trees.next_index(2 * number, index, tag) == index
                expected = file.is_on_disk and bool(flags & flag)
                walk.expect(tagged == expected, f"file {number}: tag {tag} of page {index} is {tagged}, flags {flags:#x}")
            dirty_pages += file.is_on_disk and bool(flags & params.PG_DIRTY)
        is_dirty = core.trees.is_tagged(2 * number, TAG_DIRTY)
        walk.expect(not is_dirty or number in waiting, f"file {number} has dirty pages, and does not wait to be written")
        places = entries(core, 2 * number + 1)
        last = max((*pages, *places), default=-1)
        walk.expect(last < files.nr_size_pages(number), f"file {number} has something of page {last}, behind its end")
        walk.expect(not files.state[number] & I_LOCK, f"file {number} is being written")
        walk.expect(not files.state[number] & I_DIRTY or number in waiting, f"file {number} is dirty, and on no list")
        walk.equal(f"file {number}: blocks", files.nr_blocks[number], len(places))
        if file.is_on_disk:
            blocks.update(places.values())
        else:
            in_swap = f"file {number}: on the list of files in memory with pages in swap"
            walk.expect((number in swapped) == bool(places), in_swap)
            walk.expect(not places.keys() & pages.keys(), f"file {number}: a page is in memory and in swap")
        trees = (page_tree(number), block_tree(number), shadow_tree(files, number))
        nodes += sum(nr_nodes(core, tree) for tree in trees)
        shadows = entries(core, trees[2])
        walk.equal(f"file {number}: shadows", files.nr_shadows[number], len(shadows))
        walk.expect(not shadows.keys() & pages.keys(), f"file {number}: a page is in memory, and has left a shadow")
        walk.expect(all(core.shadows.whose[row] for row in shadows.values()), f"file {number}: a shadow that is nobody's")
        nr_shadows += len(shadows)
    walk.equal("shadows of files' pages", core.shadows.nr_used, nr_shadows)
    walk.equal("nodes of radix trees", core.trees.nr_nodes_used, nodes)
    walk.expect(cached == walk.with_flag(params.PG_CACHE), "the pages of the files are not those that are marked so")
    walk.equal("nr_dirty", core.zones.total(params.NR_FILE_DIRTY), dirty_pages)
    walk.expect(max(blocks.values(), default=1) == 1, "a block belongs to two pages")
    walk.equal("free blocks", core.blocks.nr_free(), core.blocks.nr_blocks - 1 - len(blocks))
    walk.equal("pages about to be read ahead", core.open_files.nr_pooled, 0)
    walk.equal("pages about to be written", files.nr_pvec, 0)
    walk.equal("pages of a call on their way to the LRU", core.open_files.nr_lru_pvec, 0)
    walk.expect(not core.is_writing_file, "a write() is under way")
    for vma in [vma for space in walk.machine.spaces.values() for vma in space.starts.values()]:
        handle = core.vmas.handle[vma]
        if handle:
            listed = core.vmas.i_mmap.order(core.vmas.file_head(core.open_files.file[handle]))
            walk.equal(f"VMA {vma}: times on the list of its file", listed.count(vma), 1)


def nr_nodes(core: Core, tree: int) -> int:
    """Nodes that the entries of this tree need, counted level by level."""
    total = 0
    keys = set(entries(core, tree))
    for _ in range(core.trees.height[tree]):
        keys = {key >> MAP_SHIFT for key in keys}
        total += len(keys)
    return total


def check_disks(walk: Walk) -> None:
    """What is written or locked is in a disk's queue, once; the queues are counted, in order, and congested as their length says."""
    disks = walk.core.disks
    writes: Counter[int] = Counter()
    reads: Counter[int] = Counter()
    heads = []
    for disk in range(disks.nr_disks):
        queue = disk_queue(walk.core, disk)
        counts = Counter(is_write for _, is_write, _ in queue)
        for is_write in (False, True):
            way = 2 * disk + is_write
            walk.equal(f"disk {disk}: requests of direction {way % 2}", disks.nr_requests[way], counts[is_write])
            congested = bool(disks.congested[way])
            possible = counts[is_write] >= disks.congestion_off if congested else counts[is_write] < disks.congestion_on
            walk.expect(possible, f"disk {disk}: congested {congested} with {counts[is_write]} requests of direction {way % 2}")
        times = [done_ns for _, _, done_ns in queue]
        walk.expect(times == sorted(times), f"disk {disk}: its requests are not in order of time")
        heads += [(times[0], disk)] if times else []
        writes.update(pfn for pfn, is_write, _ in queue if is_write)
        reads.update(pfn for pfn, is_write, _ in queue if not is_write)
    walk.expect(max((*writes.values(), *reads.values()), default=1) == 1, "a page is in the queues twice")
    walk.expect(set(writes) == walk.with_flag(params.PG_WRITEBACK), "pages under writeback are not those that the disks write")
    walk.expect(set(reads) == walk.with_flag(params.PG_LOCKED), "locked pages are not those that the disks read")
    walk.equal("nr_writeback", walk.core.zones.total(params.NR_WRITEBACK), len(writes))
    walk.equal("writes under way", disks.nr_writes, len(writes))
    next_ns, next_disk = min(heads, default=(-1, disks.next_disk))
    walk.expect((disks.next_ns, disks.next_disk) == (next_ns, next_disk), f"disk {next_disk} is next, at {next_ns} ns")


def check_daemons(walk: Walk) -> None:
    """Between operations no daemon runs, and the next one due is known."""
    daemons = walk.core.daemons
    walk.expect(not any(daemons.is_running), "a daemon runs")
    due = [(due_ns, daemon) for daemon, due_ns in enumerate(daemons.due_ns) if due_ns >= 0]
    next_ns, next_daemon = min(due, default=(-1, daemons.next_daemon))
    walk.expect((daemons.next_ns, daemons.next_daemon) == (next_ns, next_daemon), f"daemon {next_daemon} is next, at {next_ns} ns")
