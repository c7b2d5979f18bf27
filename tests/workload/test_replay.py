"""Replay: what it counts, and that it counts what every other way into the machine does."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from memcgfs import mm
from memcgfs.handles import TaskHandle
from memcgfs.options import OptionError
from memcgfs.tree import Tree
from memcgfs.workload import Batch, ReplayResult, Run, TraceError, replay, replay_side_by_side
from memcgfs.workload.replay import drive

from .conftest import Accesses, lackey_text

SHELF = Path(__file__).parents[2] / "examples/traces/shelf.trace.zst"
SMALL: dict[str, Any] = {"ram": "8M", "swap": "8M"}


def batch(accesses: Accesses) -> Batch:
    pages, writes = zip(*accesses, strict=True)
    return Batch(np.array(pages, np.uint64), np.array(writes, np.uint8))


def counts(result: ReplayResult) -> dict[str, int]:
    """The counts that are not 0."""
    names = """accesses minor_faults major_faults scanned activated deactivated swapped_in swapped_out peak_usage
        failcnt stall_ns""".split()
    return {name: value for name in names if (value := getattr(result, name))}


def written(npages: int) -> list[Batch]:
    return [batch([(page, 1) for page in range(npages)])]


# Counts that can be derived on paper.


def test_pages_that_fit_fault_once() -> None:
    """Ten pages are written twice: ten minor faults, ten charges, and hits."""
    result = replay(written(10) * 2, limit=10 * 4096, **SMALL)
    assert counts(result) == {"accesses": 20, "minor_faults": 10, "peak_usage": 10}
    assert result.limit == 10
    assert not result.killed


def test_pages_that_are_only_read_are_the_zero_page() -> None:
    """A read fault maps the zero page, which is charged to nobody; the write after it is a fault of its own."""
    result = replay([batch([(7, 0), (8, 0), (7, 0), (7, 1), (7, 0)])], **SMALL)
    assert counts(result) == {"accesses": 5, "minor_faults": 3, "peak_usage": 1}
    assert result.limit is None


def test_a_killed_task_ends_its_run() -> None:
    """No swap, a limit of ten: the 11th page is refused six times (once, and five retries with a wait of 100 ms)."""
    result = replay(written(20), limit="40K", ram="64M", swap=0)
    assert (result.accesses, result.failcnt, result.peak_usage, result.minor_faults) == (10, 6, 10, 10)
    assert result.stall_ns >= 500_000_000
    assert "memory" in result.killed


def test_the_rest_of_a_trace_is_read_though_the_task_is_dead() -> None:
    """What is wrong with a trace does not depend on limits."""
    batches = [*written(20), batch([(1 << 35, 0)])]
    with pytest.raises(TraceError, match="access 21: page 0x800000000 is beyond the address space"):
        replay(batches, limit="40K", ram="64M", swap=0)


def test_limits_side_by_side_are_runs_of_their_own() -> None:
    """One is killed, one reclaims, one has room; each as if it were alone."""
    limits: list[int | str | None] = ["4K", "256K", None]
    batches = written(100) * 3
    together = replay_side_by_side(batches, limits, **SMALL)
    alone = [replay(batches, limit=limit, **SMALL) for limit in limits]
    assert [counts(result) for result in together] == [counts(result) for result in alone]
    assert [bool(result.killed) for result in together] == [True, False, False]
    assert [bool(result.swapped_out) for result in together][1:] == [True, False]


# The address space.


def test_the_last_page_of_the_address_space() -> None:
    result = replay([batch([((1 << 35) - 1, 1), (0x1FFEFFF, 1)])], **SMALL)
    assert result.minor_faults == 2


@pytest.mark.parametrize(("arch", "end"), [("x86_64", 1 << 35), ("i386", 3 << 18)])
def test_pages_that_the_architecture_lacks_are_refused(arch: str, end: int, tmp_path: Path) -> None:
    path = tmp_path / "trace"
    path.write_bytes(lackey_text([(3, 1), (end - 1, 1), (end, 0)]))
    with pytest.raises(TraceError, match=rf"^{path}: access 3: page {end:#x} is beyond .*, which ends at {end:#x}$"):
        replay(path, arch=arch, **SMALL)


# Options.


@pytest.mark.parametrize(
    ("limit", "reason"),
    [("64", "whole number of pages"), ("4097", "whole number of pages"), ("", "not a size"), ("16E", "not a size"),
     ("-4K", "not a size"), ("1.5M", "not a size")],
)  # fmt: skip
def test_limits_that_are_none(limit: str, reason: str) -> None:
    with pytest.raises(OptionError, match=rf"^limit={limit}: not a {reason}|^limit={limit}: {reason}"):
        Run(limit)


def test_the_machine_s_options_are_those_of_a_mount() -> None:
    with pytest.raises(OptionError, match=r"^ram=0: "):
        replay(written(1), ram=0)


# One trace, every way in.


def trace_of(seed: int, nr_accesses: int) -> Accesses:
    """Reads and writes of 200 pages, most of them of a few."""
    dice = Random(seed)
    return [(dice.choice([dice.randrange(200), dice.randrange(20)]), dice.randrange(2)) for _ in range(nr_accesses)]


def by_ctl(tree: Tree, task: TaskHandle, page: int, write: int) -> None:
    task.ctl(f"touch {page} 1 {'rw'[write]}")


def by_mem(tree: Tree, task: TaskHandle, page: int, write: int) -> None:
    handle = tree.fs.open(tree.fs.find(b".machine/tasks/1000/mem").ino, os.O_RDWR, tree.owner)
    if write:
        tree.fs.write(handle, page * 4096 + 7, b"x")
    else:
        tree.fs.read(handle, page * 4096 + 7, 1)
    tree.fs.release(handle)


def by_touch(tree: Tree, task: TaskHandle, page: int, write: int) -> None:
    task.touch(page, 1, write=bool(write))


def by_access(tree: Tree, task: TaskHandle, page: int, write: int) -> None:
    task.access([page], [write])


def by_replay(accesses: Accesses, limit: int) -> Tree:
    run = Run(limit * 4096, **SMALL)
    run.task.mmap(0, 512)
    drive([run], [batch(accesses[:777]), batch(accesses[777:])], "the trace")
    return run.tree


def one_by_one(way: Callable[[Tree, TaskHandle, int, int], None]) -> Callable[[Accesses, int], Tree]:
    def enter(accesses: Accesses, limit: int) -> Tree:
        tree = Tree(**SMALL)
        directory = tree.mkdir("replay")
        directory["memory.limit"] = limit
        task = tree.spawn(1000, directory)
        task.ctl("mmap 0 512 anon")
        for page, write in accesses:
            way(tree, task, page, write)
        return tree

    return enter


WAYS = [by_replay, one_by_one(by_ctl), one_by_one(by_mem), one_by_one(by_touch), one_by_one(by_access)]


def everything(tree: Tree) -> Iterator[object]:
    """Every count that the machine has, and the order of its lists."""
    machine = tree.machine
    machine.check()
    yield machine.vmstat()
    yield machine.meminfo()
    yield machine.zones()
    yield machine.clock_ns
    yield machine.log
    task = machine.tasks[1000]
    yield task.min_flt, task.maj_flt, task.stall_ns, task.utime_ns, task.counts(), task.total_vm, task.pagemap(0, 512)
    container = task.container
    yield container.usage, container.failcnt, container.peak, container.lists()


@pytest.mark.parametrize("limit", [30, 64, 1000])
def test_every_way_in_counts_the_same(limit: int) -> None:
    accesses = trace_of(seed=limit, nr_accesses=2000)
    expected, *others = [list(everything(way(accesses, limit))) for way in WAYS]
    for other in others:
        assert other == expected
    if limit < 200:
        assert expected[0]["pswpin"] > 0  # type: ignore[index]


# The trace that comes with the project.


RECORDED: list[dict[str, int]] = [
    {
        "accesses": 6_282_750,
        "minor_faults": 70_293,
        "major_faults": 53_584,
        "scanned": 1_001_847,
        "activated": 32_192,
        "deactivated": 407_038,
        "swapped_in": 374_577,
        "swapped_out": 42_219,
        "peak_usage": 40,
        "failcnt": 13_901,
        "stall_ns": 1_397_380_036_120,
    },
    {
        "accesses": 6_282_750,
        "minor_faults": 2_046,
        "major_faults": 871,
        "scanned": 10_789,
        "activated": 945,
        "deactivated": 6_808,
        "swapped_in": 5_632,
        "swapped_out": 1_408,
        "peak_usage": 96,
        "failcnt": 139,
        "stall_ns": 6_682_029_240,
    },
    {
        "accesses": 6_282_750,
        "minor_faults": 521,
        "peak_usage": 294,
    },
]
"""At limits of 40, 96 and 512 pages."""


@pytest.mark.slow
@pytest.mark.skipif(not mm.compiled, reason="six million accesses take the compiled engine")
def test_the_recorded_trace() -> None:
    """Recorded counts, as a warning: they change only when the machine's behaviour is changed on purpose."""
    results = replay_side_by_side(SHELF, ["160K", "384K", "2M"])
    assert [counts(result) for result in results] == RECORDED
