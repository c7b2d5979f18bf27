"""disk.py: queues with a latency, a bandwidth and a depth; and what waits for them."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from memcgfs.mm import DiskConfig, Machine, Task
from memcgfs.mm.params import AT_CONGESTION_WAIT, PG_LOCKED, PG_UPTODATE, PG_WRITEBACK
from tests.conftest import MakeMachine

from .looking import cold_task, flags, frame, once_at, reclaim_mapped

MS = 1_000_000


def test_a_lone_request_takes_latency_and_transfer(engine: ModuleType) -> None:
    disk = engine.Disks(engine.Arrays(), 1, 5 * MS, 1 * MS, 8)
    assert disk.next_done_ns(0) == -1
    disk.submit(0, 7, True, 100 * MS)
    assert disk.next_done_ns(0) == 106 * MS
    assert disk.next_is_write()
    assert disk.complete() == 7
    assert (disk.next_done_ns(0), disk.nr_queued(0)) == (-1, 0)


def done_times(disk: Any) -> list[int]:
    times = []
    while disk.nr_queued(0):
        times.append(disk.next_done_ns(0))
        disk.complete()
    return times


def test_transfers_follow_each_other_and_latencies_overlap(engine: ModuleType) -> None:
    """Three at once: transfers end at 1, 2, 3 ms, each is done 5 ms later. One that comes when the disk is idle starts at once."""
    disk = engine.Disks(engine.Arrays(), 1, 5 * MS, 1 * MS, 8)
    for pfn in (1, 2, 3):
        disk.submit(0, pfn, True, 0)
    disk.submit(0, 4, False, 10 * MS)
    assert done_times(disk) == [6 * MS, 7 * MS, 8 * MS, 16 * MS]


def test_without_bandwidth_limit_only_the_latency_counts(engine: ModuleType) -> None:
    disk = engine.Disks(engine.Arrays(), 1, 5 * MS, 0, 8)
    for pfn in (1, 2):
        disk.submit(0, pfn, True, 3 * MS)
    assert done_times(disk) == [8 * MS, 8 * MS]
    assert not disk.is_synchronous
    assert engine.Disks(engine.Arrays(), 1, 0, 0, 8).is_synchronous


def test_the_queue_is_served_in_order(engine: ModuleType) -> None:
    """Around the ring of 2 * depth + 2 places several times."""
    disk = engine.Disks(engine.Arrays(), 1, MS, 0, 3)
    for number in range(1, 40):
        disk.submit(0, number, bool(number % 2), number)
        disk.submit(0, number + 100, False, number)
        assert disk.next_is_write() == bool(number % 2)
        assert [disk.complete(), disk.complete()] == [number, number + 100]
    assert disk.nr_writes == disk.nr_queued(0) == 0


def test_each_direction_has_its_own_depth(engine: ModuleType) -> None:
    disk = engine.Disks(engine.Arrays(), 1, MS, 0, 2)
    disk.submit(0, 1, True, 0)
    assert disk.has_room(0, True)
    disk.submit(0, 2, True, 0)
    assert (disk.has_room(0, True), disk.has_room(0, False)) == (False, True)
    disk.submit(0, 3, False, 0)
    disk.submit(0, 4, False, 0)
    assert (disk.has_room(0, True), disk.has_room(0, False)) == (False, False)
    disk.complete()
    assert (disk.has_room(0, True), disk.has_room(0, False)) == (True, False)


@pytest.mark.fact("W6")
@pytest.mark.parametrize(("depth", "on", "off"), [(8, 8, 6), (16, 15, 12), (128, 113, 103)])
def test_congestion_begins_at_seven_eighths(engine: ModuleType, depth: int, on: int, off: int) -> None:
    """blk_queue_congestion_threshold: on at depth - depth/8 + 1 writes, off below depth - depth/8 - depth/16 - 1."""
    disk = engine.Disks(engine.Arrays(), 1, MS, 0, depth)
    for number in range(1, depth + 1):
        disk.submit(0, number, True, 0)
        assert disk.is_write_congested(0) == (number >= on)
    for number in range(depth - 1, -1, -1):
        disk.complete()
        assert disk.is_write_congested(0) == (number >= off)


@pytest.mark.parametrize(("depth", "off"), [(4, 3), (2, 1), (1, 1)])
def test_a_short_queue_is_congested_when_it_is_full(engine: ModuleType, depth: int, off: int) -> None:
    """The kernel clamps: on at no more than the depth, off at no less than 1."""
    disk = engine.Disks(engine.Arrays(), 1, MS, 0, depth)
    for number in range(1, depth + 1):
        disk.submit(0, number, True, 0)
        assert disk.is_write_congested(0) == (number == depth)
    for number in range(depth - 1, -1, -1):
        disk.complete()
        assert disk.is_write_congested(0) == (number >= off)


def test_each_direction_congests_by_itself(engine: ModuleType) -> None:
    """Depth 8: from 8 requests on, until fewer than 6 are left."""
    disk = engine.Disks(engine.Arrays(), 1, MS, 0, 8)
    for number in range(1, 9):
        assert not disk.is_read_congested(0)
        disk.submit(0, number, False, 0)
    assert (disk.is_read_congested(0), disk.is_write_congested(0)) == (True, False)
    for _ in range(3):
        disk.complete()
    assert not disk.is_read_congested(0)
    assert disk.nr_relieved == 0, "nobody waits for a queue of reads"


def test_the_first_of_several_disks_is_next(engine: ModuleType) -> None:
    """5 ms each, 1 ms of transfer on the disk's own line: disk 2 is done at 6 and 7 ms, disk 0 at 7 and disk 1 at 8. At 7 the lowest
    disk comes first."""
    disks = engine.Disks(engine.Arrays(), 3, 5 * MS, 1 * MS, 8)
    disks.submit(2, 21, True, 0)
    disks.submit(2, 22, False, 0)
    disks.submit(0, 1, True, 1 * MS)
    disks.submit(1, 11, True, 2 * MS)
    done = []
    while disks.next_ns >= 0:
        done.append((disks.next_ns // MS, disks.next_disk, disks.next_is_write(), disks.complete()))
    assert done == [(6, 2, True, 21), (7, 0, True, 1), (7, 2, False, 22), (8, 1, True, 11)]


def test_disks_congest_by_themselves(engine: ModuleType) -> None:
    """Depth 2, off below 1: disk 1 is relieved when its last write is done, and disk 0 never was congested."""
    disks = engine.Disks(engine.Arrays(), 2, MS, 0, 2)
    disks.submit(0, 1, True, 0)
    for pfn in (2, 3):
        disks.submit(1, pfn, True, 0)
    assert (disks.is_write_congested(0), disks.is_write_congested(1)) == (False, True)
    assert (disks.has_room(0, True), disks.has_room(1, True)) == (True, False)
    relieved = []
    while disks.next_ns >= 0:
        disks.complete()
        relieved.append(disks.nr_relieved)
    assert relieved == [0, 0, 1]


@pytest.mark.parametrize(("bandwidth", "transfer_ns"), [(0, 0), (4096, 1_000_000_000), (100 << 20, 39062), (1 << 62, 0)])
def test_transfer_time_of_a_page(bandwidth: int, transfer_ns: int) -> None:
    assert DiskConfig(bytes_per_s=bandwidth).transfer_ns == transfer_ns


# On the machine


def task_with_page_0_swapped(make_small: MakeMachine, disk: DiskConfig) -> tuple[Machine, Task]:
    machine = make_small(pagevec_size=1, swap_cluster_max=1, disk=disk)
    reclaim_mapped(machine)
    machine.set_sysctl("page-cluster", 0)
    container = machine.create_container()
    container.limit = 1
    task = cold_task(machine, container, 1)
    task.touch(1, 1)
    container.limit = 64
    return machine, task


@pytest.mark.fact("S10")
@pytest.mark.parametrize(("latency", "bandwidth", "stall"), [(5 * MS, 0, 5 * MS), (MS, 4_096_000, 2 * MS), (0, 4_096_000, MS), (0, 0, 0)])
def test_a_major_fault_waits_for_its_page(make_small: MakeMachine, latency: int, bandwidth: int, stall: int) -> None:
    machine, task = task_with_page_0_swapped(make_small, DiskConfig(latency, bandwidth, 8))
    before, stalled = machine.clock_ns, task.stall_ns
    assert task.touch(0, 1).major == 1
    assert machine.clock_ns - before == task.stall_ns - stalled == stall
    assert flags(machine, frame(task, 0)) & (PG_LOCKED | PG_UPTODATE) == PG_UPTODATE


def test_a_page_read_ahead_is_waited_for_by_who_wants_it(make_small: MakeMachine) -> None:
    """Pages 0 and 1 are read by one fault, 1 ms of transfer each and 1 ms of latency. Page 0 is there after 2 ms; who wants page 1 finds
    it locked, and waits for another."""
    machine = make_small(pagevec_size=1, swap_cluster_max=2, disk=DiskConfig(MS, 4_096_000, 8))
    reclaim_mapped(machine)
    container = machine.create_container()
    container.limit = 2
    task = cold_task(machine, container, 2)
    task.touch(2, 1)
    container.limit = 64
    machine.advance(10**9)
    start = machine.clock_ns
    assert task.touch(0, 1, write=False).major == 1
    assert machine.clock_ns - start == 2 * MS
    result = task.touch(1, 1, write=False)
    assert (result.minor, result.major) == (1, 0)
    assert machine.clock_ns - start == 3 * MS


def test_writes_begin_at_once_and_end_in_time(make_small: MakeMachine) -> None:
    """The write of frame 2 is under way while the driver waits; nothing of it shows before its 5 ms are over."""
    machine = make_small(pagevec_size=1, swap_cluster_max=1, disk=DiskConfig(5 * MS, 0, 8))
    reclaim_mapped(machine)
    container = machine.create_container()
    container.limit = 1
    task = cold_task(machine, container, 1)
    seen: list[bool] = []

    def look() -> None:
        start = machine.clock_ns
        for elapsed in (0, 5 * MS - 1, 5 * MS):
            machine.advance(start + elapsed - machine.clock_ns)
            seen.append(bool(flags(machine, 2) & PG_WRITEBACK))

    once_at(machine, AT_CONGESTION_WAIT, look)
    task.touch(1, 1)
    assert seen == [True, True, False]
    assert machine.vmstat()["nr_writeback"] == 0


def test_a_full_queue_makes_the_writer_sleep(make_small: MakeMachine) -> None:
    """Depth 2, 10 ms a request: of four pages written in one scan, the third sleeps until the first is done, and so begins at 10 ms."""
    machine = make_small(pagevec_size=1, disk=DiskConfig(10 * MS, 0, 2))
    reclaim_mapped(machine)
    container = machine.create_container()
    container.limit = 4
    task = cold_task(machine, container, 4)
    seen: list[tuple[int, int]] = []
    once_at(machine, AT_CONGESTION_WAIT, lambda: seen.append((machine.clock_ns, machine.vmstat()["nr_writeback"])))
    task.touch(4, 1)
    assert seen == [(10 * MS, 2)]
