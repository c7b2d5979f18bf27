"""The model of 6.18: what a group at its limit gives up, how pages age, what reclaim goes by."""

from __future__ import annotations

from array import array

import pytest

from memcgfs.mm import Busy, Container, DiskConfig, Machine, OpenFile, OutOfMemory, Task
from memcgfs.mm.params import PG_ACTIVE
from tests.conftest import MakeMachine

from .looking import waiting

LIMIT = 256
SECOND = 10**9


def small(make_machine: MakeMachine, limit: int = LIMIT, **fields: object) -> tuple[Machine, Container, Task]:
    """A group at a limit, with a task in it; no kernel memory counts."""
    fields = {"disk": DiskConfig(60_000, 0, 64), "ram_bytes": 32 << 20, "swap_bytes": 8 << 20, "max_containers": 64} | fields
    machine = make_machine(rules="v1", model="classic", charges_kmem=False, **fields)
    machine.set_sysctl("page-cluster", 0)
    group = machine.create_container()
    group.counter("memory").resize(limit)
    return machine, group, machine.spawn(100, group)


def file_of(machine: Machine, group: Container, npages: int) -> OpenFile:
    """On the disk, not in the cache, and opened by the group to be read in no order."""
    file = machine.create_file()
    machine.spawn(2).write_file(file, 0, npages)
    machine.sync()
    machine.drop_caches(1)
    opened = file.open(group)
    opened.fadvise("random", 0, 0)
    return opened


def read(opened: OpenFile, *pages: int) -> None:
    opened.read_pages(memoryview(array("Q", pages)))


def test_a_call_frees_whole_passes(make_machine: MakeMachine) -> None:
    """256 pages are charged; 8 batches of 31, that is 248, are on the inactive list of files, and 8 wait. The shares at swappiness 60
    without
    costs are 60 and 140 of 200. Priority 7: 248 >> 7 = 1, of which 0. Priority 6: 3, so 2; the scan brings the 8 to the list, 254 are left.
    Priority 5: 7, so 4 (250). Priority 4: 15, so 10 (240). Priority 3: 30, so 21: 37 in all, which is enough. One page is charged then."""
    machine, group, _ = small(make_machine)
    opened = file_of(machine, group, 300)
    read(opened, *range(257))
    assert group.usage == LIMIT - 37 + 1
    assert group.stat()["pgpgout"] == 37
    assert group.counter("memory").failcnt == 1


def test_a_read_page_is_used_twice_where_another_was_between(make_machine: MakeMachine) -> None:
    machine, group, _ = small(make_machine, folio_batch_size=1)
    opened = file_of(machine, group, 10)
    read(opened, 0, 0, 0)
    assert group.stat()["active_file"] == 0
    read(opened, 1, 0)
    assert group.stat()["active_file"] == 4096
    assert group.stat()["inactive_file"] == 4096


def loop(task: Task, npages: int, rounds: int) -> None:
    for _ in range(rounds):
        task.touch(0, npages, write=True)


def test_a_page_is_active_that_was_used_between_two_scans(make_machine: MakeMachine) -> None:
    """A scan that finds a page young keeps it, marked; the next one that does so activates it. In a loop that is a little too long some
    pages come to be protected so; fewer where the processor still holds their translations, and nobody sees that they are used."""
    _, group, task = small(make_machine, limit=250)
    loop(task, 281, 10)
    protected = group.stat()["active_anon"]
    assert protected > 0
    _, group, task = small(make_machine, limit=250, tlb_entries=(256, 64))
    loop(task, 281, 10)
    assert group.stat()["active_anon"] < protected


def test_statistics_are_of_the_last_flush(make_machine: MakeMachine) -> None:
    """The first is after a second, then every other one; a read of more than 128 changes brings them up to date, too."""
    machine, group, task = small(make_machine)
    lruvecs = machine.core.model.lruvecs
    task.touch(0, 62, write=True)
    assert lruvecs.page_state(lruvecs.lruvec(group.cid, 0), 0) == 0
    machine.advance(SECOND - machine.clock_ns)
    assert lruvecs.page_state(lruvecs.lruvec(group.cid, 0), 0) == 62
    task.touch(62, 31, write=True)
    group.stat()
    assert lruvecs.page_state(lruvecs.lruvec(group.cid, 0), 0) == 62
    task.touch(93, 124, write=True)
    group.stat()
    assert lruvecs.page_state(lruvecs.lruvec(group.cid, 0), 0) == 217
    assert lruvecs.page_state(lruvecs.lruvec(0, 0), 0) == 217


