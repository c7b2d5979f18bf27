"""The traces that are measured, and how they are driven.  Generated from a fixed seed, so every run has the same ones.

The mixed trace: 10 M accesses over 1 M pages.  Which page is drawn from Zipf(1.0), ranks scattered over the pages; a
tenth of the accesses is replaced by a loop over 200,000 pages; 30 % write.  The container's limit is 100,000 pages.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from memcgfs import mm
from memcgfs.mm.engine import engine as chosen_engine

SEED = 2007
NR_ACCESSES = 10_000_000
NR_PAGES = 1_000_000
NR_LOOP_PAGES = 200_000
LIMIT_PAGES = 100_000
RAM_BYTES = 460 << 20
"""A machine that its containers nearly fill: 85 % of it is mapped, so that reclaim may take mapped pages at once (a
mapped_ratio of 80 and a swappiness of 60 make swap_tendency 100)."""
LARGE_RAM_BYTES = 1 << 30
"""A machine with room: there the reclaimer of 2007 leaves mapped pages alone until it is in distress, and goes over the
active list again and again before it is."""
PERCENT_LOOP = 10
PERCENT_WRITES = 30
BATCH = 1 << 16
SHARE = 256
"""Accesses a call where tasks take turns."""


@dataclass(frozen=True, slots=True)
class Swap:
    """Where swap lies, and the two settings that say how it is used."""

    disk: mm.DiskConfig
    swappiness: int
    page_cluster: int


SWAP_IN_MEMORY = Swap(mm.DiskConfig(0, 0, 128), swappiness=100, page_cluster=0)
"""A RAM disk, and what is set for one: pages are swapped without hesitation and read one by one, as the yardsticks do it."""
SWAP_OF_2007 = Swap(mm.DiskConfig(), swappiness=60, page_cluster=3)
"""A disk, and the kernel's own settings."""

MODELS = {"2007": "containers2007", "2008": "cgroups2008"}
"""The model that came with the rules of a year."""

Pages = NDArray[np.uint64]
Writes = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Workload:
    pages: Pages
    writes: Writes

    def first(self, count: int) -> Workload:
        return Workload(self.pages[:count], self.writes[:count])


def mixed() -> Workload:
    dice = np.random.default_rng(SEED)
    weights = np.cumsum(1.0 / np.arange(1, NR_PAGES + 1))
    ranks = np.searchsorted(weights, dice.random(NR_ACCESSES) * weights[-1]).clip(max=NR_PAGES - 1)
    pages = dice.permutation(NR_PAGES)[ranks].astype(np.uint64)
    in_loop = dice.random(NR_ACCESSES) < PERCENT_LOOP / 100
    pages[in_loop] = np.arange(np.count_nonzero(in_loop), dtype=np.uint64) % np.uint64(NR_LOOP_PAGES)
    writes = (dice.random(NR_ACCESSES) < PERCENT_WRITES / 100).astype(np.uint8)
    return Workload(pages, writes)


def hits() -> Workload:
    """Half the limit's pages, again and again."""
    dice = np.random.default_rng(SEED)
    pages = dice.integers(0, LIMIT_PAGES // 2, NR_ACCESSES, dtype=np.uint64)
    return Workload(pages, (dice.random(NR_ACCESSES) < PERCENT_WRITES / 100).astype(np.uint8))


def each_page_once(npages: int) -> Workload:
    """Written in order: each access beyond the limit is a fault, with reclaim and a page swapped out."""
    return Workload(np.arange(npages, dtype=np.uint64), np.ones(npages, np.uint8))


@dataclass(slots=True)
class Driver:
    """A machine whose tasks, one a container, share the pages of a workload: page p is task p % nr's."""

    machine: mm.Machine
    tasks: list[mm.Task]

    @classmethod
    def of(cls, nr_tasks: int = 1, limit_pages: int = LIMIT_PAGES, ram_bytes: int = RAM_BYTES, swap_bytes: int = 8 << 30,
           engine: ModuleType = chosen_engine, swap: Swap = SWAP_IN_MEMORY, year: str = "2007") -> Driver:  # fmt: skip
        config = mm.MachineConfig(ram_bytes=ram_bytes, swap_bytes=swap_bytes, disk=swap.disk, rules=year, model=MODELS[year])
        machine = mm.Machine(config, engine)
        machine.set_sysctl("swappiness", swap.swappiness)
        machine.set_sysctl("page-cluster", swap.page_cluster)
        tasks = []
        for number in range(nr_tasks):
            container = machine.create_container()
            container.limit = limit_pages // nr_tasks
            tasks.append(machine.spawn(1000 + number, container))
        return cls(machine, tasks)

    def batches(self, workload: Workload) -> list[tuple[mm.Task, Workload]]:
        """What is driven through which task, in turn."""
        if len(self.tasks) == 1:
            starts = range(0, len(workload.pages), BATCH)
            parts = (Workload(workload.pages[at : at + BATCH], workload.writes[at : at + BATCH]) for at in starts)
            return [(self.tasks[0], part) for part in parts]
        nr_tasks = np.uint64(len(self.tasks))
        batches = []
        for at in range(0, len(workload.pages), SHARE * len(self.tasks)):
            pages = workload.pages[at : at + SHARE * len(self.tasks)]
            writes = workload.writes[at : at + SHARE * len(self.tasks)]
            owners = pages % nr_tasks
            order = np.argsort(owners, kind="stable")
            cuts = np.searchsorted(owners[order], np.arange(len(self.tasks) + 1))
            for number, task in enumerate(self.tasks):
                own = order[cuts[number] : cuts[number + 1]]
                batches.append((task, Workload(pages[own] // nr_tasks, writes[own])))
        return batches

    def rate(self, workload: Workload) -> float:
        """Accesses a second."""
        batches = self.batches(workload)
        started = time.perf_counter()
        for task, part in batches:
            task.access(part.pages, part.writes)  # type: ignore[arg-type]
        return len(workload.pages) / (time.perf_counter() - started)

    def counts(self) -> str:
        events = self.machine.vmstat()
        minor, major = sum(task.min_flt for task in self.tasks), sum(task.maj_flt for task in self.tasks)
        return (
            f"{minor:,} minor and {major:,} major faults; {total(events, 'pgscan_'):,} inactive and "
            f"{total(events, 'pgrefill_'):,} active pages scanned; {events['pswpin']:,} read from swap, "
            f"{events['pswpout']:,} written"
        )


def total(events: dict[str, int], prefix: str) -> int:
    """The count of an event in all zones."""
    return sum(count for name, count in events.items() if name.startswith(prefix))


def save_oracle_general(workload: Workload, path: Path) -> None:
    """As libcachesim's native reader takes it: time u32, page u64, size u32 (1), next access i64 (none)."""
    records = np.zeros(len(workload.pages), np.dtype([("time", "<u4"), ("id", "<u8"), ("size", "<u4"), ("next", "<i8")]))
    records["id"] = workload.pages
    records["size"] = 1
    records["next"] = -1
    records.tofile(path)
