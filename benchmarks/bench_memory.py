"""What a machine takes from the host: when it is made, and as its pages are used.

    python benchmarks/bench_memory.py [--rounds N]

Resident memory is measured in a process of its own for each figure: nothing else in it grows meanwhile.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from workloads import BATCH, Driver, Workload, each_page_once

from memcgfs import mm
from memcgfs.mm import PAGE_BYTES
from memcgfs.mm.frames import FRAME_WORDS

FRAMES = 1 << 20
TIB = 1 << 40
WORD_BYTES = 4


def resident_bytes() -> int:
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def apart(measure: Callable[[], tuple[float, ...]]) -> tuple[float, ...]:
    """What `measure` finds in a fresh process."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(measure).result()


def tebibyte() -> tuple[float, float]:
    """Seconds to make a machine of 1 TiB, and bytes it takes."""
    before, started = resident_bytes(), time.perf_counter()
    machine = mm.Machine(mm.MachineConfig(ram_bytes=TIB, swap_bytes=TIB))
    seconds, taken = time.perf_counter() - started, resident_bytes() - before
    assert machine.clock_ns == 0
    return seconds, taken


def used_frames() -> tuple[float, float]:
    """Bytes that a used frame takes: with its entry in a full leaf, and of page tables alone."""
    driver = Driver.of(limit_pages=FRAMES * 2, ram_bytes=(FRAMES + FRAMES // 4) * PAGE_BYTES)
    driver.rate(each_page_once(BATCH))
    before = resident_bytes()
    more = each_page_once(FRAMES)
    driver.rate(Workload(more.pages[BATCH:], more.writes[BATCH:]))
    taken = resident_bytes() - before - more.pages.nbytes - more.writes.nbytes
    tables = driver.tasks[0].page_table_pages * PAGE_BYTES / FRAMES
    return taken / (FRAMES - BATCH), tables


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    seconds, taken = zip(*(apart(tebibyte) for _ in range(rounds)), strict=True)
    print(f"a machine of 1 TiB, with 1 TiB of swap: {statistics.median(seconds):.3f} s   (at most 1)")
    print(f"  host memory that it takes when new: {statistics.median(taken) / 2**20:.1f} MiB")
    together, tables = apart(used_frames)
    print(f"a page in a full leaf: {tables:.1f} bytes   (at most 8)")
    print(f"a frame: {FRAME_WORDS * WORD_BYTES} bytes of descriptor   (at most 48)")
    print(f"  host memory that grows with {FRAMES:,} frames in use: {together - tables:.1f} bytes each, with all else")


if __name__ == "__main__":
    main()
