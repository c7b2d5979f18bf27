"""pdflush: dirty pages are written in the background (mm/pdflush.c; background_writeout, wb_kupdate and laptop_flush of
mm/page-writeback.c).

Three jobs, each a daemon with a due time of its own. Background write-out begins when a task has dirtied enough, or reclaim asks for it.
The periodic one writes every five seconds what has been dirty for thirty. In laptop mode the disk is used while it spins: some time
after its last request everything is written.

Like kswapd a job answers with its nap's end, keeps its state, and is entered again; -1 is its end. The kernel has two to eight pdflush
threads for any such job; here each job is done by one, and background write-out learns of later requests while it works.
"""

from __future__ import annotations

from .core import Core
from .flusher import Flusher
from .page_writeback import WritebackControl, background_threshold, sync_inodes, writeback_inodes
from .params import DAEMON_KUPDATE, DAEMON_PDFLUSH, MAX_WRITEBACK_PAGES, NR_FILE_DIRTY
from .waiting import congestion_nap


class Pdflush(Flusher):
    def run(self, core: Core, daemon: int) -> int:
        if daemon == DAEMON_PDFLUSH:
            return background_writeout(core)
        if daemon == DAEMON_KUPDATE:
            return wb_kupdate(core)
        return laptop_flush(core)


def background_writeout(core: Core) -> int:
    """In portions, until fewer than the background threshold are dirty and min_pages were written, or a portion found too little."""
    while core.zones.total(NR_FILE_DIRTY) >= background_threshold(core) or core.flusher.min_pages > 0:
        wbc = WritebackControl(MAX_WRITEBACK_PAGES)
        wbc.nonblocking = True
        wbc.is_cyclic = True
        writeback_inodes(core, wbc)
        core.flusher.min_pages -= MAX_WRITEBACK_PAGES - wbc.nr_to_write
        if wbc.nr_to_write > 0 or wbc.pages_skipped > 0:
            if not wbc.encountered_congestion:
                break
            return congestion_nap(core, DAEMON_PDFLUSH)
    core.flusher.min_pages = 0
    return -1


def wb_kupdate(core: Core) -> int:
    """What has been dirty longer than dirty_expire_interval. The next look is an interval after this one began, and not before a second
    has passed. (The kernel's budget also has a page for each inode in use, whose own block it would write; here one is enough for all, so
    that a file leaves the line that has no dirty page any more.)"""
    if core.flusher.kupdate_left == 0:
        core.flusher.kupdate_start_ns = core.clock_ns
        core.flusher.kupdate_left = max(core.zones.total(NR_FILE_DIRTY), 1)
    while core.flusher.kupdate_left > 0:
        wbc = WritebackControl(MAX_WRITEBACK_PAGES)
        wbc.nonblocking = True
        wbc.for_kupdate = True
        wbc.is_cyclic = True
        wbc.older_than_ns = core.flusher.kupdate_start_ns - core.dirty_expire_ns
        writeback_inodes(core, wbc)
        core.flusher.kupdate_left -= MAX_WRITEBACK_PAGES - wbc.nr_to_write
        if wbc.nr_to_write > 0:
            if not wbc.encountered_congestion:
                break
            return congestion_nap(core, DAEMON_KUPDATE)
    core.flusher.kupdate_left = 0
    next_ns = max(core.flusher.kupdate_start_ns + core.dirty_writeback_ns, core.clock_ns + core.jiffy_ns * 1000)
    core.flusher.kupdate_next_ns = next_ns
    if core.dirty_writeback_ns == 0 or core.files.is_clean():
        return -1
    return next_ns


def laptop_flush(core: Core) -> int:
    sync_inodes(core)
    return -1
