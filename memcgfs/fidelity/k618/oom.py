"""Out-of-memory cases of Linux 6.18: who is killed, who waits, and who is told.

A record has the results of several runs, and no steps: what was done follows from what was noted down. Its fields say which scenario it
is, and its numbers how large everything was; what a scenario was done with, its note says. What the set-up takes from a record
(`Theatre.recorded`) is no figure: it could not differ.

| fields | scenario |
|---|---|
| `pages_done`, `died_with` | a task alone in a group fills it, and is killed |
| `unblock` | the OOM killer is disabled: the task waits, and something is done about that |
| `sizes` | three tasks in a group; one of them goes over |
| `mlock`, `state0` | the killer is disabled, nearly all is locked, and a system call wants more |
| `registered` as a list | a kill, and how often each listener is told |
| `count_at_once` | a listener comes while a task waits |
| `alive` alone | one task, or a thread of it, goes over |
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from itertools import count
from statistics import median_low
from typing import Any, Final

from ...handles import Dir
from ...mm import PAGE_BYTES
from ...tree import Tree
from ..cases import Case
from ..row import Figure, Row, last_usage
from .allowances import judge_oom
from .helper import Blocked, Died, Disk, Helper, NotUnderstood

SIGKILL: Final = 9
OTHERS_SHARE: Final = 2  # the other task has one page in so many of the limit
ANSWERS: Final = "the number in an answer, of a page or of faults, is up to 3 more or less"
A_LITTLE: Final = 8  # pages by which a limit is raised a little
ROOM: Final = 60  # pages that the tasks of a pick lack in the end
LIMITS: Final = ("memory.limit_in_bytes", "memory.memsw.limit_in_bytes")
WAITS: Final = ["mem_cgroup_oom_synchronize", "D (disk sleep)"]
SLEEPS: Final = ["anon_pipe_read", "S (sleeping)"]
IS_ZOMBIE: Final = ["0", "Z (zombie)"]
SIGNALS: Final = {"sigkill": 9, "kill": 9, "sigterm": 15, "term": 15, "sigint": 2, "int": 2}
IN_PAGES: Final = ("usage", "max", "kmem")
LEVELS: Final = ("low", "medium", "critical")
Result = dict[str, Any]


def run_cases(cases: Iterable[Case]) -> Iterator[Row]:
    return map(run_case, cases)


def run_case(case: Case) -> Row:
    runs = case.record["runs"]
    scenario = scenario_of(runs[0])
    if scenario is None:
        return Row(case.id, case.kind, (), applies=False, cause="what was noted down is of no scenario here", kernel=case.kernel)
    theatre = Theatre(str(case.record.get("note", "")), runs)
    try:
        ours = scenario(theatre)
    except NotUnderstood as unknown:
        return Row(case.id, case.kind, (), applies=False, cause=f"not understood: {unknown}", kernel=case.kernel)
    finally:
        theatre.end()
    figures = tuple(compare(runs, ours, theatre.given))
    return Row(case.id, case.kind, figures, kernel=case.kernel, key=last_usage(figures))


def scenario_of(run: Mapping[str, Any]) -> Callable[[Theatre], Result] | None:
    if "died_with" in run:
        return fill
    if "unblock" in run:
        return unblock
    if "sizes" in run:
        return pick
    if "state0" in run:
        return call_over_the_limit
    if isinstance(run.get("registered"), list):
        return listen
    if "count_at_once" in run:
        return register_late
    return go_over if "alive" in run else None


class Theatre:
    """One group, as the recorder had it, and helpers. `note`, `runs`: the record's; numbers of the set-up come from its first run.

    given: the names of those numbers. eventfds: all that is open here. deaths: who was killed by a signal, and which.
    """

    def __init__(self, note: str, runs: Sequence[Mapping[str, Any]]) -> None:
        self.note, self.runs = note, runs
        self.tree = Tree(dialect="v1", machine="6.18-vm")
        self.disk = Disk(self.tree)
        self.group = self.tree.mkdir("group")
        self.given: set[str] = set()
        self.eventfds = Eventfds(self.tree)
        self.deaths: dict[int, int] = {}
        self.pids = count(1000)
        self.helpers: list[Helper] = []

    def end(self) -> None:
        for helper in self.helpers:
            helper.end()
        self.tree.machine.check()

    def said(self, pattern: str) -> int | None:
        """A number that the note names."""
        found = re.search(pattern, self.note)
        return int(found.group(1)) if found is not None else None

    def recorded(self, *path: str) -> Any:
        """Of the set-up: not compared from then on."""
        self.given.add(".".join(path))
        found: Any = self.runs[0]
        for name in path:
            found = found[name]
        return found

    def limit(self, pages: int, group: Dir | None = None) -> list[int | str]:
        """Memory, then memory and swap: so many pages each."""
        return [self.write(file, pages * PAGE_BYTES, group) for file in LIMITS]

    def raise_limit(self, pages: int) -> list[int | str]:
        """Memory and swap first; both before who waits gets to run."""
        with self.tree.request("both limits"):
            for name in reversed(LIMITS):
                file = self.tree.fs.find(f"group/{name}".encode())
                handle = self.tree.fs.open(file.ino, os.O_WRONLY, self.tree.owner)
                self.tree.fs.write(handle, 0, b"%d" % (pages * PAGE_BYTES))
                self.tree.fs.release(handle)
        return [0, 0]

    def write(self, file: str, value: int, group: Dir | None = None) -> int | str:
        try:
            (group or self.group)[file] = value
        except OSError as refusal:
            return errno.errorcode[refusal.errno or 0]
        return 0

    def helper(self, group: Dir | None = None) -> Helper:
        """A new one, which maps what it will touch before it is put into the group."""
        helper = Helper(self.tree, self.disk, self.pids.__next__)
        self.helpers.append(helper)
        return helper

    def put(self, helper: Helper, group: Dir | None = None) -> None:
        (group or self.group)["cgroup.procs"] = helper.pid

    def enter(self, npages: int, kind: str = "anon") -> Helper:
        helper = self.helper()
        helper.do(f"map X {kind} {npages}")
        self.put(helper)
        return helper

    def register(self, file: str, argument: str = "") -> tuple[Eventfd, int]:
        """A listener to the group's `file`, and what the kernel says to that."""
        eventfd, number = self.eventfds.open(f"group/{file}")
        self.group["cgroup.event_control"] = f"{number} {number} {argument}".rstrip()
        return eventfd, 0

    def watch(self) -> Eventfd:
        return self.register("memory.oom_control")[0]

    def state(self, group: Dir | None = None) -> Result:
        """Pages, but for what is a count."""
        place = group or self.group
        return {
            "oom_control": oom_control(place),
            "usage": int(place["memory.usage_in_bytes"]) // PAGE_BYTES,
            "max": int(place["memory.max_usage_in_bytes"]) // PAGE_BYTES,
            "failcnt": int(place["memory.failcnt"]),
            "memsw_failcnt": int(place["memory.memsw.failcnt"]),
            "kmem": int(place["memory.kmem.usage_in_bytes"]) // PAGE_BYTES,
        }


