"""The swap area: slots, their use counts and the swap cache's index (mm/swapfile.c; the index stands for swapper_space).

A slot's count (swap_map) is one for each page table entry that holds it, and one for the swap cache. Slot 0 is the area's header.
"""

from __future__ import annotations

from .arrays import array_of
from .params import PAGE_WORDS, SLOT_WORDS, SWAPFILE_CLUSTER


class SwapArea:
    def __init__(self, nr_pages: int) -> None:
        """`nr_pages` with the header: one slot less can be used. 0 is a machine without swap."""
        self.max = nr_pages
        self.pages = max(nr_pages - 1, 0)
        slots = array_of("I", nr_pages * SLOT_WORDS)
        self.map = slots[0::SLOT_WORDS]
        self.cache = slots[1::SLOT_WORDS]
        self.content = slots[2::SLOT_WORDS]
        self.block_used = array_of("H", nr_pages // SWAPFILE_CLUSTER + 2)
        self.words = array_of("Q", nr_pages * PAGE_WORDS)
        self.nr_used = 0
        self.nr_cached = 0
        self.lowest_bit = 1
        self.highest_bit = self.pages
        self.cluster_next = 1
        self.cluster_nr = 0

    def is_full(self) -> bool:
        """vm_swap_full: less than half of the swap is free, so slots are not kept for clean pages."""
        return self.pages - self.nr_used < self.pages // 2 + self.pages % 2

    def take(self) -> int:
        """get_swap_page: a slot with count 1, or 0 where there is none left.

        Runs of SWAPFILE_CLUSTER slots are taken in a row; then the lowest free run of that length is looked for, and where
        there is none, the lowest free slot.
        """
        if self.nr_used == self.pages:
            return 0
        if self.cluster_nr == 0:
            self.cluster_nr = SWAPFILE_CLUSTER - 1
            self.cluster_next = self.find_cluster()
        else:
            self.cluster_nr -= 1
        offset = self.cluster_next
        if offset > self.highest_bit:
            offset = self.lowest_bit
        while self.map[offset] != 0:
            offset += 1
            if offset > self.highest_bit:
                offset = self.lowest_bit
        self.claim(offset)
        return offset

    def find_cluster(self) -> int:
        """The first of SWAPFILE_CLUSTER free slots in a row, or the lowest free slot.

        The kernel looks at every slot; here a run is pieced together from what is free at the end of one aligned block and at the
        start of the next, which finds the same run. Cost: O(slots / SWAPFILE_CLUSTER), once in SWAPFILE_CLUSTER slots.
        """
        if self.pages - self.nr_used >= SWAPFILE_CLUSTER:
            start = self.lowest_bit
            last_in_cluster = start + SWAPFILE_CLUSTER - 1
            while last_in_cluster <= self.highest_bit:
                used = self.last_used(start, last_in_cluster)
                if used == 0:
                    return start
                start = used + 1
                last_in_cluster = start + SWAPFILE_CLUSTER - 1
        return self.lowest_bit

    def last_used(self, first: int, last: int) -> int:
        """The last slot of [first, last] that is in use, or 0: a run cannot begin before it. Whole blocks in use are skipped."""
        block = last // SWAPFILE_CLUSTER
        if self.block_used[block] == SWAPFILE_CLUSTER:
            while self.block_used[block + 1] == SWAPFILE_CLUSTER:
                block += 1
            return block * SWAPFILE_CLUSTER + (SWAPFILE_CLUSTER - 1)
        slot = last
        while slot >= first:
            if self.map[slot] != 0:
                return slot
            slot -= 1
        return 0

    def claim(self, offset: int) -> None:
        if offset == self.lowest_bit:
            self.lowest_bit += 1
        if offset == self.highest_bit:
            self.highest_bit -= 1
        self.nr_used += 1
        if self.nr_used == self.pages:
            self.lowest_bit = self.max
            self.highest_bit = 0
        self.map[offset] = 1
        self.block_used[offset // SWAPFILE_CLUSTER] += 1
        self.cluster_next = offset + 1

    def duplicate(self, slot: int) -> bool:
        """swap_duplicate: one user more. False where nobody uses the slot."""
        if self.map[slot] == 0:
            return False
        self.map[slot] += 1
        return True

    def free(self, slot: int) -> int:
        """swap_entry_free: one user less; gives the users left."""
        left = self.map[slot] - 1
        self.map[slot] = left
        if left == 0:
            self.content[slot] = 0
            if slot < self.lowest_bit:
                self.lowest_bit = slot
            if slot > self.highest_bit:
                self.highest_bit = slot
            self.nr_used -= 1
            self.block_used[slot // SWAPFILE_CLUSTER] -= 1
        return left
