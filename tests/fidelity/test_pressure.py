"""Page strings on small machines: the machine is built as /proc/zoneinfo said, and misses are within the recorded spread."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from memcgfs.fidelity.cases import Case
from memcgfs.fidelity.pressure import Zone, hold_memory, is_repeat, machine_of, misses_figure, run_global_case, zones_of

from ..conftest import engine_of
from .conftest import GLOBAL


@pytest.mark.slow
@pytest.mark.parametrize("case", GLOBAL, ids=lambda case: case.id)
def test_misses_are_within_the_spread(case: Case) -> None:
    engine_of("compiled")
    row = run_global_case(case, GLOBAL)
    assert row.applies
    assert row.figures[0].name == "misses"
    assert row.figures[0].holds


@pytest.mark.parametrize("boot", ["g_brd96", "g_ide16", "g_ide32"])
def test_the_machine_is_the_recorded_one(boot: str) -> None:
    """Present pages, watermarks and the reserve of each zone as recorded; free ones too, less what slabs took later, and but for a list
    of the processor's, of 18 pages at most."""
    case = next(case for case in GLOBAL if boot in case.id)
    before = case.record["before"]["/proc/zoneinfo"]
    zones, after = zones_of(before), zones_of(case.record["after"]["/proc/zoneinfo"])
    machine = machine_of(case.record, zones)
    hold_memory(machine, machine.spawn(100), zones, after)
    marks = re.findall(r"^ +(?:min|low|high) +(\d+)$", before, re.MULTILINE)
    views = machine.zones()
    assert [str(mark) for view in views for mark in (view.pages_min, view.pages_low, view.pages_high)] == marks
    for view in views:
        zone = zones[view.name]
        assert view.present == zone.present
        assert 0 <= zone.free - max(after[view.name].nr_slab - zone.nr_slab, 0) - view.free <= 18
    assert "protection: (0, 78, 78, 78)" in before or boot != "g_brd96"
    if boot == "g_brd96":
        assert views[0].protection == [0, 78, 78, 78]
    machine.check()


def test_repeats_are_found_by_what_they_are() -> None:
    first = GLOBAL[0]
    repeats = [case for case in GLOBAL if is_repeat(case, first)]
    assert [case.record["result"]["misses_total"] for case in repeats] == [6151, 5630, 5808]
    renamed = dataclasses.replace(repeats[1], id="x")
    assert is_repeat(renamed, first)


def test_zoneinfo() -> None:
    text = """Node 0, zone      DMA
  pages free     777
        min      44
        present  3456
    nr_free_pages 777
    nr_slab_reclaimable 1
    nr_slab_unreclaimable 16
  pagesets
    cpu: 0
              high:  0
"""
    assert zones_of(text) == {"DMA": Zone(777, 3456, 1, 16)}
    assert zones_of(text)["DMA"].nr_slab == 17


@pytest.mark.parametrize(("ours", "holds"), [(94, False), (95, True), (100, True), (110, True), (115, True), (116, False)])
def test_the_spread_is_granted_a_share_beyond(ours: int, holds: bool) -> None:
    """100 to 110 and 5 % of either: 95 to 115.5."""
    figure = misses_figure([100, 110], ours, 0.05, "why")
    assert (figure.recorded, figure.holds, figure.cause) == ([100, 110], holds, "" if holds else "why")


def test_a_string_that_cannot_be_had(tmp_path: Path) -> None:
    record = dict(GLOBAL[0].record) | {"string_sha256": "0" * 64}
    row = run_global_case(Case("x", "global", record, tmp_path / "cases.jsonl"), [])
    assert not row.applies
    assert not row.holds
    assert "0000000000000000" in row.cause
