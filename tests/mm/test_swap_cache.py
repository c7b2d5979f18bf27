"""The swap cache is charged (2007 only): why a charge is retried, and what that does to small containers."""

from __future__ import annotations

import pytest

from memcgfs import mm
from memcgfs.mm.params import (
    AT_ISOLATE,
    AT_META_PAGE_ALLOC,
    GFP_KERNEL,
    GFP_NORETRY,
    PG_ACTIVE,
    PG_DIRTY,
    PG_LRU,
    PG_SWAPCACHE,
    PG_WRITEBACK,
)
from memcgfs.mm.trace_ring import WHY_KEEP_DIRTY_AGAIN
from tests.conftest import MakeMachine

from .looking import at, cold_task, flags, frame, meta_refs, once_at, reclaim_mapped

SLOW = mm.DiskConfig()
WAIT_NS = 100_000_000
SECOND_NS = 1_000_000_000


def limited(machine: mm.Machine, limit: int) -> mm.Container:
    container = machine.create_container()
    container.limit = limit
    return container


@pytest.mark.fact("C16")
def test_a_page_on_its_way_out_stays_charged_until_it_is_written(make_small: MakeMachine) -> None:
    """Waiting for the disk is what ends the writes; then reclaim finds the pages clean."""
    machine = make_small(pagevec_size=1, disk=SLOW)
    reclaim_mapped(machine)
    task = cold_task(machine, limited(machine, 4), 4)
    assert task.container.cache_pages == 0
    usages: list[tuple[int, int]] = []
    machine.set_interleave(lambda point, _: usages.append((task.container.usage, task.swap_pages)))
    task.touch(4, 1)
    assert (4, 4) in usages, "all are unmapped, and all are still counted"
    assert machine.clock_ns > SLOW.latency_ns
    assert task.container.usage < 4


@pytest.mark.fact("C16", "C17")
def test_a_page_in_the_swap_cache_holds_two_charges_while_it_is_mapped(make_small: MakeMachine) -> None:
    """With more than half of the swap free, a page that is read back keeps its slot."""
    machine = make_small(pagevec_size=1)
    reclaim_mapped(machine)
    task = cold_task(machine, limited(machine, 4), 4)
    task.touch(4, 1)
    assert task.swap_pages == 4
    task.container.limit = 10
    task.touch(0, 1, write=False)
    pfn = frame(task, 0)
    assert flags(machine, pfn) & PG_SWAPCACHE
    assert meta_refs(machine, pfn) == 2


@pytest.mark.fact("S3", "S4")
@pytest.mark.parametrize(("swap_pages", "keeps"), [(10, True), (8, False)])
def test_a_page_that_is_read_back_gives_up_its_slot_where_swap_is_half_full(
    make_small: MakeMachine, swap_pages: int, keeps: bool
) -> None:
    """4 slots were used and 1 use has gone: of 9 slots 5 are free, at least half (vm_swap_full); of 7 only 3."""
    machine = make_small(pagevec_size=1, swap_pages=swap_pages)
    reclaim_mapped(machine)
    machine.set_sysctl("page-cluster", 0)
    task = cold_task(machine, limited(machine, 4), 4)
    task.touch(4, 1)
    assert task.swap_pages == 4
    task.container.limit = 10
    task.touch(0, 1, write=False)
    assert bool(flags(machine, frame(task, 0)) & PG_SWAPCACHE) == keeps
    assert machine.swaps()[0].used_pages == (4 if keeps else 3)


def swapped_pair(machine: mm.Machine) -> tuple[mm.Task, mm.Task]:
    """Two tasks, each with one page in swap, in neighbouring slots; the second one's container is its own."""
    first, second = machine.spawn(100, machine.create_container()), machine.spawn(200, machine.create_container())
    first.touch(0, 1)
    second.touch(0, 1)
    for task in (first, second):
        task.container.limit = 1
        task.touch(1, 1)
        task.munmap(1, 1)
        task.container.limit = 10
        assert (task.swap_pages, task.container.usage) == (1, 0)
    return first, second


@pytest.mark.fact("C20", "C21")
def test_read_ahead_charges_whoever_runs(make_small: MakeMachine) -> None:
    """The first task's fault reads the second one's page as well; later the second maps it, and the first's container has paid."""
    machine = make_small(pagevec_size=1, disk=SLOW)
    first, second = swapped_pair_slowly(machine)
    first.touch(0, 1, write=False)
    assert (first.container.usage, second.container.usage) == (2, 0)
    assert machine.vmstat()["pswpin"] == 2
    result = second.touch(0, 1, write=False)
    assert (result.minor, result.major) == (1, 0)
    assert (first.container.usage, second.container.usage) == (2, 0)
    assert second.rss_pages == 1


