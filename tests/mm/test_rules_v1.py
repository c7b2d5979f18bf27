"""rules_v1.py: charges that walk up, memory and swap, owners of slots, offline containers, stocks, kernel memory, statistics.

The model is that of 2008: these rules go with any.
"""

from __future__ import annotations

from typing import Any

import pytest

from memcgfs import mm
from memcgfs.mm.params import PG_LOCKED
from tests.conftest import MakeMachine

MODELS = ("containers2007", "cgroups2008", "classic")
NO_LIMIT = ((1 << 63) - 1) // 4096


@pytest.fixture
def make_v1(make_small: MakeMachine) -> MakeMachine:
    def make(frames: int = 256, **fields: Any) -> mm.Machine:
        return make_small(frames, 256, **{"rules": "v1", "model": "cgroups2008", "charges_kmem": False} | fields)

    return make


def usages(*containers: mm.Container) -> list[tuple[int, int]]:
    """(memory, memory and swap) of each."""
    return [(box.counter("memory").usage, box.counter("memsw").usage) for box in containers]


def stat_of(container: mm.Container, *names: str) -> list[int]:
    """In pages where memory.stat has bytes."""
    found = container.stat()
    return [found[name] if name.startswith(("pg", "workingset")) else found[name] // 4096 for name in names]


# Charging


def test_a_charge_goes_to_all_above(make_v1: MakeMachine) -> None:
    machine = make_v1()
    a = machine.create_container()
    b, c = machine.create_container(a), machine.create_container(a)
    machine.spawn(10, b).touch(0, 3)
    machine.spawn(11, c).touch(0, 2)
    assert usages(machine.root, a, b, c) == [(5, 5), (5, 5), (3, 3), (2, 2)]
    assert [box.parent for box in (machine.root, a, b)] == [None, machine.root, a]
    assert [box.cid for box in a.subtree()] == [a.cid, b.cid, c.cid]


def test_the_limit_that_is_met_is_the_one_that_counts_it(make_v1: MakeMachine) -> None:
    """The parent's is, and both of its children lose pages to it."""
    machine = make_v1()
    a = machine.create_container()
    b, c = machine.create_container(a), machine.create_container(a)
    a.limit = 40
    machine.spawn(10, b).touch(0, 30)
    machine.spawn(11, c).touch(0, 30)
    assert (b.failcnt, c.failcnt) == (0, 0) < (a.failcnt, 0)
    assert a.usage <= 40
    assert b.usage < 30
    assert a.counter("memsw").usage == 60


def test_a_refused_charge_leaves_nothing_behind_but_the_highest_usage(make_v1: MakeMachine) -> None:
    """What the counters below reached before somebody above refused is what they reached."""
    machine = make_v1(swap_bytes=0)
    a = machine.create_container()
    b = machine.create_container(a)
    a.limit = 5
    with pytest.raises(mm.OutOfMemory):
        machine.spawn(10, b).touch(0, 6)
    assert (a.usage, b.usage) == (0, 0)
    assert (a.counter("memory").max_usage, b.counter("memory").max_usage) == (5, 6)


def test_a_page_is_charged_once(make_v1: MakeMachine) -> None:
    """By who needs it first; and as long as it is there, whoever maps it and whoever lets go of it."""
    machine = make_v1()
    a, b = machine.create_container(), machine.create_container()
    file = machine.create_file()
    reader, mapper = machine.spawn(10, a), machine.spawn(11, b)
    assert reader.write_file(file, 0, 4) == 4
    mapper.mmap(100, 4, file=file, shared=True)
    mapper.touch(100, 4, write=False)
    assert usages(a, b) == [(4, 4), (0, 0)]
    mapper.munmap(100, 4)
    machine.reap(reader)
    assert usages(a, b) == [(4, 4), (0, 0)]
    machine.sync()
    machine.drop_caches(1)
    assert usages(a, b) == [(0, 0), (0, 0)]


def test_reading_what_was_never_written_costs_nothing(make_v1: MakeMachine) -> None:
    machine = make_v1()
    a = machine.create_container()
    task = machine.spawn(10, a)
    task.touch(0, 6, write=False)
    assert (a.usage, stat_of(a, "rss", "pgfault")) == (0, [0, 6])
    task.touch(0, 6)
    assert (a.usage, stat_of(a, "rss", "pgfault")) == (6, [6, 12])


def test_a_copy_is_the_writers_and_the_rest_stays_with_the_parent(make_v1: MakeMachine) -> None:
    machine = make_v1()
    a, b = machine.create_container(), machine.create_container()
    parent = machine.spawn(10, a)
    parent.touch(0, 8)
    child = parent.fork(11)
    machine.attach(child, b)
    child.touch(0, 3)
    assert usages(a, b) == [(8, 8), (3, 3)]
    parent.madvise(0, 8, "dontneed")
    assert usages(a, b) == [(5, 5), (3, 3)]


def test_moving_a_task_moves_nothing(make_v1: MakeMachine) -> None:
    machine = make_v1()
    a, b = machine.create_container(), machine.create_container()
    task = machine.spawn(10, a)
    task.touch(0, 4)
    machine.attach(task, b)
    task.touch(2, 4)
    assert usages(a, b) == [(4, 4), (2, 2)]


# Limits


def test_a_new_container_has_no_limit_and_what_its_parent_has(make_v1: MakeMachine) -> None:
    machine = make_v1()
    a = machine.create_container()
    a.limit, a.swappiness, a.oom_kill_disable, a.soft_limit = 7, 33, True, 5
    b = machine.create_container(a)
    assert [b.counter(name).limit for name in ("memory", "memsw", "kmem", "tcp")] == [NO_LIMIT] * 4
    assert (b.swappiness, b.oom_kill_disable, b.soft_limit, b.hierarchical_limits()) == (33, True, NO_LIMIT, (7, NO_LIMIT))


def test_the_two_limits_keep_their_order(make_v1: MakeMachine) -> None:
    machine = make_v1()
    box = machine.create_container()
    memory, memsw = box.counter("memory"), box.counter("memsw")
    with pytest.raises(mm.BadValue):
        memsw.resize(100)
    memory.resize(50)
    memsw.resize(50)
    with pytest.raises(mm.BadValue):
        memory.resize(51)
    with pytest.raises(mm.BadValue):
        memsw.resize(49)
    memsw.resize(60)
    memory.resize(60)
    with pytest.raises(mm.BadValue):
        machine.root.counter("memory").resize(10)
    box.counter("kmem").resize(1)
    box.counter("tcp").resize(1)
    assert [box.counter(name).limit for name in ("memory", "memsw", "kmem", "tcp")] == [60, 60, NO_LIMIT, NO_LIMIT]


def test_lowering_a_limit_reclaims_and_counts_no_failure(make_v1: MakeMachine) -> None:
    machine = make_v1()
    a = machine.create_container()
    b = machine.create_container(a)
    machine.spawn(10, b).touch(0, 40)
    a.counter("memory").resize(20)
    assert (a.limit, a.failcnt, a.counter("memsw").usage) == (20, 0, 40)
    assert a.usage <= 20


def test_a_limit_that_cannot_be_had_is_refused_and_the_old_one_stays(make_v1: MakeMachine) -> None:
    """What could be reclaimed is gone all the same."""
    machine = make_v1()
    a = machine.create_container()
    task = machine.spawn(10, a)
    task.mmap(0, 10, locked=True)
    task.touch(512, 10)
    a.counter("memory").resize(30)
    with pytest.raises(mm.Busy):
        a.counter("memory").resize(5)
    assert (a.limit, a.usage, a.failcnt) == (30, 10, 0)


@pytest.mark.fact("Z3")
@pytest.mark.parametrize("model", MODELS)
def test_memory_and_swap_together_cannot_be_lowered_by_swapping(make_v1: MakeMachine, model: str) -> None:
    """No model tries to. Where memory alone is short, each does."""
    machine = make_v1(model=model, folio_batch_size=1)
    a = machine.create_container()
    machine.spawn(10, a).touch(0, 20)
    a.counter("memory").resize(20)
    a.counter("memsw").resize(20)
    a.counter("memory").resize(4)
    nr_written = machine.vmstat()["pswpout"]
    assert nr_written >= 16
    with pytest.raises(mm.Busy):
        a.counter("memsw").resize(10)
    assert (a.counter("memsw").limit, a.counter("memsw").usage, machine.vmstat()["pswpout"]) == (20, 20, nr_written)


@pytest.mark.fact("Z3")
@pytest.mark.parametrize("model", MODELS)
def test_files_give_way_where_memory_and_swap_together_are_short(make_v1: MakeMachine, model: str) -> None:
    """Those on the disk: a page of a file in memory goes to swap as an anonymous one does."""
    machine = make_v1(model=model)
    a = machine.create_container()
    a.counter("memory").resize(40)
    a.counter("memsw").resize(40)
    task, file, memory = machine.spawn(10, a), machine.create_file(), machine.create_shared_memory(10)
    file.truncate(20 * 4096)
    task.read_file(file, 0, 20)
    task.write_file(memory, 0, 10)
    task.touch(0, 30)
    assert stat_of(a, "rss", "shmem", "cache", "swap") == [30, 10, 10, 0]
    assert machine.vmstat()["pswpout"] == 0


def test_a_signal_interrupts_the_lowering(make_v1: MakeMachine) -> None:
    machine = make_v1()
    a = machine.create_container()
    machine.spawn(10, a).touch(0, 60)
    a.counter("memory").resize(60)
    turns = iter([False, False, False, True])
    with pytest.raises(mm.Interrupted):
        a.counter("memory").resize(2, lambda: next(turns))
    assert a.limit == 60
    assert 2 < a.usage < 60


def test_force_empty_takes_what_it_can(make_v1: MakeMachine) -> None:
    """The task stays, with its pages in swap."""
    machine = make_v1()
    a = machine.create_container()
    task = machine.spawn(10, a)
    task.touch(0, 30)
    task.mmap(512, 2, locked=True)
    a.force_empty()
    assert (a.usage, task.swap_pages, stat_of(a, "rss", "swap")) == (2, 30, [2, 30])
    with pytest.raises(mm.Interrupted):
        a.force_empty(lambda: True)


def test_resetting(make_v1: MakeMachine) -> None:
    machine = make_v1()
    a = machine.create_container()
    task = machine.spawn(10, a)
    a.limit = 10
    task.touch(0, 30)
    memory = a.counter("memory")
    assert memory.failcnt > 0 == a.counter("memsw").failcnt
    task.madvise(0, 30, "dontneed")
    memory.reset_failcnt()
    memory.reset_max_usage()
    assert (memory.failcnt, memory.max_usage, a.counter("memsw").max_usage) == (0, 0, 30)


# Swap


def test_a_slot_goes_on_paying(make_v1: MakeMachine) -> None:
    machine = make_v1()
    a = machine.create_container()
    task = machine.spawn(10, a)
    task.touch(0, 30)
    a.limit = 10
    usage, both = usages(a)[0]
    swapped, cached = stat_of(a, "swap", "swapcached")
    assert (both, usage + swapped) == (30, 30)
    assert cached == usage - stat_of(a, "rss")[0]
    machine.reap(task)
    assert (usages(a), stat_of(a, "swap", "swapcached", "rss")) == ([(0, 0)], [0, 0, 0])


def test_a_page_comes_back_to_its_owner(make_v1: MakeMachine) -> None:
    """Wherever the task is now, which has the fault."""
    machine = make_v1()
    a, b = machine.create_container(), machine.create_container()
    task = machine.spawn(10, a)
    task.touch(0, 20)
    a.force_empty()
    machine.attach(task, b)
    task.touch(0, 20)
    assert usages(a, b) == [(20, 20), (0, 0)]
    assert (stat_of(a, "swap", "pgmajfault"), stat_of(b, "swap", "pgmajfault")) == ([0, 0], [0, stat_of(b, "pgmajfault")[0]])
    assert stat_of(b, "pgmajfault")[0] > 0


def test_a_removed_owners_page_is_the_touchers(make_v1: MakeMachine) -> None:
    machine = make_v1()
    a, b = machine.create_container(), machine.create_container()
    task = machine.spawn(10, a)
    task.touch(0, 20)
    a.force_empty()
    machine.attach(task, b)
    machine.remove_container(a)
    assert usages(machine.root) == [(0, 20)]
    assert list(machine.offline) == [a.cid]
    task.touch(0, 20)
    assert usages(b) == [(20, 20)]
    assert not machine.offline


def test_what_a_removed_container_swaps_is_its_parents(make_v1: MakeMachine) -> None:
    """Once it has nothing else in swap: its id is gone, and its parent's stands in."""
    machine = make_v1()
    a = machine.create_container()
    b = machine.create_container(a)
    task = machine.spawn(10, b)
    task.touch(0, 20)
    machine.attach(task, a)
    machine.remove_container(b)
    assert (usages(a), stat_of(a, "rss"), a.total_stat()["rss"]) == ([(20, 20)], [0], 20 * 4096)
    a.force_empty()
    assert (usages(a), stat_of(a, "swap"), list(machine.offline)) == ([(0, 20)], [20], [])


def test_a_page_of_shared_memory_pays_in_swap_too(make_v1: MakeMachine) -> None:
    machine = make_v1()
    a = machine.create_container()
    task = machine.spawn(10, a)
    task.mmap(0, 12, shared=True)
    task.touch(0, 12)
    assert stat_of(a, "cache", "shmem", "mapped_file", "rss") == [12, 12, 12, 0]
    a.force_empty()
    assert (usages(a), stat_of(a, "cache", "shmem", "mapped_file", "swap")) == ([(0, 12)], [0, 0, 0, 12])
    task.touch(0, 12)
    assert (usages(a), stat_of(a, "cache", "shmem", "swap")) == ([(12, 12)], [12, 12, 0])
    task.munmap(0, 12)
    assert usages(a) == [(0, 0)]


def test_swapoff_charges_the_owners(make_v1: MakeMachine) -> None:
    machine = make_v1()
    a, b = machine.create_container(), machine.create_container()
    task = machine.spawn(10, a)
    task.touch(0, 20)
    a.force_empty()
    machine.swapoff("/dev/swap", b)
    assert usages(a, b) == [(20, 20), (0, 0)]


# Removed containers


def test_pages_outlive_their_container(make_v1: MakeMachine) -> None:
    """Its parents go on paying, its number is not given again; and it is gone with its last page."""
    machine = make_v1()
    a = machine.create_container()
    b = machine.create_container(a)
    c = machine.create_container(b)
    task = machine.spawn(10, c)
    task.touch(0, 5)
    with pytest.raises(mm.ContainerBusy):
        machine.remove_container(c)
    with pytest.raises(mm.ContainerBusy):
        machine.remove_container(b)
    machine.attach(task, machine.root)
    machine.remove_container(c)
    machine.remove_container(b)
    assert (usages(a), c.is_online, sorted(machine.offline)) == ([(5, 5)], False, [b.cid, c.cid])
    assert [box.cid for box in a.subtree()] == [a.cid, b.cid, c.cid]
    machine.check()
    taken = machine.create_container()
    assert taken.cid not in (b.cid, c.cid)
    task.madvise(0, 5, "dontneed")
    assert (usages(a), machine.offline) == ([(0, 0)], {})
    assert machine.create_container(a).cid in (b.cid, c.cid)


def test_an_empty_container_is_gone_at_once(make_v1: MakeMachine) -> None:
    machine = make_v1()
    cids = set()
    for _ in range(10):
        box = machine.create_container()
        cids.add(box.cid)
        machine.remove_container(box)
    assert len(cids) == 1


def test_the_parents_limit_reaches_pages_of_the_removed(make_v1: MakeMachine) -> None:
    machine = make_v1()
    a = machine.create_container()
    b = machine.create_container(a)
    task = machine.spawn(10, b)
    task.touch(0, 30)
    machine.attach(task, machine.root)
    machine.remove_container(b)
    a.counter("memory").resize(10)
    assert a.usage <= 10


# Stocks


def test_a_batch_is_charged_at_once(make_v1: MakeMachine) -> None:
    machine = make_v1(charge_batch=64)
    a = machine.create_container()
    task = machine.spawn(10, a)
    task.touch(0, 1)
    assert usages(machine.root, a) == [(64, 64), (64, 64)]
    task.touch(0, 64)
    assert (usages(a), a.peak) == ([(64, 64)], 64)
    task.touch(64, 1)
    assert usages(a) == [(128, 128)]
    machine.check()
    machine.advance(2_000_000_000)
    assert (usages(a), a.peak) == ([(65, 65)], 128)


def test_a_batch_that_does_not_fit_is_a_failure_and_a_page_that_does_is_none(make_v1: MakeMachine) -> None:
    machine = make_v1(charge_batch=64)
    a = machine.create_container()
    a.limit = 70
    task = machine.spawn(10, a)
    task.touch(0, 64)
    assert (a.usage, a.failcnt) == (64, 0)
    task.touch(64, 3)
    assert (a.usage, a.failcnt) == (67, 3)


def test_the_ends_of_a_stock(make_v1: MakeMachine) -> None:
    """A lowered limit, somebody else's turn after seven, the end of the container."""
    machine = make_v1(frames=1024, charge_batch=64)
    boxes = [machine.create_container() for _ in range(8)]
    tasks = [machine.spawn(10 + place, box) for place, box in enumerate(boxes)]
    for task in tasks[:7]:
        task.touch(0, 1)
    assert [box.usage for box in boxes] == [64] * 7 + [0]
    tasks[7].touch(0, 1)
    assert [box.usage for box in boxes] == [1] + [64] * 7
    boxes[1].counter("memory").resize(5)
    assert boxes[1].usage == 1
    boxes[2].force_empty()
    assert boxes[2].usage == 0
    machine.reap(tasks[3])
    machine.remove_container(boxes[3])
    assert boxes[3].cid not in machine.offline
    machine.check()


def test_where_nothing_can_be_reclaimed_stocks_are_given_back(make_v1: MakeMachine) -> None:
    """A parent's limit is met by what its children hold in advance: nobody is killed for that."""
    machine = make_v1(charge_batch=64)
    a = machine.create_container()
    b, c = machine.create_container(a), machine.create_container(a)
    a.limit = 66
    one, other = machine.spawn(10, b), machine.spawn(11, c)
    one.mmap(0, 1, locked=True)
    assert a.usage == 64
    other.mmap(0, 10, locked=True)
    assert (a.usage, other.rss_pages, a.oom_kills) == (11, 10, 0)


# Kernel memory


def test_a_page_table_is_kernel_memory(make_v1: MakeMachine) -> None:
    """Two here, and a page for the objects that describe what is mapped."""
    machine = make_v1(charges_kmem=True)
    a = machine.create_container()
    task = machine.spawn(10, a)
    task.touch(0, 3)
    task.touch(512, 3)
    assert (usages(a), a.counter("kmem").usage, a.counter("kmem").max_usage) == ([(9, 9)], 3, 3)
    machine.attach(task, machine.root)
    task.touch(1024, 1)
    assert a.counter("kmem").usage == 3, "the top container's is not charged"
    machine.reap(task)
    assert (usages(a), a.counter("kmem").usage) == ([(0, 0)], 0)


def test_kernel_memory_is_inherited(make_v1: MakeMachine) -> None:
    """By the parent, when its owner is removed, and by the next one above when that is, too. A container costs the one in which it is made
    three pages, as long as it is there; the task has a page table, and a page for its mapping."""
    machine = make_v1(charges_kmem=True)
    a = machine.create_container()
    b = machine.create_container(a)
    c = machine.create_container(b)
    task = machine.spawn(10, c)
    task.touch(0, 3)
    machine.engine.charge_kmem(machine.core, b.cid, 20)
    machine.attach(task, machine.root)
    machine.remove_container(c)
    machine.remove_container(b)
    assert (usages(a), a.counter("kmem").usage) == ([(3 + 3 + 20 + 2 + 3, 31)], 28)
    machine.check()
    machine.reap(task)
    assert (usages(a), a.counter("kmem").usage, list(machine.offline)) == ([(20 + 3, 23)], 23, [b.cid])
    machine.engine.uncharge_kmem(machine.core, b.cid, 20)
    machine.advance(1)
    assert (usages(a), a.counter("kmem").usage, list(machine.offline)) == ([(0, 0)], 0, [])


def test_kernel_memory_can_be_refused(make_v1: MakeMachine) -> None:
    machine = make_v1(charges_kmem=True, swap_bytes=0)
    a = machine.create_container()
    a.limit = 5
    task = machine.spawn(10, a)
    task.touch(0, 3)
    assert machine.engine.charge_kmem(machine.core, machine.root.cid, 1000) == 0
    with pytest.raises(mm.OutOfMemory):
        task.touch(512, 1)
    assert (task.state, a.oom_kills) == ("Z", 1)


# Statistics


def test_statistics_in_the_kernels_order(make_v1: MakeMachine) -> None:
    assert list(make_v1().root.stat()) == [
        "cache", "rss", "rss_huge", "shmem", "mapped_file", "dirty", "writeback", "workingset_refault_anon", "workingset_refault_file",
        "swap", "swapcached", "pgpgin", "pgpgout", "pgfault", "pgmajfault",
        "inactive_anon", "active_anon", "inactive_file", "active_file", "unevictable",
    ]  # fmt: skip


def test_dirty_and_writeback(make_v1: MakeMachine) -> None:
    machine = make_v1(disk=mm.DiskConfig(5_000_000, 100 << 20, 8))
    a = machine.create_container()
    task = machine.spawn(10, a)
    file = machine.create_file()
    task.write_file(file, 0, 6)
    assert stat_of(a, "cache", "dirty", "writeback") == [6, 6, 0]
    seen = []
    machine.set_interleave(lambda point, pfn: seen.append(stat_of(a, "dirty", "writeback")))
    task.fsync_file(file)
    machine.set_interleave(None)
    assert [0, 6] in seen
    assert stat_of(a, "cache", "dirty", "writeback") == [6, 0, 0]


def test_sums_of_the_subtree(make_v1: MakeMachine) -> None:
    machine = make_v1()
    a = machine.create_container()
    b = machine.create_container(a)
    one, other = machine.spawn(10, a), machine.spawn(11, b)
    one.touch(0, 3)
    other.touch(0, 4)
    machine.attach(other, machine.root)
    machine.remove_container(b)
    assert (a.stat()["rss"], a.total_stat()["rss"], a.total_stat()["pgpgin"]) == (3 * 4096, 7 * 4096, 7)


def test_pages_in_and_out(make_v1: MakeMachine) -> None:
    machine = make_v1()
    a = machine.create_container()
    task = machine.spawn(10, a)
    task.touch(0, 9)
    assert stat_of(a, "pgpgin", "pgpgout") == [9, 0]
    a.force_empty()
    assert stat_of(a, "pgpgin", "pgpgout") == [9, 9]
    machine.reap(task)
    assert stat_of(a, "pgpgin", "pgpgout") == [9, 9]


def test_no_page_is_left_locked(make_v1: MakeMachine) -> None:
    """A swap-in whose charge is refused gives everything back."""
    machine = make_v1(swap_bytes=64 * 4096)
    a = machine.create_container()
    task = machine.spawn(10, a)
    task.touch(0, 20)
    a.force_empty()
    a.oom_kill_disable = True
    a.counter("memory").resize(20)
    a.counter("memsw").resize(20)
    with pytest.raises(mm.OutOfMemory):
        task.mlock(0, 20)
    assert not any(machine.core.frames.has(pfn, PG_LOCKED) for pfn in range(1, 256))
    assert (task.state, task.died) == ("R", "")
