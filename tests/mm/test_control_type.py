"""control_type (patch 8/9): the swap cache counts only while the container's type is ALL (3); 1 and 2 are alike."""

from __future__ import annotations

import pytest

from memcgfs import mm
from memcgfs.mm.params import AT_CONGESTION_WAIT, PG_SWAPCACHE
from tests.conftest import MakeMachine

from .looking import cold_task, flags, frame, meta_refs, reclaim_mapped


def evicted(make_small: MakeMachine, control_type: int) -> tuple[mm.Machine, mm.Task]:
    """4 pages of a container of this type, 3 or more of them in swap, and room to have them back."""
    machine = make_small(pagevec_size=1)
    machine.set_sysctl("page-cluster", 0)
    reclaim_mapped(machine)
    container = machine.create_container()
    container.control_type = control_type
    task = cold_task(machine, container, 4)
    container.limit = 4
    task.touch(4, 1)
    container.limit = 100
    return machine, task


@pytest.mark.fact("C34")
def test_a_new_container_has_type_3_whatever_others_have(make_small: MakeMachine) -> None:
    machine = make_small()
    machine.root.control_type = 1
    assert machine.create_container().control_type == 3


@pytest.mark.fact("C33")
@pytest.mark.parametrize(("control_type", "refs"), [(1, 1), (2, 1), (3, 2)])
def test_only_type_3_charges_the_swap_cache(make_small: MakeMachine, control_type: int, refs: int) -> None:
    """Read back, a page is mapped and keeps its slot: two charges, or one."""
    machine, task = evicted(make_small, control_type)
    task.touch(0, 1, write=False)
    pfn = frame(task, 0)
    assert flags(machine, pfn) & PG_SWAPCACHE
    assert meta_refs(machine, pfn) == refs


@pytest.mark.fact("C33")
@pytest.mark.parametrize(("control_type", "usage"), [(1, 1), (2, 1), (3, 4)])
def test_read_ahead_counts_with_type_3_only(make_small: MakeMachine, control_type: int, usage: int) -> None:
    """4 pages are read, and 1 of them mapped."""
    machine, task = evicted(make_small, control_type)
    task.munmap(4, 1)
    assert (task.container.usage, task.swap_pages) == (0, 4)
    machine.set_sysctl("page-cluster", 3)
    task.touch(0, 1, write=False)
    assert machine.vmstat()["pswpin"] == 4
    assert task.container.usage == usage


@pytest.mark.fact("C33")
@pytest.mark.parametrize(("control_type", "usage"), [(1, 0), (2, 0), (3, 4)])
def test_pages_on_their_way_out_count_with_type_3_only(make_small: MakeMachine, control_type: int, usage: int) -> None:
    """What the first wait sees: all 4 are unmapped and being written."""
    machine = make_small(pagevec_size=1, disk=mm.DiskConfig())
    reclaim_mapped(machine)
    container = machine.create_container()
    container.control_type = control_type
    task = cold_task(machine, container, 4)
    container.limit = 4
    seen: list[tuple[int, int]] = []
    machine.set_interleave(lambda point, _: seen.append((container.usage, task.swap_pages)) if point == AT_CONGESTION_WAIT else None)
    task.touch(4, 1)
    assert seen[0] == (usage, 4)


@pytest.mark.fact("C36")
@pytest.mark.parametrize("control_type", [1, 2, 3])
def test_mapped_pages_count_with_every_type(make_small: MakeMachine, control_type: int) -> None:
    machine = make_small()
    container = machine.create_container()
    container.control_type = control_type
    machine.spawn(100, container).touch(0, 3)
    assert (container.usage, container.rss_pages) == (3, 3)


@pytest.mark.fact("C35")
def test_switching_changes_no_charge_that_is_there(make_small: MakeMachine) -> None:
    machine, task = evicted(make_small, 3)
    task.touch(0, 1, write=False)
    usage = task.container.usage
    task.container.control_type = 1
    assert (task.container.usage, meta_refs(machine, frame(task, 0))) == (usage, 2)
    task.munmap(0, 1)
    assert task.container.usage == usage - 1
