"""Every recorded step case, on a mount: what holds, what does not apply, and what FUSE decides are these, and no others."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from memcgfs.fidelity import stage, steps
from memcgfs.fidelity.applies import FUSE_DECIDES, MOUNT_ITSELF, RECORDED_PROCESSES, why_not
from memcgfs.fidelity.cases import Case, CaseError
from memcgfs.fidelity.row import Row
from memcgfs.fidelity.stage import StageError, play
from memcgfs.options import Options

from .conftest import cases_of, on_a_stage

KINDS = ("conformance", "charging", "oom")
APPLYING = [case for kind in KINDS for case in cases_of(kind) if not why_not(case.record.get("steps", ()))]
BY_FUSE = {
    "k2625.fresh.memory.stat": "a write from a bad address",
    "k2625.write.limit.%e": "a write of no bytes",
    "k2625.write.limit.rdwr": "a read behind a write, through one descriptor",
    "k2625.write.memory.failcnt.%e": "a write of no bytes",
    "k2625.write.memory.stat.%e": "a write of no bytes",
    "k2625.write.tasks.%e": "a write of no bytes",
    "k2625.write.notify.%e": "a write of no bytes",
}
LIVELOCK = "k2625.oom.livelock.oom_never2"
DOCS = Path(__file__).parents[2] / "docs" / "2008.md"


@on_a_stage
@pytest.mark.parametrize("case", APPLYING, ids=lambda case: case.id)
def test_it_does_what_was_recorded(case: Case) -> None:
    row = steps.run_step_case(case)
    assert row.holds, [figure for figure in row.figures if not figure.holds]
    excused = {figure.cause.split(": ")[1] for figure in row.figures if not figure.holds and case.id != LIVELOCK}
    assert excused == ({BY_FUSE[case.id]} if case.id in BY_FUSE else set())
    assert (row.cause == steps.LIVELOCK_ENDS) == (case.id == LIVELOCK)


def test_what_does_not_apply() -> None:
    counts = Counter(why_not(case.record.get("steps", ())) for kind in KINDS for case in cases_of(kind))
    assert counts == {"": 189, MOUNT_ITSELF: 17, RECORDED_PROCESSES: 1}


def test_what_fuse_decides_is_written_down() -> None:
    """The table in docs/2008.md has these rows, and no others."""
    rows = DOCS.read_text().partition("| FUSE decides | so that |\n|---|---|\n")[2].partition("\n\n")[0]
    assert rows.splitlines() == [f"| {rule.what} | {rule.why} |" for rule in FUSE_DECIDES]


def case_of(script: list[list[Any]], **fields: Any) -> Case:
    record = {
        "id": "own", "area": "charging", "arch": "x86_64", "ram_mib": 64, "swap_pages": 0, "swap": None, "page_cluster": 0, "fs": None,
        "steps": script,
    }  # fmt: skip
    return Case("own", "charging", record | fields, Path("none"))


@on_a_stage
def test_what_differs_is_shown() -> None:
    twice = [["m", "mkdir /cg/a", {"ok": 0}]] * 2
    row = steps.run_step_case(case_of([*twice, ["m", "rmdir /cg/a", {"errno": "EBUSY"}]]))
    assert (row.holds, row.first_difference, row.cause) == (False, 1, "")
    shown = [(figure.name, figure.recorded, figure.ours, figure.holds) for figure in row.figures]
    assert shown == [
        ("0 m mkdir /cg/a", {"ok": 0}, {"ok": 0}, True),
        ("1 m mkdir /cg/a", {"ok": 0}, {"errno": "EEXIST"}, False),
        ("2 m rmdir /cg/a", {"errno": "EBUSY"}, {"ok": 0}, False),
    ]


@on_a_stage
def test_a_difference_of_the_transport_comes_behind_one_that_is_ours() -> None:
    empty = ["m", r"write /cg/tasks \e", {"errno": "EIO"}]
    row = steps.run_step_case(case_of([empty]))
    assert (row.holds, row.first_difference) == (True, 0)
    assert row.cause == "FUSE decides: a write of no bytes: it never arrives: it does nothing, and returns 0"
    row = steps.run_step_case(case_of([empty, ["m", "mkdir /cg/a", {"errno": "EEXIST"}]]))
    assert (row.holds, row.first_difference, row.cause) == (False, 1, "")


@on_a_stage
def test_a_step_that_cannot_be_played() -> None:
    row = steps.run_step_case(case_of([["m", "rmdir", {"ok": 0}]]))
    assert (row.holds, row.figures) == (False, ())
    assert row.cause.startswith("not played: TypeError: ")


@on_a_stage
def test_a_daemon_that_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_words: object) -> None:
        raise OSError("no daemon today")

    monkeypatch.setattr(stage, "serve", fails)
    with pytest.raises(StageError, match="the daemon ended before it had mounted"):
        play(Options(), lambda: None)


@on_a_stage
def test_a_play_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "PATIENCE_S", 0.5)
    with pytest.raises(StageError, match="nothing was told within 0 s"):
        play(steps.options_of(case_of([]).record), lambda: time.sleep(60))


@on_a_stage
def test_nothing_is_left_behind() -> None:
    def mounts() -> str:
        return Path("/proc/self/mountinfo").read_text()

    before = mounts(), sorted(Path("/tmp").glob("memcgfs-stage-*"))
    assert play(steps.options_of(case_of([]).record), lambda: Path("/cg/release_agent").read_text()) == f"{stage.AGENT}\n"
    assert (mounts(), sorted(Path("/tmp").glob("memcgfs-stage-*"))) == before
    assert not Path("/cg").exists()


def test_where_there_is_no_fuse(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "why_not", lambda: "no /dev/fuse here")
    rows = list(steps.run_step_cases([case_of([])]))
    assert rows == [Row("own", "charging", (), cause="not played: no /dev/fuse here")]


def test_a_livelock_of_the_machines_own_init_does_not_apply() -> None:
    last = "Memory cgroup out of memory: kill process 1 (init) score 0 or a child"
    record = {name: value for name, value in case_of([], kill_lines_printed=1000, last_line=last).record.items() if name != "steps"}
    row = steps.run_step_case(Case("own", "oom", record, Path("none")))
    assert (row.applies, row.cause) == (False, "process 1 is no task of the machine")


@pytest.mark.parametrize(
    ("fields", "page_cluster", "expected"),
    [({}, 0, 1), ({"swap_pages": 100}, 0, 1), ({"swap_pages": 100}, 3, 8), ({}, 3, 1)],
)
def test_which_slot_is_first_matters_where_swap_is_read_ahead(fields: dict[str, Any], page_cluster: int, expected: int) -> None:
    steps_of = [["m", f"write /proc/sys/vm/page-cluster {page_cluster}", {"bytes": 1}]]
    assert steps.nr_skews(case_of(steps_of, **fields).record) == expected
    assert steps.nr_skews(case_of([], **fields, page_cluster=page_cluster).record) == expected


def test_options_are_those_of_the_record() -> None:
    options = steps.options_of(case_of([], ram_mib=96).record)
    assert (options.dialect, options.names, options.ram_bytes, options.swap_bytes) == ("2008", "memory", 96 << 20, 0)
    ide = [steps.options_of(case_of([], **{where: "ext2 on IDE disk"}).record).disk for where in ("swap", "fs")]
    assert ide[0] == ide[1] != options.disk
    bare = case_of([["m", "mount none /cg cgroup memory,noprefix", {"ok": 0}]])
    assert steps.options_of(bare.record).names == "noprefix"


@pytest.mark.parametrize(
    "fields",
    [{"ram_mib": "much"}, {"arch": "vax"}, {"steps": 3}, {"steps": [["m", "mkdir"]]}, {"page_cluster": "x", "swap_pages": 9}],
)
def test_a_record_that_is_none(fields: dict[str, Any]) -> None:
    with pytest.raises(CaseError, match=r"^none: own: is not recorded as charging cases are "):
        steps.run_step_case(case_of([], **fields))
