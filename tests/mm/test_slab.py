"""Slabs (mm/slab.c), the dentry cache in them (fs/dcache.c), and what shrink_slab asks of it (mm/vmscan.c).

On make_small's machine a page holds 19 dentries; of a machine where nothing else was done the first slab is frame 1.
"""

from __future__ import annotations

from types import ModuleType

import pytest

from memcgfs import mm
from memcgfs.mm.config import objects_per_slab
from memcgfs.mm.dump import partial_slabs, unused_dentries
from memcgfs.mm.params import GFP_KERNEL, GFP_NOFS
from tests.conftest import MakeMachine


def looked_up(make_small: MakeMachine, count: int, **fields: object) -> mm.Machine:
    machine = make_small(**fields)
    assert machine.spawn(100).lookup(count) == count
    return machine


def sizes(machine: mm.Machine) -> tuple[int, int]:
    """(dentries, slabs)"""
    (view,) = machine.slabs()
    return view.nr_objects, view.nr_slabs


def places(machine: mm.Machine) -> list[int]:
    """The dentries from the newest to the oldest, by their places in their slabs."""
    return [number & 255 for number in unused_dentries(machine.core)]


def prune(engine: ModuleType, machine: mm.Machine, count: int) -> None:
    engine.shrink_dcache_memory(machine.core, count, GFP_KERNEL)


def test_dentries_of_a_page() -> None:
    """x86_64: a struct slab of 48 bytes, then 208 bytes and 4 of the free list for each: (4096 - 48) / 212 = 19.09.
    i386: (4096 - 28) / (132 + 4) = 29.91."""
    assert objects_per_slab(208, 48) == 19
    assert objects_per_slab(132, 28) == 29


@pytest.mark.parametrize(("arch", "per_slab"), [("x86_64", 19), ("i386", 29)])
def test_a_slab_is_added_when_the_last_is_full(make_small: MakeMachine, arch: str, per_slab: int) -> None:
    machine = looked_up(make_small, per_slab, arch=arch)
    assert sizes(machine) == (per_slab, 1)
    machine.tasks[100].lookup(1)
    assert sizes(machine) == (per_slab + 1, 2)
    assert machine.vmstat()["nr_slab_reclaimable"] == 2
    assert machine.meminfo()["SReclaimable"] == machine.meminfo()["Slab"] == 8


def test_they_lie_in_low_memory(make_small: MakeMachine) -> None:
    """i386: GFP_KERNEL is served from NORMAL, which is frames 16 to 31, though HIGHMEM has room."""
    machine = looked_up(make_small, 30, arch="i386", zone_pages=(16, 0, 16, 48))
    assert [machine.core.frames.zone(pfn) for pfn in partial_slabs(machine.core)] == [2]
    assert [zone.free for zone in machine.zones()] == [15, 14, 48]


def test_a_dentry_has_two_rounds(make_small: MakeMachine, engine: ModuleType) -> None:
    """40 are looked at: none goes, since each was referenced. The next 19 are the oldest, and were the first slab's: its page goes."""
    machine = looked_up(make_small, 40)
    born = unused_dentries(machine.core)
    prune(engine, machine, 40)
    assert sizes(machine) == (40, 3)
    assert unused_dentries(machine.core) == born
    prune(engine, machine, 19)
    assert sizes(machine) == (21, 2)
    assert unused_dentries(machine.core) == born[:21]
    assert machine.zones()[0].free == 63 - 2


def test_new_ones_come_before_those_that_had_their_round(make_small: MakeMachine, engine: ModuleType) -> None:
    """0 1 2 in this order; 0 gets its second round, 3 comes. Two more get theirs, then 0 is the oldest that is not referenced."""
    machine = looked_up(make_small, 3)
    prune(engine, machine, 1)
    machine.tasks[100].lookup(1)
    assert places(machine) == [3, 0, 2, 1]
    prune(engine, machine, 3)
    assert places(machine) == [2, 1, 3]


def test_places_are_used_again_the_last_freed_first(make_small: MakeMachine, engine: ModuleType) -> None:
    """Frames 1 and 2 are full. 0 to 20 go: slab 1 with its last object, of slab 2 the places 0 and 1, of which 1 is taken first."""
    machine = looked_up(make_small, 38)
    prune(engine, machine, 38 + 21)
    assert sizes(machine) == (17, 1)
    assert partial_slabs(machine.core) == [2]
    machine.tasks[100].lookup(3)
    assert [(number >> 8, number & 255) for number in unused_dentries(machine.core)[:3]] == [(1, 0), (2, 0), (2, 1)]


