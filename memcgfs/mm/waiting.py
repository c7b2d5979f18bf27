"""Time passes: requests of the disks complete, daemons run, who was killed exits.

The running operation waits here and nowhere else (mm/backing-dev.c: congestion_wait; fs/bio.c's completions; block/ll_rw_blk.c:
get_request_wait). What falls due meanwhile is done in order of time; of what falls due together completions come first, those of the
lowest disk before others, and then the daemons, the lowest number first. After every fault the machine asks run_due() for what is
due already, so that it does not matter how accesses are grouped into batches.
"""

from __future__ import annotations

from .core import Core, interleave, is_daemon, reap_killed
from .page_dirty import clear_page_writeback
from .params import AT_CONGESTION_WAIT, AT_IO_WAIT, DAEMON_KSWAPD, DAEMON_LAPTOP, DAEMON_MEMCG, DAEMON_PDFLUSH, DAEMON_STATS, LOCKDEP
from .params import PG_LOCKED, PG_RECLAIM
from .params import PG_UPTODATE, PG_WRITEBACK, PGPGIN, PGPGOUT
from .trace import trace_page
from .trace_ring import DONE_FLUSHED, DONE_RECLAIM, TRACE_WRITEBACK_END


def end_page_read(core: Core, pfn: int) -> None:
    """mm/page_io.c: end_swap_bio_read. The page's bytes are there, and whoever waits for its lock may go on."""
    core.frames.set(pfn, PG_UPTODATE)
    core.frames.clear(pfn, PG_LOCKED)


def laptop_io_completion(core: Core) -> None:
    """The disk spins: it may as well write what there is, so long after its last request (laptop_mode, in seconds)."""
    if core.laptop_mode != 0:
        core.daemons.set_due(DAEMON_LAPTOP, core.clock_ns + core.laptop_mode * core.jiffy_ns * 1000)


def end_page_writeback(core: Core, pfn: int) -> None:
    """mm/page_io.c: end_swap_bio_write; mm/filemap.c. A page that reclaim wrote out is handed to the model to be freed soon."""
    clear_page_writeback(core, pfn)
    if core.traced:
        trace_end_of_write(core, pfn)
    if core.frames.test_and_clear(pfn, PG_RECLAIM):
        core.model.written(core, pfn)


def trace_end_of_write(core: Core, pfn: int) -> None:
    reason = DONE_RECLAIM if core.frames.has(pfn, PG_RECLAIM) else DONE_FLUSHED
    trace_page(core, TRACE_WRITEBACK_END, pfn, reason, core.frames.private[pfn], 0)


def next_due_ns(core: Core) -> int:
    """When the next thing falls due, or -1. Cost: O(1)."""
    if core.disks.next_ns < 0 or 0 <= core.daemons.next_ns < core.disks.next_ns:
        return core.daemons.next_ns
    return core.disks.next_ns


def run_next(core: Core) -> None:
    """Does what falls due next; there is something."""
    if core.disks.next_ns >= 0 and (core.daemons.next_ns < 0 or core.disks.next_ns <= core.daemons.next_ns):
        core.clock_ns = max(core.clock_ns, core.disks.next_ns)
        is_write = core.disks.next_is_write()
        nr_relieved = core.disks.nr_relieved
        pfn = core.disks.complete()
        if core.disks.nr_relieved != nr_relieved:
            core.daemons.wake_napping(core.clock_ns)
        laptop_io_completion(core)
        if is_write:
            end_page_writeback(core, pfn)
        else:
            end_page_read(core, pfn)
        return
    core.clock_ns = max(core.clock_ns, core.daemons.next_ns)
    run_daemon(core, core.daemons.next_daemon)


