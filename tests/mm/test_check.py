"""The checker finds what it says it finds: damage of each kind is planted in a sound machine, and named."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from memcgfs import mm
from memcgfs.mm import params

from .looking import cold_task, frame, reclaim_mapped

Damage = Callable[[mm.Machine], object]


def sound(engine: ModuleType) -> mm.Machine:
    """A machine with everything: mapped, shared, swapped and cached pages, writes under way, free frames, three address spaces.

    Not one of make_machine's: it is not sound when the test is over.
    """
    config = mm.MachineConfig(
        zone_pages=(64, 0, 0, 0), swap_bytes=64 * 4096, min_free_kbytes=0, swap_cluster_max=4, pagevec_size=3, max_containers=8
    )
    machine = mm.Machine(config, engine)
    reclaim_mapped(machine)
    container = machine.create_container()
    task = cold_task(machine, container, 8)
    container.limit = 8
    task.touch(8, 1)
    container.limit = 20
    task.touch(0, 1, write=False)
    reader = machine.spawn(200)
    reader.touch(0, 2, write=False)
    reader.touch(4, 5)
    reader.lookup(30)
    reader.munmap(8, 1)
    machine.check()
    return machine


def core(machine: mm.Machine) -> Any:
    return machine.core


def mapped(machine: mm.Machine) -> int:
    """A frame that one page table maps, on the LRU or on its way there."""
    return frame(machine.tasks[200], 4)


def cached(machine: mm.Machine) -> int:
    """A frame in the swap cache."""
    return int(next(pfn for pfn in memoryview(core(machine).swap.cache) if pfn))


def listed(machine: mm.Machine) -> int:
    """A frame on a zone's list."""
    active, inactive = core(machine).model.walk(core(machine), -1)
    return int([*active, *inactive][0])


def leaf(machine: mm.Machine) -> int:
    space = machine.tasks[200].space
    assert space is not None
    return int(core(machine).tables.leaf(space.mm, 4))


def plus(array: str, place: Callable[[mm.Machine], int] | int = 0, by: int = 1) -> Damage:
    """Adds to one cell of an array of the machine, e.g. "frames.count"."""

    def plant(machine: mm.Machine) -> None:
        view: Any = machine.core
        for name in array.split("."):
            view = getattr(view, name)
        view[place(machine) if callable(place) else place] += by

    return plant


def flip(flag: int, place: Callable[[mm.Machine], int]) -> Damage:
    def plant(machine: mm.Machine) -> None:
        core(machine).frames.flags[place(machine)] ^= flag

    return plant


def entry(change: Callable[[int], int], task: int, page: int) -> Damage:
    """Changes a page table entry."""

    def plant(machine: mm.Machine) -> None:
        space = machine.tasks[task].space
        assert space is not None
        tables = core(machine).tables
        tables.ram[tables.leaf(space.mm, page) * 512 + page] = change(tables.entry(space.mm, page))

    return plant


def map_page_table(machine: mm.Machine) -> None:
    """The zero page's entry now names the frame of the page table."""
    entry(lambda pte: pte | leaf(machine) << params.PTE_SHIFT, 200, 0)(machine)


def unlist(machine: mm.Machine) -> None:
    core(machine).lru.remove(listed(machine))


def unlist_meta(machine: mm.Machine) -> None:
    core(machine).meta.remove(mapped(machine))


def free_block(machine: mm.Machine) -> int:
    """The first frame of a largest free block."""
    zones, lru = core(machine).zones, core(machine).lru
    heads = [zones.free_head(0, order) for order in range(10, -1, -1)]
    return int(next(lru.order(head)[0] for head in heads if not lru.is_empty(head)))


def move_free_block(machine: mm.Machine, pfn: int, to: int, order: int) -> None:
    """From where it is on the list to another place and order, the counts kept right."""
    zones, frames, lru = core(machine).zones, core(machine).frames, core(machine).lru
    if lru.is_linked(pfn):
        zones.nr_free[frames.private[pfn]] -= 1
        lru.remove(pfn)
        frames.flags[pfn] = 0
    frames.flags[to], frames.private[to] = params.PG_FREE, order
    zones.nr_free[order] += 1
    lru.add(zones.free_head(0, order), to)


def count_too_many_blocks(machine: mm.Machine) -> None:
    stat = core(machine).zones.stat
    stat[params.NUMA_HIT] = stat[params.NUMA_LOCAL] = stat[params.PGALLOC] + 1


def lose_free_page(machine: mm.Machine) -> None:
    core(machine).lru.remove(free_block(machine))


def split_free_block(machine: mm.Machine) -> None:
    pfn = free_block(machine)
    order = core(machine).frames.private[pfn] - 1
    move_free_block(machine, pfn, pfn, order)
    move_free_block(machine, pfn + (1 << order), pfn + (1 << order), order)


