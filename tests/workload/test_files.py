"""Arrays, CSV and compression."""

from __future__ import annotations

import gzip
import os
import re
import threading
from pathlib import Path

import numpy as np
import pytest
import zstandard

from memcgfs.workload import TraceError, csv_rows, npy, open_trace

from .conftest import COMPRESSIONS, Accesses, lackey_text, read

ACCESSES: Accesses = [(5, 0), (6, 1), (0, 0), ((1 << 31) - 1, 1)] * 1000


def saved_array(path: Path, dtype: str, accesses: Accesses) -> None:
    top = np.dtype(dtype).itemsize * 8 - 1
    np.save(path, np.array([page | write << top for page, write in accesses], dtype=dtype))


# Compression


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
@pytest.mark.parametrize("kept", [0.02, 0.5, 0.98])
def test_a_compressed_file_that_ends_early_is_refused(suffix: str, kept: float, tmp_path: Path) -> None:
    path = tmp_path / f"trace{suffix}"
    whole = COMPRESSIONS[suffix](lackey_text([(page * page % 9973, page & 1) for page in range(9000)]))
    path.write_bytes(whole[: int(len(whole) * kept)])
    with pytest.raises(TraceError, match=rf"^{path}: truncated: the (gzip|zstd) stream ends early, at byte \d+$"):
        read(path)


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_a_damaged_one_too(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"trace{suffix}"
    whole = COMPRESSIONS[suffix](lackey_text(ACCESSES))
    path.write_bytes(whole + b"and something else")
    with pytest.raises(TraceError, match=rf"^{path}: damaged: no (gzip|zstd) stream after byte {len(whole)}$"):
        read(path)


@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_pieces_behind_each_other_are_one_trace(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / "trace"
    path.write_bytes(COMPRESSIONS[suffix](lackey_text(ACCESSES)) + COMPRESSIONS[suffix](lackey_text([(9, 1)])))
    assert read(path) == [*ACCESSES, (9, 1)]


def test_the_content_says_how_it_is_compressed(tmp_path: Path) -> None:
    path = tmp_path / "trace.gz"
    path.write_bytes(zstandard.compress(lackey_text(ACCESSES)))
    assert read(path) == ACCESSES


def test_a_pipe_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "trace"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(gzip.compress(lackey_text(ACCESSES)),))
    writer.start()
    assert read(path) == ACCESSES
    writer.join()


def test_position_counts_the_file(tmp_path: Path) -> None:
    path = tmp_path / "trace.zst"
    path.write_bytes(zstandard.compress(lackey_text(ACCESSES)))
    with open_trace(path) as trace:
        for _ in trace:
            pass
        assert trace.position == trace.size_bytes == path.stat().st_size


def test_what_cannot_be_opened_is_said_in_a_line(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match=rf"^{tmp_path}: Is a directory$"):
        read(tmp_path)
    with pytest.raises(TraceError, match=rf"^{tmp_path}/none: No such file or directory$"):
        read(tmp_path / "none")


# Arrays


@pytest.mark.parametrize("dtype", ["<u4", ">u4", "<u8", ">u8"])
@pytest.mark.parametrize("batch_pages", [7, 1 << 16])
def test_arrays(dtype: str, batch_pages: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(npy, "BATCH_PAGES", batch_pages)
    saved_array(tmp_path / "trace.npy", dtype, ACCESSES)
    assert read(tmp_path / "trace.npy") == ACCESSES


def test_a_compressed_array(tmp_path: Path, compression: str) -> None:
    saved_array(tmp_path / "trace.npy", "<u8", ACCESSES)
    path = tmp_path / f"packed.npy{compression}"
    path.write_bytes(COMPRESSIONS[compression]((tmp_path / "trace.npy").read_bytes()))
    assert read(path) == ACCESSES


def test_an_array_that_ends_early_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "trace.npy"
    saved_array(path, "<u4", ACCESSES)
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(TraceError, match=rf"^{path}: truncated: ends after access 3999 of 4000$"):
        read(path)


@pytest.mark.parametrize(
    ("array", "reason"),
    [
        (np.zeros(3, "i8"), "an array of int64, shape (3,)"),
        (np.zeros(3, "f8"), "an array of float64, shape (3,)"),
        (np.zeros(3, "u2"), "an array of uint16, shape (3,)"),
        (np.zeros((2, 2), "u8"), "an array of uint64, shape (2, 2)"),
        (np.zeros((), "u8"), "an array of uint64, shape ()"),
        (np.array([print], "O"), "an array of object, shape (1,)"),
        (np.zeros(0, "u8"), "no access in the array"),
    ],
)
def test_other_arrays_are_refused(array: np.ndarray[tuple[int, ...], np.dtype[np.generic]], reason: str,
                                  tmp_path: Path) -> None:  # fmt: skip
    path = tmp_path / "trace.npy"
    np.save(path, array, allow_pickle=True)
    with pytest.raises(TraceError, match=f"^{path}: {re.escape(reason)}"):
        read(path)


@pytest.mark.parametrize("rest", [b"", b"\x09\x09", b"\x01\x00\x10\x00nonsense, no dict", b"\x01\x00\xff\xffshort"])
def test_a_broken_header_is_refused(rest: bytes, tmp_path: Path) -> None:
    path = tmp_path / "trace.npy"
    path.write_bytes(b"\x93NUMPY" + rest)
    with pytest.raises(TraceError, match=rf"^{path}: the header is no \.npy header$"):
        read(path)


# CSV

ROWS = b"page,access\n5,r\n0x1F , W\n\n34359738367,w\r\n18446744073709551615,r\n007,R"


def test_csv(tmp_path: Path, compression: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / f"trace.csv{compression}"
    path.write_bytes(COMPRESSIONS[compression](ROWS))
    for chunk_bytes in (5, 1 << 20):
        monkeypatch.setattr(csv_rows, "CHUNK_BYTES", chunk_bytes)
        assert read(path) == [(5, 0), (31, 1), (34359738367, 1), (18446744073709551615, 0), (7, 0)]


@pytest.mark.parametrize(
    "row",
    ["5,x", "5", "5,r,w", "-5,r", "+5,r", "5.0,r", "0x,r", "18446744073709551616,r", "page,r", '"5",r', "1_000,r",
     "٣,r"],
)  # fmt: skip
def test_a_row_that_is_no_access_is_named(row: str, tmp_path: Path) -> None:
    path = tmp_path / "trace.csv"
    path.write_text(f"1,r\n2,w\n{row}\n4,r\n")
    with pytest.raises(TraceError, match=rf"^{path}: line 3: expected PAGE,r or PAGE,w, not "):
        read(path)


@pytest.mark.parametrize("content", [b"", b"page,access\n", b"\n\n"], ids=["empty", "header", "lines"])
def test_csv_without_an_access_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "trace.csv"
    path.write_bytes(content)
    with pytest.raises(TraceError, match=rf"^{path}: no row PAGE,r or PAGE,w"):
        read(path)


def test_a_row_may_not_be_endless(tmp_path: Path) -> None:
    path = tmp_path / "trace.csv"
    path.write_bytes(b"1,r\n" + b"1" * 3_000_000)
    with pytest.raises(TraceError, match="line 2: no row of a trace is that long"):
        read(path)
