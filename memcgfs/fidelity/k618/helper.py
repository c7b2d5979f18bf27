"""The recordings' helper, a process that touches memory on command, as a simulated task.

One command, one answer, as the helper had them on its pipes: `ok`, `ok WORDS`, or `err ERRNO`. Regions have names, files numbers. Nothing
is known here of cases, containers and limits.

What the helper was beside its regions counts, too: the first region that it notes down touches two pages of its own, which each command
that follows reads; and after a fork parent and child write to what they shared, their stacks and libraries. Each of these numbers is what
the recordings show.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from ... import mm
from ...handles import TaskHandle
from ...mm.errors import WaitsForMemory
from ...mm.file import OpenFile
from ...tree import Tree

PAGE_BYTES: Final = 4096
SECTOR_BYTES: Final = 512
HUGE_PAGES: Final = 512
FIRST_PAGE: Final = 1 << 20
OWN_PAGES: Final = 64  # of the helper's stack, data and libraries, touched before it is put into a group
NOTE_PAGES: Final = 2  # where it notes regions down: fresh pages at its first one
HEAP_PAGES: Final = 307  # its own, too, but never touched: buffers and stack that only mlockall() brings in
PARENT_COPIES: Final = 12  # of its own pages that it writes to after a fork, and so has copied
CHILD_COPIES: Final = 4  # that the child writes to with its first command
IDLE_COPIES: Final = 7  # that a child writes to which only waits
FORKING_COPIES: Final = 1  # that the parent writes to between two forks in a row
THREAD_PAGES: Final = 3  # a thread's stack and local storage, and what its maker notes down
FORK_NAMES: Final = {"w": True, "r": False}

IN_MEMORY: Final = ("/dev/shm/",)
NO_READ_AHEAD: Final = ("orc_mnt/",)  # the recorder's own loop device, with read_ahead_kb 0
OPEN_FILES: Final = 6  # its pipes, and what it has open besides
DESCRIPTORS: Final = 64  # places of a table of files that are charged together
FIRST_TABLE: Final = 256  # places of the table that it came with

ADVICE: Final = {
    "normal": "normal", "random": "random", "seq": "sequential", "willneed": "willneed", "dontneed": "dontneed", "free": "free",
    "remove": "remove", "cold": "cold", "pageout": "pageout", "popr": "populate_read", "popw": "populate_write",
}  # fmt: skip
FILE_ADVICE: Final = {"dontneed": "dontneed", "random": "random", "willneed": "willneed", "seq": "sequential", "normal": "normal"}


class NotUnderstood(Exception):
    """The helper had no such command, or none that memory could show here."""


class Failed(Exception):
    """A command's answer where it did not come to its end."""


class Died(Exception):
    """The helper was killed in the midst of a command."""


class Blocked(Exception):
    """The helper waits for memory, and will answer when it has some."""


@dataclass
class Region:
    """Pages from `start` on, each `stride` behind the one before; no mapping at all where it is only read from a file (start < 0)."""

    start: int
    npages: int
    stride: int

    def page(self, number: int) -> int:
        return self.start + number * self.stride


@dataclass
class Disk:
    """Files by their names. What a name is of, its beginning says."""

    tree: Tree
    names: dict[str, mm.File] = field(default_factory=dict)

    def create(self, name: str) -> mm.File:
        machine = self.tree.machine
        if name.startswith(IN_MEMORY):
            file = machine.create_shared_memory(0)
        else:
            file = machine.create_file()
            if name.startswith(NO_READ_AHEAD):
                machine.core.files.set_ra_pages(file.number, 0)
        self.names[name] = file
        return file

    def make(self, name: str, npages: int) -> None:
        """A file that has been there for long: it is on the disk, and in no cache."""
        file = self.create(name)
        opened = file.open()
        for page in range(npages):
            opened.write(page * PAGE_BYTES, b"\1" * PAGE_BYTES)
        opened.fsync()
        opened.fadvise("dontneed", 0, 0)
        opened.close()

    def unlink(self, name: str) -> None:
        self.names.pop(name).put()