def shift_free_block(machine: mm.Machine) -> None:
    pfn = free_block(machine)
    move_free_block(machine, pfn, pfn + 1, core(machine).frames.private[pfn])


def swell_free_block(machine: mm.Machine) -> None:
    """Its second half is on a list of its own besides."""
    pfn = free_block(machine)
    order = core(machine).frames.private[pfn] - 1
    move_free_block(machine, pfn + (1 << order), pfn + (1 << order), order)


def forget_space(machine: mm.Machine) -> None:
    space = machine.tasks[200].space
    assert space is not None
    machine.spaces[space.mm] = machine.spaces[1] if space.mm != 1 else machine.spaces[2]


def misplace_vma(machine: mm.Machine) -> None:
    space = machine.tasks[200].space
    assert space is not None
    core(machine).vmas.start[space.starts.values()[0]] += 1


def charge_to_nobody(machine: mm.Machine) -> None:
    gone = machine.create_container()
    machine.remove_container(gone)
    core(machine).frames.container[mapped(machine)] = gone.cid


def charge_to_a_number_never_given(machine: mm.Machine) -> None:
    """Its lists have no heads: the checker must not follow them."""
    core(machine).frames.container[mapped(machine)] = 7


def other_space(machine: mm.Machine) -> int:
    space = machine.tasks[200].space
    assert space is not None
    return int(space.mm)


def slab(word: int) -> Callable[[mm.Machine], int]:
    """A word of the partial slab, which holds the dentries 20 to 30."""

    def place(machine: mm.Machine) -> int:
        return int(core(machine).dentry_cache.first_partial) * 512 + word

    return place


def dentry(word: int, at: int = 0) -> Callable[[mm.Machine], int]:
    """A word of an object there."""
    return slab(8 + 3 * at + word)


def slab_frame(machine: mm.Machine) -> int:
    return int(core(machine).dentry_cache.first_partial)


def give_token_away(machine: mm.Machine) -> None:
    core(machine).token.disable()
    core(machine).token.grab(9)


def used_slot(machine: mm.Machine) -> int:
    return next(slot for slot, users in enumerate(memoryview(core(machine).swap.map)) if users)


def free_slot(machine: mm.Machine) -> int:
    return next(slot for slot, users in enumerate(memoryview(core(machine).swap.map)) if slot and not users)


