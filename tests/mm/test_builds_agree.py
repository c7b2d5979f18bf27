"""Both builds do the same: random programs of operations leave the same machine, down to every list's order and every line of log."""

from __future__ import annotations

import random
from collections.abc import Callable
from types import ModuleType

import pytest

from memcgfs import mm
from memcgfs.mm.config import MODELS, RULES
from memcgfs.mm.engine import engine
from tests.conftest import engine_of

STEPS = 150
SHAPES: list[dict[str, object]] = [
    {"zone_pages": (64, 0, 0, 0), "min_free_kbytes": 0, "swap_cluster_max": 4, "pagevec_size": 3, "disk": mm.DiskConfig(0, 0, 8)},
    {"zone_pages": (48, 32, 0, 0), "min_free_kbytes": 32, "swap_cluster_max": 4, "pagevec_size": 3},
    {"zone_pages": (32, 0, 32, 64), "arch": "i386", "min_free_kbytes": 16, "disk": mm.DiskConfig(2_000_000, 10 << 20, 4)},
    {
        "zone_pages": (40, 24, 0, 0),
        "files_bytes": 64 * 4096,
        "min_free_kbytes": 0,
        "swap_bytes": 16 * 4096,
        "swap_cluster_max": 2,
        "fault_ns": 700,
    },
    {"zone_pages": (40, 0, 0, 0), "min_free_kbytes": 8, "swap_bytes": 0, "def_priority": 3, "reclaim_retries": 1},
    {"zone_pages": (16, 0, 80, 0), "nodes": 2, "min_free_kbytes": 32, "swap_cluster_max": 4, "pagevec_size": 3},
]


