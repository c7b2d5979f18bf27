"""Charging cases of Linux 6.18: what each step of some processes charged, and to which groups.

A case's record has its groups, the files that were there before, its steps, and for each of several runs what every step came to. The
steps are done on a tree in this process; `snap` reads the groups' files, some at once, the rest SETTLE_S later, as the recorder did.

| step | does |
|---|---|
| `new NAME`, `end NAME` | a helper starts, ends |
| `move NAME GROUP`, `movechild`, `movethread` | it, its child, or a thread of it is put into a group |
| `NAME COMMAND` | a helper's command (helper.py) |
| `write GROUP FILE TEXT`, `mkdir GROUP`, `rmdir GROUP` | as named |
| `unlink PATH` | a file loses its name |
| `pvwrite NAME NAME REGION PAGES` | one helper writes to another's memory |
| `kill NAME` | as `end` |
| `sleep SECONDS` | time passes |
| `endparent_keep NAME` | nothing: it says what the next step is about |
| `snap LABEL` | the numbers of every group, and of the one above them |
"""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count, zip_longest
from statistics import median_low
from typing import Any, Final

from ...handles import Dir
from ...mm import PAGE_BYTES
from ...tree import Tree
from ..cases import Case, CaseError
from ..row import Figure, Row, last_usage
from .allowances import Situation, Verdict, judge
from .helper import Blocked, Died, Disk, Helper, NotUnderstood

ABOVE: Final = "(above)"
SETTLE_NS: Final = 2_300_000_000
AT_ONCE: Final = {
    "usage_in_bytes": "usage_at_once", "memsw.usage_in_bytes": "memsw_at_once", "kmem.usage_in_bytes": "kmem_at_once",
}  # fmt: skip
SETTLED: Final = {
    "usage_in_bytes": "usage",
    "max_usage_in_bytes": "max",
    "failcnt": "failcnt",
    "memsw.usage_in_bytes": "memsw",
    "memsw.failcnt": "memsw_failcnt",
    "kmem.usage_in_bytes": "kmem",
}
COUNTS: Final = (
    "failcnt", "memsw_failcnt", "pgpgin", "pgpgout", "pgfault", "pgmajfault", "workingset_refault_anon", "workingset_refault_file",
)  # fmt: skip
SWAP_NUMBERS: Final = ("total_swap", "total_swapcached", "total_workingset_refault_anon")
MALFORMED: Final = (LookupError, TypeError, ValueError, AttributeError)
NO_LIMIT: Final = (1 << 63) // PAGE_BYTES - 1
Numbers = dict[str, int]


def run_cases(cases: Iterable[Case]) -> Iterator[Row]:
    return map(run_case, cases)


def run_case(case: Case) -> Row:
    steps, runs = case.record["steps"], case.record["runs"]
    stage = Stage(case.record["groups"], case.record.get("files", ()))
    figures: list[Figure] = []
    first, number = None, 0
    try:
        for number, step in enumerate(steps):
            ours = stage.do(step)
            found = list(compare(f"{number} {' '.join(map(str, step))}", [run[number] for run in runs], ours, stage.nr_forks))
            figures += found
            if first is None and not all(figure.holds for figure in found):
                first = number
    except NotUnderstood as step:
        return Row(case.id, case.kind, (), applies=False, cause=f"no such step here: {step}", kernel=case.kernel)
    except MALFORMED as error:
        raise CaseError(f"{case.path}: {case.id}: step {number} is of what is not there, or was not recorded ({error!r})") from error
    finally:
        stage.end()
    return Row(case.id, case.kind, tuple(figures), first_difference=first, kernel=case.kernel, key=last_usage(figures))


