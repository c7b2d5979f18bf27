"""What shrink_active_list and shrink_page_list do with pages of files, and with pages that somebody holds.

Machines scan one page at a time (swap_cluster_max 1), and a container of 4 pages is full: its pages 0 to 3 of a file were read, or written,
in this order. A fifth one makes reclaim look for one to free. Where a test counts a page's looks it watches shrink_page, uncompiled.
"""

from __future__ import annotations

from typing import Any

import pytest

from memcgfs import mm
from memcgfs.mm.models import shrink
from memcgfs.mm.params import (
    AT_CONGESTION_WAIT,
    AT_ISOLATE,
    PAGE_KEEP,
    PAGE_SUCCESS,
    PG_ACTIVE,
    PG_DIRTY,
    PG_LOCKED,
    PG_LRU,
    PG_REFERENCED,
)
from tests.conftest import MakeMachine

from .looking import at, cold_task, flags, frame, reclaim_mapped, uncompiled, zone_lists

Looks = list[tuple[int, int, int]]
"""(frame, how often it counted as scanned, what was answered) of each page that shrink_page_list asked about"""


def full_of_cache(make_small: MakeMachine, *, write: bool = False, **fields: Any) -> tuple[mm.Container, mm.Task, mm.File]:
    machine = make_small(pagevec_size=1, swap_cluster_max=1, **fields)
    container = machine.create_container()
    container.limit = 4
    file = machine.create_file()
    file.truncate(10 * 4096)
    task = machine.spawn(100, container)
    task.fadvise_file(file, "random", 0, 0)
    if write:
        task.write_file(file, 0, 4)
    else:
        task.read_file(file, 0, 4)
    assert container.usage == 4
    return container, task, file


def looks(monkeypatch: pytest.MonkeyPatch) -> Looks:
    seen: Looks = []
    original = shrink.shrink_page

    def watched(core: Any, pfn: int, sc: Any) -> int:
        before = sc.nr_scanned
        answer = original(core, pfn, sc)
        seen.append((pfn, sc.nr_scanned - before, answer))
        return answer

    monkeypatch.setattr(shrink, "shrink_page", watched)
    return seen


def oldest(container: mm.Container) -> int:
    return container.lists()[0][-1]


def pages(container: mm.Container) -> list[int]:
    active, inactive = container.lists()
    return active + inactive


@pytest.mark.fact("R17")
def test_cache_that_nobody_maps_goes_although_it_was_used(make_small: MakeMachine) -> None:
    """Each page carries the mark of its one read. The first that is looked at is freed, and nobody waits."""
    container, task, file = full_of_cache(make_small)
    machine, first = container.machine, oldest(container)
    assert flags(machine, first) & PG_REFERENCED
    assert task.read_file(file, 4, 1) == 1
    assert first not in pages(container)
    counts = machine.vmstat()
    assert (counts["pgactivate"], counts["pgsteal_dma"], counts["pgscan_direct_dma"], machine.clock_ns) == (0, 1, 1, 0)


@pytest.mark.fact("R16")
def test_cache_of_a_file_that_somebody_maps_is_activated_first(make_small: MakeMachine) -> None:
    """A stranger maps the file, and has touched none of it: each of the 4 pages is activated for its mark, and the first of them goes when
    its turn comes again, at priority 8, with a wait before."""
    container, task, file = full_of_cache(make_small)
    machine = container.machine
    machine.spawn(50).mmap(0, 10, file=file)
    assert task.read_file(file, 4, 1) == 1
    counts = machine.vmstat()
    assert (counts["pgactivate"], counts["pgsteal_dma"], counts["pgscan_direct_dma"]) == (4, 1, 5)
    assert machine.clock_ns == 100_000_000


@pytest.mark.fact("R11")
def test_an_unmapped_page_is_deactivated_unasked_and_keeps_its_mark(make_small: MakeMachine) -> None:
    """Read three times each page is active, and marked. The active scan takes the oldest all the same, and the mark is still there when
    the inactive scan looks at it."""
    container, task, file = full_of_cache(make_small)
    machine = container.machine
    for _ in range(2):
        task.read_file(file, 0, 4)
    first = oldest(container)
    assert all(flags(machine, pfn) & (PG_ACTIVE | PG_REFERENCED) == PG_ACTIVE | PG_REFERENCED for pfn in container.lists()[0])
    seen: list[tuple[int, int]] = []

    def note(pfn: int) -> bool:
        seen.append((pfn, flags(machine, pfn) & (PG_ACTIVE | PG_REFERENCED)))
        return False

    at(machine, AT_ISOLATE, note)
    task.read_file(file, 4, 1)
    assert seen == [(first, PG_ACTIVE | PG_REFERENCED), (first, PG_REFERENCED)]
    assert machine.vmstat()["pgdeactivate"] == 1


@pytest.mark.fact("D2", "R20")
def test_a_dirty_page_that_was_used_is_kept_for_pdflush(make_small: MakeMachine) -> None:
    """Each of 4 dirty pages carries the mark of its write. Looked at once each, they are kept, not written; so the driver has pdflush
    write, and waits; and the next look finds the oldest clean, and unmarked."""
    container, task, file = full_of_cache(make_small, write=True)
    machine = container.machine
    dirty: list[int] = []

    def note(_: int) -> bool:
        dirty.append(sum(bool(flags(machine, pfn) & PG_DIRTY) for pfn in pages(container)))
        return False

    at(machine, AT_CONGESTION_WAIT, note)
    task.read_file(file, 4, 1)
    assert dirty == [4]
    counts = machine.vmstat()
    assert (counts["nr_vmscan_write"], counts["pgpgout"], counts["pgscan_direct_dma"]) == (0, 16, 5)
    assert (container.usage, machine.clock_ns) == (4, 100_000_000)


