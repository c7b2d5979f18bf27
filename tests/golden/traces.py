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


def one_container(engine: ModuleType, **fields: object) -> mm.Machine:
    """A skewed working set of 1000 pages in 256."""
    machine = machine_of(engine, **fields)
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


def mapper(engine: ModuleType, **fields: object) -> mm.Machine:
    """Mapped files under a limit and the machine's pressure: shared and private mappings of two files by four tasks."""
    machine = machine_of(engine, **fields, ram_bytes=4 << 20, disk=mm.DiskConfig(1_000_000, 50 << 20, 32))
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


def attempt(operation: Callable[..., object], *arguments: object) -> None:
    """Refusals are part of the trace, and so are kills."""
    try:
        operation(*arguments)
    except mm.MachineError:
        pass


def movers(engine: ModuleType) -> mm.Machine:
    """Migration and control types: four tasks go from one to another of three containers, whose types change, and are emptied by force."""
    machine = machine_of(engine, ram_bytes=4 << 20)
    containers = [limited(machine, limit) for limit in (150, 200, 400)]
    tasks = [machine.spawn(100 + place, containers[0]) for place in range(4)]
    numbers = Lcg(11)
    for step in range(120):
        task, container = tasks[numbers.below(4)], containers[numbers.below(3)]
        machine.attach(task, container)
        if step % 7 == 6:
            container.control_type = 1 + numbers.below(3)
        if step % 40 == 39:
            machine.force_empty(containers[numbers.below(3)])
        run(task, numbers, 250, 60)
    return machine


def areas(engine: ModuleType) -> mm.Machine:
    """Swap areas: the boot's, and two of a higher priority, which are filled in turn. One is swapped off by a task that has room for it,
    and comes back with the highest priority; another by one that has little, so that its pages go on to the others."""
    machine = machine_of(engine, ram_bytes=4 << 20, swap_bytes=200 * 4096)
    machine.swapon("one", 150, 5)
    machine.swapon("other", 100, 5)
    tasks = [machine.spawn(100 + place, limited(machine, 120)) for place in range(2)]
    rich, poor = machine.spawn(200, limited(machine, 500)), machine.spawn(201, limited(machine, 20))
    numbers = Lcg(12)
    for step in range(60):
        run(tasks[numbers.below(2)], numbers, 280, 80)
        if step == 20:
            rich.swapoff("one")
        elif step == 30:
            machine.swapon("one", 150, 9)
        elif step == 50:
            attempt(poor.swapoff, "other")
    return machine


def sharers(engine: ModuleType) -> mm.Machine:
    """Shared anonymous memory: two families, each with a mapping of 200 pages, in containers of 150; it goes to swap and comes back."""
    machine = machine_of(engine, ram_bytes=4 << 20)
    tasks = []
    for family in range(2):
        parent = machine.spawn(100 + 10 * family, limited(machine, 150))
        parent.mmap(0, 200, shared=True)
        tasks += [parent, parent.fork(101 + 10 * family)]
    machine.attach(tasks[3], tasks[0].container)
    numbers = Lcg(13)
    for _ in range(100):
        run(tasks[numbers.below(4)], numbers, 230, 60)
    return machine


def thrashers(engine: ModuleType) -> mm.Machine:
    """Three tasks of 450 pages each, no limits, and memory for two of them: the swap token goes round, and kswapd and direct reclaim work
    for all."""
    machine = machine_of(engine, ram_bytes=4 << 20, disk=mm.DiskConfig(1_000_000, 50 << 20, 16))
    tasks = [machine.spawn(100 + place) for place in range(3)]
    numbers = Lcg(14)
    for _ in range(150):
        task = tasks[numbers.below(3)]
        task.access([numbers.below(450) for _ in range(50)], [numbers.below(2) for _ in range(50)])
    return machine


def nodes(engine: ModuleType) -> mm.Machine:
    """Three nodes, the first with a small low zone: four tasks, which go from one to another, two of them in a container of 300."""
    machine = machine_of(engine, nodes=3, zone_pages=(96, 0, 1200, 0), disk=mm.DiskConfig(1_000_000, 50 << 20, 16))
    container = limited(machine, 300)
    tasks = [machine.spawn(100 + place, container if place % 2 else None) for place in range(4)]
    numbers = Lcg(15)
    for _ in range(120):
        task = tasks[numbers.below(4)]
        task.set_node(numbers.below(3))
        run(task, numbers, 500, 60)
    return machine


def blocks(engine: ModuleType) -> mm.Machine:
    """Larger blocks: a task takes and gives back up to 128 pages at a time, and two others keep memory full and in pieces."""
    machine = machine_of(engine, ram_bytes=4 << 20)
    kernel, *tasks = (machine.spawn(100 + place) for place in range(3))
    numbers = Lcg(16)
    for _ in range(150):
        run(tasks[numbers.below(2)], numbers, 600, 40)
        attempt(kernel.alloc_block, numbers.below(8))
        if len(kernel.blocks) > 8:
            kernel.free_block(kernel.blocks[numbers.below(8)][1])
    return machine