class Stage:
    """A machine with the groups of a case below one of their own, as the recorder had them."""

    def __init__(self, groups: Sequence[str], files: Iterable[tuple[str, int]]) -> None:
        self.tree = Tree(dialect="v1", machine="6.18-vm")
        self.disk = Disk(self.tree)
        for name, npages in files:
            self.disk.make(name, npages)
        self.above = self.tree.mkdir("above")
        self.groups: dict[str, Dir] = {name: self.above.mkdir(name) for name in groups}
        self.helpers: dict[str, Helper] = {}
        self.pids = count(1000)
        self.nr_forks = 0

    def end(self) -> None:
        for helper in self.helpers.values():
            helper.end()
        self.tree.machine.check()

    def do(self, step: Sequence[Any]) -> dict[str, Any]:
        """As recorded: {"result": ...} or {"snap": ...}. Raises NotUnderstood."""
        what, *words = step
        if what == "snap":
            return {"snap": self.snap()}
        if what in self.helpers:
            return {"result": self.command(self.helpers[what], words[0])}
        method = getattr(self, f"do_{what}", None)
        if method is None:
            raise NotUnderstood(" ".join(map(str, step)))
        try:
            return {"result": method(*words)}
        except OSError as refusal:
            return {"result": errno.errorcode[refusal.errno or 0]}

    def command(self, helper: Helper, command: str) -> str:
        verb, *words = command.split()
        if verb in ("fork", "nforks", "thread", "forkz"):
            self.nr_forks += int(words[0]) if verb == "nforks" else 1
        try:
            return helper.do(command)
        except Died:
            return "died"
        except Blocked:
            return "blocked"

    def do_new(self, name: str) -> str:
        self.helpers[name] = Helper(self.tree, self.disk, self.pids.__next__)
        return "ok"

    def do_end(self, name: str) -> int:
        self.helpers.pop(name).end()
        return 0

    def do_kill(self, name: str) -> int:
        return self.do_end(name)

    def do_pvwrite(self, writer: str, target: str, region: str, pages: int) -> str:
        """process_vm_writev from one helper to a region of another."""
        other = self.helpers[target]
        return self.command(self.helpers[writer], f"pvwrite {other.pid} {other.regions[region].start * PAGE_BYTES} {pages}")

    def do_endparent_keep(self, name: str) -> int:
        return 0

    def do_move(self, name: str, group: str) -> int:
        return self.put(self.helpers[name].pid, group)

    def do_movechild(self, name: str, group: str) -> int:
        return self.put(self.helpers[name].children[-1].pid, group)

    def do_movethread(self, name: str, group: str) -> int:
        helper = self.helpers[name]
        self.nr_forks += 1
        helper.do("thread")
        assert helper.thread is not None
        self.groups[group]["tasks"] = helper.thread.pid
        return 0

    def put(self, pid: int, group: str) -> int:
        self.groups[group]["cgroup.procs"] = pid
        return 0

    def do_write(self, group: str, file: str, text: str) -> int:
        self.groups[group].write(file, text.encode())
        return 0

    def do_mkdir(self, group: str) -> int:
        self.groups[group] = self.above.mkdir(group)
        return 0

    def do_rmdir(self, group: str) -> int:
        self.groups[group].rmdir()
        del self.groups[group]
        return 0

    def do_unlink(self, name: str) -> int:
        self.disk.unlink(name)
        return 0

    def do_sleep(self, seconds: float) -> None:
        self.tree.machine.advance(int(seconds * 1e9))

    def snap(self) -> dict[str, Numbers]:
        places = {**self.groups, ABOVE: self.above}
        found = {name: read_numbers(place, AT_ONCE) for name, place in places.items()}
        self.tree.machine.advance(SETTLE_NS)
        for name, place in places.items():
            found[name] |= read_numbers(place, SETTLED) | in_pages(read_stat(place))
        return found


def read_numbers(group: Dir, names: Mapping[str, str]) -> Numbers:
    """Pages and counts, under the names that they have here."""
    return in_pages({name: int(group[f"memory.{file}"]) for file, name in names.items()})


def read_stat(group: Dir) -> Numbers:
    lines = (line.split() for line in group.read("memory.stat").decode().splitlines())
    return {name: int(number) for name, number in lines}


