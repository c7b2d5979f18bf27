"""Which kernel and kind a recorded case is of: its shape says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from memcgfs.fidelity import run
from memcgfs.fidelity.cases import Case, parse_case
from memcgfs.fidelity.row import Kernel, Kind

from .conftest import RECORDED


def parsed(**record: Any) -> Case:
    return parse_case(json.dumps({"id": "x", **record}).encode(), Path("cases"), "line 1")


@pytest.mark.parametrize(
    ("record", "kernel", "kind"),
    [
        ({"area": "conformance", "steps": []}, "2.6.25", "conformance"),
        ({"area": "conformance", "op": "read", "path": "c", "expect": {}, "setup": [], "after": []}, "6.18", "conformance"),
        ({"area": "charging", "steps": []}, "2.6.25", "charging"),
        ({"area": "charging", "steps": [], "groups": ["A"], "runs": []}, "6.18", "charging"),
        ({"area": "oom"}, "2.6.25", "oom"),
        ({"area": "oom", "runs": []}, "6.18", "oom"),
        (
            {"area": "trace", "string_file": "s", "string_sha256": "", "backend": "anon", "case": {}, "swappiness": 60, "runs": [],
             "tolerance": {}},
            "6.18", "trace",
        ),
    ],
)  # fmt: skip
def test_a_shape_is_of_one_kernel(record: dict[str, Any], kernel: Kernel, kind: Kind) -> None:
    case = parsed(**record)
    assert (case.kernel, case.kind) == (kernel, kind)


@pytest.mark.parametrize("name", ["charging", "conformance", "oom", "traces", "global"])
def test_what_2008_recorded_stays_its_own(name: str) -> None:
    lines = (RECORDED / f"{name}.jsonl").read_bytes().splitlines()
    assert {parse_case(line, Path(name), "").kernel for line in lines} == {"2.6.25"}


def test_cases_that_nothing_drives_do_not_apply() -> None:
    (row,) = run.driver_of_618("global")([parsed(area="oom", runs=[])])
    assert (row.applies, row.cause) == (False, "nothing here drives such cases")
