"""What reclaim does with the pages it looks at: shrink_active_list, shrink_page_list, and the zone's numbers that all share."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from memcgfs import mm
from memcgfs.mm.params import AT_CONGESTION_WAIT, AT_ISOLATE, NR_ACTIVE, NR_INACTIVE, PG_ACTIVE, PG_DIRTY, PG_SWAPCACHE, PG_WRITEBACK
from tests.conftest import MakeMachine

from .looking import cold_task, flags, frame, reclaim_mapped, zone_lists

Prepare = Callable[[mm.Machine], None]


def container_of(machine: mm.Machine, limit: int) -> mm.Container:
    container = machine.create_container()
    container.limit = limit
    return container


# shrink_active_list: may mapped pages leave the active list?


def one_by_one(make_small: MakeMachine, mapped: int) -> tuple[mm.Machine, mm.Task]:
    """100 frames of which `mapped` are mapped, the last two by a full container of 2; each priority looks at 1 page of each list.

    While a page is young its first look makes it old; its second moves it to the inactive list, from where it is freed at once. So
    from the priority on that may take mapped pages, two more are needed.
    """
    machine = make_small(frames=101, swap_cluster_max=1, pagevec_size=1)
    task = machine.spawn(200, container_of(machine, 2))
    task.touch(0, 2)
    if mapped > 2:
        machine.spawn(100).touch(0, mapped - 2)
    return machine, task


def priority_of_success(machine: mm.Machine, task: mm.Task) -> int:
    task.touch(2, 1)
    assert task.container.failcnt == 1
    return machine.zones()[0].prev_priority


@pytest.mark.fact("R8")
def test_mapped_pages_are_taken_at_once_where_four_fifths_are_mapped(make_small: MakeMachine) -> None:
    """80 / 2 + 0 + 60 is 100."""
    assert priority_of_success(*one_by_one(make_small, mapped=80)) == 10


@pytest.mark.fact("R8", "R9")
def test_mapped_pages_wait_for_distress_where_fewer_are(make_small: MakeMachine) -> None:
    """79 // 2 + 60 is 99, and 100 >> 6 at priority 6 is 1; from 6 on the shares (79 >> 6 is 1, >> 5 is 2) are 2, 3 pages a priority.

    6: one page of two grows old, then the other. 5: the first goes to the inactive list and is freed.
    """
    assert priority_of_success(*one_by_one(make_small, mapped=79)) == 5


@pytest.mark.fact("R8")
@pytest.mark.parametrize(("swappiness", "priority"), [(100, 10), (89, 10), (88, 4), (87, 3)])
def test_swappiness_stands_in_for_distress(make_small: MakeMachine, swappiness: int, priority: int) -> None:
    """22 of 100 mapped is 11 points. With 89 that is enough, with 88 at priority 6, whose distress is 1, with 87 at 5, where it is 3."""
    machine, task = one_by_one(make_small, mapped=22)
    machine.set_sysctl("swappiness", swappiness)
    assert priority_of_success(machine, task) == priority


def near_oom(machine: mm.Machine) -> None:
    """Scanned three times round without a page coming free."""
    zones = machine.core.zones
    zones.pages_scanned[0] = 3 * (zones.count(0, NR_ACTIVE) + zones.count(0, NR_INACTIVE))


def just_not_near_oom(machine: mm.Machine) -> None:
    """The two looks before the last page's count, too."""
    near_oom(machine)
    machine.core.zones.pages_scanned[0] -= 3


def others_in_trouble(machine: mm.Machine) -> None:
    """Somebody else's reclaim got down to priority 0 in this zone: distress is 100 for all."""
    machine.core.zones.prev_priority[0] = 0


@pytest.mark.fact("R8", "R9")
@pytest.mark.parametrize(("prepare", "priority"), [(near_oom, 10), (just_not_near_oom, 7), (others_in_trouble, 10)])
def test_trouble_in_the_zone_makes_mapped_pages_fair_game(make_small: MakeMachine, prepare: Prepare, priority: int) -> None:
    """Three looks at pages that are kept (12, 11, 10) are the three that were missing; then 9 and 8 make old, and 7 takes."""
    machine, task = one_by_one(make_small, mapped=2)
    machine.set_sysctl("swappiness", 0)
    prepare(machine)
    assert priority_of_success(machine, task) == priority


@pytest.mark.fact("R10")
def test_anonymous_pages_stay_active_where_there_is_no_swap(make_small: MakeMachine) -> None:
    machine = make_small(swap_pages=0, pagevec_size=1)
    reclaim_mapped(machine)
    task = machine.spawn(100, container_of(machine, 2))
    task.touch(0, 2)
    with pytest.raises(mm.OutOfMemory):
        task.touch(2, 1)
    assert machine.vmstat()["pgrefill_dma"] > 0
    assert machine.vmstat()["pgdeactivate"] == 0


