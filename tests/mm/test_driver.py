"""do_try_to_free_pages: the driver that the machine's reclaim and a container's share (the seed; mm/vmscan.c of 2.6.23).

The first part replaces what the driver calls by a script, and pins its decisions; the second reaches it through operations only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from memcgfs import mm
from memcgfs.mm.models import double_lru
from memcgfs.mm.models.shrink import LruScanControl
from memcgfs.mm.params import GFP_KERNEL, NR_ACTIVE, ZONE_DMA, ZONE_DMA32, ZONE_HIGHMEM, ZONE_NORMAL
from tests.conftest import MakeMachine

from .looking import uncompiled

WAIT_NS = 100_000_000


@dataclass
class Script:
    """What shrink_zones scans and frees at each priority, and what it was given."""

    scanned: dict[int, int] = field(default_factory=dict)
    freed: dict[int, int] = field(default_factory=dict)
    all_unreclaimable: bool = False
    calls: list[tuple[int, int, bool, int]] = field(default_factory=list)
    gfp_masks: set[int] = field(default_factory=set)

    def shrink_zones(self, core: object, priority: int, kind: int, sc: LruScanControl) -> int:
        self.calls.append((priority, kind, sc.may_writepage, sc.order))
        self.gfp_masks.add(sc.gfp_mask)
        sc.nr_scanned = self.scanned.get(priority, 0)
        sc.all_unreclaimable = self.all_unreclaimable
        return self.freed.get(priority, 0)

    @property
    def priorities(self) -> list[int]:
        return [priority for priority, *_ in self.calls]

    @property
    def may_writepage_from(self) -> int | None:
        return next((priority for priority, _, may, _ in self.calls if may), None)


Drive = Callable[..., bool]


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Script:
    script = Script()
    monkeypatch.setattr(double_lru, "shrink_zones", script.shrink_zones)
    return script


def for_machine(machine: mm.Machine) -> bool:
    success: bool = machine.core.model.shrink_zones(machine.core, ZONE_NORMAL, 0, GFP_KERNEL)
    return success


def for_container(machine: mm.Machine) -> bool:
    success: bool = machine.core.model.shrink_container(machine.core, machine.create_container().cid)
    return success


both = pytest.mark.parametrize("drive", [for_machine, for_container])


@pytest.mark.fact("D1")
@uncompiled
@both
def test_priorities_run_from_12_to_0(make_small: MakeMachine, script: Script, drive: Drive) -> None:
    machine = make_small()
    drive(machine)
    assert script.priorities == list(range(12, -1, -1))


@pytest.mark.fact("D1", "R4")
@uncompiled
@both
@pytest.mark.parametrize(("freed", "last"), [({12: 4}, 12), ({12: 3}, 0), ({12: 3, 11: 1}, 11), ({3: 2, 1: 9}, 1)])
def test_it_stops_as_soon_as_swap_cluster_max_pages_are_free(
    make_small: MakeMachine, script: Script, drive: Drive, freed: dict[int, int], last: int
) -> None:
    """swap_cluster_max is 4 here; what is freed adds up over the priorities."""
    machine = make_small()
    script.freed = freed
    script.all_unreclaimable = True
    assert drive(machine) == (sum(freed.values()) >= 4)
    assert script.priorities[-1] == last
    assert machine.zones()[0].prev_priority == last


@pytest.mark.fact("R4")
@uncompiled
@pytest.mark.parametrize("all_unreclaimable", [False, True])
def test_without_pages_a_scannable_zone_is_success_for_the_machine_only(
    make_small: MakeMachine, script: Script, all_unreclaimable: bool
) -> None:
    script.all_unreclaimable = all_unreclaimable
    script.freed = {5: 3}
    assert for_machine(make_small()) == (not all_unreclaimable)
    assert not for_container(make_small())


@pytest.mark.fact("D3")
@uncompiled
@both
@pytest.mark.parametrize(
    ("scanned", "waits"), [({}, 0), ({12: 1, 11: 1, 10: 1}, 0), ({9: 1}, 1), ({9: 1, 4: 7, 0: 1}, 3), ({2: 0}, 0)]
)
def test_it_naps_below_priority_10_where_pages_were_scanned(
    make_small: MakeMachine, script: Script, drive: Drive, scanned: dict[int, int], waits: int
) -> None:
    machine = make_small()
    script.scanned = scanned
    drive(machine)
    assert machine.clock_ns == waits * WAIT_NS


@pytest.mark.fact("D2", "R1")
@uncompiled
@both
@pytest.mark.parametrize(("scanned", "since"), [({12: 6}, None), ({12: 7}, 11), ({12: 3, 11: 3, 10: 1}, 9), ({0: 100}, None)])
def test_laptop_mode_writes_only_after_one_and_a_half_clusters_were_scanned(
    make_small: MakeMachine, script: Script, drive: Drive, scanned: dict[int, int], since: int | None
) -> None:
    """4 + 2 pages may be scanned; the pass after that may write."""
    machine = make_small()
    machine.set_sysctl("laptop_mode", 1)
    script.scanned = scanned
    drive(machine)
    assert script.may_writepage_from == since


@pytest.mark.fact("R1")
@uncompiled
@both
def test_without_laptop_mode_every_pass_may_write(make_small: MakeMachine, script: Script, drive: Drive) -> None:
    drive(make_small())
    assert script.may_writepage_from == 12


@pytest.mark.fact("R1", "R2")
@uncompiled
@pytest.mark.parametrize(("arch", "user_zone"), [("x86_64", ZONE_NORMAL), ("i386", ZONE_HIGHMEM)])
def test_a_container_asks_for_order_1_from_the_zones_of_zone_userpages(
    make_small: MakeMachine, script: Script, arch: str, user_zone: int
) -> None:
    for_container(make_small(arch=arch))
    for_machine(make_small(arch=arch))
    assert [(kind, order) for _, kind, _, order in script.calls] == [(user_zone, 1)] * 13 + [(ZONE_NORMAL, 0)] * 13
    assert script.gfp_masks == {GFP_KERNEL}


@pytest.mark.fact("D6", "R3")
@uncompiled
@both
def test_slabs_pay_for_what_was_scanned_but_not_to_a_container(
    make_small: MakeMachine, script: Script, drive: Drive
) -> None:
    """Lists are empty and seeks is 2: 4 * 3 scanned / 2 times 200 objects is more than twice the objects, which is the most.

    Of the 400 three steps of 128 are made and 16 carried over. 200 steps find a referenced dentry and give it another round, 184 free one.
    """
    machine = make_small()
    machine.spawn(100).lookup(200)
    cache = machine.core.dentry_cache
    script.scanned = {12: 3}
    script.freed = {12: 4}
    drive(machine)
    found = (machine.vmstat()["slabs_scanned"], cache.nr_objects, cache.nr_to_scan)
    assert found == ((384, 16, 16) if drive is for_machine else (0, 200, 0))


@pytest.mark.fact("D6")
@uncompiled
@pytest.mark.parametrize(("lookups", "success"), [(200, True), (17 * 19, True), (57, False)])
def test_pages_of_slabs_count_as_reclaimed(make_small: MakeMachine, script: Script, lookups: int, success: bool) -> None:
    """No page of the LRU comes free, and nothing is worth scanning; but 4 pages of slabs are a cluster. 57 dentries count as none."""
    machine = make_small()
    machine.spawn(100).lookup(lookups)
    script.scanned = {12: 100}
    script.all_unreclaimable = True
    assert for_machine(machine) == success
    assert script.priorities == ([12] if success else list(range(12, -1, -1)))


def full_of_anon_without_swap(make_small: MakeMachine, **fields: object) -> tuple[mm.Machine, mm.Task]:
    """12 pages on the zone's active list, 4 of them of a container that is full. Without swap they stay active, whatever happens."""
    machine = make_small(swap_pages=0, pagevec_size=1, **fields)
    machine.spawn(100).touch(0, 8)
    container = machine.create_container()
    container.limit = 4
    task = machine.spawn(200, container)
    task.touch(0, 4)
    assert machine.core.zones.count(0, NR_ACTIVE) == 12
    return machine, task


