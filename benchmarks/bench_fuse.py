"""What a request through the mount costs beside a C server's, how fast a mount is ready, and many containers.

    python benchmarks/bench_fuse.py [--rounds N]

The yardstick is fuse_server.c: one control file behind a one-threaded libfuse server.  Server and client are held to
one core, because between two cores the wake-up hides everything else.  Rounds alternate between the servers; medians
are printed.
"""

from __future__ import annotations

import argparse
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from rounds import alternate, medians

HERE = Path(__file__).parent
CORE = max(os.sched_getaffinity(0))
OPTIONS = "ram=64M,swap=64M"
TARGET = 0.5
NR_CONTAINERS = 10_000


def compiled_server() -> Path:
    flags = shlex.split(subprocess.check_output(["pkg-config", "--cflags", "--libs", "fuse3"], text=True))
    server = HERE / "fuse_server"
    subprocess.run(["gcc", "-O2", "-o", server, HERE / "fuse_server.c", *flags], check=True)
    return server


@contextmanager
def mounted(server: list[str]) -> Iterator[Path]:
    """`server DIR`, in the foreground on CORE, until the end of the block."""
    directory = Path(tempfile.mkdtemp())
    outside = directory.stat().st_dev
    with subprocess.Popen(["taskset", "-c", str(CORE), *server, str(directory)]) as daemon:
        while directory.stat().st_dev == outside and daemon.poll() is None:
            time.sleep(0.01)
        try:
            yield directory
        finally:
            subprocess.run(["fusermount3", "-u", directory], check=True)
            daemon.wait(10)
    directory.rmdir()


def rate(call: Callable[[], object], seconds: float = 0.3) -> float:
    """Calls a second."""
    calls, end = 0, time.perf_counter() + seconds
    started = time.perf_counter()
    while (now := time.perf_counter()) < end:
        for _ in range(100):
            call()
        calls += 100
    return calls / (now - started)


def open_read_close(path: Path) -> float:
    def call() -> None:
        descriptor = os.open(path, os.O_RDONLY)
        os.read(descriptor, 4096)
        os.close(descriptor)

    return rate(call)


def pread(path: Path) -> float:
    with open(path, "rb", buffering=0) as file:
        return rate(lambda: os.pread(file.fileno(), 4096, 0))


def write(path: Path) -> float:
    with open(path, "r+b", buffering=0) as file:
        return rate(lambda: os.pwrite(file.fileno(), b"64", 0))


def stat(path: Path) -> float:
    return rate(lambda: os.stat(path))


def bench_requests(rounds: int) -> None:
    servers = {
        "C libfuse": ([str(compiled_server()), "-f", "-o", "default_permissions"], "value"),
        "memcgfs": ([sys.executable, "-m", "memcgfs", "mount", "-f", "-o", OPTIONS], "memory.limit"),
    }

    def turn(server: list[str], name: str, measure: Callable[[Path], float]) -> float:
        with mounted(server) as directory:
            return measure(directory / name)

    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {CORE})
    print(f"{'requests a second':18} {'C libfuse':>12} {'memcgfs':>12} {'of C':>6}   (at least {TARGET})")
    for measure in (open_read_close, pread, write, stat):
        turns = {who: partial(turn, *server, measure) for who, server in servers.items()}
        found = medians(alternate(turns, rounds))
        print(f"{measure.__name__:18} {found['C libfuse']:12,.0f} {found['memcgfs']:12,.0f} "
              f"{found['memcgfs'] / found['C libfuse']:6.2f}")  # fmt: skip
    os.sched_setaffinity(0, cores)


def bench_ready(rounds: int) -> None:
    """The time of `memcgfs mount`, which comes back when the tree is usable."""
    directory = Path(tempfile.mkdtemp())
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-m", "memcgfs", "mount", "-o", OPTIONS, directory], check=True)
        times.append(time.perf_counter() - started)
        subprocess.run([sys.executable, "-m", "memcgfs", "umount", directory], check=True)
    directory.rmdir()
    print(f"mount ready: {statistics.median(times):.3f} s   (at most 0.3)")


def bench_containers() -> None:
    with mounted([sys.executable, "-m", "memcgfs", "mount", "-f", "-o", OPTIONS]) as directory:
        times = []
        for number in range(NR_CONTAINERS):
            started = time.perf_counter()
            os.mkdir(directory / f"c{number}")
            times.append(time.perf_counter() - started)
        first, last = (statistics.median(part) * 1e6 for part in (times[:1000], times[-1000:]))
        print(f"{NR_CONTAINERS:,} containers: {sum(times):.2f} s   (at most 10)")
        print(f"one of the first 1,000: {first:.0f} us, one of the last: {last:.0f} us")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    bench_requests(rounds)
    bench_ready(rounds)
    bench_containers()


if __name__ == "__main__":
    main()
