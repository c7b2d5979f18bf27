"""kswapd: woken below the low watermark, it frees pages of the machine until every zone is above its high one, napping on the way."""

from __future__ import annotations

import pytest

from memcgfs import mm
from memcgfs.mm.models import kswapd
from memcgfs.mm.models.shrink import LruScanControl
from memcgfs.mm.params import DAEMON_KSWAPD, GFP_ATOMIC, WMARK_HIGH
from tests.conftest import MakeMachine

from .looking import reclaim_mapped, uncompiled

KB_PER_PAGE = 4
NAP_NS = 100_000_000


def with_watermarks(make_small: MakeMachine, pages_min: int = 8, **fields: object) -> mm.Machine:
    """63 free frames; min 8, low 10, high 12."""
    machine = make_small(min_free_kbytes=pages_min * KB_PER_PAGE, pagevec_size=1, **fields)
    zone = machine.zones()[0]
    assert (zone.pages_min, zone.pages_low, zone.pages_high) == (8, 10, 12)
    return machine


@pytest.mark.fact("B7", "D9")
def test_it_sleeps_while_memory_is_above_the_low_watermark(make_small: MakeMachine) -> None:
    """A page and the page table of 63 are taken; down to 11 free there is no reason to wake it."""
    machine = with_watermarks(make_small)
    machine.spawn(100).touch(0, 63 - 1 - 10)
    assert machine.zones()[0].free == 10
    assert machine.vmstat()["pageoutrun"] == 0


@pytest.mark.fact("D9")
def test_it_frees_up_to_the_high_watermark_and_whoever_faults_does_not_wait(make_small: MakeMachine) -> None:
    """Two runs: the pass that frees enough found the zone short, so that only the next run sees that all is well."""
    machine = with_watermarks(make_small)
    reclaim_mapped(machine)
    task = machine.spawn(100)
    task.touch(0, 63 - 1 - 10)
    task.touch(100, 1)
    counts = machine.vmstat()
    assert counts["pageoutrun"] == 2
    assert counts["allocstall"] == 0
    assert machine.zones()[0].free > 12
    assert counts["kswapd_steal"] == counts["pgsteal_dma"] == task.swap_pages > 0
    assert counts["pgscan_kswapd_dma"] > 0 == counts["pgscan_direct_dma"]


@pytest.mark.fact("D13")
def test_it_naps_where_the_third_level_of_pressure_was_not_enough(make_small: MakeMachine) -> None:
    """Pages are being written to a slow disk: kswapd is due again a tenth of a second after it gave up for the moment."""
    machine = with_watermarks(make_small, disk=mm.DiskConfig(500_000_000, 100 << 20, 64), swap_cluster_max=2)
    reclaim_mapped(machine)
    machine.spawn(100).touch(0, 63 - 1 - 9)
    assert machine.core.daemons.due_ns[DAEMON_KSWAPD] > machine.clock_ns
    assert machine.core.daemons.due_ns[DAEMON_KSWAPD] - machine.clock_ns == 100_000_000
    assert machine.zones()[0].prev_priority < 10
    machine.advance(2_000_000_000)
    assert machine.core.daemons.due_ns[DAEMON_KSWAPD] == -1
    assert machine.zones()[0].free > 12