def run_daemon(core: Core, daemon: int) -> None:
    """A daemon runs as itself: it has no address space, so what it charges is the top container's, and no pid but its number.

    It may run while another naps, which is itself again afterwards.
    """
    current_mm = core.current_mm
    current_pid = core.current_pid
    current_node = core.current_node
    was_memalloc = core.current_is_memalloc
    was_kswapd = core.current_is_kswapd
    was_pdflush = core.current_is_pdflush
    current_priority = core.current_priority
    core.current_mm = 0
    core.current_pid = -1 - daemon
    core.current_priority = -1
    core.current_is_memalloc = daemon < DAEMON_PDFLUSH
    core.current_is_kswapd = daemon < DAEMON_PDFLUSH
    core.current_is_pdflush = DAEMON_PDFLUSH <= daemon <= DAEMON_LAPTOP
    core.daemons.begin(daemon)
    if daemon == DAEMON_STATS:
        core.daemons.set_due(daemon, core.model.flush_stats(core))
    elif daemon < DAEMON_PDFLUSH:
        core.current_node = daemon - DAEMON_KSWAPD
        core.daemons.set_due(daemon, core.model.run_kswapd(core, core.current_node))
    elif daemon == DAEMON_MEMCG:
        core.rules.run_flush(core)
    else:
        core.daemons.set_due(daemon, core.flusher.run(core, daemon))
    core.daemons.end(daemon)
    core.current_is_kswapd = was_kswapd
    core.current_priority = current_priority
    core.current_is_pdflush = was_pdflush
    core.current_is_memalloc = was_memalloc
    core.current_node = current_node
    core.current_mm = current_mm
    core.current_pid = current_pid


def run_due(core: Core) -> None:
    """Does what is due by now. Cost: O(1) where nothing is."""
    due = next_due_ns(core)
    while 0 <= due <= core.clock_ns and not is_daemon(core):
        run_next(core)
        due = next_due_ns(core)


def sleep_until(core: Core, until_ns: int) -> None:
    """schedule_timeout: the clock gets there, and everything due on the way is done."""
    if core.has_killed and not is_daemon(core):
        reap_killed(core)
    pass_time(core, until_ns)


def pass_time(core: Core, until_ns: int) -> None:
    """sleep_until, but nobody exits meanwhile: for who holds a page's lock, or a write that no disk knows of yet. An exit may free a
    file, waits for its pages, and would wait for ever for one that the sleeper has in hand."""
    due = next_due_ns(core)
    while 0 <= due <= until_ns:
        run_next(core)
        due = next_due_ns(core)
    core.clock_ns = max(core.clock_ns, until_ns)


def io_schedule(core: Core) -> None:
    """Until the next request of any disk is done. There must be one."""
    if LOCKDEP:
        assert core.disks.next_ns >= 0, "somebody waits for the disks, which have nothing to do"
    interleave(core, AT_IO_WAIT, 0)
    sleep_until(core, core.disks.next_ns)


def congestion_wait(core: Core, timeout_ns: int) -> None:
    """Sleeps for the timeout, or until a disk's queue of writes leaves congestion.

    The kernel's block layer also wakes who waits here when a request completes in a queue that never was congested; but its requests
    are whole clusters of merged pages, and ours are single pages, so that it would be woken after the first of many.
    """
    interleave(core, AT_CONGESTION_WAIT, 0)
    if core.has_killed and not is_daemon(core):
        reap_killed(core)
    until_ns = core.clock_ns + timeout_ns
    nr_relieved = core.disks.nr_relieved
    due = next_due_ns(core)
    while 0 <= due <= until_ns:
        run_next(core)
        if core.disks.nr_relieved != nr_relieved:
            return
        due = next_due_ns(core)
    core.clock_ns = max(core.clock_ns, until_ns)


def congestion_nap(core: Core, daemon: int) -> int:
    """congestion_wait of a daemon that is no operation's to wait for: when its nap is over, unless a disk ends it before."""
    core.daemons.is_napping[daemon] = 1
    return core.clock_ns + core.wait_ns


def submit_bio(core: Core, disk: int, pfn: int, is_write: bool) -> None:
    """Queues a page for a disk, sleeping first where the queue is full. A synchronous device has done it on return."""
    core.count(PGPGOUT if is_write else PGPGIN)
    if core.disks.is_synchronous:
        if is_write:
            end_page_writeback(core, pfn)
        else:
            end_page_read(core, pfn)
        return
    while not core.disks.has_room(disk, is_write):
        pass_time(core, core.disks.next_done_ns(disk))
    core.disks.submit(disk, pfn, is_write, core.clock_ns)


def lock_page(core: Core, pfn: int) -> bool:
    """Waits until the page's lock is free, and takes it: a page is locked over time while it is read in.

    False where no disk has it: then who holds it is interrupted by who waits, and would never go on.
    """
    while core.frames.test_and_set(pfn, PG_LOCKED):
        if core.disks.next_ns < 0:
            return False
        io_schedule(core)
    return True


def wait_on_page_writeback(core: Core, pfn: int) -> None:
    """mm/filemap.c: until no write of the page is under way."""
    while core.frames.has(pfn, PG_WRITEBACK):
        io_schedule(core)
