"""What else 2.6.25 does otherwise than 2.6.23, around the controller: write() and read-ahead, locked mappings, reads from swap, files in
memory that come back. Figures called recorded are a real kernel's."""

from __future__ import annotations

import pytest

from memcgfs import mm
from memcgfs.mm.params import PG_REFERENCED
from tests.conftest import MakeMachine

from .looking import cached, flags, frame, hole, waiting
from .test_rules2008 import machine_of_2008

MACHINE = -1
YEARS = pytest.mark.parametrize(("rules", "since"), [("2007", False), ("2008", True)])


@pytest.mark.fact("N25")
@YEARS
def test_pages_of_a_write_wait_with_all_others_and_are_not_marked(make_small: MakeMachine, rules: str, since: bool) -> None:
    """2.6.23 brings them to the LRU at the end of each write(), and marks them as accessed."""
    machine = make_small(frames=128, rules=rules, pagevec_size=14)
    file = machine.create_file()
    machine.spawn(10).write_file(file, 0, 3)
    pages = list(cached(file).values())
    assert waiting(machine)[1] == (pages if since else [])
    assert [bool(flags(machine, pfn) & PG_REFERENCED) for pfn in pages] == [not since] * 3


@pytest.mark.fact("N25")
@YEARS
def test_pages_of_read_ahead_wait_with_all_others(make_small: MakeMachine, rules: str, since: bool) -> None:
    machine = make_small(frames=128, rules=rules, pagevec_size=14)
    file = hole(machine, 16)
    machine.spawn(10).read_file(file, 0, 1)
    assert len(cached(file)) == 4
    assert len(waiting(machine)[1]) == (4 if since else 0)


@pytest.mark.fact("N26")
@YEARS
def test_a_locked_mapping_counts_and_ends_the_search(make_small: MakeMachine, rules: str, since: bool) -> None:
    """The first mapping of a file's page is locked, and old: it counts each time, and the second is not asked, and stays young."""
    machine = make_small(rules=rules)
    file = hole(machine, 1)
    owner, other = machine.spawn(10), machine.spawn(11)
    for task in (owner, other):
        task.mmap(0, 1, file=file)
        task.touch(0, 1, write=False)
    pfn = frame(owner, 0)
    assert frame(other, 0) == pfn
    machine.engine.page_referenced(machine.core, pfn, True, MACHINE)
    assert machine.engine.page_referenced(machine.core, pfn, True, MACHINE) == 0
    assert owner.space is not None
    owner.space.set_locked(0, 1, True)
    other.touch(0, 1, write=False)
    answers = [machine.engine.page_referenced(machine.core, pfn, True, MACHINE) for _ in range(2)]
    assert answers == ([1, 1] if since else [1, 0])
    owner.space.set_locked(0, 1, False)
    assert machine.engine.page_referenced(machine.core, pfn, True, MACHINE) == (1 if since else 0), "the other's was not asked"


@pytest.mark.fact("N26")
def test_locked_pages_are_not_looked_at_twice(make_machine: MakeMachine) -> None:
    """Recorded: limit 128, 64 pages locked, 192 touched: the first of these 64 went, failcnt 6, and all 128 are active."""
    machine = machine_of_2008(make_machine, ram_bytes=512 << 20, swap_bytes=8191 * 4096)
    group = machine.create_container()
    group.limit = 128
    task = machine.spawn(10, group)
    task.mmap(0, 256)
    task.mlock(0, 64)
    assert (group.usage, group.failcnt) == (64, 0)
    assert task.touch(64, 192).minor == 192
    assert (group.usage, group.failcnt, group.nr_active, group.nr_inactive) == (128, 6, 128, 0)
    assert [word >> 63 for word in task.pagemap(0, 256)] == [1] * 64 + [0] * 128 + [1] * 64


@pytest.mark.fact("N27")
@pytest.mark.parametrize(("rules", "read"), [("2007", 1), ("2008", 5)])
def test_a_read_from_swap_looks_both_ways(make_machine: MakeMachine, rules: str, read: int) -> None:
    """Slots 1 and 2 are free again, 3 to 7 in use: 2.6.23 begins with the first of the block, finds it free, and reads the page alone.
    Recorded of 2.6.25: 5 pages."""
    machine = make_machine(ram_bytes=64 << 20, swap_bytes=1 << 20, rules=rules, model="cgroups2008", disk=mm.DiskConfig(0, 0, 8))
    machine.set_sysctl("page-cluster", 3)
    first, group = machine.create_container(), machine.create_container()
    first.limit = 1
    early = machine.spawn(9, first)
    early.touch(0, 3)
    assert early.swap_pages == 2
    machine.reap(early)
    group.limit = 64
    task = machine.spawn(10, group)
    task.touch(0, 80)
    assert task.swap_pages >= 8
    group.limit = 1000
    before = machine.vmstat()["pswpin"]
    assert task.touch(0, 1, write=False).major == 1
    assert machine.vmstat()["pswpin"] - before == read


@pytest.mark.fact("N28")
def test_a_page_that_comes_back_to_a_full_group_is_refused_twice(make_machine: MakeMachine) -> None:
    """Recorded of a tmpfs: 128 pages written at a limit of 64, failcnt 1, since the first reclaim moves all 64 to swap; read back, 5: two
    refusals for page 0, which empties the group, and two for page 64."""
    machine = machine_of_2008(make_machine, ram_bytes=512 << 20, swap_bytes=8191 * 4096)
    group = machine.create_container()
    group.limit = 64
    task = machine.spawn(10, group)
    file = machine.create_shared_memory(0)
    assert task.write_file(file, 0, 128) == 128
    assert (group.usage, group.cache_pages, group.failcnt) == (64, 64, 1)
    assert task.read_file(file, 0, 128) == 128
    assert (group.usage, group.failcnt) == (64, 5)
    file.put()
    assert group.usage == 0


@pytest.mark.fact("N28")
def test_without_swap_writing_a_file_in_memory_kills(make_machine: MakeMachine) -> None:
    """Recorded: limit 64, dead at page 65; what was written stays, part of it looked at by then."""
    machine = machine_of_2008(make_machine, ram_bytes=512 << 20, swap_bytes=0)
    group = machine.create_container()
    group.limit = 64
    task = machine.spawn(10, group)
    file = machine.create_shared_memory(0)
    assert task.write_file(file, 0, 64) == 64
    with pytest.raises(mm.OutOfMemory):
        task.write_file(file, 64, 1)
    assert (task.state, group.usage, group.failcnt, group.nr_active, group.nr_inactive) == ("Z", 64, 6, 25, 39)
    file.put()
