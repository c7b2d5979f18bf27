"""Each trace event by the values of its fields: page, container, list, priority and reason, and what else it tells.

A record is compared as a line of its fields in words, with `-` for none. Machines are make_small's: the first task's page table is frame
1, its pages are frames 2, 3, ..; four pages are a batch, so that a list of three is scanned for the first time at priority 9 (at 12, 11,
10 and 9 its share, a page each time, is saved up).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from memcgfs.mm import TRACE_EVENTS, TRACE_WORDS, DiskConfig, Machine, MachineConfig, MachinePanicked, OutOfMemory, Task, TraceRecord
from memcgfs.mm.lru import PAGE_LIST
from memcgfs.mm.models.containers2007 import mem_container_isolate_pages
from memcgfs.mm.models.python import Policy
from memcgfs.mm.models.shrink import LruScanControl
from memcgfs.mm.params import AT_ISOLATE, AT_META_PAGE_ALLOC, GFP_KERNEL, ISOLATE_ACTIVE, ISOLATE_INACTIVE, PG_REFERENCED, PTE_SHIFT
from memcgfs.mm.trace_ring import MET_IN_BLOCK, MET_TAKEN, WHY_FREED
from tests.conftest import MakeMachine

from .looking import at, cold_task, frame, hole, once_at, page_0_in_swap, reclaim_mapped, uncompiled

SLOW_DISK = DiskConfig(latency_ns=1_000_000, bytes_per_s=0, depth=8)


def enable(machine: Machine, *names: str) -> None:
    """These events, or all; without what was recorded before."""
    machine.tracer.clear()
    for event in TRACE_EVENTS:
        machine.tracer.enable(event, not names or event.name in names)


def lines(machine: Machine, *names: str) -> list[str]:
    """The records of these events, or all, in words."""
    found = []
    for record in machine.tracer.records():
        words = [f"{field.name}={word(field.kind, value)}" for field, value in zip(record.event.fields, record.values, strict=True)]
        if not names or record.event.name in names:
            found.append(" ".join((record.event.name, *words)))
    return found


def word(kind: str, value: int) -> str:
    if value < 0 and kind != "number":
        return "-"
    return TRACE_WORDS[kind][value] if kind in TRACE_WORDS else str(value)


def test_a_page_comes_and_goes(make_small: MakeMachine) -> None:
    machine = make_small()
    container = machine.create_container()
    enable(machine)
    task = machine.spawn(100, container)
    task.touch(0, 1)
    machine.reap(task)
    assert lines(machine) == [
        "task_newtask pid=100 parent=0 container=1",
        "mm_page_alloc pfn=1 target=1 zone=0 order=0 priority=- reason=kernel",
        "mm_page_alloc pfn=2 target=1 zone=0 order=0 priority=- reason=user",
        "charge pfn=2 container=1 list=active priority=- reason=mapped refs=1 usage=1",
        "page_fault_user pid=100 page=0 pfn=2 container=1 reason=anon slot=0 access=write cost=minor",
        "task_exit pid=100 container=1 reason=reaped",
        "mm_lru_insertion pfn=2 container=1 zone=0 list=active priority=- reason=drained",
        "unmap pid=100 page=0 pfn=2 container=1 priority=- reason=zap slot=0",
        "uncharge pfn=2 container=1 list=active priority=- reason=mapped refs=0 usage=0",
        "mm_page_free pfn=2 zone=0 order=0 priority=- reason=user",
        "mm_page_free pfn=1 zone=0 order=0 priority=- reason=user",
    ]


def test_fork_and_copies(make_small: MakeMachine) -> None:
    """Frame 2 is shared, until the child gets frame 4 (behind its page table, 3); then the parent has it for itself. Page 1 is the zero
    page, which is frame 0 and charged to nobody, and then frame 5: the third in the pagevec, which is full."""
    machine = make_small()
    parent = machine.spawn(100)
    parent.touch(0, 1)
    enable(machine, "copy_pte", "unmap", "page_fault_user", "mm_lru_insertion", "task_newtask", "task_exit")
    child = parent.fork(101)
    child.touch(0, 1)
    parent.touch(0, 1)
    parent.touch(1, 1, write=False)
    parent.touch(1, 1)
    child.exit()
    assert lines(machine)[:-1] == [
        "copy_pte pid=101 page=0 pfn=2 container=0 slot=0",
        "task_newtask pid=101 parent=100 container=0",
        "unmap pid=101 page=0 pfn=2 container=0 priority=- reason=cow slot=0",
        "page_fault_user pid=101 page=0 pfn=4 container=0 reason=cow slot=0 access=write cost=minor",
        "page_fault_user pid=100 page=0 pfn=2 container=0 reason=reuse slot=0 access=write cost=minor",
        "page_fault_user pid=100 page=1 pfn=0 container=- reason=zero slot=0 access=read cost=minor",
        "unmap pid=100 page=1 pfn=0 container=- priority=- reason=cow slot=0",
        "mm_lru_insertion pfn=2 container=0 zone=0 list=active priority=- reason=full",
        "mm_lru_insertion pfn=4 container=0 zone=0 list=active priority=- reason=full",
        "mm_lru_insertion pfn=5 container=0 zone=0 list=active priority=- reason=full",
        "page_fault_user pid=100 page=1 pfn=5 container=0 reason=cow slot=0 access=write cost=minor",
        "task_exit pid=101 container=0 reason=exited",
    ]


def test_a_containers_reclaim_swaps_out(make_small: MakeMachine) -> None:
    """Three cold pages fill the container: at priority 9 all are deactivated, written, and freed, the last one first. That is less than
    the four that are enough, so it goes on down to 0; but it is under its limit now. All of frame 2's records, and those of no page."""
    machine = make_small()
    reclaim_mapped(machine)
    container = machine.create_container()
    container.limit = 3
    task = cold_task(machine, container, 3)
    enable(machine)
    task.touch(3, 1)
    found = [line for line in lines(machine) if "pfn=2 " in line or "pfn=" not in line]
    empty = "nr_requested=4 nr_scanned=0 nr_taken=0"
    assert found == [
        "mm_vmscan_memcg_reclaim_begin target=1 order=1 priority=12 reason=limit",
        "mm_lru_isolate pfn=2 container=1 target=1 zone=0 list=active priority=9 reason=taken",
        "mm_vmscan_lru_isolate zone=0 target=1 list=active priority=9 order=1 nr_requested=4 nr_scanned=3 nr_taken=3",
        "mm_vmscan_page pfn=2 container=1 target=1 list=active priority=9 reason=deactivate:cold",
        "mm_lru_deactivate pfn=2 container=1 zone=0 list=active priority=9 reason=deactivate:cold",
        "move_lists pfn=2 container=1 list=inactive priority=9 reason=deactivated",
        "mm_lru_isolate pfn=2 container=1 target=1 zone=0 list=inactive priority=9 reason=taken",
        "mm_vmscan_lru_isolate zone=0 target=1 list=inactive priority=9 order=1 nr_requested=4 nr_scanned=3 nr_taken=3",
        "mm_vmscan_referenced pfn=2 container=1 target=1 list=inactive priority=9 referenced=0",
        "charge pfn=2 container=1 list=- priority=9 reason=cache refs=2 usage=3",
        "add_to_swap_cache pfn=2 container=1 priority=9 reason=out slot=1",
        "unmap pid=101 page=0 pfn=2 container=1 priority=9 reason=reclaim slot=1",
        "uncharge pfn=2 container=1 list=- priority=9 reason=mapped refs=1 usage=3",
        "mm_vmscan_writepage pfn=2 container=1 list=inactive priority=9 reason=swap slot=1",
        "swap_out pfn=2 container=1 priority=9 reason=reclaim slot=1",
        "end_page_writeback pfn=2 container=1 priority=9 reason=reclaim slot=1",
        "delete_from_swap_cache pfn=2 container=1 priority=9 reason=reclaim slot=1",
        "uncharge pfn=2 container=1 list=- priority=9 reason=cache refs=0 usage=2",
        "mm_vmscan_page pfn=2 container=- target=1 list=inactive priority=9 reason=free:clean",
        "mm_page_free pfn=2 zone=0 order=0 priority=9 reason=reclaim",
        f"mm_vmscan_lru_isolate zone=0 target=1 list=inactive priority=9 order=1 {empty}",
        f"mm_vmscan_lru_isolate zone=0 target=1 list=active priority=5 order=1 {empty}",
        f"mm_vmscan_lru_isolate zone=0 target=1 list=inactive priority=5 order=1 {empty}",
        f"mm_vmscan_lru_isolate zone=0 target=1 list=active priority=1 order=1 {empty}",
        f"mm_vmscan_lru_isolate zone=0 target=1 list=inactive priority=1 order=1 {empty}",
        "mm_vmscan_memcg_reclaim_end target=1 order=1 priority=0 reason=gave_up nr_reclaimed=3",
        "charge_round target=1 priority=- reason=under_limit usage=0 retries=5",
    ]


