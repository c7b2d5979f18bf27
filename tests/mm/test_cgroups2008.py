"""The model of 2.6.25: a group's lists and numbers. The figures called recorded are a real kernel's."""

from __future__ import annotations

import pytest

from memcgfs import mm
from memcgfs.mm.models import cgroups2008
from memcgfs.mm.models.cgroups2008 import calc_mapped_ratio, mem_cgroup_isolate_pages
from memcgfs.mm.models.double_lru import isolate_pages_global
from memcgfs.mm.models.shrink import LruScanControl, shrink_inactive_list
from memcgfs.mm.params import (
    DAEMON_KSWAPD,
    GFP_KERNEL,
    ISOLATE_ACTIVE,
    MAX_NR_ZONES,
    PG_ACTIVE,
    PG_LRU,
    PG_META_ACTIVE,
    WMARK_HIGH,
    ZONE_DMA,
    ZONE_DMA32,
    ZONE_NORMAL,
)
from tests.conftest import MakeMachine

from .looking import flags, frame, uncompiled, zone_lists
from .test_rules2008 import machine_of_2008


def recorded_machine(make: MakeMachine) -> mm.Machine:
    return machine_of_2008(make, ram_bytes=256 << 20, swap_bytes=16383 * 4096)


def moved(machine: mm.Machine, before: dict[str, int], name: str) -> int:
    return sum(value - before[key] for key, value in machine.vmstat().items() if key.startswith(name))


@pytest.mark.parametrize(
    ("limit", "usage", "active", "refilled", "stolen"),
    [(32, 2, 1, 64, 31), (64, 33, 2, 127, 32), (128, 97, 2, 255, 32), (256, 225, 2, 511, 32), (1024, 993, 2, 2047, 32)],
)
def test_the_first_anonymous_page_over_the_limit(
    make_machine: MakeMachine, limit: int, usage: int, active: int, refilled: int, stolen: int
) -> None:
    """Recorded: the whole active list is demoted, each page looked at twice, and 32 are freed; failcnt 2."""
    machine = recorded_machine(make_machine)
    group = machine.create_container()
    group.limit = limit
    task = machine.spawn(10, group)
    task.touch(0, limit)
    before = machine.vmstat()
    task.touch(limit, 1)
    assert (group.usage, group.nr_active, group.failcnt) == (usage, active, 2)
    assert (moved(machine, before, "pgrefill"), moved(machine, before, "pgsteal")) == (refilled, stolen)


@pytest.mark.parametrize(
    ("limit", "usage", "active", "failcnt", "refilled", "stolen"),
    [(32, 13, 1, 1, 32, 20), (64, 33, 25, 1, 40, 32), (128, 65, 1, 1, 128, 64), (256, 225, 1, 2, 256, 32), (1024, 993, 1, 2, 1024, 32)],
)
def test_the_first_page_of_a_file_over_the_limit(
    make_machine: MakeMachine, limit: int, usage: int, active: int, failcnt: int, refilled: int, stolen: int
) -> None:
    """Recorded: each page is looked at once, without a reference test; those in the batch of 14 cannot go, which shows at small limits."""
    machine = recorded_machine(make_machine)
    file = machine.create_file()
    driver = machine.spawn(9)
    driver.write_file(file, 0, 2 * limit)
    driver.fsync_file(file)
    driver.fadvise_file(file, "dontneed", 0, 0)
    driver.mmap(0, 2 * limit, file=file)
    driver.mmap(1 << 20, 1)
    driver.munmap(1 << 20, 1)
    group = machine.create_container()
    group.limit = limit
    task = machine.spawn(10, group)
    task.fadvise_file(file, "random", 0, 0)
    task.read_file(file, 0, limit)
    before = machine.vmstat()
    task.read_file(file, limit, 1)
    assert (group.usage, group.nr_active, group.failcnt) == (usage, active, failcnt)
    assert (moved(machine, before, "pgrefill"), moved(machine, before, "pgsteal")) == (refilled, stolen)


@pytest.mark.parametrize(("limit", "failcnt"), [(64, 3), (128, 5), (256, 9), (512, 17), (1024, 33)])
def test_filling_twice_the_limit(make_machine: MakeMachine, limit: int, failcnt: int) -> None:
    """Recorded."""
    machine = recorded_machine(make_machine)
    group = machine.create_container()
    group.limit = limit
    machine.spawn(10, group).touch(0, 2 * limit)
    assert group.failcnt == failcnt