@pytest.mark.fact("R10")
def test_young_pages_stay_active_and_grow_old(make_small: MakeMachine) -> None:
    """8 pages, the first 4 young: the first look goes to the four at the tail. With a cluster of 4, the old ones go instead."""
    machine = make_small(pagevec_size=1)
    reclaim_mapped(machine)
    task = cold_task(machine, container_of(machine, 8), 8)
    frames = [frame(task, page) for page in range(8)]
    task.touch(0, 4, write=False)
    task.touch(8, 1)
    active, inactive = task.container.lists()
    assert set(frames[:4]) <= set(active) | set(inactive)
    assert [page for page in range(9) if task.pagemap(page, 1)[0] >> 62 == 1] == [4, 5, 6, 7]


# shrink_page_list


@pytest.mark.fact("R15")
def test_a_page_under_writeback_is_kept(make_small: MakeMachine) -> None:
    """A slow disk: the page is in the swap cache and being written when the reclaim that sent it there is over."""
    machine = make_small(pagevec_size=1, disk=mm.DiskConfig())
    reclaim_mapped(machine)
    task = cold_task(machine, machine.create_container(), 4)
    pfn = frame(task, 0)
    task.container.limit = 4
    seen: list[int] = []
    machine.set_interleave(lambda point, _: seen.append(flags(machine, pfn)) if point == AT_CONGESTION_WAIT else None)
    task.touch(4, 1)
    assert seen
    assert seen[0] & (PG_SWAPCACHE | PG_WRITEBACK | PG_DIRTY | PG_ACTIVE) == PG_SWAPCACHE | PG_WRITEBACK
    assert machine.vmstat()["pswpout"] == 4


@pytest.mark.fact("R18")
def test_without_a_slot_the_page_is_activated(make_small: MakeMachine) -> None:
    """2 pages of swap are a header and 1 slot: one page goes, the others come back to the active list."""
    machine = make_small(swap_pages=2, pagevec_size=1)
    reclaim_mapped(machine)
    task = cold_task(machine, container_of(machine, 4), 4)
    task.touch(4, 1)
    assert task.swap_pages == 1
    assert machine.vmstat()["pgactivate"] > 0


@pytest.mark.fact("P4", "R19")
def test_a_locked_mapping_refuses_and_the_page_is_activated(make_small: MakeMachine) -> None:
    machine = make_small(pagevec_size=1)
    reclaim_mapped(machine)
    task = machine.spawn(100, container_of(machine, 2))
    task.mmap(0, 2, locked=True)
    with pytest.raises(mm.OutOfMemory):
        task.touch(2, 1)
    assert machine.vmstat()["pswpout"] == 0
    assert machine.vmstat()["pgactivate"] > 0


@pytest.mark.fact("R20")
def test_laptop_mode_keeps_dirty_pages_in_the_swap_cache(make_small: MakeMachine) -> None:
    """One pass a round. The first deactivates 4 pages; in the second each gets a slot, leaves its page table, and stays dirty."""
    machine = make_small(pagevec_size=1, def_priority=0)
    reclaim_mapped(machine)
    machine.set_sysctl("laptop_mode", 1)
    task = cold_task(machine, container_of(machine, 4), 4)
    frames = [frame(task, page) for page in range(4)]
    seen: list[list[int]] = []

    def look(point: int, _: int) -> None:
        if point == AT_CONGESTION_WAIT:
            seen.append([flags(machine, pfn) & (PG_SWAPCACHE | PG_DIRTY | PG_WRITEBACK) for pfn in frames])

    machine.set_interleave(look)
    with pytest.raises(mm.OutOfMemory):
        task.touch(4, 1)
    assert seen[:2] == [[0] * 4, [PG_SWAPCACHE | PG_DIRTY] * 4]
    assert machine.vmstat()["pswpout"] == 0


@pytest.mark.fact("R24")
def test_a_synchronous_device_frees_at_once(make_small: MakeMachine) -> None:
    machine = make_small(pagevec_size=1)
    reclaim_mapped(machine)
    task = cold_task(machine, container_of(machine, 4), 4)
    task.touch(4, 1)
    counts = machine.vmstat()
    assert (counts["pgsteal_dma"], counts["pswpout"], counts["nr_vmscan_write"], machine.clock_ns) == (4, 4, 4, 0)
    assert task.container.usage == 1


# The zone's numbers


