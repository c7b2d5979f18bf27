"""unuse.py, swapon.py: swapoff brings every page back (try_to_unuse of 2.6.23), and whoever runs it pays."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from memcgfs import mm
from memcgfs.mm.params import AT_CONGESTION_WAIT, AT_META_PAGE_ALLOC, PG_ACTIVE, PG_SWAPCACHE
from tests.conftest import MakeMachine

from .looking import at, cold_task, flags, frame, meta_refs, once_at, reclaim_mapped

BOOT = "/dev/swap"
MS = 1_000_000
Runner = Callable[[mm.Machine, mm.Container], mm.Task | mm.Container | None]


def four_in_swap(machine: mm.Machine) -> tuple[mm.Container, mm.Task]:
    """A container of 4 with a task of 8 pages: 0 to 3 in slots 1 to 4, 4 to 7 in memory."""
    reclaim_mapped(machine)
    container = machine.create_container()
    container.limit = 4
    task = cold_task(machine, container, 4)
    task.touch(4, 4)
    assert (container.usage, task.swap_pages) == (4, 4)
    return container, task


def a_task_in(machine: mm.Machine, container: mm.Container) -> mm.Task:
    return machine.spawn(300, container)


def the_host_in(machine: mm.Machine, container: mm.Container) -> mm.Container:
    return container


@pytest.mark.fact("C20")
@pytest.mark.parametrize("runner", [a_task_in, the_host_in])
def test_whoever_runs_swapoff_is_charged(make_small: MakeMachine, runner: Runner) -> None:
    """The trouble of 2007: the owner's container has 8 pages in memory with a limit of 4, and the other one pays for half of them."""
    machine = make_small(pagevec_size=1)
    owner, task = four_in_swap(machine)
    other = machine.create_container()
    machine.swapoff(BOOT, runner(machine, other))
    assert (owner.usage, other.usage) == (4, 4)
    assert (task.rss_pages, task.swap_pages) == (8, 0)
    assert [meta_refs(machine, frame(task, page)) for page in range(8)] == [1] * 8
    assert machine.swaps() == []
    assert machine.meminfo()["SwapTotal"] == machine.meminfo()["SwapFree"] == 0
    machine.reap(task)
    assert (owner.usage, other.usage) == (0, 0)


def test_without_a_container_the_top_one_is_charged(make_small: MakeMachine) -> None:
    machine = make_small(pagevec_size=1)
    owner, _ = four_in_swap(machine)
    machine.swapoff(BOOT)
    assert (owner.usage, machine.root.usage) == (4, 4)
    assert machine.mm_ids.nr_taken == 1, "the runner's own address space has gone again"


@pytest.mark.fact("S8")
def test_pages_come_back_old_and_read_only(make_small: MakeMachine) -> None:
    """unuse_pte: the first write to one is a minor fault, and needs no copy. All are on the active list."""
    machine = make_small(pagevec_size=1)
    _, task = four_in_swap(machine)
    machine.swapoff(BOOT)
    pte = machine.core.tables.entry(task.space.mm, 0)  # type: ignore[union-attr]
    assert pte & 0xFFF == 1
    assert all(flags(machine, frame(task, page)) & PG_ACTIVE for page in range(4))
    before = frame(task, 0)
    assert task.touch(0, 1) == mm.Access(1, 1, 0)
    assert frame(task, 0) == before


def test_what_the_owner_has_in_the_swap_cache_stays_with_it(make_small: MakeMachine) -> None:
    """Page 0 was read back and is charged to its owner already (its slot is kept: much swap is free): only 3 pages are the runner's."""
    machine = make_small(pagevec_size=1)
    owner, task = four_in_swap(machine)
    owner.limit = 16
    machine.set_sysctl("page-cluster", 0)
    task.touch(0, 1, write=False)
    assert flags(machine, frame(task, 0)) & PG_SWAPCACHE
    assert owner.usage == 5
    machine.swapoff(BOOT)
    assert (owner.usage, machine.root.usage) == (5, 3)
    assert not flags(machine, frame(task, 0)) & PG_SWAPCACHE


