"""Time passes: requests of the disk complete, kswapd runs, who was killed exits.

The running operation waits here and nowhere else (mm/backing-dev.c: congestion_wait; fs/bio.c's completions; block/ll_rw_blk.c:
get_request_wait). What falls due meanwhile is done in order of time; where a completion and kswapd fall due together, the completion
comes first. After every fault the machine asks run_due() for what is due already, so that it does not matter how accesses are
grouped into batches.
"""

from __future__ import annotations

from .core import Core, interleave, reap_killed
from .params import AT_CONGESTION_WAIT, NR_WRITEBACK, PG_LOCKED, PG_RECLAIM, PG_UPTODATE, PG_WRITEBACK


def end_swap_bio_read(core: Core, pfn: int) -> None:
    """mm/page_io.c: the page's bytes are there, and whoever waits for its lock may go on."""
    core.frames.set(pfn, PG_UPTODATE)
    core.frames.clear(pfn, PG_LOCKED)


def end_swap_bio_write(core: Core, pfn: int) -> None:
    """mm/page_io.c, mm/filemap.c: end_page_writeback. A page that reclaim wrote out is handed to the model to be freed soon."""
    core.frames.clear(pfn, PG_WRITEBACK)
    core.zones.add(core.frames.zone(pfn), NR_WRITEBACK, -1)
    if core.frames.test_and_clear(pfn, PG_RECLAIM):
        core.model.written(core, pfn)


def next_due_ns(core: Core) -> int:
    """When the next thing falls due, or -1."""
    due = core.disk.next_done_ns()
    if core.kswapd_due_ns >= 0 and (due < 0 or core.kswapd_due_ns < due):
        due = core.kswapd_due_ns
    return due


def run_next(core: Core) -> None:
    """Does what falls due next; there is something."""
    disk_ns = core.disk.next_done_ns()
    if disk_ns >= 0 and (core.kswapd_due_ns < 0 or disk_ns <= core.kswapd_due_ns):
        core.clock_ns = max(core.clock_ns, disk_ns)
        is_write = core.disk.next_is_write()
        pfn = core.disk.complete()
        if is_write:
            end_swap_bio_write(core, pfn)
        else:
            end_swap_bio_read(core, pfn)
        return
    core.clock_ns = max(core.clock_ns, core.kswapd_due_ns)
    core.kswapd_due_ns = -1
    wake_kswapd(core)


def wake_kswapd(core: Core) -> None:
    """kswapd runs as itself: it has no address space, so what it charges is the top container's."""
    current_mm = core.current_mm
    core.current_mm = 0
    core.current_is_kswapd = True
    core.kswapd_due_ns = core.model.run_kswapd(core)
    core.current_is_kswapd = False
    core.current_mm = current_mm


def run_due(core: Core) -> None:
    """Does what is due by now. Cost: O(1) where nothing is."""
    due = next_due_ns(core)
    while 0 <= due <= core.clock_ns and not core.current_is_kswapd:
        run_next(core)
        due = next_due_ns(core)


def sleep_until(core: Core, until_ns: int) -> None:
    """schedule_timeout: the clock gets there, and everything due on the way is done."""
    if core.has_killed and not core.current_is_kswapd:
        reap_killed(core)
    due = next_due_ns(core)
    while 0 <= due <= until_ns:
        run_next(core)
        due = next_due_ns(core)
    core.clock_ns = max(core.clock_ns, until_ns)


def wait_for_disk(core: Core) -> None:
    """io_schedule: until the disk's oldest request is done. There must be one."""
    sleep_until(core, core.disk.next_done_ns())


def congestion_wait(core: Core, timeout_ns: int) -> None:
    """Sleeps for the timeout, or until the disk leaves congestion.

    The kernel's block layer also wakes who waits here when a request completes in a queue that never was congested; but its requests
    are whole clusters of merged pages, and ours are single pages, so that it would be woken after the first of many.
    """
    interleave(core, AT_CONGESTION_WAIT, 0)
    if core.has_killed and not core.current_is_kswapd:
        reap_killed(core)
    until_ns = core.clock_ns + timeout_ns
    was_congested = core.disk.is_congested
    due = next_due_ns(core)
    while 0 <= due <= until_ns:
        run_next(core)
        if was_congested and not core.disk.is_congested:
            return
        was_congested = core.disk.is_congested
        due = next_due_ns(core)
    core.clock_ns = max(core.clock_ns, until_ns)


def submit_bio(core: Core, pfn: int, is_write: bool) -> None:
    """Queues a page for the disk, sleeping first where the queue is full. A synchronous device has done it on return."""
    if core.disk.is_synchronous:
        if is_write:
            end_swap_bio_write(core, pfn)
        else:
            end_swap_bio_read(core, pfn)
        return
    while not core.disk.has_room(is_write):
        wait_for_disk(core)
    core.disk.submit(pfn, is_write, core.clock_ns)


def lock_page(core: Core, pfn: int) -> None:
    """Waits until the page's lock is free: a page is locked over time only while it is read in."""
    while core.frames.test_and_set(pfn, PG_LOCKED):
        wait_for_disk(core)
