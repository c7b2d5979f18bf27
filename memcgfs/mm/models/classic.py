"""The model of Linux 6.18 without generations (CONFIG_LRU_GEN off): two lists of anonymous pages and two of files' for each group and node,
one list a page (mm/swap.c, mm/vmscan.c, mm/workingset.c).

Here is how pages get on and off the lists, and who calls for reclaim. The lists and the numbers of groups stand in lruvec.py, the ways
between lists in folio_batch.py, refaults in workingset.py, what a scan asks of mappings in folio_rmap.py, scans in classic_scan.py, and
the walk from a request to them in classic_reclaim.py.
"""

from __future__ import annotations

from ..core import Core
from ..lru import MAX_SCAN_DEPTH
from ..model import Model
from ..page_writeback import wakeup_pdflush
from ..params import LRU_ACTIVE_ANON, LRU_ACTIVE_FILE, LRU_INACTIVE_ANON, LRU_INACTIVE_FILE, LRU_UNEVICTABLE, NR_LRU_LISTS
from ..params import MAX_NR_ZONES, PG_ACTIVE, PG_LRU, PG_UNEVICTABLE
from ..waiting import pass_time
from .classic_reclaim import classic_balance_pgdat, reclaim_for_allocation, reclaim_for_limit, reclaim_one_folio
from .classic_scan import NR_CLASSIC_SCAN_LISTS
from .folio_batch import NR_FOLIO_BATCHES, FolioBatches, folio_activate, folio_add_lru, folio_deactivate
from .folio_batch import folio_lru_add_drain, folio_mark_accessed, folio_mark_lazyfree, folio_rotate_reclaimable
from .folio_rmap import unmapped_from_recent
from .lruvec import STAT_THRESHOLD, Lruvecs, change_lruvec, lruvec_add_folio, lruvec_del_folio
from .workingset import mark_swapbacked, workingset_refault


def wait_for_disks(core: Core) -> None:
    """Until what they have been asked for by now is done."""
    until_ns = core.clock_ns
    for disk in range(core.disks.nr_disks):
        until_ns = max(until_ns, core.disks.free_from_ns[disk] + core.disks.latency_ns)
    pass_time(core, until_ns)