class Program:
    """The same random operations on whatever machine it is given: nothing is drawn that depends on the build."""

    def __init__(self, engine: ModuleType, seed: int, rules: str = "2007", model: str = "containers2007") -> None:
        self.numbers = random.Random(seed)
        fields = {"swap_bytes": 64 * 4096, "max_containers": 6, "rules": rules, "model": model} | SHAPES[seed % len(SHAPES)]
        if rules == "v1":
            fields |= {"charge_batch": (1, 64)[seed % 2], "charges_kmem": seed % 3 > 0}
        self.machine = mm.Machine(mm.MachineConfig(**fields), engine)  # type: ignore[arg-type]
        self.next_pid = 100
        self.outcomes: list[object] = []
        for _ in range(3):
            self.machine.create_container(self.container())

    def task(self) -> mm.Task:
        tasks: list[mm.Task] = list(self.machine.tasks.values())
        if not tasks or (len(tasks) < 5 and self.numbers.random() < 0.1):
            self.next_pid += 1
            return self.machine.spawn(self.next_pid, self.container())
        return self.numbers.choice(tasks)

    def container(self) -> mm.Container:
        return self.numbers.choice(list(self.machine.containers.values()))

    def span(self) -> tuple[int, int]:
        return self.numbers.choice([0, 0, 500, 1024]) + self.numbers.randrange(30), self.numbers.randrange(1, 20)

    def touch(self) -> object:
        return self.task().touch(*self.span(), write=self.numbers.random() < 0.7)

    def access(self) -> object:
        pages = [self.numbers.randrange(40) for _ in range(60)]
        return self.task().access(pages, [self.numbers.randrange(2) for _ in pages])

    def write_mem(self) -> object:
        return self.task().write_mem(self.numbers.randrange(30 * 4096), self.numbers.randbytes(5000))

    def read_mem(self) -> object:
        return self.task().read_mem(self.numbers.randrange(30 * 4096), 5000)

    def fork(self) -> object:
        self.next_pid += 1
        return self.task().fork(self.next_pid).pid

    def clone(self) -> object:
        self.next_pid += 1
        return self.machine.clone_thread(self.task(), self.next_pid).pid

    def lookup(self) -> object:
        return self.task().lookup(self.numbers.choice([1, 30, 300]))

    def munmap(self) -> None:
        self.task().munmap(*self.span())

    def discard(self) -> None:
        self.task().madvise(*self.span(), "dontneed")

    def lock(self) -> None:
        task, span = self.task(), self.span()
        (task.mlock if self.numbers.random() < 0.5 else task.munlock)(*span)

    def exec(self) -> None:
        self.task().exec()

    def reap(self) -> None:
        self.machine.reap(self.task())

    def attach(self) -> None:
        self.machine.attach(self.task(), self.container())

    def limit(self) -> None:
        self.container().limit = self.numbers.choice([0, 1, 3, 8, 16, 24, 1 << 40])

    def type(self) -> None:
        self.container().control_type = self.numbers.randrange(1, 4)

    def sysctl(self) -> None:
        name, values = self.numbers.choice(
            [
                ("swappiness", (0, 60, 100)),
                ("page-cluster", (0, 1, 3)),
                ("laptop_mode", (0, 1)),
                ("drop_caches", (1, 3)),
                ("dirty_ratio", (0, 40)),
                ("min_free_kbytes", (0, 16, 40)),
            ]
        )
        self.machine.set_sysctl(name, self.numbers.choice(values))

    def advance(self) -> None:
        self.machine.advance(self.numbers.choice([1_000_000, 10_000_000, 1_000_000_000]))

    def force_empty(self) -> None:
        container = self.container()
        if container.has_hierarchy:
            container.force_empty()
        else:
            self.machine.force_empty(container)

    def memsw_limit(self) -> None:
        self.container().counter("memsw").resize(self.numbers.choice([8, 24, 40]))

    def soft_limit(self) -> None:
        self.container().soft_limit = self.numbers.choice([0, 4, 12, 1 << 40])

    def swappiness(self) -> None:
        self.container().swappiness = self.numbers.choice([0, 60, 100, 200])

    def file(self) -> mm.File:
        files = [file for file in self.machine.files.values() if file.is_on_disk]
        if not files or (len(files) < 4 and self.numbers.random() < 0.3):
            return self.machine.create_file()
        return self.numbers.choice(files)

    def file_pages(self) -> tuple[int, int]:
        return self.numbers.choice([0, 0, 40, 4200]) + self.numbers.randrange(30), self.numbers.randrange(1, 20)

    def read_file(self) -> object:
        return self.task().read_file(self.file(), *self.file_pages())

    def write_file(self) -> object:
        return self.task().write_file(self.file(), *self.file_pages())

    def host_read(self) -> object:
        opened = self.file().open(self.container())
        try:
            return opened.read(self.numbers.randrange(60 * 4096), self.numbers.randrange(20_000))
        finally:
            opened.close()

    def host_write(self) -> object:
        opened = self.file().open(self.container())
        try:
            return opened.write(self.numbers.randrange(60 * 4096), self.numbers.randbytes(self.numbers.randrange(20_000)))
        finally:
            opened.close()

    def map_shared(self) -> None:
        self.task().mmap(4096 + self.span()[0], self.span()[1], shared=True)

    def touch_shared(self) -> object:
        return self.task().touch(4096 + self.span()[0], self.span()[1], write=self.numbers.random() < 0.5)

    def map_file(self) -> None:
        self.task().mmap(2048 + self.span()[0], self.span()[1], file=self.file(), shared=self.numbers.random() < 0.5)

    def touch_files(self) -> object:
        return self.task().touch(2048 + self.span()[0], self.span()[1], write=self.numbers.random() < 0.5)

    def truncate(self) -> None:
        self.file().truncate(self.numbers.choice([0, 5000, 8192, 100_000, 200_000]), self.container())

    def sync(self) -> None:
        task = self.task()
        if self.numbers.random() < 0.5:
            self.machine.sync()
        else:
            task.fsync_file(self.file())

    def fadvise(self) -> None:
        advice = self.numbers.choice(["normal", "random", "sequential", "willneed", "dontneed", "noreuse"])
        self.task().fadvise_file(self.file(), advice, *self.file_pages())

    def remove(self) -> None:
        file = self.file()
        if file.users == 1 or self.numbers.random() < 0.2:
            file.put()
            if file.users:
                file.get()

    def node(self) -> None:
        self.task().set_node(self.numbers.randrange(2))

    def adjust(self) -> None:
        self.task().set_oom_adj(self.numbers.choice([-17, -3, 0, 0, 5]))

    def swapon(self) -> None:
        self.machine.swapon(self.numbers.choice("abc"), self.numbers.randrange(2, 60), self.numbers.choice([None, 0, 0, 7]))

    def swapoff(self) -> None:
        runner = self.task() if self.numbers.random() < 0.5 else self.container()
        self.machine.swapoff(self.numbers.choice(["a", "b", "/dev/swap"]), runner)

    def run(self) -> None:
        weighted: list[Callable[[], object]] = [self.touch] * 8 + [self.access] * 4 + [self.limit, self.fork] * 2
        others: list[Callable[[], object]] = [self.write_mem, self.read_mem, self.munmap, self.discard, self.lock, self.clone]
        others += [self.lookup]
        others += [self.exec, self.reap, self.swapon, self.swapoff]
        others += [self.attach, self.type, self.sysctl, self.advance, self.force_empty, self.adjust, self.node]
        others += [self.read_file, self.write_file, self.host_read, self.host_write, self.map_file, self.touch_files] * 2
        others += [self.map_shared, self.touch_shared] * 2
        others += [self.truncate, self.sync, self.fadvise, self.remove]
        if self.machine.root.has_hierarchy:
            others += [self.memsw_limit, self.soft_limit, self.swappiness] * 2
        for step in range(STEPS):
            operation = self.numbers.choice(weighted + others)
            try:
                self.outcomes.append(operation())
            except mm.MachineError as error:
                self.outcomes.append(repr(error))
            if step % 10 == 0:
                self.machine.check()
        self.machine.check()


@pytest.mark.parametrize("seed", range(40))
def test_a_random_program_leaves_the_same_machine(seed: int) -> None:
    agree(seed, "2007", "containers2007")


@pytest.mark.parametrize("rules", RULES)
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("seed", range(100, 106))
def test_it_does_so_with_all_rules_and_models(seed: int, rules: str, model: str) -> None:
    agree(seed, rules, model)


def agree(seed: int, rules: str, model: str) -> None:
    plain, compiled = (Program(engine_of(build), seed, rules, model) for build in ("uncompiled", "compiled"))
    plain.run()
    compiled.run()
    assert plain.outcomes == compiled.outcomes
    assert mm.dump(plain.machine) == mm.dump(compiled.machine)


def test_the_programs_reach_what_they_should() -> None:
    """Else agreement says little: all programs together swap, reclaim for containers and for the machine, kill, and miss nodes."""
    counts: dict[str, int] = {}
    for seed in range(40):
        program = Program(engine, seed)
        program.run()
        for name, amount in program.machine.vmstat().items():
            counts[name] = counts.get(name, 0) + amount
        text = "\n".join(program.machine.log)
        for phrase in ("Memory container out of memory", "Out of memory", "Kernel panic"):
            counts[phrase] = counts.get(phrase, 0) + text.count(phrase)
    never = {name for name, amount in counts.items() if not amount}
    assert never <= {"pgalloc_normal", "nr_writeback"}
