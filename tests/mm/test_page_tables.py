"""pagetable.py, and what a page table costs: a leaf of 512 entries takes one frame, which nobody is charged for."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memcgfs.mm import BadRange, Machine, OutOfMemory, Task, config
from memcgfs.mm.params import (
    LEAF_ENTRIES,
    PG_TABLE,
    PTE_ACCESSED,
    PTE_DIRTY,
    PTE_PRESENT,
    PTE_RW,
    PTE_SHIFT,
    ZERO_PAGE,
)
from tests.conftest import MakeMachine

from .looking import cold_task, flags, frame, meta_refs, reclaim_mapped

SEGMENT = 1 << 22
"""Pages that 8,192 leaves hold."""


def entry(machine: Machine, task: Task, page: int) -> int:
    assert task.space is not None
    return int(machine.core.tables.entry(task.space.mm, page))


@pytest.mark.fact("P2")
def test_one_leaf_holds_512_pages(make_small: MakeMachine) -> None:
    machine = make_small()
    container = machine.create_container()
    task = machine.spawn(10, container)
    task.touch(0, 1)
    task.touch(511, 1)
    assert (task.page_table_pages, container.usage) == (1, 2)
    task.touch(512, 1)
    assert (task.page_table_pages, container.usage) == (2, 3)
    assert flags(machine, 1) & PG_TABLE
    assert meta_refs(machine, 1) == 0
    assert machine.vmstat()["nr_page_table_pages"] == 2


def test_the_entry_lies_in_the_frame(make_small: MakeMachine) -> None:
    """Entry i of leaf f is word 512 f + i of the machine's memory."""
    machine = make_small()
    task = machine.spawn(10)
    task.touch(5, 1)
    assert machine.core.tables.ram[1 * LEAF_ENTRIES + 5] == entry(machine, task, 5) != 0


def test_entry_bits(make_small: MakeMachine) -> None:
    """A read maps the zero page read-only; a write maps a page of its own, dirty; fork makes both entries read-only and the child's old;
    a write to a page that is nobody else's any more makes it writable as it is."""
    machine = make_small()
    task = machine.spawn(10)
    task.touch(0, 1, write=False)
    assert entry(machine, task, 0) == ZERO_PAGE << PTE_SHIFT | PTE_PRESENT | PTE_ACCESSED
    task.touch(0, 1)
    dirty = 2 << PTE_SHIFT | PTE_PRESENT | PTE_ACCESSED | PTE_DIRTY
    assert entry(machine, task, 0) == dirty | PTE_RW
    child = task.fork(11)
    assert entry(machine, task, 0) == dirty
    assert entry(machine, child, 0) == dirty & ~PTE_ACCESSED
    assert child.page_table_pages == 1
    machine.reap(task)
    child.touch(0, 1)
    assert entry(machine, child, 0) == dirty | PTE_RW
    assert child.min_flt == 1


def test_a_swapped_pages_entry_is_its_slot(make_small: MakeMachine) -> None:
    machine = make_small(swap_cluster_max=1)
    reclaim_mapped(machine)
    container = machine.create_container()
    container.limit = 3
    task = cold_task(machine, container, 3)
    task.touch(3, 2)
    assert [entry(machine, task, page) for page in (0, 1)] == [1 << PTE_SHIFT, 2 << PTE_SHIFT], "slots 1 and 2, nothing below"
    assert (task.swap_pages, task.rss_pages) == (2, 3)


@pytest.mark.fact("P2")
def test_leaves_go_back_when_no_mapping_needs_them(make_small: MakeMachine) -> None:
    """Three mappings: the first two share a leaf, the second reaches into the next, where the third lies too."""
    machine = make_small()
    task = machine.spawn(10)
    task.mmap(0, 10)
    task.mmap(100, 500, locked=False)
    task.mmap(1000, 10)
    for page in (0, 100, 599, 1000):
        task.touch(page, 1)
    assert task.page_table_pages == 2
    task.munmap(100, 500)
    assert task.page_table_pages == 2, "each has a neighbour"
    task.munmap(0, 10)
    assert task.page_table_pages == 1
    task.munmap(1000, 10)
    assert task.page_table_pages == 0
    assert machine.zones()[0].free == machine.zones()[0].present


def test_discarding_keeps_the_leaf(make_small: MakeMachine) -> None:
    machine = make_small()
    task = machine.spawn(10)
    task.touch(0, 3)
    task.madvise(0, 3, "dontneed")
    assert (task.page_table_pages, task.rss_pages) == (1, 0)


def test_far_pages(make_small: MakeMachine) -> None:
    """The last page of 2^35, the first, and one on each side of a segment's end: four leaves in three segments."""
    machine = make_small()
    task = machine.spawn(10)
    pages = [0, SEGMENT - 1, SEGMENT, 2**35 - 1]
    for page in pages:
        task.touch(page, 1)
    assert task.page_table_pages == 4
    assert [frame(task, page) for page in pages] == [2, 4, 6, 8]
    with pytest.raises(BadRange):
        task.touch(2**35, 1)
    task.munmap(0, 2**35)
    assert task.page_table_pages == 0
    assert task.rss_pages == 0


