"""`memcgfs fidelity`: what it prints, what it refuses, and what it exits with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from memcgfs.cli import main

from .conftest import RECORDED, MakeTrace


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    status = main(["fidelity", *map(str, words)])
    return status, *capsys.readouterr()


def test_a_case_that_holds(make_trace: MakeTrace, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys, make_trace())
    assert (status, err) == (0, "")
    assert out.splitlines()[0] == "page strings in a group: 1 of 1 hold"
    row = out.splitlines()[4].split()
    assert row[:4] == ["twenty", "0", "0", "identical"]
    assert row[-2:] == ["identical", "holds"]


def test_json(make_trace: MakeTrace, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, make_trace(), "--json")
    (row,) = [json.loads(line) for line in out.splitlines()]
    assert status == 0
    assert {key: row[key] for key in ("id", "kind", "applies", "holds", "first_difference", "cause")} == {
        "id": "twenty", "kind": "trace", "applies": True, "holds": True, "first_difference": None, "cause": "",
    }  # fmt: skip
    assert row["figures"]["misses"] == {"recorded": 0, "ours": 0, "holds": True, "cause": ""}
    assert row["figures"]["end usage"] == {"recorded": 20, "ours": 20, "holds": True, "cause": ""}
    assert row["figures"]["miss_b64"]["ours"] == row["figures"]["miss_b64"]["recorded"] == "AAAA"
    assert row["figures"]["misses per 1000"]["ours"] == [0]


def changed(path: Path, **run_fields: Any) -> Path:
    record = json.loads(path.read_text())
    record["runs"][0] |= run_fields
    path.write_text(json.dumps(record))
    return path


def test_a_case_that_differs(make_trace: MakeTrace, capsys: pytest.CaptureFixture[str]) -> None:
    """Recorded as if access 10 had missed: bit 2 of the second byte."""
    status, out, _ = run(capsys, changed(make_trace(), miss_b64="AAQA", misses_total=1), "--json")
    row = json.loads(out)
    assert status == 1
    assert (row["holds"], row["first_difference"]) == (False, 10)
    assert row["figures"]["misses"] == {"recorded": 1, "ours": 0, "holds": False, "cause": ""}


def test_a_task_that_is_killed(make_trace: MakeTrace, capsys: pytest.CaptureFixture[str]) -> None:
    """8 of 20 pages may be charged, and there is no swap."""
    status, out, _ = run(capsys, make_trace(limit_pages=8, swap_pages=0), "--json")
    row = json.loads(out)
    assert status == 1
    assert row["first_difference"] == 8
    assert row["cause"].startswith("the task was killed after 8 of 20 accesses: ")


def test_a_back_end_of_another_kind(make_trace: MakeTrace, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, make_trace(backend="hugetlb"))
    assert status == 0
    assert out.splitlines()[0] == "page strings in a group: 0 of 0 hold (1 do not apply)"


def test_ids_choose(capsys: pytest.CaptureFixture[str]) -> None:
    wanted = "k2625.trace.seq_once.anonr.L256.sw60.ram"
    status, out, _ = run(capsys, RECORDED / "traces.jsonl", wanted, "--json")
    assert status == 0
    assert [json.loads(line)["id"] for line in out.splitlines()] == [wanted]


def test_what_is_treated_is_no_name(make_trace: MakeTrace, capsys: pytest.CaptureFixture[str]) -> None:
    """A case under another name, in another directory, is what it was."""
    status, out, _ = run(capsys, make_trace(id="k2625.oom.anything"), "--json")
    row = json.loads(out)
    assert (status, row["kind"], row["holds"]) == (0, "trace", True)


def refusal(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    """The one line of a refusal."""
    status, out, err = run(capsys, *words)
    assert (status, out) == (2, "")
    assert err.count("\n") == 1
    return err.removeprefix("memcgfs: ").rstrip("\n")


def test_an_unknown_id(make_trace: MakeTrace, capsys: pytest.CaptureFixture[str]) -> None:
    path = make_trace()
    assert refusal(capsys, path, "twenty", "thirty") == f"{path}: there is no case thirty"


def test_a_missing_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert refusal(capsys, tmp_path / "none.jsonl") == f"{tmp_path}/none.jsonl: No such file or directory"
    assert refusal(capsys, tmp_path) == f"{tmp_path}: Is a directory"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "line 1 is not JSON"),
        ("\n\nnonsense\n", "line 3 is not JSON"),
        ("\x80", "line 1 is not JSON"),
        ("[]", "line 1 is no object with an id"),
        ('{"id": 5, "area": "oom"}', "line 1 is no object with an id"),
        ('{"id": "x"}', "line 1: area None is none of conformance, charging, oom, trace, global_trace"),
        ('{"id": "x", "area": []}', "line 1: area [] is none of conformance, charging, oom, trace, global_trace"),
        ('{"id": "x", "area": "charging"}', "line 1: a case of this area needs 'steps'"),
        ('{"id": "x", "area": "trace", "string_file": "s"}', "line 1: a case of this area needs 'string_sha256'"),
    ],
)
def test_what_is_no_file_of_cases(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, message: str) -> None:
    path = tmp_path / "cases.jsonl"
    path.write_bytes(text.encode("latin-1"))
    assert refusal(capsys, path) == f"{path}: {message}"


def test_a_missing_string(make_trace: MakeTrace, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = make_trace(string_file="strings/other.npz")
    assert refusal(capsys, path) == f"{tmp_path}/strings/other.npz: No such file or directory"


def test_another_string(make_trace: MakeTrace, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = make_trace()
    np.savez(tmp_path / "strings" / "twenty.npz", t=np.arange(20, dtype=np.uint32))
    assert refusal(capsys, path).startswith(f"{path}: twenty: its string is another than the recorded one (SHA-256 ")


@pytest.mark.parametrize(
    "fields",
    [
        {"runs": []}, {"runs": [{}]}, {"runs": 3}, {"ram_mib": "much"}, {"ram_mib": 0}, {"swappiness": 1000}, {"limit_pages": None},
        {"hz": 0}, {"arch": "vax"},
    ],
)  # fmt: skip
def test_a_record_that_is_none(make_trace: MakeTrace, capsys: pytest.CaptureFixture[str], fields: dict[str, Any]) -> None:
    path = make_trace(**fields)
    assert refusal(capsys, path).startswith(f"{path}: twenty: is not recorded as trace cases are (")


def test_an_empty_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "cases.jsonl"
    path.touch()
    assert refusal(capsys, path) == f"{path}: no case in it"
