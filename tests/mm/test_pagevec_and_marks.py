"""lru.py (mm/swap.c): pages on their way to the LRU, marks of use, and pages that were written."""

from __future__ import annotations

import pytest

from memcgfs.mm import DiskConfig
from memcgfs.mm import lru as uncompiled_lru
from memcgfs.mm.params import (
    AT_CONGESTION_WAIT,
    AT_ISOLATE,
    PG_ACTIVE,
    PG_DIRTY,
    PG_LOCKED,
    PG_LRU,
    PG_REFERENCED,
)
from tests.conftest import MakeMachine

from .looking import Lists, at, cold_task, flags, frame, once_at, page_0_in_swap, reclaim_mapped, uncompiled, waiting, zone_lists

SLOW_DISK = DiskConfig(latency_ns=1_000_000, bytes_per_s=0, depth=8)


@pytest.mark.fact("A5", "T5")
def test_pages_arrive_in_batches(make_small: MakeMachine) -> None:
    """pagevec_size 3: two pages wait, with a reference each and no flag; the third brings all of them to the list, oldest deepest."""
    machine = make_small(pagevec_size=3)
    task = machine.spawn(10)
    task.touch(0, 2)
    assert waiting(machine) == ([2, 3], [])
    assert zone_lists(machine) == ([], [])
    assert [flags(machine, pfn) & (PG_LRU | PG_ACTIVE) for pfn in (2, 3)] == [0, 0]
    assert list(machine.core.frames.count[2:4]) == [2, 2]
    task.touch(2, 2)
    assert waiting(machine) == ([5], [])
    assert zone_lists(machine) == ([4, 3, 2], [])
    assert {flags(machine, pfn) & (PG_LRU | PG_ACTIVE) for pfn in (2, 3, 4)} == {PG_LRU | PG_ACTIVE}
    assert list(machine.core.frames.count[2:6]) == [1, 1, 1, 2]
    assert machine.vmstat()["nr_active"] == 3


@pytest.mark.parametrize("size", [1, 2, 14])
def test_the_batch_is_as_large_as_the_pagevec(make_small: MakeMachine, size: int) -> None:
    machine = make_small(pagevec_size=size)
    machine.spawn(10).touch(0, 15)
    assert machine.vmstat()["nr_active"] == 15 // size * size


@pytest.mark.fact("T5")
def test_the_container_has_a_page_before_the_lru_has_it(make_small: MakeMachine) -> None:
    machine = make_small(pagevec_size=3)
    container = machine.create_container()
    machine.spawn(10, container).touch(0, 2)
    assert container.lists() == ([3, 2], [])
    assert zone_lists(machine) == ([], [])


@pytest.mark.fact("T6")
def test_unmapping_drains_first(make_small: MakeMachine) -> None:
    """zap_page_range calls lru_add_drain, so that pages are freed at once and not when the pagevec is full."""
    machine = make_small(pagevec_size=14)
    task = machine.spawn(10)
    task.touch(0, 3)
    task.madvise(1, 1, "dontneed")
    assert waiting(machine) == ([], [])
    assert zone_lists(machine) == ([4, 2], [])
    assert machine.vmstat()["pgfree"] == 1


@pytest.mark.fact("R13", "T6")
def test_reclaim_drains_first(make_small: MakeMachine) -> None:
    """The pages that wait could not be isolated. Frames 2, 3, 4 arrive before the first is looked at, cold as they are, and 2 is freed;
    the new page waits in its turn."""
    machine = make_small(pagevec_size=14, swap_cluster_max=1)
    reclaim_mapped(machine)
    container = machine.create_container()
    container.limit = 3
    parent = machine.spawn(10, container)
    parent.touch(0, 3)
    for pfn in (2, 3, 4):
        machine.engine.page_referenced(machine.core, pfn, True, -1)
    assert waiting(machine) == ([2, 3, 4], [])
    seen: list[Lists] = []
    once_at(machine, AT_ISOLATE, lambda: seen.append(zone_lists(machine)))
    parent.touch(3, 1)
    assert seen == [([4, 3, 2], [])]
    assert zone_lists(machine) == ([4, 3], [])
    assert waiting(machine) == ([5], [])


@pytest.mark.fact("T6")
def test_reading_ahead_drains_last(make_small: MakeMachine) -> None:
    """swapin_readahead ends with lru_add_drain: pages 0 and 1, in slots 1 and 2, are read and on the active list, last read first."""
    machine = make_small(pagevec_size=14, swap_cluster_max=2)
    reclaim_mapped(machine)
    container = machine.create_container()
    container.limit = 2
    task = cold_task(machine, container, 2)
    task.touch(2, 1)
    assert task.swap_pages == 2
    container.limit = 10
    task.touch(0, 1, write=False)
    first = frame(task, 0)
    task.touch(1, 1, write=False)
    assert zone_lists(machine) == ([frame(task, 1), first, 1], [])
    assert waiting(machine) == ([], [])
    assert (task.maj_flt, machine.vmstat()["pswpin"]) == (1, 2)


@pytest.mark.fact("A2", "A5")
def test_a_page_read_from_swap_is_marked_as_used(make_small: MakeMachine) -> None:
    """mark_page_accessed in do_swap_page: it waits for the active list, and is referenced. A page that was first written is not."""
    machine = make_small(pagevec_size=1, swap_cluster_max=1)
    container, task = page_0_in_swap(machine)
    container.limit = 10
    task.touch(0, 1, write=False)
    assert [bool(flags(machine, frame(task, page)) & PG_REFERENCED) for page in (0, 3)] == [True, False]


