"""How figures are held against each other, and how rows are told."""

from __future__ import annotations

import numpy as np
import pytest

from memcgfs.fidelity.measure import (
    DISK_TIMES,
    PDFLUSH,
    STRING_READ_AGAIN,
    Circumstances,
    Run,
    counted,
    figures,
    first_difference,
    packed,
    unpacked,
)
from memcgfs.fidelity.row import Figure, Row
from memcgfs.fidelity.table import ALLOWANCES, lines

EXACT = Circumstances(nr_accesses=5120, is_synchronous=True, has_anonymous=True, writes_file=False)


def only(name: str, recorded: list[float], ours: float, case: Circumstances = EXACT) -> Figure:
    (figure,) = figures([Run({name: value}) for value in recorded], Run({name: ours}), case)
    return figure


def test_a_row_holds_where_each_figure_does_or_names_its_cause() -> None:
    held, caused, bare = Figure("a", 1, 1, True), Figure("b", 1, 2, False, "why"), Figure("c", 1, 2, False)
    assert Row("x", "oom", (held, caused)).holds
    assert not Row("x", "oom", (held, bare)).holds
    assert not Row("x", "oom", ()).holds
    assert not Row("x", "oom", (held,), applies=False).holds


def test_on_a_synchronous_disk_the_first_repeat_counts() -> None:
    assert only("failcnt", [24, 27], 24).holds
    assert not only("failcnt", [24, 27], 27).holds


def test_the_string_read_again() -> None:
    """5120 numbers are 5 pages."""
    assert only("pgactivate", [592], 587).cause == STRING_READ_AGAIN
    assert only("pgactivate", [593], 587).cause == ""
    assert only("pgdeactivate", [592], 587).cause == ""


def test_pdflush_excuses_two_figures_of_written_mappings() -> None:
    written = Circumstances(5120, True, False, writes_file=True)
    assert [only(name, [10], 11, written).cause for name in ("minor faults", "nr_vmscan_write", "failcnt")] == [PDFLUSH, PDFLUSH, ""]
    assert only("minor faults", [10], 11).cause == ""


@pytest.mark.parametrize(("ours", "holds"), [(-0.1, False), (0.0, True), (0.16, True), (0.3, False)])
def test_the_recorded_clock_ran_a_little_longer(ours: float, holds: bool) -> None:
    """0.15 s recorded for 5120 accesses: up to 0.128 s were the processor's work, which ours does not count; and 0.05 s of slack."""
    assert only("seconds", [0.15], ours).holds == holds


@pytest.mark.parametrize(
    ("recorded", "least", "most"),
    [
        ([100, 110], 89, 121),  # a tenth of the most is more than the spread
        ([100, 120, 140], 60, 180),  # as far again as the spread
        ([0, 1], -2, 3),  # and never less than 2
    ],
)
def test_on_a_slow_disk_the_spread_counts(recorded: list[float], least: int, most: int) -> None:
    slow = Circumstances(5120, is_synchronous=False, has_anonymous=True, writes_file=False)
    found = {ours: only("failcnt", recorded, ours, slow) for ours in (least - 1, least, most, most + 1)}
    assert [figure.holds for figure in found.values()] == [False, True, True, False]
    assert found[least].recorded == [recorded[0], recorded[-1]]


def test_times_of_the_disk_are_a_cause_for_two_figures() -> None:
    slow = Circumstances(5120, False, has_anonymous=True, writes_file=False)
    assert [only(name, [100], 300, slow).cause for name in ("seconds", "pgrotated", "pgsteal")] == [DISK_TIMES, DISK_TIMES, ""]
    assert only("seconds", [100], 300, Circumstances(5120, False, False, False)).cause == ""


def test_counters_are_added_up_over_zones() -> None:
    before = {"pgsteal_dma": 1, "pgsteal_dma32": 2, "pswpin": 5, "nr_vmscan_write": 1}
    after = {"pgsteal_dma": 2, "pgsteal_dma32": 4, "pswpin": 5, "nr_vmscan_write": 4, "pgscan_kswapd_dma": 9, "pgrefill_normal": 1}
    found = counted(before, after)
    assert (found["pgsteal"], found["pswpin"], found["nr_vmscan_write"], found["pgrefill"]) == (3, 0, 3, 1)


def test_bitmaps_begin_with_the_lowest_bit() -> None:
    bits = unpacked("AQI=", 10)
    assert bits.tolist() == [1, 0, 0, 0, 0, 0, 0, 0, 0, 1]
    assert packed(bits) == "AQI="


def test_first_difference() -> None:
    one, other = np.array([0, 1, 0], np.uint8), np.array([0, 1, 1], np.uint8)
    assert first_difference(one, one) is None
    assert first_difference(one, other) == 2
    assert first_difference(one, one[:2]) == 2


def test_a_slow_disk_with_anonymous_memory_has_no_bitmap() -> None:
    """Which of them are still in the swap cache is a matter of time."""
    run = Run({"misses": 1}, {"miss_b64": np.array([1], np.uint8)})
    slow = Circumstances(1, False, has_anonymous=True, writes_file=False)
    assert [figure.name for figure in figures([run], run, slow)] == ["misses"]
    assert [figure.name for figure in figures([run], run, EXACT)] == ["misses", "miss_b64"]


def test_the_table() -> None:
    rows = [
        Row("one", "trace", (Figure("misses", 7, 7, True), Figure("miss_b64", "A", "A", True), Figure("failcnt", 3, 3, True),
                             Figure("minor faults", 5, 4, False, "because"), Figure("end_A_b64", "A", "A", True))),
        Row("two", "trace", (Figure("misses", 7, 6, False), Figure("miss_b64", "A", "B", False), Figure("failcnt", [1, 2], 3, True),
                             Figure("seconds", 1, 2, False)), 5),
        Row("three", "oom", (), cause="not built"),
        Row("four", "oom", (), applies=False, cause="no such mount"),
    ]  # fmt: skip
    assert list(lines(rows)) == [
        "page strings in a group: 1 of 2 hold; out of memory: 0 of 1 hold (1 do not apply)",
        "",
        f"page strings in a group (held to: {ALLOWANCES['2.6.25', 'trace']}):",
        "case  misses  ours  first difference  failcnt  minor faults  end residency",
        "one        7     7         identical        3          5/4a      identical  holds",
        "two        7     6          access 5   1..2/3                            -  differs",
        "    seconds 1/2",
        "  a  because",
        "",
        "out of memory:",
        "case   figures  first difference",
        "three   0 of 0                 -  differs: not built",
        "four    0 of 0                 -  does not apply: no such mount",
    ]


def test_what_is_long_is_told_short() -> None:
    row = Row("x", "charging", (Figure("3 m write " + "a" * 80, {"data": "one\ntwo"}, "b" * 80, False),), 3)
    assert list(lines([row]))[-1] == f"    3 m write {'a' * 47}... {{'data': 'one\\ntwo'}}/{'b' * 57}..."
