"""The two isolate_pages: mem_container_isolate_pages with the rules of the seed, and isolate_pages_global.

Each rule is shown twice where it can be: by a call of the function with its arguments, which only the uncompiled engine lets a test
make, and by what an ordinary operation does, on both builds. There the AT_ISOLATE interleave point, passed for each page that stands
at the tail, tells in which order pages were looked at.
"""

from __future__ import annotations

import pytest

from memcgfs.mm import Container, DiskConfig, Machine, Task
from memcgfs.mm import lru as uncompiled_lru
from memcgfs.mm.models import containers2007 as uncompiled_model
from memcgfs.mm.models import double_lru as uncompiled_lru_model
from memcgfs.mm.models.shrink import LruScanControl
from memcgfs.mm.params import (
    AT_ISOLATE,
    GFP_KERNEL,
    ISOLATE_ACTIVE,
    ISOLATE_BOTH,
    ISOLATE_INACTIVE,
    MEM_CONTAINER_TYPE_MAPPED,
    PG_LRU,
    ZONE_DMA,
    ZONE_NORMAL,
)
from memcgfs.mm.vmscan import isolate_lru_page
from tests.conftest import MakeMachine

from .looking import Lists, at, cold_task, flags, frame, once_at, reclaim_mapped, uncompiled, waiting, zone_lists

SLOW_DISK = DiskConfig(latency_ns=1_000_000, bytes_per_s=0, depth=8)


class Isolation:
    """Pages that one call of a function took off the lists, until put_back."""

    def __init__(
        self, machine: Machine, nr_to_scan: int, *, container: Container | None, active: bool = True, zone: int = ZONE_DMA
    ) -> None:
        self.core, model = machine.core, machine.core.model
        sc = LruScanControl(self.core, model, model.lru, container.cid if container is not None else -1, 0, GFP_KERNEL)
        isolate = uncompiled_lru_model.isolate_pages_global
        if container is not None:
            isolate = uncompiled_model.mem_container_isolate_pages
        mode = ISOLATE_ACTIVE if active else ISOLATE_INACTIVE
        self.dst = model.lru.scan_head(0, uncompiled_lru.PAGE_LIST)
        self.nr_taken = isolate(self.core, nr_to_scan, self.dst, sc, 0, mode, zone, sc.mem_container, active)
        self.scanned = sc.nr_isolate_scanned
        self.taken = self.core.lru.order(self.dst)
        self.source = model.lru.head(zone, active)

    def put_back(self) -> None:
        for pfn in self.taken[::-1]:
            self.core.lru.move(self.source, pfn)
            self.core.frames.set(pfn, PG_LRU)
            self.core.frames.count[pfn] -= 1


def tails(machine: Machine, container: Container) -> list[tuple[int, Lists]]:
    """(page at the tail, lists of the container) at each pass of its isolation, as it goes."""
    seen: list[tuple[int, Lists]] = []

    def note(pfn: int) -> bool:
        seen.append((pfn, container.lists()))
        return False

    at(machine, AT_ISOLATE, note)
    return seen


def full_container(machine: Machine, npages: int) -> tuple[Container, Task]:
    """A container at its limit with cold pages in frames 2.. of one task."""
    reclaim_mapped(machine)
    container = machine.create_container()
    container.limit = npages
    return container, cold_task(machine, container, npages)


# The plain case: from the tail, and the order after splice-back


@pytest.mark.fact("I1", "I5")
@uncompiled
def test_pages_come_from_the_tail_and_their_meta_pages_return_to_the_head(make_small: MakeMachine) -> None:
    """Of [5, 4, 3, 2] two are taken: 2, then 3 in front of it, on the caller's list as on the private one."""
    machine = make_small(pagevec_size=1)
    container, _ = full_container(machine, 4)
    isolation = Isolation(machine, 2, container=container)
    assert (isolation.taken, isolation.nr_taken, isolation.scanned) == ([3, 2], 2, 2)
    assert container.lists() == ([3, 2, 5, 4], [])
    assert zone_lists(machine) == ([5, 4], [])
    assert [flags(machine, pfn) & PG_LRU for pfn in (2, 3)] == [0, 0]
    isolation.put_back()


@pytest.mark.fact("I1")
@uncompiled
def test_a_short_list_ends_the_scan(make_small: MakeMachine) -> None:
    machine = make_small(pagevec_size=1)
    container, _ = full_container(machine, 2)
    isolation = Isolation(machine, 9, container=container)
    assert (isolation.taken, isolation.scanned) == ([3, 2], 2), "nobody is met twice"
    assert container.lists() == ([3, 2], [])
    isolation.put_back()
    assert Isolation(machine, 9, container=container, active=False).scanned == 0


