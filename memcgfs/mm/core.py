"""The machine's state: one object that owns every table, and the little that has no table of its own.

Core is data. What happens to it stands in modules named after the kernel's files, whose functions take it first. Two of its members
are chosen: `model` says how pages age and are reclaimed, `rules` who is charged. `kernel` is the Python side (machine.py), asked for
what is rare: the VMA at an address, a victim for the OOM killer, the exit of who was killed, a line in the log.

Nothing is raised through the engine, which would leave off in the middle: what Python code raises that it calls is kept (keep_error), the
engine goes on as if there were no answer, and the error comes up at the end of the operation (Machine.running).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .arrays import Arrays
from .containers import Containers
from .daemons import Daemons
from .disk import Disks
from .files import Blocks, Files, OpenFiles
from .frames import Frames
from .lockdep import Lockdep
from .memcg_stat import MemcgStats
from .mms import AddressSpaces, Vmas
from .pagetable import PageTables
from .params import DEFAULT_SEEKS, MAX_NR_ZONES, NR_DISKS, NR_ORDERS, NR_VM_EVENTS
from .radix_tree import RadixTrees
from .res_counter import ResCounters
from .shadows import Shadows
from .slabs import KmemCache
from .stock import Stocks
from .swapfile import SwapAreas
from .thrash import SwapToken
from .tlb import Tlb
from .trace_ring import DEFAULT_RECORDS, TraceRing
from .zones import Zones

if TYPE_CHECKING:
    from .config import Sizes
    from .flusher import Flusher
    from .model import Model
    from .rules import Rules


class Core:
    """Fields without a table are here because several modules write them: the clock, the running mm, which daemon runs."""

    def __init__(self, sizes: Sizes, kernel: object) -> None:
        self.kernel = kernel
        self.arrays = arrays = Arrays()
        self.nr_free_heads = sizes.nr_nodes * MAX_NR_ZONES * (NR_ORDERS + 2 * sizes.nr_nodes)
        self.frames = Frames(arrays, sizes.nr_frames, max(self.nr_free_heads + sizes.nr_lru_heads, sizes.nr_meta_heads))
        self.lru = self.frames.lru
        self.meta = self.frames.meta
        self.zones = Zones(arrays, sizes.nr_nodes, self.lru.first_head)
        self.counters, self.memsw, self.kmem = (
            ResCounters(arrays, sizes.nr_containers, sizes.largest_count, sizes.charge_unit, sizes.limit_wraps, sizes.unlimited_count)
            for _ in range(3)
        )
        self.memsw.ignore_failures()
        self.containers = Containers(arrays, sizes.nr_containers)
        self.stats = MemcgStats(arrays, sizes.nr_containers)
        self.stocks = Stocks(arrays, sizes.nr_nodes)
        self.mms = AddressSpaces(arrays, sizes.nr_mms)
        self.vmas = Vmas(arrays, sizes.nr_vmas, sizes.nr_files)
        self.tables = PageTables(arrays, sizes.nr_frames, sizes.nr_mms, sizes.nr_segments)
        self.swap = SwapAreas(arrays, sizes.nr_slots)
        self.token = SwapToken(arrays, sizes.nr_mms)
        self.disks = Disks(arrays, NR_DISKS, sizes.disk_latency_ns, sizes.disk_transfer_ns, sizes.disk_depth)
        self.daemons = Daemons(arrays)
        self.files = Files(arrays, sizes.nr_files, sizes.readahead_pages)
        self.open_files = OpenFiles(arrays, sizes.nr_open_files, sizes.pagevec_size)
        self.trees = RadixTrees(arrays, 3 * sizes.nr_files, sizes.nr_tree_nodes)
        self.shadows = Shadows(arrays, sizes.nr_shadows)
        self.tlb = Tlb(arrays, sizes.nr_tlb_anon, sizes.nr_tlb_file)
        self.blocks = Blocks(arrays, sizes.nr_blocks)
        self.dentry_cache = KmemCache(sizes.dentry_bytes, sizes.dentries_per_slab, DEFAULT_SEEKS)
        self.lockdep = Lockdep()
        self.trace = TraceRing(arrays, DEFAULT_RECORDS)
        self.events = arrays.of("q", NR_VM_EVENTS)
        self.nr_nodes = sizes.nr_nodes
        self.user_zone = sizes.user_zone
        self.kernel_zone = sizes.kernel_zone

        self.swap_cluster_max = sizes.swap_cluster_max
        self.def_priority = sizes.def_priority
        self.pagevec_size = sizes.pagevec_size
        self.folio_batch_size = sizes.folio_batch_size
        self.reclaim_retries = sizes.reclaim_retries
        self.wait_ns = sizes.wait_ns
        self.jiffy_ns = sizes.jiffy_ns
        self.fault_ns = sizes.fault_ns
        self.task_pages = sizes.task_pages
        self.charge_batch = sizes.charge_batch
        self.charges_kmem = sizes.charges_kmem
        self.vm_total_pages = 0
        self.swappiness = 60
        self.page_cluster = sizes.page_cluster
        self.laptop_mode = 0
        self.dirty_ratio = 10
        self.dirty_background_ratio = 5
        self.dirty_writeback_ns = 5_000_000_000
        self.dirty_expire_ns = 30_000_000_000
        self.ratelimit_pages = 16
        self.vfs_cache_pressure = 100

        self.traced = 0
        self.clock_ns = 0
        self.current_mm = 0
        self.current_pid = 0
        self.current_node = 0
        self.current_is_killed = False
        self.current_is_memalloc = False
        self.current_is_kswapd = False
        self.current_is_pdflush = False
        self.current_priority = -1
        self.current_memcg = 0
        self.current_in_user_fault = False
        self.memcg_in_oom = -1
        self.over_memsw = False
        self.spares_swap = False
        self.kswapd_max_order = arrays.of("i", sizes.nr_nodes)
        self.scan_depth = 0
        self.reclaimed_slab = 0
        self.fault = 0
        self.fault_page = 0
        self.nr_dirtied = 0
        self.dirty_exceeded = False
        self.is_writing_file = False
        self.has_killed = False
        self.is_interleaved = False
        self.late_error: BaseException | None = None

    def bind(self, model: Model, rules: Rules, flusher: Flusher) -> None:
        self.model = model
        self.rules = rules
        self.flusher = flusher

    def keep_error(self, error: BaseException) -> None:
        """For the end of the operation. The first one counts."""
        if self.late_error is None:
            self.late_error = error

    def take_error(self) -> BaseException | None:
        error, self.late_error = self.late_error, None
        return error

    def set_total_pages(self, nr_pages: int) -> None:
        """page_writeback_init: dirtied pages are counted in portions of a 32nd of memory, from 16 pages to 4 MB."""
        self.vm_total_pages = nr_pages
        self.ratelimit_pages = min(max(nr_pages // 32, 16), 1024)

    def set_current(self, mm: int, pid: int, node: int) -> None:
        """The address space on whose behalf the next operation runs (current->mm), the task whose it is, or 0, and the node it runs on."""
        self.current_mm = mm
        self.current_pid = pid
        self.current_node = node
        self.current_is_killed = False
        self.current_is_memalloc = False
        self.current_priority = -1
        self.current_in_user_fault = False
        self.memcg_in_oom = -1

    def set_current_memcg(self, container: int) -> None:
        """Who pays for what the kernel allocates for the running task: the container that this is in, thread or not."""
        self.current_memcg = container

    def set_in_user_fault(self, on: bool) -> None:
        """What follows are the running task's own accesses, which may wait for memory; not those that a system call makes for it."""
        self.current_in_user_fault = on

    def set_memcg_in_oom(self, container: int) -> None:
        """The running task's fault met a limit whose OOM killer is disabled; -1: it has been dealt with."""
        self.memcg_in_oom = container

    def set_priority(self, priority: int) -> None:
        """How hard the reclaim tries that the running task is in the midst of; -1 where it is in none. For the trace."""
        self.current_priority = priority

    def set_memalloc(self, on: bool) -> None:
        """PF_MEMALLOC: the running task is in direct reclaim."""
        self.current_is_memalloc = on

    def kill_current(self) -> None:
        """SIGKILL is pending for the running task: no further access of its batch happens."""
        self.current_is_killed = True

    def set_traced(self, events: int) -> None:
        """A bit for each event that is to be recorded; 0 costs a trace point one test."""
        self.traced = events

    def set_writing_file(self, on: bool) -> None:
        self.is_writing_file = on

    def set_interleaved(self, on: bool) -> None:
        self.is_interleaved = on

    def set_has_killed(self, on: bool) -> None:
        self.has_killed = on

    def count(self, event: int) -> None:
        self.events[event] += 1

    def count_many(self, event: int, amount: int) -> None:
        self.events[event] += amount