def test_a_page_is_read_from_swap_and_its_neighbour_ahead(make_small: MakeMachine) -> None:
    """Slots 1 to 3, of which 2 is wanted: the aligned block of 8 is read from slot 1 on."""
    machine = make_small()
    container, task = page_0_in_swap(machine)
    container.limit = 64
    machine.set_sysctl("page-cluster", 3)
    enable(machine, "swap_in", "add_to_swap_cache", "delete_from_swap_cache", "page_fault_user", "unmap")
    task.touch(1, 1, write=False)
    first = frame(task, 1)
    machine.reap(task)
    assert [line for line in lines(machine) if f"pfn={first} " in line] == [
        f"add_to_swap_cache pfn={first} container=1 priority=- reason=in slot=2",
        f"swap_in pfn={first} container=1 priority=- reason=wanted slot=2 wanted=2",
        f"page_fault_user pid=101 page=1 pfn={first} container=1 reason=swap slot=2 access=read cost=major",
        f"unmap pid=101 page=1 pfn={first} container=1 priority=- reason=zap slot=0",
        f"delete_from_swap_cache pfn={first} container=1 priority=- reason=exclusive slot=2",
    ]
    ahead = next(line.split()[1] for line in lines(machine, "swap_in") if "slot=1 " in line)
    assert [line for line in lines(machine) if "slot=1" in line] == [
        f"add_to_swap_cache {ahead} container=1 priority=- reason=in slot=1",
        f"swap_in {ahead} container=1 priority=- reason=ahead slot=1 wanted=2",
        "unmap pid=101 page=0 pfn=0 container=- priority=- reason=zap slot=1",
        f"delete_from_swap_cache {ahead} container=1 priority=- reason=slot_free slot=1",
    ]


