"""Tasks, containers, limits, forks, mappings, time: random operations on a machine of a few dozen pages, against a model that knows
only what must be so.

The model of a task is a dict: page -> what was last written to its first and to its second word (0: nothing yet). What must be so
after every step: a page that was written is there or in swap; a page that was never touched is not; usage stays within the limit that
was in force when it was charged; and machine.check() finds nothing. At the end all bytes are the model's, and everything comes back.
"""

from __future__ import annotations

import struct
from itertools import product
from types import ModuleType

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule, run_state_machine_as_test

from memcgfs import mm
from memcgfs.mm.config import MODELS, RULES
from tests.conftest import BUILDS, engine_of

from .file_rules import FileRules
from .kernel_rules import KernelRules
from .model import MAPPED_PAGES, Machine, Memory, ModelBase

PAGE_BYTES = 4096
PAGES = 24
STARTS = (0, 3, 10, 512 - 4, 1 << 22)
NO_LIMIT = 1 << 40
UNLIMITED = ((1 << 63) - 1) // PAGE_BYTES
UNWRITTEN = (0, 0)
YEARS = list(product(RULES, MODELS))

starts = st.sampled_from(STARTS)
lengths = st.integers(1, 12)
picks = st.integers(0, 9)
names = st.sampled_from(["/dev/swap", "a", "b", "c"])


