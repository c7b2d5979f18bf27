"""A page is dirty, is being written, is clean again: the marks on the page, in its file's tree, and on the inode (mm/page-writeback.c:
set_page_dirty, test_set_page_writeback; fs/fs-writeback.c: __mark_inode_dirty).

A page of the disk's files counts in nr_dirty and carries a tag in its file's tree, by which it is found when its turn comes. Swapped
pages and those of files in memory carry the flag alone.
"""

from __future__ import annotations

from .core import Core
from .files import I_DIRTY, I_LOCK, page_tree
from .memcontrol import mod_lruvec_page_state
from .params import DAEMON_KUPDATE, NR_FILE_DIRTY, NR_WRITEBACK, PG_CACHE, PG_DIRTY, PG_WRITEBACK
from .radix_tree import TAG_DIRTY, TAG_WRITEBACK


def accounts_dirty(core: Core, pfn: int) -> bool:
    """mapping_cap_account_dirty: is it a page of a file on the disk?"""
    return core.frames.has(pfn, PG_CACHE) and core.files.is_on_disk(core.frames.owner(pfn))


def arm_kupdate(core: Core) -> None:
    """The periodic write-out looks every dirty_writeback_interval; as long as nothing is dirty the looks are left out, not put off."""
    if core.daemons.is_asleep(DAEMON_KUPDATE) and core.dirty_writeback_ns > 0:
        next_ns = core.flusher.kupdate_next_ns
        if core.clock_ns >= next_ns:
            period_ns = max(core.dirty_writeback_ns, core.jiffy_ns * 1000)
            next_ns += ((core.clock_ns - next_ns) // period_ns + 1) * period_ns
        core.daemons.set_due(DAEMON_KUPDATE, next_ns)


def restart_kupdate(core: Core) -> None:
    """dirty_writeback_interval was written: the next look is so long after now, or never; one that is under way goes on."""
    core.flusher.kupdate_next_ns = core.clock_ns + core.dirty_writeback_ns
    if core.flusher.kupdate_left == 0:
        core.daemons.set_due(DAEMON_KUPDATE, -1)
        if not core.files.is_clean():
            arm_kupdate(core)


def mark_inode_dirty(core: Core, file: int) -> None:
    """The inode is on the list of dirty ones, since now unless it was there already. Who writes it just now will see to that."""
    state = core.files.state[file]
    core.files.state[file] = state | I_DIRTY
    if state & (I_DIRTY | I_LOCK) == 0:
        core.files.dirtied_when_ns[file] = core.clock_ns
        core.files.dirty.move(core.files.s_dirty, file)
        arm_kupdate(core)


def set_page_dirty(core: Core, pfn: int) -> bool:
    """Is it dirty only now?"""
    if core.frames.test_and_set(pfn, PG_DIRTY):
        return False
    if accounts_dirty(core, pfn):
        file = core.frames.owner(pfn)
        mod_lruvec_page_state(core, pfn, NR_FILE_DIRTY, 1)
        core.trees.set_tag(page_tree(file), core.frames.index(pfn), TAG_DIRTY)
        mark_inode_dirty(core, file)
    return True


def test_clear_page_dirty(core: Core, pfn: int) -> bool:
    """Was it dirty? The tag stays until the page is under writeback, so that a flush does not miss it."""
    if not core.frames.test_and_clear(pfn, PG_DIRTY):
        return False
    if accounts_dirty(core, pfn):
        mod_lruvec_page_state(core, pfn, NR_FILE_DIRTY, -1)
    return True


def cancel_dirty_page(core: Core, pfn: int) -> None:
    """Its bytes are not wanted any more."""
    test_clear_page_dirty(core, pfn)


def set_page_writeback(core: Core, pfn: int) -> None:
    """Its dirty mark was just taken, and with the lock held nobody has set it anew."""
    core.frames.set(pfn, PG_WRITEBACK)
    mod_lruvec_page_state(core, pfn, NR_WRITEBACK, 1)
    if accounts_dirty(core, pfn):
        tree = page_tree(core.frames.owner(pfn))
        core.trees.set_tag(tree, core.frames.index(pfn), TAG_WRITEBACK)
        core.trees.clear_tag(tree, core.frames.index(pfn), TAG_DIRTY)


def clear_page_writeback(core: Core, pfn: int) -> None:
    core.frames.clear(pfn, PG_WRITEBACK)
    mod_lruvec_page_state(core, pfn, NR_WRITEBACK, -1)
    if accounts_dirty(core, pfn):
        core.trees.clear_tag(page_tree(core.frames.owner(pfn)), core.frames.index(pfn), TAG_WRITEBACK)
