"""Every recorded charging and OOM case of Linux 6.18, each driven on a machine of its own."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

import pytest

from memcgfs.fidelity.cases import Case, CaseError, read_cases
from memcgfs.fidelity.k618 import charging, oom
from memcgfs.fidelity.k618.allowances import BATCH, KERNEL_MEMORY, Situation, judge
from memcgfs.fidelity.row import Row
from memcgfs.fidelity.table import lines

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


def of(name: str, case_id: str) -> Case:
    return next(case for case in read_cases(DATA / f"{name}.jsonl") if case.id == case_id)


def with_runs(case: Case, path: list[object], value: object) -> Case:
    """The same case, had each run come to that."""
    runs = deepcopy(case.record["runs"])
    for run in runs:
        at = run
        for name in path[:-1]:
            at = at[name]
        at[path[-1]] = value
    return Case(case.id, case.kind, {**case.record, "runs": runs}, case.path, case.kernel)


def differing(row: Row) -> list[str]:
    return [figure.name for figure in row.figures if not figure.holds]


@pytest.mark.parametrize(
    ("path", "value", "figure"),
    [
        (["died_with"], None, "died_with"),
        (["pages_done"], 260, "pages_done"),
        (["eventfd"], 2, "eventfd"),
        (["end", "failcnt"], 1, "end.failcnt"),
        (["end", "oom_control", "oom_kill"], "2", "end.oom_control.oom_kill"),
    ],
)
def test_another_end_would_differ(path: list[object], value: object, figure: str) -> None:
    assert differing(oom.run_case(with_runs(of("oom", "oom.dies_at_256"), path, value))) == [figure]


def test_another_victim_would_differ() -> None:
    assert "killed" in differing(oom.run_case(with_runs(of("oom", "oom.pick_equal"), ["killed"], [0, 1, 2])))


def test_what_the_set_up_takes_from_a_record_is_no_figure() -> None:
    names = {figure.name for figure in oom.run_case(of("oom", "oom.pick_adj_small_600")).figures}
    assert names.isdisjoint({"sizes", "toucher", "toucher_touches", "oom_score_adj", "oom_score_adj_write"})
    assert "end.max" in names
    assert "limit_pages" not in {figure.name for figure in oom.run_case(of("oom", "oom.dies_at_64")).figures}


@pytest.mark.parametrize(("number", "value"), [("rss", 100 * 4096), ("pgpgin", 20), ("swap", 4096), ("pgmajfault", 1)])
def test_another_charge_would_differ(number: str, value: int) -> None:
    case = of("charging", "charge.anon_write_then_read")
    step = next(place for place, words in enumerate(case.record["steps"]) if words[0] == "snap" and place > 2)
    row = charging.run_case(with_runs(case, [step, "snap", "A", "stat", number], value))
    assert [name.split()[-1] for name in differing(row)] == [number]


def test_each_allowance_is_for_its_side() -> None:
    swapping, given_up = Situation(is_swapping=True), Situation(given_up=20)
    assert judge("swap", [100, 110], 130, swapping).holds
    assert not judge("swap", [100, 110], 90, swapping).holds
    assert judge("cache", [100], 122, given_up).holds
    assert not judge("cache", [100], 90, given_up).holds
    assert judge("usage_at_once", [100], 100 + BATCH, Situation()).holds
    assert not judge("usage", [100], 100 + BATCH, Situation()).holds
    assert judge("kmem", [10, 12], 12, Situation()).why == ""
    assert judge("kmem", [10, 12], 13, Situation()).why == KERNEL_MEMORY
    assert not judge("failcnt", [0], 1, Situation(3, 3, is_swapping=True, given_up=9)).holds


def test_the_table_tells_what_holds_by_an_allowance() -> None:
    text = list(lines([oom.run_case(of("oom", "oom.disabled_syscall_read"))]))
    assert text[-2:] == ["    1 by a: state0.kmem 2/1", f"  a  {KERNEL_MEMORY}"]


@pytest.mark.parametrize(
    "change",
    [{"steps": [["new", "h"], ["h", "touch Z 0 1 w"]]}, {"steps": [["move", "q", "A"]]}, {"steps": [["new"]]}, {"runs": [[]]}],
    ids=["region", "helper", "words", "runs"],
)
def test_a_step_of_what_is_not_there_is_told(change: dict[str, object]) -> None:
    case = next(iter(read_cases(DATA / "charging.jsonl")))
    with pytest.raises(CaseError, match="anon_read_zero_page: step"):
        charging.run_case(Case(case.id, case.kind, {**case.record, **change}, case.path, case.kernel))