@uncompiled
@pytest.mark.fact("R25")
def test_a_clean_page_that_somebody_holds_is_kept(make_small: MakeMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest has a reference more: it is kept, and the next is freed."""
    container, task, file = full_of_cache(make_small)
    core = container.machine.core
    held, second = container.lists()[0][:1:-1]
    core.frames.count[held] += 1
    seen = looks(monkeypatch)
    task.read_file(file, 4, 1)
    core.frames.count[held] -= 1
    assert seen == [(held, 1, PAGE_KEEP), (second, 1, PAGE_SUCCESS)]


@uncompiled
@pytest.mark.fact("R21")
def test_a_dirty_page_that_somebody_holds_is_not_written(make_small: MakeMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without their marks dirty pages are written: the oldest, which is held, is not, and the next is, and freed at once."""
    container, task, file = full_of_cache(make_small, write=True)
    machine = container.machine
    for pfn in container.lists()[0]:
        machine.core.frames.clear(pfn, PG_REFERENCED)
    held, second = container.lists()[0][:1:-1]
    machine.core.frames.count[held] += 1
    seen = looks(monkeypatch)
    task.read_file(file, 4, 1)
    machine.core.frames.count[held] -= 1
    assert seen == [(held, 1, PAGE_KEEP), (second, 1, PAGE_SUCCESS)]
    assert flags(machine, held) & PG_DIRTY
    assert machine.vmstat()["nr_vmscan_write"] == 1


@uncompiled
@pytest.mark.fact("R27")
def test_a_locked_page_is_kept_and_not_counted(make_small: MakeMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    container, task, file = full_of_cache(make_small)
    core = container.machine.core
    locked, second = container.lists()[0][:1:-1]
    core.frames.set(locked, PG_LOCKED)
    seen = looks(monkeypatch)
    task.read_file(file, 4, 1)
    core.frames.clear(locked, PG_LOCKED)
    assert seen == [(second, 1, PAGE_SUCCESS)]
    assert locked in pages(container)


@uncompiled
@pytest.mark.fact("R14")
def test_mapped_pages_and_those_in_the_swap_cache_count_twice(make_small: MakeMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    """An anonymous page that is mapped: twice; cache that nobody maps: once, above."""
    machine = make_small(pagevec_size=1, swap_cluster_max=1)
    reclaim_mapped(machine)
    container = machine.create_container()
    container.limit = 1
    task = cold_task(machine, container, 1)
    pfn = frame(task, 0)
    seen = looks(monkeypatch)
    task.touch(1, 1)
    assert seen == [(pfn, 2, PAGE_SUCCESS)]


@uncompiled
@pytest.mark.fact("Y7")
def test_a_page_of_a_file_whose_lock_is_held_counts_as_referenced(make_small: MakeMachine) -> None:
    """It is mapped, and its mapping is old: no reference; or one, where it cannot be looked at."""
    machine = make_small()
    file = machine.create_file()
    file.truncate(4096)
    task = machine.spawn(100)
    task.mmap(0, 1, file=file)
    task.touch(0, 1, write=False)
    pfn, ask = frame(task, 0), machine.engine.page_referenced
    assert ask(machine.core, pfn, False, -1) == 2, "its own mark, and the young mapping"
    assert ask(machine.core, pfn, False, -1) == 0
    machine.core.frames.set(pfn, PG_LOCKED)
    assert ask(machine.core, pfn, False, -1) == 1
    machine.core.frames.clear(pfn, PG_LOCKED)


@uncompiled
@pytest.mark.fact("I7")
def test_an_isolated_page_is_still_on_its_containers_list(make_small: MakeMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    """When shrink_page_list asks about it, it is on no list of its zone, nor on the LRU at all."""
    container, task, file = full_of_cache(make_small)
    seen: list[tuple[bool, bool, bool]] = []
    original = shrink.shrink_page

    def watched(core: Any, pfn: int, sc: Any) -> int:
        of_the_zone = any(pfn in pages for pages in zone_lists(container.machine))
        seen.append((pfn in container.lists()[1], of_the_zone, bool(flags(container.machine, pfn) & PG_LRU)))
        return original(core, pfn, sc)

    monkeypatch.setattr(shrink, "shrink_page", watched)
    task.read_file(file, 4, 1)
    assert seen == [(True, False, False)]


@pytest.mark.fact("W9")
def test_the_file_that_was_dirty_first_is_written_first(make_small: MakeMachine) -> None:
    """Of 202 frames some 20 may be dirty, and every 16 pages somebody looks: at 16 there is nothing to do, at 32 the writer has to write
    24. These are the 10 pages of the older file, and 14 of its own; so fsync finds nothing to do for the one, and 8 for the other."""
    machine = make_small(frames=202, disk=mm.DiskConfig(latency_ns=1_000_000_000))
    task, old, young = machine.spawn(100), machine.create_file(), machine.create_file()
    task.write_file(old, 0, 10)
    machine.advance(1_000_000)
    task.write_file(young, 0, 22)
    written = []
    for file in (old, young):
        task.fsync_file(file)
        written.append(machine.vmstat()["pgpgout"] // 4)
    assert written == [24, 32]
