"""A simulated task: what a process is to memory management, and the system calls it can make.

States: "R", or "D" while it waits for memory (oom_wait.py), until it exits or is killed, then "Z" (a zombie: no memory, in no container)
until Machine.reap. Every system call of a zombie raises TaskDead, of one that waits TaskWaits. A fault that finds no memory kills the task
(2.6.23: VM_FAULT_OOM) and raises OutOfMemory; `died` says why.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from . import kernel_objects, oom_v1, task_mmu
from .access import Access, accessing, as_buffer, perform, reading_mem, touching, writing_mem
from .address_space import AddressSpace
from .errors import BadValue, BusError, FileTooBig, NoSpace, OutOfMemory, TaskDead
from .file import OpenFile, advise, error_of
from .files import MAX_FILE_PAGES
from .oom_wait import WCHAN
from .oom import OOM_ADJUST_RANGE, OOM_DISABLE, badness
from .params import GFP_KERNEL, NR_ORDERS, PAGE_BYTES, PG_BLOCK, VM_RAND_READ, VM_SEQ_READ, VM_SHARED, VM_WRITE

if TYPE_CHECKING:
    from .container import Container
    from .file import File
    from .machine import Machine

MAX_LOOKUPS = 1 << 20  # in one system call of ours, which runs to its end
LATE_ADVICE = ("free", "cold", "pageout", "populate_read", "populate_write", "remove")
READ_HINTS = {"normal": 0, "sequential": VM_SEQ_READ, "random": VM_RAND_READ}


class Task:
    """Made by Machine.spawn and fork. `space` is None once it has exited; threads share one."""

    def __init__(self, machine: Machine, pid: int, tgid: int, container: Container, space: AddressSpace, uid: int, comm: str) -> None:
        self.machine = machine
        self.pid = pid
        self.tgid = tgid
        self.container = container
        self.space: AddressSpace | None = space
        self.uid = uid
        self.comm = comm
        self.parent: Task | None = None
        self.children: list[Task] = []
        self.nice = 0
        self.oom_adj = 0
        self.oom_score_adj = 0
        self.is_memdie = False  # TIF_MEMDIE
        self.memcg_in_oom = -1  # the container whose OOM killer is disabled, until it sleeps there
        self.is_swapping_off = False  # PF_SWAPOFF
        self.node = 0
        self.blocks: list[tuple[int, int]] = []
        self.objects: list[tuple[str, int]] = []
        self.died = ""
        self.touched = ""
        self.start_ns = machine.clock_ns
        self.utime_ns = 0
        self.stall_ns = 0
        self.min_flt = 0
        self.maj_flt = 0
        self.opened: dict[int, OpenFile] = {}

    # What it is

    @property
    def state(self) -> str:
        return "Z" if self.space is None else "D" if self in self.machine.waits else "R"

    @property
    def wchan(self) -> str:
        """Where in the kernel it sleeps, as in /proc/PID/wchan."""
        return WCHAN if self in self.machine.waits else "0"

    @property
    def ppid(self) -> int:
        return self.parent.pid if self.parent is not None else 1

    @property
    def nr_threads(self) -> int:
        """Tasks that share its memory, itself one of them; 1 of a zombie."""
        return self.space.users if self.space is not None else 1

    @property
    def total_vm(self) -> int:
        return self.space.total_vm if self.space is not None else 0

    @property
    def charged_to(self) -> int:
        """The number of the container that its new pages are charged to, or -1."""
        return self.space.container if self.space is not None else -1

    def counts(self) -> tuple[int, int, int, int]:
        """(anonymous rss, file rss, swap entries, page-table pages)."""
        if self.space is None:
            return (0, 0, 0, 0)
        found: tuple[int, int, int, int] = self.machine.core.mms.counts(self.space.mm)
        return found

    @property
    def rss_pages(self) -> int:
        return self.counts()[0] + self.counts()[1]

    @property
    def swap_pages(self) -> int:
        return self.counts()[2]

    @property
    def file_rss_pages(self) -> int:
        return self.counts()[1]

    @property
    def data_pages(self) -> int:
        """data_vm: what it may write and nobody shares."""
        return sum(vma.end - vma.start for vma in self.vmas() if vma.is_writable and not vma.is_shared)

    @property
    def page_table_pages(self) -> int:
        return self.counts()[3]

    @property
    def locked_pages(self) -> int:
        return sum(vma.end - vma.start for vma in self.vmas() if vma.is_locked)

    @property
    def block_pages(self) -> int:
        return sum(1 << order for _, order in self.blocks)

    @property
    def oom_score(self) -> int:
        if self.machine.core.rules.charges_once:
            return oom_v1.oom_score(self)
        return badness(self, self.machine.clock_ns, None)

    def vmas(self) -> Iterator[task_mmu.VmaView]:
        """Its mappings; none of a zombie."""
        return task_mmu.vma_views(self.space) if self.space is not None else iter(())

    def pagemap(self, first: int, count: int) -> array[int]:
        """The words of /proc/PID/pagemap (see task_mmu.py), all 0 of a zombie."""
        return task_mmu.pagemap(self.space, first, count) if self.space is not None else array("Q", bytes(count * 8))

    # Accesses

    def alive(self) -> AddressSpace:
        self.machine.refuse_if_panicked()
        if self.space is None:
            raise TaskDead(f"task {self.pid} is dead: {self.died}")
        return self.space

    def access(self, pages: Sequence[int], writes: Sequence[int]) -> Access:
        """Accesses the pages in order, writing where `writes` is not 0. What is not mapped is mapped, in blocks of 512 pages.

        Takes buffers of uint64 and uint8 as they are, and other sequences by copying. Raises OutOfMemory, BadRange, TaskDead,
        WaitsForMemory.
        """
        return perform(self, accessing(self, as_buffer("Q", pages), as_buffer("B", writes)))

    def touch(self, start: int, npages: int, write: bool = True, is_fault: bool = True) -> Access:
        """Maps what is not mapped of the range, anonymously, and accesses each page in order. `touched` keeps how far it came."""
        return perform(self, touching(self, start, npages, write, is_fault))

    def read_mem(self, offset: int, size: int) -> bytes:
        """Bytes of its memory, the pages touched on the way: as far as it is mapped. Raises NotMapped where nothing is at `offset`,
        WaitsForMemory."""
        return perform(self, reading_mem(self, offset, size))

    def write_mem(self, offset: int, text: bytes) -> int:
        """Writes bytes to its memory, mapping what is not mapped. Gives their number. Raises OutOfMemory, BadRange, WaitsForMemory."""
        return perform(self, writing_mem(self, offset, text))

    # System calls

    def mmap(
        self,
        start: int,
        npages: int,
        *,
        file: File | OpenFile | None = None,
        shared: bool = False,
        locked: bool = False,
        populate: bool = False,
        writable: bool = True,
        offset: int = 0,
    ) -> None:
        """A mapping of [start, start + npages): anonymous, or of a file from its page `offset` on; pages beyond its end can be mapped, but
        not accessed. What is open already is mapped as it is, else the file is opened for it. Shared anonymous memory is a file of the
        machine's own. `populate` faults its pages in, as far as there is memory.
        Raises MappingExists, BadRange; OutOfMemory where locked.
        """
        space = self.alive()
        flags = (VM_WRITE if writable else 0) | (VM_SHARED if shared else 0)
        if file is not None:
            self.map_file(start, npages, file, flags, offset)
        elif shared:
            space.check_free(start, npages)
            memory = self.machine.create_shared_memory(npages, self.container)
            try:
                self.map_file(start, npages, memory, flags)
            finally:
                memory.put()
        else:
            space.map(start, npages, flags)
        if locked:
            self.mlock(start, npages)
        elif populate:
            with suppress(OutOfMemory, BusError):
                self.populate(start, npages)

    def map_file(self, start: int, npages: int, file: File | OpenFile, flags: int, offset: int = 0) -> None:
        space = self.alive()
        space.check_free(start, npages)
        if isinstance(file, OpenFile):
            space.map_file(start, npages, flags, file, offset)
            return
        opened = OpenFile(file, self.container)
        try:
            space.map_file(start, npages, flags, opened, offset)
        finally:
            opened.close()

    def open_of(self, file: File) -> OpenFile:
        """The task's own open file, as from an open() before its first read or write. It does not keep a file from being freed."""
        opened = self.opened.get(file.number)
        if opened is None:
            opened = self.opened[file.number] = OpenFile(file, self.container, holds=False)
        return opened

    def forget_file(self, file: File) -> None:
        opened = self.opened.pop(file.number, None)
        if opened is not None:
            opened.close()

    def read_file(self, file: File, page: int, npages: int) -> int:
        """Reads whole pages, as far as the file goes; gives how many. Raises OutOfMemory where not even one could be read."""
        self.alive()
        if page < 0 or npages < 0:
            raise BadValue(f"pages {page}+{npages} of a file")
        npages = max(min(npages, -(-file.size // PAGE_BYTES) - page), 0)
        return self.run_file_io(self.open_of(file), "file_read_pages", page, npages)

    def write_file(self, file: File, page: int, npages: int) -> int:
        """Writes whole pages, their bytes as they were; the file grows. Gives how many. Raises NoSpace, FileTooBig, OutOfMemory."""
        self.alive()
        if page < 0 or npages < 0:
            raise BadValue(f"pages {page}+{npages} of a file")
        if page + npages > MAX_FILE_PAGES:
            raise FileTooBig(f"a file has at most {MAX_FILE_PAGES} pages")
        return self.run_file_io(self.open_of(file), "file_write_pages", page, npages)

    def run_file_io(self, opened: OpenFile, operation: str, page: int, npages: int) -> int:
        """A short count is no error, as in read(2) and write(2); none at all is."""
        machine, file = self.machine, opened.file
        with file.held(), machine.running(self):
            done: int = getattr(machine.engine, operation)(machine.core, opened.handle, page, npages)
            if done < npages and operation == "file_write_pages":
                file.trim()
        if self.space is None:
            raise OutOfMemory(f"task {self.pid} was killed: {self.died}", max(done, 0))
        if done < 0:
            raise error_of(done)
        return done

    def fadvise_file(self, file: File, advice: str, page: int, npages: int) -> None:
        """posix_fadvise for pages of the file, 0 of them: to its end. Raises BadValue."""
        self.alive()
        with file.held(), self.machine.running(self):
            advise(self.open_of(file), advice, page * PAGE_BYTES, npages * PAGE_BYTES)

    def fsync_file(self, file: File) -> None:
        """Raises NoSpace as OpenFile.fsync does."""
        self.alive()
        machine = self.machine
        with file.held(), machine.running(self):
            machine.engine.sync_file(machine.core, file.number)
        if machine.core.files.forget_error(file.number):
            raise NoSpace("pages that were written through a mapping found no room on the disk, and are lost")

    def munmap(self, start: int, npages: int) -> None:
        with self.machine.running(self):
            self.alive().unmap(start, npages)

    def madvise(self, start: int, npages: int, advice: str) -> None:
        """dontneed, willneed, or how a file's pages will be read: normal, sequential, random; where the rules know them, LATE_ADVICE, too.

        Raises BadValue, BadRange, MapsNoFile; OutOfMemory where there is none to populate with.
        """
        if advice in LATE_ADVICE:
            self.advise_late(start, npages, advice)
            return
        with self.machine.running(self):
            if advice == "dontneed":
                self.alive().discard(start, npages)
            elif advice == "willneed":
                self.alive().read_in(start, npages)
            elif advice in READ_HINTS:
                self.alive().set_read_hint(start, npages, READ_HINTS[advice])
            else:
                raise BadValue(f"advice {advice}")

    def advise_late(self, start: int, npages: int, advice: str) -> None:
        if not self.machine.core.rules.has_late_advice:
            raise BadValue(f"advice {advice} came later")
        space = self.alive()
        if advice.startswith("populate"):
            space.check_mapped(start, npages)
            self.touch(start, npages, advice == "populate_write", is_fault=False)
            return
        with self.machine.running(self):
            if advice == "free":
                space.lazy_free(start, npages)
            elif advice == "remove":
                space.punch_holes(start, npages)
            else:
                space.cool(start, npages, advice == "pageout")

    def mincore(self, start: int, npages: int) -> bytes:
        """mm/mincore.c: a byte for each page, 1 where it is in memory, whether it is mapped here or waits in the page or swap cache. Asking
        is no access, but the answer takes a page while it is made up. Raises OutOfMemory where there is none, and NotMapped, as the
        kernel's ENOMEM, where the range is not mapped throughout."""
        space = self.alive()
        space.check_range(start, npages)
        with self.machine.running(self):
            answer = self.machine.engine.alloc_pages(self.machine.core, GFP_KERNEL, 0)
            if answer:
                self.machine.engine.free_pages(self.machine.core, answer, 0)
        if not answer or self.space is None:
            raise OutOfMemory(f"no page frame for the answer to task {self.pid}")
        return bytes(space.is_in_core(page) for page in range(start, start + npages))

    def mlock(self, start: int, npages: int) -> None:
        """Faults the pages in and keeps reclaim away from them. Where there is no memory for all of them the call fails, but nobody dies
        of the fault (mm/memory.c: make_pages_present). Raises OutOfMemory."""
        with self.machine.running(self):
            self.alive().set_locked(start, npages, True)
        self.populate(start, npages)

    def munlock(self, start: int, npages: int) -> None:
        with self.machine.running(self):
            self.alive().set_locked(start, npages, False)

    def populate(self, start: int, npages: int) -> None:
        """mm_populate: each page of what is mapped there is faulted in, written where that makes it the task's own."""
        for first, end, write in list(self.alive().populated_by_writing(start, npages)):
            self.touch(first, end - first, write, is_fault=False)

    def fork(self, pid: int) -> Task:
        """A child in the parent's container, sharing its pages until one of them writes. Raises TaskExists, TooManyTasks, OutOfMemory."""
        return self.machine.fork(self, pid)

    def exec(self) -> None:
        """A new, empty address space, charged to the container that the task is in now."""
        self.machine.exec(self)

    def swapoff(self, name: str) -> None:
        """Brings a swap area's pages back, at its own expense. Raises BadSwapArea, OutOfMemory."""
        self.machine.swapoff(name, self)

    def exit(self, code: int = 0) -> None:
        self.alive()
        self.machine.exit(self, f"exited with code {code}" if code else "exited")

    def lookup(self, count: int) -> int:
        """Looks up so many names that do not exist, each a negative dentry more, which nobody is charged for. Gives their number.

        Raises BadValue beyond MAX_LOOKUPS; OutOfMemory, which carries the number of those that were looked up.
        """
        self.alive()
        if count > MAX_LOOKUPS:
            raise BadValue(f"{count} names: at most {MAX_LOOKUPS} at a time")
        with self.machine.running(self):
            done: int = self.machine.engine.lookup_missing(self.machine.core, count)
        if self.space is None or self.died:
            raise OutOfMemory(f"task {self.pid} was killed: {self.died}", done)
        if done < count:
            raise OutOfMemory(f"no page frame for the names that task {self.pid} looks up", done)
        return done

    def setuid(self, uid: int) -> None:
        self.alive()
        if not 0 <= uid < 2**32 - 1:
            raise BadValue(f"{uid} is no user id")
        self.uid = uid

    def set_nice(self, nice: int) -> None:
        """Clamped to -20..19, as nice(2) does."""
        self.alive()
        self.nice = min(max(nice, -20), 19)

    def set_oom_adj(self, value: int) -> None:
        self.alive()
        if value not in OOM_ADJUST_RANGE and value != OOM_DISABLE:
            raise BadValue(f"oom_adj {value}: -16 to 15, or -17 for never")
        self.oom_adj = value
        self.oom_score_adj = oom_v1.score_adj_of(value)

    def set_oom_score_adj(self, value: int) -> None:
        """What counts since 2.6.36; oom_adj is another name for it."""
        self.alive()
        if not oom_v1.OOM_SCORE_ADJ_MIN <= value <= oom_v1.OOM_SCORE_ADJ_MAX:
            raise BadValue(f"oom_score_adj {value}: from {oom_v1.OOM_SCORE_ADJ_MIN} to {oom_v1.OOM_SCORE_ADJ_MAX}")
        self.oom_score_adj = value
        self.oom_adj = oom_v1.adj_of(value)

    def set_node(self, node: int) -> None:
        """Runs on that node's cpu from now on, and allocates from there first."""
        self.alive()
        if not 0 <= node < self.machine.config.nodes:
            raise BadValue(f"node {node}: there are {self.machine.config.nodes}")
        self.machine.nr_running[self.node] -= 1
        self.machine.nr_running[node] += 1
        self.node = node

    def alloc_block(self, order: int, gfp: int = GFP_KERNEL) -> None:
        """2^order pages of kernel memory, held until free_block or the end. Raises OutOfMemory; the task does not die of that."""
        self.alive()
        if not 0 <= order < NR_ORDERS:
            raise BadValue(f"order {order}: from 0 to {NR_ORDERS - 1}")
        with self.machine.running(self):
            has_block = self.hold_block(gfp, order)
        if not has_block or self.space is None:
            raise OutOfMemory(f"no block of 2^{order} pages for task {self.pid}")

    def hold_block(self, gfp: int, order: int) -> bool:
        """Charged to nobody. False where there is none."""
        machine = self.machine
        pfn = machine.engine.alloc_pages(machine.core, gfp, order)
        if pfn == 0:
            machine.printk(f"{self.comm}: page allocation failure. order:{order}, mode:0x{gfp:x}")
            return False
        for page in range(pfn, pfn + (1 << order)):
            machine.core.frames.set(page, PG_BLOCK)
        self.blocks.append((pfn, order))
        return True

    def free_block(self, order: int) -> None:
        """Gives the youngest block of this order back. Raises BadValue where it holds none."""
        self.alive()
        found = next((block for block in reversed(self.blocks) if block[1] == order), None)
        if found is None:
            raise BadValue(f"task {self.pid} holds no block of order {order}")
        self.blocks.remove(found)
        with self.machine.running(self):
            self.machine.engine.free_pages(self.machine.core, *found)

    def take_objects(self, what: str, count: int) -> None:
        """Has the kernel allocate so many files, pipes or sockets (kernel_objects.OBJECTS) for it. Raises BadValue, OutOfMemory."""
        self.alive()
        kernel_objects.take(self, what, count)

    def give_objects(self, what: str, count: int) -> None:
        """Raises BadValue."""
        self.alive()
        kernel_objects.give(self, what, count)

    def run(self, duration_ns: int) -> None:
        """Computes for so long. Raises BadValue where the clock does not go so far."""
        self.alive()
        with self.machine.running(self):
            self.machine.sleep(duration_ns)
            self.machine.count_cpu(self, duration_ns)