def test_a_slab_that_lost_an_object_is_filled_last(make_small: MakeMachine, engine: ModuleType) -> None:
    """Slab 3 has room, when slab 1 loses one: new dentries go to 3 until it is full, then to 1."""
    machine = looked_up(make_small, 19 + 19 + 18)
    prune(engine, machine, 56 + 1)
    assert partial_slabs(machine.core) == [3, 1]
    machine.tasks[100].lookup(2)
    assert partial_slabs(machine.core) == []
    assert sizes(machine) == (57, 3)


@pytest.mark.fact("D6")
@pytest.mark.parametrize(
    ("pressure", "count"), [(100, 200), (50, 100), (1, 2), (0, 0), (1000, 2000), (2**31 - 1, 2**31 - 1)]
)
def test_they_count_in_hundreds_weighed_by_vfs_cache_pressure(
    make_small: MakeMachine, engine: ModuleType, pressure: int, count: int
) -> None:
    """250 are 2 hundreds, each of which counts as the setting says; an int holds no more than 2^31 - 1."""
    machine = looked_up(make_small, 250)
    machine.set_sysctl("vfs_cache_pressure", pressure)
    assert engine.shrink_dcache_memory(machine.core, 0, GFP_KERNEL) == count


def test_the_shrinker_may_not_enter_a_filesystem_for_everyone(make_small: MakeMachine, engine: ModuleType) -> None:
    """2 * 3 * 200 / 1, capped at 400, stays to be done until somebody with __GFP_FS asks: 128 at a time, of 400 + 400 capped at 400."""
    machine = looked_up(make_small, 200)
    assert engine.shrink_dcache_memory(machine.core, 1, GFP_NOFS) == -1
    assert engine.shrink_slab(machine.core, 3, GFP_NOFS, 0) == 0
    assert machine.core.dentry_cache.nr_to_scan == 400
    assert (sizes(machine), machine.vmstat()["slabs_scanned"]) == ((200, 11), 0)
    assert engine.shrink_slab(machine.core, 3, GFP_KERNEL, 0) == 200
    assert machine.vmstat()["slabs_scanned"] == 384


@pytest.mark.fact("D6")
def test_pressure_is_what_was_scanned_of_the_lru(make_small: MakeMachine, engine: ModuleType) -> None:
    """300 dentries, 40 pages scanned of 99: 4 * 40 / 2 * 300 / (99 + 1) = 240 to look at. One step of 128, which frees nothing; 112 stay.

    The same again: 352 make two steps, 96 stay. They give the other 172 their round and free 84: 4 slabs of 19 and 8 more, so that 216
    are left, which count as 200: a hundred less.
    """
    machine = looked_up(make_small, 300)
    core = machine.core
    assert engine.shrink_slab(core, 40, GFP_KERNEL, 99) == 0
    assert (core.dentry_cache.nr_to_scan, machine.vmstat()["slabs_scanned"]) == (112, 128)
    assert engine.shrink_slab(core, 40, GFP_KERNEL, 99) == 100
    assert (core.dentry_cache.nr_to_scan, machine.vmstat()["slabs_scanned"]) == (96, 384)
    assert sizes(machine) == (216, 12)


def test_nothing_scanned_counts_as_a_cluster(make_small: MakeMachine, engine: ModuleType) -> None:
    """swap_cluster_max is 4: 4 * 4 / 2 * 200 / (9 + 1) = 160."""
    machine = looked_up(make_small, 200)
    engine.shrink_slab(machine.core, 0, GFP_KERNEL, 9)
    assert (machine.core.dentry_cache.nr_to_scan, machine.vmstat()["slabs_scanned"]) == (32, 128)


def test_an_empty_cache_is_asked_on(make_small: MakeMachine, engine: ModuleType) -> None:
    """100 dentries that count as 200: at most 400. Two steps give 100 a round and free 100; the kernel asks for the third all the same."""
    machine = looked_up(make_small, 100)
    machine.set_sysctl("vfs_cache_pressure", 200)
    assert engine.shrink_slab(machine.core, 1000, GFP_KERNEL, 0) == 200
    assert (sizes(machine), machine.core.dentry_cache.nr_to_scan) == ((0, 0), 16)
    assert machine.vmstat()["slabs_scanned"] == 384


def test_the_largest_pressure_of_all_ends(make_small: MakeMachine, engine: ModuleType) -> None:
    """2 * (2^31 - 1) to look at are 33,554,431 steps, nearly all of them of an empty cache."""
    machine = looked_up(make_small, 100)
    machine.set_sysctl("vfs_cache_pressure", 2**31 - 1)
    engine.shrink_slab(machine.core, 1000, GFP_KERNEL, 0)
    assert machine.vmstat()["slabs_scanned"] == (2 * (2**31 - 1)) // 128 * 128


