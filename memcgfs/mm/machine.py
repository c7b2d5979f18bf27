"""The machine as the rest of the project sees it: tasks, containers, time, log, views. The engine's hot part lies below, in Core.

An operation runs to its end (`running`): what it waits for passes on the simulated clock, who is killed meanwhile exits at its next
sleep or at its end, and the operation of a killed task ends there.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from types import ModuleType

from sortedcontainers import SortedDict

from . import css, fork, inode, proc_page, running, sysctl, views
from .address_space import AddressSpace
from .boot import boot
from .check import check
from .config import CLOCK_MAX_NS, TASK_PAGES, MachineConfig, sizes_of
from .container import Container
from .engine import engine as chosen_engine, named
from .errors import BadValue, ConfigError, MachineBroken, MachinePanicked, TaskWaits, TooManyContainers, TooManyFiles, TooManyMappings
from .errors import TooManyTasks
from .exit import do_exit, release_task, send_sigkill
from .file import File, FsStat
from .ids import Ids
from .kernels import KERNELS
from .memcg_watches import MemcgWatches
from .models.python import Policy
from .oom_wait import OomWaits
from .params import PAGE_BYTES, PG_CONTENT
from .swapon import Swapfiles
from .task import Task
from .tracer import Tracer
from .upcalls import Upcalls

LOG_LINES = 4096  # the kernel's log is a ring as well


class Machine:
    """Raises ConfigError where no such machine can be made, also where the host refuses its arrays."""

    def __init__(self, config: MachineConfig | None = None, engine: ModuleType = chosen_engine, policy: Policy | None = None) -> None:
        self.config = config = config or MachineConfig()
        self.engine = engine
        self.task_pages = TASK_PAGES[config.arch]
        model = named(engine, "Model")[config.model] if policy is None else engine.PythonModel
        rules = named(engine, "Rules")[config.rules]
        sizes = sizes_of(config, model.list_heads(config.max_containers, config.nodes))
        try:
            self.core = engine.Core(sizes, Upcalls(self))
            self.min_free_kbytes = boot(self.core, config)
            bound = model(self.core) if policy is None else model(self.core, policy)
            self.core.bind(bound, rules(KERNELS[rules.name]), engine.Pdflush())
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
        self.root = css.css_alloc(self, 0, None)

    # Containers

    @property
    def knobs(self) -> frozenset[str]:
        """What can be set of a container, beside its limit: what the rules go by, and the model."""
        knobs: frozenset[str] = self.core.rules.knobs | self.core.model.knobs
        return knobs if self.core.charges_kmem else knobs - {"kmem"}

    def create_container(self, parent: Container | None = None) -> Container:
        """In the top one, unless `parent` says in which. Cost: O(1). Raises TooManyContainers; OutOfMemory where the parent cannot pay for
        what the kernel keeps of it."""
        return css.cgroup_mkdir(self, parent or self.root)

    def remove_container(self, container: Container) -> None:
        """Raises ContainerBusy where an address space belongs to it, another container is in it, or, unless charged pages can do without
        it, while any are charged to it."""
        css.cgroup_rmdir(self, container)

    def force_empty(self, container: Container) -> None:
        """Forgets the container's charges: its pages are charged to nobody, whoever uses them. (Of 2.6.25; for v1's see Container.)"""
        css.force_empty(self, container)

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

    def spawn(self, pid: int, container: Container | None = None, *, uid: int = 1000, comm: str = "task") -> Task:
        """A task without memory. Raises TaskExists, TooManyTasks."""
        return fork.spawn(self, pid, container or self.root, uid, comm)

    def fork(self, parent: Task, pid: int) -> Task:
        """See Task.fork."""
        return fork.fork(self, parent, pid)

    def clone_thread(self, leader: Task, pid: int) -> Task:
        """A thread: same address space, same thread group. Raises TaskExists, TooManyTasks."""
        return fork.clone_thread(self, leader, pid)

    def exec(self, task: Task) -> None:
        """See Task.exec."""
        fork.execve(self, task)

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
        do_exit(self, task, why)

    def reap(self, task: Task) -> None:
        """Ends the task if it lives, and forgets it."""
        release_task(self, task)

    def send_sigkill(self, task: Task, why: str) -> None:
        """The task exits at its next chance: at once if somebody else runs and sleeps, or at the end of its operation."""
        send_sigkill(self, task, why)

    # Files

    def create_file(self) -> File:
        """An empty file on the disk; the caller holds the one reference to it. Raises TooManyFiles."""
        return inode.create_file(self)

    def create_shared_memory(self, npages: int, container: Container | None = None) -> File:
        """A file in memory of so many pages, for a shared anonymous mapping, or tmpfs. The container pays for its inode.
        Raises TooManyFiles, OutOfMemory."""
        return inode.shmem_file_setup(self, npages, container.cid if container is not None else 0)

    def evict_file(self, file: File) -> None:
        """Nobody holds the file any more."""
        inode.evict(self, file)

    def sync(self) -> None:
        """sync(2): every dirty page is on the disk on return."""
        inode.sync(self)

    def drop_caches(self, what: int) -> None:
        """Bit 0: clean pages of files that nobody uses leave the cache; bit 1: dentries."""
        inode.drop_caches(self, what)

    def statfs(self) -> FsStat:
        return inode.statfs(self)

    # Running

    def running(
        self, task: Task | None, container: Container | None = None, node: int | None = None
    ) -> AbstractContextManager[None]:
        """One operation on behalf of a task, on its node; of a process of the host that is in this container; or of nobody, on the node
        given, or where the machine is just now.

        At its end whoever was killed is gone, and what was raised in the midst of the engine comes up. Where the machine
        panics, what was under way fails for want of memory, and the operation ends with MachinePanicked.
        """
        return running.running(self, task, container, node)

    def surfacing(self) -> AbstractContextManager[None]:
        """For an operation, or a part of one, that is nobody's and waits for nothing."""
        return running.surfacing(self)

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

    def sleep(self, duration_ns: int) -> None:
        """Raises BadValue, before anything happened, where the clock does not go so far (CLOCK_MAX_NS), or backwards."""
        if not 0 <= duration_ns <= CLOCK_MAX_NS - self.clock_ns:
            raise BadValue(f"the clock stands at {self.clock_ns} ns, and goes from there to {CLOCK_MAX_NS} at most")
        self.engine.sleep_until(self.core, self.core.clock_ns + duration_ns)

    def set_interleave(self, operation: Callable[[int, int], None] | None) -> None:
        """Calls operation(point, pfn) wherever the kernel would drop its locks or sleep (AT_* in params.py). None: no more."""
        self.on_interleave = operation
        self.core.set_interleaved(operation is not None)

    def race(self, first: Callable[[], object], second: Callable[[], object]) -> None:
        """Two operations that are under way at once: the second begins when the first waits (congestion_wait) for the first time, and
        runs to its end before that goes on; where the first never waits, after it. What is refused is raised when both are done, the
        first one's refusal before the other's."""
        running.race(self, first, second)

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
