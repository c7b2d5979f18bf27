"""Replay: the accesses of a trace, made by one task in one container of a machine of its own.

Contract
- `replay` drives a trace through one container, `replay_side_by_side` through several machines in step, one a limit,
  reading the trace once.  The machines are those of `Tree`, with its options and its refusals (OptionError), and all
  accesses enter by `Task.access`, as those of `ctl` and `mem` do.
- A limit is a size: bytes, or text with K, M, G, T; whole pages of 4096 bytes.  None: the container has no limit of its
  own, and is held by the machine's.  0 is taken as it is (in 2007 it means unlimited).
- The counts are the machine's, which does nothing else.  Everything in them but `seconds` (the host's time spent in the
  machine) is the same for every run.
- A task that is killed ends its run there; `killed` says why, `accesses` how far it came.  Others go on.  The rest of
  the trace is read all the same: what is wrong in it does not depend on the limits.
- Pages that the machine's architecture does not have are a TraceError.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from .. import mm, units
from ..options import OptionError
from ..tree import Tree
from .stream import Batch, TraceError
from .trace import Trace, open_trace

PID = 1000
PROGRESS_AFTER_S = 1.0


@dataclass(frozen=True, slots=True)
class ReplayResult:
    """What one container's machine counted.  Pages, but where the name says otherwise."""

    limit: int | None
    accesses: int
    minor_faults: int
    major_faults: int
    scanned: int
    activated: int
    deactivated: int
    swapped_in: int
    swapped_out: int
    peak_usage: int
    failcnt: int
    stall_ns: int
    killed: str
    seconds: float

    @property
    def accesses_per_s(self) -> float:
        return self.accesses / self.seconds if self.seconds else 0.0


class Run:
    """One machine, one container, one task."""

    def __init__(self, limit: int | str | None = None, **options: object) -> None:
        self.limit = limit_pages(limit)
        self.tree = Tree(**options)
        self.task = self.tree.spawn(PID, self.tree.mkdir("replay")).task
        self.container = self.task.container
        if self.limit is not None:
            self.container.limit = self.limit
        self.accesses = 0
        self.killed = ""
        self.seconds = 0.0

    def access(self, batch: Batch) -> None:
        """All of the batch, or as much as the task lives to make."""
        started = time.perf_counter()
        try:
            self.accesses += self.task.access(*batch).done  # type: ignore[arg-type]
        except mm.OutOfMemory as error:
            self.accesses += error.args[1]
            self.killed = self.task.died
        finally:
            self.seconds += time.perf_counter() - started

    def result(self) -> ReplayResult:
        events = self.tree.machine.vmstat()
        return ReplayResult(
            limit=self.limit,
            accesses=self.accesses,
            minor_faults=self.task.min_flt,
            major_faults=self.task.maj_flt,
            scanned=sum(count for name, count in events.items() if name.startswith("pgscan_")),
            activated=events["pgactivate"],
            deactivated=events["pgdeactivate"],
            swapped_in=events["pswpin"],
            swapped_out=events["pswpout"],
            peak_usage=self.container.peak,
            failcnt=self.container.failcnt,
            stall_ns=self.task.stall_ns,
            killed=self.killed,
            seconds=self.seconds,
        )


def limit_pages(limit: int | str | None) -> int | None:
    """A limit in pages.

    >>> limit_pages("1M"), limit_pages(8192), limit_pages(None)
    (256, 2, None)
    """
    if limit is None:
        return None
    nbytes = units.size_bytes(str(limit))
    if nbytes is None:
        raise OptionError(f"limit={limit}: not a size: a whole number, with K, M, G or T behind it or none")
    if nbytes % mm.PAGE_BYTES:
        raise OptionError(f"limit={limit}: not a whole number of pages, which have {mm.PAGE_BYTES} bytes")
    return nbytes // mm.PAGE_BYTES


def replay(trace: str | os.PathLike[str] | Iterable[Batch], *, limit: int | str | None = None,
           progress: bool = False, **options: object) -> ReplayResult:  # fmt: skip
    """Drive a trace (a file, or batches) through one container.  `options` are those of a mount: ram="512M", swap=0."""
    return replay_side_by_side(trace, [limit], progress=progress, **options)[0]


def replay_side_by_side(trace: str | os.PathLike[str] | Iterable[Batch], limits: Sequence[int | str | None], *,
                        progress: bool = False, **options: object) -> list[ReplayResult]:  # fmt: skip
    """Drive a trace through one container for each limit.  Raises TraceError, OptionError."""
    runs = [Run(limit, **options) for limit in limits]
    if not isinstance(trace, str | os.PathLike):
        drive(runs, trace, "the trace")
    else:
        with open_trace(trace) as opened:
            drive(runs, with_progress(opened) if progress else opened, opened.path)
    return [run.result() for run in runs]


def drive(runs: Sequence[Run], batches: Iterable[Batch], name: object) -> None:
    done = 0
    for batch in batches:
        for run in runs:
            refuse_beyond(run.tree.machine.task_pages, batch, name, done)
            if not run.killed:
                run.access(batch)
        done += len(batch.pages)


def refuse_beyond(end: int, batch: Batch, name: object, done: int) -> None:
    """Refuse pages from `end` on."""
    is_beyond = batch.pages >= np.uint64(end)
    if is_beyond.any():
        place = int(np.argmax(is_beyond))
        raise TraceError(name, f"access {done + place + 1}: page {int(batch.pages[place]):#x} is beyond the address "
                               f"space, which ends at {end:#x}")  # fmt: skip


def with_progress(trace: Trace) -> Iterator[Batch]:
    """The trace's batches, with a bar on stderr if that is a terminal and it takes long."""
    bar = tqdm(total=trace.size_bytes or None, unit="B", unit_scale=True, desc=trace.path.name,
               delay=PROGRESS_AFTER_S, leave=False, disable=None)  # fmt: skip
    with bar:
        for batch in trace:
            yield batch
            bar.update(trace.position - bar.n)