@pytest.mark.fact("S8")
def test_a_page_in_two_page_tables_comes_back_once(make_small: MakeMachine) -> None:
    """Four slots with two users each: after it, four frames with two mappings, one charge each; a write of one is a copy again."""
    machine = make_small(pagevec_size=1)
    _, task = four_in_swap(machine)
    child = task.fork(400)
    machine.swapoff(BOOT)
    assert [frame(task, page) for page in range(4)] == [frame(child, page) for page in range(4)]
    assert [int(machine.core.frames.mapcount[frame(task, page)]) for page in range(4)] == [2] * 4
    assert [meta_refs(machine, frame(task, page)) for page in range(4)] == [1] * 4
    assert machine.root.usage == 4


def test_bytes_come_back(make_small: MakeMachine) -> None:
    machine = make_small(pagevec_size=1)
    container = machine.create_container()
    container.limit = 4
    task = machine.spawn(100, container)
    for page in range(12):
        task.write_mem(page * 4096 + 5, b"page %d" % page)
    assert task.swap_pages >= 8
    machine.swapoff(BOOT)
    assert task.swap_pages == 0
    container.limit = 64
    assert [task.read_mem(page * 4096 + 5, 7) for page in range(12)] == [(b"page %d" % page).ljust(7, b"\0") for page in range(12)]


@pytest.mark.fact("C28")
@pytest.mark.parametrize("runner", [a_task_in, the_host_in])
def test_a_refused_charge_ends_it_and_loses_nothing(make_small: MakeMachine, runner: Runner) -> None:
    """The runner's container has room for two pages, and the pages that it pays for cannot go anywhere: there is no other swap. Two of
    four have come back. A runner that is a task has the most points of all (PF_SWAPOFF), and is killed."""
    machine = make_small(pagevec_size=1)
    owner, task = four_in_swap(machine)
    machine.set_sysctl("page-cluster", 0)
    task.set_oom_adj(-17)
    other = machine.create_container()
    other.limit = 2
    by = runner(machine, other)
    with pytest.raises(mm.OutOfMemory):
        machine.swapoff(BOOT, by)
    assert (task.rss_pages, task.swap_pages) == (6, 2)
    assert (owner.usage, other.usage) == (4, 2)
    view = machine.swaps()[0]
    assert (view.name, view.used_pages, view.priority) == (BOOT, 2, -1)
    assert machine.meminfo()["SwapFree"] == (view.size_pages - 2) * 4
    assert task.state == "R"
    if isinstance(by, mm.Task):
        assert (by.state, by.died) == ("Z", "out of memory")
    machine.check()
    owner.limit = 64
    assert task.touch(0, 8) == mm.Access(8, 2, 2), "pages 0 and 1 are read-only, 2 and 3 in the area, which is in use as before"
    machine.swapoff(BOOT, owner)


def test_an_outsider_may_be_killed_for_it(make_small: MakeMachine) -> None:
    """A process of the host is no task, and no other runs in its container: the first task of all is taken, though it scores 0 there."""
    machine = make_small(pagevec_size=1)
    owner, task = four_in_swap(machine)
    other = machine.create_container()
    other.limit = 2
    with pytest.raises(mm.OutOfMemory):
        machine.swapoff(BOOT, other)
    assert (task.state, owner.usage, machine.swaps()[0].used_pages) == ("Z", 0, 0)


def test_pages_may_go_to_another_area_meanwhile(make_small: MakeMachine) -> None:
    """As before, but there is another area: the runner's reclaim writes there what it paid for first."""
    machine = make_small(pagevec_size=1, swap_cluster_max=1)
    _, task = four_in_swap(machine)
    machine.swapon("other", 64)
    other = machine.create_container()
    other.limit = 2
    machine.swapoff(BOOT, other)
    assert [(view.name, view.used_pages) for view in machine.swaps()] == [("other", 2)]
    assert (task.rss_pages, task.swap_pages, other.usage) == (6, 2, 2)


