"""page_alloc.py: who gets a block, down to which watermark, and what is tried before it is refused."""

from __future__ import annotations

import itertools
from types import ModuleType

import pytest

from memcgfs import mm
from memcgfs.mm.params import (
    ALLOC_HARDER,
    ALLOC_HIGH,
    GFP_ATOMIC,
    GFP_COLD,
    GFP_FS,
    GFP_HIGH,
    GFP_KERNEL,
    GFP_NOFAIL,
    GFP_NOFS,
    GFP_NOIO,
    GFP_NORETRY,
    GFP_REPEAT,
    GFP_WAIT,
    WMARK_MIN,
)
from tests.conftest import MakeMachine

from .looking import frame, reclaim_mapped, uncompiled, zone_lists

A_ROUND_NS = 20_000_000
THROTTLED_NS = 100_000_000


def holding(machine: mm.Machine, *orders: int) -> mm.Task:
    task = machine.spawn(10)
    for order in orders:
        task.alloc_block(order)
    return task


@pytest.mark.fact("B6", "B11")
@pytest.mark.parametrize(
    ("mark", "alloc_flags", "is_ok"),
    [
        (7, 0, True), (8, 0, False), (15, ALLOC_HIGH, False), (14, ALLOC_HIGH, True), (10, ALLOC_HARDER, False),
        (9, ALLOC_HARDER, True), (13, ALLOC_HIGH, True), (16, ALLOC_HIGH, False), (16, ALLOC_HIGH | ALLOC_HARDER, True),
    ],
)  # fmt: skip
def test_a_block_must_leave_the_watermark(make_small: MakeMachine, mark: int, alloc_flags: int, is_ok: bool) -> None:
    """Blocks of 1, 2, 4 and 8 are free. Without 8 of the 15 pages 7 are left, and one more counts: 8 must exceed the mark.

    HIGH takes a half off the mark, HARDER a quarter of what remains: 14 - 7 and 9 - 2 are 7; 15 - 7 and 10 - 2 are 8; 16 - 8 - 2 is 6.
    """
    machine = make_small()
    holding(machine, 5, 4)
    machine.core.zones.wmark[WMARK_MIN] = mark
    assert machine.core.zones.watermark_ok(0, 3, WMARK_MIN, 0, alloc_flags) == is_ok


@pytest.mark.parametrize(("order", "mark", "is_ok"), [(0, 30, True), (0, 31, False), (1, 0, False), (2, 0, False)])
def test_single_pages_are_no_block(make_small: MakeMachine, order: int, mark: int, is_ok: bool) -> None:
    """All 63 pages are taken, and the even ones of 2 to 62 come free: 31 pages, of which none is in a block of 2."""
    machine = make_small()
    task = holding(machine, *[0] * 63)
    for block in [block for block in task.blocks if block[0] % 2 == 0]:
        task.blocks.remove(block)
        machine.engine.free_pages(machine.core, *block)
    assert machine.zones()[0].free_by_order[:2] == [31, 0]
    machine.core.zones.wmark[WMARK_MIN] = mark
    assert machine.core.zones.watermark_ok(0, order, WMARK_MIN, 0, 0) == is_ok


@pytest.mark.fact("B11")
def test_half_of_the_mark_must_be_in_larger_blocks(make_small: MakeMachine) -> None:
    """Blocks of 1, 2, 4 and 8 are free, and 2 are wanted: 14 must exceed the mark, and 13, without the single page, half of it; with
    8 taken and 1, 2 and 4 left it is 6 and 5."""
    machine = make_small()
    task = holding(machine, 5, 4)
    zones = machine.core.zones
    answers = []
    for mark in (13, 14):
        zones.wmark[WMARK_MIN] = mark
        answers.append(zones.watermark_ok(0, 1, WMARK_MIN, 0, 0))
    zones.wmark[WMARK_MIN] = 0
    task.alloc_block(3)
    for mark in (5, 6):
        zones.wmark[WMARK_MIN] = mark
        answers.append(zones.watermark_ok(0, 1, WMARK_MIN, 0, 0))
    assert answers == [True, False, True, False]
    zones.wmark[WMARK_MIN] = 0


