"""Every recorded page string of Linux 6.18: its major faults, or the pages that were read, lie within what was recorded, and a tenth of the
median beyond."""

from __future__ import annotations

from pathlib import Path

import pytest

from memcgfs.fidelity.cases import Case, read_cases
from memcgfs.fidelity.k618.trace import Run, run_case
from memcgfs.fidelity.strings import string_of

from ...conftest import engine_of
from .committed import TABLE, assert_committed

RECORDED = Path(__file__).parents[2] / "conformance" / "k618" / "traces.jsonl"
TRACES = list(read_cases(RECORDED))
SHORT = 256


def parameters(cases: list[Case]) -> list[object]:
    slow = pytest.mark.slow
    return [pytest.param(case, id=case.id, marks=[slow] if case.record["case"]["L"] > SHORT else []) for case in cases]


@pytest.mark.parametrize("case", parameters(TRACES))
def test_it_misses_as_often(case: Case) -> None:
    engine_of("compiled")
    row = run_case(case)
    assert row.holds, row.figures[0]
    assert row.figures[0].name == ("blocks_in_pages" if case.record["backend"] == "fileread" else "majflt")
    assert_committed(row)


def test_the_committed_table_is_of_all_of_them() -> None:
    assert f"page strings in a group: {len(TRACES)} of {len(TRACES)} hold" in TABLE


def test_what_decides_nothing_is_told_as_it_is() -> None:
    """Lists of the end differ from run to run of the kernel, and so do ours, where counts of faults agree."""
    engine_of("compiled")
    row = run_case(next(case for case in TRACES if case.id == "trace.loop_1.1.anon.L256.sw60"))
    assert [figure.name for figure in row.figures if figure.decides] == ["majflt"]
    assert any(not figure.holds for figure in row.figures)
    assert row.holds


@pytest.mark.parametrize("case", [case for case in TRACES if case.record["case"]["L"] == SHORT], ids=lambda case: case.id)
def test_the_machine_is_sound_afterwards(case: Case) -> None:
    engine_of("compiled")
    record = case.record
    run = Run(record["backend"], string_of(case), record["case"]["L"], record["swappiness"])
    run.machine.check()


def test_a_back_end_that_nobody_knows() -> None:
    case = TRACES[0]
    row = run_case(Case(case.id, case.kind, {**case.record, "backend": "tape"}, case.path, case.kernel))
    assert not row.applies
    assert "tape" in row.cause


@pytest.mark.parametrize("killed", [0, 3])
def test_who_is_killed_fares_as_recorded_where_the_runs_were(killed: int) -> None:
    case = next(case for case in TRACES if case.id == "trace.hot_scan.anon.L256.sw60")
    record = {**case.record, "swappiness": 0, "tolerance": {"runs_killed_by_oom": killed}}
    row = run_case(Case(case.id, case.kind, record, case.path, case.kernel))
    assert row.figures[0].name == "runs_killed_by_oom"
    assert row.holds == bool(killed)
    assert bool(row.cause) == (not killed)
