"""Golden traces small enough for paper: at most 20 pages, and every count is derived in the docstring.

The machine of all of them: one zone of 63 frames, batches of 4 pages (swap_cluster_max), no pagevecs (size 1), a disk that answers at
once, swappiness 100, so that mapped pages leave the active list as soon as they are not referenced. `wanted` numbers are exact.
"""

from __future__ import annotations

from memcgfs import mm
from tests.conftest import MakeMachine

NAMES = ("pgfault", "pgmajfault", "pgrefill_dma", "pgdeactivate", "pgactivate", "pgscan_direct_dma", "pgsteal_dma", "pswpout", "pswpin")


def counts(machine: mm.Machine) -> dict[str, int]:
    vmstat = machine.vmstat()
    return {name: vmstat[name] for name in (*NAMES, "allocstall") if vmstat[name]}


def task_of(make_small: MakeMachine, limit: int) -> mm.Task:
    machine = make_small(pagevec_size=1)
    machine.set_sysctl("swappiness", 100)
    machine.set_sysctl("page-cluster", 0)
    container = machine.create_container()
    container.limit = limit
    return machine.spawn(100, container)


def test_4_pages_fit(make_small: MakeMachine) -> None:
    """4 pages, written and written again: 4 faults, and nothing else."""
    task = task_of(make_small, 4)
    task.access([0, 1, 2, 3, 0, 1, 2, 3], [1] * 8)
    assert counts(task.machine) == {"pgfault": 4}
    assert (task.container.usage, task.container.failcnt, task.container.peak) == (4, 0, 4)


def test_the_fifth_page(make_small: MakeMachine) -> None:
    """Limit 4; pages 0..3 are written, then 4. All are on the active list, 3 2 1 0 from head to tail, and young.

    The shares of the active list: (4 >> p) + 1 is 1 at 12, 11, 10, 9 and makes 4: priority 9 looks at 4 pages. All are young, and are
    kept, old. In the same way at 5: (4 >> p) + 1 is 1 at 8, 7, 6, 5, and 4 pages are looked at, which are old: deactivated, tail (0)
    first. That is 8 refilled, 4 deactivated.

    The shares of the inactive list, which was empty each time: 1 at each of 12, 11, 10, 9: at 9 one batch is due, which finds
    nothing, because the young ones were kept; 1 at each of 8, 7, 6, 5: the batch at 5 finds the 4 pages just deactivated. Looked at:
    0 and 4. Each gets a slot, is unmapped, written (the disk answers at once) and freed: 4 stolen, 4 swapped out. 4 is
    swap_cluster_max: success at priority 5. One stall; 5 faults.
    """
    task = task_of(make_small, 4)
    task.access([0, 1, 2, 3, 4], [1] * 5)
    assert counts(task.machine) == {
        "pgfault": 5,
        "pgrefill_dma": 8,
        "pgdeactivate": 4,
        "pgscan_direct_dma": 4,
        "pgsteal_dma": 4,
        "pswpout": 4,
        "allocstall": 1,
    }
    assert task.machine.zones()[0].prev_priority == 5
    assert (task.container.usage, task.container.failcnt, task.swap_pages) == (1, 1, 4)


def test_back_from_swap(make_small: MakeMachine) -> None:
    """As the fifth page, then 0 is read, and written.

    The read is a major fault: 1 page read, charged (usage 2: page 4 and this), on the active list, and referenced but not active yet
    when mark_page_accessed sees it. 59 of 63 slots are free, so it keeps its slot: mapped read-only. The write faults once more: the
    page is mapped once, its slot has no other user, so it becomes writable. 7 faults, one of them major. No further reclaim.
    """
    task = task_of(make_small, 4)
    task.access([0, 1, 2, 3, 4], [1] * 5)
    before = counts(task.machine)
    result = task.access([0, 0], [0, 1])
    assert (result.minor, result.major) == (1, 1)
    assert counts(task.machine) == before | {"pgfault": 7, "pgmajfault": 1, "pswpin": 1}
    assert (task.container.usage, task.swap_pages, task.machine.meminfo()["SwapCached"]) == (2, 3, 4)
    assert task.machine.swaps()[0].used_pages == 4


def test_20_pages_through_a_limit_of_4(make_small: MakeMachine) -> None:
    """Pages 0..19 are written in turn. Every fifth page finds the container full of 4 young pages.

    Page 4 is as above and leaves usage 1. Pages 5, 6, 7 fill it up again; 8 stalls, and so do 12 and 16. Each stall begins with empty
    accumulators (the one before used them up at priority 5) and the zone holds the 4 active pages of the container alone: the same 8
    refilled, 4 deactivated, scanned, stolen, written. 4 stalls in all, 20 faults, 16 pages in swap and 4 mapped.
    """
    task = task_of(make_small, 4)
    task.touch(0, 20)
    assert counts(task.machine) == {
        "pgfault": 20,
        "pgrefill_dma": 4 * 8,
        "pgdeactivate": 4 * 4,
        "pgscan_direct_dma": 4 * 4,
        "pgsteal_dma": 4 * 4,
        "pswpout": 4 * 4,
        "allocstall": 4,
    }
    assert (task.container.usage, task.container.failcnt, task.container.peak, task.swap_pages) == (4, 4, 4, 16)