@pytest.mark.fact("I4")
def test_a_wrong_zone_page_at_the_tail_stalls_the_scan_and_is_counted(make_small: MakeMachine) -> None:
    """Zone DMA32 has 8 frames: 2 page tables, 4 pages of somebody else, pages 0 and 1 of the container; 2 and 3 lie in zone DMA.

    The list is 3 2 1 0 from head to tail. A round begins in DMA32, whose 6 active pages are 7 looks, in pieces of 4 and 3. The first
    takes 0 and 1 and looks at 2 twice, which is of another zone and stays; the second looks at nothing but 2. The 2 active pages of
    zone DMA are 3 looks, less than a cluster. In the second round 2 is still at the tail: 7 looks for nothing.
    """
    machine = make_small(zone_pages=(32, 8, 0, 0), swap_pages=0, pagevec_size=1, def_priority=0)
    machine.spawn(100).touch(0, 4)
    task = machine.spawn(200, container_of(machine, 4))
    task.touch(0, 4)
    frames = [frame(task, page) for page in range(4)]
    assert [machine.core.frames.zone(pfn) for pfn in frames] == [1, 1, 0, 0]
    zones = machine.core.zones
    scanned: list[tuple[int, int]] = []
    tails: list[int] = []

    def look(point: int, _: int) -> None:
        if point == AT_CONGESTION_WAIT:
            scanned.append((zones.pages_scanned[1], zones.pages_scanned[0]))
            tails.append(task.container.lists()[0][-1])

    machine.set_interleave(look)
    with pytest.raises(mm.OutOfMemory):
        task.touch(4, 1)
    assert scanned[:2] == [(7, 0), (14, 6)]
    assert tails[0] == frames[2]
    assert machine.vmstat()["pgrefill_dma32"] == 6 * 7


@pytest.mark.fact("R7")
def test_a_failed_reclaim_of_a_container_brings_the_zone_near_oom(make_small: MakeMachine) -> None:
    machine = make_small(swap_pages=0, pagevec_size=1)
    machine.spawn(100).touch(0, 8)
    task = machine.spawn(200, container_of(machine, 4))
    task.touch(0, 4)
    scanned: list[int] = []
    machine.set_interleave(lambda point, _: scanned.append(machine.zones()[0].pages_scanned) if point == AT_CONGESTION_WAIT else None)
    with pytest.raises(mm.OutOfMemory):
        task.touch(4, 1)
    # 35 looks a round (test_driver.py); five waits
    assert scanned == [35, 70, 105, 140, 175]
    assert scanned[1] >= 3 * 12
    assert machine.zones()[0].pages_scanned == 0, "the dying task's pages came free"


@pytest.mark.fact("D4")
def test_a_zone_given_up_is_tried_at_the_first_priority_only(make_small: MakeMachine) -> None:
    """all_unreclaimable is the zone's, and binds a container's reclaim too: 13 shares of 1 page shrink to one a round."""
    machine = make_small(swap_pages=0, pagevec_size=1, swap_cluster_max=1)
    task = machine.spawn(200, container_of(machine, 4))
    task.touch(0, 4)
    machine.core.zones.all_unreclaimable[0] = 1
    with pytest.raises(mm.OutOfMemory):
        task.touch(4, 1)
    assert machine.vmstat()["pgrefill_dma"] == 6


@pytest.mark.fact("D5")
def test_the_machines_reclaim_leaves_its_priority_to_containers(make_small: MakeMachine) -> None:
    machine = make_small(pagevec_size=1, swap_pages=0)
    left: list[int] = []
    machine.set_interleave(lambda *_: left.append(machine.zones()[0].prev_priority))
    with pytest.raises(mm.OutOfMemory):
        machine.spawn(100).touch(0, 80)
    assert 0 in left


@pytest.mark.fact("I8", "R26")
def test_what_is_put_back_may_be_on_the_other_list_of_its_container(make_small: MakeMachine) -> None:
    """A foreign mapping is young. The owner's reclaim does not see that, but cannot unmap the page, and activates it.

    The zone has it active again, its container inactive, until the container's isolation comes across it.
    """
    machine = make_small(pagevec_size=1, swap_cluster_max=1)
    reclaim_mapped(machine)
    task = cold_task(machine, container_of(machine, 1), 1)
    other = task.fork(300)
    machine.attach(other, machine.create_container())
    other.touch(0, 1, write=False)
    pfn = frame(task, 0)
    seen: list[tuple[bool, bool]] = []

    def look(point: int, at: int) -> None:
        if point == AT_ISOLATE and at == pfn:
            seen.append((pfn in zone_lists(machine)[0], pfn in task.container.lists()[0]))

    machine.set_interleave(look)
    task.touch(1, 1)
    # active in both, inactive in both, then apart, and together again
    assert seen[:4] == [(True, True), (False, False), (True, False), (True, True)]
