"""The seam of the models: a FIFO of a dozen lines in plain Python, which runs on both builds through one adapter."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from memcgfs import mm
from memcgfs.mm.lru import MAX_SCAN_DEPTH
from memcgfs.mm.models.python import Policy
from memcgfs.mm.params import AT_META_PAGE_ALLOC
from tests.conftest import engine_of

from .looking import cached

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


def test_what_helps_nobody_does_not_go_to_swap(engine: ModuleType) -> None:
    """Memory and swap together are at their limit: evict() says no of an anonymous page, and the page of a file goes."""
    config = mm.MachineConfig(
        zone_pages=(64, 0, 0, 0), swap_bytes=1 << 20, min_free_kbytes=0, max_containers=8, disk=SYNCHRONOUS, rules="v1", charges_kmem=False
    )
    machine = mm.Machine(config, engine, Fifo())
    container = machine.create_container()
    container.counter("memory").resize(3)
    container.counter("memsw").resize(3)
    task, file = machine.spawn(100, container), machine.create_file()
    file.truncate(4096)
    task.touch(0, 1)
    task.read_file(file, 0, 1)
    task.touch(1, 2)
    assert (resident(task), cached(file), machine.vmstat()["pswpout"]) == ([0, 1, 2], {}, 0)
    machine.check()


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


def test_a_policy_is_not_asked_for_the_ninth_time_within_itself(engine: ModuleType) -> None:
    """Each reclaim lets the task of another full container run. The ninth frees nothing, and its task is killed; the others go on."""
    asked: list[int] = []
    others: list[mm.Task] = []
    refused: list[mm.Task] = []

    class Nested(Fifo):
        def reclaim(self, container: int, evict: Evict) -> bool:
            asked.append(container)
            if others:
                task = others.pop(0)
                try:
                    task.touch(1, 1)
                except mm.OutOfMemory:
                    refused.append(task)
            return super().reclaim(container, evict)

    config = mm.MachineConfig(zone_pages=(64, 0, 0, 0), swap_bytes=1 << 20, min_free_kbytes=0, max_containers=16, disk=SYNCHRONOUS)
    machine = mm.Machine(config, engine, Nested())
    for place in range(MAX_SCAN_DEPTH + 1):
        container = machine.create_container()
        others.append(machine.spawn(200 + place, container))
        others[-1].touch(0, 1)
        container.limit = 1
    others.pop(0).touch(1, 1)
    assert asked == list(range(1, MAX_SCAN_DEPTH + 1))
    assert [task.pid for task in refused] == [200 + MAX_SCAN_DEPTH]
    machine.check()


def file_and_reader(engine: ModuleType, policy: Policy) -> tuple[mm.File, mm.Task]:
    """8 pages of the disk."""
    machine = machine_of(engine, policy, mm.DiskConfig())
    file = machine.create_file()
    task = machine.spawn(100, machine.create_container())
    task.write_file(file, 0, 8)
    task.fsync_file(file)
    machine.drop_caches(1)
    return file, task


def test_pages_of_files_come_and_go_as_others(engine: ModuleType) -> None:
    """Without read-ahead, in a container of 3: of the 8 pages the last 3 stay. Then page 7 is written to through a mapping, page 0 by
    write(), and 3 others are read: for the second of them the writes of 7 and 0 begin, and page 2 goes, which is clean; for the third 7
    goes."""
    file, task = file_and_reader(engine, Fifo())
    task.container.limit = 3
    task.fadvise_file(file, "random", 0, 0)
    for page in range(8):
        assert task.read_file(file, page, 1) == 1
    assert (task.container.usage, list(cached(file))) == (3, [5, 6, 7])
    before = task.machine.vmstat()["pgpgout"]
    task.mmap(0, 8, file=file, shared=True)
    task.touch(7, 1)
    task.write_file(file, 0, 1)
    task.read_file(file, 2, 3)
    assert (task.container.usage, list(cached(file)), task.rss_pages) == (3, [0, 3, 4], 0)
    assert task.machine.vmstat()["pgpgout"] == before + 8
    task.machine.check()


def test_a_page_that_is_being_written_is_not_evicted(engine: ModuleType) -> None:
    """A policy that asks twice for the page that came first."""
    answers: list[bool] = []

    class Twice(Fifo):
        def reclaim(self, container: int, evict: Evict) -> bool:
            oldest = next(iter(self.owners))
            answers.extend([evict(oldest), evict(oldest)])
            return answers[-1]

    machine = machine_of(engine, Twice(), mm.DiskConfig())
    task = limited(machine, 2)
    task.touch(0, 3)
    assert answers[:3] == [False, False, True]
    machine.check()


class Eager(Fifo):
    """Tries to evict each page, and a page table, as soon as the page arrives."""

    def __init__(self) -> None:
        super().__init__()
        self.evict: Evict | None = None
        self.answers: list[bool] = []

    def page_added(self, pfn: int, active: bool) -> None:
        if self.evict is not None:
            self.answers += [self.evict(pfn), self.evict(1)]


def test_what_cannot_be_evicted(engine: ModuleType) -> None:
    """A page whose read has just begun, and one that is on no list: frame 1 is a page table."""
    policy = Eager()
    file, task = file_and_reader(engine, policy)
    machine = task.machine
    task.mmap(0, 2, locked=True)
    policy.evict = machine.core.model.evict
    assert task.read_file(file, 0, 2) == 2
    assert set(policy.answers) == {False}
    machine.check()


def test_without_swap_nothing_is_evicted(engine: ModuleType) -> None:
    config = mm.MachineConfig(zone_pages=(64, 0, 0, 0), swap_bytes=0, min_free_kbytes=0, max_containers=8, disk=SYNCHRONOUS)
    machine = mm.Machine(config, engine, Fifo())
    task = limited(machine, 2)
    with pytest.raises(mm.OutOfMemory):
        task.touch(0, 3)
    machine.check()


def test_a_policy_that_frees_nothing(engine: ModuleType) -> None:
    """What Policy itself does."""
    machine = machine_of(engine, Policy())
    task = limited(machine, 2)
    with pytest.raises(mm.OutOfMemory):
        task.touch(0, 3)
    assert machine.vmstat()["allocstall"] == 6
    machine.check()
