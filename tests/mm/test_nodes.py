"""Several nodes: whose memory is whose, in what order zones are asked, which kswapd is woken, and where tasks run."""

from __future__ import annotations

from types import ModuleType

import pytest

from memcgfs.mm import BadValue, Machine
from memcgfs.mm.params import DAEMON_KSWAPD, GFP_DMA_BIT, GFP_HIGHUSER, GFP_KERNEL, ZONE_DMA, ZONE_HIGHMEM, ZONE_NORMAL
from tests.conftest import MakeMachine

from .looking import frame, uncompiled

GB = 1 << 30


def spans(machine: Machine) -> list[tuple[int, str, int, int]]:
    return [(zone.node, zone.name, zone.start_pfn, zone.spanned) for zone in machine.zones()]


def test_memory_is_divided_evenly(make_machine: MakeMachine) -> None:
    """8 GB: 2^19 frames a node, cut at 4 GB where NORMAL begins."""
    machine = make_machine(ram_bytes=8 * GB, nodes=4)
    share = 1 << 19
    assert spans(machine) == [
        (0, "DMA", 0, 4096),
        (0, "DMA32", 4096, share - 4096),
        (1, "DMA32", share, share),
        (2, "Normal", 2 * share, share),
        (3, "Normal", 3 * share, share),
    ]
    assert [machine.core.frames.zone(zone.start_pfn) for zone in machine.zones()[1:]] == [0] * 4, "nothing was touched"


def test_what_does_not_divide_is_the_last_nodes(make_small: MakeMachine) -> None:
    machine = make_small(nodes=3, frames=64)
    assert spans(machine) == [(0, "DMA", 0, 21), (1, "DMA", 21, 21), (2, "DMA", 42, 22)]
    assert [zone.free for zone in machine.zones()] == [20, 21, 22]


def test_high_memory_is_on_the_upper_nodes(make_machine: MakeMachine) -> None:
    """i386, 4 GB: what the kernel maps directly is node 0's, and its page tables come from there whoever runs."""
    machine = make_machine(arch="i386", ram_bytes=4 * GB, nodes=2)
    assert [(zone.node, zone.name) for zone in machine.zones()] == [(0, "DMA"), (0, "Normal"), (0, "HighMem"), (1, "HighMem")]
    task = machine.spawn(10)
    task.set_node(1)
    task.touch(0, 1)
    assert machine.core.frames.zone(frame(task, 0)) == 4 + ZONE_HIGHMEM
    assert machine.vmstat()["nr_page_table_pages"] == 1
    assert machine.zones()[1].statistics["nr_page_table_pages"] == 1


def zonelist(machine: Machine, node: int, kind: int) -> list[tuple[int, int]]:
    """(node, zone type) in the order in which they are asked."""
    zones = machine.core.zones
    number = node * 4 + kind
    return [divmod(zones.zone_in_list(number, place), 4) for place in range(zones.nr_in_list(number))]


DMA, NORMAL = ZONE_DMA, ZONE_NORMAL


@pytest.mark.fact("B13")
@pytest.mark.parametrize(
    ("sizes", "lists"),
    [
        # 15 of 63 pages are low, and less than 70 % of node 0's 31: zone order, which keeps DMA for the last
        ((16, 0, 48, 0), {0: [(0, NORMAL), (1, NORMAL), (0, DMA)], 1: [(1, NORMAL), (0, NORMAL), (0, DMA)]}),
        # 39 of 63 are low, more than half: node order
        ((40, 0, 24, 0), {0: [(0, DMA), (1, NORMAL), (1, DMA)], 1: [(1, NORMAL), (1, DMA), (0, DMA)]}),
        # 27 are low, but 27 of node 0's 31, which is more than 70 %: node order
        ((28, 0, 36, 0), {0: [(0, NORMAL), (0, DMA), (1, NORMAL)], 1: [(1, NORMAL), (0, NORMAL), (0, DMA)]}),
        # no low memory: node order
        ((0, 0, 64, 0), {0: [(0, NORMAL), (1, NORMAL)], 1: [(1, NORMAL), (0, NORMAL)]}),
    ],
)
def test_zone_order_or_node_order(make_small: MakeMachine, sizes: tuple[int, ...], lists: dict[int, list[tuple[int, int]]]) -> None:
    machine = make_small(zone_pages=sizes, nodes=2)
    assert {node: zonelist(machine, node, NORMAL) for node in (0, 1)} == lists


