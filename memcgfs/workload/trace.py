"""A trace of page accesses, whatever kind of file it is.

Contract
- A file that starts as .npy is an array, one whose name ends in .csv (or .csv.gz, .csv.zst) is CSV, and any other is
  output of lackey; all of them plain, gzip or zstd.
- A trace is read once.  One without any access is refused at its end: it is somebody else's file.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from . import csv_rows, lackey, npy
from .stream import Batch, Source, TraceError

COMPRESSED_SUFFIXES = {".gz", ".zst"}


class Trace:
    """Iterating yields batches.  `size_bytes` is the file's, 0 for a pipe; `position` how much of it was read."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.path = source.path
        self.size_bytes = source.size_bytes

    @property
    def position(self) -> int:
        return self._source.position

    def __iter__(self) -> Iterator[Batch]:
        if self._source.peek(len(npy.MAGIC)) == npy.MAGIC:
            kind, read_batches = "access in the array", npy.batches
        elif is_csv(self.path):
            kind, read_batches = "row PAGE,r or PAGE,w", csv_rows.batches
        else:
            kind, read_batches = "access of valgrind's lackey (a CSV trace is named .csv)", lackey.batches
        nr_accesses = 0
        for batch in read_batches(self._source):
            nr_accesses += len(batch.pages)
            if len(batch.pages):
                yield batch
        if nr_accesses == 0:
            raise TraceError(self.path, f"no {kind}, from the first line to the last")


def is_csv(path: Path) -> bool:
    suffixes = [suffix.lower() for suffix in path.suffixes]
    while suffixes and suffixes[-1] in COMPRESSED_SUFFIXES:
        suffixes.pop()
    return suffixes[-1:] == [".csv"]


@contextmanager
def open_trace(path: str | os.PathLike[str]) -> Iterator[Trace]:
    """Raises TraceError, also where the file cannot be opened."""
    with Source(path) as source:
        yield Trace(source)
