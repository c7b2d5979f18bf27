"""buddy.py: blocks are split when a smaller one is wanted, and joined when both halves are free."""

from __future__ import annotations

from types import ModuleType

import pytest

from memcgfs.mm import BadValue, Machine, OutOfMemory, Task
from memcgfs.mm.params import GFP_KERNEL, NR_ORDERS, PG_BLOCK, PG_FREE
from tests.conftest import MakeMachine

from .looking import flags


def free_lists(machine: Machine, zone: int = 0) -> dict[int, list[int]]:
    """The first frames of the listed blocks by order, those that are used first standing first."""
    core = machine.core
    listed = {order: core.lru.order(core.zones.free_head(zone, order)) for order in range(NR_ORDERS)}
    return {order: blocks for order, blocks in listed.items() if blocks}


def free_by_order(machine: Machine) -> list[int]:
    return machine.zones()[0].free_by_order


def blocks(task: Task) -> list[tuple[int, int]]:
    return list(task.blocks)


def test_a_zone_is_what_its_place_makes_of_it(make_small: MakeMachine) -> None:
    """Frames 1 to 63, the zero page being used: a block of each order from 0 to 5."""
    machine = make_small()
    assert free_lists(machine) == {0: [1], 1: [2], 2: [4], 3: [8], 4: [16], 5: [32]}
    assert free_by_order(machine) == [1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0]


@pytest.mark.fact("B8")
def test_a_block_is_split_in_halves_and_its_lower_end_is_taken(make_small: MakeMachine) -> None:
    """The second block of 8 comes out of 16 to 31; of the single pages after it, 1 is one, and the next comes out of 2 and 3."""
    machine = make_small()
    task = machine.spawn(10)
    for _ in range(2):
        task.alloc_block(3)
    assert blocks(task) == [(8, 3), (16, 3)]
    assert free_lists(machine) == {0: [1], 1: [2], 2: [4], 3: [24], 5: [32]}
    for _ in range(2):
        task.alloc_block(0)
    assert blocks(task)[2:] == [(1, 0), (2, 0)]
    assert free_lists(machine) == {0: [3], 2: [4], 3: [24], 5: [32]}
    assert machine.zones()[0].free == 63 - 8 - 8 - 1 - 1


@pytest.mark.fact("B8")
def test_halves_join_as_far_as_they_can(make_small: MakeMachine) -> None:
    """16 to 31 in four blocks of 4 (4 to 7 is one by itself). 16 and 24 come free and stay, because their buddies are used; with 20
    the lower eight is whole, with 28 the upper, and both: 16 pages at 16. What is freed comes first on its list."""
    machine = make_small()
    task = machine.spawn(10)
    task.alloc_block(2)
    task.alloc_block(3)
    for _ in range(4):
        task.alloc_block(2)
    assert [pfn for pfn, _ in blocks(task)[2:]] == [16, 20, 24, 28]
    free = machine.engine.free_pages
    for pfn, listed in (
        (16, {2: [16], 5: [32]}),
        (24, {2: [24, 16], 5: [32]}),
        (20, {2: [24], 3: [16], 5: [32]}),
        (28, {4: [16], 5: [32]}),
    ):
        task.blocks.remove((pfn, 2))
        free(machine.core, pfn, 2)
        assert free_lists(machine) == {0: [1], 1: [2], **listed}


def test_the_ends_of_a_zone_join_with_nothing_beyond_them(make_small: MakeMachine) -> None:
    """DMA is 1 to 11, NORMAL 12 to 15: 8 to 11 and 12 to 15 are buddies, but of two zones."""
    machine = make_small(zone_pages=(12, 0, 4, 0))
    assert free_lists(machine, 0) == {0: [1], 1: [2], 2: [8, 4]}
    task = machine.spawn(10)
    for _ in range(2):
        task.alloc_block(2)
    assert blocks(task) == [(12, 2), (8, 2)]
    for _ in range(2):
        task.free_block(2)
    assert free_lists(machine, 0) == {0: [1], 1: [2], 2: [8, 4]}
    assert free_lists(machine, 2) == {2: [12]}