@pytest.mark.fact("I5")
def test_pages_under_way_are_on_no_list_until_the_scan_ends(make_small: MakeMachine) -> None:
    """swap_cluster_max 2: at priority 11 the accumulators reach 2. The active scan looks at 2 and 3, and deactivates both; so does the
    inactive scan, which begins their writes and leaves [3, 2]: spliced back as they were. At priority 9 4 and 5 are deactivated in
    front of them, and the inactive scan begins at 2 again."""
    machine = make_small(pagevec_size=1, swap_cluster_max=2, disk=SLOW_DISK)
    container, task = full_container(machine, 4)
    seen = tails(machine, container)
    task.touch(4, 1)
    assert seen[:8] == [
        (2, ([5, 4, 3, 2], [])),
        (3, ([5, 4, 3], [])),
        (2, ([5, 4], [3, 2])),
        (3, ([5, 4], [3])),
        (4, ([5, 4], [3, 2])),
        (5, ([5], [3, 2])),
        (2, ([], [5, 4, 3, 2])),
        (3, ([], [5, 4, 3])),
    ]


@pytest.mark.fact("I5")
def test_what_was_spliced_back_stands_before_what_was_not_reached(make_small: MakeMachine) -> None:
    """As above, a little later: 2 and 3 went to the head in their order, so at priority 7 the scan meets 4 and 5, then 2."""
    machine = make_small(pagevec_size=1, swap_cluster_max=2, disk=SLOW_DISK)
    container, task = full_container(machine, 4)
    seen = tails(machine, container)
    task.touch(4, 1)
    assert seen[8] == (4, ([], [3, 2, 5, 4]))


# Mismatched active state


@pytest.mark.fact("I3")
@uncompiled
def test_a_page_on_the_wrong_list_is_moved_and_not_counted(make_small: MakeMachine) -> None:
    """Frames 2 and 4 are inactive for their zone, and the container has not heard of it: they move to the head of its inactive list."""
    machine = make_small(pagevec_size=1)
    container, _ = full_container(machine, 4)
    for pfn in (2, 4):
        uncompiled_lru.del_page_from_lru(machine.core, pfn)
        machine.core.frames.set(pfn, PG_LRU)
        uncompiled_lru.add_page_to_list(machine.core, machine.core.model.lru, pfn, False)
    isolation = Isolation(machine, 2, container=container)
    assert (isolation.taken, isolation.scanned) == ([5, 3], 2)
    assert container.lists() == ([5, 3], [4, 2])
    isolation.put_back()


@pytest.mark.fact("I2", "I8")
def test_an_active_page_on_the_inactive_list(make_small: MakeMachine) -> None:
    """Frame 2 is deactivated at priority 12; when the inactive scan looks at it, a thread reads it. So it is activated instead of
    written, and put back on its zone's active list, while its container has it as inactive.

    At priority 11 frame 3 is deactivated in front of it. The inactive scan, of one page, finds 2 at the tail, moves it to the active
    list, and, not having counted it, frees 3: success. Were it counted, the scan would have ended there.
    """
    machine = make_small(pagevec_size=1, swap_cluster_max=1)
    container, task = full_container(machine, 3)
    thread = machine.clone_thread(task, 102)
    seen: list[tuple[int, Lists]] = []

    def note(pfn: int) -> bool:
        seen.append((pfn, container.lists()))
        if len(seen) == 2:
            thread.touch(0, 1, write=False)
        return False

    at(machine, AT_ISOLATE, note)
    task.touch(3, 1)
    assert seen == [
        (2, ([4, 3, 2], [])),
        (2, ([4, 3], [2])),
        (3, ([4, 3], [2])),
        (2, ([4], [3, 2])),
        (3, ([2, 4], [3])),
    ]
    assert container.lists() == ([1, 2, 4], [])
    counts = machine.vmstat()
    assert (counts["pgrefill_dma"], counts["pgscan_direct_dma"], counts["pgsteal_dma"]) == (2, 2, 1)


