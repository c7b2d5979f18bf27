"""rules2008.py: who is charged, and what happens at the limit, in Linux 2.6.25. Figures called recorded are a real kernel's."""

from __future__ import annotations

import pytest

from memcgfs import mm
from memcgfs.mm.params import AT_META_PAGE_ALLOC
from memcgfs.mm.swapon import BOOT_AREA
from tests.conftest import MakeMachine

from .looking import once_at

WAIT_NS = 100_000_000


def machine_of_2008(make: MakeMachine, **fields: object) -> mm.Machine:
    """As the recordings were made: a synchronous device, no read-ahead from swap."""
    machine = make(rules="2008", model="cgroups2008", disk=mm.DiskConfig(0, 0, 128), **fields)
    machine.set_sysctl("page-cluster", 0)
    return machine


@pytest.mark.fact("N1")
def test_a_counter_counts_bytes(make_small: MakeMachine) -> None:
    machine = machine_of_2008(make_small)
    group = machine.create_container()
    assert (group.limit_bytes, group.usage) == ((1 << 63) - 1, 0)
    machine.spawn(10, group).touch(0, 3)
    assert machine.core.counters.usage[group.cid] == 3 * 4096
    assert group.usage == 3
    group.limit_bytes = 5 * 4096
    assert (group.limit, group.limit_bytes) == (5, 20480)
    group.limit = 7
    assert group.limit_bytes == 7 * 4096
    group.limit_bytes = 1 << 64
    assert group.limit_bytes == 0


@pytest.mark.parametrize(("rules", "limit", "shown"), [("2007", (1 << 63) - 1, (1 << 63) - 1), ("2007", 9, 36864), ("2008", 9, 36864)])
def test_a_limit_in_pages_reads_in_bytes_as_far_as_it_fits(make_small: MakeMachine, rules: str, limit: int, shown: int) -> None:
    machine = make_small(rules=rules)
    machine.root.limit = limit
    assert machine.root.limit_bytes == shown


@pytest.mark.fact("N2")
def test_limit_0_forbids_everything(make_small: MakeMachine) -> None:
    """Recorded: the first charge kills, after six refusals."""
    machine = machine_of_2008(make_small, swap_pages=0)
    group = machine.create_container()
    group.limit_bytes = 0
    task = machine.spawn(10, group)
    with pytest.raises(mm.OutOfMemory):
        task.touch(0, 1)
    assert (task.state, group.usage, group.failcnt) == ("Z", 0, 6)


@pytest.mark.fact("N3")
def test_a_read_is_charged_as_a_write_is(make_small: MakeMachine) -> None:
    """Recorded: 512 reads charge 512 pages, and the writes after them nothing."""
    machine = machine_of_2008(make_small)
    group = machine.create_container()
    task = machine.spawn(10, group)
    task.touch(0, 20, write=False)
    assert group.usage == 20
    assert task.touch(0, 20).minor == 0
    assert group.usage == 20


@pytest.mark.parametrize("limit", [8, 64, 256])
def test_without_swap_the_page_beyond_the_limit_kills(make_machine: MakeMachine, limit: int) -> None:
    """Recorded, for limits of 8 to 1024 pages: page L + 1, failcnt 6, five waits of 100 ms."""
    machine = machine_of_2008(make_machine, ram_bytes=64 << 20, swap_bytes=0)
    group = machine.create_container()
    group.limit = limit
    task = machine.spawn(10, group)
    with pytest.raises(mm.OutOfMemory) as refusal:
        task.touch(0, limit + 50)
    assert refusal.value.args[1] == limit
    assert (group.failcnt, group.usage, machine.clock_ns) == (6, 0, 5 * WAIT_NS)


@pytest.mark.parametrize(("limit", "failcnt", "usage"), [(1, 237, 1), (8, 19, 4), (32, 3, 22)])
def test_tiny_limits_with_swap(make_machine: MakeMachine, limit: int, failcnt: int, usage: int) -> None:
    """Recorded: 40 pages written and read back, each of which has to come from swap."""
    machine = machine_of_2008(make_machine, ram_bytes=256 << 20, swap_bytes=63 * 4096)
    group = machine.create_container()
    group.limit = limit
    task = machine.spawn(10, group)
    assert task.touch(0, 40).minor == 40
    assert task.touch(0, 40, write=False).major == 40
    assert (group.failcnt, group.usage) == (failcnt, usage)