def test_whole_blocks_that_were_never_touched_are_on_no_list(make_small: MakeMachine) -> None:
    """5,000 frames: 1,024 without frame 0, three whole blocks, and 904 = 512 + 256 + 128 + 8 at the end. Boot freed upwards, so the
    highest whole block goes first, and it comes back before those that were never touched."""
    machine = make_small(frames=5000)
    zones = machine.core.zones
    assert free_by_order(machine) == [1, 1, 1, 2, 1, 1, 1, 2, 2, 2, 3]
    assert free_lists(machine)[9] == [4096, 512]
    assert 10 not in free_lists(machine)
    assert (zones.untouched[0], zones.frontier[0]) == (1024, 4096)
    task = machine.spawn(10)
    task.alloc_block(10)
    task.alloc_block(10)
    assert blocks(task) == [(3072, 10), (2048, 10)]
    machine.engine.free_pages(machine.core, *task.blocks.pop(0))
    assert free_lists(machine)[10] == [3072]
    assert free_by_order(machine)[10] == 2
    task.alloc_block(10)
    assert blocks(task) == [(2048, 10), (3072, 10)]
    assert zones.frontier[0] == 2048


def test_pages_of_an_untouched_block_are_handed_out_upwards(make_small: MakeMachine) -> None:
    """All smaller blocks are taken; a page splits the highest whole block, and goes back to make it whole."""
    machine = make_small(frames=3072)
    task = machine.spawn(10)
    for order in range(10):
        task.alloc_block(order)
    task.alloc_block(0)
    task.alloc_block(0)
    assert blocks(task)[10:] == [(2048, 0), (2049, 0)]
    assert free_lists(machine) == {order: [2048 + (1 << order)] for order in range(1, 10)}
    task.free_block(0)
    task.free_block(0)
    assert free_lists(machine) == {10: [2048]}


def test_a_terabyte_costs_nothing(engine: ModuleType, make_machine: MakeMachine) -> None:
    machine = make_machine(ram_bytes=1 << 40)
    present = sum(zone.present for zone in machine.zones())
    assert present == (1 << 28) - 1
    assert sum(zone.free_by_order[10] for zone in machine.zones()) == (1 << 18) - 1
    assert len(list(free_lists(machine, 2))) == 0


def test_blocks_are_marked_and_given_back_clean(make_small: MakeMachine) -> None:
    machine = make_small()
    task = machine.spawn(10)
    task.alloc_block(2)
    assert [flags(machine, pfn) for pfn in range(4, 8)] == [PG_BLOCK] * 4
    assert task.block_pages == 4
    counts = machine.vmstat()
    assert (counts["pgalloc_dma"], counts["pgfree"]) == (4, 0)
    task.free_block(2)
    assert [flags(machine, pfn) for pfn in range(4, 8)] == [PG_FREE, 0, 0, 0]
    assert machine.vmstat()["pgfree"] == 4


def test_the_youngest_block_of_an_order_goes_first_and_the_end_frees_all(make_small: MakeMachine) -> None:
    machine = make_small()
    task = machine.spawn(10)
    for order in (3, 0, 3, 1):
        task.alloc_block(order)
    task.free_block(3)
    assert blocks(task) == [(8, 3), (1, 0), (2, 1)]
    task.exit()
    assert machine.zones()[0].free == 63
    assert free_by_order(machine) == [1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0]


@pytest.mark.fact("B8")
@pytest.mark.parametrize("order", [-1, 11])
def test_there_are_eleven_orders(make_small: MakeMachine, order: int) -> None:
    task = make_small().spawn(10)
    with pytest.raises(BadValue):
        task.alloc_block(order)
    with pytest.raises(BadValue):
        task.free_block(order)


@pytest.mark.fact("B12")
def test_a_block_that_cannot_be_had_does_not_kill(make_small: MakeMachine) -> None:
    """Order 6 would be all 64 pages. It is too large for the OOM killer to help."""
    machine = make_small()
    task = machine.spawn(10)
    with pytest.raises(OutOfMemory):
        task.alloc_block(6, GFP_KERNEL)
    assert (task.state, task.died) == ("R", "")
    assert machine.log[-1].endswith("task: page allocation failure. order:6, mode:0xd0")
    with pytest.raises(BadValue):
        task.free_block(6)
