"""Every recorded page string: the same accesses miss as in Linux 2.6.25, and the counters say the same.

Two figures may differ, each for its cause: what pdflush does to a mapping that is written, and pages that the recorder itself activated.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from memcgfs.fidelity.cases import Case
from memcgfs.fidelity.measure import PDFLUSH, STRING_READ_AGAIN
from memcgfs.fidelity.row import Row
from memcgfs.fidelity.trace import has_ram_disks, run_trace_case

from ..conftest import engine_of
from .conftest import GLOBAL, RECORDED, TRACES

ON_RAM_DISKS = [case for case in TRACES if has_ram_disks(case.record)]
ON_IDE_DISKS = [case for case in TRACES if not has_ram_disks(case.record)]
LONG = 1024


def parameters(cases: list[Case]) -> list[object]:
    """The long ones take seconds together."""
    slow = pytest.mark.slow
    return [pytest.param(case, id=case.id, marks=[slow] if case.record["limit_pages"] >= LONG else []) for case in cases]


def may_differ(case: Case, name: str) -> bool:
    if case.record["backend"] == "filewrite":
        return name in ("minor faults", "nr_vmscan_write")
    return case.record["backend"] == "mix" and name == "pgactivate"


def different(row: Row) -> list[str]:
    return [figure.name for figure in row.figures if not figure.holds]


@pytest.mark.parametrize("case", parameters(ON_RAM_DISKS))
def test_on_a_ram_disk_the_same_accesses_miss(case: Case) -> None:
    engine_of("compiled")
    row = run_trace_case(case)
    assert row.holds
    assert row.first_difference is None
    assert [name for name in different(row) if not may_differ(case, name)] == []
    held = {figure.name for figure in row.figures if figure.holds}
    assert {"misses", "miss_b64", "end_A_b64", "failcnt", "pgsteal", "pswpin", "pswpout", "end usage", "end active", "seconds"} <= held
    assert ("end_B_b64" in held) == (case.record["backend"] == "mix")
    assert {figure.cause for figure in row.figures} <= {"", PDFLUSH, STRING_READ_AGAIN}


@pytest.mark.parametrize("case", parameters(ON_IDE_DISKS))
def test_on_a_slow_disk_it_is_within_what_repeats_differ_by(case: Case) -> None:
    """Reads of a file find the same pages however long they take. What is swapped stays in the swap cache, which nobody pays for."""
    engine_of("compiled")
    row = run_trace_case(case)
    assert row.holds
    figures = {figure.name: figure for figure in row.figures}
    if case.record["backend"] in ("filemap", "fileread"):
        assert different(row) == []
        assert figures["miss_b64"].holds
        assert figures["end_A_b64"].holds
    else:
        assert set(different(row)) <= {"seconds", "pgrotated"}
        assert figures["misses"].ours == 0
        assert figures["pgsteal"].ours == 0


def test_they_are_all_there() -> None:
    assert len(ON_RAM_DISKS) == 89
    assert len(ON_IDE_DISKS) == 7


def test_the_uncompiled_engine_does_the_same() -> None:
    """One of each back end, of the shortest."""
    ids = [
        "k2625.trace.seq_once.anonr.L256.sw60.ram", "k2625.trace.zipf_1.2.filemap.L256.sw60.ram",
        "k2625.trace.zipf_1.2.fileread.L256.sw60.ram", "k2625.trace.seq_once.filewrite.L256.sw60.ram",
        "k2625.trace.mix_zipf.mix.L256.sw0.ram",
    ]  # fmt: skip
    command = [sys.executable, "-m", "memcgfs", "fidelity", str(RECORDED / "traces.jsonl"), *ids, "--json"]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2],
                         env=os.environ | {"MEMCGFS_PURE": "1"})  # fmt: skip
    rows = [json.loads(line) for line in ran.stdout.splitlines()]
    assert {row["id"] for row in rows} == set(ids)
    assert all(row["holds"] and row["first_difference"] is None for row in rows)


def test_both_builds_print_the_same() -> None:
    engine_of("compiled")
    wanted = "k2625.trace.mix_zipf.mix.L256.sw60.ram"
    command = [sys.executable, "-m", "memcgfs", "fidelity", str(RECORDED / "traces.jsonl"), wanted, "--json"]
    printed = {
        subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2],
                       env=os.environ | {"MEMCGFS_PURE": pure}).stdout
        for pure in ("", "1")
    }  # fmt: skip
    assert len(printed) == 1


def test_the_table_in_docs_is_of_all_of_them() -> None:
    text = (Path(__file__).parents[2] / "docs" / "fidelity-2008.txt").read_text()
    assert f"page strings in a group: {len(TRACES)} of {len(TRACES)} hold" in text
    assert f"page strings without a group: {len(GLOBAL)} of {len(GLOBAL)} hold" in text