def in_pages(numbers: Mapping[str, int]) -> Numbers:
    return {name: number if name.removeprefix("total_") in COUNTS else number // PAGE_BYTES for name, number in numbers.items()}


def recorded_numbers(snap: Mapping[str, Any]) -> Numbers:
    """Of one group. `usage_at_once` holds all that was read at once, of the group above its usage only."""
    snap = dict(snap)
    at_once = snap.pop("usage_at_once", {})
    stat = snap.pop("stat", {})
    if isinstance(at_once, int):
        at_once = {"usage_in_bytes": at_once}
    return in_pages(
        {AT_ONCE[file]: number for file, number in at_once.items()}
        | {SETTLED[file]: number for file, number in snap.items() if file in SETTLED}
        | stat
    )


def compare(name: str, recorded: Sequence[Mapping[str, Any]], ours: Mapping[str, Any], nr_forks: int) -> Iterator[Figure]:
    """A figure for a step's answer; or for each number of a snap that was not 0 in some run, or is not in ours."""
    if "snap" not in ours:
        answers = [run.get("result") for run in recorded]
        swapped = any("majflt 0" not in str(answer) for answer in answers)
        yield compare_answers(name, answers, ours["result"], Situation(nr_forks, is_swapping=swapped))
        return
    snaps = {group: [recorded_numbers(run["snap"].get(group, {})) for run in recorded] for group in ours["snap"]}
    swaps = any(run.get(number, 0) for runs in snaps.values() for run in runs for number in SWAP_NUMBERS)
    for group, mine in ours["snap"].items():
        runs = snaps[group]
        nr_groups = len(snaps) if group == ABOVE else 1
        given_up = max(run.get("total_pgpgout", 0) for run in runs) if is_left_alone(mine) else 0
        at = Situation(nr_forks, nr_groups, swaps, given_up)
        known = dict.fromkeys(number for run in runs for number in run)
        mentioned = [number for number in known if any(run.get(number, 0) for run in runs) or mine.get(number, 0)]
        unmentioned = [number for number, amount in mine.items() if amount and number not in known and not is_absent(runs, number)]
        for number in mentioned + unmentioned:
            values = [run.get(number, 0) for run in runs]
            ours_here = mine.get(number, 0)
            verdict = judge(number, values, ours_here, at)
            yield Figure(f"{name}: {group} {number}", [min(values), median_low(values), max(values)], ours_here, verdict.holds, verdict.why)


def is_left_alone(numbers: Numbers) -> bool:
    """Has the group no limit, and lost no page here?"""
    return numbers["hierarchical_memory_limit"] >= NO_LIMIT and not numbers["total_pgpgout"]


def is_absent(runs: Sequence[Numbers], number: str) -> bool:
    """Was it not looked at? (Of the statistics those that are 0 were left out, and so are no others.)"""
    return number.endswith("_at_once") or number.startswith("hierarchical") or not any(runs)


def compare_answers(name: str, recorded: Sequence[object], ours: object, at: Situation) -> Figure:
    """Words are the same; of a count of faults each number is within what was recorded; a pid is any."""
    if not isinstance(ours, str) or not isinstance(recorded[0], str):
        return Figure(name, recorded[0], ours, ours in recorded)
    theirs = [words(answer) for answer in recorded if isinstance(answer, str)]
    mine = words(ours)
    verdicts = [
        judge(word, [int(their.get(word, 0)) for their in theirs], value, at)
        if isinstance(value, int)
        else Verdict(any(their.get(word) == value for their in theirs))
        for word, value in mine.items()
    ]
    agree = all(verdict.holds for verdict in verdicts) and all(mine.keys() == their.keys() for their in theirs)
    return Figure(name, recorded[0], ours, agree, next((verdict.why for verdict in verdicts if verdict.why), "") if agree else "")


def words(answer: str) -> dict[str, int | str]:
    """`ok minflt 3 majflt 0` by name; what stands alone is its own value. Numbers of processes say nothing."""
    head, *rest = answer.split() or [""]
    found: dict[str, int | str] = {"": head}
    for name, number in zip_longest(rest[::2], rest[1::2], fillvalue=""):
        found[name] = int(number) if number.isdecimal() and name not in ("pid", "tid") else ""
    return found