@pytest.mark.fact("D13")
@uncompiled
def test_a_run_by_script(make_small: MakeMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Laptop mode, a cluster of 4, and shrink_zone replaced: each pass scans 3 pages and frees none.

    Passes 12, 11, 10 follow each other, and from 9 on each is followed by a nap. 9 pages at 10 are the first more than 2 * 4: the
    pass after that may write.
    """
    machine = with_watermarks(make_small, swap_pages=0)
    machine.set_sysctl("laptop_mode", 1)
    machine.spawn(100).touch(0, 63 - 1 - 10)
    passes: list[tuple[int, int, bool]] = []

    def shrink_zone(core: object, priority: int, zone: int, sc: LruScanControl) -> int:
        sc.nr_scanned = 3
        passes.append((priority, machine.clock_ns, sc.may_writepage))
        return 0

    monkeypatch.setattr(kswapd, "shrink_zone", shrink_zone)
    machine.spawn(200).touch(0, 1, write=False)
    machine.advance(2 * NAP_NS)
    assert passes == [
        (12, 0, False),
        (11, 0, False),
        (10, 0, False),
        (9, 0, True),
        (8, NAP_NS, True),
        (7, 2 * NAP_NS, True),
    ]


@pytest.mark.fact("D10")
def test_it_gives_a_zone_up_that_was_scanned_six_times_round(make_small: MakeMachine) -> None:
    """All 53 pages stay active. (53 >> p) + 1, added up until it is 4 or more, is 4 at priority 9, 5 at 5, then 4 7 14 27 54: 115 a run.

    6 * 53 is 318, which the end of the third run passes. The fourth sees the zone given up, and kswapd sleeps.
    """
    machine = with_watermarks(make_small, swap_pages=0)
    machine.spawn(100).touch(0, 63 - 1 - 9)
    zone = machine.zones()[0]
    assert (zone.all_unreclaimable, zone.pages_scanned) == (True, 3 * 115)
    assert machine.vmstat()["pageoutrun"] == 4
    assert machine.core.daemons.due_ns[DAEMON_KSWAPD] == -1


@pytest.mark.fact("R7")
def test_a_containers_reclaim_makes_kswapd_give_the_zone_up(make_small: MakeMachine) -> None:
    """pages_scanned is the zone's: what a container without room looked at in vain counts for kswapd, whose first pass is its last."""
    machine = with_watermarks(make_small, swap_pages=0)
    hog = machine.spawn(100)
    hog.touch(0, 45)
    container = machine.create_container()
    container.limit = 4
    task = machine.spawn(200, container)
    task.touch(0, 4)

    def wake_kswapd(point: int, _: int) -> None:
        if machine.zones()[0].pages_scanned >= 6 * 52:
            machine.set_interleave(None)
            hog.touch(45, 2)

    machine.set_interleave(wake_kswapd)
    with pytest.raises(mm.OutOfMemory):
        task.touch(4, 1)
    assert machine.vmstat()["pageoutrun"] == 1


@pytest.mark.fact("D11")
def test_a_page_that_comes_free_gives_the_zone_another_chance(make_small: MakeMachine) -> None:
    machine = with_watermarks(make_small)
    task = machine.spawn(100)
    task.touch(0, 4)
    machine.core.zones.all_unreclaimable[0] = 1
    machine.core.zones.pages_scanned[0] = 99
    task.munmap(0, 1)
    zone = machine.zones()[0]
    assert (zone.all_unreclaimable, zone.pages_scanned) == (False, 0)


def test_it_shrinks_slabs(make_small: MakeMachine) -> None:
    machine = with_watermarks(make_small)
    reclaim_mapped(machine)
    task = machine.spawn(100)
    task.lookup(200)
    task.touch(0, 63 - 11 - 1 - 9)
    assert machine.vmstat()["slabs_scanned"] > 0
    assert machine.vmstat()["allocstall"] == 0
    assert machine.core.dentry_cache.nr_slabs < 11


@pytest.mark.fact("D13")
def test_laptop_mode_binds_kswapd_until_it_is_hard(make_small: MakeMachine) -> None:
    """It may write when more than two clusters were looked at. With a cluster of 100 one run never gets that far, with 4 it does."""
    for cluster, writes in ((100, False), (4, True)):
        machine = with_watermarks(make_small, swap_cluster_max=cluster)
        reclaim_mapped(machine)
        machine.set_sysctl("laptop_mode", 1)
        machine.spawn(100).touch(0, 63 - 1 - 9)
        machine.advance(1_000_000_000)
        assert machine.vmstat()["pageoutrun"] >= 1
        assert (machine.vmstat()["pswpout"] > 0) == writes


@pytest.mark.fact("C22")
def test_what_it_charges_is_the_top_containers(make_small: MakeMachine) -> None:
    """kswapd has no mm. Pages whose charge was forgotten are charged anew when kswapd puts them into the swap cache: to the top.

    One at a time, because unmapping the page gives up a charge that stands for "mapped", and finds only the cache's.
    """
    machine = with_watermarks(make_small)
    reclaim_mapped(machine)
    container = machine.create_container()
    task = machine.spawn(100, container)
    task.touch(0, 50)
    machine.force_empty(container)
    task.touch(50, 3)
    assert task.swap_pages > 0
    assert (machine.root.peak, machine.root.usage) == (1, 0)


@pytest.mark.parametrize(("depth", "is_woken"), [(8, True), (64, False)])
def test_its_nap_ends_when_a_disk_leaves_congestion(make_small: MakeMachine, depth: int, is_woken: bool) -> None:
    """A queue of 8 is full, and congested, with the first 8 pages that kswapd writes; when 3 of them are written it is relieved, and kswapd
    goes on, to nap anew. One of 64 was never congested, so that it sleeps its time out."""
    machine = with_watermarks(make_small, disk=mm.DiskConfig(20_000_000, 100 << 20, depth), swap_cluster_max=2)
    reclaim_mapped(machine)
    machine.set_sysctl("dirty_ratio", 0)
    machine.spawn(100).touch(0, 63 - 1 - 9)
    due_ns = machine.core.daemons.due_ns[DAEMON_KSWAPD]
    assert machine.core.daemons.is_napping[DAEMON_KSWAPD]
    assert due_ns == machine.clock_ns + NAP_NS
    machine.advance(1_000_000)
    assert (machine.core.daemons.due_ns[DAEMON_KSWAPD] != due_ns) == is_woken
    machine.advance(5_000_000_000)
    assert machine.core.daemons.due_ns[DAEMON_KSWAPD] == -1
    assert not machine.core.daemons.is_napping[DAEMON_KSWAPD]


def test_it_stays_behind_a_zone_while_too_much_is_being_written(make_small: MakeMachine) -> None:
    """throttle_vm_writeout: 5 % of 63 frames may be dirty, which is 3, so that with 12 under writeback kswapd waits behind the zone, in the
    middle of its pass. Whoever faults meanwhile is served, and does not wait with it."""
    machine = with_watermarks(make_small, disk=mm.DiskConfig(500_000_000, 100 << 20, 64))
    reclaim_mapped(machine)
    machine.set_sysctl("dirty_ratio", 0)
    task = machine.spawn(100)
    task.touch(0, 63 - 1 - 9)
    assert (machine.vmstat()["nr_writeback"], machine.engine.dirty_threshold(machine.core)) == (12, 3)
    kswapd = machine.core.model.kswapd
    assert (kswapd.zone[0], kswapd.is_shrunk[0]) == (0, 1)
    task.touch(53, 1)
    assert (task.stall_ns, machine.clock_ns) == (0, 0)
    machine.advance(5_000_000_000)
    assert (kswapd.zone[0], kswapd.is_shrunk[0], kswapd.priority[0]) == (-1, 0, -1)
    assert machine.zones()[0].free > 12


@pytest.mark.fact("D15")
def test_a_larger_order_asked_for_meanwhile_keeps_it_awake(make_small: MakeMachine) -> None:
    """It naps while pages for single frames are written, when somebody who cannot wait asks for a block of 8. Once single pages are
    enough it begins anew for blocks."""
    machine = with_watermarks(make_small, disk=mm.DiskConfig(500_000_000, 100 << 20, 64), swap_cluster_max=2)
    reclaim_mapped(machine)
    task = machine.spawn(100)
    task.touch(0, 63 - 1 - 9)
    assert machine.core.daemons.is_napping[DAEMON_KSWAPD]
    with pytest.raises(mm.OutOfMemory):
        task.alloc_block(3, GFP_ATOMIC)
    assert (machine.core.model.kswapd.order[0], machine.core.kswapd_max_order[0]) == (0, 3)
    machine.advance(20_000_000_000)
    assert machine.core.daemons.is_asleep(DAEMON_KSWAPD)
    assert (machine.core.model.kswapd.order[0], machine.core.kswapd_max_order[0]) == (3, 0)
    assert machine.core.zones.watermark_ok(0, 3, WMARK_HIGH, 0, 0)
