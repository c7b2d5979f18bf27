"""What is charged to whom by the rules of v1: memory, memory and swap, kernel memory, stocks; who is in whom, and who waits for memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from .. import params
from ..files import FILE_ON_DISK
from ..params import MAX_SWAPFILES, ZERO_PAGE
from .memcontrol import check_lists
from .walk import Walk

if TYPE_CHECKING:
    from ..container import Container

CHECKED_ITEMS = (
    params.NR_ANON_PAGES, params.NR_FILE_MAPPED, params.NR_FILE_PAGES, params.NR_FILE_DIRTY, params.NR_WRITEBACK,
    params.MEMCG_SHMEM, params.MEMCG_SWAPCACHE, params.MEMCG_SWAP,
)  # fmt: skip


def check_memcgs(walk: Walk) -> None:
    """A page that is charged is charged once, and lies on its container's lists. Counters hold what was charged in their containers and all
    below them: pages, kernel memory, stocks, and with memsw slots, whose owners' pages are not there. Statistics are exact."""
    core, containers = walk.core, walk.core.containers
    known = {**walk.machine.containers, **walk.machine.offline}
    charged, stats = charged_pages(walk, known)
    owned = Counter(owner - 1 for slot, owner in slot_owners(walk))
    for cid, number in owned.items():
        walk.expect(cid in known, f"slots belong to container {cid}, which does not exist")
        stats.get(cid, Counter())[params.MEMCG_SWAP] = number
    stocks, places = stocked_pages(walk)
    spaces = Counter(space.container for space in walk.machine.spaces.values())
    waits = Counter(wait.container for wait in walk.machine.waits)
    kernel = {cid: core.stats.count(cid, params.MEMCG_KMEM) for cid in known}
    sums = {cid: [len(pages) + kernel[cid] + stocks[cid], owned[cid], kernel[cid]] for cid, pages in charged.items()}
    for cid in sorted(known, key=lambda cid: -depth_of(walk, cid)):
        parent = containers.parent[cid]
        if parent >= 0:
            sums[parent] = [mine + theirs for mine, theirs in zip(sums[parent], sums[cid], strict=True)]
    tables = Counter(containers.nearest_online(walk.container[leaf]) for leaf in walk.leaves)
    for cid, pages in charged.items():
        what = f"container {cid}"
        check_counters(walk, cid, *sums[cid])
        walk.expect(kernel[cid] >= tables[cid] * (cid > 0 and core.charges_kmem), f"{what}: a page table is charged to nobody")
        for item in CHECKED_ITEMS:
            walk.equal(f"{what}: statistic {item}", core.stats.count(cid, item), stats[cid][item])
        walk.equal(f"{what}: pages charged as cache", containers.nr_cache[cid], stats[cid][params.MEMCG_ROW])
        walk.expect(containers.css[cid] >= len(pages) + spaces[cid] + owned[cid] + places[cid] + waits[cid], f"{what}: too few references")
        check_waits(walk, cid)
        check_family(walk, cid, known)
        check_lists(walk, cid, pages)


def check_counters(walk: Walk, cid: int, memory: int, swap: int, kmem: int) -> None:
    core = walk.core
    walk.equal(f"container {cid}: usage", core.counters.usage[cid], memory)
    walk.equal(f"container {cid}: memory and swap", core.memsw.usage[cid], memory + swap)
    walk.equal(f"container {cid}: kernel memory", core.kmem.usage[cid], kmem)
    for counters in (core.counters, core.memsw, core.kmem):
        walk.expect(counters.max_usage[cid] >= counters.usage[cid] or cid == 0, f"container {cid}: its highest usage is below its usage")


def charged_pages(walk: Walk, known: dict[int, Container]) -> tuple[dict[int, set[int]], dict[int, Counter[int]]]:
    """What is charged to each container, and what its statistics say if they are right."""
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
    return charged, stats


def stocked_pages(walk: Walk) -> tuple[Counter[int], Counter[int]]:
    """By container: the pages that cpus charged in advance, and the places of stocks where they are."""
    pages_of: Counter[int] = Counter()
    places: Counter[int] = Counter()
    stocks = walk.core.stocks
    for cached, pages in zip(stocks.cached, stocks.nr_pages, strict=True):
        walk.expect(cached != 0 or pages == 0, "a free place of a stock has pages")
        walk.expect(0 <= pages <= walk.core.charge_batch, f"{pages} pages are in a place of a stock")
        if cached:
            pages_of[cached - 1] += pages
            places[cached - 1] += 1
    return pages_of, places


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
