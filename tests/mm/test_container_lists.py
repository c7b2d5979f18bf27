"""mem_container_move_lists, from every place where the seed calls it: a page activated, deactivated, kept active.

What reclaim does to a page shows while it waits for the disk: until the write is done the page stays on its lists.
"""

from __future__ import annotations

import pytest

from memcgfs.mm import DiskConfig, Machine
from memcgfs.mm import lru as uncompiled_lru
from memcgfs.mm.params import AT_CONGESTION_WAIT, LOCK_CONTAINER_LRU, LOCK_META_PAGE, LOCK_ZONE_LRU
from memcgfs.mm.trace_ring import MOVED_STAYS, WHY_ACTIVATE_ACCESSED
from tests.conftest import MakeMachine

from .looking import Lists, cold_task, once_at, reclaim_mapped, uncompiled, zone_lists

SLOW_DISK = DiskConfig(latency_ns=1_000_000, bytes_per_s=0, depth=8)


def both_lists(machine: Machine, cid: int) -> tuple[Lists, Lists]:
    """The zone's lists, and the container's."""
    return zone_lists(machine), machine.containers[cid].lists()


@pytest.mark.fact("R12", "T2")
def test_deactivated_pages_go_to_the_inactive_list_and_kept_ones_to_the_head(make_small: MakeMachine) -> None:
    """Five pages in frames 2 to 6, cold but for pages 1 and 3 (frames 3 and 5); swap_cluster_max 4, pagevecs of one page.

    The accumulators reach 4 at priority 9. The active scan takes 2, 3, 4, 5 from the tail: 2 and 4 are deactivated in this order, 3 and
    5 are kept, in this order to the head, in front of 6. The inactive scan starts the write of both, and puts them back as they were.
    The new page, in frame 1, is not charged yet, and on no list.
    """
    machine = make_small(pagevec_size=1, disk=SLOW_DISK)
    reclaim_mapped(machine)
    container = machine.create_container()
    container.limit = 5
    task = cold_task(machine, container, 5)
    task.touch(1, 1, write=False)
    task.touch(3, 1, write=False)
    seen: list[tuple[Lists, Lists]] = []
    once_at(machine, AT_CONGESTION_WAIT, lambda: seen.append(both_lists(machine, container.cid)))
    task.touch(5, 1)
    assert seen == [(([5, 3, 6], [4, 2]), ([5, 3, 6], [4, 2]))]


def test_what_these_moves_count_as(make_small: MakeMachine) -> None:
    """As above. The inactive scan finds two pages where four were asked for, so it goes round again, and finds both under writeback."""
    machine = make_small(pagevec_size=1, disk=SLOW_DISK)
    reclaim_mapped(machine)
    container = machine.create_container()
    container.limit = 5
    task = cold_task(machine, container, 5)
    task.touch(1, 1, write=False)
    task.touch(3, 1, write=False)
    seen: list[dict[str, int]] = []
    once_at(machine, AT_CONGESTION_WAIT, lambda: seen.append(machine.vmstat()))
    task.touch(5, 1)
    names = ("pgrefill_dma", "pgdeactivate", "pgscan_direct_dma", "nr_active", "nr_inactive", "nr_writeback")
    assert [seen[0][name] for name in names] == [4, 2, 4, 3, 2, 2]


@pytest.mark.fact("T2")
def test_a_page_activated_by_use_moves_on_both_lists(make_small: MakeMachine) -> None:
    """activate_page, by mark_page_accessed, by the second of two tasks that fault in a page which is being written to swap.

    swap_cluster_max 1, so each priority scans one page of each list. Inactive lists after each: 12: frame 2 is deactivated, and its
    write begins: [2]. 11: 3 is deactivated; 2, at the tail, is under writeback and goes to the head: [2, 3]. 10: 4 is deactivated,
    the write of 3 begins: [3, 4, 2]. 9: nothing is active; 2 goes to the head: [2, 3, 4]. Pages were scanned, so the driver waits.
    There tasks 102 and 103 read page 0, in frame 2: it is inactive and unreferenced, then inactive and referenced, then active.
    Unmapped, it kept its charge as swap cache, so it was on the container's lists all the time.
    """
    machine = make_small(pagevec_size=1, swap_cluster_max=1, disk=SLOW_DISK)
    reclaim_mapped(machine)
    container = machine.create_container()
    container.limit = 3
    task = cold_task(machine, container, 3)
    first, second = task.fork(102), task.fork(103)
    seen: list[tuple[Lists, Lists]] = []

    def read_twice() -> None:
        seen.append(both_lists(machine, container.cid))
        first.touch(0, 1, write=False)
        seen.append(both_lists(machine, container.cid))
        activated = machine.vmstat()["pgactivate"]
        second.touch(0, 1, write=False)
        seen.append(both_lists(machine, container.cid))
        assert machine.vmstat()["pgactivate"] == activated + 1

    once_at(machine, AT_CONGESTION_WAIT, read_twice)
    task.touch(3, 1)
    before: Lists = ([], [2, 3, 4])
    after: Lists = ([2], [3, 4])
    assert seen == [(before, before), (before, before), (after, after)]
    assert first.min_flt == second.min_flt == 1


