"""All cases of a file, each by what drives its kind.

Cases of Linux 6.18 have a subpackage of their own, `k618`, with a module for each kind: its `run_cases(cases)` gives a row for each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib import import_module
from importlib.util import find_spec
from itertools import groupby
from typing import Final

from .cases import Case
from .pressure import run_global_case
from .row import Kernel, Kind, Row
from .strings import NoString, string_of
from .trace import run_trace_case

NOT_DRIVEN: Final = "nothing here drives such cases"
Driver = Callable[[Iterable[Case]], Iterator[Row]]


def run_cases(chosen: Iterable[Case], all_cases: Sequence[Case]) -> Iterator[Row]:
    """A row for each chosen case, in their order. `all_cases`: those of the file, among which are the repeats of a global case."""
    for (kernel, kind), cases in groupby(chosen, lambda case: (case.kernel, case.kind)):
        yield from driver(kernel, kind, all_cases)(cases)


def driver(kernel: Kernel, kind: Kind, all_cases: Sequence[Case]) -> Driver:
    if kernel == "6.18":
        return driver_of_618(kind)
    if kind == "trace":
        return lambda cases: map(run_trace_case, cases)
    if kind == "global":
        return lambda cases: (run_global_case(case, all_cases) for case in cases)
    run_step_cases: Driver = import_module(".steps", __package__).run_step_cases
    return run_step_cases


def driver_of_618(kind: Kind) -> Driver:
    name = f"{__package__}.k618.{kind}"
    if find_spec(name) is None:
        return lambda cases: (Row(case.id, case.kind, (), applies=False, cause=NOT_DRIVEN, kernel="6.18") for case in cases)
    run_cases: Driver = import_module(name).run_cases
    return run_cases


def check_strings(cases: Iterable[Case]) -> None:
    """Raises CaseError where a string that a case names is not there, or another, before anything is driven."""
    for case in cases:
        if case.kind in ("trace", "global"):
            try:
                string_of(case)
            except NoString:
                pass
