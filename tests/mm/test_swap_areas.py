"""Several swap areas: which one the next slot comes from (get_swap_page of 2.6.23), swapon, and what shows of them."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memcgfs import mm
from memcgfs.mm.params import MAX_SWAPFILES
from tests.conftest import MakeMachine

from .looking import cold_task, reclaim_mapped

AREA_SLOTS = 1 << 16


def areas_of(engine: ModuleType, *areas: tuple[int, int]) -> Any:
    """Areas of (pages with the header, priority) in rows 0, 1, .., each at the next multiple of 65,536 slots."""
    swap = engine.SwapAreas(engine.Arrays(), 8 * AREA_SLOTS)
    for area, (nr_pages, prio) in enumerate(areas):
        swap.add_area(area, area * AREA_SLOTS, nr_pages, prio)
    return swap


def take(swap: Any, count: int) -> list[tuple[int, int]]:
    """(area, offset) of so many slots."""
    slots = [swap.take() for _ in range(count)]
    return [(swap.area_of(slot), slot % AREA_SLOTS) for slot in slots if slot]


@pytest.mark.fact("S7")
def test_the_highest_priority_is_filled_first(engine: ModuleType) -> None:
    """3 pages at 5, 3 at 9: area 1, then 0, and then nothing."""
    swap = areas_of(engine, (4, 5), (4, 9))
    assert take(swap, 10) == [(area, offset) for area in (1, 0) for offset in (1, 2, 3)]


@pytest.mark.fact("S7")
def test_then_the_next_two_are_used_as_a_pair(engine: ModuleType) -> None:
    """A slip that lived until 2014. The search that passes the full area 1 leaves swap_list.next at the area behind the one that gave a
    slot, though it is of a lower priority; and the search from there goes back to the head."""
    swap = areas_of(engine, (4, 5), (4, 9), (4, -1), (4, -2))
    pairs = [(area, offset) for offset in (1, 2, 3) for area in (0, 2)]
    assert take(swap, 20) == [(1, 1), (1, 2), (1, 3), *pairs, (3, 1), (3, 2), (3, 3)]


@pytest.mark.fact("S7")
def test_equal_priorities_take_turns(engine: ModuleType) -> None:
    """Striping: the last that came is the head of its equals. When area 1 is full, area 0 and 2 go on; area 3 is below them."""
    swap = areas_of(engine, (6, 7), (3, 7), (6, 7), (6, 3))
    turns = [(2, 1), (1, 1), (0, 1), (2, 2), (1, 2), (0, 2), (2, 3), (0, 3), (2, 4), (0, 4), (2, 5), (0, 5), (3, 1)]
    assert take(swap, 13) == turns


def test_a_slot_that_comes_free_higher_up_is_next(engine: ModuleType) -> None:
    """Area 0 (9) is full, area 1 (1) has begun. A slot of area 0 comes free, and is taken before the next of area 1."""
    swap = areas_of(engine, (4, 9), (4, 1))
    assert take(swap, 4) == [(0, 1), (0, 2), (0, 3), (1, 1)]
    swap.free(2)
    assert take(swap, 2) == [(0, 2), (1, 2)]


def test_each_area_has_its_own_runs(engine: ModuleType) -> None:
    """Two areas of 600 in turn: each takes its first 256 in a row, although slots behind come free meanwhile."""
    swap = areas_of(engine, (600, 0), (600, 0))
    first = take(swap, 20)
    swap.free(3)
    swap.free(AREA_SLOTS + 4)
    rest = take(swap, 2 * 256 - 20)
    for area in (0, 1):
        assert [offset for row, offset in first + rest if row == area] == list(range(1, 257))


def test_full_is_counted_over_all_areas(engine: ModuleType) -> None:
    """4 and 5 slots: of 9, 5 free are enough and 4 are not (2 * 4 < 9)."""
    swap = areas_of(engine, (5, 1), (6, 0))
    take(swap, 4)
    assert not swap.is_full()
    take(swap, 1)
    assert (swap.is_full(), swap.nr_swap_pages, swap.total_swap_pages) == (True, 4, 9)


def test_an_area_that_leaves_gives_no_more_slots(engine: ModuleType) -> None:
    """Its free slots do not count while it is swapped off, those that it gives back do, and it can come back in its place."""
    swap = areas_of(engine, (4, 9), (4, 1), (4, 1))
    assert take(swap, 2) == [(0, 1), (0, 2)]
    swap.leave(0)
    assert (swap.nr_swap_pages, swap.total_swap_pages) == (6 - 2, 6)
    swap.free(1)
    assert (swap.nr_swap_pages, swap.next) == (5, 0), "a slot of a higher priority came free, if in an area that is going"
    assert take(swap, 3) == [(2, 1), (1, 1), (2, 2)]
    swap.enter(0)
    assert (swap.nr_swap_pages, swap.total_swap_pages) == (5, 9)
    assert take(swap, 6) == [(0, 3), (0, 1), (2, 3), (1, 2), (1, 3)], "what it took last, it goes on behind"


# The engine is a module: no example can change it for the next.
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(areas=st.lists(st.tuples(st.integers(2, 6), st.integers(0, 2)), min_size=1, max_size=6))
def test_slots_come_by_priority_and_in_turn(engine: ModuleType, areas: list[tuple[int, int]]) -> None:
    """All come, each area's from the lowest on; the highest priority is used up before any other, its areas in turn."""
    swap = areas_of(engine, *areas)
    total = sum(nr_pages - 1 for nr_pages, _ in areas)
    taken = take(swap, total + 1)
    assert len(taken) == total
    for area, (nr_pages, _) in enumerate(areas):
        assert [offset for row, offset in taken if row == area] == list(range(1, nr_pages))
    highest = max(prio for _, prio in areas)
    members = {area: nr_pages - 1 for area, (nr_pages, prio) in enumerate(areas) if prio == highest}
    turns = in_turn(members)
    assert [area for area, _ in taken[: len(turns)]] == turns