def is_daemon(core: Core) -> bool:
    """Is it a daemon that runs? It may write to a congested disk (PF_SWAPWRITE), and nobody exits while it naps."""
    return core.current_is_kswapd or core.current_is_pdflush


def interleave(core: Core, point: int, pfn: int) -> None:
    """A place where the kernel drops its locks: whoever set the flag may run another operation here."""
    if core.is_interleaved:
        call_interleave(core, point, pfn)


def call_interleave(core: Core, point: int, pfn: int) -> None:
    try:
        core.kernel.interleave(point, pfn)  # type: ignore[attr-defined]
    except BaseException as error:
        core.keep_error(error)


def find_vma(core: Core, mm: int, vpn: int) -> int:
    """The VMA of this page, or 0; only when the hint at the page table missed."""
    try:
        return core.kernel.find_vma(mm, vpn)  # type: ignore[attr-defined, no-any-return]
    except BaseException as error:
        core.keep_error(error)
        return 0


def anon_vma_prepare(core: Core, vma: int) -> bool:
    """Gives the VMA an anon_vma at its first anonymous page. Has it one now?"""
    try:
        core.kernel.anon_vma_prepare(vma)  # type: ignore[attr-defined]
    except BaseException as error:
        core.keep_error(error)
    return core.vmas.anon_vma[vma] != 0