def test_swap_of_62_pages_is_full_at_page_127(make_machine: MakeMachine) -> None:
    """Recorded: limit 64, dead after 126 pages, failcnt 9."""
    machine = machine_of_2008(make_machine, ram_bytes=256 << 20, swap_bytes=63 * 4096)
    group = machine.create_container()
    group.limit = 64
    with pytest.raises(mm.OutOfMemory) as refusal:
        machine.spawn(10, group).touch(0, 256)
    assert (refusal.value.args[1], group.failcnt) == (126, 9)


def swapped_out(machine: mm.Machine, group: mm.Container, npages: int) -> mm.Task:
    """A task some of whose pages went to swap, and are charged to nobody there."""
    group.limit = npages // 2
    task = machine.spawn(10, group)
    task.touch(0, npages)
    assert task.swap_pages > 0
    return task


@pytest.mark.fact("N4")
def test_a_page_in_swap_is_nobodys(make_small: MakeMachine) -> None:
    machine = machine_of_2008(make_small)
    group = machine.create_container()
    task = swapped_out(machine, group, 16)
    assert group.usage == task.rss_pages


@pytest.mark.fact("N5")
def test_swap_in_charges_the_group_of_whoever_faults(make_small: MakeMachine) -> None:
    """Recorded: after a move, the new group."""
    machine = machine_of_2008(make_small)
    group, other = machine.create_container(), machine.create_container()
    task = swapped_out(machine, group, 16)
    machine.attach(task, other)
    resident = task.rss_pages
    task.touch(0, 16, write=False)
    assert (group.usage, other.usage) == (resident, 16 - resident)


@pytest.mark.fact("N5")
def test_read_ahead_pages_are_nobodys_until_they_are_mapped(make_small: MakeMachine) -> None:
    """Recorded with page-cluster 3: the read-ahead ones are uncharged."""
    machine = machine_of_2008(make_small)
    group = machine.create_container()
    task = swapped_out(machine, group, 16)
    group.limit = 40
    machine.set_sysctl("page-cluster", 3)
    before = group.usage
    assert task.touch(0, 1, write=False).major == 1
    assert group.usage == before + 1
    assert machine.vmstat()["pswpin"] > 1


@pytest.mark.fact("N6")
def test_swapoff_charges_the_owner(make_small: MakeMachine) -> None:
    """Recorded: not the caller, as 2007 would have."""
    machine = machine_of_2008(make_small)
    group, callers = machine.create_container(), machine.create_container()
    task = swapped_out(machine, group, 16)
    group.limit = 40
    machine.spawn(20, callers).swapoff(BOOT_AREA)
    assert (group.usage, callers.usage, task.rss_pages) == (16, 0, 16)


@pytest.mark.fact("N4")
def test_a_page_that_is_unmapped_is_given_up_before_it_is_written(make_machine: MakeMachine) -> None:
    """Recorded on the IDE disk: the swap cache is a second level that costs nothing; what is touched there is a minor fault."""
    machine = make_machine(
        rules="2008", model="cgroups2008", ram_bytes=64 << 20, disk=mm.DiskConfig(5_000_000, 0, 128), swap_bytes=16 << 20
    )
    machine.set_sysctl("page-cluster", 0)
    group = machine.create_container()
    group.limit = 64
    task = machine.spawn(10, group)
    task.touch(0, 128)
    assert task.touch(0, 128, write=False).major == 0
    assert group.usage <= 64
    assert group.failcnt > 0


@pytest.mark.fact("N10")
def test_removing_a_group_forgets_its_charges(make_small: MakeMachine) -> None:
    """Recorded: the pages are charged to nobody from then on; touching those that are still mapped charges nothing."""
    machine = machine_of_2008(make_small)
    group = machine.create_container()
    task = machine.spawn(10, group)
    task.touch(0, 8)
    with pytest.raises(mm.ContainerBusy):
        machine.remove_container(group)
    machine.attach(task, machine.root)
    machine.remove_container(group)
    assert task.touch(0, 8).minor == 0
    assert machine.root.usage == 0


