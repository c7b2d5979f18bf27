"""The ring, what is enabled, and what the trace points record, on both builds."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType

import pytest

from memcgfs.mm import TRACE_EVENTS, TRACE_WORDS, Machine, OutOfMemory
from memcgfs.mm import trace_ring as ring
from memcgfs.mm.params import AT_META_PAGE_ALLOC
from tests.conftest import MakeMachine

from .looking import frame, hole, once_at, page_0_in_swap, reclaim_mapped, swap_out_page_0_shared

MM = Path(__file__).parents[2] / "memcgfs" / "mm"


def enable(machine: Machine, *names: str) -> None:
    for event in TRACE_EVENTS:
        machine.tracer.enable(event, not names or event.name in names)


def recorded(machine: Machine) -> list[tuple[object, ...]]:
    return [(record.event.name, *record.values) for record in machine.tracer.records()]


def test_nothing_is_recorded_unasked(make_small: MakeMachine) -> None:
    machine = make_small()
    machine.spawn(100).touch(0, 5)
    assert recorded(machine) == []
    assert machine.core.traced == 0


def test_an_anonymous_page(make_small: MakeMachine) -> None:
    """Page table frame 1, page 0 in frame 2; container 1; zone 0; the fault is a write, minor, anon (1)."""
    machine = make_small()
    task = machine.spawn(100, machine.create_container())
    enable(machine)
    task.touch(0, 1)
    assert recorded(machine) == [
        ("mm_page_alloc", 1, 1, 0, 0, -1, ring.ALLOC_KERNEL),
        ("mm_page_alloc", 2, 1, 0, 0, -1, ring.ALLOC_USER),
        ("charge", 2, 1, 1, -1, ring.CHARGED_MAPPED, 1, 1),
        ("page_fault_user", 100, 0, 2, 1, ring.FAULT_ANON, 0, 1, 0),
    ]
    assert {record.pid for record in machine.tracer.records()} == {100}
    machine.tracer.clear()
    machine.reap(task)
    assert recorded(machine) == [
        ("task_exit", 100, 1, ring.EXIT_REAPED),
        ("mm_lru_insertion", 2, 1, 0, 1, -1, ring.ARRIVED_DRAINED),
        ("unmap", 100, 0, 2, 1, -1, ring.UNMAP_ZAP, 0),
        ("uncharge", 2, 1, 1, -1, ring.CHARGED_MAPPED, 0, 0),
        ("mm_page_free", 2, 0, 0, -1, ring.FREE_USER),
        ("mm_page_free", 1, 0, 0, -1, ring.FREE_USER),
    ]


def test_only_what_is_enabled_while_it_is_on(make_small: MakeMachine) -> None:
    machine = make_small()
    task = machine.spawn(100)
    enable(machine, "charge")
    task.touch(0, 1)
    machine.tracer.switch(False)
    task.touch(1, 1)
    machine.tracer.switch(True)
    task.touch(2, 1)
    assert recorded(machine) == [("charge", 2, 0, 1, -1, 0, 1, 1), ("charge", 4, 0, 1, -1, 0, 1, 3)]


def test_the_ring_overwrites_the_oldest(make_small: MakeMachine) -> None:
    machine = make_small()
    machine.tracer.resize(3)
    task = machine.spawn(100)
    enable(machine, "mm_page_alloc")
    task.touch(0, 7)

    def pages() -> list[int]:
        return [record.values[0] for record in machine.tracer.records()]

    assert pages() == [6, 7, 8]
    assert (machine.tracer.nr_records, machine.tracer.overrun) == (3, 5)
    machine.tracer.resize(2)
    assert pages() == [7, 8]
    machine.tracer.resize(4)
    task.touch(7, 1)
    assert pages() == [7, 8, 9]
    machine.tracer.clear()
    assert (recorded(machine), machine.tracer.overrun) == ([], 0)


def test_a_page_goes_to_swap_and_comes_back(make_small: MakeMachine) -> None:
    """The disk answers at once: the page is written, taken from the swap cache and freed in one look of reclaim."""
    machine = make_small()
    enable(machine)
    _, task = page_0_in_swap(machine)
    of_frame_2 = [row for row in recorded(machine) if row[0] not in ("mm_lru_putback", "move_lists") and len(row) > 1]
    slot = next(row[5] for row in of_frame_2 if row[0] == "swap_out")
    pfn = next(row[1] for row in of_frame_2 if row[0] == "swap_out")
    names = [str(row[0]) for row in of_frame_2 if row[1] == pfn and row[0] != "mm_vmscan_referenced"]
    start = names.index("add_to_swap_cache")
    assert names[start : start + 9] == [
        "add_to_swap_cache", "uncharge", "mm_vmscan_writepage", "swap_out", "end_page_writeback", "delete_from_swap_cache", "uncharge",
        "mm_vmscan_page", "mm_page_free",
    ]  # fmt: skip
    machine.tracer.clear()
    task.touch(0, 1, write=False)
    rows = recorded(machine)
    back = next(row for row in rows if row[0] == "swap_in")
    assert back[4:7] == (ring.SWAP_IN_WANTED, slot, slot)
    fault = next(row for row in rows if row[0] == "page_fault_user")
    assert fault[1:] == (101, 0, back[1], 1, ring.FAULT_SWAP, slot, 0, 1)


def test_a_page_of_a_file_is_mapped_copied_and_taken(make_small: MakeMachine) -> None:
    """A private mapping of a hole of 2 pages, frames 2 and 3: page 0 is read, page 1 is copied at once, to frame 4. At its limit of 3 the
    container gives the two up: the mapped one is found young, then old, and is taken out of the page table."""
    machine = make_small(pagevec_size=1, swap_pages=0)
    reclaim_mapped(machine)
    container = machine.create_container()
    task = machine.spawn(100, container)
    task.mmap(0, 2, file=hole(machine, 2))
    enable(machine)
    task.touch(0, 1, write=False)
    task.touch(1, 1)
    faults = [row[1:] for row in recorded(machine) if row[0] == "page_fault_user"]
    assert faults == [(100, 0, 2, 1, ring.FAULT_FILE, 0, 0, 1), (100, 1, 4, 1, ring.FAULT_COW, 0, 1, 0)]
    container.limit = 3
    task.touch(8, 1)
    assert [row[1:] for row in recorded(machine) if row[0] == "unmap"] == [(100, 0, 2, 1, 5, ring.UNMAP_RECLAIM, 0)]


def test_shared_memory_enters_the_inactive_list(make_small: MakeMachine) -> None:
    machine = make_small(pagevec_size=1)
    task = machine.spawn(100)
    task.mmap(0, 1, shared=True)
    enable(machine, "mm_lru_insertion")
    task.touch(0, 1)
    assert [row[:5] for row in recorded(machine)] == [("mm_lru_insertion", 2, 0, 0, 0)]


def test_who_loses_the_race_for_a_charge(make_small: MakeMachine) -> None:
    """Two tasks read a page from swap whose cache nobody is charged for; the one that comes in between is charged, the other adds a
    reference to that, and gives it back, for the page is mapped already."""
    machine = make_small(swap_cluster_max=1)
    swap_out_page_0_shared(machine, 1)
    loser, winner = machine.tasks[101], machine.tasks[102]
    enable(machine, "charge", "uncharge")
    once_at(machine, AT_META_PAGE_ALLOC, lambda: winner.touch(0, 1, write=False))
    loser.touch(0, 1, write=False)
    pfn, payer = frame(winner, 0), winner.container.cid
    assert [(*row[:3], row[6]) for row in recorded(machine)] == [
        ("charge", pfn, payer, 1),
        ("charge", pfn, payer, 2),
        ("uncharge", pfn, payer, 1),
    ]


def test_out_of_memory(make_small: MakeMachine) -> None:
    machine = make_small(swap_pages=0)
    container = machine.create_container()
    container.limit = 3
    task = machine.spawn(100, container)
    enable(machine, "charge_failed", "oom_kill", "mark_victim", "task_exit")
    with pytest.raises(Exception, match="killed"):
        task.touch(0, 5)
    assert [row[0] for row in recorded(machine)] == ["charge_failed", "oom_kill", "mark_victim", "task_exit"]
    assert recorded(machine)[1] == ("oom_kill", 100, 1, container.cid, 0, -1, ring.OOM_LIMIT, 5, ring.VERDICT_CHOSEN)


def test_kswapd_is_nobodys_pid(make_small: MakeMachine) -> None:
    machine = make_small(frames=128, swap_pages=256, min_free_kbytes=40)
    enable(machine, "mm_vmscan_kswapd_wake", "mm_vmscan_kswapd_sleep")
    machine.spawn(100).touch(0, 140)
    machine.advance(10**9)
    rows = [(record.event.name, record.pid) for record in machine.tracer.records()]
    assert rows[0] == ("mm_vmscan_kswapd_wake", -1)
    assert ("mm_vmscan_kswapd_sleep", -1) in rows


def test_both_builds_record_the_same() -> None:
    from tests.conftest import engine_of

    def run(engine: ModuleType) -> list[object]:
        from memcgfs import mm

        machine = mm.Machine(mm.MachineConfig(zone_pages=(256, 0, 0, 0), swap_bytes=2 << 20, min_free_kbytes=16), engine)
        enable(machine)
        container = machine.create_container()
        container.limit = 40
        task = machine.spawn(100, container)
        task.touch(0, 100)
        task.fork(101).touch(20, 60)
        task.touch(0, 100, write=False)
        machine.reap(machine.tasks[101])
        return [(r.number, r.ns, r.event.name, r.pid, r.values) for r in machine.tracer.records()]

    first = run(engine_of("uncompiled"))
    assert len(first) > 1000
    assert first == run(engine_of("uncompiled"))
    assert first == run(engine_of("compiled"))


def test_every_number_has_a_row_and_every_kind_its_words() -> None:
    text = (MM / "trace_ring.py").read_text()
    numbers = [int(number) for number in re.findall(r"^TRACE_\w+: Final = (\d+)", text, re.MULTILINE)]
    assert numbers == list(range(len(numbers)))
    assert sorted(event.number for event in TRACE_EVENTS) == numbers
    assert len(numbers) <= 64
    prefixes = {
        "CHARGED": "charge", "ROUND": "round", "UNMAP": "unmap", "WHY": "answer", "BEGIN": "begin", "END": "end", "MET": "met",
        "ARRIVED": "arrival", "PUT_BACK": "put_back", "MOVED": "move", "ROTATED": "rotation", "ENTER": "enter", "LEAVE": "leave",
        "BACKED_BY": "backing", "WRITE": "writer", "DONE": "done", "SWAP_IN": "swap_in", "ALLOC": "use", "FREE": "release", "OOM": "oom",
        "VERDICT": "verdict", "VICTIM": "victim", "EXIT": "exit",
    }  # fmt: skip
    assert set(TRACE_WORDS) - set(prefixes.values()) == {"list", "access", "cost", "fault"}
    for prefix, kind in prefixes.items():
        found = re.findall(rf"^{prefix}_\w+: Final = (\d+)", text, re.MULTILINE)
        assert [int(number) for number in found] == list(range(len(TRACE_WORDS[kind]))), kind
    for event in TRACE_EVENTS:
        assert len(event.fields) <= ring.RECORD_WORDS - 3


def test_the_largest_score_is_recorded_as_it_is_printed(make_small: MakeMachine) -> None:
    """Whoever swaps off has all points that there are, which a long reads as -1."""
    machine = make_small(swap_pages=0)
    container = machine.create_container()
    container.limit = 3
    task = machine.spawn(100, container)
    task.is_swapping_off = True
    enable(machine, "oom_kill")
    with pytest.raises(OutOfMemory):
        task.touch(0, 5)
    assert [row[7] for row in recorded(machine)] == [-1]
