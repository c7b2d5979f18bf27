"""The page cache: reads of a file that is cached, beside the host kernel's; and reads of one that is larger than the container's limit,
so that each page is read in, charged, and pushes another one out.

    python benchmarks/bench_files.py [--rounds N]

The yardstick is kernel_reads.c on this host: pread of 4 KiB from a file in memory. It copies the bytes, which the engine's read leaves to
who wants them; one row has them copied as well, by the call that an open file of a mount makes. The disk answers at once.
"""

from __future__ import annotations

import argparse
import time
from functools import partial

from rounds import alternate, medians, print_rates, rate_of_c
from workloads import Driver, total

from memcgfs import mm
from memcgfs.mm import PAGE_BYTES

NR_PAGES = 50_000
READS_AT_ONCE = 32
"""Pages a read(2), as cp(1) asks for: 128 KiB."""
NR_ROUNDS = 10
POPULATIONS = {
    "a file of 10,000 pages, limit of 1,000": (1, 10_000, 1_000),
    "a file of 100,000 pages, limit of 10,000": (1, 100_000, 10_000),
    "100 files of 1,000 pages, limit of 10,000": (100, 1_000, 10_000),
}
"""By name: the number of files, the pages of each, and the limit of the container that reads them in turn."""
NR_READS = 400_000


def written(driver: Driver, npages: int) -> mm.File:
    """A file whose pages have blocks, and are on the disk and nowhere else."""
    file = driver.machine.create_file()
    driver.tasks[0].write_file(file, 0, npages)
    driver.tasks[0].fsync_file(file)
    driver.tasks[0].fadvise_file(file, "dontneed", 0, 0)
    return file


def read_all(driver: Driver, file: mm.File) -> int:
    """From start to end; how many pages."""
    npages = file.size // PAGE_BYTES
    for page in range(0, npages, READS_AT_ONCE):
        driver.tasks[0].read_file(file, page, READS_AT_ONCE)
    return npages


def cached_rate() -> float:
    """Pages a second of a file that is in the page cache."""
    driver = Driver.of(limit_pages=2 * NR_PAGES)
    file = written(driver, NR_PAGES)
    read_all(driver, file)
    started = time.perf_counter()
    for _ in range(NR_ROUNDS):
        read_all(driver, file)
    return NR_ROUNDS * NR_PAGES / (time.perf_counter() - started)


def copied_rate() -> float:
    """The same with the bytes, a page a call, as pread(2) of 4 KiB in a mount asks for them."""
    driver = Driver.of(limit_pages=2 * NR_PAGES)
    file = written(driver, NR_PAGES)
    opened = file.open(driver.tasks[0].container)
    read_all(driver, file)
    started = time.perf_counter()
    for page in range(NR_PAGES):
        opened.read(page * PAGE_BYTES, PAGE_BYTES)
    return NR_PAGES / (time.perf_counter() - started)


def bench_cached(rounds: int) -> None:
    turns = {
        "kernel, pread": rate_of_c("kernel_reads"),
        "memcgfs, 32 pages a read": cached_rate,
        "memcgfs, pages with their bytes": copied_rate,
    }
    print_rates("reads of a cached file", alternate(turns, rounds), "kernel, pread")


def reading(nr_files: int, npages: int, limit_pages: int) -> tuple[Driver, list[mm.File]]:
    """A container at its limit, and the files that it has read once, in turn."""
    driver = Driver.of(limit_pages=limit_pages)
    files = [written(driver, npages) for _ in range(nr_files)]
    for file in files:
        read_all(driver, file)
    return driver, files


def missing_rate(nr_files: int, npages: int, limit_pages: int) -> float:
    """Pages a second where none is cached any more when its turn comes."""
    driver, files = reading(nr_files, npages, limit_pages)
    started = time.perf_counter()
    done = 0
    while done < NR_READS:
        for file in files:
            done += read_all(driver, file)
    return done / (time.perf_counter() - started)


def counts(nr_files: int, npages: int, limit_pages: int) -> str:
    driver, files = reading(nr_files, npages, limit_pages)
    before = driver.machine.vmstat()
    done = sum(read_all(driver, file) for file in files)
    after = driver.machine.vmstat()
    driver.machine.check()
    read, looked_at = ((total(after, name) - total(before, name)) for name in ("pgpgin", "pgscan_"))
    return f"{read // 4 / done:.2f} read from the disk, {looked_at / done:.2f} looked at"


def bench_missing(rounds: int) -> None:
    turns = {name: partial(missing_rate, *population) for name, population in POPULATIONS.items()}
    measured = medians(alternate(turns, rounds))
    smallest = next(iter(measured.values()))
    print("\ncost of a page that is read from the disk, with reclaim, as the population grows   (constant, but for caches)")
    for name, rate in measured.items():
        print(f"  {name:44} {1e9 / rate:8.0f} ns {smallest / rate:7.2f}   a page: {counts(*POPULATIONS[name])}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    assert mm.compiled, "benchmarks are of the compiled engine"
    bench_cached(rounds)
    bench_missing(rounds)


if __name__ == "__main__":
    main()