@pytest.mark.fact("I3")
def test_an_inactive_page_on_the_active_list(make_small: MakeMachine) -> None:
    """control_type 1: pages that reclaim unmaps leave the container, and lie on their zone's inactive list until they are written.
    Page 0 is read there, in frame 2: charged anew, it starts on the container's active list, while its zone has it as inactive.

    The next page too many makes the active scan look at 1, which was used and is kept; at priority 11 at 2, which moves to the inactive
    list and is not counted, and then at 1 again.
    """
    machine = make_small(pagevec_size=1, swap_cluster_max=1, disk=SLOW_DISK)
    container, task = full_container(machine, 3)
    container.control_type = MEM_CONTAINER_TYPE_MAPPED
    task.touch(3, 1)
    assert (container.usage, container.lists()) == (1, ([1], []))
    task.touch(0, 1, write=False)
    assert container.lists() == ([2, 1], [])
    assert 2 in zone_lists(machine)[1]

    before = machine.vmstat()["pgrefill_dma"]
    container.limit = 2
    seen: list[tuple[int, Lists]] = []
    refilled: list[int] = []

    def note(pfn: int) -> bool:
        seen.append((pfn, container.lists()))
        refilled.append(machine.vmstat()["pgrefill_dma"] - before)
        container.limit = 3
        return len(seen) == 4

    at(machine, AT_ISOLATE, note)
    task.touch(4, 1)
    assert seen == [
        (1, ([2, 1], [])),
        (2, ([1, 2], [])),
        (1, ([1], [2])),
        (2, ([], [1, 2])),
    ]
    assert refilled == [0, 1, 1, 2], "one page for each of two passes"


# A page of another zone


@pytest.mark.fact("I4")
@uncompiled
def test_a_page_of_another_zone_is_counted_and_stays(make_small: MakeMachine) -> None:
    """Zone NORMAL is a block of 4 and one of 2, of which the smaller goes first: the page table is in 12, the pages in 13, 8, 9, 10, 11.

    Frame 13 at the tail is of zone NORMAL; a scan for zone DMA counts it as often as it was to scan, and reaches nothing behind it.
    """
    machine = make_small(zone_pages=(8, 0, 6, 0), pagevec_size=1)
    container = machine.create_container()
    machine.spawn(10, container).touch(0, 7)
    assert container.lists() == ([2, 1, 11, 10, 9, 8, 13], [])
    isolation = Isolation(machine, 5, container=container, zone=ZONE_DMA)
    assert (isolation.taken, isolation.scanned) == ([], 5)
    assert container.lists() == ([2, 1, 11, 10, 9, 8, 13], [])
    isolation = Isolation(machine, 6, container=container, zone=ZONE_NORMAL)
    assert (isolation.taken, isolation.scanned) == ([11, 10, 9, 8, 13], 6), "the sixth is frame 1 of zone DMA"
    assert container.lists() == ([11, 10, 9, 8, 13, 2, 1], [])
    isolation.put_back()


def test_each_zone_is_scanned_whatever_stands_at_the_tail(make_small: MakeMachine) -> None:
    """Zone NORMAL is frames 8 to 12, full with the page table, in the single page 12, and four pages that were used; the fifth page is
    frame 1 of zone DMA.

    At priorities 12, 11, 10 and 9 NORMAL keeps 8, 9, 10 and 11, and at 8 it deactivates 8 and frees it. After each of these five, zone
    DMA looks at one page, finds it foreign, and counts it; the new page in frame 1 is not charged yet.
    """
    machine = make_small(zone_pages=(8, 0, 5, 0), pagevec_size=1, swap_cluster_max=1)
    reclaim_mapped(machine)
    container = machine.create_container()
    container.limit = 4
    task = machine.spawn(10, container)
    task.touch(0, 4)
    seen = tails(machine, container)
    task.touch(4, 1)
    assert [pfn for pfn, _ in seen] == [8, 9, 9, 10, 10, 11, 11, 8, 8, 8, 9]
    counts = machine.vmstat()
    assert (counts["pgrefill_normal"], counts["pgrefill_dma"]) == (5, 5)
    assert (counts["pgsteal_normal"], counts["pgsteal_dma"]) == (1, 0)
    dma, normal = machine.zones()
    assert (dma.pages_scanned, normal.pages_scanned) == (5, 0), "foreign pages count for the zone; freeing one forgets"
    assert container.lists() == ([1, 11, 10, 9], [])
    assert frame(task, 4) == 1


