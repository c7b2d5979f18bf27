"""Soft limits: when the machine is short of memory, who is most above his is asked before everybody (mm/memcontrol-v1.c of 6.18:
memcg1_soft_limit_reclaim, mem_cgroup_soft_reclaim; mm/vmscan.c: mem_cgroup_shrink_node).

The kernel keeps a tree of the groups by excess for each node, brought up to date every 1,024 pages that a group charges or gives back.
Here the groups are looked at when reclaim asks, so that a charge costs nothing, and what is found is as it is now.
"""

from __future__ import annotations

from typing import Final

from ..core import Core
from .classic_scan import ClassicScanControl, shrink_lruvec

# mm/memcontrol-v1.c.
MAX_SOFT_RECLAIM_ROUNDS: Final = 100  # MEM_CGROUP_MAX_RECLAIM_LOOPS: through one group and those below it
MAX_SOFT_RECLAIM_GROUPS: Final = 3  # tries in a row that free nothing: MEM_CGROUP_MAX_SOFT_LIMIT_RECLAIM_LOOPS, and the one that exceeds it


def soft_limit_excess(core: Core, group: int) -> int:
    """Pages that it uses, with all below it, above its soft limit."""
    if core.counters.pages(group) <= core.containers.soft_limit[group]:
        return 0
    return core.counters.pages(group) - core.containers.soft_limit[group]


def largest_soft_limit_excess(core: Core, but: int) -> int:
    """mem_cgroup_largest_soft_limit_node: the group that has most above its soft limit, of equals the first of the walk; not `but`, which
    has just been asked. -1 where there is none. Cost: O(groups)."""
    found = -1
    most = 0
    group = 0
    while group >= 0:
        excess = soft_limit_excess(core, group)
        if excess > most and group != but:
            most = excess
            found = group
        group = core.containers.next_in_subtree(0, group)
    return found


def soft_reclaim(core: Core, sc: ClassicScanControl, root: int, node: int) -> None:
    """mem_cgroup_soft_reclaim: the group and those below it in turn, until it is within its soft limit; or twice around, and again while
    less than a quarter of the excess is free."""
    enough = soft_limit_excess(core, root) >> 2
    nr_before = sc.nr_reclaimed
    nr_rounds = 0
    group = sc.model.lruvecs.first_of_walk(core, root, node, True)
    while True:
        sc.target = group
        shrink_lruvec(core, sc, group, sc.model.lruvecs.lruvec(group, node))
        if soft_limit_excess(core, root) == 0:
            break
        group = sc.model.lruvecs.next_of_walk(core, root, node, group, True)
        if group < 0:
            nr_rounds += 1
            if nr_rounds > MAX_SOFT_RECLAIM_ROUNDS:
                break
            if nr_rounds >= 2 and (sc.nr_reclaimed == nr_before or sc.nr_reclaimed - nr_before >= enough):
                break
            group = sc.model.lruvecs.first_of_walk(core, root, node, True)


def soft_limit_reclaim(core: Core, outer: ClassicScanControl, node: int) -> None:
    """memcg1_soft_limit_reclaim: on behalf of the machine, for single pages. All of a group's lists are looked at (priority 0), as who is
    within his soft limit pays for what is not found here. Where the first group has nothing to give, the next one is asked."""
    if outer.order > 0:
        return
    group = largest_soft_limit_excess(core, -1)
    if group >= 0:
        reclaim_excess(core, outer, node, group)


def reclaim_excess(core: Core, outer: ClassicScanControl, node: int, first: int) -> None:
    sc = ClassicScanControl(core, outer.model, first, True, outer.gfp_mask)
    sc.depth = outer.depth
    sc.priority = 0
    group = first
    nr_tries = 0
    while group >= 0 and nr_tries < MAX_SOFT_RECLAIM_GROUPS and sc.nr_reclaimed == 0:
        soft_reclaim(core, sc, group, node)
        group = largest_soft_limit_excess(core, group)
        nr_tries += 1
    outer.nr_reclaimed += sc.nr_reclaimed
    if not core.current_is_kswapd:
        outer.nr_scanned += sc.nr_scanned