MARKS = [
    # flags before, flags after
    (PG_LRU, PG_LRU | PG_REFERENCED),
    (PG_LRU | PG_REFERENCED, PG_LRU | PG_ACTIVE),
    (PG_LRU | PG_ACTIVE, PG_LRU | PG_ACTIVE | PG_REFERENCED),
    (PG_LRU | PG_ACTIVE | PG_REFERENCED, PG_LRU | PG_ACTIVE | PG_REFERENCED),
    (0, PG_REFERENCED),
    (PG_REFERENCED, PG_REFERENCED),
]


@pytest.mark.fact("A1")
@uncompiled
@pytest.mark.parametrize(("before", "after"), MARKS)
def test_mark_page_accessed(make_small: MakeMachine, before: int, after: int) -> None:
    """Only the engine calls it. A page in a pagevec (without PG_lru) is marked, but never activated."""
    machine = make_small(pagevec_size=1)
    machine.spawn(10).touch(0, 2)
    core, lru = machine.core, machine.core.model.lru
    uncompiled_lru.del_page_from_lru(core, 2)
    core.frames.set(2, before)
    if before & PG_LRU:
        uncompiled_lru.add_page_to_list(core, lru, 2, bool(before & PG_ACTIVE))
    uncompiled_lru.mark_page_accessed(core, lru, 2)
    assert flags(machine, 2) & (PG_LRU | PG_ACTIVE | PG_REFERENCED) == after
    if after & PG_LRU:
        assert zone_lists(machine) == (([2, 3], []) if after & PG_ACTIVE else ([3], [2]))
    assert machine.vmstat()["pgactivate"] == (not before & PG_ACTIVE and bool(after & PG_ACTIVE))
    if not after & PG_LRU:
        core.frames.set(2, PG_LRU)
        uncompiled_lru.add_page_to_list(core, lru, 2, False)


@pytest.mark.fact("R23")
def test_written_pages_go_to_the_tail_in_the_order_of_their_writes(make_small: MakeMachine) -> None:
    """Four cold pages, swap_cluster_max 4. At priority 9 all are deactivated, and written: [5, 4, 3, 2] on both lists.

    While the driver waits the writes end, of 2 first and of 5 last, each page going to the tail of its zone's list: [2, 3, 4, 5]. The
    container's list knows nothing of it. The next scan, at priority 5, frees them in the container's order.
    """
    machine = make_small(pagevec_size=1, disk=SLOW_DISK)
    reclaim_mapped(machine)
    container = machine.create_container()
    container.limit = 4
    task = cold_task(machine, container, 4)
    seen: list[tuple[Lists, Lists]] = []

    def look_again(pfn: int) -> bool:
        seen.append((zone_lists(machine), container.lists()))
        return True

    def look() -> None:
        seen.append((zone_lists(machine), container.lists()))
        at(machine, AT_ISOLATE, look_again)

    once_at(machine, AT_CONGESTION_WAIT, look)
    task.touch(4, 1)
    assert seen == [
        (([], [5, 4, 3, 2]), ([], [5, 4, 3, 2])),
        (([], [2, 3, 4, 5]), ([], [5, 4, 3, 2])),
    ]
    assert machine.vmstat()["pgrotated"] == 4
    free = machine.core.lru.order(machine.core.zones.free_head(0, 1))
    assert free == [4, 2], "2 and 3 came free first, so they are the last pair to be handed out again"


@pytest.mark.fact("R23")
def test_a_page_that_was_used_meanwhile_is_not_rotated(make_small: MakeMachine) -> None:
    """As above, but while the writes go on two sharers of page 0 read it, which activates it: three pages are rotated."""
    machine = make_small(pagevec_size=1, disk=SLOW_DISK)
    reclaim_mapped(machine)
    container = machine.create_container()
    container.limit = 4
    task = cold_task(machine, container, 4)
    sharers = [task.fork(102), task.fork(103)]
    seen: list[Lists] = []

    def use_and_look() -> None:
        for sharer in sharers:
            sharer.touch(0, 1, write=False)
        seen.append(zone_lists(machine))

    once_at(machine, AT_CONGESTION_WAIT, use_and_look)
    task.touch(4, 1)
    assert seen == [([2], [5, 4, 3])]
    assert machine.vmstat()["pgrotated"] == 3


@pytest.mark.fact("R24")
def test_what_is_written_at_once_is_freed_and_not_rotated(make_small: MakeMachine) -> None:
    """A synchronous device ends the write while the page is isolated."""
    machine = make_small(pagevec_size=1)
    reclaim_mapped(machine)
    container = machine.create_container()
    container.limit = 4
    task = cold_task(machine, container, 4)
    task.touch(4, 1)
    counts = machine.vmstat()
    assert (counts["pgsteal_dma"], counts["pswpout"], counts["pgrotated"]) == (4, 4, 0)
    assert machine.clock_ns == 0


@uncompiled
@pytest.mark.parametrize(("mark", "rotated"), [(0, True), (PG_LOCKED, False), (PG_DIRTY, False), (PG_ACTIVE, False), (PG_REFERENCED, True)])
def test_who_may_be_rotated(make_small: MakeMachine, mark: int, rotated: bool) -> None:
    """Only the engine calls it; each flag that forbids it, alone."""
    machine = make_small(pagevec_size=1)
    machine.spawn(10).touch(0, 3)
    core, lru = machine.core, machine.core.model.lru
    for pfn in (2, 3, 4):
        uncompiled_lru.del_page_from_lru(core, pfn)
        core.frames.set(pfn, PG_LRU)
        uncompiled_lru.add_page_to_list(core, lru, pfn, False)
    core.frames.set(4, mark)
    uncompiled_lru.rotate_reclaimable_page(core, lru, 4)
    assert zone_lists(machine) == ([], [3, 2, 4] if rotated else [4, 3, 2])
    assert machine.vmstat()["pgrotated"] == rotated
    core.frames.clear(4, mark)