@pytest.mark.fact("B13")
def test_other_nodes_follow_in_a_ring(make_small: MakeMachine) -> None:
    machine = make_small(zone_pages=(0, 0, 64, 0), nodes=4)
    assert [node for node, _ in zonelist(machine, 2, NORMAL)] == [2, 3, 0, 1]


@pytest.mark.fact("B13")
def test_memory_is_taken_from_where_the_task_runs(make_small: MakeMachine, engine: ModuleType) -> None:
    """Node 1 is frames 32 to 63: a page table and 31 pages; the next page is node 0's, from its frame 1."""
    machine = make_small(zone_pages=(0, 0, 64, 0), nodes=2)
    task = machine.spawn(10)
    task.set_node(1)
    task.touch(0, 32)
    assert [frame(task, page) for page in (0, 30, 31)] == [33, 63, 1]
    assert [zone.free for zone in machine.zones()] == [30, 0]


def numa(machine: Machine) -> dict[tuple[int, str], dict[str, int]]:
    """What was counted of each zone, by node and name; what is 0 is left out."""
    counted = {}
    for zone in machine.zones():
        counted[zone.node, zone.name] = {name: amount for name, amount in zone.statistics.items() if name.startswith("numa") and amount}
    return counted


@pytest.mark.fact("B14")
def test_hits_and_misses(make_small: MakeMachine) -> None:
    """As before: 32 blocks of node 1, and one of node 0 that was wanted from node 1. A block of 4 pages counts once."""
    machine = make_small(zone_pages=(0, 0, 64, 0), nodes=2)
    task = machine.spawn(10)
    task.set_node(1)
    task.touch(0, 32)
    expected = {(0, "Normal"): {"numa_miss": 1, "numa_other": 1}, (1, "Normal"): {"numa_hit": 32, "numa_local": 32, "numa_foreign": 1}}
    assert numa(machine) == expected
    task.set_node(0)
    task.alloc_block(2)
    expected[0, "Normal"] = {"numa_hit": 1, "numa_miss": 1, "numa_local": 1, "numa_other": 1}
    assert numa(machine) == expected
    assert machine.vmstat()["numa_hit"] == 33


@pytest.mark.fact("B14")
def test_a_hit_that_is_not_local_and_a_miss_that_is(make_small: MakeMachine) -> None:
    """i386 with all high memory on nodes 2 and 3, 64 pages each, of which 32 are kept. DMA is small: zone order. A task on node 0 has its
    page table from there; its first 32 pages from node 2, whose zone is the first of the list: hits that are not local. The next 32 are
    node 3's, and then 6 of node 0's NORMAL: misses, these local. What was missed was wanted from node 2."""
    machine = make_small(arch="i386", zone_pages=(4, 0, 124, 128), nodes=4)
    machine.spawn(10).touch(0, 70)
    assert numa(machine) == {
        (0, "DMA"): {},
        (0, "Normal"): {"numa_hit": 1, "numa_miss": 6, "numa_local": 7},
        (1, "Normal"): {},
        (2, "HighMem"): {"numa_hit": 32, "numa_foreign": 38, "numa_other": 32},
        (3, "HighMem"): {"numa_miss": 32, "numa_other": 32},
    }


def test_reserves_and_watermarks_are_of_each_node(make_machine: MakeMachine) -> None:
    """8 GB, four nodes: DMA keeps pages back for node 0's own DMA32, 520,192 / 256, and there is no NORMAL on that node."""
    machine = make_machine(ram_bytes=8 * GB, nodes=4)
    dma, dma32, *others = machine.zones()
    assert dma.protection == [0, 2032, 2032, 2032]
    assert dma32.protection == [0, 0, 0, 0]
    assert machine.sysctl("min_free_kbytes") == 11585
    assert others[0].pages_min == others[1].pages_min == 2896 * (1 << 19) // ((1 << 21) - 1)


