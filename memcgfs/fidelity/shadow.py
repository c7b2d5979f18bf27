"""The memory of a recorded process: a simulated task under the process' pid, driven through the files of a mount.

Contract
- A process of the record maps memory, touches it, reads and writes files; its shadow does, by the task's `ctl`, and gives results of the
  record's shape.  `Died`: the task was killed, by now or before.
- Mappings and open files have the record's names.  Each mapping lies by itself, so that none becomes part of another.
- The recorder's processes had memory of their own, which is part of what was recorded: see `OWN_PAGES`.
- Files lie below /mnt and /shm, which lead to where the mount keeps them; each open one is a descriptor of the driver's, which holds it.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Callable
from typing import Any, Final

from .calls import OK, Result, refusal
from .ext2 import METADATA, Metadata
from .mounted import MACHINE, PAGE_BYTES, name_of_file

WORD_BYTES: Final = 8
PRESENT: Final = 1 << 63

OWN_PAGES: Final = 221
"""The address space of a recorder's process before it maps anything.  An OOM score is the pages of an address space (the same again for
nice, a quarter of a quarter for root): uid 1000 with 300 pages mapped scored 521 (oracle2008/README.md, 2b)."""
OWN_TOUCHED: Final = 191
"""Of them, those that it writes as it starts: an exec charged its group for 191 pages."""
WRITTEN_BY_CHILD: Final = range(4)
WRITTEN_BY_PARENT: Final = range(4, 6)
"""Of these, what a child and its parent write straight after a fork, the child first: a fork at rest cost 6 pages, 2 of them the
parent's.  Then the first command in either writes the page it is read into, in the child besides two that lie deeper in its stack; the
first mapping one with the names of mappings; the first touch that reads one where it leaves what it has read, which is counted with its
faults.  So once both have done all that, the parent first, it has paid for 5 pages and the child for 6 (share.anon_fork_across); a child
that writes first pays for 3 (cow_at_limit)."""
PARENTS_NEXT: Final = {"": (6,), "map": (7,), "r": (8,)}
CHILDS_NEXT: Final = {"": (6, 9, 10), "map": (7,), "r": (8,)}

OWN_START: Final = 1
FIRST_REGION: Final = 1 << 16
GAP: Final = 1 << 9
ADVICE: Final = ("normal", "random", "sequential", "willneed", "dontneed", "noreuse")
"""By number, of posix_fadvise(2); the first five are madvise(2)'s, too."""


class Died(Exception):
    """The task was killed."""


class Region:
    """Where a mapping lies, and the file that it maps, or ''."""

    def __init__(self, start: int, npages: int, path: str = "") -> None:
        self.start = start
        self.npages = npages
        self.path = path


class OpenedFile:
    """`name`: what a ctl calls it."""

    def __init__(self, path: str, name: str, fd: int) -> None:
        self.path = path
        self.name = name
        self.fd = fd