def test_a_used_page_is_spared_and_a_young_one_activated(make_small: MakeMachine) -> None:
    """Shared memory begins on the zone's inactive list, and on the container's active one, which isolation mends. Two pages that were
    just written are activated for their marks, and mended back. At priority 5 mapped pages stay, as they are no trouble yet."""
    machine = make_small()
    container = machine.create_container()
    task = machine.spawn(100, container)
    task.mmap(0, 2, shared=True)
    task.touch(0, 2)
    container.limit = 2
    enable(machine)
    task.touch(100, 1)
    found = lines(machine, "move_lists", "mm_vmscan_page", "mm_lru_activate", "mm_lru_putback")
    assert [line for line in found if "pfn=2 " in line][:7] == [
        "move_lists pfn=2 container=1 list=inactive priority=9 reason=mended",
        "mm_vmscan_page pfn=2 container=1 target=1 list=inactive priority=9 reason=activate:referenced",
        "mm_lru_activate pfn=2 container=1 zone=0 list=inactive priority=9 reason=activate:referenced",
        "mm_lru_putback pfn=2 container=1 zone=0 list=active priority=9 reason=activated",
        "move_lists pfn=2 container=1 list=active priority=9 reason=mended",
        "mm_vmscan_page pfn=2 container=1 target=1 list=active priority=5 reason=stay:mapped",
        "mm_lru_putback pfn=2 container=1 zone=0 list=active priority=5 reason=stays",
    ]
    assert "move_lists pfn=2 container=1 list=active priority=5 reason=stays" in found


def test_shared_memory_goes_to_swap_and_comes_back(make_small: MakeMachine) -> None:
    """At priority 1 the two pages are cold at last, and move to the swap cache, dirty; the next round writes them, at once."""
    machine = make_small()
    container = machine.create_container()
    task = machine.spawn(100, container)
    enable(machine, "mm_filemap_add_to_page_cache")
    task.mmap(0, 2, shared=True)
    task.touch(0, 2)
    assert lines(machine) == [
        "mm_filemap_add_to_page_cache pfn=2 container=1 priority=- reason=hole file=1 index=0",
        "mm_filemap_add_to_page_cache pfn=3 container=1 priority=- reason=hole file=1 index=1",
    ]
    container.limit = 2
    caches = ("add_to_swap_cache", "delete_from_swap_cache", "mm_filemap_add_to_page_cache", "mm_filemap_delete_from_page_cache")
    enable(machine, *caches, "mm_vmscan_writepage", "swap_out", "charge_round")
    task.touch(100, 1)
    assert [line for line in lines(machine) if "pfn=3" not in line] == [
        "mm_vmscan_writepage pfn=2 container=1 list=inactive priority=1 reason=shmem slot=0",
        "add_to_swap_cache pfn=2 container=1 priority=1 reason=from_file slot=1",
        "mm_filemap_delete_from_page_cache pfn=2 container=1 priority=1 reason=to_swap file=1 index=0",
        "charge_round target=1 priority=- reason=retry usage=2 retries=5",
        "mm_vmscan_writepage pfn=2 container=1 list=inactive priority=12 reason=swap slot=1",
        "swap_out pfn=2 container=1 priority=12 reason=reclaim slot=1",
        "delete_from_swap_cache pfn=2 container=1 priority=12 reason=reclaim slot=1",
        "charge_round target=1 priority=- reason=under_limit usage=0 retries=4",
    ]
    container.limit = 64
    enable(machine, *caches)
    task.touch(0, 1)
    pfn = frame(task, 0)
    assert [line for line in lines(machine) if f"pfn={pfn} " in line] == [
        f"add_to_swap_cache pfn={pfn} container=1 priority=- reason=in slot=1",
        f"mm_filemap_add_to_page_cache pfn={pfn} container=1 priority=- reason=from_swap file=1 index=0",
        f"delete_from_swap_cache pfn={pfn} container=1 priority=- reason=to_file slot=1",
    ]


CACHE = ("mm_filemap_add_to_page_cache", "mm_filemap_delete_from_page_cache", "writepage", "end_page_writeback", "mm_lru_insertion")


