"""Each recorded control-file and directory case of Linux 6.18, on a mount and in a tree in this process.

A failure names its cases.  They are told apart by the operation that a case is about; what FUSE decides is explained, and has to differ.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from memcgfs.fidelity.cases import Case, read_cases
from memcgfs.fidelity.k618 import conformance, fuse_decides
from memcgfs.fidelity.k618.conformance import can_run_in_process, run_cases, run_in_process
from memcgfs.fidelity.k618.kernel_player import KernelPlayer
from memcgfs.fidelity.k618.mounted import on_mount, why_not
from memcgfs.fidelity.row import Row
from memcgfs.fidelity.stage import StageError
from memcgfs.options import parse_options

RECORDED = Path(__file__).parents[2] / "conformance" / "k618" / "conformance.jsonl"
CASES = list(read_cases(RECORDED))
IN_PROCESS = [case for case in CASES if can_run_in_process(case.record)]
OPERATIONS = sorted({case.record["op"] for case in CASES})
NEEDS_A_MOUNT = pytest.mark.skipif(bool(why_not()), reason=why_not())


@pytest.fixture(scope="module")
def mounted() -> dict[str, Row]:
    return {row.id: row for row in run_cases(CASES)}


@pytest.fixture(scope="module")
def in_process() -> dict[str, Row]:
    return {row.id: row for row in run_in_process(IN_PROCESS)}


def failures(rows: dict[str, Row], cases: list[Case]) -> list[str]:
    """A line for each case that does not hold."""
    return [
        f"{case.id}: {rows[case.id].cause}" + "".join(
            f"\n    {figure.name}: recorded {figure.recorded}, ours {figure.ours}"
            for figure in rows[case.id].figures if not (figure.holds or figure.cause)
        )
        for case in cases if not rows[case.id].holds
    ]  # fmt: skip


def test_all_are_there() -> None:
    assert len(CASES) == 2314
    assert {(case.kernel, case.kind) for case in CASES} == {("6.18", "conformance")}


@NEEDS_A_MOUNT
@pytest.mark.parametrize("operation", OPERATIONS)
def test_on_a_mount(mounted: dict[str, Row], operation: str) -> None:
    assert failures(mounted, [case for case in CASES if case.record["op"] == operation]) == []


@pytest.mark.parametrize("operation", sorted({case.record["op"] for case in IN_PROCESS}))
def test_in_process(in_process: dict[str, Row], operation: str) -> None:
    assert failures(in_process, [case for case in IN_PROCESS if case.record["op"] == operation]) == []


def test_most_cases_ask_nobody_but_a_tree() -> None:
    assert len(IN_PROCESS) > 1700


@NEEDS_A_MOUNT
def test_what_fuse_decides_differs(mounted: dict[str, Row]) -> None:
    """A rule that covers what comes out as recorded is not needed, or says too much."""
    assert [(row.id, figure.name) for row in mounted.values() for figure in row.figures if figure.cause and figure.holds] == []


@NEEDS_A_MOUNT
def test_each_rule_is_needed(mounted: dict[str, Row]) -> None:
    found = {figure.cause.partition(":")[0] for row in mounted.values() for figure in row.figures if not figure.holds}
    assert found == {decided.what for decided in fuse_decides.FUSE_DECIDES if decided.is_in_force()}


def test_some_rules_depend_on_the_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    made = {"op": "mkdir", "path": {"rep": ["n", 1025]}}
    renamed = {"op": "rename", "path": "c", "to": "d/" + "n" * 1025}
    sent = {"op": "sendfile", "path": "c/memory.stat"}

    def covered(version: tuple[int, int]) -> list[bool]:
        monkeypatch.setattr(fuse_decides, "kernel", lambda: version)
        return [bool(fuse_decides.why(step, {"ret": 0})) for step in (made, renamed, {**made, "path": {"rep": ["n", 1024]}}, sent)]

    assert covered((6, 4)) == [True, True, False, False]
    assert covered((6, 13)) == [True, True, False, True]
    assert covered((6, 14)) == [False, False, False, True]
    assert fuse_decides.why(made, {"errno": "ENAMETOOLONG"}) == ""


def case_of(**fields: Any) -> Case:
    record = {"op": "read", "path": "c/memory.swappiness", "expect": {"bytes": "60\n"}, "setup": [], "after": []} | fields
    if record["op"] != "mkdir":
        record["setup"] = [{"op": "mkdir", "path": "c", "result": {"ret": 0}}, *record["setup"]]
    return Case("own", "conformance", record, Path("none"), "6.18")


@NEEDS_A_MOUNT
def test_a_case_that_differs_says_where() -> None:
    after = [{"op": "cmp", "path": "c/memory.usage_in_bytes", "than": 7, "expect": {"value": "gt"}}]
    (row,) = run_cases([case_of(after=after)])
    assert (row.holds, row.first_difference) == (False, 2)
    assert [figure.holds for figure in row.figures] == [True, True, False]
    (row,) = run_in_process([case_of(expect={"regex": r"\d1\n", "examples": []})])
    assert (row.holds, row.first_difference) == (False, 1)


@NEEDS_A_MOUNT
def test_a_step_that_nobody_knows_is_told() -> None:
    (row,) = run_cases([case_of(op="dance")])
    assert (row.holds, row.cause) == (False, "not played: AttributeError: 'KernelPlayer' object has no attribute 'do_dance'")


@NEEDS_A_MOUNT
def test_a_case_that_does_not_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conformance, "PATIENCE_S", 1)
    loop = [{"op": "mkdir", "path": "d", "result": {"ret": 0}}]
    monkeypatch.setattr(KernelPlayer, "do_unlink", lambda self, step: self.wait(60))
    (row,) = run_cases([case_of(op="unlink", setup=loop)])
    assert (row.holds, row.cause) == (False, "not played: it did not end")


@NEEDS_A_MOUNT
def test_nothing_is_left_behind() -> None:
    before = sorted(Path("/tmp").glob("memcgfs-k618-*"))
    assert list(on_mount(parse_options("dialect=v1,ram=16M"), lambda top: iter([Path(top, "tasks").read_text()]))) == [""]
    with pytest.raises(StageError, match="no play today"):
        list(on_mount(parse_options("dialect=v1,ram=16M"), failing))
    assert sorted(Path("/tmp").glob("memcgfs-k618-*")) == before


def failing(top: str) -> Any:
    raise StageError("no play today")


def test_without_a_mount_nothing_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conformance, "why_not", lambda: "no /dev/fuse here")
    (row,) = run_cases([case_of()])
    assert (row.holds, row.cause) == (False, "not played: no /dev/fuse here")
