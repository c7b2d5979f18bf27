"""Step cases: what processes did to control files, memory and files, played on a mount by real processes, step by step.

The mount is the recorded machine: its memory, its swap, its disks.  Each case has a machine of its own; what an earlier case had left
behind on the recorded one is made first (`before`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, replace
from typing import Any, Final

from ..options import Disk, Options, parse_options
from . import stage
from .actors import Troupe
from .applies import why_not
from .before import Before
from .calls import OK
from .cases import Case, CaseError
from .compare import Judge, same_kills
from .mounted import MACHINE, look
from .row import Figure, Row
from .stage import AGENT, StageError, play
from .trace import IDE_DISK, MALFORMED, RAM_DISK, has_ram_disks

PROCESS_1: Final = re.compile(r"kill process 1 \(")
LIVELOCK: Final = (
    ("m", "mkdir /cg/A", OK),
    ("m", "new 1", OK),
    ("1", "map A anon 300", OK),
    ("m", "oom_adj $1 -17", OK),
    ("m", "write /cg/A/memory.limit_in_bytes 1048576", OK),
    ("m", "write /cg/A/tasks $1", OK),
    ("1", "touch A 0 300 w", OK),
    ("m", "dmesg", OK),
)
LIVELOCK_ENDS: Final = "the kernel goes round for ever; the machine says so once, and goes on"


def options_of(record: Mapping[str, Any]) -> Options:
    """Of the mount.  Swap is added by the driver, as the recorder added it."""
    names = "noprefix" if has_bare_names(record["steps"]) else "memory"
    machine = f"machine=2.6.25-pc,ram={record['ram_mib']}M,swap=0,arch={record['arch']}"
    options = parse_options(f"dialect=2008,{machine},{names},release_agent={AGENT}")
    return replace(options, disk=Disk(*astuple(RAM_DISK if has_ram_disks(record) else IDE_DISK)))


def has_bare_names(steps: Sequence[Sequence[Any]]) -> bool:
    return any("noprefix" in command.split(" ")[-1].split(",") for _, command, _ in steps if command.startswith("mount "))


def run_step_cases(cases: Iterable[Case]) -> Iterator[Row]:
    reason = stage.why_not()
    for case in cases:
        yield Row(case.id, case.kind, (), cause=f"not played: {reason}") if reason else run_step_case(case)


def run_step_case(case: Case) -> Row:
    steps = case.record.get("steps", LIVELOCK)
    try:
        reason = why_not(steps)
        options_of({**case.record, "steps": steps})
        nr_skews({**case.record, "steps": steps})
    except MALFORMED as error:
        raise CaseError(f"{case.path}: {case.id}: is not recorded as {case.kind} cases are ({error!r})") from None
    if reason:
        return Row(case.id, case.kind, (), cause=reason, applies=False)
    if steps is LIVELOCK:
        return run_livelock(case)
    try:
        figures = best_played(case)
    except StageError as interrupted:
        return Row(case.id, case.kind, (), cause=interrupted.reason)
    differing = [number for number, figure in enumerate(figures) if not figure.holds]
    unexplained = [number for number in differing if not figures[number].cause]
    first = next(iter(unexplained or differing), None)
    cause = "" if first is None or unexplained else figures[first].cause
    return Row(case.id, case.kind, tuple(figures), first, cause)


def run_livelock(case: Case) -> Row:
    """The kernel went round for ever, and was stopped by hand, so that there are no steps: only how often it said what.  Here a group that
    is full of a task that nobody may kill has to say it once, and to go on."""
    record = {**case.record, "steps": LIVELOCK}
    if PROCESS_1.search(record.get("last_line", "")):
        return Row(case.id, case.kind, (), cause="process 1 is no task of the machine", applies=False)
    try:
        told = play(options_of(record), lambda: perform(record))
    except StageError as interrupted:
        return Row(case.id, case.kind, (), cause=interrupted.reason)
    lines = [line for line in told["results"][-1]["log"].splitlines() if "kill process" in line]
    figures = (
        Figure("last_line", record.get("last_line"), lines[-1] if lines else "", same_kills([record.get("last_line", "")], lines[-1:])),
        Figure("kill_lines_printed", record.get("kill_lines_printed"), len(lines), holds=False, cause=LIVELOCK_ENDS),
        Figure(".machine/check", "ok", told["check"].rstrip("\n"), told["check"] == "ok\n"),
    )
    return Row(case.id, case.kind, figures, cause=LIVELOCK_ENDS)


def best_played(case: Case) -> list[Figure]:
    best: list[Figure] = []
    for skew in range(nr_skews(case.record)):
        figures = played(case, skew)
        if not best or nr_unexplained(figures) < nr_unexplained(best):
            best = figures
        if nr_unexplained(best) == 0:
            break
    return best


def nr_unexplained(figures: Sequence[Figure]) -> int:
    return sum(not figure.holds and not figure.cause for figure in figures)


def nr_skews(record: Mapping[str, Any]) -> int:
    """Where swap is read ahead, block by block, it matters which slot of its block the case's first page gets, and that earlier cases
    have decided: each is possible.  Elsewhere it does not."""
    clusters = [record.get("page_cluster", 0)]
    for _, command, _ in record["steps"]:
        name, *words = command.split(" ")
        if name in ("write", "writet") and words[0].endswith("/page-cluster"):
            clusters.append(int(words[1]))
    return 1 << max(clusters) if record["swap_pages"] else 1


def played(case: Case, skew: int) -> list[Figure]:
    record = case.record
    told = play(options_of(record), lambda: perform(record, skew))
    judge = Judge()
    figures = [
        judge.judge(number, actor, command, recorded, ours)
        for number, ((actor, command, recorded), ours) in enumerate(zip(record["steps"], told["results"], strict=True))
    ]
    if told["check"] != "ok\n":
        figures.append(Figure(".machine/check", "ok", told["check"], holds=False))
    return figures


def perform(record: Mapping[str, Any], skew: int = 0) -> dict[str, Any]:
    """In the driver."""
    troupe = Troupe(Before(record, skew))
    results = [OK if command.startswith("mount ") else troupe.perform(actor, command) for actor, command, _ in record["steps"]]
    troupe.close()
    return {"results": results, "check": look(f"{MACHINE}/check")}
