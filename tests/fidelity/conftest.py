"""The recorded cases, and small ones of our own in files."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from memcgfs.fidelity import stage
from memcgfs.fidelity.cases import Case, read_cases
from memcgfs.fidelity.strings import WRITE_BIT, checksum

RECORDED = Path(__file__).parents[1] / "conformance" / "k2625"
MakeTrace = Callable[..., Path]

REASON = stage.why_not()
on_a_stage = pytest.mark.skipif(bool(REASON), reason=REASON)


def cases_of(name: str) -> list[Case]:
    return list(read_cases(RECORDED / f"{name}.jsonl"))


TRACES = cases_of("traces")
GLOBAL = cases_of("global")


@pytest.fixture
def make_trace(tmp_path: Path) -> MakeTrace:
    """make_trace(**fields): a file with one trace case: 20 pages written one after the other, under a limit of 64. Nothing is reclaimed,
    and nothing missed, as its record says."""
    words = np.arange(20, dtype=np.uint32) | WRITE_BIT

    def make(**fields: Any) -> Path:
        (tmp_path / "strings").mkdir(exist_ok=True)
        np.savez(tmp_path / "strings" / "twenty.npz", t=words)
        stat = {"cache": 0, "rss": 20 * 4096, "active": 20 * 4096, "inactive": 0}
        run = {
            "end": {"usage_in_bytes": 20 * 4096, "limit_in_bytes": 64 * 4096, "failcnt": 0, "stat": stat, "ntasks": 1},
            "seconds": 0.0001,
            "misses_total": 0,
            "minflt_total": 20,
            "misses_per_1000": [0],
            "vmstat": {"pgactivate": 0, "pgdeactivate": 0, "pgrefill_dma": 0, "pgrefill_dma32": 0, "pswpin": 0, "pswpout": 0},
            "miss_b64": base64.b64encode(bytes(3)).decode(),
            "end_A": {"pages": 20, "cached": 20, "cached_b64": base64.b64encode(b"\xff\xff\x0f").decode()},
        }
        record = {
            "id": "twenty",
            "area": "trace",
            "arch": "x86_64",
            "hz": 1000,
            "ram_mib": 64,
            "swap": "ram disk (synchronous)",
            "swap_pages": 255,
            "file_store": "ext2 on ram disk",
            "page_cluster": 0,
            "swappiness": 60,
            "limit_pages": 64,
            "backend": "anon",
            "case": {"pattern": "seq_once", "gen": "seq", "N": 20, "M": 20, "seed": 1, "kw": {}},
            "string_file": "strings/twenty.npz",
            "string_sha256": checksum(words),
            "runs": [run],
        }
        path = tmp_path / "cases.jsonl"
        path.write_text(json.dumps(record | fields) + "\n")
        return path

    return make