@pytest.mark.fact("T3")
def test_a_page_without_a_meta_page_moves_on_the_zones_lists_only(make_small: MakeMachine) -> None:
    """15 frames: a page table, 12 cold pages that nobody is charged for any more, and room for two of three new ones.

    The machine runs full, and the old pages are deactivated and swapped by the machine's own reclaim. The container, which they once
    belonged to, sees nothing of it.
    """
    machine = make_small(frames=16, pagevec_size=1)
    reclaim_mapped(machine)
    container = machine.create_container()
    task = cold_task(machine, container, 12)
    machine.force_empty(container)
    assert container.lists() == ([], [])
    task.touch(12, 3)
    assert machine.vmstat()["pgdeactivate"] > 0
    assert task.swap_pages > 0
    charged = {*container.lists()[0], *container.lists()[1]}
    assert len(charged) == container.usage == 3
    assert charged == {frame for frame in range(1, 16) if machine.core.frames.meta_refs[frame]}


@pytest.mark.fact("T4")
@uncompiled
def test_the_containers_lock_nests_inside_the_zones(make_small: MakeMachine) -> None:
    """Locks are asserted uncompiled only. Whoever holds a container's lru_lock may not ask for a zone's, nor for a page's."""
    core = make_small().core
    core.lockdep.lock(LOCK_CONTAINER_LRU)
    for lock in (LOCK_ZONE_LRU, LOCK_META_PAGE, LOCK_CONTAINER_LRU):
        with pytest.raises(AssertionError, match=f"lock class {lock} taken while 4 is held"):
            core.lockdep.lock(lock)
    core.lockdep.unlock(LOCK_CONTAINER_LRU)
    with pytest.raises(AssertionError, match="released without being held"):
        core.lockdep.unlock(LOCK_CONTAINER_LRU)
    core.lockdep.lock(LOCK_ZONE_LRU)
    core.lockdep.lock(LOCK_CONTAINER_LRU)
    core.lockdep.unlock(LOCK_CONTAINER_LRU)
    core.lockdep.unlock(LOCK_ZONE_LRU)


@pytest.mark.fact("T4")
@uncompiled
def test_every_hook_takes_both_locks_in_order(make_small: MakeMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    """move_lists is called with the zone's lock held, and takes the container's: seen at each call of the three hooks."""
    machine = make_small(swap_cluster_max=1, pagevec_size=1)
    reclaim_mapped(machine)
    container = machine.create_container()
    container.limit = 3
    model = machine.core.model
    held: list[tuple[bool, int]] = []
    moved = model.moved

    def watch(core: object, pfn: int, active: bool, why: int) -> None:
        held.append((active, machine.core.lockdep.held))
        moved(core, pfn, active, why)

    monkeypatch.setattr(model, "moved", watch)
    task = cold_task(machine, container, 3)
    task.touch(0, 1, write=False)
    task.touch(3, 1)
    assert held == [(True, LOCK_ZONE_LRU), (False, LOCK_ZONE_LRU)], "frame 2 kept, frame 3 deactivated"
    held.clear()
    uncompiled_lru.activate_page(machine.core, model.lru, 4, WHY_ACTIVATE_ACCESSED)
    assert held == [], "it is active, so nothing moves"
    task.madvise(3, 1, "dontneed")
    machine.core.lockdep.lock(LOCK_CONTAINER_LRU)
    with pytest.raises(AssertionError, match="lock class 4 taken while 4 is held"):
        moved(machine.core, 4, True, MOVED_STAYS)
    machine.core.lockdep.unlock(LOCK_CONTAINER_LRU)
