"""All cases of a file, each by what drives its kind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from itertools import groupby

from .cases import Case
from .pressure import run_global_case
from .row import Row
from .strings import NoString, string_of
from .trace import run_trace_case


def run_cases(chosen: Iterable[Case], all_cases: Sequence[Case]) -> Iterator[Row]:
    """A row for each chosen case, in their order. `all_cases`: those of the file, among which are the repeats of a global case."""
    for kind, cases in groupby(chosen, lambda case: case.kind if case.kind in ("trace", "global") else "steps"):
        if kind == "trace":
            yield from map(run_trace_case, cases)
        elif kind == "global":
            yield from (run_global_case(case, all_cases) for case in cases)
        else:
            yield from run_step_cases(cases)


def run_step_cases(cases: Iterable[Case]) -> Iterator[Row]:
    try:
        steps = import_module(".steps", __package__)
    except ModuleNotFoundError:
        return (Row(case.id, case.kind, (), cause="not built") for case in cases)
    rows: Iterator[Row] = steps.run_step_cases(cases)
    return rows


def check_strings(cases: Iterable[Case]) -> None:
    """Raises CaseError where a string that a case names is not there, or another, before anything is driven."""
    for case in cases:
        if case.kind in ("trace", "global"):
            try:
                string_of(case)
            except NoString:
                pass
