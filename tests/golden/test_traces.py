"""The larger traces give the counts that golden.json keeps, on both builds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from .traces import GOLDEN, TRACES, golden, summary


@pytest.mark.parametrize("name", TRACES)
def test_the_counts_are_golden(engine: ModuleType, name: str) -> None:
    machine = TRACES[name](engine)
    machine.check()
    assert summary(machine) == golden()[name]


def test_everything_is_in_the_last_trace() -> None:
    """It faults, reads, writes and maps, reclaims in every way, swaps, kills, and misses nodes."""
    counts = golden()["everything"]
    moved = {name for trace in golden().values() for name in trace if trace[name]}
    assert moved - {name for name in counts if counts[name]} <= {
        "nr_writeback", "nr_slab_reclaimable", "nr_dirty", *[name for name in moved if name.endswith(("_dma32", "_high"))],
    }  # fmt: skip


def test_every_trace_is_kept() -> None:
    assert golden().keys() == TRACES.keys()


@pytest.mark.parametrize("hash_seed", ["0", "1"])
def test_they_are_reprinted_as_they_are_kept(hash_seed: str) -> None:
    root = Path(__file__).parents[2]
    environment = {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(root)}
    ran = subprocess.run([sys.executable, "-m", "tests.golden"], cwd=root, env=environment, capture_output=True, text=True, check=True)
    assert ran.stdout == GOLDEN.read_text()
