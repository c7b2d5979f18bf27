"""Bulk accesses: the mixed trace, and hits alone, beside libcachesim's LRU.

    python benchmarks/bench_accesses.py [--rounds N]

The yardstick is libcachesim from PyPI: LRU, objects of one unit, its own reader of a binary file, with the hash size it
has by default, with 2^18 slots, and with the size that is best on this trace.  It counts hits and misses; the engine
does all that a machine does, and prints what that was.  Swap lies in memory, and is used as the yardstick uses its cache: a page at a
time, at once; two rows show what the disk and the settings of 2007 make of it.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from rounds import alternate, medians, print_rates
from workloads import (
    LARGE_RAM_BYTES,
    LIMIT_PAGES,
    NR_PAGES,
    RAM_BYTES,
    SWAP_IN_MEMORY,
    SWAP_OF_2007,
    Driver,
    Swap,
    Workload,
    each_page_once,
    hits,
    mixed,
    save_oracle_general,
)

try:
    libcachesim: Any = import_module("libcachesim")
except ImportError:
    sys.exit("bench_accesses: the yardstick is missing: pip install libcachesim")

DEFAULT_HASHPOWER = 24
HASHPOWERS = range(14, 25)
TRACE_RATIO = 2
HITS_RATIO = 10


def lru_rate(trace: Path, hashpower: int) -> float:
    """Accesses a second."""
    ignore_sizes = libcachesim.ReaderInitParam(ignore_obj_size=True)
    reader = libcachesim.TraceReader(str(trace), libcachesim.TraceType.ORACLE_GENERAL_TRACE, ignore_sizes)
    cache = libcachesim.LRU(LIMIT_PAGES, hashpower=hashpower)
    started = time.perf_counter()
    cache.process_trace(reader)
    return float(reader.n_total_req / (time.perf_counter() - started))


def best_hashpowers(trace: Path) -> list[int]:
    """The three that were quickest in one turn each; which of them is the best, the rounds tell."""
    rates = {hashpower: lru_rate(trace, hashpower) for hashpower in HASHPOWERS}
    return sorted(sorted(rates, key=lambda hashpower: rates[hashpower])[-3:])


def quickest(measured: Mapping[str, list[float]], names: Iterable[str]) -> str:
    found = medians(measured)
    return max(names, key=lambda name: found[name])


def lru_variants(trace: Path, hashpowers: Sequence[int]) -> dict[str, Callable[[], float]]:
    return {f"libcachesim LRU, 2^{power} slots": partial(lru_rate, trace, power) for power in hashpowers}


@dataclass(slots=True)
class Drive:
    """The engine's turn.  Keeps the counts of the last one, and the machine is sound after each."""

    workload: Workload
    nr_tasks: int = 1
    before: Workload | None = None
    ram_bytes: int = RAM_BYTES
    swap: Swap = SWAP_IN_MEMORY
    year: str = "2007"
    counts: str = ""

    def __call__(self) -> float:
        driver = Driver.of(self.nr_tasks, ram_bytes=self.ram_bytes, swap=self.swap, year=self.year)
        if self.before is not None:
            driver.rate(self.before)
        rate = driver.rate(self.workload)
        driver.machine.check()
        self.counts = driver.counts()
        return rate


def bench_trace(directory: Path, rounds: int) -> None:
    trace, workload = directory / "mixed", mixed()
    save_oracle_general(workload, trace)
    drives = {
        "1 container": Drive(workload),
        "64 containers": Drive(workload, nr_tasks=64),
        "1 container, all written before": Drive(workload, before=each_page_once(NR_PAGES)),
        "1 container, swap as in 2007": Drive(workload, swap=SWAP_OF_2007),
        "the same, machine of 1 GiB": Drive(workload, ram_bytes=LARGE_RAM_BYTES, swap=SWAP_OF_2007),
        "1 container, Linux 2.6.25": Drive(workload, year="2008"),
    }
    lrus = lru_variants(trace, sorted({DEFAULT_HASHPOWER, 18, *best_hashpowers(trace)}))
    measured = alternate({**lrus, **drives}, rounds)
    print_rates("mixed trace", measured, quickest(measured, lrus), TRACE_RATIO)
    for name, drive in drives.items():
        print(f"  {name}: {drive.counts}")


def bench_hits(directory: Path, rounds: int) -> None:
    trace, workload = directory / "hits", hits()
    save_oracle_general(workload, trace)
    resident = each_page_once(LIMIT_PAGES // 2)
    lrus = lru_variants(trace, best_hashpowers(trace))
    measured = alternate({**lrus, "1 container": Drive(workload, before=resident)}, rounds)
    print_rates("hits alone", measured, quickest(measured, lrus), HITS_RATIO)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    logging.disable(logging.WARNING)
    print(f"libcachesim {libcachesim.__version__}")
    with tempfile.TemporaryDirectory() as name:
        bench_trace(Path(name), rounds)
        bench_hits(Path(name), rounds)


if __name__ == "__main__":
    main()
