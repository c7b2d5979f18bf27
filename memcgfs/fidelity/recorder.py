"""The recorder, done again: one task that makes the accesses of a page string on a machine, and says of each whether it missed.

What it did on the recorded machine, and so does here
- Region A is anonymous memory, or a file that is mapped shared; region B (back end `mix`) is always such a file. `fileread` reads one
  byte at the beginning of each page; the file is mapped all the same, for mincore(2).
- No read-ahead: MADV_RANDOM and FADV_RANDOM. The files are on the disk, and nothing of them is in the cache at the start.
- A miss of anonymous memory is a major fault; a miss of a file is a page that mincore does not find just before the access.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .. import mm
from .strings import PAGE_MASK, REGION_SHIFT, WRITE_SHIFT, Words

ANONYMOUS: Final = ("anon", "anonr", "mix")
BACKENDS: Final = (*ANONYMOUS, "filemap", "filewrite", "fileread")
REGION_B: Final = 1 << 20
"""Where region B is mapped; region A begins at page 0."""
PID: Final = 100
PID_OF_INIT: Final = 2
SETTLE_NS: Final = 60 * 10**9
PAGE_BYTES: Final = 4096


@dataclass(frozen=True, slots=True)
class Region:
    """`first`: its first page in the task's address space. `file`: what it maps, None for anonymous memory."""

    first: int
    npages: int
    file: mm.File | None


class Recorder:
    """`task`: in the top container, as yet, with its regions mapped; nothing has been accessed. `nr_done`: accesses made."""

    def __init__(self, machine: mm.Machine, backend: str, words: Words, nr_pages: int) -> None:
        self.machine = machine
        self.nr_done = 0
        self.reads = backend == "fileread"
        self.pages = (words & PAGE_MASK).astype(np.uint64)
        self.in_b = (words >> REGION_SHIFT & 1).astype(bool)
        self.writes = (words >> WRITE_SHIFT).astype(np.uint8)
        self.init = machine.spawn(PID_OF_INIT, uid=0)
        self.task = machine.spawn(PID, uid=0)
        nr_in_a = max(nr_pages, self.highest(~self.in_b))
        nr_in_b = self.highest(self.in_b)
        self.regions = [self.map_anonymous(nr_in_a) if backend in ANONYMOUS else self.map_file(0, nr_in_a)]
        if nr_in_b:
            self.regions.append(self.map_file(REGION_B, nr_in_b))
        self.drain()

    def highest(self, chosen: NDArray[np.bool_]) -> int:
        """Pages of a region: up to the highest that is accessed."""
        return int(self.pages[chosen].max()) + 1 if chosen.any() else 0

    def map_anonymous(self, npages: int) -> Region:
        self.task.mmap(0, npages)
        return Region(0, npages, None)

    def map_file(self, first: int, npages: int) -> Region:
        """A file that was written long ago, and forgotten by the cache."""
        file = self.machine.create_file()
        self.init.write_file(file, 0, npages)
        self.init.fsync_file(file)
        self.machine.advance(SETTLE_NS)
        self.drain()  # what is on its way to the LRU cannot be dropped
        self.init.fadvise_file(file, "dontneed", 0, 0)
        self.task.mmap(first, npages, file=file, shared=True)
        self.task.madvise(first, npages, "random")
        return Region(first, npages, file)

    def drain(self) -> None:
        """Nothing waits in the batches on the way to the LRU: munmap empties them."""
        self.init.mmap(0, 1)
        self.init.touch(0, 1)
        self.init.munmap(0, 1)

    def run(self) -> NDArray[np.uint8]:
        """All accesses. Gives a byte for each, 1 for a miss; fewer where the task did not live to make them all."""
        misses = bytearray()
        regions = [self.regions[0], self.regions[-1]]
        pages, writes = memoryview(array("Q", self.pages.tolist())), memoryview(self.writes.tobytes())
        opened = None
        if self.reads and regions[0].file is not None:
            opened = regions[0].file.open(self.task.container)
            opened.fadvise("random", 0, 0)
        try:
            for place, in_b in enumerate(self.in_b.tolist()):
                region, page = regions[in_b], pages[place]
                if region.file is None:
                    misses.append(self.task.access(pages[place : place + 1], writes[place : place + 1]).major)
                    continue
                misses.append(1 - self.task.mincore(region.first + page, 1)[0])
                if opened is not None:
                    opened.read(page * PAGE_BYTES, 1)
                else:
                    address = memoryview(array("Q", [region.first + page]))
                    self.task.access(address, writes[place : place + 1])
        except mm.OutOfMemory:
            pass
        self.nr_done = len(misses)
        return np.frombuffer(bytes(misses), np.uint8)

    def residency(self, region: Region) -> NDArray[np.uint8]:
        """A byte for each page of the region, as mincore(2) has them."""
        return np.frombuffer(self.task.mincore(region.first, region.npages), np.uint8)