def test_pages_of_a_file(make_small: MakeMachine) -> None:
    """Written by a task, fsync and pdflush; read one by one, and ahead; dropped, and cut off."""
    machine = make_small()
    task, file = machine.spawn(100, machine.create_container()), machine.create_file()
    file.truncate(8 * 4096)

    def recorded(operation: Callable[[], object]) -> list[str]:
        enable(machine, *CACHE, "mm_lru_activate", "move_lists")
        operation()
        return lines(machine)

    assert recorded(lambda: task.write_file(file, 0, 1)) == [
        "mm_filemap_add_to_page_cache pfn=1 container=1 priority=- reason=write file=1 index=0",
        "mm_lru_insertion pfn=1 container=1 zone=0 list=inactive priority=- reason=call",
    ]
    assert recorded(lambda: task.fsync_file(file)) == [
        "writepage pfn=1 container=1 priority=- reason=task file=1 index=0",
        "end_page_writeback pfn=1 container=1 priority=- reason=flushed slot=0",
    ]
    assert recorded(lambda: task.write_file(file, 0, 1)) == [
        "mm_lru_activate pfn=1 container=1 zone=0 list=inactive priority=- reason=activate:accessed",
        "move_lists pfn=1 container=1 list=active priority=- reason=activated",
    ]
    assert recorded(lambda: machine.advance(40 * 10**9)) == [
        "writepage pfn=1 container=1 priority=- reason=pdflush file=1 index=0",
        "end_page_writeback pfn=1 container=1 priority=- reason=flushed slot=0",
    ]
    task.fadvise_file(file, "random", 0, 0)
    assert recorded(lambda: task.read_file(file, 2, 1)) == [
        "mm_filemap_add_to_page_cache pfn=2 container=1 priority=- reason=read file=1 index=2"
    ]
    task.fadvise_file(file, "normal", 0, 0)
    assert recorded(lambda: task.read_file(file, 3, 1))[0] == (
        "mm_filemap_add_to_page_cache pfn=3 container=1 priority=- reason=ahead file=1 index=3"
    )
    assert recorded(lambda: machine.drop_caches(1))[0] == (
        "mm_filemap_delete_from_page_cache pfn=1 container=1 priority=- reason=invalidate file=1 index=0"
    )
    assert recorded(lambda: file.truncate(0)) == [
        "mm_filemap_delete_from_page_cache pfn=2 container=1 priority=- reason=truncate file=1 index=2"
    ]


def test_a_mapped_page_of_a_file(make_small: MakeMachine) -> None:
    """Frame 2, behind page table 1. The second to map it, whose fault activates it, gives his reference back, and pays nothing; then the
    file is cut before them."""
    machine = make_small()
    file = hole(machine, 1)
    first, second = machine.spawn(100, machine.create_container()), machine.spawn(101)
    enable(machine, "charge", "uncharge", "page_fault_user", "unmap")
    for task in (first, second):
        task.mmap(0, 1, file=file, shared=True)
        task.touch(0, 1, write=False)
    first.touch(0, 1)
    file.truncate(0)
    assert lines(machine) == [
        "charge pfn=2 container=1 list=active priority=- reason=cache refs=1 usage=1",
        "charge pfn=2 container=1 list=- priority=- reason=mapped refs=2 usage=1",
        "page_fault_user pid=100 page=0 pfn=2 container=1 reason=file slot=0 access=read cost=major",
        "charge pfn=2 container=1 list=- priority=- reason=mapped refs=3 usage=1",
        "uncharge pfn=2 container=1 list=active priority=- reason=unused refs=2 usage=1",
        "page_fault_user pid=101 page=0 pfn=2 container=1 reason=file slot=0 access=read cost=minor",
        "page_fault_user pid=100 page=0 pfn=2 container=1 reason=shared slot=0 access=write cost=minor",
        "unmap pid=100 page=0 pfn=2 container=1 priority=- reason=truncate slot=0",
        "unmap pid=101 page=0 pfn=2 container=1 priority=- reason=truncate slot=0",
        "uncharge pfn=2 container=1 list=active priority=- reason=mapped refs=1 usage=1",
        "uncharge pfn=2 container=1 list=active priority=- reason=cache refs=0 usage=0",
    ]


def test_a_container_forgets_its_charges(make_small: MakeMachine) -> None:
    machine = make_small(pagevec_size=1)
    container = machine.create_container()
    machine.spawn(100, container).touch(0, 1)
    enable(machine)
    machine.force_empty(container)
    assert lines(machine) == ["uncharge pfn=2 container=1 list=active priority=- reason=forced refs=0 usage=0"]


def test_reclaim_writes_a_dirty_page_of_a_file(make_small: MakeMachine) -> None:
    """One page at a time, each a millisecond: it is begun at priority 12, met again at 10 while it is written, is done while reclaim waits
    at 9, and is freed at 8."""
    machine = make_small(pagevec_size=1, swap_cluster_max=1, disk=SLOW_DISK)
    container, file = machine.create_container(), machine.create_file()
    container.limit = 2
    file.truncate(8 * 4096)
    task = machine.spawn(100, container)
    task.fadvise_file(file, "random", 0, 0)
    task.write_file(file, 0, 2)
    for pfn in container.lists()[0]:
        machine.core.frames.clear(pfn, PG_REFERENCED)
    enable(machine)
    task.read_file(file, 2, 1)
    assert [line for line in lines(machine) if "pfn=1 " in line] == [
        "move_lists pfn=1 container=1 list=inactive priority=12 reason=mended",
        "mm_lru_isolate pfn=1 container=1 target=1 zone=0 list=inactive priority=12 reason=taken",
        "mm_vmscan_referenced pfn=1 container=1 target=1 list=inactive priority=12 referenced=0",
        "mm_vmscan_writepage pfn=1 container=1 list=inactive priority=12 reason=file slot=0",
        "writepage pfn=1 container=1 priority=12 reason=reclaim file=1 index=0",
        "mm_vmscan_page pfn=1 container=1 target=1 list=inactive priority=12 reason=keep:writing",
        "mm_lru_putback pfn=1 container=1 zone=0 list=inactive priority=12 reason=kept",
        "mm_lru_isolate pfn=1 container=1 target=1 zone=0 list=inactive priority=10 reason=taken",
        "mm_vmscan_page pfn=1 container=1 target=1 list=inactive priority=10 reason=keep:writeback",
        "mm_lru_putback pfn=1 container=1 zone=0 list=inactive priority=10 reason=kept",
        "end_page_writeback pfn=1 container=1 priority=9 reason=reclaim slot=0",
        "mm_lru_rotate pfn=1 container=1 zone=0 list=inactive priority=9 reason=written",
        "mm_lru_isolate pfn=1 container=1 target=1 zone=0 list=inactive priority=8 reason=taken",
        "mm_vmscan_referenced pfn=1 container=1 target=1 list=inactive priority=8 referenced=0",
        "mm_filemap_delete_from_page_cache pfn=1 container=1 priority=8 reason=reclaim file=1 index=0",
        "uncharge pfn=1 container=1 list=- priority=8 reason=cache refs=0 usage=1",
        "mm_vmscan_page pfn=1 container=- target=1 list=inactive priority=8 reason=free:clean",
        "mm_page_free pfn=1 zone=0 order=0 priority=8 reason=reclaim",
    ]
    assert lines(machine, "mm_vmscan_memcg_reclaim_end", "charge_round") == [
        "mm_vmscan_memcg_reclaim_end target=1 order=1 priority=8 reason=enough nr_reclaimed=1",
        "charge_round target=1 priority=- reason=reclaimed usage=1 retries=5",
    ]


