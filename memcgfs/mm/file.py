"""Files of the machine as the rest of the project sees them: an inode (File), and a file that somebody has open (OpenFile).

The engine moves pages; here their bytes are copied in and out. A file has no name: who gives it one holds a reference, as does every
open file and every mapping; the last to let go frees the file's pages and blocks.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import kernel_objects
from .errors import BadValue, FileTooBig, MachineError, NoSpace, OutOfMemory
from .files import FILE_ON_DISK, MAX_FILE_PAGES
from .kmem import FILE_BYTES, SHMEM_INODE_BYTES
from .params import ENOSPC, PAGE_BYTES, PG_CONTENT

if TYPE_CHECKING:
    from .container import Container
    from .machine import Machine

MAX_FILE_BYTES = MAX_FILE_PAGES * PAGE_BYTES
SECTORS_PER_BLOCK = PAGE_BYTES // 512
RA_FACTOR = {"normal": 1, "sequential": 2}
ADVICE = ("normal", "random", "sequential", "willneed", "dontneed", "noreuse")


@dataclass(frozen=True, slots=True)
class FsStat:
    """The disk that files lie on: block size in bytes, and how many blocks and files there are and can still be made."""

    block_bytes: int
    nr_blocks: int
    nr_free: int
    nr_files: int
    nr_files_free: int


def error_of(code: int) -> MachineError:
    """What a negative errno of the engine means."""
    if code == -ENOSPC:
        return NoSpace("the disk is full")
    return OutOfMemory("no page frame for the page cache, or a container refused the charge")


class File:
    """Made by Machine.create_file with one reference, its maker's; or by create_shared_memory, and then it lies in memory and swap.

    first_record: trace records before that one mean another file, which had the same number.
    """

    __slots__ = ("__weakref__", "first_record", "machine", "number", "payer", "users")

    def __init__(self, machine: Machine, number: int, kind: int) -> None:
        self.machine = machine
        self.number = number
        self.payer = 0
        self.users = 1
        self.first_record = machine.tracer.next_number
        machine.core.files.init(number, kind)

    @property
    def is_on_disk(self) -> bool:
        """Or a shared anonymous mapping's."""
        return bool(self.machine.core.files.kind[self.number] == FILE_ON_DISK)

    @property
    def size(self) -> int:
        """Bytes."""
        return int(self.machine.core.files.size[self.number])

    @property
    def blocks(self) -> int:
        """Units of 512 bytes that it takes on the disk, or in memory and swap (st_blocks)."""
        files = self.machine.core.files
        in_memory = 0 if self.is_on_disk else files.nr_pages[self.number]
        return int(files.nr_blocks[self.number] + in_memory) * SECTORS_PER_BLOCK

    def set_readahead(self, npages: int) -> None:
        """read_ahead_kb of the device that it lies on, for who opens it from now on."""
        self.machine.core.files.set_ra_pages(self.number, npages)

    def get(self) -> None:
        self.users += 1

    def put(self) -> None:
        """The last reference frees what the file has."""
        self.users -= 1
        if self.users == 0:
            self.machine.evict_file(self)

    def give_back(self) -> None:
        """The inode is gone, for which its maker's container paid if it lay in memory."""
        if not self.is_on_disk:
            kernel_objects.uncharge(self.machine, self.payer, 0, SHMEM_INODE_BYTES)

    @contextmanager
    def held(self) -> Iterator[None]:
        """An operation works on it: whoever exits meanwhile does not take it away."""
        self.get()
        try:
            yield
        finally:
            self.put()

    def truncate(self, size: int, container: Container | None = None) -> None:
        """Cuts the file, or lets it grow by a hole. Mappings lose the pages behind the end. Raises FileTooBig, BadValue, OutOfMemory."""
        if size < 0:
            raise BadValue(f"a file has no {size} bytes")
        if size > MAX_FILE_BYTES:
            raise FileTooBig(f"a file has at most {MAX_FILE_BYTES} bytes")
        machine = self.machine
        with machine.running(None, container):
            if size >= self.size:
                machine.core.files.set_size(self.number, size)
                return
            machine.engine.vmtruncate(machine.core, self.number, size)
            index, within = divmod(size, PAGE_BYTES)
            if not within:
                return
            pfn = machine.engine.block_truncate_page(machine.core, self.number, index)
            if pfn < 0:
                raise error_of(pfn)
            if pfn:
                if machine.core.frames.flags[pfn] & PG_CONTENT:
                    machine.ram_bytes[pfn * PAGE_BYTES + within : (pfn + 1) * PAGE_BYTES] = bytes(PAGE_BYTES - within)
                machine.engine.finish_truncated_page(machine.core, pfn)

    def trim(self) -> None:
        """A write found no room: what it left behind the file's end goes (generic_file_buffered_write's vmtruncate)."""
        self.machine.engine.vmtruncate(self.machine.core, self.number, self.size)

    def open(self, container: Container | None = None) -> OpenFile:
        """Whoever reads and writes through it is charged to the container (None: the top one). Raises TooManyFiles."""
        return OpenFile(self, container)