def test_a_limit_lowered_to_a_half(make_machine: MakeMachine) -> None:
    """Recorded: 512 -> 256, then one touch: usage 225, failcnt 10."""
    machine = recorded_machine(make_machine)
    group = machine.create_container()
    task = machine.spawn(10, group)
    task.touch(0, 512)
    group.limit = 256
    task.touch(512, 1)
    assert (group.usage, group.failcnt) == (225, 10)


@pytest.mark.fact("N20")
def test_a_groups_reclaim_leaves_the_zones_numbers_alone(make_small: MakeMachine) -> None:
    """Recorded: pgscan_* and allocstall stay 0; in 2007 both would move, and prev_priority with them."""
    machine = machine_of_2008(make_small)
    before = machine.vmstat()
    group = machine.create_container()
    group.limit = 8
    machine.spawn(10, group).touch(0, 24)
    assert moved(machine, before, "pgsteal") > 0
    assert moved(machine, before, "pgscan") == moved(machine, before, "allocstall") == 0
    zone = machine.zones()[0]
    assert (zone.prev_priority, zone.pages_scanned) == (12, 0)
    assert machine.core.zones.nr_scan_active[ZONE_DMA] == 0


@pytest.mark.fact("N18")
def test_a_groups_prev_priority_is_0_until_its_first_reclaim_is_over(make_machine: MakeMachine) -> None:
    """Nobody sets it when the group is made; so distress is 100 throughout the first reclaim. 64 pages at a limit of 64: at priority 6
    the active list gives one page, at 5 two.. the reclaim ends where 32 are free."""
    machine = recorded_machine(make_machine)
    group = machine.create_container()
    model = machine.core.model
    assert model.prev_priority[group.cid] == 0
    group.limit = 64
    machine.spawn(10, group).touch(0, 65)
    assert model.prev_priority[group.cid] > 0
    machine.reap(machine.tasks[10])
    machine.remove_container(group)
    again = machine.create_container()
    assert (again.cid, model.prev_priority[again.cid]) == (group.cid, 0)


@pytest.mark.fact("N17")
@uncompiled
def test_a_pass_takes_its_share_and_no_more(make_small: MakeMachine) -> None:
    """20 pages: 20 >> 3 are 2, 20 >> 4 is 1, and from priority 5 on there is nothing, however often it is asked."""
    machine, group, _ = group_of(make_small, 20)
    model = machine.core.model
    shares = {priority: model.nr_to_scan(machine.core, group.cid, ZONE_DMA, priority, True) for priority in (12, 5, 5, 4, 3, 0)}
    assert shares == {12: 0, 5: 0, 4: 1, 3: 2, 0: 20}
    assert model.nr_to_scan(machine.core, group.cid, ZONE_DMA, 0, False) == 0


@pytest.mark.fact("N21")
@uncompiled
@pytest.mark.parametrize("node", [0, 1])
def test_order_0_from_the_zones_of_its_own_node_first(make_small: MakeMachine, monkeypatch: pytest.MonkeyPatch, node: int) -> None:
    machine = machine_of_2008(make_small, nodes=2)
    group = machine.create_container()
    group.limit = 4
    task = machine.spawn(10, group)
    task.set_node(node)
    calls: list[tuple[int, int, int]] = []

    def note(core: object, zonelist: int, sc: LruScanControl) -> bool:
        calls.append((zonelist, sc.order, sc.mem_container))
        return False

    task.touch(0, 4)
    monkeypatch.setattr(cgroups2008, "do_try_to_free_pages", note)
    with pytest.raises(mm.OutOfMemory):
        task.touch(4, 1)
    assert set(calls) == {(node * MAX_NR_ZONES + ZONE_NORMAL, 0, group.cid)}


@pytest.mark.fact("N15")
def test_pages_of_other_zones_do_not_stand_in_the_way(make_small: MakeMachine) -> None:
    """Two zones on i386: each has its lists, so that what stalled isolation in 2007 cannot. The task's pages lie in both."""
    machine = machine_of_2008(make_small, arch="i386", zone_pages=(24, 0, 24, 0))
    group = machine.create_container()
    task = machine.spawn(10, group)
    task.touch(0, 36)
    assert {machine.core.frames.zone(frame(task, page)) for page in range(36)} == {0, 2}
    group.limit = 20
    task.touch(36, 1)
    assert group.usage <= 20
    assert task.state == "R"


# Isolation, by a call of the function