class Helper:
    """`pids`: gives a fresh pid each time. The task is the tree's, so that files of the tree can name it."""

    def __init__(self, tree: Tree, disk: Disk, pids: Callable[[], int]) -> None:
        self.tree, self.disk, self.pids = tree, disk, pids
        self.handle = tree.spawn(pids())
        self.regions: dict[str, Region] = {}
        self.opened: dict[int, OpenFile] = {}
        self.kept: list[OpenFile] = []
        self.children: list[TaskHandle] = []
        self.idle: list[TaskHandle] = []
        self.child_copies = 0
        self.thread: TaskHandle | None = None
        self.next_page = FIRST_PAGE
        self.heap = self.next_page - HUGE_PAGES
        self.task.mmap(self.heap, HEAP_PAGES)
        self.own = self.take(OWN_PAGES + NOTE_PAGES + THREAD_PAGES)
        self.task.mmap(self.own, OWN_PAGES + NOTE_PAGES + THREAD_PAGES)
        self.task.touch(self.own, OWN_PAGES)
        self.has_noted = False
        self.may_be_huge = False
        self.direct: set[int] = set()
        self.program = disk.names.get("memhelper") or disk.create("memhelper")
        if not self.program.size:
            self.disk.unlink("memhelper")
            self.disk.make("memhelper", 1)
            self.program = disk.names["memhelper"]
            opened = self.program.open()
            opened.read(0, PAGE_BYTES)
            opened.close()
        self.text = self.take(1)
        self.task.mmap(self.text, 1, file=self.program, writable=False)

    @property
    def task(self) -> mm.Task:
        return self.handle.task

    @property
    def pid(self) -> int:
        return self.handle.pid

    def take(self, npages: int) -> int:
        """Where the kernel would put a mapping of this size: what a huge page could map begins where one can."""
        if npages >= HUGE_PAGES:
            self.next_page = -(-self.next_page // HUGE_PAGES) * HUGE_PAGES
        start, self.next_page = self.next_page, self.next_page + npages + 1
        return start

    def do(self, command: str) -> str:
        """Its answer. Raises Died, Blocked, NotUnderstood."""
        verb, *words = command.split()
        method = getattr(self, f"do_{verb}", None)
        if method is None:
            raise NotUnderstood(command)
        with self.tree.request(f"helper: {command}"):
            try:
                if self.has_noted and self.task.space is not None:
                    self.task.touch(self.own + OWN_PAGES, NOTE_PAGES, write=False)
                result = method(*words)
            except Failed as answer:
                return str(answer)
            except WaitsForMemory as wait:
                raise Blocked(command) from wait
            except mm.TaskDead as end:
                raise Died(command) from end
            except mm.MachineError as refusal:
                if self.task.space is None:
                    raise Died(command) from refusal
                return f"err {errno_of(refusal)}"
            return f"ok {result}" if result else "ok"

    def touched(self) -> int:
        """Pages done of the touch that is under way, or was last: `K of N`."""
        return int(self.task.touched.partition(" ")[0] or 0)

    # Its memory

    def note(self) -> None:
        if not self.has_noted:
            self.has_noted = True
            self.task.touch(self.own + OWN_PAGES, NOTE_PAGES)
            self.task.touch(self.text, 1, write=False)

    def do_map(self, name: str, kind: str, pages: str, file_name: str = "", how: str = "") -> None:
        npages, is_apart = int(pages), "sep" in kind
        file = None if kind in ("anon", "shanon") else self.keep_open(file_name)
        self.note()
        is_shared = kind == "shanon" or (file is not None and not kind.startswith("fpriv"))
        region = Region(self.take(npages * (1 + is_apart)), npages, 1 + is_apart)
        writable = "ro" not in kind
        if is_apart:
            for page in range(npages):
                self.task.mmap(region.page(page), 1, file=file, shared=is_shared, writable=writable, offset=page)
                self.task.mmap(region.page(page) + 1, 1, writable=False)  # left of what it reserved at first
            if "norm" not in kind:
                self.task.madvise(region.start, 2 * npages, "random")
        else:
            self.task.mmap(region.start, npages, file=file, shared=is_shared, writable=writable, populate=how == "populate",
                           locked=how == "locked")  # fmt: skip
        self.regions[name] = region

    def keep_open(self, file_name: str) -> OpenFile:
        """What it maps it opens, and never closes."""
        if file_name not in self.disk.names:
            raise Failed(f"err {errno.ENOENT}")
        self.kept.append(self.disk.names[file_name].open(self.task.container))
        return self.kept[-1]

    def do_fmap(self, name: str, file_name: str) -> None:
        file = self.keep_open(file_name)
        self.note()
        self.regions[name] = Region(-1, 0, 1)
        file.fadvise("random", 0, 0)

    def do_touch(self, name: str, start: str, count: str, how: str) -> str:
        return self.touch(self.handle, self.regions[name], int(start), int(count), how == "w")

    def touch(self, toucher: TaskHandle, region: Region, first: int, count: int, write: bool) -> str:
        before = toucher.task.min_flt, toucher.task.maj_flt
        blocks = self.nr_read()
        if region.stride == 1:
            toucher.task.touch(region.page(first), count, write=write)
        else:
            toucher.task.access([region.page(first + place) for place in range(count)], [write] * count)
        minor, major = toucher.task.min_flt - before[0], toucher.task.maj_flt - before[1]
        return f"minflt {minor} majflt {major} inblk {self.nr_read() - blocks}"

    def nr_read(self) -> int:
        """Units of 512 bytes that were read from disks so far."""
        return self.tree.machine.vmstat()["pgpgin"] * 2

    def do_madv(self, name: str, start: str, count: str, advice: str) -> None:
        region = self.regions[name]
        if advice == "nohuge" or (advice == "huge" and not self.may_be_huge):
            return
        if advice not in ADVICE:
            raise NotUnderstood(f"madvise {advice}")
        self.task.madvise(region.page(int(start)), int(count) * region.stride, ADVICE[advice])

    def do_mlock(self, name: str, start: str, count: str) -> None:
        self.task.mlock(self.regions[name].page(int(start)), int(count))

    def do_munlock(self, name: str, start: str, count: str) -> None:
        self.task.munlock(self.regions[name].page(int(start)), int(count))

    def do_mlockall(self) -> None:
        for vma in list(self.task.vmas()):
            self.task.mlock(vma.start, vma.end - vma.start)

    def do_munmap(self, name: str) -> None:
        region = self.regions.pop(name)
        self.task.munmap(region.start, region.npages * region.stride)

    def do_brk(self, pages: str) -> None:
        """The heap grows at its end, which lies in no huge page's place, and is written from the top down."""
        npages = int(pages)
        start = self.take(npages)
        self.task.mmap(start, npages)
        self.task.access(list(range(start + npages - 1, start - 1, -1)), [1] * npages)

    def do_addr(self, name: str) -> str:
        return str(self.regions[name].start * PAGE_BYTES)

    # Its files

    def do_open(self, number: str, name: str, how: str) -> None:
        if name not in self.disk.names:
            if "w" not in how:
                raise Failed(f"err {errno.ENOENT}")
            self.disk.create(name)
        file = self.disk.names[name]
        if "t" in how:
            file.truncate(0, self.task.container)
        self.put_at(number, file.open(self.task.container))
        if "d" in how and file.is_on_disk:
            self.direct.add(int(number))

    def do_memfd(self, number: str) -> None:
        file = self.tree.machine.create_shared_memory(0)
        try:
            self.put_at(number, file.open(self.task.container))
        finally:
            file.put()

    def put_at(self, number: str, opened: OpenFile) -> None:
        """What had the number stays open."""
        self.direct.discard(int(number))
        if int(number) in self.opened:
            self.kept.append(self.opened[int(number)])
        self.opened[int(number)] = opened

    def do_close(self, number: str) -> None:
        """Also where there is none: it did not look at what close() says."""
        self.direct.discard(int(number))
        opened = self.opened.pop(int(number), None)
        if opened is not None:
            opened.close()

    def file_at(self, number: str) -> OpenFile:
        if int(number) not in self.opened:
            raise Failed(f"err {errno.EBADF}")
        return self.opened[int(number)]

    def do_read(self, number: str, start: str, count: str, chunk: str = "4096") -> str:
        return self.move("file_read_pages", number, int(start), int(count), int(chunk))

    def do_write(self, number: str, start: str, count: str, chunk: str = "4096") -> str:
        return self.move("file_write_pages", number, int(start), int(count), int(chunk))

    def move(self, operation: str, number: str, first: int, count: int, chunk: int) -> str:
        """`chunk` bytes a call. The answer where one fails says at which page."""
        if int(number) not in self.opened:
            raise Failed(f"err {errno.EBADF} at {first}")
        opened, blocks, own_blocks = self.opened[int(number)], self.nr_read(), 0
        for offset in range(first * PAGE_BYTES, (first + count) * PAGE_BYTES, chunk):
            page = offset // PAGE_BYTES
            try:
                if int(number) in self.direct:
                    done = move_directly(opened, operation, offset, chunk)
                    own_blocks += done // SECTOR_BYTES * (operation == "file_read_pages")
                elif chunk % PAGE_BYTES == 0:
                    done = self.task.run_file_io(opened, operation, page, chunk // PAGE_BYTES) * PAGE_BYTES
                else:
                    done = self.move_bytes(opened, operation, offset, chunk)
            except mm.MachineError as refusal:
                if self.task.space is None:
                    raise
                raise Failed(f"err {errno_of(refusal)} at {page}") from refusal
            if done < chunk:
                raise Failed(f"err 0 at {page}")
        return f"minflt 0 majflt 0 inblk {self.nr_read() - blocks + own_blocks}"

    def move_bytes(self, opened: OpenFile, operation: str, offset: int, count: int) -> int:
        """Parts of pages, at the expense of the group that it is in now."""
        opened.container = self.task.container
        if operation == "file_read_pages":
            return len(opened.read(offset, count))
        return opened.write(offset, b"\1" * count)

    def do_fsync(self, number: str) -> None:
        if int(number) in self.opened:
            self.opened[int(number)].fsync()

    def do_ftruncate(self, number: str, pages: str) -> None:
        self.file_at(number).file.truncate(int(pages) * PAGE_BYTES, self.task.container)

    def do_fadv(self, number: str, start: str, count: str, advice: str) -> None:
        self.file_at(number).fadvise(FILE_ADVICE.get(advice, "normal"), int(start) * PAGE_BYTES, int(count) * PAGE_BYTES)

    # Other processes

    def do_fork(self) -> str:
        """Two pipes to the child, and what both write to first."""
        self.task.take_objects("pipe", 2)
        child = self.handle.fork(self.pids())
        self.children.append(child)
        self.child_copies = CHILD_COPIES
        self.task.touch(self.own, PARENT_COPIES)
        return f"pid {child.pid}"

    def do_child(self, what: str, name: str = "", start: str = "0", count: str = "0") -> None:
        child = self.children[-1]
        if what == "x":
            self.children.remove(child)
            child.task.exit()
            child.reap()
            self.task.give_objects("pipe", 2)
            return
        if self.child_copies:
            child.task.touch(self.own + PARENT_COPIES, self.child_copies)
            self.child_copies = 0
        self.touch(child, self.regions[name], int(start), int(count), FORK_NAMES[what])

    def do_nforks(self, count: str) -> None:
        """They wait. Each writes to its stack and libraries; so does the parent, mostly to the same pages after each."""
        for _ in range(int(count)):
            child = self.handle.fork(self.pids())
            self.idle.append(child)
            child.task.touch(self.own, IDLE_COPIES)
            self.task.touch(self.own + IDLE_COPIES, FORKING_COPIES)
        self.task.touch(self.own + IDLE_COPIES, PARENT_COPIES - IDLE_COPIES)

    def do_forkz(self) -> str:
        child = self.handle.fork(self.pids())
        child.task.exit()
        return f"pid {child.pid}"

    def do_reap(self) -> None:
        for task in list(self.task.children):
            if task.space is None:
                self.tree.machine.reap(task)

    def do_thread(self) -> str:
        thread = self.handle.thread(self.pids())
        self.thread = thread
        self.task.touch(self.own + OWN_PAGES + NOTE_PAGES, THREAD_PAGES)
        return f"tid {thread.pid}"

    def do_thtouch(self, name: str, start: str, count: str, how: str) -> None:
        assert self.thread is not None
        self.touch(self.thread, self.regions[name], int(start), int(count), how == "w")

    def do_pvwrite(self, pid: str, address: str, pages: str) -> None:
        """process_vm_writev: its pages are faulted in by another, and are its own."""
        other = self.tree.machine.tasks[int(pid)]
        first = int(address) // PAGE_BYTES
        other.touch(first, int(pages), is_fault=False)

    # Memory of the kernel's

    def do_pipes(self, count: str) -> None:
        self.task.take_objects("full-pipe", int(count))

    def do_socks(self, count: str) -> None:
        self.task.take_objects("full-socket", int(count))

    def do_files(self, count: str) -> None:
        """With them grows the table of descriptors, by powers of two."""
        self.task.take_objects("file", int(count))
        places = 1 << (int(count) + OPEN_FILES - 1).bit_length()
        if places > FIRST_TABLE:
            self.task.take_objects("descriptors", places // DESCRIPTORS)

    # What it tells the recorder

    def do_prog(self, name: str) -> None:
        """How far it is: a page of a file that both map."""
        file = self.keep_open(name)
        page = self.take(1)
        self.task.mmap(page, 1, file=file, shared=True)
        self.kept.pop().close()
        self.task.touch(page, 1)

    def do_pmap(self, name: str, file_name: str) -> None:
        """One byte for each page of a region goes to a file, from a buffer of its own."""
        npages = self.regions[name].npages
        self.task.touch(self.heap, -(-npages // PAGE_BYTES))
        if file_name not in self.disk.names:
            self.disk.create(file_name)
        file = self.disk.names[file_name]
        file.truncate(0, self.task.container)
        opened = file.open(self.task.container)
        opened.write(0, bytes(npages))
        opened.close()

    # What memory does not notice

    def do_rlimmemlock(self) -> None:
        pass

    def do_thpon(self) -> None:
        """Where it then asks for huge pages, nothing here has any."""
        self.may_be_huge = True

    def do_ping(self) -> str:
        return "pong"

    def do_spin(self) -> None:
        """And answers no more."""

    def do_sleep(self, milliseconds: str) -> None:
        self.task.machine.advance(int(milliseconds) * 1_000_000)

    def do_exit(self) -> str:
        self.end()
        return "bye"

    def end(self) -> None:
        """It is killed, and waited for."""
        for child in [*self.children, *self.idle, *([self.thread] if self.thread is not None else [])]:
            child.reap()
        self.children, self.idle, self.thread = [], [], None
        for opened in [*self.opened.values(), *self.kept]:
            opened.close()
        self.opened, self.kept = {}, []
        self.handle.reap()


def move_directly(opened: OpenFile, operation: str, offset: int, count: int) -> int:
    """O_DIRECT goes past the cache, which loses what it has of the place, and nobody pays. Gives how many bytes it came to."""
    past = opened.file.open()
    try:
        if operation == "file_read_pages":
            past.fsync()
            return max(min(count, opened.file.size - offset), 0)
        past.write(offset, b"\1" * count)
        past.fsync()
        past.fadvise("dontneed", offset, count)
        return count
    finally:
        past.close()


def errno_of(refusal: mm.MachineError) -> int:
    if isinstance(refusal, mm.OutOfMemory):
        return errno.ENOMEM
    return errno.ENOSPC if isinstance(refusal, mm.NoSpace) else errno.EINVAL