def everything(engine: ModuleType, **fields: object) -> mm.Machine:
    """All at once: two nodes; four containers, of which one leaves the cache out and one has too little; families that write to their
    memory, shared and not, and to files, mapped and not; names, blocks, swap areas that come and go, time that passes, laptop mode, and
    kills."""
    usual: dict[str, object] = {"nodes": 2, "zone_pages": (128, 0, 1400, 0), "swap_bytes": 300 * 4096, "files_bytes": 8 << 20}
    machine = machine_of(engine, **(usual | {"disk": mm.DiskConfig(500_000, 50 << 20, 32)} | fields))
    machine.swapon("fast", 200, 7)
    machine.set_sysctl("dirty_ratio", 20)
    containers = [limited(machine, limit) for limit in (120, 250, 350, 500)]
    containers[2].control_type = 1
    files = [sized(machine, 300) for _ in range(3)]
    numbers = Lcg(17)
    next_pid = 100
    tasks: list[mm.Task] = []
    for step in range(250):
        tasks = [task for task in tasks if task.state == "R"]
        if len(tasks) < 6:
            next_pid += 1
            task = machine.spawn(next_pid, containers[numbers.below(4)])
            task.mmap(1000, 200, shared=True)
            task.mmap(2000, 300, file=files[numbers.below(3)], shared=numbers.below(2) == 0)
            tasks.append(task)
        task, file, page = tasks[numbers.below(len(tasks))], files[numbers.below(3)], numbers.below(300)
        what = numbers.below(16)
        if what < 4:
            attempt(run, task, numbers, 350, 40)
        elif what < 6:
            attempt(task.touch, 1000 + numbers.below(180), 20)
        elif what < 8:
            attempt(task.touch, 2000 + numbers.below(280), 20, numbers.below(3) == 0)
        elif what < 10:
            attempt(task.read_file, file, page, 30)
        elif what < 12:
            attempt(task.write_file, file, page, 30)
        elif what == 12:
            attempt(task.lookup, 200)
        elif what == 13:
            attempt(task.alloc_block, numbers.below(5))
            attempt(task.set_node, numbers.below(2))
        elif what == 14:
            next_pid += 1
            attempt(task.fork, next_pid)
            tasks += [machine.tasks[next_pid]] if next_pid in machine.tasks else []
            attempt(machine.attach, task, containers[numbers.below(4)])
        else:
            machine.advance(1_000_000_000 * numbers.below(4))
        if step % 100 == 50:
            attempt(tasks[0].swapoff, "fast")
            machine.set_sysctl("laptop_mode", numbers.below(2))
        elif step % 100 == 70:
            attempt(machine.swapon, "fast", 200, 7)
            machine.sync()
    return machine


OF_2008: dict[str, object] = {"rules": "2008", "model": "cgroups2008"}


def one_group(engine: ModuleType) -> mm.Machine:
    """one_container as 2.6.25 would have it."""
    return one_container(engine, **OF_2008)


def mapper_2008(engine: ModuleType) -> mm.Machine:
    return mapper(engine, **OF_2008)


def everything_2008(engine: ModuleType) -> mm.Machine:
    return everything(engine, **OF_2008)


OF_TODAY: dict[str, object] = {"rules": "v1", "model": "classic"}


def one_memcg(engine: ModuleType) -> mm.Machine:
    """one_container as 6.18 would have it."""
    return one_container(engine, **OF_TODAY)


def mapper_v1(engine: ModuleType) -> mm.Machine:
    return mapper(engine, **OF_TODAY)


def everything_v1(engine: ModuleType) -> mm.Machine:
    return everything(engine, **OF_TODAY)


ALONE = (
    one_container, machine_wide, many_containers, families, a_kill, names, reader, writer, mapper, movers, areas, sharers, thrashers, nodes,
    blocks, one_group, mapper_2008, one_memcg, mapper_v1,
)  # fmt: skip
TOGETHER = (everything, everything_2008, everything_v1)
TRACES: dict[str, Callable[[ModuleType], mm.Machine]] = {trace.__name__: trace for trace in (*ALONE, *TOGETHER)}


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
    found["swap_used"] = sum(area.used_pages for area in machine.swaps())
    found["killed"] = sum("Killed process" in line for line in machine.log)
    found["clock_ns"] = machine.clock_ns
    found["lists"] = hashlib.sha256(repr(list(lists(machine))).encode()).hexdigest()[:16]
    return found


def golden() -> Golden:
    found: Golden = json.loads(GOLDEN.read_text())
    return found


def as_text(results: Golden) -> str:
    return json.dumps(results, indent=1) + "\n"
