"""The allocator beside a naive one: a set of free frames, whose largest aligned free blocks must be those that the zone has."""

from __future__ import annotations

from types import ModuleType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memcgfs import mm
from memcgfs.mm.params import GFP_ATOMIC

FRAMES = 2500


def largest_blocks(free: set[int]) -> list[tuple[int, int]]:
    """(first frame, order): no two of them are buddies, by construction."""
    found, left = [], set(free)
    for order in range(10, -1, -1):
        size = 1 << order
        for pfn in range(0, FRAMES, size):
            if pfn in left and left.issuperset(range(pfn, pfn + size)):
                found.append((pfn, order))
                left.difference_update(range(pfn, pfn + size))
    return found


ALLOC = st.tuples(st.just("alloc"), st.integers(0, 10))
FREE = st.tuples(st.just("free"), st.integers(0, 1 << 16))
STEPS = st.lists(ALLOC | FREE, max_size=60)


@pytest.mark.parametrize("batch", [0, 3])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_as_a_naive_one(engine: ModuleType, batch: int, steps: list[tuple[str, int]]) -> None:
    """Without per-cpu lists every answer is known: a block comes from the smallest of the naive blocks that are large enough, and is
    refused where there is none. With them, what they hold is free for nobody else."""
    config = mm.MachineConfig(zone_pages=(FRAMES, 0, 0, 0), swap_bytes=0, min_free_kbytes=0, max_containers=4, pcp_batch=batch)
    machine = mm.Machine(config, engine)
    core, free = machine.core, set(range(1, FRAMES))
    task = machine.spawn(10)
    for what, number in steps:
        blocks = largest_blocks(free)
        if what == "alloc":
            large = [order for _, order in blocks if order >= number]
            try:
                task.alloc_block(number, GFP_ATOMIC)
            except mm.OutOfMemory:
                assert not large
            else:
                pfn, order = task.blocks[-1]
                taken = set(range(pfn, pfn + (1 << order)))
                assert (order, pfn % (1 << order)) == (number, 0)
                if batch == 0:
                    assert taken <= free
                    assert next(size for first, size in blocks if first <= pfn < first + (1 << size)) == min(large)
        elif task.blocks:
            machine.engine.free_pages(core, *task.blocks.pop(number % len(task.blocks)))
        held = {page for pfn, order in task.blocks for page in range(pfn, pfn + (1 << order))}
        waiting = {pfn for pcp in (0, 1) for pfn in core.lru.order(core.zones.pcp_head(pcp))}
        free = set(range(1, FRAMES)) - held - waiting
        counts = [0] * 11
        for _, order in largest_blocks(free):
            counts[order] += 1
        assert machine.zones()[0].free_by_order == counts
    machine.check()
