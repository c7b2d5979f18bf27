"""The lists of each memory cgroup and node, and the numbers by which reclaim goes (include/linux/mmzone.h: struct lruvec;
mm/memcontrol.c: mem_cgroup_iter, lruvec_page_state, the flush of statistics; include/linux/mm_inline.h).

A page is on one list: that of the group that pays for it, on its node; of the top group where nobody does. Until 2011 it was on two, its
zone's and its group's. Which list it is on follows from its flags and its payer, so that no frame needs a word of its own for it.

Groups are a tree, whatever the rules say of charges: where they know of no parents, every group is a child of the top one.

What reclaim asks of a group besides the lengths of its lists are its statistics as they were flushed last, those of its descendants with
them: every MEMCG_FLUSH_NS of the machine's clock, or when somebody reads them and more than STAT_THRESHOLD changes are pending.
"""

from __future__ import annotations

from typing import Final

from ..core import Core
from ..params import DAEMON_STATS, LRU_INACTIVE_ANON, LRU_INACTIVE_FILE, LRU_UNEVICTABLE, MAX_NR_ZONES, MEMCG_FLUSH_NS, NR_LRU_LISTS
from ..params import NR_ACTIVE, NR_INACTIVE, NR_UNEVICTABLE, PG_ACTIVE, PG_SWAPBACKED, PG_UNEVICTABLE

# What is flushed of a lruvec, of enum node_stat_item (include/linux/mmzone.h): the lengths of its four evictable lists, by their numbers
# (LRU_*), and the refaults that activated their page (counted by mm/workingset.c: workingset_refault). The numbers are rows here.
WORKINGSET_ACTIVATE_ANON: Final = 4
WORKINGSET_ACTIVATE_FILE: Final = 5
NR_LRUVEC_STATS: Final = 6

STAT_THRESHOLD: Final = 128  # memcg_vmstats_needs_flush (mm/memcontrol.c): MEMCG_CHARGE_BATCH for each of the recording machine's two cpus

# No kernel's number: on a real machine the first flush of a run is at any time of the two seconds. One was chosen (docs/v1.md, the model
# classic), with the clock at 0 as the machine boots.
STAT_PHASE_NS: Final = 1_000_000_000