@pytest.mark.fact("S8")
def test_without_room_for_the_whole_area_nothing_begins(make_small: MakeMachine) -> None:
    """__vm_enough_memory by guess: of an area of 63 slots 59 are free, and so are 3 frames; that is not more than 63. When the large task
    has gone it is."""
    machine = make_small(pagevec_size=1)
    _, task = four_in_swap(machine)
    machine.spawn(200).touch(0, 63 - 6 - 1 - 2)
    assert machine.zones()[0].free == 3
    before = mm.dump(machine)
    with pytest.raises(mm.OutOfMemory, match="no room for the 63 pages"):
        machine.swapoff(BOOT)
    assert mm.dump(machine) == before
    machine.reap(machine.tasks[200])
    machine.swapoff(BOOT)
    assert task.swap_pages == 0


def test_reserves_are_not_room(make_small: MakeMachine) -> None:
    """calculate_totalreserve_pages: the high watermark of a zone counts: 24 kB are 6 pages, and a half of that above."""
    machine = make_small(min_free_kbytes=24)
    zone = machine.zones()[0]
    assert machine.swapfiles.totalreserve_pages() == zone.pages_high == 9


def test_pages_under_write_are_waited_for(make_small: MakeMachine) -> None:
    """The coldest page's write takes 50 ms and began at 0: swapoff finds it in the swap cache, and ends no sooner."""
    machine = make_small(pagevec_size=1, swap_cluster_max=1, disk=mm.DiskConfig(50 * MS, 0, 8))
    reclaim_mapped(machine)
    container = machine.create_container()
    container.limit = 3
    task = cold_task(machine, container, 3)
    when: list[int] = []

    def run(_pfn: int) -> bool:
        if not machine.vmstat()["nr_writeback"]:
            return False
        machine.swapoff(BOOT, machine.root)
        when.append(machine.clock_ns)
        return True

    at(machine, AT_CONGESTION_WAIT, run)
    with pytest.raises(mm.OutOfMemory):
        task.touch(3, 1)
    assert when
    assert when[0] >= 50 * MS


def test_a_killed_runner_stops(make_small: MakeMachine) -> None:
    """-EINTR: SIGKILL comes while it pays for the second page, which still comes back."""
    machine = make_small(pagevec_size=1)
    _, task = four_in_swap(machine)
    runner = machine.spawn(300)
    charges: list[int] = []

    def kill(pfn: int) -> bool:
        charges.append(pfn)
        if len(charges) < 2:
            return False
        machine.send_sigkill(runner, "killed")
        return True

    at(machine, AT_META_PAGE_ALLOC, kill)
    with pytest.raises(mm.OutOfMemory):
        runner.swapoff(BOOT)
    assert (task.swap_pages, runner.state) == (2, "Z")
    assert machine.swaps()[0].used_pages == 2


def test_a_zombie_runs_nothing(make_small: MakeMachine) -> None:
    machine = make_small()
    task = machine.spawn(100)
    task.exit()
    with pytest.raises(mm.TaskDead):
        task.swapoff(BOOT)
    assert len(machine.swaps()) == 1


def test_an_unknown_area(make_small: MakeMachine) -> None:
    machine = make_small()
    with pytest.raises(mm.BadSwapArea):
        machine.swapoff("/dev/other")