# What isolation meets


def test_pages_of_another_zone(make_small: MakeMachine) -> None:
    """Zone NORMAL (2) is frames 8 to 12, of which 8 to 11 are the container's. Zone DMA is to scan four, and meets 8 four times."""
    machine = make_small(zone_pages=(8, 0, 5, 0), pagevec_size=1)
    reclaim_mapped(machine)
    container = machine.create_container()
    container.limit = 4
    task = machine.spawn(10, container)
    task.touch(0, 4)
    enable(machine, "mm_lru_isolate", "mm_vmscan_lru_isolate")
    task.touch(4, 1)
    foreign = "mm_lru_isolate pfn=8 container=1 target=1 zone=2 list=active priority=9 reason=other_zone"
    summary = "mm_vmscan_lru_isolate zone=0 target=1 list=active priority=9 order=1 nr_requested=4 nr_scanned=4 nr_taken=0"
    assert lines(machine)[lines(machine).index(foreign) :][:5] == [foreign] * 4 + [summary]


def test_a_page_that_goes_meanwhile(make_small: MakeMachine) -> None:
    """A thread discards page 0 when the inactive scan looks at frame 2."""
    machine = make_small(pagevec_size=1, swap_cluster_max=1)
    reclaim_mapped(machine)
    container = machine.create_container()
    container.limit = 3
    task = cold_task(machine, container, 3)
    thread = machine.clone_thread(task, 102)
    passes: list[int] = []

    def discard(pfn: int) -> bool:
        passes.append(pfn)
        if len(passes) == 2:
            thread.madvise(0, 1, "dontneed")
        return False

    at(machine, AT_ISOLATE, discard)
    enable(machine, "mm_lru_isolate")
    task.touch(3, 1)
    assert lines(machine)[:2] == [
        "mm_lru_isolate pfn=2 container=1 target=1 zone=0 list=active priority=12 reason=taken",
        "mm_lru_isolate pfn=2 container=- target=1 zone=0 list=inactive priority=12 reason=gone",
    ]


@uncompiled
def test_a_page_in_a_pagevec(make_small: MakeMachine) -> None:
    """Frames 2 and 3 are on their way to the LRU: not active yet, so the active scan mends the container's list; the inactive one cannot
    take the one that it is to scan. Reclaim drains the pagevecs first, so only the function itself comes to see this."""
    machine = make_small()
    container = machine.create_container()
    machine.spawn(10, container).touch(0, 2)
    core, model = machine.core, machine.core.model
    sc = LruScanControl(core, model, model.lru, container.cid, 0, GFP_KERNEL)
    enable(machine)
    for mode, active in ((ISOLATE_ACTIVE, True), (ISOLATE_INACTIVE, False)):
        mem_container_isolate_pages(core, 1, model.lru.scan_head(0, PAGE_LIST), sc, 0, mode, 0, container.cid, active)
    assert lines(machine) == [
        "move_lists pfn=2 container=1 list=inactive priority=- reason=mended",
        "move_lists pfn=3 container=1 list=inactive priority=- reason=mended",
        "mm_lru_isolate pfn=2 container=1 target=1 zone=0 list=inactive priority=- reason=not_on_lru",
    ]


def test_a_block_is_taken_around_a_page(make_small: MakeMachine) -> None:
    """Every second page of 62 is there: the odd frames. Whoever wants 16 takes frame 3 from the tail, and from the block around it what
    else can go; and when the machine is through, gives the block back that it got."""
    machine = make_small(pagevec_size=1, swap_cluster_max=16)
    reclaim_mapped(machine)
    task = machine.spawn(10)
    task.touch(0, 62)
    for page in range(0, 62, 2):
        task.madvise(page, 1, "dontneed")
    for page in range(1, 62, 2):
        machine.engine.page_referenced(machine.core, frame(task, page), True, -1)
    enable(machine, "mm_lru_isolate", "mm_vmscan_direct_reclaim_begin", "mm_vmscan_direct_reclaim_end")
    task.alloc_block(4)
    found = lines(machine)
    assert found[:3] + found[-1:] == [
        "mm_vmscan_direct_reclaim_begin target=- order=4 priority=12 reason=allocation",
        "mm_lru_isolate pfn=3 container=0 target=- zone=0 list=active priority=2 reason=taken",
        "mm_lru_isolate pfn=5 container=0 target=- zone=0 list=active priority=2 reason=in_block",
        "mm_vmscan_direct_reclaim_end target=- order=4 priority=0 reason=zones_left nr_reclaimed=15",
    ]
    enable(machine, "mm_page_free")
    task.free_block(4)
    assert lines(machine) == ["mm_page_free pfn=16 zone=0 order=4 priority=- reason=user"]


