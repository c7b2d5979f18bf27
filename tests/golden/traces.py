"""Larger fixed traces, and what is kept of them: vmstat, the container's numbers, and a hash of every list's order.

The traces come from a linear congruential generator, so that no library decides what they are.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

from memcgfs import mm

GOLDEN = Path(__file__).with_name("golden.json")
Golden = dict[str, dict[str, int | str]]


class Lcg:
    """Knuth's MMIX generator; the upper bits."""

    def __init__(self, seed: int) -> None:
        self.state = seed

    def below(self, bound: int) -> int:
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self.state >> 33) % bound

    def skewed(self, bound: int) -> int:
        """Low numbers more often: the smallest of three."""
        return min(self.below(bound) for _ in range(3))


def machine_of(engine: ModuleType, **fields: object) -> mm.Machine:
    usual: dict[str, object] = {"ram_bytes": 8 << 20, "swap_bytes": 16 << 20, "max_containers": 64}
    return mm.Machine(mm.MachineConfig(**(usual | fields)), engine)  # type: ignore[arg-type]


def limited(machine: mm.Machine, limit: int) -> mm.Container:
    container = machine.create_container()
    container.limit = limit
    return container


def run(task: mm.Task, numbers: Lcg, npages: int, count: int, write_one_in: int = 3) -> None:
    pages = [numbers.skewed(npages) for _ in range(count)]
    task.access(pages, [numbers.below(write_one_in) == 0 for _ in range(count)])


def one_container(engine: ModuleType) -> mm.Machine:
    """A skewed working set of 1000 pages in 256."""
    machine = machine_of(engine)
    task = machine.spawn(100, limited(machine, 256))
    task.touch(0, 1000)
    run(task, Lcg(1), 1000, 8000)
    return machine


def machine_wide(engine: ModuleType) -> mm.Machine:
    """No limit: kswapd and direct reclaim alone, on a slow disk."""
    machine = machine_of(engine, ram_bytes=4 << 20)
    task = machine.spawn(100)
    task.touch(0, 1200)
    run(task, Lcg(2), 1500, 8000)
    return machine


def many_containers(engine: ModuleType) -> mm.Machine:
    """Eight containers, two of them without enough room, in two zones; pressure from their limits and from the machine."""
    machine = machine_of(engine, zone_pages=(512, 1024, 0, 0))
    tasks = [machine.spawn(100 + place, limited(machine, 40 + 60 * place)) for place in range(8)]
    numbers = Lcg(3)
    for _ in range(120):
        run(tasks[numbers.below(8)], numbers, 300, 80)
    return machine


def families(engine: ModuleType) -> mm.Machine:
    """Forks that share pages across two containers, i386 with high memory."""
    machine = machine_of(engine, arch="i386", zone_pages=(128, 0, 512, 512), disk=mm.DiskConfig(1_000_000, 50 << 20, 16))
    here, there = limited(machine, 300), limited(machine, 200)
    tasks = [machine.spawn(100, here)]
    tasks[0].touch(0, 200)
    numbers = Lcg(4)
    for step in range(12):
        child = tasks[numbers.below(len(tasks))].fork(101 + step)
        if step % 2:
            machine.attach(child, there)
        tasks.append(child)
        for _ in range(4):
            run(tasks[numbers.below(len(tasks))], numbers, 250, 60, write_one_in=5)
        if step % 4 == 3:
            machine.reap(tasks.pop(0))
    return machine


def a_kill(engine: ModuleType) -> mm.Machine:
    """Little swap: a container's task is killed, another goes on."""
    machine = machine_of(engine, swap_bytes=100 * 4096)
    hog, other = machine.spawn(100, limited(machine, 200)), machine.spawn(200, limited(machine, 50))
    run(other, Lcg(5), 60, 500)
    try:
        hog.touch(0, 400)
    except mm.OutOfMemory:
        pass
    run(other, Lcg(6), 60, 500)
    return machine


def names(engine: ModuleType) -> mm.Machine:
    """A task of a container looks up names, another works without a limit: pages and dentries compete for the machine."""
    machine = machine_of(engine, ram_bytes=4 << 20)
    scanner, worker = machine.spawn(100, limited(machine, 100)), machine.spawn(200)
    worker.touch(0, 500)
    numbers = Lcg(7)
    for step in range(60):
        scanner.lookup(numbers.below(1000))
        run(worker, numbers, 900, 100)
        scanner.touch(numbers.below(100), 40)
        if step % 20 == 19:
            machine.set_sysctl("vfs_cache_pressure", 50 * step)
    return machine