@pytest.mark.parametrize("is_dirty", [False, True])
def test_a_child_behind_the_search(make_small: MakeMachine, is_dirty: bool) -> None:
    """The runner's container is charged for mapped pages only, so that the owner's charge may sleep; there the owner forks, and its child
    gets the number of an address space that was asked before. Its slot is read once more, into a page of its own; where the bytes were
    only in memory (laptop mode: reclaim did not write them), they are written first."""
    machine = make_small(pagevec_size=1, swap_cluster_max=2)
    reclaim_mapped(machine)
    machine.set_sysctl("page-cluster", 0)
    machine.set_sysctl("laptop_mode", int(is_dirty))
    machine.root.control_type = 1
    container = machine.create_container()
    container.control_type = 1
    early = machine.spawn(50)
    parent = machine.spawn(100, container)
    parent.write_mem(7, b"bytes")
    owner = parent.fork(101)
    machine.reap(parent)
    container.limit = 1
    owner.touch(1, 1)
    container.limit = 64
    assert (owner.swap_pages, machine.swaps()[0].used_pages) == (1, 1)
    slot = 1
    assert bool(machine.core.swap.cache[slot]) == is_dirty
    machine.reap(early)
    children: list[mm.Task] = []
    once_at(machine, AT_META_PAGE_ALLOC, lambda: children.append(owner.fork(102)))
    machine.swapoff(BOOT)
    (child,) = children
    assert child.space is not None
    assert owner.space is not None
    assert child.space.mm < owner.space.mm
    assert frame(child, 0) != frame(owner, 0)
    assert owner.read_mem(7, 5) == child.read_mem(7, 5) == b"bytes"


def test_it_gives_up_on_who_cannot_go_on(make_small: MakeMachine) -> None:
    """In the middle of a fault that has taken a count of slot 1 and is charged for its page. 2.6.23 would wait for the fault to go on."""
    machine = make_small(pagevec_size=1)
    _, task = four_in_swap(machine)
    refused: list[str] = []

    def swapoff() -> None:
        with pytest.raises(mm.OutOfMemory) as found:
            machine.swapoff(BOOT)
        refused.append(str(found.value))

    owner = task.container
    owner.limit = 64
    once_at(machine, AT_META_PAGE_ALLOC, swapoff)
    task.touch(0, 1, write=False)
    assert refused == ["/dev/swap: 1 pages could not be brought back, and it stays in use"]
    assert any("swapoff without end" in line for line in machine.log)
    machine.swapoff(BOOT)


def test_a_fault_gives_up_on_a_page_that_swapoff_holds(make_small: MakeMachine) -> None:
    """The other way round: swapoff has the page locked while its owner is charged, and the owner wants it. It is out of memory."""
    machine = make_small(pagevec_size=1)
    machine.root.control_type = 1
    owner, task = four_in_swap(machine)
    owner.limit = 64

    def touch() -> None:
        with pytest.raises(mm.OutOfMemory):
            task.touch(0, 1)

    once_at(machine, AT_META_PAGE_ALLOC, touch)
    machine.swapoff(BOOT)
    assert (task.state, machine.swaps()) == ("Z", [])


def test_areas_are_exhausted(make_small: MakeMachine) -> None:
    """Two areas of two pages each: of eight cold pages four go, and the rest is active again, as is what finds no slot."""
    machine = make_small(pagevec_size=1, swap_pages=3, swap_cluster_max=1)
    machine.swapon("second", 3, 0)
    reclaim_mapped(machine)
    container = machine.create_container()
    container.limit = 4
    task = cold_task(machine, container, 4)
    task.set_oom_adj(-17)
    with pytest.raises(mm.OutOfMemory):
        task.touch(4, 8)
    assert task.touched == "4 of 8"
    assert machine.meminfo()["SwapFree"] == machine.meminfo()["SwapTotal"] == 16, "it died of its fault, and all came back"


@pytest.mark.fact("C28")
def test_an_owners_refused_charge_ends_it_as_well(make_small: MakeMachine) -> None:
    """The runner's container leaves the swap cache out, so that each page is charged when it is mapped: to its owner, who is full of
    locked pages, and is killed for it. Another owner's pages are as they were."""
    machine = make_small(pagevec_size=1)
    owner, task = four_in_swap(machine)
    task.mlock(4, 4)
    runner = machine.create_container()
    runner.control_type = 1
    with pytest.raises(mm.OutOfMemory):
        machine.swapoff(BOOT, runner)
    assert (task.state, task.died, owner.usage, runner.usage) == ("Z", "out of memory", 0, 0)
    assert machine.swaps()[0].used_pages == 0
    machine.swapoff(BOOT, runner)