@pytest.mark.fact("N7")
def test_whoever_loses_the_race_for_the_first_charge_starts_again(make_small: MakeMachine) -> None:
    """Parent and child share a page that went to swap. While the parent is about to be charged for it the child comes in between, is
    charged and maps it; the parent then finds it charged, and mapped, and pays nothing. Nothing leaks, as it did in v4."""
    machine = machine_of_2008(make_small)
    groups = [machine.create_container() for _ in range(2)]
    parent = machine.spawn(10, groups[0])
    parent.touch(0, 1)
    child = parent.fork(11)
    machine.attach(child, groups[1])
    groups[0].limit = 2
    parent.touch(1, 12)
    assert child.swap_pages == 1
    before = parent.rss_pages
    once_at(machine, AT_META_PAGE_ALLOC, lambda: child.touch(0, 1, write=False))
    parent.touch(0, 1, write=False)
    assert (child.rss_pages, parent.pagemap(0, 1)[0] >> 63) == (1, 1)
    assert [group.usage for group in groups] == [parent.rss_pages - 1, 1]
    assert [group.css_refs for group in groups] == [groups[0].usage + 1, 2]
    assert before <= 2


@pytest.mark.fact("N13")
def test_the_killer_spares_outsiders(make_small: MakeMachine) -> None:
    """Recorded: a larger process outside is left alone, and a newcomer pays for pages of one that has moved out."""
    machine = machine_of_2008(make_small, swap_pages=0)
    group = machine.create_container()
    outsider = machine.spawn(10)
    outsider.mmap(0, 1000)
    mover, newcomer = machine.spawn(11, group), machine.spawn(12, group)
    mover.touch(0, 10)
    machine.attach(mover, machine.root)
    group.limit = 12
    with pytest.raises(mm.OutOfMemory):
        newcomer.touch(0, 5)
    assert [task.state for task in (outsider, mover, newcomer)] == ["R", "R", "Z"]
    assert group.usage == 10
    assert any("Memory cgroup out of memory: kill process 12" in line for line in machine.log)


@pytest.mark.fact("N13")
def test_a_child_dies_first_wherever_it_is(make_small: MakeMachine) -> None:
    """Recorded: the child outside of the group, and then who faulted."""
    machine = machine_of_2008(make_small, swap_pages=0)
    group = machine.create_container()
    parent = machine.spawn(10, group)
    parent.touch(0, 2)
    child = parent.fork(11)
    machine.attach(child, machine.root)
    group.limit = 8
    with pytest.raises(mm.OutOfMemory):
        parent.touch(0, 20)
    assert (child.state, parent.state) == ("Z", "Z")


@pytest.mark.fact("N8")
def test_shared_memory_that_cannot_be_charged_kills(make_small: MakeMachine) -> None:
    """Recorded for tmpfs: as any other page; 2007 would try for ever."""
    machine = machine_of_2008(make_small, swap_pages=0)
    group = machine.create_container()
    group.limit = 8
    task = machine.spawn(10, group)
    task.mmap(0, 20, shared=True)
    with pytest.raises(mm.OutOfMemory) as refusal:
        task.touch(0, 20)
    assert (refusal.value.args[1], group.failcnt) == (8, 6)
    assert group.cache_pages == 0, "its last mapping has gone"


@pytest.mark.fact("N14")
def test_where_nobody_may_be_killed_the_fault_kills(make_small: MakeMachine) -> None:
    """Recorded: with oom_adj -17 the kernel prints its line for ever, thousands of times until it was stopped."""
    machine = machine_of_2008(make_small, swap_pages=0)
    group = machine.create_container()
    group.limit = 4
    tasks = [machine.spawn(pid, group) for pid in (10, 11)]
    for task in tasks:
        task.set_oom_adj(-17)
    with pytest.raises(mm.OutOfMemory):
        tasks[1].touch(0, 5)
    assert [task.state for task in tasks] == ["R", "Z"]
    lines = [line for line in machine.log if "kill process" in line]
    assert len(lines) == 1
    assert any("for ever" in line for line in machine.log)
