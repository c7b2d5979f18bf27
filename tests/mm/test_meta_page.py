"""memcontrol.py: a page is counted once, holds one reference for being mapped and one for the swap cache, and one on its container."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from memcgfs.mm import ContainerBusy, Machine
from memcgfs.mm import memcontrol as uncompiled_memcontrol
from memcgfs.mm.params import AT_META_PAGE_ALLOC, MEM_CONTAINER_TYPE_ALL, MEM_CONTAINER_TYPE_MAPPED, PG_METAPAGE, PG_SWAPCACHE, ZERO_PAGE
from memcgfs.mm.trace_ring import CHARGED_UNUSED
from tests.conftest import MakeMachine

from .looking import cold_task, flags, frame, meta_refs, once_at, reclaim_mapped, swap_out_page_0_shared, uncompiled


@pytest.mark.fact("C12", "T1")
def test_a_written_page_has_one_reference_and_names_its_container(make_small: MakeMachine) -> None:
    machine = make_small()
    container = machine.create_container()
    task = machine.spawn(10, container)
    task.touch(0, 2)
    assert [frame(task, page) for page in (0, 1)] == [2, 3]
    assert [meta_refs(machine, pfn) for pfn in (1, 2, 3, 4)] == [0, 1, 1, 0], "the page table in frame 1 is charged to nobody"
    assert machine.core.frames.container[2] == container.cid
    assert container.usage == 2


@pytest.mark.fact("C29")
def test_each_charged_page_holds_the_container(make_small: MakeMachine) -> None:
    """One css reference a page, and one for the address space."""
    machine = make_small()
    container = machine.create_container()
    task = machine.spawn(10, container)
    assert container.css_refs == 1
    task.touch(0, 3)
    assert container.css_refs == 4
    task.madvise(1, 1, "dontneed")
    assert container.css_refs == 3
    with pytest.raises(ContainerBusy):
        machine.remove_container(container)
    assert machine.take_released() == []
    task.exit()
    assert container.css_refs == 0
    assert machine.take_released() == [container]
    machine.remove_container(container)


def swap_out_page_0(machine: Machine) -> None:
    """The fourth page of a limit of 3 costs the coldest one, which is page 0 of all tasks that share it. The disk answers at once."""
    container = machine.create_container()
    container.limit = 3
    reclaim_mapped(machine)
    machine.set_sysctl("page-cluster", 0)
    cold_task(machine, container, 3).touch(3, 1)


@pytest.mark.fact("C16", "C17")
def test_mapped_and_in_the_swap_cache_is_two_references_and_one_page(make_small: MakeMachine) -> None:
    """Page 0 is swapped out and read again: it keeps its slot, and is charged as swap cache and as mapped. Unmapped, it loses both."""
    machine = make_small(swap_cluster_max=1)
    swap_out_page_0(machine)
    task = machine.tasks[101]
    task.container.limit = 10
    assert task.container.usage == 3
    task.touch(0, 1, write=False)
    pfn = frame(task, 0)
    assert flags(machine, pfn) & PG_SWAPCACHE
    assert meta_refs(machine, pfn) == 2
    assert (task.container.usage, task.container.css_refs) == (4, 5)
    assert task.container.cache_pages == 1, "the swap cache charged it first"
    task.munmap(0, 1)
    assert (task.container.usage, task.container.css_refs, task.container.cache_pages) == (3, 4, 0)
    assert machine.swaps()[0].used_pages == 0


@pytest.mark.fact("C19")
def test_a_page_shared_by_fork_stays_with_who_brought_it(make_small: MakeMachine) -> None:
    machine = make_small()
    container, other = machine.create_container(), machine.create_container()
    parent = machine.spawn(10, container)
    parent.touch(0, 1)
    child = parent.fork(11)
    machine.attach(child, other)
    assert meta_refs(machine, 2) == 1
    parent.munmap(0, 1)
    assert (container.usage, other.usage) == (1, 0), "as long as anybody maps it"
    child.munmap(0, 1)
    assert (container.usage, container.css_refs) == (0, 1)


@pytest.mark.fact("C18")
def test_a_second_mapping_is_not_a_second_reference(make_small: MakeMachine) -> None:
    """Two tasks read a swapped page that they share: the first brings both references, the second gives its own back at once."""
    machine = make_small(swap_cluster_max=1)
    swap_out_page_0_shared(machine, MEM_CONTAINER_TYPE_ALL)
    first, second = machine.tasks[101], machine.tasks[102]
    first.touch(0, 1, write=False)
    pfn = frame(first, 0)
    assert meta_refs(machine, pfn) == 2
    second.touch(0, 1, write=False)
    assert (frame(second, 0), meta_refs(machine, pfn)) == (pfn, 2)
    assert second.container.usage == 0
    first.munmap(0, 1)
    assert meta_refs(machine, pfn) == 2, "mapped by somebody, and in the swap cache no more than before"


@pytest.mark.fact("C17")
def test_only_the_last_reference_uncharges(make_small: MakeMachine, engine: ModuleType) -> None:
    machine = make_small(swap_cluster_max=1)
    swap_out_page_0(machine)
    task = machine.tasks[101]
    task.container.limit = 10
    task.touch(0, 1, write=False)
    pfn = frame(task, 0)
    engine.mem_container_uncharge_page(machine.core, pfn, CHARGED_UNUSED)
    assert (meta_refs(machine, pfn), task.container.usage) == (1, 4)
    engine.mem_container_uncharge_page(machine.core, pfn, CHARGED_UNUSED)
    assert (meta_refs(machine, pfn), task.container.usage) == (0, 3)
    assert pfn not in [*task.container.lists()[0], *task.container.lists()[1]]
    engine.mem_container_uncharge_page(machine.core, pfn, CHARGED_UNUSED)
    assert task.container.usage == 3, "without a meta page nothing happens"


@pytest.mark.fact("C23", "P1")
def test_the_zero_page_is_charged_to_nobody(make_small: MakeMachine, engine: ModuleType) -> None:
    machine = make_small()
    container = machine.create_container()
    task = machine.spawn(10, container)
    task.touch(0, 5, write=False)
    assert {frame(task, page) for page in range(5)} == {ZERO_PAGE}
    assert (container.usage, container.css_refs, meta_refs(machine, ZERO_PAGE)) == (0, 1, 0)
    engine.mem_container_uncharge_page(machine.core, ZERO_PAGE, CHARGED_UNUSED)
    assert (container.usage, container.css_refs, list(machine.log)) == (0, 1, [])
    task.touch(2, 1)
    assert container.usage == 1, "the copy that a write makes is charged"
    task.munmap(0, 5)
    assert container.usage == 0


@pytest.mark.fact("C25")
def test_the_loser_of_a_race_gives_the_page_back_but_not_the_css_reference(make_small: MakeMachine) -> None:
    """Two tasks in two containers read one swapped page whose swap cache is not charged (control_type 1).

    While the first sleeps for its meta page, the second charges the page and maps it. The first finds it charged: its counter is as
    before, its css reference is gone for good (mended in v6), and, the page being mapped already, its reference is given back too.
    """
    machine = make_small(swap_cluster_max=1)
    swap_out_page_0_shared(machine, MEM_CONTAINER_TYPE_MAPPED)
    loser, winner = machine.tasks[101], machine.tasks[102]
    usage, css_refs = loser.container.usage, loser.container.css_refs

    once_at(machine, AT_META_PAGE_ALLOC, lambda: winner.touch(0, 1, write=False))
    result = loser.touch(0, 1, write=False)

    pfn = frame(winner, 0)
    assert frame(loser, 0) == pfn
    assert (result.major, winner.min_flt) == (1, 1), "one read it, the other found it in the swap cache"
    assert machine.core.frames.container[pfn] == winner.container.cid
    assert meta_refs(machine, pfn) == 1
    assert (winner.container.usage, winner.container.css_refs) == (1, 2)
    assert (loser.container.usage, loser.container.css_refs) == (usage, css_refs + 1)
    assert loser.container.failcnt == 1, "only that of swapping out"

    container = loser.container
    machine.reap(loser)
    assert container.usage == 0
    with pytest.raises(ContainerBusy, match="1 references"):
        machine.remove_container(container)
    assert machine.take_released() == []


@uncompiled
def test_the_pages_lock_is_asserted(make_small: MakeMachine) -> None:
    """Locks are asserted uncompiled only: an assertion cannot be raised without the GIL."""
    machine = make_small()
    core = machine.core
    machine.spawn(10).touch(0, 1)
    uncompiled_memcontrol.lock_meta_page(core, 2)
    assert flags(machine, 2) & PG_METAPAGE
    with pytest.raises(AssertionError, match="lock class 2 taken while 2 is held"):
        uncompiled_memcontrol.lock_meta_page(core, 3)
    core.lockdep.swap_held(0)
    with pytest.raises(AssertionError, match="meta page lock of frame 2 taken twice"):
        uncompiled_memcontrol.lock_meta_page(core, 2)
    uncompiled_memcontrol.unlock_meta_page(core, 2)
    with pytest.raises(AssertionError, match="meta page lock of frame 2 was not held"):
        uncompiled_memcontrol.unlock_meta_page(core, 2)
    core.lockdep.swap_held(0)


@uncompiled
def test_a_charge_and_the_end_of_one_take_the_pages_lock(make_small: MakeMachine, engine: ModuleType) -> None:
    machine = make_small()
    core = machine.core
    machine.spawn(10).touch(0, 1)
    core.frames.set(2, PG_METAPAGE)
    with pytest.raises(AssertionError, match="frame 2 taken twice"):
        engine.mem_container_uncharge_page(core, 2, CHARGED_UNUSED)
    core.lockdep.swap_held(0)
    with pytest.raises(AssertionError, match="frame 2 taken twice"):
        core.rules.charge(core, 2, 0)
    core.lockdep.swap_held(0)
    core.frames.clear(2, PG_METAPAGE)


@uncompiled
def test_assign_and_get(make_small: MakeMachine) -> None:
    """page_assign_meta_page and page_get_meta_page are the engine's own."""
    core = make_small().core
    assert not uncompiled_memcontrol.page_get_meta_page(core, 5)
    uncompiled_memcontrol.page_assign_meta_page(core, 5, 3, 1)
    assert uncompiled_memcontrol.page_get_meta_page(core, 5)
    assert (core.frames.container[5], core.frames.meta_refs[5]) == (3, 1)
    uncompiled_memcontrol.page_assign_meta_page(core, 5, 0, 0)
    assert not uncompiled_memcontrol.page_get_meta_page(core, 5)


@uncompiled
@pytest.mark.fact("C37")
def test_an_uncharge_goes_in_the_order_of_the_seed(make_small: MakeMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = make_small()
    task = machine.spawn(10, machine.create_container())
    task.touch(0, 1)
    core = machine.core
    order: list[str] = []

    def noted(owner: Any, name: str) -> None:
        original = getattr(owner, name)

        def call(*arguments: Any) -> Any:
            order.append(name)
            return original(*arguments)

        monkeypatch.setattr(owner, name, call)

    noted(core.containers, "css_put")
    noted(uncompiled_memcontrol, "page_assign_meta_page")
    noted(core.counters, "uncharge")
    noted(core.model, "uncharged")
    task.madvise(0, 1, "dontneed")
    assert order == ["css_put", "page_assign_meta_page", "uncharge", "uncharged"]