class Lruvecs:
    """Rows by lruvec (group * nodes + node), by list (lruvec * NR_LRU_LISTS + which), and by group.

    size: pages of a list, by zone type. nonresident_age: evictions and activations so far; born_age: what it was when the group was made,
    so that a shadow of an older age is another group's. anon_cost, file_cost: what reclaim had to do for nothing. refaults: the activating
    refaults (by lruvec, two types) as of the last reclaim. position: where the walk of a target's tree stands, plus 1; 0 at its end.

    local: statistics as they are; flushed: what of them is in `stale`, which has the subtree's. updates: changes of a group that are not
    flushed; updated: the groups that have some, nr_updated of them.
    """

    def __init__(self, core: Core) -> None:
        nr_groups = core.containers.nr_containers
        self.nr_nodes = core.nr_nodes
        nr_lruvecs = nr_groups * core.nr_nodes
        arrays = core.arrays
        self.first_head = core.lru.first_head + core.nr_free_heads
        self.scan_heads = self.first_head + nr_lruvecs * NR_LRU_LISTS
        self.size = arrays.of("q", nr_lruvecs * NR_LRU_LISTS * MAX_NR_ZONES)
        self.nonresident_age = arrays.of("q", nr_lruvecs)
        self.born_age = arrays.of("q", nr_lruvecs)
        self.anon_cost = arrays.of("q", nr_lruvecs)
        self.file_cost = arrays.of("q", nr_lruvecs)
        self.refaults = arrays.of("q", nr_lruvecs * 2)
        self.position = arrays.of("i", nr_lruvecs)
        self.local = arrays.of("q", nr_lruvecs * NR_LRUVEC_STATS)
        self.flushed = arrays.of("q", nr_lruvecs * NR_LRUVEC_STATS)
        self.stale = arrays.of("q", nr_lruvecs * NR_LRUVEC_STATS)
        self.updates = arrays.of("q", nr_groups)
        self.updated = arrays.of("I", nr_groups)
        self.nr_updated = 0

    def lruvec(self, group: int, node: int) -> int:
        """mem_cgroup_lruvec."""
        return group * self.nr_nodes + node

    def parent_lruvec(self, core: Core, lruvec: int) -> int:
        """That of the parent on the same node, or -1."""
        above = core.containers.parent[lruvec // self.nr_nodes]
        if above < 0:
            return -1
        return above * self.nr_nodes + lruvec % self.nr_nodes

    def head(self, place: int) -> int:
        """The head of a list."""
        return self.first_head + place

    def list_size(self, lruvec: int, lru: int, highest_type: int) -> int:
        """lruvec_lru_size: pages of the zones up to this type."""
        at = (lruvec * NR_LRU_LISTS + lru) * MAX_NR_ZONES
        pages = 0
        for kind in range(highest_type + 1):
            pages += self.size[at + kind]
        return pages

    def page_state(self, lruvec: int, item: int) -> int:
        """lruvec_page_state: as of the last flush."""
        return self.stale[lruvec * NR_LRUVEC_STATS + item]

    # Walks

    def first_of_walk(self, core: Core, root: int, node: int, is_partial: bool) -> int:
        """mem_cgroup_iter without a group before: the first of the root's tree, or, for who may stop early, the one after where the last
        such walk stopped."""
        if not is_partial:
            return root
        at = self.lruvec(root, node)
        found = core.containers.next_in_subtree(root, self.position[at] - 1)
        if found < 0:
            self.position[at] = root + 1
            return root
        self.position[at] = found + 1
        return found

    def next_of_walk(self, core: Core, root: int, node: int, group: int, is_partial: bool) -> int:
        """The group after this one, or -1 at the end of the round."""
        found = core.containers.next_in_subtree(root, group)
        if is_partial:
            self.position[self.lruvec(root, node)] = found + 1
        return found

    # Groups come and go

    def init_group(self, core: Core, group: int) -> None:
        """mem_cgroup_css_online: empty lists, nothing counted."""
        for lruvec in range(group * self.nr_nodes, (group + 1) * self.nr_nodes):
            for place in range(lruvec * NR_LRU_LISTS, (lruvec + 1) * NR_LRU_LISTS):
                core.lru.init_head(self.head(place))
            for at in range(lruvec * NR_LRUVEC_STATS, (lruvec + 1) * NR_LRUVEC_STATS):
                self.local[at] = 0
                self.flushed[at] = 0
                self.stale[at] = 0
            self.born_age[lruvec] = self.nonresident_age[lruvec]
            self.anon_cost[lruvec] = 0
            self.file_cost[lruvec] = 0
            self.refaults[2 * lruvec] = 0
            self.refaults[2 * lruvec + 1] = 0
            self.position[lruvec] = 0

    def drop_group(self, core: Core, group: int) -> None:
        """mem_cgroup_css_released: what it counted is its ancestors', and walks that stand at it begin anew. Its age goes on, so that no
        shadow of its is taken for one of the next group with this number."""
        self.flush_group(core, group)
        above = group
        while above >= 0:
            for lruvec in range(above * self.nr_nodes, (above + 1) * self.nr_nodes):
                if self.position[lruvec] == group + 1:
                    self.position[lruvec] = 0
            above = core.containers.parent[above]
        for lruvec in range(group * self.nr_nodes, (group + 1) * self.nr_nodes):
            self.nonresident_age[lruvec] += 1
            self.born_age[lruvec] = self.nonresident_age[lruvec]

    # Statistics

    def change(self, core: Core, lruvec: int, item: int, amount: int) -> None:
        """__mod_memcg_lruvec_state, and memcg_rstat_updated: the group has something to flush, which happens at its time."""
        self.local[lruvec * NR_LRUVEC_STATS + item] += amount
        self.note_update(core, lruvec // self.nr_nodes, 1)

    def note_update(self, core: Core, group: int, amount: int) -> None:
        if self.updates[group] == 0:
            if self.nr_updated == 0 and core.daemons.is_asleep(DAEMON_STATS):
                core.daemons.set_due(DAEMON_STATS, next_flush_ns(core.clock_ns))
            self.updated[self.nr_updated] = group
            self.nr_updated += 1
        self.updates[group] += amount

    def flush(self, core: Core) -> None:
        """do_flush_stats, of the whole tree: what changed since the last time is seen by reclaim, in the group and in all above it."""
        for place in range(self.nr_updated):
            self.flush_group(core, self.updated[place])
            self.updates[self.updated[place]] = 0
        self.nr_updated = 0

    def flush_group(self, core: Core, group: int) -> None:
        """mem_cgroup_css_rstat_flush."""
        for lruvec in range(group * self.nr_nodes, (group + 1) * self.nr_nodes):
            for item in range(NR_LRUVEC_STATS):
                at = lruvec * NR_LRUVEC_STATS + item
                delta = self.local[at] - self.flushed[at]
                if delta != 0:
                    self.flushed[at] += delta
                    above = lruvec
                    while above >= 0:
                        self.stale[above * NR_LRUVEC_STATS + item] += delta
                        above = self.parent_lruvec(core, above)

    def pending(self, core: Core, root: int) -> int:
        """Changes of the subtree that are not flushed. Cost: O(groups that have some)."""
        found = 0
        for place in range(self.nr_updated):
            if core.containers.is_below(self.updated[place], root):
                found += self.updates[self.updated[place]]
        return found

    def walk(self, core: Core, group: int, lru: int) -> list[int]:
        """A group's pages on one kind of list, those of all nodes, each from the head."""
        found: list[int] = []
        for lruvec in range(group * self.nr_nodes, (group + 1) * self.nr_nodes):
            found += core.lru.order(self.head(lruvec * NR_LRU_LISTS + lru))
        return found


def next_flush_ns(now_ns: int) -> int:
    """flush_memcg_stats_dwork: the next time after now at which it runs."""
    nr_past = (now_ns + MEMCG_FLUSH_NS - STAT_PHASE_NS) // MEMCG_FLUSH_NS
    return nr_past * MEMCG_FLUSH_NS + STAT_PHASE_NS


def folio_memcg(core: Core, pfn: int) -> int:
    """The group on whose lists the page belongs."""
    if core.frames.meta_refs[pfn] == 0:
        return 0
    return core.frames.container[pfn]


def folio_lruvec(core: Core, lruvecs: Lruvecs, pfn: int) -> int:
    return lruvecs.lruvec(folio_memcg(core, pfn), core.frames.zone(pfn) // MAX_NR_ZONES)


def is_file_lru(core: Core, pfn: int) -> bool:
    """folio_is_file_lru: a page that needs no slot of swap to go."""
    return not core.frames.has(pfn, PG_SWAPBACKED)


def folio_lru_list(core: Core, pfn: int) -> int:
    """The kind of list that its flags say."""
    if core.frames.has(pfn, PG_UNEVICTABLE):
        return LRU_UNEVICTABLE
    lru = LRU_INACTIVE_FILE
    if core.frames.has(pfn, PG_SWAPBACKED):
        lru = LRU_INACTIVE_ANON
    if core.frames.has(pfn, PG_ACTIVE):
        lru += 1
    return lru


def update_lru_size(core: Core, lruvecs: Lruvecs, pfn: int, lruvec: int, amount: int) -> None:
    """A page more, or less, on the list that its flags say: of its zone, and of its group."""
    lru = folio_lru_list(core, pfn)
    zone = core.frames.zone(pfn)
    lruvecs.size[(lruvec * NR_LRU_LISTS + lru) * MAX_NR_ZONES + zone % MAX_NR_ZONES] += amount
    if lru == LRU_UNEVICTABLE:
        core.zones.add(zone, NR_UNEVICTABLE, amount)
        return
    core.zones.add(zone, NR_ACTIVE if core.frames.has(pfn, PG_ACTIVE) else NR_INACTIVE, amount)
    lruvecs.change(core, lruvec, lru, amount)


def lruvec_add_folio(core: Core, lruvecs: Lruvecs, pfn: int) -> None:
    lruvec = folio_lruvec(core, lruvecs, pfn)
    update_lru_size(core, lruvecs, pfn, lruvec, 1)
    core.lru.add(lruvecs.head(lruvec * NR_LRU_LISTS + folio_lru_list(core, pfn)), pfn)


def lruvec_add_folio_tail(core: Core, lruvecs: Lruvecs, pfn: int) -> None:
    lruvec = folio_lruvec(core, lruvecs, pfn)
    update_lru_size(core, lruvecs, pfn, lruvec, 1)
    core.lru.add_tail(lruvecs.head(lruvec * NR_LRU_LISTS + folio_lru_list(core, pfn)), pfn)


def lruvec_del_folio(core: Core, lruvecs: Lruvecs, pfn: int) -> None:
    update_lru_size(core, lruvecs, pfn, folio_lruvec(core, lruvecs, pfn), -1)
    core.lru.remove(pfn)


def change_lruvec(core: Core, lruvecs: Lruvecs, pfn: int, old_group: int) -> None:
    """The page has another payer than the group on whose list it still is: to the head of the same list of the new one's."""
    update_lru_size(core, lruvecs, pfn, lruvecs.lruvec(old_group, core.frames.zone(pfn) // MAX_NR_ZONES), -1)
    core.lru.remove(pfn)
    lruvec_add_folio(core, lruvecs, pfn)