def swapped_pair_slowly(machine: mm.Machine) -> tuple[mm.Task, mm.Task]:
    """As swapped_pair, by machine-wide means: limits of 1 would kill with a slow disk."""
    reclaim_mapped(machine)
    tasks = []
    for pid in (100, 200):
        task = cold(machine, pid)
        tasks.append(task)
    hog = machine.spawn(300)
    hog.touch(0, 80)
    machine.reap(hog)
    machine.advance(WAIT_NS)
    first, second = tasks
    assert (first.swap_pages, second.swap_pages) == (1, 1)
    assert (first.container.usage, second.container.usage) == (0, 0)
    return first, second


def cold(machine: mm.Machine, pid: int) -> mm.Task:
    container = machine.create_container()
    parent = machine.spawn(pid + 1, container)
    parent.touch(0, 1)
    child = parent.fork(pid)
    machine.reap(parent)
    return child


@pytest.mark.fact("S2")
def test_page_cluster_0_reads_nothing_ahead(make_small: MakeMachine) -> None:
    machine = make_small(pagevec_size=1)
    machine.set_sysctl("page-cluster", 0)
    first, second = swapped_pair(machine)
    first.touch(0, 1, write=False)
    assert (first.container.usage, second.container.usage) == (1, 0)
    assert machine.vmstat()["pswpin"] == 1


@pytest.mark.fact("R6")
@pytest.mark.parametrize("limit", [1, 2])
def test_a_tiny_container_is_killed_although_swap_is_free(make_small: MakeMachine, limit: int) -> None:
    """Six rounds do not get a page to be young no more, out, written and freed, while each fault brings a new young one."""
    machine = make_small(swap_cluster_max=32, pagevec_size=14, disk=SLOW)
    task = machine.spawn(100, limited(machine, limit))
    with pytest.raises(mm.OutOfMemory):
        task.touch(0, 10)
    assert task.state == "Z"
    assert machine.swaps()[0].used_pages == 0
    assert "Memory container out of memory" in "\n".join(machine.log)


def test_a_container_of_64_pages_lives_on_swap(make_machine: MakeMachine) -> None:
    machine = make_machine(ram_bytes=64 << 20, swap_bytes=64 << 20, max_containers=8)
    task = machine.spawn(100, limited(machine, 64))
    for page in range(400):
        task.touch(page, 1)
        assert task.container.usage <= 64
    assert task.rss_pages + task.swap_pages == 400
    assert task.touch(0, 1).major == 1


@pytest.mark.fact("C21", "C29")
def test_pages_left_behind_keep_the_container_busy(make_small: MakeMachine) -> None:
    """Read ahead for another container's task and mapped there: they stay when the one that paid has gone."""
    machine = make_small(pagevec_size=1, disk=SLOW)
    first, second = swapped_pair_slowly(machine)
    first.touch(0, 1, write=False)
    second.touch(0, 1, write=False)
    payer = first.container
    machine.reap(first)
    assert payer.usage == payer.css_refs == 1
    with pytest.raises(mm.ContainerBusy):
        machine.remove_container(payer)
    machine.reap(second)
    assert payer.usage == 0
    assert payer in machine.take_released()
    machine.remove_container(payer)


@pytest.mark.fact("C31", "S6")
def test_a_page_under_writeback_outlives_its_task(make_small: MakeMachine) -> None:
    """Its slot is named by nobody, but while it is written it cannot be freed; then nobody looks at it until the next reclaim."""
    machine = make_small(pagevec_size=1, disk=mm.DiskConfig(latency_ns=10 * SECOND_NS))
    reclaim_mapped(machine)
    task = cold_task(machine, limited(machine, 4), 4)
    container, pfn = task.container, frame(task, 0)
    seen: list[int] = []

    def exit_task() -> None:
        if flags(machine, pfn) & PG_WRITEBACK:
            machine.set_interleave(None)
            machine.exit(task, "gone")
            container.limit = 10
            seen.append(container.usage)

    machine.set_interleave(lambda *_: exit_task())
    helper = machine.spawn(300, container)
    helper.touch(0, 1)
    assert seen == [4]
    machine.reap(helper)
    machine.advance(20 * SECOND_NS)
    assert container.usage == machine.swaps()[0].used_pages == 4
    assert container.css_refs == 4