def in_turn(left: dict[int, int]) -> list[int]:
    """The last that came begins; who has nothing left is passed over."""
    found = []
    while any(left.values()):
        for area in reversed(left):
            if left[area]:
                left[area] -= 1
                found.append(area)
    return found


# On the machine


def test_priorities_fall_unless_they_are_given(make_small: MakeMachine) -> None:
    """The boot area has -1. Priorities that were given count for nothing, and none is given twice."""
    machine = make_small(swap_pages=10)
    machine.swapon("a", 5)
    machine.swapon("b", 6, 3)
    machine.swapon("c", 7)
    machine.swapoff("c")
    machine.swapon("d", 8)
    views = [(view.name, view.size_pages, view.used_pages, view.priority) for view in machine.swaps()]
    assert views == [("/dev/swap", 9, 0, -1), ("a", 4, 0, -2), ("b", 5, 0, 3), ("d", 7, 0, -4)]
    meminfo = machine.meminfo()
    assert (meminfo["SwapTotal"], meminfo["SwapFree"]) == (25 * 4, 25 * 4)
    assert machine.log[0].endswith("Adding 16k swap on a.  Priority:-2 extents:1 across:16k")


def test_pages_go_to_the_area_of_the_highest_priority(make_small: MakeMachine) -> None:
    """Four cold pages: three fit into the area of priority 5, in slots 1, 2, 3; the fourth goes to the boot area's slot 1. pagemap
    tells the area in its low five bits."""
    machine = make_small(pagevec_size=1)
    machine.swapon("fast", 4, 5)
    reclaim_mapped(machine)
    container = machine.create_container()
    container.limit = 4
    task = cold_task(machine, container, 4)
    task.touch(4, 4)
    assert [(word & 31, word >> 5 & 0xFFFF) for word in task.pagemap(0, 4)] == [(1, 1), (1, 2), (1, 3), (0, 1)]
    assert [view.used_pages for view in machine.swaps()] == [1, 3]
    meminfo = machine.meminfo()
    assert (meminfo["SwapTotal"], meminfo["SwapFree"]) == ((63 + 3) * 4, 62 * 4)


