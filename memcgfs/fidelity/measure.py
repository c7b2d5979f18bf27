"""Numbers of a run, recorded or ours, and how the two are held against each other.

Rules
- On a disk that answers at once the recorded kernel did the same in every repeat: ours is held to the first of them exactly. Two figures
  may differ for a cause that is none of the group's (`cause_of_difference`).
- On any other disk repeats differ. Ours is held to what lies between the least and the most that was recorded, and as far again on
  either side, or a tenth, whichever is more: two or three repeats do not show all of the spread.
- The recording's clock also ran while its processor worked, which took it up to CPU_S_PER_ACCESS an access; ours runs in waits only.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from .row import Figure

Bits = NDArray[np.uint8]
PAGE_BYTES: Final = 4096
COUNTERS: Final = ("pgactivate", "pgdeactivate", "pgrefill", "pgsteal", "pswpin", "pswpout", "pgrotated", "nr_vmscan_write")
STATS: Final = ("cache", "rss", "active", "inactive")
REGIONS: Final = ("A", "B")
CPU_S_PER_ACCESS: Final = 25e-6
CLOCK_SLACK_S: Final = 0.05
TENTH: Final = 0.1
LEAST_SPREAD: Final = 2
WORDS_PER_PAGE: Final = PAGE_BYTES // 4

PDFLUSH: Final = (
    "pdflush cleans and write-protects pages of the mapping while somebody waits 100 ms; when it is woken by a pass that needs no wait, "
    "the recorded scheduler lets the task go on first, by its processor time, which is not emulated"
)
STRING_READ_AGAIN: Final = (
    "the recorder read its file of page numbers a second time in this repeat; the kernel activated its pages, of 1024 numbers each"
)
DISK_TIMES: Final = (
    "when the disk is done: its requests were merged, plugged for 3 ms, and each that was done woke who waited for congestion; "
    "here a request is a page, and the wait goes to its end"
)


@dataclass(frozen=True, slots=True)
class Run:
    """Numbers by name; bitmaps, a byte for each bit; what was counted in each 1,000 accesses."""

    numbers: Mapping[str, float]
    bitmaps: Mapping[str, Bits] = field(default_factory=dict)
    per_1000: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What the rules ask of a case."""

    nr_accesses: int
    is_synchronous: bool
    has_anonymous: bool
    writes_file: bool

    @property
    def is_exact(self) -> bool:
        """Reads of a file take as long as they take; which pages they find does not depend on it."""
        return self.is_synchronous or not self.has_anonymous


def recorded_run(run: Mapping[str, Any], nr_accesses: int) -> Run:
    """A run of a trace case's record; of a repeat the record has only what differed. Raises KeyError, TypeError, ValueError."""
    end = run["end"]
    numbers = {
        "misses": run["misses_total"],
        "minor faults": run["minflt_total"],
        "failcnt": end["failcnt"],
        **counted({}, run["vmstat"]),
        "end usage": end["usage_in_bytes"] // PAGE_BYTES,
        **{f"end {name}": end["stat"][name] // PAGE_BYTES for name in STATS},
        "seconds": run["seconds"],
    }
    bitmaps = {}
    if "miss_b64" in run:
        bitmaps["miss_b64"] = unpacked(run["miss_b64"], nr_accesses)
    for region in REGIONS:
        marks = run.get(f"end_{region}", {})
        if "cached" in marks:
            numbers[f"end resident {region}"] = marks["cached"]
        if "cached_b64" in marks:
            bitmaps[f"end_{region}_b64"] = unpacked(marks["cached_b64"], marks["pages"])
    return Run(numbers, bitmaps, run.get("misses_per_1000", ()))


def counted(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, int]:
    """What /proc/vmstat counted in between, of all zones together."""
    found = dict.fromkeys(COUNTERS, 0)
    for key, amount in after.items():
        name = key if key in found else key.partition("_")[0]
        if name in found:
            found[name] += amount - before.get(key, 0)
    return found


def unpacked(text: str, nr_bits: int) -> Bits:
    """The first bit is the lowest of the first byte."""
    return np.unpackbits(np.frombuffer(base64.b64decode(text), np.uint8), count=nr_bits, bitorder="little")


def packed(bits: Bits) -> str:
    return base64.b64encode(np.packbits(bits, bitorder="little").tobytes()).decode()


def first_difference(recorded: Bits, ours: Bits) -> int | None:
    common = min(len(recorded), len(ours))
    places = np.flatnonzero(recorded[:common] != ours[:common])
    if len(places):
        return int(places[0])
    return None if len(recorded) == len(ours) else common


def figures(recorded: Sequence[Run], ours: Run, case: Circumstances) -> Iterator[Figure]:
    """One for each number that was recorded, and for each bitmap that must be the same."""
    reference = recorded[0]
    for name, number in ours.numbers.items():
        values = [run.numbers[name] for run in recorded if name in run.numbers]
        if not values:
            continue
        if case.is_synchronous:
            yield exact(name, values[0], number, case)
        else:
            yield within_spread(name, values, number, case)
    if case.is_exact:
        for name, bits in ours.bitmaps.items():
            if name in reference.bitmaps:
                same = first_difference(reference.bitmaps[name], bits) is None
                yield Figure(name, packed(reference.bitmaps[name]), packed(bits), same)
        if reference.per_1000:
            yield Figure("misses per 1000", list(reference.per_1000), list(ours.per_1000), reference.per_1000 == ours.per_1000)


def exact(name: str, recorded: float, ours: float, case: Circumstances) -> Figure:
    if name == "seconds":
        holds = -CLOCK_SLACK_S <= recorded - ours <= CLOCK_SLACK_S + CPU_S_PER_ACCESS * case.nr_accesses
        return Figure(name, recorded, round(ours, 4), holds)
    holds = recorded == ours
    return Figure(name, recorded, ours, holds, "" if holds else cause_of_difference(name, recorded, ours, case))


def cause_of_difference(name: str, recorded: float, ours: float, case: Circumstances) -> str:
    string_pages = -(-case.nr_accesses // WORDS_PER_PAGE)
    if name == "pgactivate" and recorded - ours == string_pages:
        return STRING_READ_AGAIN
    if name in ("nr_vmscan_write", "minor faults") and case.writes_file:
        return PDFLUSH
    return ""


def within_spread(name: str, recorded: Sequence[float], ours: float, case: Circumstances) -> Figure:
    least, most = min(recorded), max(recorded)
    slack = max(most - least, TENTH * most, LEAST_SPREAD)
    holds = least - slack <= ours <= most + slack
    cause = ""
    if not holds and case.has_anonymous and name in ("seconds", "pgrotated"):
        cause = DISK_TIMES
    return Figure(name, [least, most], round(ours, 4), holds, cause)