def test_two_who_read_the_same_slot_get_one_page(make_small: MakeMachine) -> None:
    """While the first one's new page is charged, the child reads the slot: EEXIST, and the first takes the child's page."""
    machine = make_small(pagevec_size=1)
    machine.set_sysctl("page-cluster", 0)
    reclaim_mapped(machine)
    parent = cold_task(machine, limited(machine, 1), 1)
    child = parent.fork(300)
    parent.touch(1, 1)
    parent.munmap(1, 1)
    assert (parent.swap_pages, child.swap_pages) == (1, 1)
    parent.container.limit = 10
    once_at(machine, AT_META_PAGE_ALLOC, lambda: child.touch(0, 1, write=False))
    result = parent.touch(0, 1, write=False)
    assert frame(parent, 0) == frame(child, 0)
    assert machine.vmstat()["pswpin"] == 1
    assert (result.major, parent.container.usage) == (1, 1)


def test_a_slot_that_is_given_up_meanwhile_is_no_error(make_small: MakeMachine) -> None:
    """While the page for the slot is charged, a neighbour unmaps the only entry that names it: the access starts anew, on nothing."""
    machine = make_small(pagevec_size=1)
    machine.set_sysctl("page-cluster", 0)
    reclaim_mapped(machine)
    task = cold_task(machine, limited(machine, 1), 1)
    thread = machine.clone_thread(task, 300)
    task.touch(1, 1)
    task.munmap(1, 1)
    assert task.swap_pages == 1

    def drop(pfn: int) -> bool:
        thread.madvise_dontneed(0, 1)
        return True

    at(machine, AT_META_PAGE_ALLOC, drop)
    task.touch(0, 1)
    assert (task.swap_pages, task.rss_pages) == (0, 1)


@pytest.mark.fact("S6")
def test_reclaim_gives_up_a_slot_that_nobody_uses(make_small: MakeMachine) -> None:
    """Page 0 has got its slot, but was not unmapped, because a child in another container has it young: so it is in the swap cache, dirty.
    While reclaim has it isolated, both unmap it, and since reclaim holds it, it stays where it is. It is not written then: it gives up
    its slot, is kept for being dirty, and goes as it is put back, for nobody else holds it."""
    machine = make_small(pagevec_size=1, swap_cluster_max=2)
    reclaim_mapped(machine)
    container = limited(machine, 3)
    task = cold_task(machine, container, 3)
    child = task.fork(200)
    child.munmap(1, 2)
    machine.attach(child, machine.create_container())
    child.touch(0, 1, write=False)
    pfn = frame(child, 0)
    task.touch(3, 1)
    assert flags(machine, pfn) & (PG_SWAPCACHE | PG_DIRTY | PG_ACTIVE) == PG_SWAPCACHE | PG_DIRTY | PG_ACTIVE
    slot = machine.core.frames.private[pfn]

    def unmap(other: int) -> bool:
        if flags(machine, pfn) & PG_LRU:
            return False
        task.madvise_dontneed(0, 1)
        child.munmap(0, 1)
        return True

    at(machine, AT_ISOLATE, unmap)
    for event in mm.TRACE_EVENTS:
        machine.tracer.enable(event, event.name in ("mm_vmscan_page", "swap_out"))
    task.touch(4, 2)
    rows = [(record.event.name, *record.values) for record in machine.tracer.records() if record.values[0] == pfn]
    assert [row[0] for row in rows if row[0] == "swap_out"] == []
    assert rows[-1][-1] == WHY_KEEP_DIRTY_AGAIN
    assert (machine.core.swap.map[slot], machine.core.frames.count[pfn]) == (0, 0)


@pytest.mark.fact("C28", "R18")
def test_a_page_that_cannot_be_charged_on_its_way_to_swap_is_activated(make_small: MakeMachine) -> None:
    """Four cold pages whose charges were forgotten, and a reclaimer in a container that is full of locked pages: the swap cache would be
    charged to it. Nobody can be killed; after six rounds each their slots are given back, and they are active again."""
    machine = make_small(pagevec_size=1)
    reclaim_mapped(machine)
    box, full = limited(machine, 64), limited(machine, 2)
    owner = cold_task(machine, box, 4)
    machine.force_empty(box)
    runner = machine.spawn(200, full)
    runner.mmap(0, 2, locked=True)
    for task in (owner, runner):
        task.set_oom_adj(-17)
    rest = machine.zones()[0].free
    for _ in range(rest):
        runner.alloc_block(0)
    with pytest.raises(mm.OutOfMemory):
        runner.alloc_block(0, GFP_KERNEL | GFP_NORETRY)
    assert all(flags(machine, frame(owner, page)) & (PG_ACTIVE | PG_SWAPCACHE) == PG_ACTIVE for page in range(4))
    assert (machine.swaps()[0].used_pages, machine.vmstat()["pswpout"]) == (2, 0), "the locked pages have a slot each"
    assert full.failcnt == 4 * 6