# Swapoff


def test_swapoff(make_small: MakeMachine) -> None:
    """In laptop mode reclaim writes nothing: page 0 is in the swap cache, on the inactive list. Its owner forks while it is charged for it,
    and the child has the slot too, behind the search: so the page is written after all, and read once more for the child."""
    machine = make_small(pagevec_size=1, swap_cluster_max=2)
    reclaim_mapped(machine)
    machine.set_sysctl("page-cluster", 0)
    machine.set_sysctl("laptop_mode", 1)
    machine.root.control_type = 1
    container = machine.create_container()
    container.control_type = 1
    early = machine.spawn(50)
    owner = cold_task(machine, container, 1)
    container.limit = 1
    owner.touch(1, 1)
    container.limit = 64
    pfn = machine.core.swap.cache[1]
    machine.reap(early)
    once_at(machine, AT_META_PAGE_ALLOC, lambda: owner.fork(102))
    enable(machine, "mm_lru_activate", "swap_out", "delete_from_swap_cache")
    machine.swapoff("/dev/swap")
    again = frame(machine.tasks[102], 0)
    assert lines(machine) == [
        f"mm_lru_activate pfn={pfn} container=1 zone=0 list=inactive priority=- reason=activate:swapoff",
        f"swap_out pfn={pfn} container=1 priority=- reason=task slot=1",
        f"delete_from_swap_cache pfn={pfn} container=1 priority=- reason=swapoff slot=1",
        f"delete_from_swap_cache pfn={again} container=1 priority=- reason=swapoff slot=1",
    ]


# The machine's own reclaim


def test_the_machines_own_reclaim(make_small: MakeMachine) -> None:
    machine = make_small(frames=128, swap_pages=256, min_free_kbytes=40)
    enable(machine, "mm_vmscan_kswapd_wake", "mm_vmscan_kswapd_sleep", "mm_vmscan_direct_reclaim_begin", "mm_vmscan_direct_reclaim_end")
    machine.spawn(100).touch(0, 140)
    machine.advance(10**9)
    found = lines(machine)
    assert found[:3] == [
        "mm_vmscan_kswapd_wake target=- nid=0 order=0 priority=12 reason=watermark",
        "mm_vmscan_direct_reclaim_begin target=- order=0 priority=12 reason=allocation",
        "mm_vmscan_direct_reclaim_end target=- order=0 priority=9 reason=enough nr_reclaimed=4",
    ]
    assert found[-1] == "mm_vmscan_kswapd_sleep target=- nid=0 order=0 priority=12 reason=balanced"


# Out of memory


OOM = ("charge_failed", "oom_kill", "mark_victim", "task_exit")
CHOSEN = "oom_kill pid=100 container=1 target=1 order=0 priority=- reason=limit points={} verdict=chosen"