def take_all(task: mm.Task, gfp: int) -> None:
    for _ in range(64):
        task.alloc_block(0, gfp)


@pytest.mark.fact("B10")
@pytest.mark.parametrize(
    ("gfp", "left"),
    [
        (GFP_KERNEL | GFP_NORETRY, 8), (GFP_KERNEL | GFP_NORETRY | GFP_COLD, 8), (GFP_KERNEL | GFP_HIGH | GFP_NORETRY, 4),
        (0, 6), (GFP_ATOMIC, 3), (GFP_NOIO | GFP_NORETRY, 8), (GFP_NOFS | GFP_NORETRY, 8),
    ],
)  # fmt: skip
def test_how_low_each_may_go(make_small: MakeMachine, gfp: int, left: int) -> None:
    """min is 8, and a page more than that must be free. The urgent see 4, those that cannot wait 6, and the atomic, who are both, 3."""
    machine = make_small(min_free_kbytes=32, swap_pages=0)
    task = machine.spawn(10)
    with pytest.raises(mm.OutOfMemory):
        take_all(task, gfp)
    assert machine.zones()[0].free == left
    assert task.state == "R"
    assert machine.vmstat()["allocstall"] == (1 if gfp & GFP_WAIT else 0)
    assert machine.clock_ns <= 4 * 100_000_000


@pytest.mark.fact("B10", "O14")
@pytest.mark.parametrize("why", ["killed", "reclaiming"])
def test_who_will_soon_free_memory_gets_the_last_page(make_small: MakeMachine, engine: ModuleType, why: str) -> None:
    machine = make_small(min_free_kbytes=32, swap_pages=0)
    core = machine.core
    if why == "killed":
        core.kill_current()
    else:
        core.set_memalloc(True)
    taken = [engine.alloc_pages(core, GFP_KERNEL, 0) for _ in range(64)]
    core.set_current(0, 0, 0)
    assert sorted(taken) == list(range(64)), "the last is 0, which is none"
    for pfn in taken[:-1]:
        engine.free_pages(core, pfn, 0)


@pytest.mark.fact("B12")
def test_the_oom_killer_is_asked_for_small_blocks(make_small: MakeMachine) -> None:
    """No page can be reclaimed. Who asks for 8 pages is killed for them; who asks for 16 is refused."""
    machine = make_small(swap_pages=0)
    holder = holding(machine, 5, 4)
    other = machine.spawn(20)
    with pytest.raises(mm.OutOfMemory):
        other.alloc_block(4)
    assert not any("oom-killer" in line for line in machine.log)
    holder.set_oom_adj(-17)
    other.alloc_block(3)
    with pytest.raises(mm.OutOfMemory):
        other.alloc_block(3)
    assert (holder.state, other.state) == ("R", "Z")
    assert any("oom-killer" in line for line in machine.log)


@pytest.mark.fact("B12")
@pytest.mark.parametrize("gfp", [GFP_KERNEL | GFP_NORETRY, GFP_NOFS | GFP_NORETRY])
def test_noretry_asks_nobody_to_die(make_small: MakeMachine, gfp: int) -> None:
    machine = make_small(swap_pages=0)
    task = holding(machine, 5, 4, 3)
    with pytest.raises(mm.OutOfMemory):
        task.alloc_block(3, gfp)
    assert task.state == "R"
    assert not any("oom-killer" in line for line in machine.log)


@pytest.mark.fact("B12")
@pytest.mark.parametrize(
    ("order", "gfp", "is_endless"),
    [(3, GFP_NOFS, True), (4, GFP_NOFS, False), (4, GFP_NOFS | GFP_REPEAT, True), (4, GFP_NOIO | GFP_NOFAIL, True)],
)
def test_who_waits_for_ever(make_small: MakeMachine, order: int, gfp: int, is_endless: bool) -> None:
    """Without __GFP_FS nobody is killed. A small block is waited for, 20 ms at a time, and so is a large one if it was said; the
    machine ends that after 1,000 rounds, where 2.6.23 does not. Each reclaim of theirs costs them 100 ms in throttle_vm_writeout."""
    machine = make_small(swap_pages=0, def_priority=1)
    assert not gfp & GFP_FS
    task = holding(machine, 5, 4, 3)
    with pytest.raises(mm.OutOfMemory):
        task.alloc_block(order, gfp)
    assert machine.clock_ns == (1000 * (A_ROUND_NS + THROTTLED_NS) if is_endless else THROTTLED_NS)
    assert any("without end" in line for line in machine.log) == is_endless


