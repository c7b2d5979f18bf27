"""rules2007.py: the retry loop of the seed, pass by pass."""

from __future__ import annotations

import pytest

from memcgfs.mm import DiskConfig, Machine, OutOfMemory
from memcgfs.mm.params import AT_CONGESTION_WAIT
from tests.conftest import MakeMachine

from .looking import at, cold_task, frame, page_0_in_swap, reclaim_mapped

WAIT = 100_000_000
"""HZ/10"""


def count_waits(machine: Machine) -> list[int]:
    """The times at which the machine begins a congestion_wait, as it goes."""
    times: list[int] = []

    def note(pfn: int) -> bool:
        times.append(machine.clock_ns)
        return False

    at(machine, AT_CONGESTION_WAIT, note)
    return times


@pytest.mark.fact("C26", "L3", "L4", "L5")
def test_five_paid_retries_and_then_the_end(make_small: MakeMachine) -> None:
    """Without swap no pass scans a page of the inactive list, so the only waits are those of the retries.

    Six passes fail; after each of the first five the charge waits HZ/10. Then the css reference goes back, the OOM killer chooses the
    only task there is, and the fault of that task fails.
    """
    machine = make_small(swap_pages=0)
    container = machine.create_container()
    container.limit = 10
    task = machine.spawn(10, container, comm="hog")
    task.touch(0, 10)
    assert (container.usage, container.failcnt) == (10, 0)
    waits = count_waits(machine)
    with pytest.raises(OutOfMemory) as refusal:
        task.touch(10, 1)
    assert refusal.value.args[1] == 0
    assert waits == [0, WAIT, 2 * WAIT, 3 * WAIT, 4 * WAIT]
    assert machine.clock_ns == 5 * WAIT
    assert container.failcnt == 6
    assert machine.vmstat()["allocstall"] == 6, "one reclaim a pass"
    assert (container.usage, container.css_refs) == (0, 0)
    assert (task.state, task.touched) == ("Z", "0 of 1")
    assert machine.zones()[0].free == 63, "also the frame that was to be charged"
    assert [line[15:] for line in machine.log] == [
        "[   10] uid 1000 total_vm 11 rss 10 oom_adj 0 points 11 chosen",
        "Memory container out of memory: kill process 10 (hog) score 11 or a child",
        "Killed process 10 (hog)",
        "VM: killing process hog",
    ]


@pytest.mark.fact("L4")
@pytest.mark.parametrize("retries", [0, 1, 3])
def test_one_pass_more_than_there_are_retries(make_small: MakeMachine, retries: int) -> None:
    machine = make_small(swap_pages=0, reclaim_retries=retries, wait_ns=7)
    container = machine.create_container()
    container.limit = 1
    task = machine.spawn(10, container)
    with pytest.raises(OutOfMemory):
        task.touch(0, 2)
    assert task.touched == "1 of 2"
    assert (container.failcnt, machine.clock_ns) == (retries + 1, 7 * retries)


@pytest.mark.fact("L3")
def test_room_made_during_a_wait_is_found_by_the_next_pass(make_small: MakeMachine) -> None:
    """The limit is raised in the third wait: three refusals, three waits, no kill."""
    machine = make_small(swap_pages=0)
    container = machine.create_container()
    container.limit = 2
    waits: list[int] = []

    def raise_limit(pfn: int) -> bool:
        waits.append(machine.clock_ns)
        if len(waits) == 3:
            container.limit = 3
        return len(waits) == 3

    at(machine, AT_CONGESTION_WAIT, raise_limit)
    machine.spawn(10, container).touch(0, 3)
    assert waits == [0, WAIT, 2 * WAIT]
    assert (container.usage, container.failcnt, machine.clock_ns) == (3, 3, 3 * WAIT)
    assert list(machine.log) == []


@pytest.mark.fact("L4")
def test_retries_are_counted_anew_for_each_charge(make_small: MakeMachine) -> None:
    """Each of two pages gets in at its fifth retry."""
    machine = make_small(swap_pages=0)
    container = machine.create_container()
    container.limit = 1
    seen = 0

    def raise_limit(pfn: int) -> bool:
        nonlocal seen
        seen += 1
        if seen % 5 == 0:
            container.limit += 1
        return False

    at(machine, AT_CONGESTION_WAIT, raise_limit)
    machine.spawn(10, container).touch(0, 3)
    assert (container.usage, container.failcnt, machine.clock_ns) == (3, 10, 10 * WAIT)


