"""Trace cases of Linux 6.18: a page string through one task in one new group at its limit, on the machine of the recordings.

| back end | region A | region B |
|---|---|---|
| `anon`, `anonr` | anonymous memory | |
| `filemap` | a file, each page in a mapping of its own with a page between, so that nothing is mapped around it; MADV_RANDOM | |
| `filemapn` | the same without that advice, on a device that does not read ahead | |
| `filemap1n`, `filewriten` | such a file in one mapping, to be read; shared mappings of a page each, to be written | |
| `fileread` | pread(2) of one byte, FADV_RANDOM | |
| `mix`, `mixn` | anonymous memory | as `filemap`, `filemapn` |

The string is run in one go, by a task that was put into its group before. Held to the recorded spread are the major faults, and for
`fileread` the pages that were read: between the least and the most, and a tenth of the median beyond. The other figures are shown.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from ... import mm
from ...tree import Tree
from ..cases import Case, CaseError
from ..row import Figure, Row
from ..strings import PAGE_MASK, REGION_SHIFT, WRITE_SHIFT, Words, string_of

PAGE_BYTES: Final = 4096
PID_OF_INIT: Final = 2
PID: Final = 100
ANONYMOUS: Final = ("anon", "anonr", "mix", "mixn")
WITHOUT_READAHEAD: Final = ("filemapn", "filemap1n", "filewriten", "mixn")
BACKENDS: Final = (*ANONYMOUS, "filemap", "filemapn", "filemap1n", "filewrite", "filewriten", "fileread")
REGION_B: Final = 1 << 24
"""Where region B is mapped; region A begins at page 0."""
PERIOD_NS: Final = 2 * 10**9
"""A run begins at a multiple of it, so that the first flush of statistics is as long after the beginning as in all runs."""
SETTLE_NS: Final = 60 * 10**9
TOLERANCE: Final = 0.1
KILLS: Final = "runs_killed_by_oom"
MALFORMED: Final = (LookupError, TypeError, ValueError, AttributeError)


@dataclass(frozen=True, slots=True)
class Region:
    """`first`: its first page in the task's address space; page p lies `step` pages on from page p - 1."""

    first: int
    step: int


def run_cases(cases: Iterable[Case]) -> Iterator[Row]:
    return map(run_case, cases)


def run_case(case: Case) -> Row:
    record = case.record
    words = string_of(case)
    backend = record["backend"]
    if backend not in BACKENDS:
        return Row(case.id, case.kind, (), applies=False, cause=f"a back end {backend!r} is not known here", kernel=case.kernel)
    try:
        limit, swappiness = int(record["case"]["L"]), int(record["swappiness"])
        recorded = recorded_numbers(record)
    except MALFORMED as error:
        raise CaseError(f"{case.path}: {case.id}: is not recorded as trace cases are ({error!r})") from None
    run = Run(backend, words, limit, swappiness)
    ours = run.numbers()
    key = "blocks_in_pages" if backend == "fileread" else "majflt"
    if run.task.space is None:
        return killed_row(case, run.task.died)
    return Row(case.id, case.kind, tuple(figures(recorded, ours, key)), kernel=case.kernel, key=key)


def recorded_numbers(record: Mapping[str, Any]) -> dict[str, tuple[float, float, float]]:
    """(least, median, most) by name."""
    spreads = {name: found for name, found in record["tolerance"].items() if isinstance(found, dict)}
    return {name: (found["min"], found["median"], found["max"]) for name, found in spreads.items()}


def killed_row(case: Case, why: str | None) -> Row:
    """Where it was killed, as some of the runs may have been, its numbers say nothing."""
    runs = case.record["tolerance"].get(KILLS, 0)
    cause = "" if runs else f"the task was killed: {why}"
    return Row(case.id, case.kind, (Figure(KILLS, runs, 1, holds=bool(runs)),), cause=cause, kernel=case.kernel, key=KILLS)


def figures(recorded: Mapping[str, tuple[float, float, float]], ours: Mapping[str, int], key: str) -> Iterator[Figure]:
    """The number that decides stands first; the others are told as they are."""
    for name in sorted(ours, key=lambda name: name != key):
        if name in recorded:
            least, median, most = recorded[name]
            slack = TOLERANCE * median if name == key else 0
            yield Figure(name, [least, median, most], ours[name], least - slack <= ours[name] <= most + slack, decides=name == key)