def fail(task: mm.Task) -> None:
    with pytest.raises(mm.OutOfMemory):
        task.touch(4, 1)


@pytest.mark.fact("R5")
def test_the_zone_not_the_container_sizes_the_scan(make_small: MakeMachine) -> None:
    """12 >> p, and 1, is added up at each priority; at 4 or more the pages are scanned and the sum begins anew.

    | p           | 12 | 11 | 10 | 9 | 8 | 7 | 6 | 5 | 4 | 3 | 2 | 1 | 0  |
    | (12>>p) + 1 | 1  | 1  | 1  | 1 | 1 | 1 | 1 | 1 | 1 | 2 | 4 | 7 | 13 |
    | scanned     |    |    |    | 4 |   |   |   | 4 |   |   | 7 | 7 | 13 |

    So 35 in a round, of a container with 4 pages; six rounds until it gives up. The inactive list is empty: 1 is added 78 times, and
    78 modulo 4 is left.
    """
    machine, task = full_of_anon_without_swap(make_small)
    fail(task)
    assert machine.vmstat()["pgrefill_dma"] == 6 * 35
    assert machine.core.zones.nr_scan_active[0] == 0
    assert machine.core.zones.nr_scan_inactive[0] == 78 % 4


@pytest.mark.fact("R6")
def test_what_is_not_scanned_is_carried_over_to_the_next_reclaim(make_small: MakeMachine) -> None:
    """One pass a round: 13, 26, 39 is 32 or more and scanned, and so again. Pieces of 32 and 7 find 4 pages each: 8, twice."""
    machine, task = full_of_anon_without_swap(make_small, def_priority=0, swap_cluster_max=32)
    fail(task)
    assert machine.vmstat()["pgrefill_dma"] == 16
    assert machine.core.zones.nr_scan_active[0] == 0
    assert machine.core.zones.nr_scan_inactive[0] == 6