def full(make_small: MakeMachine, *pids: int) -> list[Task]:
    """Tasks that share out a container of 6 pages; there is no swap."""
    machine = make_small(swap_pages=0)
    container = machine.create_container()
    container.limit = 6
    tasks = [machine.spawn(pid, container) for pid in pids]
    for task in tasks:
        task.touch(0, 6 // len(tasks))
    return tasks


def overrun(task: Task) -> list[str]:
    enable(task.machine, *OOM)
    with pytest.raises(OutOfMemory):
        task.touch(1000, 1)
    return lines(task.machine)


def test_who_overruns_the_limit_is_killed(make_small: MakeMachine) -> None:
    """Behind page tables 1 and 8, and pages 2 to 7, frame 9 finds nobody to pay. 7 points: pages of its address space."""
    (task,) = full(make_small, 100)
    assert overrun(task) == [
        "charge_failed pfn=9 container=1 priority=- reason=mapped usage=6",
        CHOSEN.format(7),
        "mark_victim pid=100 container=1 reason=chosen",
        "task_exit pid=100 container=1 reason=killed",
    ]


def test_the_loop_gives_up(make_small: MakeMachine) -> None:
    (task,) = full(make_small, 100)
    enable(task.machine, "charge_round")
    with pytest.raises(OutOfMemory):
        task.touch(1000, 1)
    rounds = [f"charge_round target=1 priority=- reason=retry usage=6 retries={left}" for left in (5, 4, 3, 2, 1)]
    assert lines(task.machine) == [*rounds, "charge_round target=1 priority=- reason=give_up usage=6 retries=0"]


def test_the_worst_is_killed_and_so_is_who_faulted(make_small: MakeMachine) -> None:
    bad, meek = full(make_small, 100, 200)
    bad.mmap(500, 50)
    assert overrun(meek)[1:4] == [
        CHOSEN.format(53),
        "mark_victim pid=100 container=1 reason=chosen",
        "mark_victim pid=200 container=1 reason=faulted",
    ]


def test_a_child_and_a_thread(make_small: MakeMachine) -> None:
    """The child is charged in container 2, and killed for its parent, with its thread. 11 points: 7, and half of the child's, and 1."""
    (task,) = full(make_small, 100)
    child = task.fork(101)
    task.machine.attach(child, task.machine.create_container())
    task.machine.clone_thread(child, 102)
    assert overrun(task)[1:5] == [
        CHOSEN.format(11),
        "mark_victim pid=101 container=2 reason=child",
        "mark_victim pid=102 container=2 reason=shares",
        "mark_victim pid=100 container=1 reason=faulted",
    ]


def test_nobody_is_killed(make_small: MakeMachine) -> None:
    """The chosen one must not be; somebody is dying already; there is no task at all. Who faulted dies in any case."""
    (task,) = full(make_small, 100)
    task.set_oom_adj(-17)
    assert overrun(task)[1:4] == [
        CHOSEN.format(0),
        CHOSEN.format(0).replace("chosen", "unkillable"),
        "mark_victim pid=100 container=1 reason=faulted",
    ]
    dying, task = full(make_small, 100, 200)
    dying.is_memdie = True
    nobody = "oom_kill pid=0 container=- target=1 order=0 priority=- reason=limit points=0 verdict="
    assert overrun(task)[1:3] == [f"{nobody}dying", "mark_victim pid=200 container=1 reason=faulted"]
    machine = make_small()
    enable(machine)
    machine.core.kernel.mem_container_out_of_memory(machine.create_container().cid)
    assert lines(machine) == ["oom_kill pid=0 container=- target=1 order=0 priority=- reason=limit points=0 verdict=nobody"]


def test_the_cache_is_refused(make_small: MakeMachine) -> None:
    """For read-ahead, and for the page alone. Nobody dies of that but by the OOM killer's choice."""
    (task,) = full(make_small, 100)
    enable(task.machine, "charge_failed")
    with pytest.raises(OutOfMemory):
        task.read_file(hole(task.machine, 1), 0, 1)
    assert lines(task.machine) == ["charge_failed pfn=8 container=1 priority=- reason=cache usage=6"] * 2


def test_the_machine_is_out_of_memory(make_small: MakeMachine) -> None:
    """25 pages are the worst of two tasks."""
    machine = make_small(swap_pages=0, frames=32)
    enable(machine, *OOM, "mm_vmscan_direct_reclaim_end")
    machine.spawn(100).touch(0, 25)
    machine.spawn(200).touch(0, 8)
    assert lines(machine)[-4:] == [
        "mm_vmscan_direct_reclaim_end target=- order=0 priority=0 reason=gave_up nr_reclaimed=0",
        "oom_kill pid=100 container=0 target=- order=0 priority=- reason=allocation points=25 verdict=chosen",
        "mark_victim pid=100 container=0 reason=chosen",
        "task_exit pid=100 container=0 reason=killed",
    ]


@pytest.mark.parametrize("panic_on_oom", [0, 1])
def test_the_machine_panics(make_small: MakeMachine, panic_on_oom: int) -> None:
    """Because it is told to; because nobody may be killed."""
    machine = make_small(swap_pages=0, frames=32)
    machine.set_sysctl("panic_on_oom", panic_on_oom)
    task = machine.spawn(100)
    task.set_oom_adj(-17)
    enable(machine, *OOM)
    with pytest.raises(MachinePanicked):
        task.touch(0, 31)
    assert lines(machine) == ["oom_kill pid=0 container=- target=- order=0 priority=- reason=allocation points=0 verdict=panic"]


def test_the_machine_may_find_somebody_dying_or_nobody_that_it_can_kill(make_small: MakeMachine) -> None:
    machine = make_small()
    task = machine.spawn(100)
    task.set_oom_adj(3)
    machine.clone_thread(task, 101).set_oom_adj(-17)
    enable(machine, *OOM)
    assert not machine.core.kernel.out_of_memory(GFP_KERNEL, 2)
    task.is_memdie = True
    assert machine.core.kernel.out_of_memory(GFP_KERNEL, 2)
    common = "target=- order=2 priority=- reason=allocation"
    assert lines(machine) == [
        f"oom_kill pid=100 container=0 {common} points=8 verdict=chosen",
        f"oom_kill pid=100 container=0 {common} points=8 verdict=unkillable",
        f"oom_kill pid=0 container=- {common} points=0 verdict=dying",
    ]


# A model in Python


def test_a_model_in_python_has_no_active_list_and_no_priority(engine: ModuleType) -> None:
    class Newest(Policy):
        """Gives up what was charged last."""

        def charged(self, pfn: int, container: int) -> None:
            self.newest = pfn

        def reclaim(self, container: int, evict: Callable[[int], bool]) -> bool:
            return evict(self.newest)

    machine = Machine(MachineConfig(zone_pages=(64, 0, 0, 0), swap_bytes=1 << 20, disk=DiskConfig(0, 0, 8)), engine, Newest())
    container = machine.create_container()
    container.limit = 1
    task = machine.spawn(100, container)
    task.touch(0, 1)
    enable(machine, "charge", "mm_vmscan_writepage", "swap_out", "charge_round")
    task.touch(1, 1)
    assert lines(machine) == [
        "charge pfn=2 container=1 list=- priority=- reason=cache refs=2 usage=1",
        "mm_vmscan_writepage pfn=2 container=1 list=inactive priority=- reason=swap slot=1",
        "swap_out pfn=2 container=1 priority=- reason=reclaim slot=1",
        "charge_round target=1 priority=- reason=reclaimed usage=0 retries=5",
        "charge pfn=3 container=1 list=inactive priority=- reason=mapped refs=1 usage=1",
    ]
    machine.check()


# The whole


def names_of(record: TraceRecord) -> list[str]:
    return [field.name for field in record.event.fields]


def test_records_agree_with_the_counters(make_small: MakeMachine) -> None:
    """Under pressure of both kinds, from a disk that takes its time: each list move is one record, each page that is isolated goes one way,
    and every record of a reclaim has a priority."""
    machine = make_small(frames=96, swap_pages=512, min_free_kbytes=16, disk=SLOW_DISK)
    machine.tracer.resize(1 << 17)
    container = machine.create_container()
    container.limit = 40
    file = machine.create_file()
    before = machine.vmstat()
    enable(machine)
    first, second = machine.spawn(100, container), machine.spawn(101)
    for place in range(3):
        first.touch(0, 60)
        second.write_file(file, 0, 40)
        second.touch(place * 10, 50)
        first.fork(200 + place).touch(0, 20)
        second.read_file(file, 0, 40)
    machine.reap(first)
    assert machine.tracer.overrun == 0
    counts = {name: value - before[name] for name, value in machine.vmstat().items()}
    records = list(machine.tracer.records())
    seen = Counter(record.event.name for record in records)

    def of(name: str) -> list[TraceRecord]:
        return [record for record in records if record.event.name == name]

    assert seen["mm_lru_activate"] == counts["pgactivate"] > 0
    assert seen["mm_lru_deactivate"] == counts["pgdeactivate"] > 0
    assert seen["mm_lru_rotate"] == counts["pgrotated"] > 0
    assert seen["mm_vmscan_writepage"] == counts["nr_vmscan_write"] > 0
    assert seen["swap_out"] == counts["pswpout"] > 0
    assert seen["swap_in"] == counts["pswpin"] > 0
    assert seen["mm_page_free"] == counts["pgfree"] > 0
    assert seen["mm_vmscan_direct_reclaim_begin"] == seen["mm_vmscan_direct_reclaim_end"] > 0
    assert seen["mm_vmscan_memcg_reclaim_begin"] == seen["mm_vmscan_memcg_reclaim_end"] > 0
    taken = sum(found["reason"] in (MET_TAKEN, MET_IN_BLOCK) for found in of("mm_lru_isolate"))
    freed = sum(found["reason"] == WHY_FREED for found in of("mm_vmscan_page"))
    assert taken == sum(found["nr_taken"] for found in of("mm_vmscan_lru_isolate")) > 0
    assert taken == seen["mm_lru_putback"] + seen["mm_lru_deactivate"] + freed
    for name in ("mm_lru_isolate", "mm_lru_deactivate", "mm_lru_putback", "mm_vmscan_page", "mm_vmscan_writepage", "swap_out"):
        assert all(0 <= found["priority"] <= 12 for found in of(name)), name
    for name in ("page_fault_user", "swap_in", "task_exit", "mm_filemap_add_to_page_cache"):
        assert all("priority" not in names_of(found) or found["priority"] == -1 for found in of(name)), name


def test_a_page_comes_back_too_late(make_small: MakeMachine) -> None:
    """Its slot kept the age that its group had when it went, and it comes back when more pages have gone. Statistics are of before there
    were any pages, so that no distance is small enough."""
    machine = make_small(model="classic", rules="v1", folio_batch_size=1)
    group = machine.create_container()
    group.counter("memory").resize(8)
    task = machine.spawn(100, group)
    task.touch(0, 30, write=True)
    assert task.space is not None
    slot = machine.core.tables.entry(task.space.mm, 0) >> PTE_SHIFT
    then = machine.core.swap.shadow_age[slot]
    enable(machine, "workingset_refault", "mm_page_alloc")
    task.touch(0, 1)
    pfn = frame(task, 0)
    refault = next(record for record in machine.tracer.records() if record.event.name == "workingset_refault")
    distance = dict(zip((field.name for field in refault.event.fields), refault.values, strict=True))["distance"]
    assert f"workingset_refault pfn={pfn} container={group.cid} file=0 recent=0 distance={distance}" in lines(machine)
    assert 0 < distance <= machine.core.model.lruvecs.nonresident_age[group.cid] - then


def test_every_event_and_every_word_is_expected_here() -> None:
    """But for what reclaim answers for a page, which is tested where it answers."""
    text = Path(__file__).read_text().splitlines()
    expected: dict[str, set[str]] = {kind: set() for kind in TRACE_WORDS}
    for event in TRACE_EVENTS:
        found = [line for line in text if f"{event.name} " in line and "=" in line]
        assert found, event.name
        for field in event.fields:
            if field.kind in expected:
                expected[field.kind] |= {word for line in found for word in re.findall(rf"{field.name}=([\w:]+)", line)}
    for kind, words in TRACE_WORDS.items():
        assert kind == "answer" or set(words) <= expected[kind], kind