def test_swappiness_0_takes_files_alone(make_machine: MakeMachine) -> None:
    machine, group, task = small(make_machine)
    group.swappiness = 0
    task.touch(0, 100, write=True)
    read(file_of(machine, group, 400), *range(400))
    assert group.stat()["swap"] == 0
    assert group.stat()["rss"] == 100 * 4096


def test_a_held_translation_leaves_the_entry_old(make_machine: MakeMachine) -> None:
    """With four translations held, the fifth page on has lost its own, and is young after an access; the last one is not."""
    machine, _, task = small(make_machine, tlb_entries=(4, 0))
    task.touch(0, 5, write=True)
    assert task.space is not None
    mm = task.space.mm
    for page in range(5):
        machine.core.tables.ram[machine.core.tables.leaf(mm, page) * 512 + page] &= ~0x20
    task.touch(4, 1)
    assert machine.core.tables.entry(mm, 4) & 0x20 == 0
    task.touch(0, 1)
    assert machine.core.tables.entry(mm, 0) & 0x20


def test_what_comes_back_soon_enough_is_active(make_machine: MakeMachine) -> None:
    """Once a flush has shown how long the lists are, a page that was gone for fewer evictions than there are anonymous pages comes back to
    the active list."""
    machine, group, task = small(make_machine, limit=128)
    task.touch(0, 60, write=True)
    opened = file_of(machine, group, 300)
    read(opened, *range(100))
    machine.advance(3 * SECOND)
    gone = next(page for page in range(100) if machine.core.trees.lookup(2 * opened.file.number, page) == 0)
    read(opened, gone)
    assert group.stat()["workingset_refault_file"] == 1
    assert machine.core.frames.has(machine.core.trees.lookup(2 * opened.file.number, gone), PG_ACTIVE)


@pytest.mark.fact("Q7")
@pytest.mark.parametrize("limit", [1, 16, 30])
def test_a_group_that_has_no_page_on_a_list_is_killed(make_machine: MakeMachine, limit: int) -> None:
    """Its pages wait, all of them, and swap is free. The log says so."""
    machine, group, task = small(make_machine, limit)
    with pytest.raises(OutOfMemory):
        task.touch(0, limit + 1)
    assert (group.oom_kills, machine.vmstat()["pswpout"]) == (1, 0)
    assert any(line.endswith(f"lru_add batch: {limit} pages, on no list yet") for line in machine.log)


@pytest.mark.fact("Q7")
@pytest.mark.parametrize("when", ["31 pages", "2 s", "force_empty"])
def test_it_swaps_once_it_has_some_on_a_list(make_machine: MakeMachine, when: str) -> None:
    machine, group, task = small(make_machine, 31 if when == "31 pages" else 30)
    if when == "2 s":
        task.touch(0, 20)
        machine.advance(2 * SECOND)
    elif when == "force_empty":
        task.touch(0, 20)
        group.force_empty()
        assert group.usage == 0
    assert task.touch(0, 100).done == 100
    assert (group.oom_kills, group.stat()["swap"] >= 69 * 4096) == (0, True)
    assert not any("lru_add" in line for line in machine.log)


@pytest.mark.fact("Q7")
def test_pages_that_wait_refuse_a_lower_limit_and_a_read(make_machine: MakeMachine) -> None:
    """As a real kernel was recorded: a file's clean pages, and a call that finds no memory."""
    machine, group, _ = small(make_machine)
    opened = file_of(machine, group, 30)
    read(opened, *range(20))
    with pytest.raises(Busy):
        group.counter("memory").resize(10)
    assert (group.limit, len(waiting(machine)[1])) == (LIMIT, 20)
    machine.advance(2 * SECOND)
    group.counter("memory").resize(10)
    assert group.usage <= 10
    group.force_empty()
    group.oom_kill_disable = True
    assert opened.read_pages(memoryview(array("Q", range(11)))) == group.usage == 10
