"""The seam of the models: a FIFO of a dozen lines in plain Python, which runs on both builds through one adapter."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from memcgfs import mm
from memcgfs.mm.models.python import Policy
from memcgfs.mm.params import AT_META_PAGE_ALLOC
from tests.conftest import engine_of

Evict = Callable[[int], bool]


class Fifo(Policy):
    """Whoever was charged first goes first, used or not."""

    def __init__(self) -> None:
        self.owners: dict[int, int] = {}

    def charged(self, pfn: int, container: int) -> None:
        self.owners[pfn] = container

    def uncharged(self, pfn: int, container: int) -> None:
        del self.owners[pfn]

    def reclaim(self, container: int, evict: Evict) -> bool:
        pages = [pfn for pfn, owner in self.owners.items() if container in (-1, owner)]
        return any(evict(pfn) for pfn in pages)


SYNCHRONOUS = mm.DiskConfig(0, 0, 8)


def machine_of(engine: ModuleType, policy: Policy, disk: mm.DiskConfig = SYNCHRONOUS) -> mm.Machine:
    config = mm.MachineConfig(zone_pages=(64, 0, 0, 0), swap_bytes=1 << 20, min_free_kbytes=0, max_containers=8, disk=disk)
    return mm.Machine(config, engine, policy)


def limited(machine: mm.Machine, limit: int) -> mm.Task:
    machine.set_sysctl("page-cluster", 0)
    container = machine.create_container()
    container.limit = limit
    return machine.spawn(100, container)


def resident(task: mm.Task, npages: int = 10) -> list[int]:
    return [page for page, word in enumerate(task.pagemap(0, npages)) if word >> 63]


def test_first_in_first_out(engine: ModuleType) -> None:
    """3 pages of room: 0 1 2, and 0 again, which a least-recently-used list would keep; 3 pushes it out all the same."""
    machine = machine_of(engine, Fifo())
    task = limited(machine, 3)
    task.access([0, 1, 2, 0, 3], [1, 1, 1, 1, 1])
    assert resident(task) == [1, 2, 3]
    assert task.touch(0, 1).major == 1
    assert resident(task) == [0, 2, 3]
    assert (task.container.usage, task.container.failcnt) == (3, 2)
    machine.check()


@pytest.mark.parametrize("room", [3, 4])
def test_beladys_anomaly(engine: ModuleType, room: int) -> None:
    """1 2 3 4 1 2 5 1 2 3 4 5 misses 9 times with 3 pages and 10 times with 4: only FIFO does that."""
    task = limited(machine_of(engine, Fifo()), room)
    pages = [1, 2, 3, 4, 1, 2, 5, 1, 2, 3, 4, 5]
    result = task.access(pages, [1] * 12)
    assert result.minor + result.major == {3: 9, 4: 10}[room]


def test_memory_of_the_machine_is_reclaimed_the_same_way(engine: ModuleType) -> None:
    machine = machine_of(engine, Fifo())
    task = machine.spawn(100)
    task.touch(0, 100)
    assert resident(task, 100) == list(range(100 - 62, 100))
    assert machine.vmstat()["pgsteal_dma"] == 38
    machine.check()


def test_a_slow_disk_is_waited_for(engine: ModuleType) -> None:
    """The evictions begin to write all 3 pages; when that is done the policy is asked again, and finds the first page clean."""
    machine = machine_of(engine, Fifo(), mm.DiskConfig())
    task = limited(machine, 3)
    task.touch(0, 4)
    assert machine.clock_ns == 5_000_000 + 3 * machine.config.disk.transfer_ns
    assert (task.swap_pages, task.container.failcnt) == (3, 1)
    machine.check()


def test_locked_pages_stay(engine: ModuleType) -> None:
    machine = machine_of(engine, Fifo())
    task = limited(machine, 2)
    task.mmap(0, 1, locked=True)
    task.access([1, 2, 3], [1, 1, 1])
    assert resident(task) == [0, 3]
    machine.check()


def test_what_a_policy_raises_comes_up_at_the_end_of_the_operation(engine: ModuleType) -> None:
    class Broken(Fifo):
        def reclaim(self, container: int, evict: Evict) -> bool:
            raise ZeroDivisionError("in the policy")

    machine = machine_of(engine, Broken())
    task = limited(machine, 2)
    with pytest.raises(ZeroDivisionError, match="in the policy"):
        task.touch(0, 3)
    assert task.state == "Z"
    machine.check()


def test_a_policy_hears_of_everything(engine: ModuleType) -> None:
    heard: list[tuple[object, ...]] = []

    class Listener(Fifo):
        def __getattribute__(self, name: str) -> Any:
            method = super().__getattribute__(name)
            if name not in vars(Policy):
                return method

            def listen(*arguments: object) -> object:
                heard.append((name, *arguments))
                return method(*arguments)

            return listen

    machine = machine_of(engine, Listener(), mm.DiskConfig())
    task = limited(machine, 1)
    task.touch(0, 2)
    task.touch(0, 1)
    task.munmap(0, 1)
    assert heard[:4] == [("container_made", 0), ("container_made", 1), ("charged", 2, 1), ("page_added", 2, True)]
    assert {what for what, *_ in heard} == {name for name in vars(Policy) if not name.startswith("_")}


@pytest.mark.parametrize("disk", [SYNCHRONOUS, mm.DiskConfig()])
def test_both_builds_agree(disk: mm.DiskConfig) -> None:
    dumps = []
    for build in ("uncompiled", "compiled"):
        machine = machine_of(engine_of(build), Fifo(), disk)
        task = limited(machine, 12)
        pages = [(step * step * 7 + step) % 31 for step in range(500)]
        task.access(pages, [page % 3 == 0 for page in pages])
        child = task.fork(101)
        child.access(pages, [1] * 500)
        machine.spawn(102).touch(0, 60)
        machine.check()
        dumps.append(mm.dump(machine))
    assert dumps[0] == dumps[1]


def test_evicting_while_another_page_is_charged(engine: ModuleType) -> None:
    """A policy may evict whatever it likes, whenever it is asked; here another task's reclaim runs in the middle of a charge."""
    machine = machine_of(engine, Fifo())
    task = limited(machine, 3)
    other = machine.spawn(101, task.container)
    task.touch(0, 3)

    def run(point: int, pfn: int) -> None:
        if point == AT_META_PAGE_ALLOC:
            machine.set_interleave(None)
            other.touch(0, 2)

    machine.set_interleave(run)
    task.touch(3, 1)
    assert task.container.usage == 3
    machine.check()