class Classic(Model):
    """nr, targets: by depth of reclaims within reclaims, the pages of each list that are still to be scanned, and that were at first."""

    name = "classic"

    def __init__(self, core: Core) -> None:
        Model.__init__(self)
        self.lists_all_charged = False
        self.knobs = frozenset({"soft_limit"})
        self.lruvecs = Lruvecs(core)
        self.batches = FolioBatches(core)
        self.nr = core.arrays.of("q", MAX_SCAN_DEPTH * LRU_UNEVICTABLE)
        self.targets = core.arrays.of("q", MAX_SCAN_DEPTH * LRU_UNEVICTABLE)
        for head in range(self.lruvecs.scan_heads, self.lruvecs.scan_heads + NR_CLASSIC_SCAN_LISTS * MAX_SCAN_DEPTH):
            core.lru.init_head(head)

    @staticmethod
    def list_heads(nr_containers: int, nr_nodes: int) -> tuple[int, int]:
        """Those of the lruvecs, and behind them private lists for each scan depth; a page is on no list but its lruvec's."""
        return (nr_containers * nr_nodes * NR_LRU_LISTS + NR_CLASSIC_SCAN_LISTS * MAX_SCAN_DEPTH, 0)

    # Pages come and go

    def page_added(self, core: Core, pfn: int, active: bool) -> None:
        """Since 5.9 every page begins on the inactive list, but for one that a refault has marked."""
        mark_swapbacked(core, pfn)
        folio_add_lru(core, self.batches, self.lruvecs, pfn)

    def page_arrived(self, core: Core, pfn: int) -> None:
        self.page_added(core, pfn, False)

    def page_accessed(self, core: Core, pfn: int) -> None:
        folio_mark_accessed(core, self.batches, self.lruvecs, pfn)

    def activate(self, core: Core, pfn: int) -> None:
        folio_activate(core, self.batches, self.lruvecs, pfn)

    def refaulted(self, core: Core, pfn: int, age: int, whose: int) -> None:
        mark_swapbacked(core, pfn)
        workingset_refault(core, self.lruvecs, pfn, age, whose)

    def mapped(self, core: Core, pfn: int, vma: int) -> None:
        core.meta.prev[pfn] = vma

    def unmapped(self, core: Core, pfn: int, mm: int, vpn: int) -> None:
        if unmapped_from_recent(core, pfn, mm, vpn):
            self.page_accessed(core, pfn)

    def page_freed(self, core: Core, pfn: int) -> None:
        """__page_cache_release: a page that is on a list is freed."""
        lruvec_del_folio(core, self.lruvecs, pfn)
        core.frames.clear(pfn, PG_LRU | PG_ACTIVE | PG_UNEVICTABLE)

    def written(self, core: Core, pfn: int) -> None:
        folio_rotate_reclaimable(core, self.batches, self.lruvecs, pfn)

    def drain(self, core: Core) -> None:
        folio_lru_add_drain(core, self.batches, self.lruvecs)

    def charged(self, core: Core, pfn: int, container: int) -> None:
        if core.frames.has(pfn, PG_LRU):
            change_lruvec(core, self.lruvecs, pfn, 0)

    def uncharged(self, core: Core, pfn: int, container: int) -> None:
        if core.frames.has(pfn, PG_LRU):
            change_lruvec(core, self.lruvecs, pfn, container)

    # Advice

    def mlocked(self, core: Core, pfn: int) -> None:
        """__mlock_folio. One that is on its way to a list goes to the right one by itself."""
        if core.frames.has(pfn, PG_LRU) and not core.frames.has(pfn, PG_UNEVICTABLE):
            lruvec_del_folio(core, self.lruvecs, pfn)
            core.frames.clear(pfn, PG_ACTIVE)
            core.frames.set(pfn, PG_UNEVICTABLE)
            lruvec_add_folio(core, self.lruvecs, pfn)

    def munlocked(self, core: Core, pfn: int) -> None:
        """__munlock_folio: to the inactive list."""
        if core.frames.has(pfn, PG_LRU) and core.frames.has(pfn, PG_UNEVICTABLE):
            lruvec_del_folio(core, self.lruvecs, pfn)
            core.frames.clear(pfn, PG_UNEVICTABLE)
            lruvec_add_folio(core, self.lruvecs, pfn)

    def lazyfree(self, core: Core, pfn: int) -> None:
        folio_mark_lazyfree(core, self.batches, self.lruvecs, pfn)

    def deactivate(self, core: Core, pfn: int) -> None:
        folio_deactivate(core, self.batches, self.lruvecs, pfn)

    def reclaim_page(self, core: Core, pfn: int) -> bool:
        return reclaim_one_folio(core, self, pfn)

    # Groups

    def container_made(self, core: Core, container: int) -> None:
        self.lruvecs.init_group(core, container)

    def container_removed(self, core: Core, container: int) -> None:
        self.lruvecs.drop_group(core, container)

    # Reclaim

    def shrink_zones(self, core: Core, zonelist: int, order: int, gfp: int) -> bool:
        return reclaim_for_allocation(core, self, zonelist, order, gfp)

    def shrink_container(self, core: Core, container: int) -> bool:
        return reclaim_for_limit(core, self, container, True) > 0

    def shrink_subtree(self, core: Core, container: int, may_swap: bool) -> int:
        return reclaim_for_limit(core, self, container, may_swap)

    def run_kswapd(self, core: Core, node: int) -> int:
        classic_balance_pgdat(core, self, node)
        return -1

    def wakeup_flushers(self, core: Core) -> None:
        """wakeup_flusher_threads: all that is dirty is to be written."""
        wakeup_pdflush(core, 0)

    def last_resort(self, core: Core, container: int) -> bool:
        """Reclaim goes by statistics of up to two seconds ago, for which the kernel sometimes kills while swap is free and pages could go.
        Here they are brought up to date, and a last reclaim made, where there is something to be hoped for: also of pages that are being
        read, which nobody can take before the disks have done with them (and which would be, by the time the kernel has tried so often)."""
        wait_for_disks(core)
        self.lruvecs.flush(core)
        lists = 0
        at = core.containers.next_in_subtree(container, -1)
        while at >= 0:
            for lruvec in range(at * core.nr_nodes, (at + 1) * core.nr_nodes):
                for lru in range(LRU_UNEVICTABLE):
                    if lru >= LRU_INACTIVE_FILE or core.swap.nr_swap_pages > 0:
                        lists += self.lruvecs.list_size(lruvec, lru, MAX_NR_ZONES - 1)
            at = core.containers.next_in_subtree(container, at)
        return lists > 0

    # Statistics

    def flush_stats(self, core: Core) -> int:
        """flush_memcg_stats_dwork. It is put off until something has changed, and then runs when it would have run."""
        self.lruvecs.flush(core)
        return -1

    def stats_read(self, core: Core, container: int) -> None:
        """mem_cgroup_flush_stats: somebody reads a group's statistics."""
        if self.lruvecs.pending(core, container) > STAT_THRESHOLD:
            self.lruvecs.flush(core)

    def lru_size(self, core: Core, container: int, which: int) -> int:
        pages = 0
        for lruvec in range(container * core.nr_nodes, (container + 1) * core.nr_nodes):
            pages += self.lruvecs.list_size(lruvec, which, MAX_NR_ZONES - 1)
        return pages

    def walk(self, core: Core, container: int) -> tuple[list[int], list[int]]:
        active: list[int] = []
        inactive: list[int] = []
        at = max(container, 0)
        while at >= 0:
            active += self.lruvecs.walk(core, at, LRU_ACTIVE_ANON) + self.lruvecs.walk(core, at, LRU_ACTIVE_FILE)
            inactive += self.lruvecs.walk(core, at, LRU_INACTIVE_ANON) + self.lruvecs.walk(core, at, LRU_INACTIVE_FILE)
            at = core.containers.next_in_subtree(0, at) if container < 0 else -1
        return (active, inactive)

    def unevictable(self, core: Core) -> list[int]:
        found: list[int] = []
        at = 0
        while at >= 0:
            found += self.lruvecs.walk(core, at, LRU_UNEVICTABLE)
            at = core.containers.next_in_subtree(0, at)
        return found

    def waiting(self) -> tuple[list[int], list[int]]:
        """All wait for one list or the other; which, their flags say."""
        return ([], [pfn for batch in range(NR_FOLIO_BATCHES) for pfn in self.batches.waiting(batch)])