class Shadow:
    """`progress`: pages that its last touch, read or write came to; None: there was none in this case."""

    def __init__(self, pid: int, metadata: Metadata) -> None:
        self.pid = pid
        self.metadata = metadata
        self.directory = f"{MACHINE}/tasks/{pid}"
        self.regions: dict[str, Region] = {}
        self.files: dict[str, OpenedFile] = {}
        self.progress: int | None = None
        self._free = FIRST_REGION
        self._unwritten: dict[str, tuple[int, ...]] = {}
        self._ctl = os.open(f"{self.directory}/ctl", os.O_WRONLY)

    @classmethod
    def born(cls, pid: int, metadata: Metadata) -> Shadow:
        """root's, with its own memory touched, in the top group."""
        os.mkdir(f"{MACHINE}/tasks/{pid}")
        shadow = cls(pid, metadata)
        shadow.tell("setuid 0")
        shadow.take_own_memory()
        return shadow

    def take_own_memory(self) -> None:
        self.tell(f"mmap {OWN_START} {OWN_PAGES} anon")
        self.write_own(range(OWN_TOUCHED))

    def forked(self, pid: int) -> Shadow:
        self.tell(f"fork {pid}")
        child = Shadow(pid, self.metadata)
        child.regions = dict(self.regions)
        child.files = {name: OpenedFile(file.path, file.name, os.dup(file.fd)) for name, file in self.files.items()}
        child._free = self._free
        child._unwritten = dict(CHILDS_NEXT)
        self._unwritten = dict(PARENTS_NEXT)
        return child

    def exec(self) -> None:
        self.tell("exec")
        self.regions.clear()
        self._unwritten = {}
        self.take_own_memory()

    def close(self) -> None:
        """The process is gone: nobody holds its files."""
        for file in self.files.values():
            os.close(file.fd)
        self.files.clear()
        os.close(self._ctl)

    @property
    def is_dead(self) -> bool:
        with open(f"{self.directory}/status") as status:
            return "\nState:\tZ" in status.read()

    def run(self, name: str, words: list[str]) -> Result:
        """A command of `MEMORY`.  Raises Died."""
        try:
            return MEMORY[name](self, *words)
        except OSError as error:
            if self.is_dead:
                raise Died from None
            return refusal(error)

    def tell(self, command: str) -> None:
        os.write(self._ctl, command.encode())

    def faults(self) -> tuple[int, int]:
        """(minor, major) so far."""
        with open(f"{self.directory}/stat") as stat:
            fields = stat.read().split()
        return int(fields[9]), int(fields[11])

    # Its own memory.

    def write_own(self, pages: range | tuple[int, ...]) -> None:
        for page in pages:
            self.tell(f"touch {OWN_START + page} 1 w")

    def write_unwritten(self, command: str) -> None:
        """What the first command of this kind since the last fork writes; '' is any command."""
        self.write_own(self._unwritten.pop(command, ()))

    def write_with_child(self, child: Shadow) -> None:
        """The first pages that both write after a fork: whoever has to wait for memory lets the other run."""
        self.tell(f"race {OWN_START + WRITTEN_BY_PARENT[0]} 1 {child.pid} {OWN_START + WRITTEN_BY_CHILD[0]} 1")

    # Mappings.

    def map(self, name: str, kind: str, npages: str, path: str = "") -> Result:
        self.write_unwritten("map")
        region = Region(self._free, int(npages), path)
        if kind == "anon":
            self.tell(f"mmap {region.start} {npages} anon")
        elif kind == "shm":
            self.tell(f"mmap {region.start} {npages} anon shared")
        else:
            self.tell(f"mmap {region.start} {npages} file:{name_of_file(path)}{' shared' * ('shared' in kind)}")
            if "ra" not in kind:
                self.tell(f"madvise {region.start} {npages} random")
        self._free += (region.npages // GAP + 2) * GAP
        self.regions[name] = region
        return OK

    def unmap(self, name: str) -> Result:
        region = self.regions.pop(name)
        self.tell(f"munmap {region.start} {region.npages}")
        return OK

    def touch(self, name: str, first: str, npages: str, how: str) -> Result:
        region = self.regions[name]
        before = self.faults()
        self.write_unwritten(how)
        if region.path:
            self._use(region.path, range(int(first), int(first) + int(npages)))
        try:
            self.tell(f"touch {region.start + int(first)} {npages} {how}")
        finally:
            self.progress = self._touched() or self.progress
        minor, major = (after - start for after, start in zip(self.faults(), before, strict=True))
        return {"minflt": minor, "majflt": major}

    def _touched(self) -> int:
        with open(f"{self.directory}/status") as status:
            lines = dict(line.rstrip("\n").split(":\t", 1) for line in status)
        return int(lines["Touched"].split(" of ")[0])

    def mlock(self, name: str, first: str, npages: str) -> Result:
        self.tell(f"mlock {self.regions[name].start + int(first)} {npages}")
        return OK

    def madv(self, name: str, first: str, npages: str, advice: str) -> Result:
        self.tell(f"madvise {self.regions[name].start + int(first)} {npages} {advice_of(advice)}")
        return OK

    def mincore(self, name: str) -> Result:
        region = self.regions[name]
        return residency([bool(byte & 1) for byte in self._load("mincore", region, 1)])

    def pagemap(self, name: str) -> Result:
        words = memoryview(self._load("pagemap", self.regions[name], WORD_BYTES)).cast("Q")
        return residency([bool(word & PRESENT) for word in words])

    def _load(self, file: str, region: Region, unit: int) -> bytes:
        """What a file that has so many bytes for each page says of the region."""
        with open(f"{self.directory}/{file}", "rb", buffering=0) as opened:
            opened.seek(region.start * unit)
            return opened.read(region.npages * unit).ljust(region.npages * unit, b"\0")

    # Files.

    def fopen(self, name: str, path: str, *words: str) -> Result:
        how = "".join(words)
        is_new = "c" in how and path.startswith("/mnt/") and not os.path.exists(path)
        fd = os.open(path, os.O_RDWR | (os.O_CREAT if "c" in how else 0), 0o644)
        file = self.files[name] = OpenedFile(path, name_of_file(path), fd)
        if is_new:
            self.metadata.create(path, self._read_metadata)
        if "r" in how:
            self.tell(f"fadvise {file.name} 0 0 random")
        return OK

    def fread(self, name: str, first: str, npages: str) -> Result:
        file = self.files[name]
        size_pages = -(-os.fstat(file.fd).st_size // PAGE_BYTES)
        return self._each("read", file, int(first), max(min(int(npages), size_pages - int(first)), 0))

    def fwrite(self, name: str, first: str, npages: str) -> Result:
        return self._each("write", self.files[name], int(first), int(npages))

    def _each(self, verb: str, file: OpenedFile, first: int, npages: int) -> Result:
        """A system call for each page."""
        for page in range(npages):
            self._use(file.path, range(first + page, first + page + 1))
            self.tell(f"{verb} {file.name} {first + page} 1")
            self.progress = page + 1
        return {"pages": npages}

    def _use(self, path: str, pages: range) -> None:
        self.metadata.use(path, pages, self._read_metadata)

    def _read_metadata(self, block: int) -> None:
        self.tell(f"fadvise {name_of_file(METADATA)} 0 0 random")
        self.tell(f"read {name_of_file(METADATA)} {block} 1")

    def fadv(self, name: str, advice: str) -> Result:
        if advice_of(advice) == "willneed":
            self._use(self.files[name].path, range(-(-os.fstat(self.files[name].fd).st_size // PAGE_BYTES)))
        self.tell(f"fadvise {self.files[name].name} 0 0 {advice_of(advice)}")
        return {"ret": 0}

    def fsync(self, name: str) -> Result:
        self.tell(f"fsync {self.files[name].name}")
        return OK

    def ftruncate(self, name: str, npages: str) -> Result:
        os.ftruncate(self.files[name].fd, int(npages) * PAGE_BYTES)
        return OK

    def fclose(self, name: str) -> Result:
        os.close(self.files.pop(name).fd)
        return OK

    def nice(self, value: str) -> Result:
        self.tell(f"nice {value}")
        return OK


def advice_of(word: str) -> str:
    return ADVICE[int(word)] if word.isdecimal() else word


def residency(bits: list[bool]) -> dict[str, Any]:
    """A bit a page, the lowest of the first byte for the first page."""
    packed = bytearray(-(-len(bits) // 8))
    for place, bit in enumerate(bits):
        packed[place // 8] |= bit << place % 8
    return {"pages": len(bits), "cached": sum(bits), "cached_b64": base64.b64encode(packed).decode()}


MEMORY: Final[dict[str, Callable[..., Result]]] = {
    name: getattr(Shadow, name)
    for name in (
        "map", "unmap", "touch", "mlock", "madv", "mincore", "pagemap",
        "fopen", "fread", "fwrite", "fadv", "fsync", "ftruncate", "fclose", "nice",
    )
}  # fmt: skip
