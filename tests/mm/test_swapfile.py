"""swapfile.py: which slot is the next (scan_swap_map of 2.6.23), and who uses it."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from memcgfs.mm import Machine, Task
from memcgfs.mm.params import SWAPFILE_CLUSTER
from tests.conftest import MakeMachine

from .looking import cold_task, reclaim_mapped


class ScanSwapMap:
    """scan_swap_map as the kernel writes it, looking at every slot: the reference for the engine's, which skips whole blocks."""

    def __init__(self, nr_pages: int) -> None:
        self.max = nr_pages
        self.pages = max(nr_pages - 1, 0)
        self.map = [0] * nr_pages
        self.inuse_pages = 0
        self.lowest_bit = 1
        self.highest_bit = self.pages
        self.cluster_next = 1
        self.cluster_nr = 0

    def take(self) -> int:
        if self.inuse_pages == self.pages:
            return 0  # get_swap_page looks no further
        if self.cluster_nr == 0:
            self.cluster_nr = SWAPFILE_CLUSTER - 1
            offset = self.first_of_empty_cluster()
        else:
            self.cluster_nr -= 1
            offset = self.cluster_next
        if offset == 0 or offset > self.highest_bit:
            offset = self.lowest_bit
        while self.map[offset]:
            offset = offset + 1 if offset < self.highest_bit else self.lowest_bit
        if offset == self.lowest_bit:
            self.lowest_bit += 1
        if offset == self.highest_bit:
            self.highest_bit -= 1
        self.inuse_pages += 1
        if self.inuse_pages == self.pages:
            self.lowest_bit, self.highest_bit = self.max, 0
        self.map[offset] = 1
        self.cluster_next = offset + 1
        return offset

    def first_of_empty_cluster(self) -> int:
        """The first of 256 free slots in a row, wherever it begins; 0 where there is no such run."""
        if self.pages - self.inuse_pages < SWAPFILE_CLUSTER:
            return 0
        offset = self.lowest_bit
        last_in_cluster = offset + SWAPFILE_CLUSTER - 1
        while last_in_cluster <= self.highest_bit:
            if self.map[offset]:
                last_in_cluster = offset + SWAPFILE_CLUSTER
            elif offset == last_in_cluster:
                return offset - SWAPFILE_CLUSTER + 1
            offset += 1
        return 0

    def free(self, offset: int) -> None:
        self.map[offset] = 0
        self.lowest_bit = min(self.lowest_bit, offset)
        self.highest_bit = max(self.highest_bit, offset)
        self.inuse_pages -= 1


def one_area(engine: ModuleType, nr_pages: int) -> Any:
    """Room for two areas, and one in use if it has any page, as at boot."""
    areas = engine.SwapAreas(engine.Arrays(), 1 << 17)
    if nr_pages > 1:
        areas.add_area(0, 0, nr_pages, -1)
    return areas


TAKE = st.tuples(st.just("take"), st.integers(1, 300), st.just(1))
FREE = st.tuples(st.just("free"), st.integers(0, 600), st.integers(1, 40))


# The engine is a module: no example can change it for the next.
@pytest.mark.fact("S1")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
@given(nr_pages=st.integers(0, 1300), steps=st.lists(st.one_of(TAKE, FREE), max_size=12))
@example(nr_pages=1700, steps=[*[("take", 300, 1)] * 4, ("free", 3, 2000), ("take", 300, 1)])  # a run behind four full blocks
def test_slots_are_given_in_the_kernels_order(engine: ModuleType, nr_pages: int, steps: list[tuple[str, int, int]]) -> None:
    """Takes in runs; frees every so-manieth slot in use from some place on, so that runs of all lengths come about."""
    area, reference = one_area(engine, nr_pages), ScanSwapMap(nr_pages)
    in_use: list[int] = []
    for what, first, stride in steps:
        if what == "take":
            taken = [area.take() for _ in range(first)]
            assert taken == [reference.take() for _ in range(first)]
            in_use += [slot for slot in taken if slot]
            continue
        freed = in_use[first::stride]
        for slot in freed:
            assert area.free(slot) == 0
            reference.free(slot)
        in_use = [slot for slot in in_use if slot not in set(freed)]
    assert area.inuse_pages[0] == reference.inuse_pages == len(in_use)


@pytest.mark.fact("S1")
def test_slot_0_is_the_header(engine: ModuleType) -> None:
    area = one_area(engine, 4)
    assert area.pages[0] == 3
    assert [area.take() for _ in range(5)] == [1, 2, 3, 0, 0]


@pytest.mark.parametrize("nr_pages", [0, 1])
def test_no_swap_at_all(engine: ModuleType, nr_pages: int) -> None:
    area = one_area(engine, nr_pages)
    assert (area.pages[0], area.take(), area.inuse_pages[0]) == (0, 0, 0)


def test_a_freed_slot_waits_until_its_cluster_is_through(engine: ModuleType) -> None:
    """600 slots. Slot 3 comes free in the middle of the first 256, which go on in a row; the next cluster begins at 257, where 256
    slots are free. After that there are only 87 in a row left, and no cluster: the lowest free slot, and what is free behind it."""
    area = one_area(engine, 600)
    assert [area.take() for _ in range(10)] == list(range(1, 11))
    area.free(3)
    assert [area.take() for _ in range(246)] == list(range(11, 257))
    assert [area.take() for _ in range(256)] == list(range(257, 513))
    assert [area.take() for _ in range(4)] == [3, 513, 514, 515]


