"""Output of valgrind's lackey, as it is and as it should not be."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from memcgfs.workload import TraceError, lackey

from .conftest import COMPRESSIONS, Accesses, read

AS_RECORDED = b"""\
==4106== Lackey, an example Valgrind tool
==4106== Command: env, sort
==4106==
I  0401ab70,3
 S 1fff000748,8
 L 04222c48,8
 M 0421c3f8,4
916118
==4106==
==4106== Counted 1 call to main()
"""


def test_each_kind_of_line(tmp_path: Path, compression: str) -> None:
    path = tmp_path / f"trace{compression}"
    path.write_bytes(COMPRESSIONS[compression](AS_RECORDED))
    assert read(path) == [(0x401A, 0), (0x1FFF000, 1), (0x4222, 0), (0x421C, 1)]


@pytest.mark.parametrize(
    ("line", "accesses"),
    [
        (" S 04000ffc,4", [(0x4000, 1)]),
        (" S 04000ffc,5", [(0x4000, 1), (0x4001, 1)]),
        (" L 04000fff,1", [(0x4000, 0)]),
        (" L 04000fff,2", [(0x4000, 0), (0x4001, 0)]),
        ("I  00000fff,4098", [(0, 0), (1, 0), (2, 0)]),
        (" L 0,1", [(0, 0)]),
        (" L 7fffffffffff,1", [(0x7FFFFFFFF, 0)]),
        (" L ffffffffffffffff,1", [(0xFFFFFFFFFFFFF, 0)]),
        (" M 1FFEFFF000,16", [(0x1FFEFFF, 1)]),
    ],
)
def test_which_pages_a_line_touches(line: str, accesses: Accesses, tmp_path: Path) -> None:
    path = tmp_path / "trace"
    path.write_text(f"{line}\n")
    assert read(path) == accesses


def test_an_access_across_a_boundary_stays_in_its_place(tmp_path: Path) -> None:
    path = tmp_path / "trace"
    path.write_text(" L 1000,1\n S 2fff,2\n L 5000,1\n")
    assert read(path) == [(1, 0), (2, 1), (3, 1), (5, 0)]


@pytest.mark.parametrize("last", ["\n", ""], ids=["newline", "none"])
def test_the_last_line_may_lack_its_newline(last: str, tmp_path: Path) -> None:
    path = tmp_path / "trace"
    path.write_text(f" L 1000,1\n S 2000,8{last}")
    assert read(path) == [(1, 0), (2, 1)]


def test_lines_that_chunks_cut_in_two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dice = random.Random(7)
    lines, accesses = [], []
    for _ in range(500):
        page, write = dice.choice([dice.randrange(1 << 12), dice.randrange(1 << 35)]), dice.randrange(2)
        lines.append(f" {'LS'[write]} {page << 12:08x},{dice.randrange(1, 4097)}\n")
        accesses.append((page, write))
        if dice.randrange(10) == 0:
            lines.append(dice.choice(["\n", "==1== a, b\n", ",\n", "x\n", "I\n"]))
    path = tmp_path / "trace"
    path.write_text("".join(lines))
    for chunk_bytes in (37, 64, 1000, 1 << 20):
        monkeypatch.setattr(lackey, "CHUNK_BYTES", chunk_bytes)
        assert read(path) == accesses


@pytest.mark.parametrize(
    "line",
    [" L ", " L 04000", " L 04000,", " L ,8", " L 04000,0", " L 04000,x", " L 04000,123456789", " S 0400g000,8",
     " S 04:00000,8", " L 11112222333344445,8", "I  am no access", " S 04000000,8 x", " M 0x1000,4", " L -1000,4"],
)  # fmt: skip
def test_a_line_that_is_cut_off_is_named(line: str, tmp_path: Path) -> None:
    path = tmp_path / "trace"
    path.write_text(f"==1== x\n L 1000,1\n{line}\n L 3000,1\n")
    with pytest.raises(TraceError, match=rf"^{path}: line 3: truncated or no access of lackey's: '{line[:4]}"):
        read(path)


def test_the_number_of_a_line_counts_those_of_earlier_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lackey, "CHUNK_BYTES", 64)
    path = tmp_path / "trace"
    path.write_text(" L 1000,1\n==1==\n" * 50 + " L 10")
    with pytest.raises(TraceError, match="line 101: "):
        read(path)


@pytest.mark.parametrize("end", ["I", "I ", "I  ", " L", " S", " M", " M 04", " L 04000000,"])
def test_a_file_that_ends_within_a_line_is_refused(end: str, tmp_path: Path) -> None:
    path = tmp_path / "trace"
    path.write_text(f" L 1000,1\n{end}")
    with pytest.raises(TraceError, match="line 2: truncated"):
        read(path)


@pytest.mark.parametrize("content", [b"", b"\n\n", b"root:x:0:0\n", bytes(range(256)) * 9, b"x" * 3_000_000],
                         ids=["empty", "lines", "passwd", "bytes", "one-line"])  # fmt: skip
def test_a_file_without_an_access_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "trace"
    path.write_bytes(content)
    with pytest.raises(TraceError, match=rf"^{path}: (no access of valgrind's lackey|line 1: no line .* that long)"):
        read(path)
