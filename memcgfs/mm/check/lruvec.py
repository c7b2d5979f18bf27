"""The lists of today's model, for each group and node, with their numbers and batches."""

from __future__ import annotations

from collections import Counter

from .. import params
from ..models.folio_batch import BATCH_ADD
from ..models.lruvec import NR_LRUVEC_STATS
from ..params import MAX_SWAPFILES, ZONE_SHIFT
from .walk import Walk


def check_lruvecs(walk: Walk) -> None:
    """Today's model: a page is on the list that its flags and its payer say, and counted there; what is flushed is in all above; who has
    something to flush waits for it once; a page in a batch is on no list, if it is a new one; a slot has a shadow or a page."""
    core, model = walk.core, walk.core.model
    if not isinstance(model, walk.machine.engine.Classic):
        return
    lruvecs, batches = model.lruvecs, model.batches
    flushed: Counter[tuple[int, int]] = Counter()
    for cid in {**walk.machine.containers, **walk.machine.offline}:
        for node in range(core.nr_nodes):
            lruvec = lruvecs.lruvec(cid, node)
            for lru in range(params.NR_LRU_LISTS):
                check_lru_list(walk, cid, node, lru)
            for item in range(NR_LRUVEC_STATS):
                amount = lruvecs.flushed[lruvec * NR_LRUVEC_STATS + item]
                pending = lruvecs.local[lruvec * NR_LRUVEC_STATS + item] != amount
                walk.expect(not pending or lruvecs.updates[cid] > 0, f"container {cid}: something is to be flushed, and nobody knows")
                above = cid
                while above >= 0:
                    flushed[lruvecs.lruvec(above, node), item] += amount
                    above = core.containers.parent[above]
            walk.expect(lruvecs.born_age[lruvec] <= lruvecs.nonresident_age[lruvec], f"container {cid}: it was born later than now")
    for (lruvec, item), amount in flushed.items():
        stale = lruvecs.page_state(lruvec, item)
        what = f"lruvec {lruvec}: statistic {item} as it was flushed"
        if item < params.LRU_UNEVICTABLE:
            walk.equal(what, stale, amount)
        walk.expect(stale >= amount, f"{what} is less than those of its tree")
    waiting = list(lruvecs.updated[: lruvecs.nr_updated])
    walk.equal("groups that have something to flush", len(set(waiting)), len(waiting))
    walk.expect(all(lruvecs.updates[cid] for cid in waiting), "a group without changes is to be flushed")
    new = batches.waiting(BATCH_ADD)
    walk.expect(not any(walk.flags[pfn] & params.PG_LRU for pfn in new), "a page is on its way to its list, and there")
    swap = core.swap
    for area in range(MAX_SWAPFILES):
        for slot in range(swap.start[area], swap.start[area] + swap.max[area]):
            both = swap.shadow[slot] and (swap.cache[slot] or not swap.map[slot])
            walk.expect(not both, f"slot {slot}: a shadow of a page that is there, or of none")


def check_lru_list(walk: Walk, cid: int, node: int, lru: int) -> None:
    core, lruvecs = walk.core, walk.core.model.lruvecs
    lruvec = lruvecs.lruvec(cid, node)
    pages = core.lru.order(lruvecs.head(lruvec * params.NR_LRU_LISTS + lru))
    what = f"container {cid}, node {node}, list {lru}"
    kinds = Counter((walk.flags[pfn] >> ZONE_SHIFT) % params.MAX_NR_ZONES for pfn in pages)
    at = (lruvec * params.NR_LRU_LISTS + lru) * params.MAX_NR_ZONES
    for kind in range(params.MAX_NR_ZONES):
        walk.equal(f"{what}: pages of zone type {kind}", lruvecs.size[at + kind], kinds[kind])
    if lru < params.LRU_UNEVICTABLE:
        walk.equal(f"{what}: statistic", lruvecs.local[lruvec * NR_LRUVEC_STATS + lru], len(pages))
    for pfn in pages:
        flags = walk.flags[pfn]
        payer = walk.container[pfn] if walk.meta_refs[pfn] else 0
        walk.equal(f"frame {pfn}: payer, on {what}", payer, cid)
        walk.equal(f"frame {pfn}: node, on {what}", (flags >> ZONE_SHIFT) // params.MAX_NR_ZONES, node)
        kind = params.LRU_INACTIVE_ANON if flags & params.PG_SWAPBACKED else params.LRU_INACTIVE_FILE
        expected = params.LRU_UNEVICTABLE if flags & params.PG_UNEVICTABLE else kind + bool(flags & params.PG_ACTIVE)
        walk.equal(f"frame {pfn}: the list that its flags say", expected, lru)
