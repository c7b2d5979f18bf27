"""`memcgfs replay TRACE [--limit SIZE]...`: drives a trace through one container, or through one for each limit.

Exit status: 0 the whole trace was replayed, 1 a task was killed before its end (what was counted is printed all the
same) or the machine panicked, 2 the trace or an option was not understood.
"""

from __future__ import annotations

import argparse
import dataclasses
from typing import TYPE_CHECKING, Any

from . import NotUnderstood, Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..workload import ReplayResult

DEFAULT_MEMORY = "512M"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("trace", metavar="TRACE",
                        help="output of valgrind --tool=lackey --trace-mem=yes, a .npy array of page numbers whose top "
                             "bit marks a write, or a .csv of rows PAGE,r and PAGE,w; plain, .gz or .zst")  # fmt: skip
    parser.add_argument("--limit", metavar="SIZE", action="append", default=[],
                        help="the container's limit, in whole pages of 4096 bytes; given several times, the trace is "
                             "driven through as many machines side by side (default: no limit)")  # fmt: skip
    parser.add_argument("--ram", metavar="SIZE", default=DEFAULT_MEMORY, help="memory of the machine (%(default)s)")
    parser.add_argument("--swap", metavar="SIZE", default=DEFAULT_MEMORY, help="its swap space (%(default)s)")
    parser.add_argument("--model", metavar="NAME", default="containers2007",
                        help="how pages age and are reclaimed (%(default)s); its kernel's rules say who pays")  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.epilog = "Sizes are bytes, or take K, M, G, T."


def run(arguments: argparse.Namespace) -> int:
    from ..mm import MachinePanicked
    from ..options import OptionError, rules_of_model
    from ..workload import TraceError, replay_side_by_side

    machine = {"ram": arguments.ram, "swap": arguments.swap, "model": arguments.model, "rules": rules_of_model(arguments.model)}
    try:
        results = replay_side_by_side(arguments.trace, arguments.limit or [None], progress=True, **machine)
    except (TraceError, OptionError) as refusal:
        raise NotUnderstood(refusal) from None
    except MachinePanicked as panic:
        raise Refusal(panic) from None
    if arguments.json:
        print_json(arguments.trace, machine, results)
    else:
        print_table(results)
    return 1 if any(result.killed for result in results) else 0


def print_json(trace: str, machine: dict[str, str], results: Sequence[ReplayResult]) -> None:
    import json

    runs: list[dict[str, Any]] = [
        {**dataclasses.asdict(result), "accesses_per_s": round(result.accesses_per_s)} for result in results
    ]
    print(json.dumps({"trace": trace, **machine, "runs": runs}, indent=2))


ROWS: dict[str, Callable[[ReplayResult], str]] = {
    "limit, pages": lambda result: "none" if result.limit is None else f"{result.limit:,}",
    "accesses": lambda result: f"{result.accesses:,}",
    "minor faults": lambda result: f"{result.minor_faults:,}",
    "major faults": lambda result: f"{result.major_faults:,}",
    "pages scanned": lambda result: f"{result.scanned:,}",
    "activated": lambda result: f"{result.activated:,}",
    "deactivated": lambda result: f"{result.deactivated:,}",
    "swapped in": lambda result: f"{result.swapped_in:,}",
    "swapped out": lambda result: f"{result.swapped_out:,}",
    "peak usage": lambda result: f"{result.peak_usage:,}",
    "failcnt": lambda result: f"{result.failcnt:,}",
    "simulated stall": lambda result: f"{result.stall_ns / 1e9:,.3f} s",
    "accesses/s": lambda result: f"{result.accesses_per_s / 1e6:,.1f} M",
}


def print_table(results: Sequence[ReplayResult]) -> None:
    """A column for each run."""
    names_width = max(map(len, ROWS))
    columns = [[text(result) for text in ROWS.values()] for result in results]
    widths = [max(map(len, column)) for column in columns]
    for name, *cells in zip(ROWS, *columns, strict=True):
        print("  ".join([f"{name:{names_width}}", *map(str.rjust, cells, widths)]))
    for result in results:
        if result.killed:
            limit = "without limit" if result.limit is None else f"at limit {result.limit:,}"
            print(f"{limit}: the task was killed after {result.accesses:,} accesses ({result.killed})")
