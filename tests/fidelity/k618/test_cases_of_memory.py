"""Every recorded charging and OOM case of Linux 6.18, each driven on a machine of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from memcgfs.fidelity.cases import Case, CaseError, read_cases
from memcgfs.fidelity.k618 import charging, oom

from .committed import assert_committed

DATA = Path(__file__).parents[2] / "conformance" / "k618"


def cases(name: str) -> list[object]:
    return [pytest.param(case, id=case.id) for case in read_cases(DATA / f"{name}.jsonl")]


@pytest.mark.parametrize("case", cases("charging"))
def test_each_step_charges_what_it_charged(case: Case) -> None:
    row = charging.run_case(case)
    assert row.applies, row.cause
    assert [figure for figure in row.figures if not figure.holds] == []
    assert row.holds
    assert_committed(row)


@pytest.mark.parametrize("case", cases("oom"))
def test_who_runs_out_of_memory_fares_as_it_did(case: Case) -> None:
    row = oom.run_case(case)
    assert row.applies, row.cause
    assert [figure for figure in row.figures if not figure.holds] == []
    assert row.holds
    assert_committed(row)


@pytest.mark.parametrize(
    "change",
    [{"steps": [["new", "h"], ["h", "touch Z 0 1 w"]]}, {"steps": [["move", "q", "A"]]}, {"steps": [["new"]]}, {"runs": [[]]}],
    ids=["region", "helper", "words", "runs"],
)
def test_a_step_of_what_is_not_there_is_told(change: dict[str, object]) -> None:
    case = next(iter(read_cases(DATA / "charging.jsonl")))
    with pytest.raises(CaseError, match="anon_read_zero_page: step"):
        charging.run_case(Case(case.id, case.kind, {**case.record, **change}, case.path, case.kernel))