@uncompiled
def test_each_zone_below_its_mark_wakes_the_kswapd_of_its_node(make_small: MakeMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    """min is 64 pages in all: 15, 16 and 32 for the three zones, and a quarter more is low. A request for DMA fails at the low mark of
    node 0 only; one for NORMAL goes to node 1 when
    node 0 is short, without a word to kswapd, until node 1 is short as well."""
    machine = make_small(zone_pages=(32, 0, 96, 0), nodes=2, min_free_kbytes=256)
    core = machine.core
    runs: list[tuple[int, int]] = []

    def run_kswapd(model: object, core: object, node: int) -> int:
        assert machine.core.current_node == node
        runs.append((node, machine.core.kswapd_max_order[node]))
        return -1

    monkeypatch.setattr(type(core.model), "run_kswapd", run_kswapd)
    task = machine.spawn(10)
    while not runs:
        task.alloc_block(0, GFP_KERNEL | GFP_DMA_BIT)
    assert runs == [(0, 0)]
    runs.clear()
    while not runs:
        task.alloc_block(1, GFP_KERNEL)
    assert runs == [(0, 1), (1, 1)]
    assert not any(zone.free > zone.pages_high + 2 for zone in machine.zones())


@pytest.mark.fact("D15")
def test_each_kswapd_balances_its_own_node(make_small: MakeMachine) -> None:
    machine = make_small(zone_pages=(0, 0, 128, 0), nodes=2, min_free_kbytes=64, pagevec_size=1)
    machine.set_sysctl("swappiness", 100)
    machine.spawn(10).touch(0, 110)
    machine.advance(2_000_000_000)
    assert machine.vmstat()["pageoutrun"] >= 2
    assert all(zone.free > zone.pages_low for zone in machine.zones())
    assert all(machine.core.daemons.is_asleep(DAEMON_KSWAPD + node) for node in (0, 1))


@pytest.mark.fact("D15")
def test_kswapd_remembers_the_largest_order(make_small: MakeMachine) -> None:
    """It works for blocks of 8 until there is one above the high mark, and forgets the order when it goes to sleep."""
    machine = make_small(frames=128, min_free_kbytes=32, swap_pages=128, pagevec_size=1)
    machine.set_sysctl("swappiness", 100)
    task = machine.spawn(10)
    task.touch(0, 112)
    for page in range(112):
        machine.engine.page_referenced(machine.core, frame(task, page), True, -1)
    task.alloc_block(3)
    machine.advance(2_000_000_000)
    assert machine.vmstat()["kswapd_steal"] > 0
    assert machine.core.kswapd_max_order[0] == 0
    assert machine.core.zones.watermark_ok(0, 3, 2, 0, 0)


@pytest.mark.fact("R2")
def test_a_containers_reclaim_goes_over_all_nodes(make_small: MakeMachine) -> None:
    """Its pages are node 1's alone; node 0, the first to be asked, has none of them, but both zonelists hold both nodes."""
    machine = make_small(zone_pages=(0, 0, 128, 0), nodes=2, pagevec_size=1)
    machine.set_sysctl("swappiness", 100)
    container = machine.create_container()
    container.limit = 8
    task = machine.spawn(10, container)
    task.set_node(1)
    task.touch(0, 12)
    assert container.usage <= 8
    assert task.swap_pages >= 4
    assert {machine.core.frames.zone(pfn) // 4 for pfn in container.lists()[0]} == {1}


def test_tasks_start_where_the_fewest_run(make_small: MakeMachine) -> None:
    machine = make_small(zone_pages=(0, 0, 64, 0), nodes=2)
    tasks = [machine.spawn(pid) for pid in (10, 20, 30)]
    assert [task.node for task in tasks] == [0, 1, 0]
    tasks[0].exit()
    tasks[2].exit()
    assert [tasks[1].fork(pid).node for pid in (40, 50, 60)] == [0, 0, 1]


@pytest.mark.parametrize("node", [-1, 2, 16])
def test_there_is_no_such_node(make_small: MakeMachine, node: int) -> None:
    machine = make_small(zone_pages=(0, 0, 64, 0), nodes=2)
    with pytest.raises(BadValue):
        machine.spawn(10).set_node(node)


def test_nobody_runs_on_the_node_where_the_machine_is(make_small: MakeMachine, engine: ModuleType) -> None:
    machine = make_small(zone_pages=(0, 0, 64, 0), nodes=2)
    pfn = engine.alloc_page(machine.core, GFP_HIGHUSER)
    assert (pfn, machine.core.current_node) == (1, 0)
    engine.put_page(machine.core, pfn)
