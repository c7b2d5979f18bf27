"""Slots, areas, the swap cache and the swap token."""

from __future__ import annotations

from collections import Counter

from .. import params
from ..dump import entries
from ..params import MAX_SWAPFILES, SWAPFILE_CLUSTER
from .walk import Walk


def check_swap(walk: Walk) -> None:
    """A slot is used by the entries that name it and by its page in the swap cache; page and slot know each other."""
    swap, private = walk.core.swap, walk.core.frames.private
    cached = walk.with_flag(params.PG_SWAPCACHE)
    users = Counter(walk.swapped)
    for number, file in walk.machine.files.items():
        if not file.is_on_disk:
            users.update(entries(walk.core, 2 * number + 1).values())
    for pfn in cached:
        users[private[pfn]] += 1
        walk.equal(f"frame {pfn}: page of its slot {private[pfn]}", swap.cache[private[pfn]], pfn)
    walk.equal("pages in the swap cache", swap.nr_cached, len(cached))
    for slot, used in users.items():
        walk.equal(f"slot {slot}: users", swap.map[slot], used)
    check_swap_areas(walk, users)


def check_swap_areas(walk: Walk, users: Counter[int]) -> None:
    """Each area counts its slots in use, and no slot is used outside of one; the list holds all areas, the highest priority first."""
    swap = walk.core.swap
    known = sorted(walk.machine.swapfiles.by_name.values())
    walk.expect(known == [area for area in range(MAX_SWAPFILES) if swap.max[area]], "swap areas and their names do not agree")
    in_use = Counter(area for area in known for slot in users if swap.start[area] < slot < swap.start[area] + swap.max[area])
    walk.equal("swap slots in use", sum(in_use.values()), len(users))
    for area in known:
        first, end = swap.start[area] + 1, swap.start[area] + swap.max[area]
        counts = memoryview(swap.map)[first:end].tolist()
        walk.equal(f"swap area {area}: slots in use", swap.inuse_pages[area], in_use[area])
        walk.equal(f"users of all slots of swap area {area}", sum(counts), sum(users[slot] for slot in users if first <= slot < end))
        lowest, highest = swap.lowest_bit[area], swap.highest_bit[area]
        is_full = swap.inuse_pages[area] == swap.pages[area]
        outside = counts[: max(lowest - first, 0)] + counts[highest + 1 - first :]
        walk.expect(is_full == (highest == 0), f"swap area {area}: highest_bit is {highest} with {in_use[area]} slots in use")
        walk.expect(is_full or 0 not in outside, f"swap area {area}: free slots lie outside of lowest_bit..highest_bit")
        of_block = Counter(slot // SWAPFILE_CLUSTER for slot in users if first <= slot < end)
        for block in range(swap.start[area] // SWAPFILE_CLUSTER, (end - 1) // SWAPFILE_CLUSTER + 1):
            walk.equal(f"swap area {area}: slots in use of block {block}", swap.block_used[block], of_block[block])
        walk.expect(swap.area_of(first) == swap.area_of(end - 1) == area, f"swap area {area}: its slots are another's")
    listed, area = [], swap.head
    while area >= 0 and area not in listed:
        listed.append(area)
        area = swap.next_of[area]
    walk.expect(sorted(listed) == known and all(swap.is_writeok[area] for area in known), "the list of swap areas is not whole")
    priorities = [swap.prio[area] for area in listed]
    walk.expect(priorities == sorted(priorities, reverse=True), "the list of swap areas is not by priority")
    walk.expect(swap.next in listed or (not listed and swap.next < 0), "no swap area is next")
    walk.equal("swap slots in all", swap.total_swap_pages, sum(swap.pages[area] for area in known))
    walk.equal("free swap slots", swap.nr_swap_pages, swap.total_swap_pages - len(users))


def check_token(walk: Walk) -> None:
    """The swap token is nobody's or a living address space's, and no fault is under way."""
    holder = walk.core.token.mm
    walk.expect(holder == 0 or holder in walk.machine.spaces, f"mm {holder} holds the swap token, and is not there")
    walk.expect(not any(walk.core.mms.in_fault[mm] for mm in walk.machine.spaces), "a fault is under way")
