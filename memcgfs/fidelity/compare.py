"""A step's result as recorded, beside ours: do they agree?

Contract: `Judge.judge` is asked for each step of a case in turn, and remembers what it needs of those before: which of the recorded pids
is which of ours, when the clock was looked at, what FUSE decided.  Whatever is not named here has to be equal.

- pids: equal where they stand for the same process, throughout the case; process 1 is process 1.
- `now`: the time since the last `now`, within what the recorder's own work took.
- `dmesg`: the lines that the OOM killer writes for a kill; how often the kernel repeats the rest depends on what it printed before.
- `/proc/swaps`: but for the priorities that the kernel gives by itself, each the next lower one.
- errnos: by name, also those that the recorder knew by number only.
- `vmstat1`: the counters of `VMSTAT`.
- The top group had the recorded machine's own processes in it: of a `snap` there, what has changed since the first.
- `progress` of who died counts on from an earlier case, where the process has not touched, read or written a page in this one.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from .applies import FUSE_DECIDES, Decided
from .mounted import CG
from .row import Figure

OWN_WORK_S: Final = 0.05
"""Half a wait of the kernel's: what the recorder itself took between two looks at the clock, where the machine counts waits alone."""
VMSTAT: Final = (
    "pgpgin", "pswpin", "pswpout", "pgactivate", "pgdeactivate", "pgmajfault", "pgrefill_dma", "pgrefill_dma32",
    "pgsteal_dma", "pgsteal_dma32", "pgscan_kswapd_dma", "pgscan_kswapd_dma32", "pgscan_direct_dma", "pgscan_direct_dma32", "slabs_scanned",
    "kswapd_steal", "pageoutrun", "allocstall", "pgrotated", "nr_vmscan_write",
)  # fmt: skip
"""Left out: pgalloc, pgfree, nr_*: the kernel's own objects, and everybody's pages; pgpgout: blocks of metadata that are written at
times of their own; pgfault: that of the recorder's driver itself; pginodesteal: there are no inodes to steal from."""

_KILLS = (
    re.compile(r"(Memory cgroup out of memory): kill process (\d+) \(.*\) score (-?\d+) or a child"),
    re.compile(r"(Killed process) (\d+) \(.*\)"),
    re.compile(r"(VM: killing process) .*"),
)
_PIDS = re.compile(r"(?:\d+\n)*")
_GIVEN_PRIORITY = re.compile(r"\t-\d+\n")
_HIERARCHY = re.compile(r"\d+:(memory:.*\n)")


