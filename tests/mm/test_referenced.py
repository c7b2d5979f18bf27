"""page_referenced on behalf of a container (patch 9/9): mappings by address spaces of others are not asked."""

from __future__ import annotations

import pytest

from memcgfs import mm
from memcgfs.mm.params import PG_REFERENCED
from tests.conftest import MakeMachine

from .looking import flags, frame

MACHINE = -1


@pytest.fixture
def family(make_small: MakeMachine) -> tuple[mm.Machine, mm.Task, mm.Task, int]:
    """A page that a parent and its child map, in containers of their own; both old."""
    machine = make_small(pagevec_size=1)
    parent = machine.spawn(100, machine.create_container())
    parent.touch(0, 1)
    child = parent.fork(200)
    machine.attach(child, machine.create_container())
    pfn = frame(parent, 0)
    machine.engine.page_referenced(machine.core, pfn, True, MACHINE)
    return machine, parent, child, pfn


Family = tuple[mm.Machine, mm.Task, mm.Task, int]


def referenced(machine: mm.Machine, pfn: int, container: mm.Container | None) -> int:
    count: int = machine.engine.page_referenced(machine.core, pfn, True, container.cid if container else MACHINE)
    return count


@pytest.mark.fact("Y1")
def test_every_young_mapping_counts_for_the_machine_and_is_old_then(family: Family) -> None:
    machine, parent, child, pfn = family
    assert referenced(machine, pfn, None) == 0
    parent.touch(0, 1, write=False)
    assert referenced(machine, pfn, None) == 1
    parent.touch(0, 1, write=False)
    child.touch(0, 1, write=False)
    assert referenced(machine, pfn, None) == 2
    assert referenced(machine, pfn, None) == 0


@pytest.mark.fact("Y2")
def test_foreign_mappings_do_not_count_and_stay_young(family: Family) -> None:
    machine, parent, child, pfn = family
    parent.touch(0, 1, write=False)
    child.touch(0, 1, write=False)
    assert referenced(machine, pfn, parent.container) == 1
    assert referenced(machine, pfn, parent.container) == 0
    assert referenced(machine, pfn, machine.root) == 0
    assert referenced(machine, pfn, child.container) == 1


@pytest.mark.fact("Y3")
def test_the_address_space_decides_not_the_tasks_container(family: Family) -> None:
    """A thread that moved alone is a member elsewhere, but its memory is not."""
    machine, parent, _, pfn = family
    thread = machine.clone_thread(parent, 300)
    machine.attach(thread, machine.create_container())
    thread.touch(0, 1, write=False)
    assert referenced(machine, pfn, thread.container) == 0
    assert referenced(machine, pfn, parent.container) == 1


@pytest.mark.fact("Y1", "Y4")
def test_the_pages_own_flag_counts_for_everybody(family: Family) -> None:
    machine, _, _, pfn = family
    machine.core.frames.set(pfn, PG_REFERENCED)
    assert referenced(machine, pfn, machine.create_container()) == 1
    assert not flags(machine, pfn) & PG_REFERENCED
    assert referenced(machine, pfn, None) == 0


@pytest.mark.fact("Y6")
def test_a_foreign_young_mapping_cannot_be_unmapped(family: Family) -> None:
    """The owner's reclaim is blind to it, and fails on it: the page survives one round more, and the mapping is old then."""
    machine, parent, child, pfn = family
    machine.set_sysctl("swappiness", 100)
    child.touch(0, 1, write=False)
    parent.container.limit = 1
    parent.touch(1, 1)
    assert machine.vmstat()["pgactivate"] >= 1
    assert (parent.swap_pages, child.swap_pages) == (1, 1)
    assert referenced(machine, pfn, None) == 0
