"""Reclaim with two lists of each kind, the one that Linux 6.18 has beside its generations (mm/vmscan.c): what becomes of isolated pages,
the inactive and the active list, how much of each list is scanned, one group on one node.

Order of pages: the tail of a list is taken first, and what is put back goes to the head, first taken deepest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..core import Core
from ..memcontrol import mem_cgroup_swappiness
from ..page_alloc import get_page, put_cold_page
from ..params import DISK_SWAP, GFP_FS, GFP_IO, KSWAPD_STEAL, LRU_ACTIVE_ANON, LRU_ACTIVE_FILE, LRU_INACTIVE_ANON, LRU_INACTIVE_FILE
from ..params import LRU_UNEVICTABLE, MAX_NR_ZONES, NR_LRU_LISTS, PAGE_ACTIVATE, PAGE_KEEP, PAGE_SUCCESS, PG_ACTIVE, PG_ANON, PG_DIRTY
from ..params import PG_CACHE, PG_LOCKED, PG_LRU, PG_MLOCKED, PG_RECLAIM, PG_REFERENCED, PG_SWAPBACKED, PG_SWAPCACHE, PG_UNEVICTABLE
from ..params import PG_WORKINGSET, PG_WRITEBACK, PGACTIVATE, PGDEACTIVATE, PGREFILL, PGSCAN_DIRECT, PGSCAN_KSWAPD, PGSTEAL
from ..scan_control import ScanControl
from ..swap_state import add_to_swap, remove_exclusive_swap_page
from ..trace import payer, trace_event, trace_lru
from ..trace_ring import PUT_BACK_ACTIVATED, PUT_BACK_KEPT, TRACE_LRU_ACTIVATE, TRACE_LRU_DEACTIVATE, TRACE_LRU_ISOLATE
from ..trace_ring import TRACE_LRU_PUTBACK, TRACE_PAGE, TRACE_REFERENCED
from ..trace_ring import WHY_ACTIVATE_DIRTY, WHY_ACTIVATE_NO_SLOT, WHY_ACTIVATE_NO_SWAP, WHY_ACTIVATE_REFERENCED
from ..trace_ring import WHY_ACTIVATE_UNMAP_FAILED, WHY_ACTIVATE_WRITEBACK, WHY_DEACTIVATE_COLD, WHY_FREED, WHY_KEEP_DIRTY_REFERENCED
from ..trace_ring import WHY_KEEP_IN_USE, WHY_KEEP_LOCKED, WHY_KEEP_MAY_NOT_ENTER, WHY_KEEP_NOT_REMOVED, WHY_KEEP_REFERENCED
from ..trace_ring import WHY_KEEP_UNEVICTABLE, WHY_KEEP_WRITING
from ..vmscan import pageout
from ..waiting import congestion_wait, pass_time, wait_on_page_writeback
from .folio_batch import age_nonresident, folio_lru_add_drain
from .folio_rmap import REFERENCED_LOCKED, folio_referenced, folio_try_to_unmap
from .lruvec import folio_lruvec, is_file_lru, lruvec_add_folio, update_lru_size
from .workingset import lru_note_cost, workingset_eviction

if TYPE_CHECKING:
    from .classic import Classic

# Lists that a reclaim keeps to itself, for each depth of reclaims within reclaims; they are the kernel's local variables (folio_list and
# l_hold, ret_folios, and what isolate_lru_folios skips).
NR_CLASSIC_SCAN_LISTS: Final = 3
FOLIO_LIST: Final = 0
RET_FOLIOS: Final = 1
L_STAYS: Final = 2

# Which kinds of active pages may be deactivated: bits (mm/vmscan.c: struct scan_control).
DEACTIVATE_ANON: Final = 1
DEACTIVATE_FILE: Final = 2

# How get_scan_count balances the kinds (mm/vmscan.c: enum scan_balance).
SCAN_EQUAL: Final = 0
SCAN_FRACT: Final = 1
SCAN_ANON: Final = 2
SCAN_FILE: Final = 3

# What folio_check_references answers (mm/vmscan.c: enum folio_references).
FOLIOREF_RECLAIM: Final = 0
FOLIOREF_RECLAIM_CLEAN: Final = 1
FOLIOREF_KEEP: Final = 2
FOLIOREF_ACTIVATE: Final = 3


class ClassicScanControl(ScanControl):
    """target: the group on whose behalf, the top one for the machine; is_cgroup: whether a group's limit asks, instead of the machine.

    nr_to_reclaim; highest_type: of the zones whose pages help. priority: 1 / 2^priority of each list is looked at. may_deactivate:
    DEACTIVATE_*, force_deactivate: both whatever the statistics say; skipped_deactivate: pages were left active for that. cache_trim_mode:
    there are files' pages enough, go for those; no_cache_trim_mode: that has failed. file_is_tiny: there are so few that anonymous ones
    must go. full_walk: of all groups, even if enough is free. ignores_references: MADV_PAGEOUT.

    anon_cost, file_cost: of the target. nr_scanned, nr_reclaimed: so far. Of the list that is being shrunk: nr_taken, nr_pageout (writes
    that were started), nr_unqueued_dirty (files' pages that nobody writes yet). writes_done_ns: when the last write of the pass is done.
    """

    def __init__(self, core: Core, model: Classic, target: int, is_cgroup: bool, gfp_mask: int) -> None:
        ScanControl.__init__(self, core, target, 0, gfp_mask)
        self.model = model
        self.target = target
        self.is_cgroup = is_cgroup
        self.nr_to_reclaim = core.swap_cluster_max
        self.highest_type = MAX_NR_ZONES - 1
        self.priority = core.def_priority
        self.may_deactivate = 0
        self.force_deactivate = False
        self.skipped_deactivate = False
        self.cache_trim_mode = False
        self.no_cache_trim_mode = False
        self.file_is_tiny = False
        self.full_walk = False
        self.ignores_references = False
        self.anon_cost = 0
        self.file_cost = 0
        self.nr_reclaimed = 0
        self.nr_taken = 0
        self.nr_pageout = 0
        self.nr_unqueued_dirty = 0
        self.writes_done_ns = 0


def classic_scan_head(model: Classic, sc: ClassicScanControl, which: int) -> int:
    return model.lruvecs.scan_heads + sc.depth * NR_CLASSIC_SCAN_LISTS + which


def isolate_lru_folios(core: Core, sc: ClassicScanControl, nr_to_scan: int, lruvec: int, lru: int) -> int:
    """From the tail of the list to FOLIO_LIST, a reference each; gives how many were looked at, and leaves in sc.nr_taken how many were
    taken.
    Those of zones that do not help go to the head, in their order."""
    head = sc.model.lruvecs.head(lruvec * NR_LRU_LISTS + lru)
    dst = classic_scan_head(sc.model, sc, FOLIO_LIST)
    skipped = classic_scan_head(sc.model, sc, L_STAYS)
    scan = 0
    sc.nr_taken = 0
    while scan < nr_to_scan and not core.lru.is_empty(head):
        pfn = core.lru.prev[head]
        if core.frames.zone(pfn) % MAX_NR_ZONES > sc.highest_type:
            core.lru.move(skipped, pfn)
            continue
        scan += 1
        count_scanned(core, core.frames.zone(pfn), lru)
        update_lru_size(core, sc.model.lruvecs, pfn, lruvec, -1)
        core.lru.move(dst, pfn)
        core.frames.clear(pfn, PG_LRU)
        get_page(core, pfn)
        sc.nr_taken += 1
    core.lru.splice(skipped, head)
    if core.traced:
        trace_classic_isolate(core, sc, lruvec, lru, nr_to_scan, scan)
    return scan


def count_scanned(core: Core, zone: int, lru: int) -> None:
    """Active pages are counted apart. (The kernel leaves those out that a group's limit asked for.)"""
    if lru % 2 == LRU_ACTIVE_ANON:
        core.zones.add(zone, PGREFILL, 1)
    elif core.current_is_kswapd:
        core.zones.add(zone, PGSCAN_KSWAPD, 1)
    else:
        core.zones.add(zone, PGSCAN_DIRECT, 1)


def trace_classic_isolate(core: Core, sc: ClassicScanControl, lruvec: int, lru: int, nr_to_scan: int, scan: int) -> None:
    node = lruvec % sc.model.lruvecs.nr_nodes
    target = trace_target(sc)
    trace_event(core, TRACE_LRU_ISOLATE, node * MAX_NR_ZONES, target, lru % 2, sc.priority, sc.order, nr_to_scan, scan, sc.nr_taken)


def trace_target(sc: ClassicScanControl) -> int:
    """On whose behalf; -1: the machine's."""
    if sc.is_cgroup:
        return sc.target
    return -1


def move_folios_to_lru(core: Core, sc: ClassicScanControl, folios: int) -> int:
    """What is left of isolated pages goes to the heads of the lists that their flags say, and loses its reference; gives their number. An
    active one makes the lists older."""
    moved = 0
    while not core.lru.is_empty(folios):
        pfn = core.lru.prev[folios]
        core.lru.remove(pfn)
        if core.frames.has(pfn, PG_MLOCKED):
            core.frames.clear(pfn, PG_ACTIVE)
            core.frames.set(pfn, PG_UNEVICTABLE)
        core.frames.set(pfn, PG_LRU)
        lruvec_add_folio(core, sc.model.lruvecs, pfn)
        if core.frames.has(pfn, PG_ACTIVE):
            age_nonresident(core, sc.model.lruvecs, folio_lruvec(core, sc.model.lruvecs, pfn))
        if core.traced:
            trace_classic_put_back(core, pfn)
        put_cold_page(core, pfn)
        moved += 1
    return moved


def trace_classic_put_back(core: Core, pfn: int) -> None:
    active = core.frames.has(pfn, PG_ACTIVE)
    trace_lru(core, TRACE_LRU_PUTBACK, pfn, active, PUT_BACK_ACTIVATED if active else PUT_BACK_KEPT)


def shrink_folio_list(core: Core, sc: ClassicScanControl) -> int:
    """Frees what can be freed of FOLIO_LIST, and leaves the rest there, PG_active saying where each belongs."""
    folios = classic_scan_head(sc.model, sc, FOLIO_LIST)
    ret_folios = classic_scan_head(sc.model, sc, RET_FOLIOS)
    nr_reclaimed = 0
    while not core.lru.is_empty(folios):
        pfn = core.lru.prev[folios]
        core.lru.remove(pfn)
        sc.why = WHY_KEEP_LOCKED
        answer = PAGE_KEEP
        if not core.frames.test_and_set(pfn, PG_LOCKED):
            answer = shrink_folio(core, pfn, sc)
            if answer == PAGE_ACTIVATE:
                activate_locked(core, pfn)
            core.frames.clear(pfn, PG_LOCKED)
        if core.traced:
            trace_event(core, TRACE_PAGE, pfn, payer(core, pfn), trace_target(sc), False, sc.priority, sc.why)
        if answer == PAGE_SUCCESS:
            nr_reclaimed += 1
            core.frames.clear(pfn, PG_ACTIVE)
            core.zones.add(core.frames.zone(pfn), PGSTEAL, 1)
            if core.current_is_kswapd:
                core.count(KSWAPD_STEAL)
            put_cold_page(core, pfn)
        else:
            core.lru.add(ret_folios, pfn)
    core.lru.splice(ret_folios, folios)
    return nr_reclaimed


def activate_locked(core: Core, pfn: int) -> None:
    """The page is wanted, or cannot go: to the active list; and where swap is short it gives up its slot. One that is locked in memory is
    neither active nor inactive."""
    if core.frames.has(pfn, PG_SWAPCACHE) and (core.swap.is_full() or core.frames.has(pfn, PG_MLOCKED)):
        remove_exclusive_swap_page(core, pfn)
    if core.frames.has(pfn, PG_MLOCKED):
        return
    core.frames.set(pfn, PG_ACTIVE)
    core.count(PGACTIVATE)
    if core.traced:
        trace_lru(core, TRACE_LRU_ACTIVATE, pfn, False, WHY_ACTIVATE_REFERENCED)


def decide(sc: ClassicScanControl, answer: int, why: int) -> int:
    sc.why = why
    return answer


def may_enter_fs_for(core: Core, pfn: int, sc: ClassicScanControl) -> bool:
    """may_enter_fs: may whoever wants memory wait for a filesystem, or, for a page that has its slot, for the swap device?"""
    if sc.gfp_mask & GFP_FS:
        return True
    return core.frames.has(pfn, PG_SWAPCACHE) and sc.gfp_mask & GFP_IO != 0


def folio_check_references(core: Core, pfn: int, sc: ClassicScanControl) -> int:
    """A mapped page needs two scans to be seen used to become active: the first leaves it the referenced mark."""
    referenced = folio_referenced(core, pfn, sc.target)
    if core.traced:
        trace_event(core, TRACE_REFERENCED, pfn, payer(core, pfn), trace_target(sc), False, sc.priority, referenced)
    if referenced == REFERENCED_LOCKED:
        return FOLIOREF_ACTIVATE
    was_referenced = core.frames.test_and_clear(pfn, PG_REFERENCED)
    if referenced > 0:
        core.frames.set(pfn, PG_REFERENCED)
        if was_referenced or referenced > 1:
            return FOLIOREF_ACTIVATE
        return FOLIOREF_KEEP
    if was_referenced and is_file_lru(core, pfn):
        return FOLIOREF_RECLAIM_CLEAN
    return FOLIOREF_RECLAIM


def shrink_folio(core: Core, pfn: int, sc: ClassicScanControl) -> int:
    """One page of shrink_folio_list, locked, in the kernel's order of questions. PAGE_SUCCESS: nobody but the caller holds it any more.

    A page that a reclaim for a group wrote, and that is still being written, is waited for, and looked at again.
    """
    sc.nr_scanned += 1
    if core.frames.has(pfn, PG_MLOCKED):
        return decide(sc, PAGE_ACTIVATE, WHY_KEEP_UNEVICTABLE)
    if not core.frames.has(pfn, PG_SWAPBACKED) and core.frames.has(pfn, PG_DIRTY) and not core.frames.has(pfn, PG_WRITEBACK):
        sc.nr_unqueued_dirty += 1
    while core.frames.has(pfn, PG_WRITEBACK):
        if not sc.is_cgroup or not core.frames.has(pfn, PG_RECLAIM) or not may_enter_fs_for(core, pfn, sc):
            core.frames.set(pfn, PG_RECLAIM)
            return decide(sc, PAGE_ACTIVATE, WHY_ACTIVATE_WRITEBACK)
        core.frames.clear(pfn, PG_LOCKED)
        wait_on_page_writeback(core, pfn)
        if core.frames.test_and_set(pfn, PG_LOCKED):
            return decide(sc, PAGE_KEEP, WHY_KEEP_LOCKED)

    references = FOLIOREF_RECLAIM
    if not sc.ignores_references:
        references = folio_check_references(core, pfn, sc)
    if references == FOLIOREF_ACTIVATE:
        return decide(sc, PAGE_ACTIVATE, WHY_ACTIVATE_REFERENCED)
    if references == FOLIOREF_KEEP:
        return decide(sc, PAGE_KEEP, WHY_KEEP_REFERENCED)

    if core.frames.has(pfn, PG_ANON) and core.frames.has(pfn, PG_SWAPBACKED) and not core.frames.has(pfn, PG_SWAPCACHE):
        if sc.gfp_mask & GFP_IO == 0:
            return decide(sc, PAGE_KEEP, WHY_KEEP_MAY_NOT_ENTER)
        if not add_to_swap(core, pfn):
            return decide(sc, PAGE_ACTIVATE, WHY_ACTIVATE_NO_SWAP)
    if core.frames.mapcount[pfn] > 0 and not folio_try_to_unmap(core, pfn):
        return decide(sc, PAGE_ACTIVATE, WHY_ACTIVATE_UNMAP_FAILED)
    if core.frames.has(pfn, PG_DIRTY):
        answer = write_folio(core, pfn, sc, references)
        if answer != PAGE_SUCCESS:
            return answer

    if core.frames.has(pfn, PG_ANON) and not core.frames.has(pfn, PG_SWAPBACKED):
        # MADV_FREE: nobody misses what was there.
        if core.frames.count[pfn] != 1:
            return decide(sc, PAGE_KEEP, WHY_KEEP_NOT_REMOVED)
        return decide(sc, PAGE_SUCCESS, WHY_FREED)
    if core.frames.count[pfn] != 2 or core.frames.has(pfn, PG_DIRTY) or not core.frames.has(pfn, PG_SWAPCACHE | PG_CACHE):
        return decide(sc, PAGE_KEEP, WHY_KEEP_NOT_REMOVED)
    workingset_eviction(core, sc.model.lruvecs, pfn, sc.target)
    return decide(sc, PAGE_SUCCESS, WHY_FREED)


def write_folio(core: Core, pfn: int, sc: ClassicScanControl, references: int) -> int:
    """A dirty page. PAGE_SUCCESS: it is clean now, and locked. One of a file on the disk is the flushers' to write: it is marked, so that
    it comes to the tail of the inactive list when they have. One of a file in memory moves to the swap cache first."""
    if is_file_lru(core, pfn):
        core.frames.set(pfn, PG_RECLAIM)
        return decide(sc, PAGE_ACTIVATE, WHY_ACTIVATE_DIRTY)
    if references == FOLIOREF_RECLAIM_CLEAN:
        return decide(sc, PAGE_KEEP, WHY_KEEP_DIRTY_REFERENCED)
    if not may_enter_fs_for(core, pfn, sc):
        return decide(sc, PAGE_KEEP, WHY_KEEP_MAY_NOT_ENTER)
    answer = pageout(core, pfn)
    if answer == PAGE_KEEP:
        return decide(sc, PAGE_KEEP, WHY_KEEP_IN_USE)
    if answer == PAGE_ACTIVATE:
        return decide(sc, PAGE_ACTIVATE, WHY_ACTIVATE_NO_SLOT)
    if not core.frames.has(pfn, PG_WRITEBACK) and core.frames.has(pfn, PG_SWAPCACHE) and core.frames.has(pfn, PG_DIRTY):
        # A page of a file in memory has only moved to the swap cache yet, from where it is written.
        core.frames.set(pfn, PG_LOCKED)
        answer = pageout(core, pfn)
        if answer != PAGE_SUCCESS:
            return decide(sc, PAGE_KEEP, WHY_KEEP_IN_USE)
    sc.nr_pageout += 1
    if core.frames.has(pfn, PG_WRITEBACK):
        disk = DISK_SWAP + core.swap.area_of(core.frames.private[pfn])
        sc.writes_done_ns = max(sc.writes_done_ns, core.disks.free_from_ns[disk] + core.disks.latency_ns)
        return decide(sc, PAGE_KEEP, WHY_KEEP_WRITING)
    if core.frames.has(pfn, PG_DIRTY) or core.frames.test_and_set(pfn, PG_LOCKED):
        return decide(sc, PAGE_KEEP, WHY_KEEP_WRITING)
    return PAGE_SUCCESS


def classic_shrink_inactive_list(core: Core, nr_to_scan: int, lruvec: int, sc: ClassicScanControl, lru: int) -> int:
    """One batch of a list's tail; gives how many came free. What was done for nothing is noted as a cost of this kind of pages."""
    folio_lru_add_drain(core, sc.model.batches, sc.model.lruvecs)
    nr_scanned = isolate_lru_folios(core, sc, nr_to_scan, lruvec, lru)
    nr_taken = sc.nr_taken
    if nr_taken == 0:
        return 0
    sc.nr_pageout = 0
    sc.nr_unqueued_dirty = 0
    nr_reclaimed = shrink_folio_list(core, sc)
    nr_pageout = sc.nr_pageout
    nr_unqueued_dirty = sc.nr_unqueued_dirty
    move_folios_to_lru(core, sc, classic_scan_head(sc.model, sc, FOLIO_LIST))
    lru_note_cost(core, sc.model.lruvecs, lruvec, lru == LRU_INACTIVE_FILE, nr_pageout, nr_scanned - nr_reclaimed)
    if nr_unqueued_dirty == nr_taken:
        sc.model.wakeup_flushers(core)
        if sc.is_cgroup:
            congestion_wait(core, core.wait_ns)
    return nr_reclaimed


def classic_shrink_active_list(core: Core, nr_to_scan: int, lruvec: int, sc: ClassicScanControl, lru: int) -> None:
    """From the tail of an active list to the head of its inactive one, used or not: here no page is a program's text, which alone would
    stay. The accessed bits are cleared, and the page is marked as one that was in the working set."""
    folios = classic_scan_head(sc.model, sc, FOLIO_LIST)
    folio_lru_add_drain(core, sc.model.batches, sc.model.lruvecs)
    isolate_lru_folios(core, sc, nr_to_scan, lruvec, lru)
    pfn = core.lru.prev[folios]
    while pfn != folios:
        if not core.frames.has(pfn, PG_MLOCKED):
            folio_referenced(core, pfn, sc.target)
        core.frames.clear(pfn, PG_ACTIVE)
        core.frames.set(pfn, PG_WORKINGSET)
        if core.traced:
            trace_lru(core, TRACE_LRU_DEACTIVATE, pfn, True, WHY_DEACTIVATE_COLD)
        pfn = core.lru.prev[pfn]
    core.count_many(PGDEACTIVATE, move_folios_to_lru(core, sc, folios))


def inactive_is_low(core: Core, sc: ClassicScanControl, lruvec: int, lru: int) -> bool:
    """Is the inactive list of this kind shorter than it should be, in the statistics as of the last flush? Up to 1 GiB it is to be as long
    as the active one, of more a smaller part: int_sqrt(10 * GiB)."""
    inactive = sc.model.lruvecs.page_state(lruvec, lru)
    active = sc.model.lruvecs.page_state(lruvec, lru + 1)
    gigabytes = (inactive + active) >> 18
    ratio = 1
    if gigabytes > 0:
        while (ratio + 1) * (ratio + 1) <= 10 * gigabytes:
            ratio += 1
    return inactive * ratio < active


def scan_balance(core: Core, sc: ClassicScanControl, swappiness: int) -> int:
    """get_scan_count: which kinds of pages are looked at, and by what share. The first that applies."""
    if not sc.may_swap or core.swap.nr_swap_pages <= 0:
        return SCAN_FILE
    if sc.is_cgroup and swappiness == 0:
        return SCAN_FILE
    if sc.priority == 0 and swappiness > 0:
        return SCAN_EQUAL
    if sc.file_is_tiny:
        return SCAN_ANON
    if sc.cache_trim_mode:
        return SCAN_FILE
    return SCAN_FRACT


def get_scan_count(core: Core, sc: ClassicScanControl, group: int, lruvec: int) -> None:
    """How many pages of each list are to be scanned, into model.nr and model.targets. With SCAN_FRACT the shares follow swappiness and what
    the kinds have cost so far (calculate_pressure_balance). A group that was removed gives more, so that it ends."""
    swappiness = mem_cgroup_swappiness(core, group)
    balance = scan_balance(core, sc, swappiness)
    anon_share = 1
    file_share = 1
    denominator = 1
    if balance == SCAN_FRACT:
        total = sc.anon_cost + sc.file_cost
        anon_cost = total + sc.anon_cost
        file_cost = total + sc.file_cost
        total = anon_cost + file_cost
        anon_share = swappiness * (total + 1) // (anon_cost + 1)
        file_share = (200 - swappiness) * (total + 1) // (file_cost + 1)
        denominator = anon_share + file_share
    online = core.containers.is_online[group]
    for lru in range(LRU_UNEVICTABLE):
        size = sc.model.lruvecs.list_size(lruvec, lru, sc.highest_type)
        scan = size >> sc.priority
        if scan == 0 and online == 0:
            scan = min(size, core.swap_cluster_max)
        if balance == SCAN_FRACT:
            scan = scan * (file_share if lru >= LRU_INACTIVE_FILE else anon_share)
            if online == 0:
                scan += denominator - 1
            scan = scan // denominator
        elif (balance == SCAN_FILE and lru < LRU_INACTIVE_FILE) or (balance == SCAN_ANON and lru >= LRU_INACTIVE_FILE):
            scan = 0
        sc.model.nr[sc.depth * LRU_UNEVICTABLE + lru] = scan
        sc.model.targets[sc.depth * LRU_UNEVICTABLE + lru] = scan


def shrink_list(core: Core, nr_to_scan: int, lruvec: int, sc: ClassicScanControl, lru: int) -> int:
    if lru % 2 == LRU_INACTIVE_ANON:
        return classic_shrink_inactive_list(core, nr_to_scan, lruvec, sc, lru)
    kind = DEACTIVATE_FILE if lru == LRU_ACTIVE_FILE else DEACTIVATE_ANON
    if sc.may_deactivate & kind:
        classic_shrink_active_list(core, nr_to_scan, lruvec, sc, lru)
    else:
        sc.skipped_deactivate = True
    return 0


def shrink_lruvec(core: Core, sc: ClassicScanControl, group: int, lruvec: int) -> None:
    """The lists of one group on one node, a batch of each in turn; once enough is free, only as much as keeps the kinds in proportion.

    The writes that it started are held back until its end (blk_plug), and done then, as far as the machine's reclaim shows it.
    """
    get_scan_count(core, sc, group, lruvec)
    base = sc.depth * LRU_UNEVICTABLE
    sc.writes_done_ns = 0
    nr_reclaimed = 0
    in_proportion = 0
    if not sc.is_cgroup and not core.current_is_kswapd and sc.priority == core.def_priority:
        in_proportion = 1
    while sc.model.nr[base] > 0 or sc.model.nr[base + LRU_ACTIVE_FILE] > 0 or sc.model.nr[base + LRU_INACTIVE_FILE] > 0:
        for lru in range(LRU_UNEVICTABLE):
            nr_to_scan = min(sc.model.nr[base + lru], core.swap_cluster_max)
            if nr_to_scan > 0:
                sc.model.nr[base + lru] -= nr_to_scan
                nr_reclaimed += shrink_list(core, nr_to_scan, lruvec, sc, lru)
        if nr_reclaimed < sc.nr_to_reclaim or in_proportion != 0:
            continue
        if not cut_targets(sc, base):
            break
    if sc.writes_done_ns > 0:
        pass_time(core, sc.writes_done_ns)
        folio_lru_add_drain(core, sc.model.batches, sc.model.lruvecs)
    sc.nr_reclaimed += nr_reclaimed
    if core.swap.total_swap_pages > 0 and inactive_is_low(core, sc, lruvec, LRU_INACTIVE_ANON):
        classic_shrink_active_list(core, core.swap_cluster_max, lruvec, sc, LRU_ACTIVE_ANON)


def cut_targets(sc: ClassicScanControl, base: int) -> bool:
    """Enough is free: the kind of which less is left is done with, and the other is scanned to the same part of its target. False where one
    of them has nothing left."""
    nr_anon = sc.model.nr[base] + sc.model.nr[base + LRU_ACTIVE_ANON]
    nr_file = sc.model.nr[base + LRU_INACTIVE_FILE] + sc.model.nr[base + LRU_ACTIVE_FILE]
    if nr_file == 0 or nr_anon == 0:
        return False
    small = base
    large = base + LRU_INACTIVE_FILE
    left = nr_anon
    if nr_file <= nr_anon:
        small = base + LRU_INACTIVE_FILE
        large = base
        left = nr_file
    percentage = left * 100 // (sc.model.targets[small] + sc.model.targets[small + 1] + 1)
    sc.model.nr[small] = 0
    sc.model.nr[small + 1] = 0
    cut_target(sc, large, percentage)
    cut_target(sc, large + 1, percentage)
    return True


def cut_target(sc: ClassicScanControl, at: int, percentage: int) -> None:
    done = sc.model.targets[at] - sc.model.nr[at]
    left = sc.model.targets[at] * (100 - percentage) // 100
    sc.model.nr[at] = left - min(left, done)