@pytest.mark.fact("I4")
def test_a_foreign_page_at_the_tail_stalls_the_whole_scan(make_small: MakeMachine) -> None:
    """swap_cluster_max 4: at priority 9 zone NORMAL keeps 8, 9, 10, 11; zone DMA is to scan four pages, and meets 8 four times."""
    machine = make_small(zone_pages=(8, 0, 5, 0), pagevec_size=1)
    reclaim_mapped(machine)
    container = machine.create_container()
    container.limit = 4
    task = machine.spawn(10, container)
    task.touch(0, 4)
    seen = tails(machine, container)
    task.touch(4, 1)
    assert [pfn for pfn, _ in seen[:8]] == [8, 9, 10, 11, 8, 8, 8, 8]


# A meta page that went away


@pytest.mark.fact("I11")
def test_a_page_unmapped_under_the_active_scan_is_passed_over(make_small: MakeMachine) -> None:
    """A thread discards page 0 when frame 2 is looked at. A freed page is not active, so it is moved (to nowhere) and not counted, and
    the scan takes 3 instead."""
    machine = make_small(pagevec_size=1, swap_cluster_max=1)
    container, task = full_container(machine, 3)
    thread = machine.clone_thread(task, 102)
    seen: list[int] = []

    def discard(pfn: int) -> bool:
        seen.append(pfn)
        if len(seen) == 1:
            thread.madvise(0, 1, "dontneed")
        return False

    at(machine, AT_ISOLATE, discard)
    task.touch(3, 1)
    assert seen == [2, 3, 3]
    assert machine.vmstat()["pgrefill_dma"] == 1
    assert container.lists() == ([1, 4], [])
    assert (container.usage, container.failcnt, task.swap_pages) == (2, 1, 1)


@pytest.mark.fact("I11")
def test_a_meta_page_gone_under_the_inactive_scan_is_counted(make_small: MakeMachine) -> None:
    """The same when the inactive scan looks at frame 2: that is counted, though there is nothing to take; priority 11 frees 3."""
    machine = make_small(pagevec_size=1, swap_cluster_max=1)
    container, task = full_container(machine, 3)
    thread = machine.clone_thread(task, 102)
    seen: list[tuple[int, Lists]] = []

    def discard(pfn: int) -> bool:
        seen.append((pfn, container.lists()))
        if len(seen) == 2:
            thread.madvise(0, 1, "dontneed")
        return False

    at(machine, AT_ISOLATE, discard)
    task.touch(3, 1)
    assert seen == [(2, ([4, 3, 2], [])), (2, ([4, 3], [2])), (3, ([4, 3], [])), (3, ([4], [3]))]
    counts = machine.vmstat()
    assert (counts["pgscan_direct_dma"], counts["pgsteal_dma"]) == (2, 1)
    assert (container.usage, container.failcnt) == (2, 1)


@pytest.mark.fact("I11")
@pytest.mark.parametrize("pagevec_size", [1, 3])
def test_a_frame_that_is_anothers_page_by_then_is_left_alone(make_small: MakeMachine, pagevec_size: int) -> None:
    """Frame 2 is freed under the inactive scan, and handed to a task of another container at once: its page stays where it is, whether
    it is active already (which does not fit the inactive list) or still in a pagevec (which would)."""
    machine = make_small(pagevec_size=pagevec_size, swap_cluster_max=1)
    _, task = full_container(machine, 3)
    other = machine.create_container()
    thread, stranger = machine.clone_thread(task, 102), machine.spawn(103, other)
    stranger.touch(511, 1)
    stranger.madvise(511, 1, "dontneed")
    seen: list[int] = []

    def hand_over(pfn: int) -> bool:
        seen.append(pfn)
        if len(seen) == 2:
            thread.madvise(0, 1, "dontneed")
            stranger.touch(0, 1, write=True)
            assert frame(stranger, 0) == 2
        if len(seen) > 1:
            assert other.lists() == ([2], []), "also when the scan is over"
        return len(seen) == 3

    at(machine, AT_ISOLATE, hand_over)
    task.touch(3, 1)
    assert other.lists() == ([2], [])
    assert other.usage == 1
    assert stranger.rss_pages == 1


def test_a_container_emptied_under_the_scan(make_small: MakeMachine) -> None:
    """Nothing is left to look at; usage is below the limit, so the charge needs no retry."""
    machine = make_small(pagevec_size=1, reclaim_retries=0)
    container, task = full_container(machine, 4)
    once_at(machine, AT_ISOLATE, lambda: machine.force_empty(container))
    task.touch(4, 1)
    assert container.lists() == ([1], [])
    assert (container.usage, container.failcnt, task.swap_pages) == (1, 1, 0)


