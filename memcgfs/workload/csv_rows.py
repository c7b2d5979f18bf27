"""Comma-separated rows: a page number, decimal or 0x, and `r` or `w`.

Contract: a first row whose page does not start with a digit is a header, and skipped; so are empty lines.  Every other
row that is no access is a TraceError with its line number.  This reader goes row by row, at a million or two a second.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator

import numpy as np

from ..units import number
from .stream import MAX_LINE_BYTES, Batch, Source, TraceError

CHUNK_BYTES = 1 << 20
WRITE_OF = {"r": 0, "w": 1}


def batches(source: Source) -> Iterator[Batch]:
    left, line = b"", 1
    while chunk := source.read(CHUNK_BYTES):
        lines = (left + chunk).split(b"\n")
        left = lines.pop()
        if len(left) > MAX_LINE_BYTES:
            raise TraceError(source.path, f"line {line + len(lines)}: no row of a trace is that long")
        yield parse(source, lines, line)
        line += len(lines)
    if left:
        yield parse(source, [left], line)


def parse(source: Source, lines: list[bytes], first_line: int) -> Batch:
    pages: list[int] = []
    writes = bytearray()
    text = (line.decode("ascii", "replace") for line in lines)
    # What is quoted stays as it is: a quoted line end would put line numbers wrong, and no page needs a quote.
    for line, row in enumerate(csv.reader(text, quoting=csv.QUOTE_NONE), first_line):
        match [field.strip() for field in row]:
            case [page, access] if (write := WRITE_OF.get(access.lower())) is not None and page[:1].isdigit():
                # Most are plain decimal numbers, for which int is the quickest.
                value = int(page) if page.isdecimal() and len(page) < 20 else number(page)
                if value is None:
                    raise refused(source, line, row)
                pages.append(value)
                writes.append(write)
            case [] | [""]:
                pass
            case [first, *_] if line == 1 and not first[:1].isdigit():
                pass
            case _:
                raise refused(source, line, row)
    return Batch(np.array(pages, np.uint64), np.frombuffer(writes, np.uint8))


def refused(source: Source, line: int, row: list[str]) -> TraceError:
    return TraceError(source.path, f"line {line}: expected PAGE,r or PAGE,w, not {','.join(row)[:40]!r}")