def test_without_swap_the_sixth_round_is_the_last(make_small: MakeMachine) -> None:
    """Limit 4 and no swap: pages stay active, whatever is asked.

    A round's shares of the active list are 4 at 9, 4 at 5; then (4 >> p) + 1 is 1, 1, 2 at 4, 3, 2 and makes 4 at 2; 3 at 1 is less
    than 4, and with 5 at 0 it makes 8. 4 + 4 + 4 + 8 is 20 looked at, in six rounds 120. 6 stalls, failcnt 6, five waits of 100 ms.
    """
    machine = make_small(pagevec_size=1, swap_pages=0)
    machine.set_sysctl("swappiness", 100)
    container = machine.create_container()
    container.limit = 4
    task = machine.spawn(100, container)
    try:
        task.touch(0, 5)
    except mm.OutOfMemory:
        pass
    assert counts(machine) == {"pgfault": 5, "pgrefill_dma": 120, "allocstall": 6}
    assert (task.state, task.touched, container.failcnt, container.usage) == ("Z", "4 of 5", 6, 0)
    assert machine.clock_ns == 500_000_000


def test_a_fork_and_a_write_each(make_small: MakeMachine) -> None:
    """3 pages, a child, and each writes page 0: the first write copies (usage 4), the second finds its page alone and keeps it."""
    task = task_of(make_small, 10)
    task.touch(0, 3)
    child = task.fork(101)
    child.touch(0, 1)
    task.touch(0, 1)
    assert counts(task.machine) == {"pgfault": 5}
    assert (task.container.usage, task.rss_pages, child.rss_pages) == (4, 3, 3)


def test_reader_of_8_pages_in_a_container_of_4(make_small: MakeMachine) -> None:
    """Without read-ahead, of a hole, so that nothing is read from the disk. Pages 0 to 3 fill the container: on its active list, as
    everything starts there, but inactive in the zone.

    Page 4 stalls. The zone has no active page and 4 inactive ones, so both shares are 1 at 12, 11, 10, 9, and at 9 a batch of each is due.
    The active batch finds at the tail pages that are not active, and moves them to the inactive list uncounted: nothing is refilled. The
    inactive batch takes these 4. They were referenced, but nobody maps their file, and they are clean: all 4 are freed. Success at 9.
    Pages 4 to 7 fill the container again.
    """
    task = task_of(make_small, 4)
    file = task.machine.create_file()
    file.truncate(8 * 4096)
    task.fadvise_file(file, "random", 0, 0)
    assert task.read_file(file, 0, 8) == 8
    assert counts(task.machine) == {"pgscan_direct_dma": 4, "pgsteal_dma": 4, "allocstall": 1}
    assert task.machine.zones()[0].prev_priority == 9
    assert (task.container.usage, task.container.failcnt, task.machine.meminfo()["Cached"]) == (4, 1, 16)


def test_writer_of_8_pages_in_a_container_of_4(make_small: MakeMachine) -> None:
    """As the reader's, but the 4 pages are dirty. At 9 they were referenced: such dirty pages are kept, their mark is gone, and a nap of
    100 ms follows, because 9 is harder than 10. At 8, 7, 6, 5 the shares make 4 again: at 5 they are written (the disk answers at once)
    and freed. 4 + 4 scanned, 4 stolen, 4 written; pages 4 to 7 are dirty at the end.
    """
    task = task_of(make_small, 4)
    file = task.machine.create_file()
    assert task.write_file(file, 0, 8) == 8
    assert counts(task.machine) == {"pgscan_direct_dma": 8, "pgsteal_dma": 4, "allocstall": 1}
    vmstat = task.machine.vmstat()
    assert (vmstat["nr_vmscan_write"], vmstat["pgpgout"], vmstat["nr_dirty"]) == (4, 16, 4)
    assert task.machine.zones()[0].prev_priority == 5
    assert (task.container.usage, task.container.failcnt, task.machine.clock_ns) == (4, 1, 100_000_000)


def test_mapper_whose_read_around_is_larger_than_its_container(make_small: MakeMachine) -> None:
    """A file of 5 pages, mapped by a task in a container of 4, which touches page 0. Read-around brings 0 to 3 in, and for page 4 the
    container is full: as the reader's, at 9 the 4 pages go, which nobody referenced yet. Among them is page 0; so it is read once more,
    alone, and mapped: 1 major fault, usage 2 (pages 4 and 0), one of them mapped.
    """
    task = task_of(make_small, 4)
    file = task.machine.create_file()
    file.truncate(5 * 4096)
    task.mmap(0, 5, file=file, shared=True)
    task.touch(0, 1, write=False)
    expected = {"pgfault": 1, "pgmajfault": 1, "pgscan_direct_dma": 4, "pgsteal_dma": 4, "allocstall": 1}
    assert counts(task.machine) == expected
    assert (task.container.usage, task.container.failcnt, task.counts()[:2]) == (2, 1, (0, 1))
    assert task.machine.vmstat()["nr_mapped"] == 1