class OpenFile:
    """struct file: a read-ahead state of its own, and who pays, for itself as well (`charged`).

    `holds`: it keeps the file from being freed."""

    __slots__ = ("charged", "container", "file", "handle", "holds", "machine", "users")

    def __init__(self, file: File, container: Container | None = None, holds: bool = True) -> None:
        self.machine = file.machine
        self.file = file
        self.container = container
        self.charged = container.cid if container is not None else 0
        kernel_objects.charge(self.machine, self.charged, 0, FILE_BYTES)
        self.handle = self.machine.handle_ids.take()
        self.holds = holds
        self.users = 1
        self.machine.core.open_files.init(self.handle, file.number, self.machine.core.files.ra_pages[file.number])
        if holds:
            file.get()

    def get(self) -> None:
        self.users += 1

    def close(self) -> None:
        """The last user's close lets go of the file."""
        self.users -= 1
        if self.users == 0:
            self.machine.handle_ids.give(self.handle)
            kernel_objects.uncharge(self.machine, self.charged, 0, FILE_BYTES)
            if self.holds:
                self.file.put()

    def payer(self) -> Container | None:
        """The container that it was opened in, as long as that exists."""
        if self.container is not None and self.machine.containers.get(self.container.cid) is self.container:
            return self.container
        return None

    def read(self, offset: int, nr_bytes: int) -> bytes:
        """Up to the end of the file. Raises OutOfMemory where not a byte could be read."""
        machine = self.machine
        end = min(offset + nr_bytes, self.file.size)
        last_page = -(-end // PAGE_BYTES)
        found, pfn = bytearray(), 0
        with machine.running(None, self.payer()):
            while offset < end:
                page, within = divmod(offset, PAGE_BYTES)
                piece = min(end - offset, PAGE_BYTES - within)
                if self.file.is_on_disk:
                    pfn = machine.engine.file_read_page(machine.core, self.handle, page, within, piece, last_page - page)
                else:
                    pfn = machine.engine.shmem_read_page(machine.core, self.file.number, page, within)
                if pfn < 0 or (pfn == 0 and self.file.is_on_disk):
                    break
                end = min(end, self.file.size)  # it may have been cut while we waited
                found += machine.page_bytes(pfn, within, max(min(piece, end - offset), 0))
                machine.engine.put_page(machine.core, pfn)
                offset += piece
            machine.core.open_files.end_read(self.handle)
        if not found and pfn < 0:
            raise error_of(pfn)
        return bytes(found)

    def read_pages(self, pages: memoryview[int]) -> int:
        """A pread() of one byte at the beginning of each of these pages, in order; gives how many were made before there was no memory, or
        no such page."""
        with self.machine.running(None, self.payer()):
            return int(self.machine.engine.file_read_bytes(self.machine.core, self.handle, pages))

    def write(self, offset: int, content: bytes) -> int:
        """Gives how many bytes were written. Raises FileTooBig, NoSpace or OutOfMemory where it was not a single one."""
        machine = self.machine
        if content and offset >= MAX_FILE_BYTES:
            raise FileTooBig(f"a file has at most {MAX_FILE_BYTES} bytes")
        done, wanted, pfn = 0, min(len(content), MAX_FILE_BYTES - offset), 0
        with machine.running(None, self.payer()):
            while done < wanted:
                page, within = divmod(offset + done, PAGE_BYTES)
                piece = min(wanted - done, PAGE_BYTES - within)
                machine.engine.begin_folio(machine.core, self.handle, page, -(-(within + wanted - done) // PAGE_BYTES), done == 0)
                pfn = machine.engine.file_write_begin(machine.core, self.handle, page, piece == PAGE_BYTES)
                if pfn < 0:
                    break
                machine.make_content(pfn)
                at = pfn * PAGE_BYTES + within
                machine.ram_bytes[at : at + piece] = content[done : done + piece]
                done += piece
                machine.engine.file_write_end(machine.core, self.handle, pfn, offset + done)
            machine.engine.pagevec_lru_add(machine.core)
            if pfn < 0:
                self.file.trim()
        if not done and pfn < 0:
            raise error_of(pfn)
        return done

    def fsync(self) -> None:
        """Returns when the file's bytes are on the disk. Raises NoSpace where some found no room there since it was asked last."""
        machine = self.machine
        with machine.running(None, self.payer()):
            machine.engine.sync_file(machine.core, self.file.number)
        if machine.core.files.forget_error(self.file.number):
            raise NoSpace("pages that were written through a mapping found no room on the disk, and are lost")

    def fadvise(self, advice: str, offset: int, nr_bytes: int) -> None:
        """posix_fadvise; 0 bytes: to the end of the file. Raises BadValue."""
        with self.machine.running(None, self.payer()):
            advise(self, advice, offset, nr_bytes)


def advise(opened: OpenFile, advice: str, offset: int, nr_bytes: int) -> None:
    """mm/fadvise.c, on behalf of whoever runs."""
    machine, file = opened.machine, opened.file.number
    if advice not in ADVICE or offset < 0 or nr_bytes < 0:
        raise BadValue(f"advice {advice} for bytes {offset}+{nr_bytes}")
    core, engine = machine.core, machine.engine
    end = offset + nr_bytes if nr_bytes else MAX_FILE_BYTES
    if advice in RA_FACTOR:
        core.open_files.set_ra_pages(opened.handle, RA_FACTOR[advice] * core.files.ra_pages[file])
        core.open_files.set_random(opened.handle, False)
    elif advice == "random" and core.rules.has_folios:
        core.open_files.set_random(opened.handle, True)
    elif advice == "random":
        core.open_files.set_ra_pages(opened.handle, 0)
    elif advice == "willneed" and opened.file.is_on_disk:
        first, last = offset // PAGE_BYTES, (min(end, opened.file.size) - 1) // PAGE_BYTES
        if first <= last:
            engine.force_page_cache_readahead(core, file, first, last - first + 1)
    elif advice == "dontneed":
        if not core.disks.is_write_congested(0):
            engine.filemap_fdatawrite(core, file, False)
        first, last = -(-offset // PAGE_BYTES), (end - 1) // PAGE_BYTES  # as in 2.6.23 also a last page that is not wholly meant
        if first <= last:
            engine.invalidate_mapping_pages(core, file, first, last)
