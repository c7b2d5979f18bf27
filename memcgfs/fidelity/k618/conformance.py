"""Cases of control files and directories: one operation each, what leads to it, and what is read afterwards.

All cases of a run are played on one mount, each in a group and a process of its own; the last one also looks at what the machine's
checker says.  `run_cases` gives their rows; `run_in_process` those of the same cases in a tree in this process, as far as nobody
but a tree is asked.
"""

from __future__ import annotations

import errno
import json
import os
import signal
import time
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from ...kernfs import OWNER
from ...options import Options, parse_options
from ...tree import Tree
from ..cases import Case
from ..row import Figure, Row
from ..stage import StageError
from . import in_process
from .fuse_decides import why
from .kernel_player import KernelPlayer
from .mounted import on_mount, why_not
from .player import Player
from .processes import Processes
from .results import Result, count_without_vendors_file, is_same, with_names

Steps = Sequence[Mapping[str, Any]]

OPTIONS: Final = "dialect=v1,machine=6.18-vm"
PATIENCE_S: Final = 30
RETRY_S: Final = 0.01
BASE: Final = "case"


def options() -> Options:
    return parse_options(OPTIONS)


def steps_of(record: Mapping[str, Any]) -> Steps:
    """With what was recorded of each in `expect`."""
    return [*({**step, "expect": step["result"]} for step in record["setup"]), record, *record["after"]]


def run_cases(cases: Iterable[Case]) -> Iterator[Row]:
    reason = why_not()
    if reason:
        yield from (Row(case.id, case.kind, (), cause=f"not played: {reason}", kernel="6.18") for case in cases)
        return
    waiting = list(cases)
    nr_played = 0
    try:
        for case, told in zip(waiting, on_mount(options(), lambda top: play_all(waiting, top)), strict=True):
            yield judged(case, told)
            nr_played += 1
    except StageError as interrupted:
        yield from (Row(case.id, case.kind, (), cause=interrupted.reason, kernel="6.18") for case in waiting[nr_played:])


def judged(case: Case, told: Mapping[str, Any]) -> Row:
    steps = steps_of(case.record)
    if "failed" in told:
        return Row(case.id, case.kind, (), cause=f"not played: {told['failed'].strip().splitlines()[-1]}", kernel="6.18")
    figures = [figure(step, ours) for step, ours in zip(steps, told["results"], strict=True)]
    if told.get("check", "ok\n") != "ok\n":
        figures.append(Figure(".machine/check", "ok", told["check"], holds=False))
    differing = [number for number, each in enumerate(figures) if not each.holds]
    return Row(case.id, case.kind, tuple(figures), next(iter(differing), None), kernel="6.18")


def figure(step: Mapping[str, Any], ours: Result) -> Figure:
    recorded = count_without_vendors_file(step["expect"]) if step["op"] == "holdlist" else step["expect"]
    place = step.get("path") or step.get("name", "")
    return Figure(f"{step['op']} {place}", recorded, ours, is_same(recorded, ours), why(step, recorded))


# On a mount.


def play_all(cases: Sequence[Case], top: str) -> Iterator[dict[str, Any]]:
    for case in cases:
        base = f"{top}/{BASE}"
        os.mkdir(base)
        found = play_apart(case.record, base, top)
        clear(base)
        if case is cases[-1]:
            found["check"] = Path(f"{top}/.machine/check").read_text()
        yield found


def play_apart(record: Mapping[str, Any], base: str, top: str) -> dict[str, Any]:
    """In a child, which may become a member of the case's groups, and leaves them when it ends."""
    told, telling = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(told)
        signal.alarm(PATIENCE_S)
        with open(telling, "wb") as tells:
            try:
                tells.write(json.dumps(play(record, base, top)).encode())
            except BaseException:
                tells.write(json.dumps({"failed": traceback.format_exc()}).encode())
            finally:
                tells.flush()
                os._exit(0)
    os.close(telling)
    with open(told, "rb") as tells:
        content = tells.read()
    os.waitpid(pid, 0)
    found: dict[str, Any] = json.loads(content or b'{"failed": "it did not end"}')
    return found


def play(record: Mapping[str, Any], base: str, top: str) -> dict[str, Any]:
    processes = Processes(top)
    player = KernelPlayer(base, processes)
    try:
        results = [player.step(step) for step in steps_of(record)]
        return {"results": with_names(results, processes.pids)}
    finally:
        processes.close()


def clear(base: str) -> None:
    """What the case has left behind, which is empty as soon as its last process has ended."""
    until = time.monotonic() + PATIENCE_S
    for directory, _, _ in os.walk(base, topdown=False):
        while True:
            try:
                os.rmdir(directory)
                break
            except OSError as busy:
                if busy.errno != errno.EBUSY or time.monotonic() > until:
                    raise
                time.sleep(RETRY_S)


# In this process.


def can_run_in_process(record: Mapping[str, Any]) -> bool:
    """Nothing is asked there but a tree, by nobody but its owner."""
    return all(Player.can_play(step) and in_process.TreeSystem.knows(step) for step in steps_of(record))


def run_in_process(cases: Sequence[Case]) -> Iterator[Row]:
    tree = Tree.from_options(options(), owner=OWNER)  # root, who made the groups that were recorded
    for case in cases:
        system = in_process.TreeSystem(tree)
        group = in_process.Group(tree, system)
        system.mkdir(f"/{BASE}")
        player = Player(f"/{BASE}", system, group)
        results = [player.step(step) for step in steps_of(case.record)]
        system.close_all()
        group.close()
        in_process.clear(system, f"/{BASE}")
        told = {"results": with_names(results, group.pids)}
        if case is cases[-1]:
            told["check"] = tree.root.read(".machine/check").decode()
        yield judged(case, told)
