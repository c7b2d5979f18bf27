"""Small traces, written in every kind of file."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import zstandard

from memcgfs.workload import Batch, open_trace

Accesses = list[tuple[int, int]]
"""Pages, and 1 for a write."""


def read(path: Path) -> Accesses:
    """All accesses of a trace file."""
    with open_trace(path) as trace:
        return [access for batch in trace for access in pairs(batch)]


def pairs(batch: Batch) -> Accesses:
    assert batch.pages.dtype == np.uint64
    assert batch.writes.dtype == np.uint8
    return list(zip(batch.pages.tolist(), batch.writes.tolist(), strict=True))


def lackey_text(accesses: Accesses) -> bytes:
    return b"".join(b" %s %08x,8\n" % (b"S" if write else b"L", page << 12) for page, write in accesses)


COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.compress,
    ".zst": zstandard.ZstdCompressor().compress,
}


@pytest.fixture(params=COMPRESSIONS, ids=lambda suffix: suffix or "plain")
def compression(request: pytest.FixtureRequest) -> str:
    """A suffix of COMPRESSIONS."""
    suffix: str = request.param
    return suffix
