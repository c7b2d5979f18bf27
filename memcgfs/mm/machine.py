"""The machine as the rest of the project sees it: tasks, containers, time, log, views. The engine's hot part lies below, in Core.

An operation runs to its end (`running`): what it waits for passes on the simulated clock, who is killed meanwhile exits at its next
sleep or at its end, and the operation of a killed task ends there.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType

from sortedcontainers import SortedDict

from . import kernel_objects, oom, oom_v1, proc_page, sysctl, views
from .address_space import AddressSpace
from .boot import boot
from .check import check
from .container import EVENTS, REFAULTS, Container
from .config import CLOCK_MAX_NS, TASK_PAGES, MachineConfig, sizes_of
from .engine import engine as chosen_engine
from .errors import BadValue, ConfigError, ContainerBusy, MachineBroken, MachineError, MachinePanicked, OutOfMemory, TaskExists
from .errors import TaskWaits, TooManyContainers, TooManyFiles, TooManyMappings, TooManyTasks
from .file import File, FsStat
from .files import FILE_IN_MEMORY, FILE_ON_DISK
from .ids import Ids
from .kernel_objects import CONTAINER_BYTES
from .kernels import KERNELS
from .kmem import SHMEM_INODE_BYTES
from .memcg_watches import MemcgWatches
from .models.python import Policy
from .oom_wait import OomWaits
from .params import AT_CONGESTION_WAIT, MAX_NR_ZONES, PAGE_BYTES, PG_BLOCK, PG_CONTENT, WARN_ALLOC_LIVELOCK, WARN_FAULT_LIVELOCK
from .params import WARN_SHMEM_LIVELOCK
from .params import WARN_UNCHARGE_BELOW_ZERO, WARN_UNUSE_LIVELOCK
from .swapon import Swapfiles
from .task import Task
from .trace_ring import EXIT_EXITED, EXIT_KILLED, EXIT_REAPED, TRACE_EXIT, TRACE_MARK_VICTIM, TRACE_NEWTASK, VICTIM_FAULTED
from .tracer import Tracer

WARNINGS = {
    WARN_UNCHARGE_BELOW_ZERO: "WARNING: at kernel/res_counter.c: res_counter_uncharge_locked(): more uncharged than charged",
    WARN_FAULT_LIVELOCK: "page fault without end: reclaim takes the page away each time; the kernel would go on, here it is out of memory",
    WARN_UNUSE_LIVELOCK: "swapoff without end: somebody holds a slot, and cannot go on; the kernel would wait, here it gives up",
    WARN_SHMEM_LIVELOCK: "shared memory without end: its page cannot be charged; the kernel would hang, here it is out of memory",
    WARN_ALLOC_LIVELOCK: "page allocation without end: nothing can be freed, and kswapd sleeps; the kernel would go on, here it fails",
}
REAPED = "reaped"
LOG_LINES = 4096  # the kernel's log is a ring as well


class Machine:
    """Raises ConfigError where no such machine can be made, also where the host refuses its arrays."""

    def __init__(self, config: MachineConfig | None = None, engine: ModuleType = chosen_engine, policy: Policy | None = None) -> None:
        self.config = config = config or MachineConfig()
        self.engine = engine
        self.task_pages = TASK_PAGES[config.arch]
        nr_zones = config.nodes * MAX_NR_ZONES
        nr_lru_heads = engine.nr_lru_heads(nr_zones)
        if config.model == "classic" and policy is None:
            nr_lru_heads = engine.nr_classic_heads(config.nr_meta_lists)
        sizes = sizes_of(config, nr_lru_heads, engine.nr_meta_heads(config.nr_meta_lists))
        try:
            self.core = engine.Core(sizes, self)
            self.min_free_kbytes = boot(self.core, config)
            if policy is not None:
                model = engine.PythonModel(self.core, policy)
            elif config.model == "containers2007":
                model = engine.Containers2007(self.core)
            elif config.model == "classic":
                model = engine.Classic(self.core)
            else:
                model = engine.Cgroups2008(self.core)
            rules = {"2007": engine.Rules2007, "2008": engine.Rules2008, "v1": engine.RulesV1}[config.rules](KERNELS[config.rules])
            self.core.bind(model, rules, engine.Pdflush())
        except (OSError, OverflowError, ValueError, MemoryError) as error:
            raise ConfigError(f"ram={config.ram_bytes}: the host refuses the arrays of such a machine ({error})") from error
        self.accounts_kmem = config.charges_kmem and self.core.rules.charges_once
        self.swapfiles = Swapfiles(self, config.nr_swap_pages)
        self.ram_bytes = memoryview(self.core.tables.ram).cast("B")
        self.host_mm = sizes.nr_mms - 1
        self.mm_ids = Ids(self.host_mm, TooManyTasks, "address spaces")
        self.file_ids = Ids(sizes.nr_files, TooManyFiles, "files")
        self.handle_ids = Ids(sizes.nr_open_files, TooManyFiles, "open files")
        self.files: dict[int, File] = {}
        self.shared_memory: dict[int, File] = {}
        self.nr_disk_files = 0
        self.dropped_caches = 0
        self.vma_ids = Ids(sizes.nr_vmas, TooManyMappings, "mappings")
        self.anon_vma_ids = Ids(sizes.nr_vmas, TooManyMappings, "anon_vmas")
        self.container_ids = Ids(sizes.nr_containers, TooManyContainers, "containers")
        self.spaces: dict[int, AddressSpace] = {}
        self.tasks: SortedDict[int, Task] = SortedDict()
        self.by_age: dict[int, Task] = {}
        self.nr_running = [0] * config.nodes
        self.total_forks = 0
        self.user_ns, self.nice_ns, self.operating_ns = ([0] * config.nodes for _ in range(3))
        self.current: Task | None = None
        self.under_way: list[Task] = []
        self.killed: list[Task] = []
        self.victims: list[int] = []
        self.ended: list[int] = []
        self.log: deque[str] = deque(maxlen=LOG_LINES)
        self.panic_on_oom = 0
        self.panicked = ""
        self.on_interleave: Callable[[int, int], None] | None = None
        self.depth = 0  # operations under way, one within the other
        self.tracer = Tracer(self.core)
        self.watches = MemcgWatches(self)
        self.waits = OomWaits(self)
        self.containers: dict[int, Container] = {}
        self.offline: dict[int, Container] = {}
        self.root = self.make_container(0, None)

    # Containers

    def make_container(self, cid: int, parent: Container | None) -> Container:
        core, above = self.core, parent.cid if parent is not None else -1
        for counters in (core.counters, core.memsw, core.kmem):
            counters.init(cid, above if core.rules.charges_once else -1)
        core.stats.init(cid)
        core.containers.init(cid, above)
        container = Container(self, cid)
        container.inherit(parent)
        try:
            with self.surfacing():
                self.engine.make_container(core, cid)
        except BaseException:
            if parent is not None:
                core.containers.unlink(cid)
            raise
        self.containers[cid] = container
        return container

    def create_container(self, parent: Container | None = None) -> Container:
        """In the top one, unless `parent` says in which. Cost: O(1). Raises TooManyContainers; OutOfMemory where the parent cannot pay for
        what the kernel keeps of it."""
        self.refuse_if_panicked()
        parent = parent or self.root
        kernel_objects.charge(self, parent.cid, 0, CONTAINER_BYTES)
        try:
            cid = self.container_ids.take()
        except BaseException:
            kernel_objects.uncharge(self, parent.cid, 0, CONTAINER_BYTES)
            raise
        try:
            return self.make_container(cid, parent)
        except BaseException:
            self.container_ids.give(cid)
            kernel_objects.uncharge(self, parent.cid, 0, CONTAINER_BYTES)
            raise

    def remove_container(self, container: Container) -> None:
        """Raises ContainerBusy where an address space belongs to it, another container is in it, or, unless charged pages can do without
        it, while any are charged to it."""
        self.refuse_if_panicked()
        core, cid = self.core, container.cid
        if core.rules.forgets_on_rmdir:
            self.force_empty(container)
        if container.css_refs and not core.rules.charges_once:
            raise ContainerBusy(f"{container.css_refs} references are held: charged pages, and tasks' memory")
        if any(child.is_online for child in container.children()):
            raise ContainerBusy("there are containers in it")
        if core.rules.charges_once and any(space.container == cid for space in self.spaces.values()):
            raise ContainerBusy("tasks' memory belongs to it")
        core.containers.forget_released(cid)
        self.watches.end(cid)
        del self.containers[cid]
        if core.rules.charges_once:
            self.offline[cid] = container
            self.engine.container_offline(core, cid)
            self.release_gone()
        else:
            self.release_container(container)

    def release_container(self, container: Container) -> None:
        """Nothing is charged to it, and nothing is in it: its number is free."""
        self.engine.remove_container(self.core, container.cid)
        parent = self.core.containers.parent[container.cid]
        for item in (*EVENTS.values(), *REFAULTS.values()):
            self.core.stats.bequeath(container.cid, parent, item)
        self.core.containers.unlink(container.cid)
        self.container_ids.give(container.cid)
        kernel_objects.uncharge(self, parent, 0, CONTAINER_BYTES)

    def release_gone(self) -> None:
        """css_release: offline containers that nothing holds any more. With the last one in it, its parent may be gone as well."""
        for cid in self.core.containers.take_gone():
            gone = self.offline.get(cid)
            # What it gives back when it is released ends operations of its own, which look here, too.
            while gone is not None and self.offline.get(gone.cid) is gone and not gone.css_refs and next(gone.children(), None) is None:
                del self.offline[gone.cid]
                parent = gone.parent
                self.release_container(gone)
                gone = parent

    def force_empty(self, container: Container) -> None:
        """Forgets the container's charges: its pages are charged to nobody, whoever uses them. (Of 2.6.25; for v1's see Container.)"""
        self.refuse_if_panicked()
        with self.surfacing():
            for pages in container.lists():
                for pfn in pages:
                    self.engine.force_empty_page(self.core, pfn)

    def container_of(self, cid: int) -> Container:
        """The container of this number, online or not."""
        return self.containers.get(cid) or self.offline[cid]

    def take_released(self) -> list[Container]:
        """Containers whose last reference (page or address space) went since this was asked last."""
        found = self.core.containers.take_released()
        return [self.containers[cid] for cid in found if cid in self.containers]

    def take_ended(self) -> list[int]:
        """The tasks that have ended since this was asked last."""
        found, self.ended = self.ended, []
        return found

    def take_victims(self) -> list[int]:
        """The tasks that were killed since this was asked last because memory was short."""
        found, self.victims = self.victims, []
        return found

    # Tasks

    def tasks_by_age(self) -> Iterator[Task]:
        """All tasks, in the order in which they were made."""
        return iter(list(self.by_age.values()))

    def new_space(self, container: Container, pid: int) -> AddressSpace:
        space = AddressSpace(self, self.mm_ids.take(), container.cid, pid)
        self.spaces[space.mm] = space
        return space

    def enter(self, task: Task, parent: Task | None) -> Task:
        """sched_balance_fork: it starts on the node with the fewest living tasks, the lowest of several."""
        self.trace(TRACE_NEWTASK, task.pid, parent.pid if parent is not None else 0, task.charged_to)
        self.tasks[task.pid] = task
        self.by_age[task.pid] = task
        self.total_forks += 1
        task.node = self.nr_running.index(min(self.nr_running))
        self.nr_running[task.node] += 1
        if parent is not None:
            task.parent = parent
            parent.children.append(task)
        return task

    def refuse_pid(self, pid: int) -> None:
        self.refuse_if_panicked()
        if pid in self.tasks:
            raise TaskExists(f"there is a task {pid}")
        if len(self.tasks) >= self.config.max_threads:
            raise TooManyTasks(f"a machine of this size has at most {self.config.max_threads} tasks")

    def spawn(self, pid: int, container: Container | None = None, *, uid: int = 1000, comm: str = "task") -> Task:
        """A task without memory. Raises TaskExists, TooManyTasks."""
        self.refuse_pid(pid)
        container = container or self.root
        return self.enter(Task(self, pid, pid, container, self.new_space(container, pid), uid, comm), None)

    def fork(self, parent: Task, pid: int) -> Task:
        space = parent.alive()
        self.refuse_pid(pid)
        kernel_objects.take(parent, "process", 1)
        child_space = self.new_space(parent.container, pid)
        self.core.token.init(child_space.mm, space.mm)
        try:
            with self.running(parent):
                if not space.copy_to(child_space):
                    raise OutOfMemory(f"no page frame for the page tables of task {pid}")
            if parent.space is None:
                raise OutOfMemory(f"task {parent.pid} was killed: {parent.died}")
        except BaseException:
            with self.surfacing():
                self.release_space(child_space)
            if parent.space is not None:
                kernel_objects.give(parent, "process", 1)
            raise
        return self.enter(self.sibling(parent, pid, pid, child_space), parent)

    def clone_thread(self, leader: Task, pid: int) -> Task:
        """A thread: same address space, same thread group. Raises TaskExists, TooManyTasks."""
        space = leader.alive()
        self.refuse_pid(pid)
        kernel_objects.take(leader, "thread", 1)
        space.users += 1
        return self.enter(self.sibling(leader, pid, leader.tgid, space), leader)

    def sibling(self, task: Task, pid: int, tgid: int, space: AddressSpace) -> Task:
        copy = Task(self, pid, tgid, task.container, space, task.uid, task.comm)
        copy.objects.append(task.objects.pop())
        copy.nice, copy.oom_adj, copy.oom_score_adj = task.nice, task.oom_adj, task.oom_score_adj
        return copy

    def exec(self, task: Task) -> None:
        self.refuse_if_asleep(task)
        old = task.alive()
        task.space = self.new_space(task.container, task.tgid)
        with self.running(task):
            self.release_space(old)

    def attach(self, task: Task, container: Container) -> None:
        """Patch 5/9: no page moves. A thread group leader takes its address space along, so that new charges go to the new container;
        of any other thread only the membership changes."""
        space = task.alive()
        task.container = container
        if task.pid != task.tgid or space.container == container.cid:
            return
        self.core.containers.css_get(container.cid)
        self.core.containers.css_put(space.container)
        self.core.mms.container[space.mm] = container.cid

    def exit(self, task: Task, why: str) -> None:
        """do_exit: the memory goes back, the task is a zombie, its children are init's."""
        if task.space is None:
            return
        reason = EXIT_KILLED if task.died else EXIT_REAPED if why == REAPED else EXIT_EXITED
        container = task.charged_to
        space, task.space = task.space, None
        self.ended.append(task.pid)
        task.died = why
        self.waits.end(task, OutOfMemory(f"task {task.pid} was killed: {why}", 0))
        for opened in list(task.opened.values()):
            task.forget_file(opened.file)
        task.container = self.root
        for child in task.children:
            child.parent = None
        task.children = []
        self.nr_running[task.node] -= 1
        with self.running(None, node=task.node):
            self.core.set_current(0, task.pid, task.node)  # exit_mm: it runs to its end, without an address space
            self.trace(TRACE_EXIT, task.pid, container, reason)
            while task.blocks:
                self.engine.free_pages(self.core, *task.blocks.pop())
            self.release_space(space)
        while task.objects:
            kernel_objects.release(self, task.objects.pop())

    def release_space(self, space: AddressSpace) -> None:
        """mmput."""
        space.users -= 1
        if space.users == 0:
            space.teardown()
            self.core.token.put(space.mm)
            del self.spaces[space.mm]
            self.mm_ids.give(space.mm)

    def reap(self, task: Task) -> None:
        """Ends the task if it lives, and forgets it."""
        self.refuse_if_panicked()
        self.exit(task, REAPED)
        if task.parent is not None:
            task.parent.children.remove(task)
        del self.tasks[task.pid]
        del self.by_age[task.pid]

    def set_node(self, task: Task, node: int) -> None:
        self.nr_running[task.node] -= 1
        self.nr_running[node] += 1
        task.node = node

    def alloc_block(self, task: Task, gfp: int, order: int) -> bool:
        """A block of kernel memory for the task to hold, charged to nobody. False where there is none."""
        pfn = self.engine.alloc_pages(self.core, gfp, order)
        if pfn == 0:
            self.printk(f"{task.comm}: page allocation failure. order:{order}, mode:0x{gfp:x}")
            return False
        for page in range(pfn, pfn + (1 << order)):
            self.core.frames.set(page, PG_BLOCK)
        task.blocks.append((pfn, order))
        return True

    # Files

    def create_file(self) -> File:
        """An empty file on the disk; the caller holds the one reference to it. Raises TooManyFiles."""
        if self.nr_disk_files >= self.config.max_files:
            raise TooManyFiles(f"the disk has {self.config.max_files} inodes")
        self.nr_disk_files += 1
        return self.enter_file(FILE_ON_DISK)

    def create_shared_memory(self, npages: int, container: Container | None = None) -> File:
        """shmem_file_setup: a file in memory of so many pages, for a shared anonymous mapping, or tmpfs. The container pays for its inode.
        Raises TooManyFiles, OutOfMemory."""
        payer = container.cid if container is not None else 0
        kernel_objects.charge(self, payer, 0, SHMEM_INODE_BYTES)
        file = self.enter_file(FILE_IN_MEMORY)
        file.payer = payer
        self.shared_memory[file.number] = file
        self.core.files.set_size(file.number, npages * PAGE_BYTES)
        return file

    def enter_file(self, kind: int) -> File:
        number = self.file_ids.take()
        file = self.files[number] = File(self, number, kind)
        return file

    def evict_file(self, file: File) -> None:
        """iput_final: nobody holds the file any more; tasks that read it without mapping it do not count. A panicked machine keeps it."""
        if self.panicked:
            return
        for task in self.tasks.values():
            task.forget_file(file)
        with self.running(None):
            self.engine.vmtruncate(self.core, file.number, 0)
            self.core.files.dirty.remove(file.number)
            self.nr_disk_files -= file.is_on_disk
            self.engine.settle_tree_nodes(self.core)
            file.give_back()
            del self.files[file.number]
            self.shared_memory.pop(file.number, None)
            self.file_ids.give(file.number)

    def sync(self) -> None:
        """sync(2): every dirty page is on the disk on return."""
        with self.running(None):
            self.engine.sync_inodes(self.core)

    def drop_caches(self, what: int) -> None:
        """fs/drop_caches.c. Bit 0: clean pages of files that nobody uses leave the cache, file by file; bit 1: dentries."""
        with self.running(None):
            for number in sorted(self.files) if what & 1 else ():
                self.engine.drop_pagecache(self.core, number)
            if what & 2:
                self.engine.drop_slab(self.core)

    def statfs(self) -> FsStat:
        blocks = self.core.blocks
        return FsStat(PAGE_BYTES, blocks.nr_blocks - 1, blocks.nr_free(), self.nr_disk_files, self.config.max_files - self.nr_disk_files)

    # Running

    @contextmanager
    def running(self, task: Task | None, container: Container | None = None, node: int | None = None) -> Iterator[None]:
        """One operation on behalf of a task, on its node; of a process of the host that is in this container; or of nobody, on the node
        given, or where the machine is just now.

        At its end whoever was killed is gone, and what was raised in the midst of the engine comes up. Where the machine
        panics, what was under way fails for want of memory, and the operation ends with MachinePanicked.
        """
        self.refuse_if_panicked()
        self.refuse_if_asleep(task)
        before, start_ns = self.current, self.core.clock_ns
        before_mm, before_pid, before_node = self.core.current_mm, self.core.current_pid, self.core.current_node
        before_memcg = self.core.current_memcg
        was_killed, was_memalloc = self.core.current_is_killed, self.core.current_is_memalloc
        was_writing, before_priority = self.core.is_writing_file, self.core.current_priority
        was_in_fault, before_oom = self.core.current_in_user_fault, self.core.memcg_in_oom
        self.core.set_writing_file(False)
        self.current = task
        if task is not None:
            self.under_way.append(task)
        mm = 0
        if task is not None and task.space is not None:
            mm = task.space.mm
        elif container is not None:
            mm = self.host_mm
            self.core.mms.container[mm] = container.cid
        if node is None:
            node = task.node if task is not None else before_node
        self.core.set_current(mm, task.pid if task is not None else 0, node)
        payer = task.container if task is not None else container
        self.core.set_current_memcg(payer.cid if payer is not None else 0)
        operating_ns = self.operating_ns[node]
        self.depth += 1
        try:
            yield
        finally:
            self.current = before
            self.operating_ns[node] = operating_ns + self.core.clock_ns - start_ns  # with all that ran in between
            self.core.set_current(before_mm, before_pid, before_node)
            self.core.set_current_memcg(before_memcg)
            self.core.set_memalloc(was_memalloc)
            self.core.set_priority(before_priority)
            self.core.set_writing_file(was_writing)
            self.core.set_in_user_fault(was_in_fault)
            self.core.set_memcg_in_oom(before_oom)
            if was_killed or self.panicked or before in self.killed:
                self.core.kill_current()
            if task is not None:
                self.under_way.pop()
                task.stall_ns += self.core.clock_ns - start_ns
            try:
                if before is None and not self.panicked:
                    self.reap_killed()
                    self.engine.run_due(self.core)
            finally:
                self.end_operation()

    @contextmanager
    def surfacing(self) -> Iterator[None]:
        """For an operation, or a part of one, that is nobody's and waits for nothing."""
        self.depth += 1
        try:
            yield
        finally:
            self.end_operation()

    def end_operation(self) -> None:
        """What was raised in the midst of the engine comes up where the operation ends that is no part of another."""
        self.depth -= 1
        if self.depth:
            return
        if self.core.containers.nr_gone:
            self.release_gone()
        error = self.core.take_error()
        if self.panicked:
            raise self.panicking() from error
        if error is not None:
            raise error

    def run_apart(self, function: Callable[..., object], *arguments: object) -> object:
        """Calls Python code in the midst of an operation. Operations that it runs are no part of that one, and raise at their own ends."""
        depth, self.depth = self.depth, 0
        try:
            return function(*arguments)
        finally:
            self.depth = depth

    def settle(self) -> None:
        """After each operation: tasks that waited for memory, and were woken meanwhile, go on."""
        if not self.panicked:
            self.waits.resume()

    def panic(self, message: str) -> None:
        """kernel/panic.c: the last line of the log. The operation under way ends as if its task were killed, and nothing runs
        after it. What does not need the machine to run goes on: reading its files, and the checker."""
        self.printk(f"Kernel panic - not syncing: {message}")
        self.panicked = message
        self.core.kill_current()

    def refuse_if_panicked(self) -> None:
        """Raises MachinePanicked."""
        if self.panicked:
            raise self.panicking()

    def refuse_if_asleep(self, task: Task | None) -> None:
        """Raises TaskWaits."""
        if task is not None and task in self.waits:
            raise TaskWaits(f"task {task.pid} sleeps in the midst of another operation")

    def panicking(self) -> MachinePanicked:
        return MachinePanicked(f"the machine stands still: kernel panic - not syncing: {self.panicked}")

    def send_sigkill(self, task: Task, why: str) -> None:
        """The task exits at its next chance: at once if somebody else runs and sleeps, or at the end of its operation."""
        if task.space is None or any(other is task for other in self.killed):
            return
        task.died = why
        self.killed.append(task)
        self.core.set_has_killed(True)
        if task is self.current:
            self.core.kill_current()

    def mark_victim(self, task: Task, why: int) -> None:
        """It is about to be killed, because memory is short (VICTIM_*)."""
        self.victims.append(task.pid)
        self.trace(TRACE_MARK_VICTIM, task.pid, task.charged_to, why)

    def fault_out_of_memory(self, task: Task) -> None:
        """arch/i386/mm/fault.c: whoever the OOM killer chose, the task whose fault failed dies."""
        if self.panicked or self.core.memcg_in_oom >= 0 or (task.died and self.core.rules.retries_fault):
            return
        self.printk(f"VM: killing process {task.comm}")
        if task.space is not None and not task.died:
            self.mark_victim(task, VICTIM_FAULTED)
        self.send_sigkill(task, "killed: out of memory in a page fault")

    def sleep(self, duration_ns: int) -> None:
        """Raises BadValue, before anything happened, where the clock does not go so far (CLOCK_MAX_NS), or backwards."""
        if not 0 <= duration_ns <= CLOCK_MAX_NS - self.clock_ns:
            raise BadValue(f"the clock stands at {self.clock_ns} ns, and goes from there to {CLOCK_MAX_NS} at most")
        self.engine.sleep_until(self.core, self.core.clock_ns + duration_ns)

    # What the engine asks for (Core.kernel)

    def find_vma(self, mm: int, vpn: int) -> int:
        return self.spaces[mm].find_vma(vpn)

    def anon_vma_prepare(self, vma: int) -> None:
        """find_mergeable_anon_vma is left out: a VMA that could share its neighbour's would have been merged with it."""
        anon_vma = self.anon_vma_ids.take()
        vmas = self.core.vmas
        vmas.links.init_head(vmas.anon_vma_head(anon_vma))
        vmas.link(vma, anon_vma)

    def mem_container_out_of_memory(self, container: int) -> None:
        oom.mem_container_out_of_memory(self, container)

    def mem_cgroup_oom(self, container: int) -> bool:
        return oom_v1.mem_cgroup_oom(self, container)

    def mem_cgroup_threshold(self, container: int) -> None:
        self.watches.check_thresholds(container)

    def memcg_oom_wake(self, container: int) -> None:
        self.waits.wake(container)

    def vmpressure_event(self, container: int, level: int) -> None:
        self.watches.tell_pressure(container, level)

    def out_of_memory(self, gfp: int, order: int) -> bool:
        if self.core.rules.charges_once:
            return oom_v1.out_of_memory(self, gfp, order)
        return oom.out_of_memory(self, gfp, order)

    def reap_killed(self) -> None:
        """Those that were killed exit, but for tasks in the middle of an operation: they do at its end. After a panic nobody does."""
        if self.panicked:
            return
        waiting = [task for task in self.killed if task in self.under_way]
        dying, self.killed = [task for task in self.killed if task not in self.under_way], waiting
        self.core.set_has_killed(bool(waiting))
        for task in dying:
            try:
                self.exit(task, task.died)
            except BaseException as error:
                self.core.keep_error(error)

    def warn(self, number: int) -> None:
        self.printk(WARNINGS[number])

    def interleave(self, point: int, pfn: int) -> None:
        """Another operation in the middle of this one, if somebody asked for it (set_interleave), and nothing has gone wrong yet."""
        if self.on_interleave is None or self.core.late_error is not None:
            return
        held = self.core.lockdep.swap_held(0)
        try:
            self.run_apart(self.on_interleave, point, pfn)
        finally:
            self.core.lockdep.swap_held(held)

    def set_interleave(self, operation: Callable[[int, int], None] | None) -> None:
        """Calls operation(point, pfn) wherever the kernel would drop its locks or sleep (AT_* in params.py). None: no more."""
        self.on_interleave = operation
        self.core.set_interleaved(operation is not None)

    def race(self, first: Callable[[], object], second: Callable[[], object]) -> None:
        """Two operations that are under way at once: the second begins when the first waits (congestion_wait) for the first time, and
        runs to its end before that goes on; where the first never waits, after it. What is refused is raised when both are done, the
        first one's refusal before the other's."""
        refusals: dict[bool, MachineError] = {}

        def run(operation: Callable[[], object]) -> None:
            try:
                operation()
            except MachineError as refusal:
                refusals[operation is second] = refusal

        def at(point: int, pfn: int) -> None:
            if point == AT_CONGESTION_WAIT:
                self.set_interleave(None)
                run(second)

        self.set_interleave(at)
        try:
            run(first)
            has_begun = self.on_interleave is None
        finally:
            self.set_interleave(None)
        if not has_begun:
            run(second)
        if refusals:
            raise refusals[min(refusals)]

    # Time and the log

    @property
    def clock_ns(self) -> int:
        return int(self.core.clock_ns)

    def advance(self, duration_ns: int) -> None:
        """Lets time pass; what falls due is done. Raises BadValue where the clock does not go so far."""
        with self.running(None):
            self.sleep(duration_ns)
        self.operating_ns[self.core.current_node] -= duration_ns

    def count_cpu(self, task: Task, duration_ns: int) -> None:
        """account_user_time: so much of the operation's time was no wait."""
        task.utime_ns += duration_ns
        task.stall_ns -= duration_ns
        if task.nice > 0:
            self.nice_ns[task.node] += duration_ns
        else:
            self.user_ns[task.node] += duration_ns

    def trace(self, event: int, *numbers: int) -> None:
        """A trace point of the Python side."""
        if self.core.traced:
            self.engine.trace_event(self.core, event, *numbers)

    def printk(self, line: str) -> None:
        """A line of the kernel's log, which says nothing after a panic."""
        if self.panicked:
            return
        micros = self.clock_ns // 1000
        self.log.append(f"[{micros // 1_000_000:5d}.{micros % 1_000_000:06d}] {line}")

    # Inspection

    def page_bytes(self, pfn: int, offset: int, nr_bytes: int) -> bytes:
        """Bytes of a page: zeros where nothing was ever written to it."""
        if self.core.frames.flags[pfn] & PG_CONTENT:
            at = pfn * PAGE_BYTES + offset
            return bytes(self.ram_bytes[at : at + nr_bytes])
        return bytes(nr_bytes)

    def make_content(self, pfn: int) -> None:
        """The page's bytes are its own from now on: zeros where nothing was written."""
        if not self.core.frames.test_and_set(pfn, PG_CONTENT):
            self.ram_bytes[pfn * PAGE_BYTES : (pfn + 1) * PAGE_BYTES] = bytes(PAGE_BYTES)

    def check(self) -> None:
        """Every invariant of the machine. Raises MachineBroken with all that does not hold. Cost: O(frames used + page tables)."""
        findings = check(self)
        if findings:
            raise MachineBroken(findings)

    def meminfo(self) -> dict[str, int]:
        return views.meminfo(self)

    def vmstat(self) -> dict[str, int]:
        return views.vmstat(self)

    def cpus(self) -> list[views.CpuView]:
        return views.cpus(self)

    def zones(self) -> list[views.ZoneView]:
        return views.zones(self)

    def swaps(self) -> list[views.SwapView]:
        return views.swaps(self)

    def slabs(self) -> list[views.SlabView]:
        return views.slabs(self)

    @property
    def nr_frames(self) -> int:
        return int(self.core.frames.nr_frames)

    def kpageflags(self, first: int, count: int) -> array[int]:
        """A word of today's KPF_* bits for each of these frames."""
        return proc_page.kpageflags(self, first, count)

    def kpagecount(self, first: int, count: int) -> array[int]:
        return proc_page.kpagecount(self, first, count)

    def kpagecgroup(self, first: int, count: int, number_of: Callable[[int], int]) -> array[int]:
        """What number_of(cid) says of the container that pays for the frame; 0 where nobody does."""
        return proc_page.kpagecgroup(self, first, count, number_of)

    # Swap areas

    def swapon(self, name: str, nr_pages: int, priority: int | None = None) -> None:
        """A swap area of so many pages, its header with them. Raises SwapAreaBusy, BadSwapArea, TooManySwapAreas, OutOfMemory."""
        self.swapfiles.swapon(name, nr_pages, priority)

    def swapoff(self, name: str, runner: Task | Container | None = None) -> None:
        """Its pages come back, charged to the runner. Raises BadSwapArea, TaskDead, OutOfMemory."""
        self.swapfiles.swapoff(name, runner)

    # Settings (/proc/sys/vm)

    @property
    def sysctl_names(self) -> tuple[str, ...]:
        return tuple(sysctl.RANGES)

    def sysctl(self, name: str) -> int:
        return sysctl.read(self, name)

    def set_sysctl(self, name: str, value: int) -> None:
        """Raises BadSysctl outside the kernel's range."""
        self.refuse_if_panicked()
        sysctl.write(self, name, value)