class Walk:
    """One call, and the pages put back as reclaim does."""

    def __init__(self, machine: mm.Machine, group: mm.Container, nr_to_scan: int, active: bool = True) -> None:
        core, model = machine.core, machine.core.model
        sc = LruScanControl(core, model, model.lru, group.cid, 0, GFP_KERNEL)
        dst = model.lru.scan_head(0, 0)
        self.nr_taken = mem_cgroup_isolate_pages(core, nr_to_scan, dst, sc, 0, ISOLATE_ACTIVE if active else 0, ZONE_DMA, group.cid, active)
        self.scanned = sc.nr_isolate_scanned
        self.taken = core.lru.order(dst)
        for pfn in self.taken[::-1]:
            core.lru.move(model.lru.head(ZONE_DMA, active), pfn)
            core.frames.set(pfn, PG_LRU)
            core.frames.count[pfn] -= 1


def group_of(make_small: MakeMachine, npages: int) -> tuple[mm.Machine, mm.Container, mm.Task]:
    """Pages 0.. of the task in frames 2.., all on the LRU (batches of one)."""
    machine = machine_of_2008(make_small, pagevec_size=1)
    group = machine.create_container()
    task = machine.spawn(10, group)
    task.touch(0, npages)
    return machine, group, task


@pytest.mark.fact("N16")
@uncompiled
def test_the_oldest_are_taken_and_return_to_the_head(make_small: MakeMachine) -> None:
    machine, group, _ = group_of(make_small, 6)
    assert group.lists() == ([7, 6, 5, 4, 3, 2], [])
    walk = Walk(machine, group, 3)
    assert (walk.nr_taken, walk.scanned, walk.taken) == (3, 3, [4, 3, 2])
    assert group.lists() == ([4, 3, 2, 7, 6, 5], []), "the last one that was walked stands first"


@pytest.mark.fact("N16")
@uncompiled
def test_a_page_that_is_not_on_the_lru_stays_and_does_not_count(make_small: MakeMachine) -> None:
    machine, group, _ = group_of(make_small, 4)
    machine.core.frames.clear(2, PG_LRU)
    walk = Walk(machine, group, 2)
    machine.core.frames.set(2, PG_LRU)
    assert (walk.scanned, walk.taken) == (2, [4, 3])
    assert group.lists() == ([4, 3, 5, 2], [])


@pytest.mark.fact("N16")
@uncompiled
def test_a_record_on_the_wrong_list_moves_and_does_not_count(make_small: MakeMachine) -> None:
    """Frame 2 was deactivated where nobody told its group."""
    machine, group, _ = group_of(make_small, 4)
    core, lru = machine.core, machine.core.model.lru
    core.frames.clear(2, PG_ACTIVE)
    core.lru.move(lru.head(ZONE_DMA, False), 2)
    assert flags(machine, 2) & PG_META_ACTIVE
    walk = Walk(machine, group, 1)
    assert (walk.scanned, walk.taken) == (1, [3])
    assert group.lists() == ([3, 5, 4], [2])
    assert not flags(machine, 2) & PG_META_ACTIVE
    assert (group.nr_active, group.nr_inactive) == (3, 1)
    core.frames.set(2, PG_ACTIVE)
    core.lru.move(lru.head(ZONE_DMA, True), 2)


@pytest.mark.fact("N16")
@uncompiled
def test_each_record_is_met_once(make_small: MakeMachine) -> None:
    """More is asked for than there is."""
    machine, group, _ = group_of(make_small, 3)
    walk = Walk(machine, group, 32)
    assert (walk.nr_taken, walk.scanned) == (3, 3)


# A block that waits


@pytest.mark.fact("N23")
@uncompiled
@pytest.mark.parametrize(("model", "freed"), [("containers2007", 0), ("cgroups2008", 8)])
def test_who_wants_a_large_block_waits_for_what_is_being_written(make_small: MakeMachine, model: str, freed: int) -> None:
    """Eight dirty pages of a file stand where a block of 16 is wanted, and the disk takes 1 ms for each. Their writes are begun, and
    that is all, in the series of 2007; since 2.6.23 whoever reclaims looks a second time, 100 ms later, and waits for each."""
    machine = make_small(rules="2008", model=model, disk=mm.DiskConfig(1_000_000, 0, 64), pagevec_size=1, swap_cluster_max=8)
    task = machine.spawn(10)
    task.write_file(machine.create_file(), 0, 8)
    core, lru = machine.core, machine.core.model.lru
    assert len(zone_lists(machine)[1]) == 8
    sc = LruScanControl(core, core.model, lru, -1, 4, GFP_KERNEL)
    sc.isolate_pages = isolate_pages_global
    assert shrink_inactive_list(core, 8, ZONE_DMA, sc) == freed
    assert (machine.clock_ns >= 100_000_000) == (freed > 0)


# What decides about mapped pages