class MachineModel(FileRules, KernelRules):
    engine: ModuleType

    @initialize(
        frames=st.sampled_from([24, 40]),
        swap_pages=st.sampled_from([100, 20, 0]),
        is_slow=st.booleans(),
        cluster=st.sampled_from([2, 4, 32]),
        min_free=st.sampled_from([0, 12]),
        limit=st.sampled_from([8, 16]),
        disk_pages=st.sampled_from([400, 20]),
        nodes=st.sampled_from([1, 1, 2, 3]),
        pcp_batch=st.sampled_from([None, 2]),
        year=st.sampled_from(YEARS),
        batch=st.sampled_from([1, 64]),
        kmem=st.booleans(),
    )
    def boot(
        self,
        frames: int,
        swap_pages: int,
        is_slow: bool,
        cluster: int,
        min_free: int,
        limit: int,
        disk_pages: int,
        nodes: int,
        pcp_batch: int | None,
        year: tuple[str, str],
        batch: int,
        kmem: bool,
    ) -> None:
        """Three tasks have written already, two of them in a container that is nearly full."""
        config = mm.MachineConfig(
            zone_pages=(frames, 8, 0, 0),
            swap_bytes=swap_pages * PAGE_BYTES,
            files_bytes=disk_pages * PAGE_BYTES,
            disk=mm.DiskConfig(5_000_000, 100 << 20, 4) if is_slow else mm.DiskConfig(0, 0, 4),
            nodes=nodes,
            pcp_batch=pcp_batch,
            min_free_kbytes=min_free,
            swap_cluster_max=cluster,
            pagevec_size=3,
            max_containers=8,
            rules=year[0],
            model=year[1],
            charge_batch=batch,
            charges_kmem=kmem,
        )
        self.machine = Machine(config, self.engine)
        self.is_v1 = year[0] == "v1"
        self.booted()
        self.containers = [self.machine.root]
        self.swaps = {"/dev/swap"} if swap_pages else set()
        self.memory = {}
        self.kernel_memory: list[tuple[int, int]] = []
        self.begin_with_files()
        self.highest_limit = {0: NO_LIMIT}
        self.next_pid = 100
        self.next_mark = 1
        self.make_container(limit, 0)
        for pick in (1, 1, 0):
            self.spawn(pick)
            self.write(len(self.memory) - 1, 0, 6, 0)

    # Operations

    @rule(pick=picks)
    @precondition(lambda self: len(self.memory) < 5)
    def spawn(self, pick: int) -> None:
        self.next_pid += 1
        self.machine.spawn(self.next_pid, self.container(pick))
        self.memory[self.next_pid] = Memory()

    @rule(limit=st.sampled_from([1, 4, 8, 16, NO_LIMIT]), parent=picks)
    @precondition(lambda self: len(self.containers) < 4)
    def make_container(self, limit: int, parent: int) -> None:
        try:
            container = self.machine.create_container(self.container(parent))
        except mm.OutOfMemory:
            self.forget_the_dead()
            return
        self.containers.append(container)
        self.highest_limit[container.cid] = NO_LIMIT
        self.set_limit(len(self.containers) - 1, limit)

    @rule(pick=picks, limit=st.sampled_from([1, 4, 8, 16, NO_LIMIT]))
    def set_limit(self, pick: int, limit: int) -> None:
        """Lowering it below the usage evicts nobody: the bound is then what was charged already. By the rules of v1 it evicts, or is
        refused."""
        container = self.container(pick)
        if self.is_v1:
            self.resize(container, "memory", limit)
            return
        container.limit = limit
        self.highest_limit[container.cid] = max(limit, container.usage)

    def resize(self, container: mm.Container, name: str, limit: int) -> None:
        counter = container.counter(name)
        before = counter.limit
        try:
            counter.resize(min(limit, UNLIMITED))
        except mm.BadValue:
            limits = {"memory": container.limit, "memsw": container.counter("memsw").limit} | {name: limit}
            assert container is self.machine.root or limits["memsw"] < limits["memory"]
        except mm.Busy:
            assert counter.usage > limit
        else:
            assert counter.usage <= counter.limit == min(limit, UNLIMITED)
            return
        assert counter.limit == before

    @rule(pick=picks, limit=st.sampled_from([8, 16, 24, NO_LIMIT]))
    @precondition(lambda self: self.is_v1)
    def set_memsw_limit(self, pick: int, limit: int) -> None:
        self.resize(self.container(pick), "memsw", limit)

    @rule(pick=picks)
    @precondition(lambda self: self.is_v1)
    def empty(self, pick: int) -> None:
        if self.container(pick) is self.machine.root:
            with pytest.raises(mm.BadValue):
                self.machine.root.force_empty()
        else:
            self.container(pick).force_empty()

    @rule(pick=picks, value=st.sampled_from([0, 60, 200]))
    @precondition(lambda self: self.is_v1)
    def set_swappiness(self, pick: int, value: int) -> None:
        if self.container(pick) is not self.machine.root:
            self.container(pick).swappiness = value

    @rule(pick=picks, nr_pages=st.integers(1, 3), is_given_back=st.booleans())
    @precondition(lambda self: self.is_v1)
    def use_kernel_memory(self, pick: int, nr_pages: int, is_given_back: bool) -> None:
        """Of a container, which may be removed before it is given back."""
        engine, core = self.engine, self.machine.core
        if is_given_back and self.kernel_memory:
            engine.uncharge_kmem(core, *self.kernel_memory.pop())
        elif len(self.kernel_memory) < 3:
            cid = self.container(pick).cid
            with self.machine.running(None):
                is_charged = engine.charge_kmem(core, cid, nr_pages) == 0
            self.forget_the_dead()
            if is_charged:
                self.kernel_memory.append((cid, nr_pages))

    @rule(pick=picks)
    def remove_container(self, pick: int) -> None:
        container = self.container(pick)
        if container is self.machine.root or any(task.container is container for task in self.machine.tasks.values()):
            return
        has_children = any(child.is_online for child in container.children())
        if has_children or (container.css_refs and not self.is_v1 and not self.machine.core.rules.forgets_on_rmdir):
            with pytest.raises(mm.ContainerBusy):
                self.machine.remove_container(container)
        else:
            self.machine.remove_container(container)
            self.containers.remove(container)

    @rule(pick=picks, start=starts, length=lengths)
    @precondition(ModelBase.has_tasks)
    def read(self, pick: int, start: int, length: int) -> None:
        task = self.task(pick)
        try:
            task.touch(start, length, write=False)
        except mm.OutOfMemory:
            self.forget_the_dead()
            return
        memory = self.memory[task.pid]
        for page in range(start, start + length):
            memory.mapped.add(page)
            memory.content.setdefault(page, UNWRITTEN)

    @rule(pick=picks, start=starts, length=lengths, word=st.integers(0, 1))
    @precondition(ModelBase.has_tasks)
    def write(self, pick: int, start: int, length: int, word: int) -> None:
        task = self.task(pick)
        self.next_mark += 1
        text = self.next_mark.to_bytes(8, "little")
        memory = self.memory[task.pid]
        memory.mapped.update(range(start, start + length))
        try:
            for page in range(start, start + length):
                task.write_mem(page * PAGE_BYTES + 8 * word, text)
                first, second = memory.content.get(page, UNWRITTEN)
                memory.content[page] = (first, self.next_mark) if word else (self.next_mark, second)
        except mm.OutOfMemory:
            self.forget_the_dead()

    @rule(pick=picks, word=st.integers(0, 1), length=st.integers(6, 14))
    @precondition(ModelBase.has_tasks)
    def write_much(self, pick: int, word: int, length: int) -> None:
        self.write(pick, 0, length, word)

    @rule(pick=picks, which=picks)
    @precondition(lambda self: self.has_tasks() and self.has_files())
    def dirty_a_file_and_need_memory(self, pick: int, which: int) -> None:
        """So that reclaim finds a disk that has enough to do."""
        self.tune_writeback(100, 50, 0)
        self.write_pages(pick, which, 0, 14)
        for start in (0, 10, 512 - 4):
            self.forget_the_dead()
            if self.memory:
                self.write(pick + 1, start, 12, 0)

    @rule(pick=picks, word=st.integers(0, 1))
    @precondition(lambda self: 0 < len(self.memory) < 5)
    def fork_and_write(self, pick: int, word: int) -> None:
        self.fork(pick)
        self.forget_the_dead()  # page tables took memory, which may have cost somebody else's life
        if self.memory:
            self.write(pick, 0, 6, word)

    @rule(pick=picks, start=starts, length=lengths)
    @precondition(ModelBase.has_tasks)
    def munmap(self, pick: int, start: int, length: int) -> None:
        task = self.task(pick)
        task.munmap(start, length)
        memory = self.memory[task.pid]
        for page in range(start, start + length):
            memory.content.pop(page, None)
            memory.mapped.discard(page)
            memory.locked.discard(page)

    @rule(pick=picks, start=starts, length=lengths)
    @precondition(ModelBase.has_tasks)
    def discard(self, pick: int, start: int, length: int) -> None:
        task, memory = self.task(pick), self.memory[self.task(pick).pid]
        pages = range(start, start + length)
        if memory.locked.intersection(pages):
            with pytest.raises(mm.BadRange):
                task.madvise(start, length, "dontneed")
            return
        task.madvise(start, length, "dontneed")
        for page in pages:
            memory.content.pop(page, None)

    @rule(pick=picks, start=st.sampled_from([0, 2]), length=st.integers(1, 4), locked=st.booleans())
    @precondition(ModelBase.has_tasks)
    def lock(self, pick: int, start: int, length: int, locked: bool) -> None:
        task, memory = self.task(pick), self.memory[self.task(pick).pid]
        pages = range(start, start + length)
        call = task.mlock if locked else task.munlock
        if not memory.mapped.issuperset(pages):
            with pytest.raises(mm.OutOfMemory):
                call(start, length)
            return
        try:
            call(start, length)
        except mm.OutOfMemory:
            self.forget_the_dead()
            if task.pid in self.memory:  # locked all the same, as far as there was memory
                memory.locked.update(pages)
                for page in pages:
                    if task.pagemap(page, 1)[0]:
                        memory.content.setdefault(page, UNWRITTEN)
            return
        if locked:
            memory.locked.update(pages)
            for page in pages:
                memory.content.setdefault(page, UNWRITTEN)
        else:
            memory.locked.difference_update(pages)

    @rule(pick=picks)
    @precondition(lambda self: 0 < len(self.memory) < 5)
    def fork(self, pick: int) -> None:
        parent = self.task(pick)
        self.next_pid += 1
        try:
            child = parent.fork(self.next_pid)
        except mm.OutOfMemory:
            self.forget_the_dead()
            return
        self.memory[child.pid] = self.memory[parent.pid].copy()

    @rule(pick=picks)
    @precondition(ModelBase.has_tasks)
    def exec(self, pick: int) -> None:
        task = self.task(pick)
        task.exec()
        self.memory[task.pid] = Memory()

    @rule(pick=picks)
    @precondition(ModelBase.has_tasks)
    def reap(self, pick: int) -> None:
        task = self.task(pick)
        del self.memory[task.pid]
        self.machine.reap(task)

    @rule(pick=picks, count=st.sampled_from([1, 25, 150]))
    @precondition(ModelBase.has_tasks)
    def lookup(self, pick: int, count: int) -> None:
        """Names take pages of the machine, and nobody's account; who runs out of memory for them may have been killed for it."""
        usage = [container.usage for container in self.containers]
        try:
            self.task(pick).lookup(count)
        except mm.OutOfMemory:
            self.forget_the_dead()
        assert all(container.usage <= before for container, before in zip(self.containers, usage, strict=True))

    @rule()
    def drop_names(self) -> None:
        """Twice: a round may go to no more than giving each its second chance, and then it ends."""
        self.engine.drop_slab(self.machine.core)
        self.engine.drop_slab(self.machine.core)
        assert self.machine.slabs()[0].nr_objects < 200

    @rule(pick=picks, where=picks)
    @precondition(ModelBase.has_tasks)
    def attach(self, pick: int, where: int) -> None:
        self.machine.attach(self.task(pick), self.container(where))

    @rule(duration_ns=st.sampled_from([1, 5_000_000, 200_000_000]))
    def wait(self, duration_ns: int) -> None:
        before = self.machine.clock_ns
        self.machine.advance(duration_ns)
        assert self.machine.clock_ns >= before + duration_ns

    @rule(swappiness=st.sampled_from([0, 60, 100]), page_cluster=st.sampled_from([0, 3]))
    def tune(self, swappiness: int, page_cluster: int) -> None:
        self.machine.set_sysctl("swappiness", swappiness)
        self.machine.set_sysctl("page-cluster", page_cluster)

    @rule(pick=picks, control_type=st.sampled_from([1, 3]))
    def set_type(self, pick: int, control_type: int) -> None:
        self.container(pick).control_type = control_type

    @rule(name=names, nr_pages=st.sampled_from([2, 9, 40]), priority=st.sampled_from([None, 0, 5]))
    def swapon(self, name: str, nr_pages: int, priority: int | None) -> None:
        if name in self.swaps:
            with pytest.raises(mm.SwapAreaBusy):
                self.machine.swapon(name, nr_pages, priority)
            return
        self.machine.swapon(name, nr_pages, priority)
        self.swaps.add(name)

    @rule(name=names, pick=picks, by_a_task=st.booleans())
    def swapoff(self, name: str, pick: int, by_a_task: bool) -> None:
        """It works and the area is gone, or it does not and the area stays; what it held is looked for by the invariants."""
        runner = self.task(pick) if by_a_task and self.memory else self.container(pick)
        if name not in self.swaps:
            with pytest.raises(mm.BadSwapArea):
                self.machine.swapoff(name, runner)
            return
        try:
            self.machine.swapoff(name, runner)
            self.swaps.remove(name)
        except mm.OutOfMemory:
            self.forget_the_dead()

    # What must be so

    @invariant()
    def swap_areas_are_those_that_were_added(self) -> None:
        assert sorted(view.name for view in self.machine.swaps()) == sorted(self.swaps)

    @invariant()
    def the_machine_is_sound(self) -> None:
        self.forget_the_dead()
        self.machine.check()

    @invariant()
    def what_was_written_is_there_or_in_swap(self) -> None:
        """And what is there was touched. (A zero page may be missing in a child.)"""
        for pid, memory in self.memory.items():
            task = self.machine.tasks[pid]
            present = {page for start in STARTS for page, word in enumerate(task.pagemap(start, PAGES), start) if word}
            written = {page for page, marks in memory.content.items() if marks != UNWRITTEN}
            assert written <= present <= set(memory.content), task.pid
            assert task.total_vm == len(memory.mapped) + MAPPED_PAGES * len(memory.files)
            assert task.locked_pages == len(memory.locked)

    @invariant()
    def usage_is_within_the_limit(self) -> None:
        for container in self.containers:
            if self.is_v1:
                assert container.usage <= container.limit
                assert container.counter("memsw").usage <= container.counter("memsw").limit
                continue
            highest = self.highest_limit[container.cid]
            assert container.usage <= highest
            if container.usage <= container.limit:
                self.highest_limit[container.cid] = container.limit

    def teardown(self) -> None:
        """Reading may be what the machine has no memory for; then that is its end."""
        self.machine.is_ending = True
        try:
            self.end()
        except mm.MachinePanicked:
            self.machine.check()

    def end(self) -> None:
        """The bytes are what was written; and at the end everything comes back."""
        while self.kernel_memory:
            self.engine.uncharge_kmem(self.machine.core, *self.kernel_memory.pop())
        for container in self.containers:
            if self.is_v1 and container is not self.machine.root:
                container.counter("memsw").resize(UNLIMITED)
            if not self.is_v1 or container is not self.machine.root:
                container.limit = NO_LIMIT
        for pid in list(self.memory):
            self.forget_the_dead()  # reading may have cost another task its life
            memory = self.memory.get(pid, Memory())
            for page, marks in memory.content.items():
                try:
                    found = self.machine.tasks[pid].read_mem(page * PAGE_BYTES, 16)
                except mm.OutOfMemory:
                    self.forget_the_dead()
                    break
                assert struct.unpack("<QQ", found) == marks, (pid, page)
        for task in list(self.machine.tasks.values()):
            self.machine.reap(task)
        self.end_of_files()
        self.machine.advance(10_000_000_000)
        self.machine.check()
        for container in self.containers:
            if not self.is_v1:
                self.machine.force_empty(container)
            elif container is not self.machine.root:
                container.force_empty()
            assert container.css_refs == 0 or self.is_v1
        for container in reversed(self.containers[1:]):  # no container is older than the one that it is in
            self.machine.remove_container(container)
        if self.is_v1:
            assert self.machine.root.usage == self.machine.root.stat()["swapcached"] // PAGE_BYTES, "written to swap when its owner went"
            assert self.machine.root.counter("kmem").usage == 0
        assert not self.machine.offline
        self.machine.check()


@pytest.mark.slow
@pytest.mark.parametrize("build", BUILDS)
def test_random_operations_keep_the_machine_as_the_model_says(build: str) -> None:
    model = type("MachineModelOf" + build, (MachineModel,), {"engine": engine_of(build)})
    run_state_machine_as_test(
        model,
        settings=settings(
            max_examples=120,
            stateful_step_count=40,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.generate],  # Phase.shrink makes a failing example small, and takes minutes
            suppress_health_check=list(HealthCheck),
        ),
    )