def test_each_area_lies_on_a_disk_of_its_own(make_small: MakeMachine) -> None:
    """Two areas of one priority, 1 ms of transfer a page: four pages are written two by two, and the last is done after 2 ms."""
    machine = make_small(pagevec_size=1, swap_pages=0, disk=mm.DiskConfig(0, 4_096_000, 8))
    machine.swapon("a", 9, 0)
    machine.swapon("b", 9, 0)
    reclaim_mapped(machine)
    container = machine.create_container()
    container.limit = 4
    task = cold_task(machine, container, 4)
    seen: list[tuple[int, list[int]]] = []

    def look(point: int, pfn: int) -> None:
        disks = machine.core.disks
        seen.append((machine.clock_ns, [disks.nr_queued(disk) for disk in range(3)]))

    machine.set_interleave(look)
    task.touch(4, 1)
    machine.set_interleave(None)
    assert (0, [0, 2, 2]) in seen
    assert machine.clock_ns >= 2_000_000
    machine.advance(10_000_000)
    assert machine.core.disks.free_from_ns[1] == machine.core.disks.free_from_ns[2] == 2_000_000


def test_reading_ahead_stays_in_the_area(make_small: MakeMachine) -> None:
    """Pages 0 to 5 lie in slots 1, 2, 3 of each of two areas in turn. A fault on page 2 (slot 2 of the second) reads that area's block."""
    machine = make_small(pagevec_size=1, swap_pages=0, swap_cluster_max=6)
    machine.swapon("a", 9, 0)
    machine.swapon("b", 9, 0)
    reclaim_mapped(machine)
    container = machine.create_container()
    container.limit = 6
    task = cold_task(machine, container, 6)
    task.touch(6, 1)
    assert [(word & 31, word >> 5 & 0xFFFF) for word in task.pagemap(0, 6)] == [(1, 1), (0, 1), (1, 2), (0, 2), (1, 3), (0, 3)]
    container.limit = 64
    machine.set_sysctl("page-cluster", 3)
    assert task.touch(2, 1, write=False).major == 1
    cache = machine.core.swap.cache
    assert [bool(cache[AREA_SLOTS + offset]) for offset in range(5)] == [False, True, True, True, False]
    assert not any(cache[offset] for offset in range(9))


@pytest.mark.parametrize("nr_pages", [0, 1])
def test_an_empty_area_is_refused(make_small: MakeMachine, nr_pages: int) -> None:
    machine = make_small()
    with pytest.raises(mm.BadSwapArea):
        machine.swapon("a", nr_pages)
    assert len(machine.swaps()) == 1


@pytest.mark.parametrize("priority", [-1, 1 << 15])
def test_priorities_have_fifteen_bits(make_small: MakeMachine, priority: int) -> None:
    machine = make_small()
    with pytest.raises(mm.BadSwapArea):
        machine.swapon("a", 9, priority)
    machine.swapon("a", 9, (1 << 15) - 1)


def test_there_are_32_areas_at_most(make_small: MakeMachine) -> None:
    """A row that came free is taken again, and so are its slots."""
    machine = make_small(swap_pages=9)
    for number in range(MAX_SWAPFILES - 1):
        machine.swapon(f"swap{number}", 9)
    with pytest.raises(mm.TooManySwapAreas):
        machine.swapon("one more", 9)
    machine.swapoff("swap4")
    machine.swapon("one more", 9)
    assert [view.name for view in machine.swaps()][5] == "one more"
    assert machine.core.swap.start[5] == 5 * AREA_SLOTS
    with pytest.raises(mm.TooManySwapAreas):
        machine.swapon("one more", 9)
    machine.check()


def test_slots_run_out_before_areas(make_small: MakeMachine) -> None:
    """A machine has 2^24 slots beyond those of its boot area: no room for the counts of more."""
    machine = make_small(swap_pages=0)
    machine.swapon("large", (1 << 24) - AREA_SLOTS)
    machine.swapon("rest", AREA_SLOTS)
    with pytest.raises(mm.OutOfMemory):
        machine.swapon("more", 2)
    machine.swapoff("large")
    machine.swapon("more", 2)


def test_a_name_is_in_use_once(make_small: MakeMachine) -> None:
    machine = make_small()
    with pytest.raises(mm.SwapAreaBusy):
        machine.swapon("/dev/swap", 9)
    machine.swapoff("/dev/swap")
    machine.swapon("/dev/swap", 9)
    assert machine.swaps()[0].priority == -2