def test_the_address_space_of_i386_ends_at_3_gib(make_small: MakeMachine) -> None:
    machine = make_small(arch="i386", zone_pages=(16, 0, 16, 16))
    task = machine.spawn(10)
    task.touch(3 * 2**18 - 1, 1)
    with pytest.raises(BadRange):
        task.touch(3 * 2**18, 1)


@pytest.mark.fact("P2")
def test_page_tables_come_from_below_high_memory(make_small: MakeMachine) -> None:
    """GFP_KERNEL begins at zone NORMAL, user pages at HIGHMEM, whose min watermark is 32 pages. Its 64 frames are
    blocks of 16, 32 and 16; of the two small ones the upper goes first."""
    machine = make_small(arch="i386", zone_pages=(8, 0, 8, 64))
    task = machine.spawn(10)
    task.touch(0, 2)
    assert flags(machine, 8) & PG_TABLE
    assert [frame(task, page) for page in (0, 1)] == [64, 65]


def test_no_frame_for_a_page_table_is_out_of_memory(make_small: MakeMachine) -> None:
    """15 frames, without swap: seven leaves and seven pages, and another leaf; then there is none for its page. At a fork, the child's
    leaf finds none, and the parent is told, or chosen by the OOM killer; all that was made so far goes back."""
    machine = make_small(frames=16, swap_pages=0)
    task = machine.spawn(10)
    task.touch(0, 14)
    with pytest.raises(OutOfMemory):
        task.fork(11)
    assert list(machine.tasks) == [10]
    assert task.state == "Z"
    assert machine.zones()[0].free == 15


def test_page_tables_too_scattered_for_the_machine(make_small: MakeMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    """What finds page tables has room for 2^24 segments, here for two: a third is out of memory."""
    monkeypatch.setattr(config, "MAX_SEGMENTS", 3)
    task = make_small().spawn(10)
    task.touch(0, 1)
    task.touch(SEGMENT, 1)
    with pytest.raises(OutOfMemory):
        task.touch(2 * SEGMENT, 1)


# The tables by themselves


def make_tables(engine: ModuleType, nr_segments: int = 4) -> Any:
    return engine.PageTables(engine.Arrays(), 16, 3, nr_segments)


def test_a_leaf_is_found_by_any_page_that_it_holds(engine: ModuleType) -> None:
    tables = make_tables(engine)
    tables.add_leaf(1, 512, 7)
    assert [tables.leaf(1, page) for page in (511, 512, 1023, 1024)] == [0, 7, 7, 0]
    assert tables.leaf(2, 512) == 0, "another address space"
    assert tables.remove_leaf(1, 700) == 7
    assert tables.remove_leaf(1, 700) == 0
    assert tables.leaf(1, 512) == 0


def test_segments_are_used_again(engine: ModuleType) -> None:
    """Three can be given out (0 is none); one that lost its last leaf is the next."""
    tables = make_tables(engine)
    for number in range(3):
        assert tables.can_add(1, number * SEGMENT)
        tables.add_leaf(1, number * SEGMENT, number + 1)
    assert not tables.can_add(1, 3 * SEGMENT)
    assert not tables.can_add(2, 0)
    assert tables.can_add(1, 512), "its segment is there"
    tables.add_leaf(1, SEGMENT + 512, 9)
    second = tables.segment(1, SEGMENT)
    tables.remove_leaf(1, SEGMENT)
    assert not tables.can_add(2, 0), "one leaf is left in it"
    tables.remove_leaf(1, SEGMENT + 512)
    assert tables.segment(1, SEGMENT) == 0
    assert tables.can_add(2, 0)
    tables.add_leaf(2, 0, 10)
    assert tables.segment(2, 0) == second


PLACES = st.builds(lambda segment, leaf: segment * SEGMENT + leaf * LEAF_ENTRIES, st.integers(0, 3), st.integers(0, 2))


# The engine is a module: no example can change it for the next.
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(steps=st.lists(st.tuples(st.booleans(), st.integers(1, 2), PLACES), max_size=40))
def test_leaves_come_and_go_as_in_a_dict(engine: ModuleType, steps: list[tuple[bool, int, int]]) -> None:
    tables = make_tables(engine)
    model: dict[tuple[int, int], int] = {}
    for number, (add, mm, page) in enumerate(steps, start=1):
        if not add:
            assert tables.remove_leaf(mm, page) == model.pop((mm, page), 0)
            continue
        segments = {(owner, place // SEGMENT) for owner, place in model}
        assert tables.can_add(mm, page) == ((mm, page // SEGMENT) in segments or len(segments) < 3)
        if tables.can_add(mm, page) and (mm, page) not in model:
            tables.add_leaf(mm, page, number)
            model[mm, page] = number
    for mm in (1, 2):
        for place in range(0, 4 * SEGMENT, SEGMENT):
            for leaf in range(3):
                page = place + leaf * LEAF_ENTRIES
                assert tables.leaf(mm, page + 511) == model.get((mm, page), 0)
