"""Faults: each with reclaim and a page swapped out, beside the host kernel's plain minor faults; what one costs as the
machine's population grows; and what compiling the engine gains.

    python benchmarks/bench_faults.py [--rounds N]

The yardsticks are kernel_faults.c on this host, the smallest population, and the uncompiled engine.
"""

from __future__ import annotations

import argparse
from functools import partial

import numpy as np
from rounds import alternate, medians, print_rates, rate_of_c
from workloads import NR_PAGES, SWAP_OF_2007, Driver, Workload, each_page_once, mixed, total

from memcgfs import mm
from memcgfs.mm import pure
from memcgfs.mm.engine import engine as compiled

KERNEL_RATIO = 10
PREFIX = 200_000
PREFIX_LIMIT = 20_000
NR_FAULTS = 500_000


def bench_reclaim(rounds: int) -> None:
    workload = each_page_once(NR_PAGES)
    counted = Driver.of()
    counted.rate(workload)
    turns = {
        "kernel, minor faults": rate_of_c("kernel_faults"),
        "memcgfs, fault and swap-out": lambda: Driver.of().rate(workload),
        "the same, swap as in 2007": lambda: Driver.of(swap=SWAP_OF_2007).rate(workload),
        "fault and swap-out, Linux 2.6.25": lambda: Driver.of(year="2008").rate(workload),
    }
    measured = alternate(turns, rounds)
    print_rates("a fault for each access", measured, "kernel, minor faults", KERNEL_RATIO)
    print(f"  {counted.counts()}")


POPULATIONS = {
    "limit of 1,000 pages": (1, 1_000),
    "limit of 100,000 pages": (1, 100_000),
    "100 containers of 1,000 pages": (100, 100_000),
}
"""By name: the number of containers, and of the pages that they may have together."""


def full(nr_tasks: int, limit_pages: int) -> tuple[Driver, Workload]:
    """Containers that are at their limits, and what makes each access of theirs a fault."""
    driver = Driver.of(nr_tasks, limit_pages)
    driver.rate(each_page_once(2 * limit_pages))
    fresh = each_page_once(NR_FAULTS)
    return driver, Workload(fresh.pages + np.uint64(2 * limit_pages), fresh.writes)


def fault_rate(nr_tasks: int, limit_pages: int) -> float:
    driver, workload = full(nr_tasks, limit_pages)
    return driver.rate(workload)


def looked_at(nr_tasks: int, limit_pages: int) -> float:
    """Pages of either list that reclaim looks at for a fault."""
    driver, workload = full(nr_tasks, limit_pages)
    before = nr_looked_at(driver)
    driver.rate(workload)
    return (nr_looked_at(driver) - before) / NR_FAULTS


def nr_looked_at(driver: Driver) -> int:
    events = driver.machine.vmstat()
    return total(events, "pgscan_") + total(events, "pgrefill_")


def bench_growth(rounds: int) -> None:
    turns = {name: partial(fault_rate, *population) for name, population in POPULATIONS.items()}
    measured = medians(alternate(turns, rounds))
    smallest = next(iter(measured.values()))
    print("\ncost of a fault with reclaim and swap-out as the population grows 100 times   (constant, but for caches)")
    for name, rate in measured.items():
        print(f"  {name:34} {1e9 / rate:8.0f} ns {smallest / rate:7.2f}   {looked_at(*POPULATIONS[name]):.1f} pages looked at")


def bench_builds(rounds: int) -> None:
    workload = mixed().first(PREFIX)
    found: dict[str, str] = {}

    def drive(name: str) -> float:
        driver = Driver.of(limit_pages=PREFIX_LIMIT, engine=pure if name == "uncompiled" else compiled)
        rate = driver.rate(workload)
        found[name] = driver.counts()
        return rate

    measured = alternate({name: partial(drive, name) for name in ("uncompiled", "compiled")}, rounds)
    assert found["uncompiled"] == found["compiled"], "the builds disagree"
    print_rates(f"builds, on the first {PREFIX:,} accesses at a limit of {PREFIX_LIMIT:,} pages", measured, "uncompiled")
    print(f"  both: {found['compiled']}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    assert mm.compiled, "benchmarks are of the compiled engine"
    bench_reclaim(rounds)
    bench_growth(rounds)
    bench_builds(min(rounds, 3))


if __name__ == "__main__":
    main()