def test_a_cluster_may_begin_anywhere(engine: ModuleType) -> None:
    """Of 1,000 slots all are taken; 101 to 356 come free, which no boundary divides from the others, and 50 lower down."""
    area = one_area(engine, 1001)
    taken = [area.take() for _ in range(1000)]
    assert taken == list(range(1, 1001))
    while area.cluster_nr[0]:  # to where the next cluster is looked for
        area.free(1000)
        assert area.take() == 1000
    for slot in (*range(1, 51), *range(101, 357)):
        area.free(slot)
    assert [area.take() for _ in range(256)] == list(range(101, 357))
    assert area.take() == 1


def test_without_a_free_run_the_lowest_slot_is_taken(engine: ModuleType) -> None:
    """1,024 slots are in use, four whole clusters, and every second one comes free: 512 are, but no 256 in a row."""
    area = one_area(engine, 1025)
    assert [area.take() for _ in range(1024)] == list(range(1, 1025))
    for slot in range(2, 1025, 2):
        area.free(slot)
    assert [area.take() for _ in range(3)] == [2, 4, 6]


def test_users_of_a_slot(engine: ModuleType) -> None:
    area = one_area(engine, 8)
    slot = area.take()
    assert area.duplicate(slot)
    assert area.map[slot] == 2
    assert area.free(slot) == 1
    assert area.inuse_pages[0] == 1
    assert area.free(slot) == 0
    assert area.inuse_pages[0] == 0
    assert not area.duplicate(slot), "nobody uses it"


@pytest.mark.fact("S3")
def test_full_is_less_than_half_free(engine: ModuleType) -> None:
    """vm_swap_full: nr_swap_pages * 2 < total_swap_pages. Of 4 slots: 2 free is not full, 1 free is."""
    area = one_area(engine, 5)
    answers = []
    for _ in range(4):
        answers.append(area.is_full())
        area.take()
    assert answers == [False, False, False, True]
    assert area.is_full()


def test_pages_take_slots_as_they_are_written(make_small: MakeMachine) -> None:
    """Four cold pages leave at once, tail first: page 0 takes slot 1. Page 2 is then forgotten, which frees slot 3; the next page goes on
    at slot 5."""
    machine = make_small(pagevec_size=1)
    reclaim_mapped(machine)
    container = machine.create_container()
    container.limit = 4
    task = cold_task(machine, container, 4)
    task.touch(4, 4)
    swapped = [word >> 5 & 0xFFFFFF for word in task.pagemap(0, 4)]
    assert swapped == [1, 2, 3, 4]
    task.munmap(2, 1)
    assert machine.swaps()[0].used_pages == 3
    for pfn in container.lists()[0]:
        machine.engine.page_referenced(machine.core, pfn, True, -1)
    task.touch(8, 1)
    assert [word >> 5 & 0xFFFFFF for word in task.pagemap(4, 4)] == [5, 6, 7, 8]
    assert machine.swaps()[0].used_pages == 7


def test_a_machine_without_swap_lists_none(make_small: MakeMachine) -> None:
    assert make_small(swap_pages=0).swaps() == []
    swap = make_small(swap_pages=10).swaps()[0]
    assert (swap.size_pages, swap.used_pages) == (9, 0)


WINDOWS = [
    # page-cluster, slots that are read
    (0, [6]),
    (1, [6, 7]),
    (2, [4, 5, 6, 7]),
    (3, [1, 2, 3, 4, 5, 6, 7]),
    (4, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
    (31, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
]


@pytest.mark.fact("S2")
@pytest.mark.parametrize(("page_cluster", "slots"), WINDOWS)
def test_what_is_read_ahead(make_small: MakeMachine, page_cluster: int, slots: list[int]) -> None:
    """Ten pages in slots 1 to 10. A fault on slot 6 reads the aligned block around it, without slot 0, and up to the first free slot."""
    machine = make_small(pagevec_size=1, swap_cluster_max=10)
    task = ten_pages_swapped(machine)
    machine.set_sysctl("page-cluster", page_cluster)
    assert task.touch(5, 1, write=False).major == 1
    assert [slot for slot in range(1, 12) if machine.core.swap.cache[slot]] == slots


@pytest.mark.fact("S2")
def test_reading_ahead_stops_at_a_free_slot(make_small: MakeMachine) -> None:
    """Slot 3 is free: 1 and 2 are read, and then, by itself, the slot that is wanted."""
    machine = make_small(pagevec_size=1, swap_cluster_max=10)
    task = ten_pages_swapped(machine)
    machine.set_sysctl("page-cluster", 3)
    task.munmap(2, 1)
    task.touch(5, 1, write=False)
    assert [slot for slot in range(1, 12) if machine.core.swap.cache[slot]] == [1, 2, 6]


def ten_pages_swapped(machine: Machine) -> Task:
    """swap_cluster_max 10: at priority 3 the accumulators are above it, and all ten cold pages go at once, tail first."""
    reclaim_mapped(machine)
    container = machine.create_container()
    container.limit = 10
    task = cold_task(machine, container, 10)
    task.touch(10, 1)
    assert [word >> 5 & 0xFFFFFF for word in task.pagemap(0, 10)] == list(range(1, 11))
    container.limit = 64
    return task