@pytest.mark.parametrize(("count", "left"), [(1040, 32), (950, 0), (99, 99)])
def test_dropping(make_small: MakeMachine, engine: ModuleType, count: int, left: int) -> None:
    """1040 count as 1000: 1998 to look at are 15 steps (1920), of which 1040 give a round and 880 free one. The 160 left count as 100: 78
    and 199, capped at 200, make one step; the 32 left count as none. (950: 14 steps leave 108, and one frees these. 99 count as none.)"""
    machine = looked_up(make_small, count)
    engine.drop_slab(machine.core)
    assert sizes(machine)[0] == left
    engine.drop_slab(machine.core)
    assert sizes(machine)[0] == left


def test_dropping_may_take_two_goes(make_small: MakeMachine, engine: ModuleType) -> None:
    """150 count as 100: of 4000 / 2 * 100 / 1001 one step of 128 is made, and 71 stay. It frees nothing, so that there is no
    next round. The next time the other 22 have their second chance, and 106 go."""
    machine = looked_up(make_small, 150)
    engine.drop_slab(machine.core)
    assert (sizes(machine)[0], machine.core.dentry_cache.nr_to_scan) == (150, 71)
    engine.drop_slab(machine.core)
    assert sizes(machine)[0] == 44


def test_a_machine_full_of_names_forgets_the_oldest(make_small: MakeMachine) -> None:
    """63 frames hold 1,197 dentries. Who looks up ten times as many is not killed for it, and the newest are there."""
    machine = make_small(swap_pages=0)
    task = machine.spawn(100)
    task.lookup(12_000)
    assert (task.state, list(machine.log)) == ("R", [])
    assert 0 < sizes(machine)[0] <= 63 * 19
    assert machine.vmstat()["allocstall"] > 0
    assert machine.vmstat()["slabs_scanned"] > 0


def test_names_go_for_pages(make_small: MakeMachine) -> None:
    """900 dentries are 48 pages of 63; a task that needs 50 gets them, without swap."""
    machine = looked_up(make_small, 900, swap_pages=0)
    task = machine.tasks[100]
    task.touch(0, 50)
    assert (task.state, task.rss_pages) == ("R", 50)
    assert sizes(machine)[1] <= 12


@pytest.mark.fact("R3")
def test_a_container_at_its_limit_spares_them(make_small: MakeMachine) -> None:
    """Reclaim for a container passes over slabs, however much it scans; and names are charged to nobody."""
    machine = make_small()
    container = machine.create_container()
    container.limit = 8
    task = machine.spawn(100, container)
    task.lookup(500)
    assert container.usage == 0
    task.touch(0, 40)
    assert sizes(machine) == (500, 27)
    assert machine.vmstat()["slabs_scanned"] == 0
    assert task.swap_pages == 32


def test_without_memory_the_lookup_fails_and_says_how_far_it_came(make_small: MakeMachine) -> None:
    """63 frames: a page table, 60 pages that are locked in memory, and 2 for 38 dentries, which are too few for the shrinker. Who would be
    killed shares its memory with somebody who must not be."""
    machine = make_small(swap_pages=0)
    task = machine.spawn(100)
    machine.clone_thread(task, 101).set_oom_adj(-17)
    task.mmap(0, 60, locked=True)
    with pytest.raises(mm.OutOfMemory) as failed:
        task.lookup(100)
    assert failed.value.args[1] == 38
    assert (task.state, sizes(machine)) == ("R", (38, 2))


def test_who_is_killed_while_it_looks_up_is_told(make_small: MakeMachine) -> None:
    machine = make_small(swap_pages=0)
    task = machine.spawn(100)
    task.mmap(0, 60, locked=True)
    with pytest.raises(mm.OutOfMemory, match="killed: out of memory"):
        task.lookup(100)
    assert task.state == "Z"


def test_the_dead_look_up_nothing(make_small: MakeMachine) -> None:
    task = make_small().spawn(100)
    task.exit()
    with pytest.raises(mm.TaskDead):
        task.lookup(1)


def test_frames_that_were_slabs_read_as_zeros(make_small: MakeMachine, engine: ModuleType) -> None:
    """What mm/slab.c wrote there is nobody's content."""
    machine = looked_up(make_small, 950)
    engine.drop_slab(machine.core)
    task = machine.tasks[100]
    task.touch(0, 40)
    assert task.read_mem(0, 40 * 4096) == bytes(40 * 4096)


def test_slabs_of_frames_that_had_content(make_small: MakeMachine) -> None:
    """The words of a slab are made, whatever the frame held before."""
    machine = make_small()
    task = machine.spawn(100)
    task.write_mem(0, b"\xff" * 4096 * 40)
    task.munmap(0, 40)
    task.lookup(700)
    machine.check()
    assert sizes(machine) == (700, 37)
