"""Page strings are the recorded ones, whether they are read or made anew."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from memcgfs.fidelity.cases import Case, CaseError
from memcgfs.fidelity.strings import NoString, checksum, make, string_of

from .conftest import GLOBAL, TRACES

MADE = ("seq", "uniform", "zipf")


def test_generators_make_the_recorded_strings() -> None:
    """All that there are of the three kinds in files, by their checksums."""
    cases = [case for case in TRACES if case.record["case"]["gen"] in MADE]
    assert {case.record["case"]["gen"] for case in cases} == set(MADE)
    for case in cases:
        made = make(case.record["case"], case.record["backend"])
        assert made is not None
        assert checksum(made) == case.record["string_sha256"]


@pytest.mark.parametrize("case", GLOBAL, ids=lambda case: case.id)
def test_global_cases_have_theirs(case: Case) -> None:
    assert len(string_of(case)) == case.record["case"]["M"]


def test_a_string_lies_beside_its_file(tmp_path: Path) -> None:
    """Of a global case whose generator is not known: strings/, by the first 16 digits of the checksum."""
    words = np.array([3, 1, 2], np.uint32)
    record = {"string_sha256": checksum(words), "case": {"gen": "dice", "N": 4, "M": 3, "seed": 1, "kw": {}}, "backend": "anon"}
    case = Case("x", "global", record, tmp_path / "cases.jsonl")
    with pytest.raises(NoString):
        string_of(case)
    (tmp_path / "strings").mkdir()
    np.savez(tmp_path / "strings" / f"{checksum(words)[:16]}.npz", t=words)
    assert string_of(case).tolist() == [3, 1, 2]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "holds no array `t`"),
        (b"PK\x03\x04 and no more", "holds no array `t`"),
        (b"plain text", "holds no array `t`"),
        (np.zeros(3, np.uint32).tobytes(), "holds no array `t`"),
    ],
)
def test_what_is_no_string(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "s.npz").write_bytes(content)
    case = Case("x", "trace", {"string_sha256": "", "string_file": "s.npz"}, tmp_path / "cases.jsonl")
    with pytest.raises(CaseError, match=message):
        string_of(case)


def test_an_array_of_another_kind(tmp_path: Path) -> None:
    np.savez(tmp_path / "s.npz", t=np.zeros(3, np.int64))
    case = Case("x", "trace", {"string_sha256": "", "string_file": "s.npz"}, tmp_path / "cases.jsonl")
    with pytest.raises(CaseError, match="no string of 32-bit words"):
        string_of(case)
