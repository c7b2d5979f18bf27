"""Lumpy reclaim: whoever wants a block of pages takes the pages around each one along (mm/vmscan.c: isolate_lru_pages)."""

from __future__ import annotations

import pytest

from memcgfs.mm import Machine, OutOfMemory
from memcgfs.mm.models import double_lru, shrink
from memcgfs.mm.params import GFP_KERNEL, ISOLATE_ACTIVE, ISOLATE_BOTH, ISOLATE_INACTIVE, NR_ACTIVE, NR_INACTIVE, PG_ACTIVE
from tests.conftest import MakeMachine

from .looking import cached, flags, frame, hole, reclaim_mapped, uncompiled, zone_lists


def isolate(machine: Machine, nr_to_scan: int, order: int, mode: int, active: bool) -> tuple[list[int], int]:
    """(frames taken, how many were looked at); all goes back to the heads of the lists that they are from."""
    core, lru = machine.core, machine.core.model.lru
    sc = shrink.LruScanControl(core, core.model, lru, -1, order, GFP_KERNEL)
    dst = lru.scan_head(0, 0)
    double_lru.isolate_pages_global(core, nr_to_scan, dst, sc, order, mode, 0, -1, active)
    taken = core.lru.order(dst)
    for pfn in reversed(taken):
        core.lru.move(lru.head(0, bool(flags(machine, pfn) & PG_ACTIVE)), pfn)
        shrink.put_back(core, sc, pfn)
    shrink.release_put_back(core, sc)
    return taken, sc.nr_isolate_scanned


def deactivate(machine: Machine, *frames: int) -> None:
    core = machine.core
    for pfn in frames:
        core.frames.clear(pfn, PG_ACTIVE)
        core.lru.move(core.model.lru.head(0, False), pfn)
        core.zones.add(0, NR_ACTIVE, -1)
        core.zones.add(0, NR_INACTIVE, 1)


@pytest.mark.fact("I12")
@uncompiled
@pytest.mark.parametrize(
    ("order", "taken", "scanned"),
    [(0, [2], 1), (1, [3, 2], 2), (2, [3, 2], 4), (3, [7, 6, 5, 4, 3, 2], 8)],
)
def test_the_block_around_the_page_comes_along(make_small: MakeMachine, order: int, taken: list[int], scanned: int) -> None:
    """Frame 2 is at the tail. Its block of 4 has the zero page and the page table besides, which are looked at and stay."""
    machine = make_small(pagevec_size=1)
    machine.spawn(10).touch(0, 9)
    assert zone_lists(machine) == ([10, 9, 8, 7, 6, 5, 4, 3, 2], [])
    assert isolate(machine, 1, order, ISOLATE_ACTIVE, True) == (taken, scanned)


@pytest.mark.fact("I12")
@uncompiled
def test_the_pages_around_count_as_scanned(make_small: MakeMachine) -> None:
    """Four looks are enough for one block of 4; for a fifth the next page at the tail is taken, with its block."""
    machine = make_small(pagevec_size=1)
    machine.spawn(10).touch(0, 9)
    assert isolate(machine, 4, 2, ISOLATE_ACTIVE, True) == ([3, 2], 4)
    assert zone_lists(machine)[0] == [3, 2, 10, 9, 8, 7, 6, 5, 4]
    assert isolate(machine, 5, 2, ISOLATE_ACTIVE, True) == ([10, 9, 8, 7, 6, 5, 4], 8)


@pytest.mark.fact("R28")
@uncompiled
@pytest.mark.parametrize(("mode", "taken"), [(ISOLATE_INACTIVE, [7, 4]), (ISOLATE_BOTH, [7, 6, 5, 4])])
def test_active_pages_come_along_where_the_block_is_large(make_small: MakeMachine, mode: int, taken: list[int]) -> None:
    machine = make_small(pagevec_size=1)
    machine.spawn(10).touch(0, 9)
    deactivate(machine, 4, 7)
    assert zone_lists(machine)[1] == [7, 4]
    assert isolate(machine, 1, 2, mode, False) == (taken, 4)


@pytest.mark.fact("I12")
@uncompiled
def test_no_page_of_another_zone_comes_along(make_small: MakeMachine) -> None:
    """DMA ends with frame 13: 14 and 15, the other half of the block of 12, are not even looked at."""
    machine = make_small(zone_pages=(14, 0, 18, 0), pagevec_size=1)
    machine.spawn(10).touch(0, 25)
    core = machine.core
    assert core.lru.order(core.model.lru.head(0, True)) == [10, 9, 8, 3, 2, 13, 12, 1]
    core.lru.move_tail(core.model.lru.head(0, True), 12)
    assert isolate(machine, 1, 2, ISOLATE_ACTIVE, True) == ([13, 12], 2)


def test_fragmented_memory_has_no_block_until_reclaim_makes_one(make_small: MakeMachine) -> None:
    """Every second page of 60 is given up: 30 pages and more are free, none of them two in a row. A block of 16 costs the task those
    pages that lie between. Without swap it cannot be had."""
    for swap_pages in (64, 0):
        machine = make_small(swap_pages=swap_pages, pagevec_size=1, swap_cluster_max=16)
        reclaim_mapped(machine)
        task = machine.spawn(10)
        task.touch(0, 62)
        for page in range(0, 62, 2):
            task.madvise(page, 1, "dontneed")
        for page in range(1, 62, 2):
            machine.engine.page_referenced(machine.core, frame(task, page), True, -1)
        assert machine.zones()[0].free_by_order[1:] == [0] * 10
        if swap_pages:
            task.alloc_block(4)
            assert task.swap_pages >= 8
            task.free_block(4)
        else:
            with pytest.raises(OutOfMemory):
                task.alloc_block(4)
            assert (task.state, task.swap_pages) == ("R", 0)


@pytest.mark.fact("R28")
@uncompiled
def test_active_pages_that_came_along_are_freed_as_the_others(make_small: MakeMachine) -> None:
    """The file's pages 0 to 11 are frames 1 to 12, all active, clean and unmapped, but for page 4. Whoever wants 16 pages scans the block
    around that one, and has all twelve; they leave both lists' counts."""
    machine = make_small(pagevec_size=1)
    task, file = machine.spawn(10), hole(machine, 12)
    for _ in range(2):
        task.read_file(file, 0, 12)
    deactivate(machine, cached(file)[4])
    assert [len(pages) for pages in zone_lists(machine)] == [11, 1]
    core = machine.core
    sc = shrink.LruScanControl(core, core.model, core.model.lru, -1, 4, GFP_KERNEL)
    sc.isolate_pages = double_lru.isolate_pages_global
    assert shrink.shrink_inactive_list(core, 1, 0, sc) == 12
    assert (zone_lists(machine), cached(file)) == (([], []), {})
    assert (core.zones.count(0, NR_ACTIVE), core.zones.count(0, NR_INACTIVE)) == (0, 0)