@pytest.mark.fact("L1")
def test_a_reclaim_that_succeeds_costs_no_retry(make_small: MakeMachine) -> None:
    """swap_cluster_max 1, so one page freed is success; frames 2, 3, 4 hold cold pages.

    Priority 12 takes frame 2 off the active list and, in the same pass, writes and frees it: the new page gets its place. So it goes
    for each further page, with reclaim_retries=0 to show that none is needed, and without the clock moving.
    """
    machine = make_small(swap_cluster_max=1, reclaim_retries=0)
    reclaim_mapped(machine)
    container = machine.create_container()
    container.limit = 3
    task = cold_task(machine, container, 3)
    task.touch(3, 1)
    assert (container.usage, container.failcnt, machine.clock_ns) == (3, 1, 0)
    assert container.lists() == ([1, 4, 3], [])
    task.touch(4, 1)
    assert (container.usage, container.failcnt, machine.clock_ns) == (3, 2, 0)
    assert container.lists() == ([2, 1, 4], []), "the frame just freed is the next to be handed out"
    assert task.swap_pages == 2


@pytest.mark.fact("L2")
def test_usage_below_the_limit_is_enough_though_reclaim_failed(make_small: MakeMachine) -> None:
    """swap_cluster_max 4 is what success takes, but the container has only two pages to give.

    The accumulators grow by one a priority and reach 4 at priority 9, where both cold pages are deactivated; the inactive list's
    accumulator is at 4 too, so they are freed at once. Two is no success, and pages were scanned below priority 10: the driver waits
    once. From there on there is nothing to scan. The charge fits now, and no retry is paid: reclaim_retries=0.
    """
    machine = make_small(reclaim_retries=0)
    reclaim_mapped(machine)
    container = machine.create_container()
    container.limit = 2
    task = cold_task(machine, container, 2)
    waits = count_waits(machine)
    task.touch(2, 1)
    assert waits == [0]
    assert (container.usage, container.failcnt, machine.clock_ns) == (1, 1, WAIT)
    assert machine.vmstat()["allocstall"] == 1
    assert task.swap_pages == 2


@pytest.mark.fact("C12", "C24")
def test_new_pages_go_to_the_head_of_the_active_list(make_small: MakeMachine) -> None:
    machine = make_small()
    container = machine.create_container()
    task = machine.spawn(10, container)
    seen = []
    for page in range(3):
        task.touch(page, 1)
        seen.append(container.lists())
    assert seen == [([2], []), ([3, 2], []), ([4, 3, 2], [])]
    assert container.peak == 3


@pytest.mark.fact("C24")
def test_a_page_read_from_swap_goes_there_too(make_small: MakeMachine) -> None:
    machine = make_small(swap_cluster_max=1)
    container, task = page_0_in_swap(machine)
    container.limit = 4
    task.touch(0, 1, write=False)
    assert container.lists() == ([frame(task, 0), 1, 4, 3], [])


@pytest.mark.fact("C5", "C6", "L1")
def test_lowering_the_limit_shows_at_the_next_charge(make_small: MakeMachine) -> None:
    """Three pages, the limit lowered to 1: accepted at once, and nothing happens. A new page then costs all three, one reclaim each,
    because usage must come below the limit: charges fail at usage 3, 2 and 1."""
    machine = make_small(swap_cluster_max=1, reclaim_retries=0)
    reclaim_mapped(machine)
    container = machine.create_container()
    task = cold_task(machine, container, 3)
    container.limit = 1
    machine.advance(WAIT)
    task.touch(0, 3, write=False)
    assert (container.usage, container.failcnt) == (3, 0)
    task.touch(3, 1)
    assert (container.usage, container.failcnt, container.peak) == (1, 3, 3)
    assert task.swap_pages == 3


@pytest.mark.fact("C2")
def test_limit_0_is_no_limit(make_small: MakeMachine) -> None:
    machine = make_small()
    container = machine.create_container()
    container.limit = 0
    machine.spawn(10, container).touch(0, 20)
    assert (container.usage, container.failcnt) == (20, 0)


@pytest.mark.fact("C26")
def test_a_charge_that_fails_while_swapping_in(make_small: MakeMachine) -> None:
    """The page cannot enter the swap cache, so the fault finds no page: the task is out of memory, and its slot is free again.

    Every page of the container is locked in memory but the swapped one.
    """
    machine = make_small(swap_cluster_max=1, disk=DiskConfig(0, 0, 8))
    container, task = page_0_in_swap(machine)
    task.mlock(1, 3)
    assert (container.failcnt, task.swap_pages) == (1, 1)
    with pytest.raises(OutOfMemory):
        task.touch(0, 1)
    assert container.failcnt == 1 + 6
    assert (container.usage, container.css_refs, machine.swaps()[0].used_pages) == (0, 0, 0)