# A page that is charged and not on the LRU


@pytest.mark.fact("I6")
@uncompiled
def test_a_page_in_a_pagevec_is_not_taken_but_rotates_and_is_counted(make_small: MakeMachine) -> None:
    """Frames 2 and 3 wait in the pagevec, neither on the LRU nor active; frames 4 to 6 went through before them.

    The active scan finds them on the wrong list, and moves them. The inactive scan counts them, cannot take them, and puts them back at
    the head. That reclaim drains the pagevecs before each scan is why this call cannot be made through an operation.
    """
    machine = make_small(pagevec_size=3)
    container = machine.create_container()
    machine.spawn(10, container).touch(0, 2)
    assert waiting(machine) == ([2, 3], [])
    isolation = Isolation(machine, 2, container=container)
    assert (isolation.taken, isolation.scanned) == ([], 0)
    assert container.lists() == ([], [3, 2])
    isolation = Isolation(machine, 1, container=container, active=False)
    assert (isolation.taken, isolation.scanned) == ([], 1)
    assert container.lists() == ([], [2, 3])
    isolation = Isolation(machine, 2, container=container, active=False)
    assert (isolation.taken, isolation.scanned) == ([], 2)
    assert container.lists() == ([], [2, 3]), "3, then 2 in front of it"


# The machine's own


@pytest.mark.fact("I9")
@uncompiled
def test_the_global_function_takes_from_the_tail_of_the_zones_list(make_small: MakeMachine) -> None:
    """It asks no container, and leaves the container's order alone."""
    machine = make_small(pagevec_size=1)
    container, _ = full_container(machine, 4)
    isolation = Isolation(machine, 3, container=None)
    assert (isolation.taken, isolation.nr_taken, isolation.scanned) == ([4, 3, 2], 3, 3)
    assert zone_lists(machine) == ([5], [])
    assert container.lists() == ([5, 4, 3, 2], [])
    isolation.put_back()
    isolation = Isolation(machine, 9, container=None)
    assert (isolation.taken, isolation.scanned) == ([4, 3, 2, 5], 4)
    isolation.put_back()
    assert Isolation(machine, 9, container=None, active=False).scanned == 0


@pytest.mark.fact("I9")
def test_the_machines_reclaim_frees_the_oldest_pages_of_all_containers(make_small: MakeMachine) -> None:
    """Frame 8, a block by itself at the end of the zone, is handed out first, then 1 to 7: two tasks' page tables in 8 and 3, cold pages
    of two containers in 1, 2 and 4, 5; 6 and 7 are given to a third.

    swap_cluster_max 1: the page that has no frame left costs frame 1, the tail of the zone's list, and the next one frame 2.
    """
    machine = make_small(zone_pages=(9, 0, 0, 0), pagevec_size=1, swap_cluster_max=1)
    reclaim_mapped(machine)
    tasks = []
    for pid in (10, 20):
        task = machine.spawn(pid, machine.create_container())
        task.touch(0, 2)
        tasks.append(task)
    machine.spawn(30).touch(0, 1, write=False)
    assert zone_lists(machine) == ([5, 4, 2, 1], [])
    for task in tasks:
        for page in (0, 1):
            machine.engine.page_referenced(machine.core, frame(task, page), True, -1)
    machine.tasks[30].touch(0, 3)
    assert [task.swap_pages for task in tasks] == [2, 0]
    assert [task.container.usage for task in tasks] == [0, 2]


@pytest.mark.fact("I10")
@uncompiled
def test_isolating_one_page(make_small: MakeMachine) -> None:
    """__isolate_lru_page: only what is on the LRU, and as active as asked for, gains a reference and loses PG_lru."""
    machine = make_small(pagevec_size=2)
    machine.spawn(10).touch(0, 3)
    core = machine.core
    assert not isolate_lru_page(core, 4, ISOLATE_BOTH), "in a pagevec"
    assert not isolate_lru_page(core, 2, ISOLATE_INACTIVE)
    assert flags(machine, 2) & PG_LRU
    for mode in (ISOLATE_ACTIVE, ISOLATE_BOTH):
        assert isolate_lru_page(core, 2, mode)
        assert (core.frames.count[2], flags(machine, 2) & PG_LRU) == (2, 0)
        assert not isolate_lru_page(core, 2, mode), "isolated by somebody"
        core.frames.set(2, PG_LRU)
        core.frames.count[2] = 1
