"""Every recorded page string of Linux 6.18: its major faults, or the pages that were read, lie within what was recorded, and a tenth of the
median beyond."""

from __future__ import annotations

from pathlib import Path

import pytest

from memcgfs.fidelity.cases import Case, read_cases
from memcgfs.fidelity.k618.trace import Run, run_case
from memcgfs.fidelity.strings import string_of

from ...conftest import engine_of

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