@pytest.mark.parametrize(
    ("damage", "finding"),
    [
        (lambda machine: core(machine).lockdep.swap_held(1), "locks held: 1"),
        (flip(params.PG_METAPAGE, mapped), "a meta page is locked"),
        (forget_space, "its address space is not known"),
        (misplace_vma, "is not where it is sorted"),
        (plus("frames.mapping", mapped), "reverse map"),
        (map_page_table, "is not anonymous"),
        (entry(lambda pte: 0, 200, 4), "anon_rss: 4, but 3"),
        (entry(lambda pte: 0, 200, 0), "file_rss: 2, but 1"),
        (plus("mms.anon_rss", other_space), "anon_rss"),
        (plus("mms.file_rss", other_space), "file_rss"),
        (plus("mms.swap_ptes", other_space), "swap entries"),
        (plus("mms.nr_ptes", other_space), "page tables"),
        (plus("zones.stat", params.NR_PAGETABLE), "page tables: 3, but 2"),
        (flip(params.PG_TABLE, leaf), "is no page table"),
        (entry(lambda pte: params.PTE_DIRTY, 200, 8), "page table entries, all under a VMA: 7, but 6"),
        (flip(params.PG_TABLE, mapped), "a page table belongs to no address space"),
        (plus("zones.stat", params.NR_FREE_PAGES), "free pages"),
        (plus("zones.stat", params.NUMA_HIT), "numa_hit and numa_miss: 1, but 0"),
        (plus("zones.stat", params.NUMA_OTHER), "numa_hit and numa_miss: 0, but 1"),
        (plus("zones.stat", params.NUMA_FOREIGN), "numa_foreign: 1, but 0"),
        (count_too_many_blocks, "more blocks than pages were given"),
        (lose_free_page, "free lists and PG_free do not agree"),
        (plus("zones.stat", params.NR_ACTIVE), "nr_active"),
        (plus("zones.stat", params.NR_INACTIVE), "nr_inactive"),
        (flip(params.PG_ACTIVE, listed), "is on the"),
        (flip(params.PG_LRU, listed), "zone lists and PG_lru do not agree"),
        (unlist, "zone lists and PG_lru do not agree"),
        (charge_to_nobody, "which does not exist"),
        (charge_to_a_number_never_given, "which does not exist"),
        (plus("frames.meta_refs", mapped), "charges for 1 uses"),
        (plus("counters.usage"), "container 0: usage"),
        (unlist_meta, "pages on its lists"),
        (plus("frames.container", mapped, 1), "its lists hold other pages"),
        (plus("containers.css"), "container 0: css references"),
        (plus("containers.nr_cache"), "pages charged as cache"),
        (plus("tables.ram", slab(2)), "objects in use"),
        (plus("tables.ram", slab(3)), "its free places"),
        (plus("tables.ram", slab(1)), "the partial slabs are not"),
        (plus("tables.ram", dentry(2), -1), "the list of unused dentries"),
        (plus("tables.ram", dentry(0)), "the list of unused dentries"),
        (plus("tables.ram", dentry(0, 15)), "its free places"),
        (flip(params.PG_SLAB, slab_frame), "slabs: 2, but 1"),
        (flip(params.PG_SLAB, mapped), "free places"),
        (plus("zones.stat", params.NR_SLAB_RECLAIMABLE), "nr_slab_reclaimable"),
        (plus("swap.cache", lambda machine: core(machine).frames.private[cached(machine)]), "page of its slot"),
        (plus("swap.map", used_slot), "users"),
        (plus("swap.map", free_slot), "users of all slots of swap area 0"),
        (plus("swap.inuse_pages"), "swap area 0: slots in use"),
        (plus("swap.block_used"), "slots in use of block 0"),
        (plus("swap.highest_bit", by=-1), "free slots lie outside"),
        (plus("swap.highest_bit", by=-63), "highest_bit is 0"),
        (plus("swap.is_writeok", by=-1), "the list of swap areas is not whole"),
        (plus("swap.pages"), "swap slots in all"),
        (plus("swap.area_at"), "its slots are another's"),
        (lambda machine: machine.swapfiles.by_name.clear(), "their names do not agree"),
        (give_token_away, "mm 9 holds the swap token"),
        (plus("mms.in_fault", other_space), "a fault is under way"),
        (plus("disks.nr_requests"), "locked pages are not those that the disks read"),
        (plus("disks.congested", 3), "disk 1: congested True with 0 requests of direction 1"),
        (plus("daemons.is_running"), "a daemon runs"),
        (plus("daemons.due_ns", 3, 8), "daemon 3 is next, at 7 ns"),
        (flip(params.PG_SWAPCACHE, cached), "pages in the swap cache"),
        (plus("frames.mapcount", mapped), "mapcount"),
        (plus("frames.count", mapped), "count"),
        (flip(params.PG_FREE, mapped), "free lists and PG_free do not agree"),
        (entry(lambda pte: 0, 200, 4), ": 0 references, flags"),
        (plus("zones.nr_free", 3), "zone 0: free blocks of order 3"),
        (plus("frames.private", free_block), "order of its free block"),
        (split_free_block, "two free buddies of order"),
        (shift_free_block, "begins here"),
        (swell_free_block, "overlaps another"),
        (flip(1 << params.ZONE_SHIFT, free_block), "a foreign page is on its free list"),
        (plus("frames.count", params.ZERO_PAGE), "zero page: count"),
        (plus("zones.stat", params.NR_ANON_PAGES), "nr_anon_pages"),
        (plus("zones.stat", params.NR_FILE_MAPPED), "nr_mapped"),
        (plus("zones.stat", params.NR_FILE_PAGES), "nr_file_pages"),
        (flip(params.PG_WRITEBACK, mapped), "writeback"),
        (flip(params.PG_LOCKED, mapped), "locked pages are not those"),
        (plus("zones.stat", params.NR_WRITEBACK), "nr_writeback"),
    ],
)
def test_planted_damage_is_named(engine: ModuleType, damage: Damage, finding: str) -> None:
    machine = sound(engine)
    damage(machine)
    with pytest.raises(mm.MachineBroken) as found:
        machine.check()
    assert any(finding in line for line in found.value.findings), found.value.findings


def test_a_page_on_two_lists_is_found(engine: ModuleType) -> None:
    """The walk of the other list passes over it, too."""
    machine = sound(engine)
    pages: list[int] = core(machine).model.walk(core(machine), -1)[0]
    first, last = pages[0], pages[-1]
    core(machine).lru.prev[first] = last
    core(machine).zones.stat[params.NR_ACTIVE] -= 1
    with pytest.raises(mm.MachineBroken):
        machine.check()


def test_all_findings_come_at_once(engine: ModuleType) -> None:
    machine = sound(engine)
    plus("counters.usage")(machine)
    plus("mms.anon_rss", other_space)(machine)
    with pytest.raises(mm.MachineBroken) as found:
        machine.check()
    assert len(found.value.findings) == 2
    assert str(found.value).count("\n") == 1


def test_checking_changes_nothing(engine: ModuleType) -> None:
    machine = sound(engine)
    before = mm.dump(machine)
    machine.check()
    assert mm.dump(machine) == before