def warn(core: Core, number: int) -> None:
    """A line of the kernel log, by its number (machine.py holds the words)."""
    try:
        core.kernel.warn(number)  # type: ignore[attr-defined]
    except BaseException as error:
        core.keep_error(error)


def mem_container_out_of_memory(core: Core, container: int) -> None:
    """Patch 7/9: the OOM killer for one container."""
    try:
        core.kernel.mem_container_out_of_memory(container)  # type: ignore[attr-defined]
    except BaseException as error:
        core.keep_error(error)


def mem_cgroup_oom(core: Core, container: int) -> bool:
    """mm/memcontrol.c since 4.19: the same, of the container whose limit was met. Is it worth trying the charge again?"""
    try:
        return core.kernel.mem_cgroup_oom(container)  # type: ignore[attr-defined, no-any-return]
    except BaseException as error:
        core.keep_error(error)
        return False


def mem_cgroup_threshold(core: Core, container: int) -> None:
    """It is time to look at the thresholds of the container and of those above it; there are some somewhere."""
    try:
        core.kernel.mem_cgroup_threshold(container)  # type: ignore[attr-defined]
    except BaseException as error:
        core.keep_error(error)


def memcg_oom_wake(core: Core, container: int) -> None:
    """Whoever waits for memory there may find some."""
    try:
        core.kernel.memcg_oom_wake(container)  # type: ignore[attr-defined]
    except BaseException as error:
        core.keep_error(error)


def vmpressure_event(core: Core, container: int, level: int) -> None:
    """Reclaim found it so hard to free the container's memory; somebody, somewhere, wants to be told."""
    try:
        core.kernel.vmpressure_event(container, level)  # type: ignore[attr-defined]
    except BaseException as error:
        core.keep_error(error)


def out_of_memory(core: Core, gfp: int, order: int) -> bool:
    """mm/oom_kill.c: the OOM killer for the machine. False where nobody could be killed: the request fails."""
    try:
        return core.kernel.out_of_memory(gfp, order)  # type: ignore[attr-defined, no-any-return]
    except BaseException as error:
        core.keep_error(error)
        return False


def reap_killed(core: Core) -> None:
    """The running task sleeps, so that those that were killed get to run, and exit."""
    try:
        core.kernel.reap_killed()  # type: ignore[attr-defined]
    except BaseException as error:
        core.keep_error(error)