def aged(machine: mm.Machine, npages: int) -> mm.Task:
    """A task whose pages, frames 2.., nobody has used since they were written."""
    reclaim_mapped(machine)
    task = machine.spawn(100)
    task.touch(0, npages)
    for page in range(npages):
        machine.engine.page_referenced(machine.core, frame(task, page), True, -1)
    return task


@pytest.mark.fact("R28")
def test_a_block_is_made_where_there_is_none(make_small: MakeMachine) -> None:
    """The page table is frame 1, the pages 2 to 47; 48 to 63 are given as the first block of 16. The next one is made by lumpy reclaim:
    16 to 31, or 32 to 47."""
    machine = make_small(pagevec_size=1, swap_cluster_max=16)
    task = aged(machine, 46)
    task.alloc_block(4)
    assert task.blocks == [(48, 4)]
    task.alloc_block(4)
    assert task.blocks[1] in [(16, 4), (32, 4)]
    counts = machine.vmstat()
    assert counts["allocstall"] >= 1
    assert task.swap_pages >= 16
    task.free_block(4)
    task.free_block(4)


@pytest.mark.fact("R29")
@uncompiled
@pytest.mark.parametrize(("gfp", "comes_free"), [(GFP_KERNEL, True), (GFP_NOFS, False), (GFP_NOIO, False)])
def test_writing_out_takes_leave(make_small: MakeMachine, gfp: int, comes_free: bool) -> None:
    """All pages are dirty. Only who may call into filesystems writes a page that had no slot before: the leave is asked before the
    slot is given, so that GFP_NOFS writes none in the same pass. The next time the slot is there, and GFP_IO is enough."""
    machine = make_small(pagevec_size=1, swap_cluster_max=62, def_priority=0)
    aged(machine, 62)
    core = machine.core
    core.model.shrink_zones(core, 0, 0, GFP_KERNEL)
    assert zone_lists(machine)[0] == [], "all are inactive, and none was looked at more closely"
    core.zones.nr_scan_inactive[0] = -1  # so that the 62 pages are one batch, and no second one follows
    core.model.shrink_zones(core, 0, 0, gfp)
    assert (machine.vmstat()["pswpout"] > 0) == comes_free
    core.model.shrink_zones(core, 0, 0, gfp)
    assert (machine.vmstat()["pswpout"] > 0) == (gfp != GFP_NOIO)


@pytest.mark.fact("O14")
@pytest.mark.parametrize("comes_free", [True, False])
def test_nofail_waits_even_where_there_is_nothing_below_the_watermarks(make_small: MakeMachine, comes_free: bool) -> None:
    """All memory is the kernel's. Who asks with NOFAIL is killed for it, and still may not fail: it waits 20 ms at a time, here until
    another task ends; the machine ends that after 1,000 rounds."""
    machine = make_small(swap_pages=0)
    task, other = holding(machine, 5, 4), machine.spawn(20)
    other.set_oom_adj(-17)
    for _ in range(machine.zones()[0].free):
        other.alloc_block(0)
    waits: list[int] = []

    def wait(point: int, _: int) -> None:
        waits.append(machine.clock_ns)
        if comes_free and len(waits) == 10:
            machine.reap(other)

    machine.set_interleave(wait)
    with pytest.raises(mm.OutOfMemory):
        task.alloc_block(0, GFP_KERNEL | GFP_NOFAIL)
    machine.set_interleave(None)
    assert task.died == "out of memory"
    assert {later - earlier for earlier, later in itertools.pairwise(waits)} == {A_ROUND_NS}
    assert len(waits) == (10 if comes_free else 999)
    assert any("without end" in line for line in machine.log) != comes_free
