"""Every counter that vmstat prints is moved by something; one that nothing could move would not be printed."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pytest

from memcgfs.mm import DiskConfig, File, Machine, Task
from tests.conftest import MakeMachine

from .looking import page_0_in_swap, reclaim_mapped

SECOND = 10**9
ZONE_FAMILIES = ("pgalloc", "pgrefill", "pgsteal", "pgscan_kswapd", "pgscan_direct")


def write_3_pages(machine: Machine) -> tuple[Task, File]:
    task, file = machine.spawn(100), machine.create_file()
    task.write_file(file, 0, 3)
    return task, file


def touch_3_pages(machine: Machine) -> None:
    machine.spawn(100).touch(0, 3)


def touch_in_2_tables(machine: Machine) -> None:
    task = machine.spawn(100)
    task.touch(0, 1)
    task.touch(512, 1)


def map_3_pages(machine: Machine) -> None:
    task, file = write_3_pages(machine)
    task.mmap(0, 3, file=file)
    task.touch(0, 3, write=False)


def sync_3_pages(machine: Machine) -> tuple[Task, File]:
    task, file = write_3_pages(machine)
    task.fsync_file(file)
    return task, file


def read_3_pages_again(machine: Machine) -> None:
    task, file = sync_3_pages(machine)
    machine.set_sysctl("drop_caches", 1)
    task.read_file(file, 0, 3)


def use_a_page_twice(machine: Machine) -> None:
    """Writing put it on the inactive list; the first read makes it referenced, the second active."""
    task, file = write_3_pages(machine)
    task.read_file(file, 1, 1)
    task.read_file(file, 1, 1)
    task.read_file(file, 1, 1)


def unmap_3_pages(machine: Machine) -> None:
    task = machine.spawn(100)
    task.touch(0, 3)
    task.munmap(0, 3)


def write_out_slowly(machine: Machine) -> None:
    """The pages are half a minute old at 30 s, and the disk needs 20 s for them."""
    write_3_pages(machine)
    machine.advance(36 * SECOND)


def swap_out(machine: Machine) -> Task:
    return page_0_in_swap(machine)[1]


def swap_in(machine: Machine) -> None:
    swap_out(machine).touch(0, 1)


def look_up_20_names(machine: Machine) -> None:
    machine.spawn(100).lookup(20)


def shrink_the_slab(machine: Machine) -> None:
    machine.spawn(100).lookup(200)
    machine.set_sysctl("drop_caches", 2)


def want_more_than_there_is(machine: Machine) -> None:
    """Twice the memory is written to, by two tasks in turn. After each 32 pages kswapd has time to wake from its naps."""
    reclaim_mapped(machine)
    tasks = [machine.spawn(pid) for pid in (100, 101)]
    for page in range(machine.nr_frames):
        for task in tasks:
            task.touch(page, 1)
        if page % 16 == 0:
            machine.advance(SECOND)


class Moved(NamedTuple):
    """By how much a scenario moves a counter on a machine of its own; None: it is more afterwards."""

    scenario: Callable[[Machine], object]
    amount: int | None = None
    disk_ns: int = 0


MOVED = {
    "nr_free_pages": Moved(touch_3_pages, -4),  # and a page table
    "nr_inactive": Moved(write_3_pages, 3),
    "nr_active": Moved(touch_3_pages, 3),
    "nr_anon_pages": Moved(touch_3_pages, 3),
    "nr_mapped": Moved(map_3_pages, 3),
    "nr_file_pages": Moved(write_3_pages, 3),
    "nr_dirty": Moved(write_3_pages, 3),
    "nr_writeback": Moved(write_out_slowly, 3, disk_ns=20 * SECOND),
    "nr_slab_reclaimable": Moved(look_up_20_names, 2),  # of 19 names each
    "nr_page_table_pages": Moved(touch_in_2_tables, 2),
    "nr_vmscan_write": Moved(swap_out, 3),  # one of them goes
    "pgpgin": Moved(read_3_pages_again, 12),  # kB
    "pgpgout": Moved(sync_3_pages, 12),
    "pswpin": Moved(swap_in, 1),
    "pswpout": Moved(swap_out, 3),
    "pgfree": Moved(unmap_3_pages),
    "pgactivate": Moved(use_a_page_twice, 1),
    "pgdeactivate": Moved(want_more_than_there_is),
    "pgfault": Moved(touch_3_pages, 3),
    "pgmajfault": Moved(swap_in, 1),
    "slabs_scanned": Moved(shrink_the_slab),
    "kswapd_steal": Moved(want_more_than_there_is),
    "pageoutrun": Moved(want_more_than_there_is),
    "allocstall": Moved(want_more_than_there_is),
    "pgrotated": Moved(want_more_than_there_is, disk_ns=SECOND // 10),
}


@pytest.mark.parametrize("name", MOVED)
def test_it_is_moved(make_small: MakeMachine, name: str) -> None:
    moved = MOVED[name]
    machine = make_small(swap_pages=256, disk=DiskConfig(moved.disk_ns, 0, 64), min_free_kbytes=32)
    before = machine.vmstat()[name]
    moved.scenario(machine)
    found = machine.vmstat()[name] - before
    assert found > 0 if moved.amount is None else found == moved.amount, found


MACHINES = {"x86_64": (16, 24, 32, 0), "i386": (16, 0, 24, 128)}  # high memory keeps 32 pages


@pytest.mark.parametrize("arch", MACHINES)
def test_it_is_moved_in_each_zone(make_small: MakeMachine, arch: str) -> None:
    """And is shown for the populated zones, by name, and no other."""
    machine = make_small(swap_pages=512, min_free_kbytes=32, arch=arch, zone_pages=MACHINES[arch])
    before = machine.vmstat()
    want_more_than_there_is(machine)
    after = machine.vmstat()
    zones = {"x86_64": ("dma", "dma32", "normal"), "i386": ("dma", "normal", "high")}[arch]
    of_zones = [f"{family}_{zone}" for family in ZONE_FAMILIES for zone in zones]
    assert [name for name in after if name.startswith(ZONE_FAMILIES)] == of_zones
    assert [name for name in of_zones if after[name] <= before[name]] == []


MOVED_ON_NODES = {"numa_hit": 32, "numa_miss": 1, "numa_foreign": 1, "numa_local": 32, "numa_other": 1}


@pytest.mark.fact("B14")
def test_it_is_moved_on_nodes(make_small: MakeMachine) -> None:
    """A task on one of two nodes of 31 and 32 pages touches 32, and needs a page table: the last page is the other's."""
    machine = make_small(zone_pages=(0, 0, 64, 0), nodes=2)
    task = machine.spawn(100)
    task.set_node(1)
    task.touch(0, 32)
    assert {name: amount for name, amount in machine.vmstat().items() if name.startswith("numa")} == MOVED_ON_NODES


@pytest.mark.parametrize("nodes", [1, 2])
def test_nothing_else_is_printed(make_small: MakeMachine, nodes: int) -> None:
    """In the order of 2.6.23, whose names without a use here are left out, and those of nodes where there is one."""
    printed = [name for name in make_small(nodes=nodes).vmstat() if not name.startswith(ZONE_FAMILIES)]
    names = list(MOVED)
    if nodes > 1:
        after = names.index("nr_vmscan_write") + 1
        names[after:after] = MOVED_ON_NODES
    assert printed == names