class Eventfd:
    """told: how often since it was read last."""

    def __init__(self, ino: int) -> None:
        self.ino = ino
        self.told = 0

    def signal(self) -> None:
        self.told += 1

    def take(self) -> int:
        told, self.told = self.told, 0
        return told

    def when_closed(self, tell: Callable[[], object]) -> None:
        """It stays open."""

    def close(self) -> None:
        """Nobody else has it."""


class Eventfds:
    """What the recorder has open: eventfds, each with the file that it is registered for under the same number."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.all: list[Eventfd] = []
        tree.set_descriptors(self)

    def open(self, path: str) -> tuple[Eventfd, int]:
        self.all.append(Eventfd(self.tree.fs.find(path.encode()).ino))
        return self.all[-1], len(self.all) - 1

    def eventfd(self, tid: int, fd: int) -> Eventfd:
        return self.all[fd]

    def ino(self, tid: int, fd: int) -> int:
        return self.all[fd].ino


def oom_control(group: Dir) -> dict[str, str]:
    lines = group.read("memory.oom_control").decode().splitlines()
    return {name: number for name, _, number in (line.partition(" ") for line in lines)}


def answer_of(helper: Helper, command: str) -> str:
    """Nothing from who died in the midst of it, or waits."""
    try:
        return helper.do(command)
    except (Died, Blocked):
        return ""


def death_of(helper: Helper) -> int | None:
    """What waitpid would say."""
    return -SIGKILL if helper.task.space is None else None


def wchan_of(helper: Helper) -> list[str]:
    if helper.task.space is None:
        return IS_ZOMBIE
    return WAITS if helper.task in helper.task.machine.waits else SLEEPS


# Scenarios


def fill(theatre: Theatre) -> Result:
    """With what: the last word of the note, where it says "with"; else anonymous memory is written. Four times what there is room for."""
    pages = int(theatre.recorded("limit_pages"))
    found = re.search(r"with (\w+)$", theatre.note)
    means = found.group(1) if found is not None else "anon"
    writes, start = theatre.limit(pages), theatre.state()
    listener = theatre.watch()
    if means in ("tmpfs", "file", "write", "filewrite"):
        helper = theatre.helper()
        helper.do(f"open 0 {'/dev/shm/' if means == 'tmpfs' else 'oracle_files/'}full wt")
        theatre.put(helper)
        reply, done = answer_of(helper, f"write 0 0 {4 * pages}"), 0
    else:
        helper = theatre.enter(4 * pages, "shanon" if means in ("shanon", "shared") else "anon")
        reply = answer_of(helper, f"mlock X 0 {4 * pages}" if means == "mlock" else f"touch X 0 {4 * pages} w")
        done = 0 if means == "mlock" else helper.touched()
    return {"writes": writes, "start": start, "reply": reply, "died_with": death_of(helper), "pages_done": done,
            "end": theatre.state(), "eventfd": listener.take()}  # fmt: skip


def unblock(theatre: Theatre) -> Result:
    """How much the task was to touch nobody says: what one that went on reached in the end, or else twice the limit."""
    pages = theatre.said(r"limit (\d+) pages") or 512
    what = str(theatre.recorded("unblock"))
    writes = [theatre.write("memory.oom_control", 1), *theatre.limit(pages)]
    listener = theatre.watch()
    after = theatre.runs[0]["after"]
    went_on = after.get("alive") and after.get("wchan") != WAITS
    wanted = int(theatre.recorded("after", "pages_done_later")) if went_on and what != "other_frees" else 4 * pages
    other = theatre.enter(pages // OTHERS_SHARE) if "other" in what.split("_") else None
    if other is not None:
        other.do(f"touch X 0 {pages // OTHERS_SHARE} w")
    helper = theatre.enter(max(wanted, pages + 1))
    answer_of(helper, f"touch X 0 {max(wanted, pages + 1)} w")
    before = {"state": theatre.state(), "pages_done": helper.touched(), "wchan": wchan_of(helper), "eventfd": listener.take()}
    result = unblocking(theatre, what, helper, other, pages)
    theatre.tree.settle()
    done = helper.touched()
    theatre.tree.machine.advance(10**9)
    theatre.tree.settle()
    is_alive = helper.task.space is not None
    seen = {"state": theatre.state(), "pages_done": done, "pages_done_later": helper.touched(), "wchan": wchan_of(helper),
            "eventfd": listener.take(), "alive": is_alive, "rc": theatre.deaths.get(helper.pid, death_of(helper))}  # fmt: skip
    return {"writes": writes, "before": before, "result": result, "after": seen}


def unblocking(theatre: Theatre, what: str, helper: Helper, other: Helper | None, pages: int) -> object:
    """What is done about it, by the words of its name."""
    named = what.split("_")
    if other is not None:
        if "exits" in named or "killed" in named or "exit" in named:
            other.end()
            theatre.helpers.remove(other)
        elif "munmaps" in named or "unmaps" in named or "munmap" in named:
            other.do("munmap X")
        else:
            other.do(f"madv X 0 {pages // OTHERS_SHARE} dontneed")
        return None
    if "same" in named:
        return theatre.write(LIMITS[0], pages * PAGE_BYTES)
    if named[0] in ("raise", "allow"):
        if "memsw" in named or "swap" in named:
            return theatre.write(LIMITS[1], 4 * pages * PAGE_BYTES)
        wanted = int(theatre.recorded("after", "pages_done_later"))
        return theatre.raise_limit(pages + A_LITTLE if "little" in named else max(4 * pages, wanted))
    if "enable" in named:
        return theatre.write("memory.oom_control", 0)
    if "force" in named:
        return theatre.write("memory.force_empty", 0)
    if "move" in named or "moved" in named:
        elsewhere = theatre.tree.mkdir("elsewhere")
        theatre.put(helper, elsewhere)
        return 0
    if any(word in ("sigstop", "stop", "sigcont", "cont") for word in named):
        return None
    for word in named:
        if word in SIGNALS:
            theatre.tree.machine.exit(helper.task, f"killed by signal {SIGNALS[word]}")
            theatre.deaths[helper.pid] = -SIGNALS[word]
            return None
    raise NotUnderstood(what)


def pick(theatre: Theatre) -> Result:
    """All that the tasks touch is ROOM more than the limit. Where the record tells of two groups below, the first task is in one, the
    others in the other."""
    sizes, toucher, touches = (theatre.recorded(name) for name in ("sizes", "toucher", "toucher_touches"))
    scores, refused = theatre.recorded("oom_score_adj"), theatre.recorded("oom_score_adj_write")
    pages = sum(sizes) + touches - ROOM
    children = theatre.runs[0].get("child_oom_control")
    groups = {name: theatre.group.mkdir(name) for name in sorted(children)} if children else {}
    theatre.limit(pages)
    helpers = []
    for number, size in enumerate(sizes):
        helper = theatre.helper()
        helper.do(f"map X anon {max(size + touches, pages)}")
        names = sorted(groups)
        theatre.put(helper, groups[names[min(number, 1)]] if groups else None)
        helper.do(f"touch X 0 {size} w")
        if refused[number] == 0:  # a machine without CAP_SYS_RESOURCE refused some: there the helper went on with what it had
            helper.task.set_oom_score_adj(scores[number])
        helpers.append(helper)
    start = theatre.state()
    reply = answer_of(helpers[toucher], f"touch X {sizes[toucher]} {touches} w")
    killed = [number for number, helper in enumerate(helpers) if helper.task.space is None]
    return {"killed": killed, "toucher_reply": reply, "start": start, "end": theatre.state(),
            "wchan": wchan_of(helpers[toucher]) if toucher not in killed else None,
            "child_oom_control": {name: oom_control(group) for name, group in groups.items()} if groups else None}  # fmt: skip


def call_over_the_limit(theatre: Theatre) -> Result:
    """`505 locked pages of 512, then read(2)`."""
    locked, pages = theatre.said(r"(\d+) locked") or 505, theatre.said(r"of (\d+)") or 512
    theatre.write("memory.oom_control", 1)
    theatre.limit(pages)
    theatre.disk.make("oracle_files/read", pages)
    helper = theatre.helper()
    helper.do(f"map X anon {locked}")
    is_tmpfs = "tmpfs" in theatre.note
    helper.do(f"open 0 {'/dev/shm/' if is_tmpfs else 'oracle_files/'}read {'wt' if is_tmpfs else 'r'}")
    helper.do("fadv 0 0 0 random")
    theatre.put(helper)
    result: Result = {"mlock": helper.do(f"mlock X 0 {locked}"), "state0": theatre.state()}
    if "write" in theatre.runs[0]:
        result["write"] = answer_of(helper, f"write 0 0 {pages}")
    if "read" in theatre.runs[0]:
        result["read"] = answer_of(helper, f"read 0 0 {pages}")
    if "fork" in theatre.runs[0]:
        result["fork"] = answer_of(helper, "fork")
    return {**result, "state": theatre.state(), "wchan": wchan_of(helper)}


def listen(theatre: Theatre) -> Result:
    """Two listeners to the end of memory, one to each level of pressure, and a threshold at half the limit."""
    pages = int(theatre.recorded("state", "max")) // PAGE_BYTES
    theatre.limit(pages)
    registered = {name: theatre.register("memory.oom_control") for name in ("oom_a", "oom_b")}
    registered |= {level: theatre.register("memory.pressure_level", level) for level in LEVELS}
    registered["threshold"] = theatre.register("memory.usage_in_bytes", str(pages // 2 * PAGE_BYTES))
    helper = theatre.enter(4 * pages)
    answer_of(helper, f"touch X 0 {4 * pages} w")
    theatre.tree.settle()
    told = {name: eventfd.take() for name, (eventfd, _) in registered.items()}
    return {"registered": [answer for _, answer in registered.values()], "rc": death_of(helper), **told, "state": theatre.state()}


def register_late(theatre: Theatre) -> Result:
    pages = 512
    theatre.write("memory.oom_control", 1)
    theatre.limit(pages)
    helper = theatre.enter(2 * pages)
    answer_of(helper, f"touch X 0 {2 * pages} w")
    listener, answer = theatre.register("memory.oom_control")
    return {"registered": answer, "count_at_once": listener.take(), "oom_control": oom_control(theatre.group)}


def go_over(theatre: Theatre) -> Result:
    """The limit is the highest usage. A thread does it where the note says so."""
    pages = int(theatre.recorded("state", "max")) // PAGE_BYTES
    theatre.limit(pages)
    wanted = max(2 * pages, 1)
    helper = theatre.enter(wanted)
    if "thread" in theatre.note:
        helper.do("thread")
        answer_of(helper, f"thtouch X 0 {wanted} w")
    else:
        answer_of(helper, f"touch X 0 {wanted} w")
    return {"alive": helper.task.space is not None, "rc": death_of(helper), "state": theatre.state()}


# Comparing


def flat(found: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """By the names on the way, joined by dots. Recorded amounts of memory in pages."""
    numbers: dict[str, Any] = {}
    for name, value in found.items():
        if isinstance(value, dict):
            numbers |= flat(value, f"{above}{name}.")
        else:
            numbers[above + name] = value
    return numbers


def in_pages(found: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value // PAGE_BYTES if name.rpartition(".")[2] in IN_PAGES else value for name, value in found.items()}


def compare(runs: Sequence[Mapping[str, Any]], ours: Result, given: Set[str]) -> Iterator[Figure]:
    """Whatever a run noted down, but for what was given, and how long it took."""
    recorded = [in_pages(flat(run)) for run in runs]
    mine = flat(ours)
    for name in dict.fromkeys(name for run in recorded for name in run if name != "seconds" and name not in given):
        values = [run[name] for run in recorded if name in run]
        value = mine.get(name)
        if all(type(one) is int for one in values) and type(value) is int:
            verdict = judge_oom(name, values, value)
            yield Figure(name, [min(values), median_low(values), max(values)], value, verdict.holds, verdict.why)
        else:
            holds = any(same(one, value) for one in values)
            yield Figure(name, values[0], value, holds, ANSWERS if holds and value not in values else "")


def same(recorded: object, ours: object) -> bool:
    """Faults of a helper's answer may be a few more or less, and so may the page at which it failed."""
    if isinstance(recorded, str) and isinstance(ours, str) and recorded.startswith(("ok ", "err ")):
        first, second = ([int(word) if word.isdecimal() else word for word in text.split()] for text in (recorded, ours))
        return len(first) == len(second) and all(
            abs(one - other) <= 3 if isinstance(one, int) and isinstance(other, int) else one == other
            for one, other in zip(first, second, strict=True)
        )
    return recorded == ours
