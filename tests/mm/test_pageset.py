"""pageset.py: the per-cpu lists, hot and cold, between the zones and whoever allocates single pages."""

from __future__ import annotations

import pytest

from memcgfs.mm import Machine
from memcgfs.mm.config import zone_batchsize
from memcgfs.mm.params import GFP_COLD, GFP_KERNEL
from tests.conftest import MakeMachine

from .looking import frame, reclaim_mapped


@pytest.mark.fact("B9")
@pytest.mark.parametrize(
    ("present", "batch"),
    [(0, 0), (8191, 0), (8192, 1), (12287, 1), (12288, 3), (16384, 3), (24576, 7), (32768, 7), (126976, 31), (1 << 28, 31)],
)
def test_the_kernels_batch(present: int, batch: int) -> None:
    """8192 pages: 8 by 1024, a quarter is 2, half of it more is 3; below 4, so 2 - 1. From 128 by 1024 on: 32, 48, so 32 - 1."""
    assert zone_batchsize(present) == batch


def test_a_small_zone_has_lists_of_no_length(make_small: MakeMachine) -> None:
    machine = make_small()
    assert [(view.high, view.batch) for view in machine.zones()[0].pagesets] == [(0, 1), (0, 1)]


def hot_and_cold(machine: Machine) -> tuple[list[int], list[int]]:
    core = machine.core
    hot, cold = (core.lru.order(core.zones.pcp_head(core.zones.pcp(0, 0, which))) for which in (False, True))
    return hot, cold


@pytest.mark.fact("B9")
def test_pages_come_in_batches_and_go_in_batches(make_small: MakeMachine) -> None:
    """A batch of 2, so the hot list holds up to 11. The zone gives 1 and 2, the first of which is taken; what comes free goes to
    the list's head, and the twelfth page sends the two oldest back."""
    machine = make_small(pcp_batch=2)
    task = machine.spawn(10)
    assert [(view.high, view.batch) for view in machine.zones()[0].pagesets] == [(12, 2), (4, 1)]
    task.alloc_block(0)
    assert (task.blocks, hot_and_cold(machine), machine.zones()[0].free) == ([(1, 0)], ([2], []), 61)
    for _ in range(11):
        task.alloc_block(0)
    assert [pfn for pfn, _ in task.blocks] == list(range(1, 13))
    assert (hot_and_cold(machine), machine.zones()[0].free) == (([], []), 51)
    for count in range(1, 12):
        task.free_block(0)
        assert len(hot_and_cold(machine)[0]) == count
    assert hot_and_cold(machine)[0] == list(range(2, 13))
    assert machine.zones()[0].free == 51, "free for the cpu, not for the zone"
    task.free_block(0)
    assert hot_and_cold(machine)[0] == list(range(1, 11))
    assert machine.zones()[0].free == 53
    task.alloc_block(0)
    assert task.blocks == [(1, 0)], "the last freed"


@pytest.mark.parametrize("batch", [1, 2, 3, 5, 8, 31, 40])
@pytest.mark.parametrize("orders", [(), (1,), (2, 1, 1), (3, 1, 4), (1, 2, 3, 4, 5), (9, 10)])
def test_a_batch_is_what_single_pages_would_be(make_small: MakeMachine, batch: int, orders: tuple[int, ...]) -> None:
    """A batch from a zone with some blocks taken, beside as many single pages from its like without lists: the same pages, in the
    same order, and the same blocks are left."""
    with_lists, without = make_small(frames=2500, pcp_batch=batch), make_small(frames=2500)
    tasks = [machine.spawn(10) for machine in (with_lists, without)]
    for task in tasks:
        for order in orders:
            task.alloc_block(order)
    tasks[0].alloc_block(0)
    for _ in range(batch):
        tasks[1].alloc_block(0)
    assert [tasks[0].blocks[-1][0], *hot_and_cold(with_lists)[0]] == [pfn for pfn, _ in tasks[1].blocks[-batch:]]
    lists = [
        [machine.core.lru.order(machine.core.zones.free_head(0, order)) for order in range(11)] for machine in (with_lists, without)
    ]
    assert lists[0] == lists[1]
    assert with_lists.zones()[0].free == without.zones()[0].free


def test_pages_that_wait_know_their_zone(make_small: MakeMachine) -> None:
    """Untouched memory of a zone other than the first: one page of the batch is taken, seven wait."""
    machine = make_small(zone_pages=(16, 0, 2048, 0), pcp_batch=8)
    task = machine.spawn(10)
    task.alloc_block(0)
    core = machine.core
    waiting = core.lru.order(core.zones.pcp_head(core.zones.pcp(2, 0, False)))
    assert [core.frames.zone(pfn) for pfn in waiting] == [2] * 7
    machine.check()


@pytest.mark.fact("B9")
def test_cold_pages_have_a_list_of_their_own(make_small: MakeMachine) -> None:
    machine = make_small(pcp_batch=2)
    task = machine.spawn(10)
    task.alloc_block(0, GFP_KERNEL | GFP_COLD)
    task.alloc_block(0)
    assert [pfn for pfn, _ in task.blocks] == [1, 2]
    assert hot_and_cold(machine) == ([3], [])


@pytest.mark.fact("D11")
def test_the_zone_counts_as_reclaimable_when_a_page_reaches_it(make_small: MakeMachine) -> None:
    """With a batch of 1 the list holds up to 5 pages: the sixth sends one back."""
    machine = make_small(pcp_batch=1)
    task = machine.spawn(10)
    for _ in range(6):
        task.alloc_block(0)
    zones = machine.core.zones
    zones.pages_scanned[0], zones.all_unreclaimable[0] = 9, 1
    seen = []
    for _ in range(6):
        task.free_block(0)
        seen.append((zones.pages_scanned[0], zones.all_unreclaimable[0]))
    assert seen == [(9, 1)] * 5 + [(0, 0)]


def test_larger_blocks_pass_by_the_lists(make_small: MakeMachine) -> None:
    machine = make_small(pcp_batch=2)
    task = machine.spawn(10)
    task.alloc_block(1)
    task.free_block(1)
    assert (hot_and_cold(machine), machine.zones()[0].free) == (([], []), 63)


def test_reclaim_frees_to_the_cold_list_the_last_page_first(make_small: MakeMachine) -> None:
    """Frame 1 is the page table; pages 0 to 7 are frames 2 to 9. Their container is full, and swap_cluster_max is 4: 2 to 5 are freed
    in one batch, and 6 and 7 in another; the pagevec of each gives them back from its end, so that its oldest page is first.
    """
    machine = make_small(pcp_batch=8, pagevec_size=14)
    reclaim_mapped(machine)
    container = machine.create_container()
    task = machine.spawn(10, container)
    task.touch(0, 8)
    assert [frame(task, page) for page in range(8)] == list(range(2, 10))
    container.limit = 8
    task.touch(8, 1)
    hot, cold = hot_and_cold(machine)
    assert cold == [6, 7, 2, 3, 4, 5]
    assert set(hot).isdisjoint(cold)


def test_a_second_cpu_has_lists_of_its_own(make_small: MakeMachine) -> None:
    """Zone 0's page, taken and given back on node 1's cpu, lies on that cpu's list."""
    machine = make_small(nodes=2, pcp_batch=1, frames=128)
    task = machine.spawn(10)
    task.alloc_block(0)
    assert (task.node, task.blocks) == (0, [(1, 0)])
    task.set_node(1)
    task.free_block(0)
    assert [(view.cpu, view.pcp, view.count) for view in machine.zones()[0].pagesets] == [(0, 0, 0), (0, 1, 0), (1, 0, 1), (1, 1, 0)]