class Run:
    """`task`: it has made its accesses, all of them unless it was killed."""

    def __init__(self, backend: str, words: Words, limit: int, swappiness: int) -> None:
        self.machine = Tree(rules="v1", model="classic", machine="6.18-vm").machine
        self.backend = backend
        pages = (words & PAGE_MASK).astype(np.uint64)
        in_b = (words >> REGION_SHIFT & 1).astype(bool)
        self.init = self.machine.spawn(PID_OF_INIT, uid=0)
        self.task = self.machine.spawn(PID, uid=0)
        self.handle: mm.OpenFile | None = None
        regions = []
        for chosen, first, is_file in ((~in_b, 0, backend not in ANONYMOUS), (in_b, REGION_B, True)):
            if chosen.any():
                regions.append((chosen, self.map(first, int(pages[chosen].max()) + 1, is_file)))
        self.machine.advance(SETTLE_NS)
        self.machine.advance(-self.machine.clock_ns % PERIOD_NS)
        self.group = self.machine.create_container()
        self.group.swappiness = swappiness
        self.group.counter("memory").resize(limit)
        self.machine.attach(self.task, self.group)
        self.before = self.machine.vmstat()
        addresses = np.empty_like(pages)
        for chosen, region in regions:
            addresses[chosen] = region.first + pages[chosen] * np.uint64(region.step)
        self.run(array("Q", addresses.tobytes()), (words >> WRITE_SHIFT).astype(np.uint8))

    def map(self, first: int, npages: int, is_file: bool) -> Region:
        if not is_file:
            self.task.mmap(first, npages)
            return Region(first, 1)
        file = self.machine.create_file()
        self.init.write_file(file, 0, npages)
        self.init.fsync_file(file)
        self.machine.advance(SETTLE_NS)
        self.init.mmap(REGION_B, 1)
        self.init.munmap(REGION_B, 1)  # what is on its way to the LRU cannot be dropped
        self.init.fadvise_file(file, "dontneed", 0, 0)
        if self.backend in WITHOUT_READAHEAD:
            file.set_readahead(0)
        if self.backend == "fileread":
            self.handle = file.open(None)
            self.handle.fadvise("random", 0, 0)
            return Region(first, 1)
        is_shared = self.backend.startswith("filewrite")
        if self.backend == "filemap1n":
            self.task.mmap(first, npages, file=file, writable=False)
            return Region(first, 1)
        for page in range(npages):
            self.task.mmap(first + 2 * page, 1, file=file, offset=page, shared=is_shared, writable=is_shared)
        if self.backend not in WITHOUT_READAHEAD:
            for page in range(npages):
                self.task.madvise(first + 2 * page, 1, "random")
        return Region(first, 2)

    def run(self, addresses: array[int], writes: Any) -> None:
        try:
            if self.handle is not None:
                self.handle.container = self.group
                self.handle.read_pages(memoryview(addresses))
            else:
                self.task.access(memoryview(addresses), memoryview(writes.tobytes()))
        except mm.OutOfMemory:
            pass

    def numbers(self) -> dict[str, int]:
        stat, after = self.group.stat(), self.machine.vmstat()
        return {
            "majflt": self.task.maj_flt,
            "minflt": self.task.min_flt,
            "blocks_in_pages": (after["pgpgin"] - self.before["pgpgin"]) * 1024 // PAGE_BYTES,
            **{name: stat[name] for name in ("pgpgin", "pgpgout", "pgfault", "pgmajfault")},
            **{name: stat[name] for name in ("workingset_refault_anon", "workingset_refault_file")},
            "swap_pages": stat["swap"] // PAGE_BYTES,
            "swapcached_pages": stat["swapcached"] // PAGE_BYTES,
            **{f"{name}_pages": stat[name] // PAGE_BYTES for name in ("inactive_anon", "active_anon", "inactive_file", "active_file")},
            "seconds": self.machine.clock_ns,
        }