def sized(machine: mm.Machine, npages: int) -> mm.File:
    file = machine.create_file()
    file.truncate(npages * 4096)
    return file


def reader(engine: ModuleType) -> mm.Machine:
    """The page cache alone: 900 pages of a file on a slow disk, read in sequence and at random by two containers, one of them too small,
    in a machine of 1024 pages."""
    machine = machine_of(engine, ram_bytes=4 << 20, disk=mm.DiskConfig(1_000_000, 50 << 20, 32))
    file = machine.create_file()
    writer = machine.spawn(100)
    writer.write_file(file, 0, 900)
    writer.fsync_file(file)
    machine.drop_caches(1)
    tasks = [machine.spawn(101, limited(machine, 200)), machine.spawn(102, limited(machine, 2000))]
    numbers = Lcg(8)
    for _ in range(150):
        task = tasks[numbers.below(2)]
        first = numbers.skewed(880)
        for place in range(numbers.below(12)):
            task.read_file(file, first + place, 1)
        task.read_file(file, numbers.below(900), 1 + numbers.below(20))
    return machine


def writer(engine: ModuleType) -> mm.Machine:
    """Writeback alone: three files, written faster than the disk can, with time passing and a sync now and then."""
    machine = machine_of(engine, disk=mm.DiskConfig(2_000_000, 10 << 20, 32))
    task = machine.spawn(100)
    files = [machine.create_file() for _ in range(3)]
    numbers = Lcg(9)
    for step in range(300):
        task.write_file(files[numbers.below(3)], numbers.below(400), 1 + numbers.below(30))
        if step % 10 == 9:
            machine.advance(1_000_000_000 * numbers.below(8))
        if step % 50 == 49:
            task.fsync_file(files[0])
        if step % 100 == 99:
            machine.sync()
    return machine


def mapper(engine: ModuleType) -> mm.Machine:
    """Mapped files under a limit and the machine's pressure: shared and private mappings of two files by four tasks."""
    machine = machine_of(engine, ram_bytes=4 << 20, disk=mm.DiskConfig(1_000_000, 50 << 20, 32))
    files = [sized(machine, 500) for _ in range(2)]
    container = limited(machine, 250)
    tasks = [machine.spawn(100 + place, container if place % 2 else None) for place in range(4)]
    for place, task in enumerate(tasks):
        task.mmap(0, 500, file=files[0], shared=True)
        task.mmap(512, 500, file=files[1], shared=place < 2)
    numbers = Lcg(10)
    for step in range(200):
        task = tasks[numbers.below(4)]
        run(task, numbers, 500, 30, write_one_in=4)
        task.access([512 + numbers.below(500) for _ in range(20)], [numbers.below(6) == 0 for _ in range(20)])
        if step % 40 == 39:
            machine.advance(6_000_000_000)
    return machine


TRACES: dict[str, Callable[[ModuleType], mm.Machine]] = {
    trace.__name__: trace for trace in (one_container, machine_wide, many_containers, families, a_kill, names, reader, writer, mapper)
}


def lists(machine: mm.Machine) -> Iterator[object]:
    yield machine.core.model.walk(machine.core, -1)
    for container in machine.containers.values():
        yield container.lists()


def summary(machine: mm.Machine) -> dict[str, int | str]:
    """What is kept: all that is not 0 of vmstat, sums over the containers, the clock, and the orders of all lists."""
    containers = list(machine.containers.values())
    found: dict[str, int | str] = {name: amount for name, amount in machine.vmstat().items() if amount}
    found["usage"] = sum(container.usage for container in containers)
    found["failcnt"] = sum(container.failcnt for container in containers)
    found["swap_used"] = machine.swaps()[0].used_pages
    found["clock_ns"] = machine.clock_ns
    found["lists"] = hashlib.sha256(repr(list(lists(machine))).encode()).hexdigest()[:16]
    return found


def golden() -> Golden:
    found: Golden = json.loads(GOLDEN.read_text())
    return found


def as_text(results: Golden) -> str:
    return json.dumps(results, indent=1) + "\n"