class Judge:
    def __init__(self) -> None:
        self._pids: dict[int, int] = {1: 1, 2: 2}
        self._clocks: tuple[float, float] | None = None
        self._top: tuple[Mapping[str, Any], Mapping[str, Any]] | None = None
        self._decided: dict[str, Decided] = {}
        self._kept: dict[str, str] = {}

    def judge(self, number: int, actor: str, command: str, recorded: dict[str, Any], ours: dict[str, Any]) -> Figure:
        name, *words = command.split(" ")
        if name == "openkeep":
            self._kept[words[0]] = words[1]
        elif name in ("kread", "kwrite"):
            words[0] = self._kept.get(words[0], words[0])
        for rule in FUSE_DECIDES:
            if rule.touches(name, words):
                self._decided[words[0]] = rule
        holds = self._agree(name, words, recorded, ours)
        decided = self._decided.get(words[0]) if words and not holds else None
        cause = f"FUSE decides: {decided.what}: {decided.why}" if decided is not None else ""
        return Figure(f"{number} {actor} {command}", recorded, ours, holds, cause)

    def _agree(self, name: str, words: Sequence[str], recorded: dict[str, Any], ours: dict[str, Any]) -> bool:
        if "errno" in recorded:
            recorded = {**recorded, "errno": errno_name(recorded["errno"])}
        if "died" in recorded or "died" in ours:
            return self._same_death(recorded, ours)
        if name == "now":
            return self._same_time(recorded["s"], ours["s"])
        if name == "dmesg":
            return same_kills(log_lines(recorded), log_lines(ours), self._same_pid)
        if name == "vmstat1":
            return all(recorded.get(counter, 0) == ours.get(counter, 0) for counter in VMSTAT)
        if name == "snap" and words[0] == CG:
            return self._same_change(recorded, ours)
        if name in ("write", "writet", "kwrite") and any("$" in word for word in words) and "bytes" in recorded:
            return "bytes" in ours
        if name == "read" and words[0].endswith("/cgroup") and "data" in recorded:
            return [_HIERARCHY.sub(r"\1", found.get("data", "")) for found in (recorded, ours)].count(self._own(recorded)) == 2
        if name in ("read", "kread") and words[0].endswith("/tasks") and "data" in recorded:
            return self._same_tasks(recorded["data"], ours.get("data", ""))
        if name == "read" and words[0] == "/proc/swaps" and "data" in recorded and "data" in ours:
            return _GIVEN_PRIORITY.sub("\t-\n", recorded["data"]) == _GIVEN_PRIORITY.sub("\t-\n", ours["data"])
        return recorded == ours

    @staticmethod
    def _own(recorded: Mapping[str, str]) -> str:
        return _HIERARCHY.sub(r"\1", recorded["data"])

    def _same_pid(self, recorded: int, ours: int) -> bool:
        """One of ours for each recorded one, the same every time."""
        if recorded not in self._pids and ours not in self._pids.values():
            self._pids[recorded] = ours
        return self._pids.get(recorded) == ours

    def _same_tasks(self, recorded: str, ours: str) -> bool:
        """Both ascend, and pids were given in order."""
        pairs = (found.split() for found in (recorded, ours))
        first, second = ([int(word) for word in words] for words in pairs)
        return len(first) == len(second) and all(self._same_pid(*pair) for pair in zip(first, second, strict=True))

    @staticmethod
    def _same_death(recorded: Mapping[str, Any], ours: Mapping[str, Any]) -> bool:
        first, second = ({key: value for key, value in found.items() if key != "progress"} for found in (recorded, ours))
        return first == second and ours.get("progress") in (None, recorded.get("progress"))

    def _same_time(self, recorded: float, ours: float) -> bool:
        before, self._clocks = self._clocks, (recorded, ours)
        return before is None or abs((recorded - before[0]) - (ours - before[1])) <= OWN_WORK_S

    def _same_change(self, recorded: Mapping[str, Any], ours: Mapping[str, Any]) -> bool:
        before, now = self._top, (amounts(recorded), amounts(ours))
        self._top = self._top or now
        return before is None or all(
            now[0][name] - before[0][name] == now[1][name] - before[1][name] for name in now[0] if name != "ntasks"
        )


def errno_name(name: str) -> str:
    """The recorder knew some by number only.

    >>> errno_name("E10"), errno_name("EBUSY")
    ('ECHILD', 'EBUSY')
    """
    return errno.errorcode.get(int(name[1:]), name) if name[1:].isdecimal() else name


def amounts(snap: Mapping[str, Any]) -> dict[str, int]:
    return {**{name: value for name, value in snap.items() if name != "stat"}, **snap.get("stat", {})}


def log_lines(found: Mapping[str, Any]) -> list[str]:
    lines: list[str] = found["log_killing_lines"] if "log_killing_lines" in found else found.get("log", "").splitlines()
    return [re.sub(r"^<\d>", "", line) for line in lines]


def kills(lines: Sequence[str]) -> list[tuple[str, ...]]:
    found = (pattern.fullmatch(line) for line in lines for pattern in _KILLS)
    return [match.groups() for match in found if match is not None]


def same_kills(recorded: Sequence[str], ours: Sequence[str], same_pid: Callable[[int, int], bool] = lambda *pids: True) -> bool:
    first, second = kills(recorded), kills(ours)
    return len(first) == len(second) and all(
        one[0] == other[0] and one[2:] == other[2:] and (len(one) == 1 or same_pid(int(one[1]), int(other[1])))
        for one, other in zip(first, second, strict=True)
    )