@pytest.mark.fact("N19")
@uncompiled
def test_the_mapped_ratio_counts_what_is_not_cache(make_small: MakeMachine) -> None:
    """6 anonymous pages and 3 of a file, mapped: 6 * 100 / (9 + 1)."""
    machine, group, task = group_of(make_small, 6)
    file = machine.create_file()
    machine.spawn(9).write_file(file, 0, 3)
    machine.force_empty(machine.root)
    task.mmap(100, 3, file=file, shared=True)
    task.fadvise_file(file, "dontneed", 0, 0)
    task.madvise(100, 3, "random")
    machine.spawn(8, group).read_file(file, 0, 3)
    task.touch(100, 3, write=False)
    assert (group.cache_pages, group.rss_pages) in ((3, 6), (0, 9))
    assert calc_mapped_ratio(machine.core, group.cid) == group.rss_pages * 100 // 10


@pytest.mark.fact("N19")
@uncompiled
@pytest.mark.parametrize(
    ("swappiness", "prev_priority", "active", "inactive", "answer"),
    [
        (60, 12, 5, 4, True),  # 45 + 60
        (51, 12, 5, 4, False),  # 45 + 51, and 5 // 5 * 52 // 100 is nothing
        (51, 12, 9, 0, False),  # 45 + 51, and 9 * 52 // 100 = 4, of which 90 % are 3: 99
        (52, 12, 9, 0, True),  # 45 + 52 + 9 * 53 // 100 * 90 // 100 = 100
        (0, 1, 9, 0, False),  # distress 50: 95
        (0, 0, 9, 0, True),  # distress 100
    ],
)
def test_reclaim_mapped(make_small: MakeMachine, swappiness: int, prev_priority: int, active: int, inactive: int, answer: bool) -> None:
    """9 anonymous pages, 9 * 100 // 10 = 90 % of the group's memory."""
    machine, group, _ = group_of(make_small, 9)
    model = machine.core.model
    machine.set_sysctl("swappiness", swappiness)
    model.prev_priority[group.cid] = prev_priority
    model.nr_active[group.cid], model.nr_inactive[group.cid] = active, inactive
    sc = LruScanControl(machine.core, model, model.lru, group.cid, 0, GFP_KERNEL)
    said = model.may_reclaim_mapped(machine.core, ZONE_DMA, sc, 12)
    model.nr_active[group.cid], model.nr_inactive[group.cid] = 9, 0
    assert said == answer


@pytest.mark.fact("N19")
@uncompiled
@pytest.mark.parametrize(("swappiness", "answer"), [(25, False), (33, False), (34, True)])
def test_the_machines_own_goes_by_the_zones_lists(make_small: MakeMachine, swappiness: int, answer: bool) -> None:
    """60 of 63 pages mapped and active: 47, and of 60 active pages for no inactive one 60 * 26 // 100 * 95 // 100 = 14: 86. With
    swappiness 33 it is 47 + 33 + 60 * 34 // 100 * 95 // 100 = 99, with 34 it is 47 + 34 + 19 = 100."""
    machine = machine_of_2008(make_small, pagevec_size=1)
    machine.spawn(10).touch(0, 60)
    model = machine.core.model
    assert len(zone_lists(machine)[0]) == 60
    machine.set_sysctl("swappiness", swappiness)
    sc = LruScanControl(machine.core, model, model.lru, -1, 0, GFP_KERNEL)
    assert model.may_reclaim_mapped(machine.core, ZONE_DMA, sc, 12) == answer


@pytest.mark.fact("N22")
@pytest.mark.parametrize(("model", "is_asked"), [("containers2007", True), ("cgroups2008", False)])
def test_kswapd_leaves_a_zone_alone_that_has_far_too_much(make_machine: MakeMachine, model: str, is_asked: bool) -> None:
    """Since 2.6.24. All of the lower zone is free, and the upper one is short of pages, by a watermark that the test sets."""
    machine = make_machine(
        rules="2008", model=model, zone_pages=(4096, 1024, 0, 0), min_free_kbytes=64, swap_bytes=8 << 20, disk=mm.DiskConfig(0, 0, 128)
    )
    machine.spawn(10).touch(0, 900)
    lower, upper = machine.zones()[:2]
    assert (lower.free > 8 * lower.pages_high, upper.free) == (True, 122)
    machine.core.zones.wmark[ZONE_DMA32 * 3 + WMARK_HIGH] = 200
    machine.core.daemons.set_due(DAEMON_KSWAPD, machine.clock_ns)
    machine.advance(10**9)
    lower, upper = machine.zones()[:2]
    assert upper.free > 200
    assert (lower.nr_scan_active > 0) == is_asked