@pytest.mark.fact("D14")
def test_allocstall_counts_the_reclaims_of_containers(make_small: MakeMachine) -> None:
    machine, task = full_of_anon_without_swap(make_small)
    fail(task)
    assert machine.vmstat()["allocstall"] == 6


@pytest.mark.fact("B7", "D14")
def test_allocstall_counts_the_reclaims_of_the_machine(make_small: MakeMachine) -> None:
    """63 frames: 62 pages and their page table fill them; the next one has to be freed for."""
    machine = make_small(pagevec_size=1)
    task = machine.spawn(100)
    task.touch(0, 62)
    assert machine.vmstat()["allocstall"] == 0
    task.touch(62, 1)
    assert machine.vmstat()["allocstall"] == 1


@pytest.mark.fact("D5", "R7")
@pytest.mark.parametrize(
    ("arch", "pages", "touched"),
    [
        ("x86_64", (16, 16, 16, 0), {ZONE_DMA, ZONE_DMA32, ZONE_NORMAL}),
        ("i386", (16, 0, 16, 16), {ZONE_DMA, ZONE_NORMAL, ZONE_HIGHMEM}),
    ],
)
def test_a_containers_reclaim_leaves_its_priority_in_every_zone_for_users(
    make_small: MakeMachine, arch: str, pages: tuple[int, ...], touched: set[int]
) -> None:
    machine = make_small(arch=arch, zone_pages=pages, swap_pages=0)
    container = machine.create_container()
    container.limit = 1
    task = machine.spawn(100, container)
    task.touch(0, 1)
    fail(task)
    left = machine.core.zones.prev_priority
    assert {zone for zone in range(4) if left[zone] == 0} == touched
