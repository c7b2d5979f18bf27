"""The swap areas: slots, their use counts and the swap cache's index (mm/swapfile.c; the index stands for swapper_space).

A slot has one number among all areas, as a swap entry holds it: an area is the run [start, start + max) of them, and its first slot is
its header. Areas start at multiples of SWAP_AREA_SLOTS, so that what is aligned in an area is aligned among all. A slot's count
(swap_map) is one for each page table entry that holds it, and one for the swap cache.
"""

from __future__ import annotations

from .arrays import Arrays, pages_of
from .params import MAX_SWAPFILES, SLOT_WORDS, SWAP_AREA_SHIFT, SWAPFILE_CLUSTER


class SwapAreas:
    """Rows by slot: map (users), cache (the page in the swap cache), content (were bytes ever written?), owner (the
    container that pays for it, and 1: swap_cgroup), shadow and shadow_age (see shadows.py), and the bytes.

    Rows by area, the kernel's swap_info: start and max; pages, those without the header; inuse_pages; the free slots lie between
    lowest_bit and highest_bit, which is 0 where there are none; cluster_next, cluster_nr: where the next slot is taken, and how many
    more in a row; prio; next_of, the next area in the list by priority. is_writeok: it is in the list.

    head, next: the list, and where in it the next slot is looked for; -1 where there is none. nr_swap_pages: free slots of the areas in
    use, less those in use of an area that is being swapped off.
    """

    def __init__(self, arrays: Arrays, nr_slots: int) -> None:
        """No area as yet, and slot numbers below nr_slots for those to come."""
        self.nr_slots = nr_slots
        slots = arrays.of("I", nr_slots * SLOT_WORDS)
        self.map = slots[0::SLOT_WORDS]
        self.cache = slots[1::SLOT_WORDS]
        self.content = slots[2::SLOT_WORDS]
        self.owner = slots[3::SLOT_WORDS]
        self.shadow = arrays.of("I", nr_slots)
        self.shadow_age = arrays.of("q", nr_slots)
        self.words = pages_of(nr_slots)
        self.block_used = arrays.of("H", nr_slots // SWAPFILE_CLUSTER + 2)
        self.area_at = arrays.of("B", (nr_slots >> SWAP_AREA_SHIFT) + 1)
        self.start = arrays.of("I", MAX_SWAPFILES)
        self.max = arrays.of("I", MAX_SWAPFILES)
        self.pages = arrays.of("I", MAX_SWAPFILES)
        self.inuse_pages = arrays.of("I", MAX_SWAPFILES)
        self.lowest_bit = arrays.of("I", MAX_SWAPFILES)
        self.highest_bit = arrays.of("I", MAX_SWAPFILES)
        self.cluster_next = arrays.of("I", MAX_SWAPFILES)
        self.cluster_nr = arrays.of("I", MAX_SWAPFILES)
        self.prio = arrays.of("i", MAX_SWAPFILES)
        self.next_of = arrays.of("i", MAX_SWAPFILES)
        self.is_writeok = arrays.of("B", MAX_SWAPFILES)
        self.head = -1
        self.next = -1
        self.nr_swap_pages = 0
        self.total_swap_pages = 0
        self.nr_cached = 0

    def area_of(self, slot: int) -> int:
        """swp_type. Cost: O(1)."""
        return self.area_at[slot >> SWAP_AREA_SHIFT]

    def is_full(self) -> bool:
        """vm_swap_full: less than half of the swap is free, so slots are not kept for clean pages."""
        return self.nr_swap_pages * 2 < self.total_swap_pages

    # Areas

    def add_area(self, area: int, start: int, nr_pages: int, prio: int) -> None:
        """sys_swapon: a row that is free gets an area, of `nr_pages` slots with the header."""
        self.start[area] = start
        self.max[area] = nr_pages
        self.pages[area] = nr_pages - 1
        self.inuse_pages[area] = 0
        self.lowest_bit[area] = start + 1
        self.highest_bit[area] = start + nr_pages - 1
        self.cluster_next[area] = start + 1
        self.cluster_nr[area] = 0
        self.prio[area] = prio
        for block in range(start >> SWAP_AREA_SHIFT, ((start + nr_pages - 1) >> SWAP_AREA_SHIFT) + 1):
            self.area_at[block] = area
        self.enter(area)

    def enter(self, area: int) -> None:
        """Into the list, before others of its priority; its slots count."""
        before = -1
        after = self.head
        while after >= 0 and self.prio[area] < self.prio[after]:
            before = after
            after = self.next_of[after]
        self.next_of[area] = after
        if before < 0:
            self.head = area
            self.next = area
        else:
            self.next_of[before] = area
        self.nr_swap_pages += self.pages[area]
        self.total_swap_pages += self.pages[area]
        self.is_writeok[area] = 1

    def leave(self, area: int) -> None:
        """sys_swapoff, at first: nothing is written to it any more."""
        if self.head == area:
            self.head = self.next_of[area]
        else:
            before = self.head
            while self.next_of[before] != area:
                before = self.next_of[before]
            self.next_of[before] = self.next_of[area]
        if self.next == area:
            self.next = self.head
        self.nr_swap_pages -= self.pages[area]
        self.total_swap_pages -= self.pages[area]
        self.is_writeok[area] = 0

    def forget(self, area: int) -> None:
        """sys_swapoff, at last: no slot is in use, and the row is free."""
        self.max[area] = 0
        self.pages[area] = 0
        self.highest_bit[area] = 0
        if self.next == area:
            self.next = self.head

    # Slots

    def take(self) -> int:
        """get_swap_page: a slot with count 1, or 0 where there is none left. (Where nr_swap_pages is above 0 an area of the list has one.)

        From the areas of the highest priority in turn. Once those are full a slip shows, which was mended in 2014: `next` is left behind
        the area that gave a slot, also where a lower priority begins there, so that the two next priorities are used as a pair.
        """
        if self.nr_swap_pages <= 0:
            return 0
        area = self.next
        has_wrapped = 0
        slot = 0
        while slot == 0:
            after = self.next_of[area]
            if after < 0 or (has_wrapped == 0 and self.prio[area] != self.prio[after]):
                after = self.head
                has_wrapped = 1
            if self.highest_bit[area] != 0 and self.is_writeok[area] != 0:
                self.next = after
                slot = self.scan_swap_map(area)
            area = after
        return slot

    def scan_swap_map(self, area: int) -> int:
        """A slot of an area that has one. Runs of SWAPFILE_CLUSTER slots are taken in a row; then the lowest free run of that length is
        looked for, and where there is none, the lowest free slot."""
        if self.cluster_nr[area] == 0:
            self.cluster_nr[area] = SWAPFILE_CLUSTER - 1
            self.cluster_next[area] = self.find_cluster(area)
        else:
            self.cluster_nr[area] -= 1
        slot = self.cluster_next[area]
        if slot > self.highest_bit[area]:
            slot = self.lowest_bit[area]
        while self.map[slot] != 0:
            slot += 1
            if slot > self.highest_bit[area]:
                slot = self.lowest_bit[area]
        self.claim(area, slot)
        return slot

    def find_cluster(self, area: int) -> int:
        """The first of SWAPFILE_CLUSTER free slots in a row, or the lowest free slot.

        The kernel looks at every slot; here a run is pieced together from what is free at the end of one aligned block and at the
        start of the next, which finds the same run. Cost: O(slots / SWAPFILE_CLUSTER), once in SWAPFILE_CLUSTER slots.
        """
        if self.pages[area] - self.inuse_pages[area] >= SWAPFILE_CLUSTER:
            start = self.lowest_bit[area]
            last_in_cluster = start + SWAPFILE_CLUSTER - 1
            while last_in_cluster <= self.highest_bit[area]:
                used = self.last_used(start, last_in_cluster)
                if used == 0:
                    return start
                start = used + 1
                last_in_cluster = start + SWAPFILE_CLUSTER - 1
        return self.lowest_bit[area]

    def last_used(self, first: int, last: int) -> int:
        """The last slot of [first, last] that is in use, or 0: a run cannot begin before it. Whole blocks in use are skipped: never into
        the next area, whose header keeps its first block from being one."""
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

    def claim(self, area: int, slot: int) -> None:
        if slot == self.lowest_bit[area]:
            self.lowest_bit[area] += 1
        if slot == self.highest_bit[area]:
            self.highest_bit[area] -= 1
        self.inuse_pages[area] += 1
        self.nr_swap_pages -= 1
        if self.inuse_pages[area] == self.pages[area]:
            self.lowest_bit[area] = self.start[area] + self.max[area]
            self.highest_bit[area] = 0
        self.map[slot] = 1
        self.block_used[slot // SWAPFILE_CLUSTER] += 1
        self.cluster_next[area] = slot + 1

    def duplicate(self, slot: int) -> bool:
        """swap_duplicate: one user more. False where nobody uses the slot."""
        if self.map[slot] == 0:
            return False
        self.map[slot] += 1
        return True

    def leave_shadow(self, slot: int, age: int, whose: int) -> None:
        """The slot's page was reclaimed (see shadows.py). A slot that is free has none."""
        if self.map[slot] != 0:
            self.shadow[slot] = whose
            self.shadow_age[slot] = age

    def free(self, slot: int) -> int:
        """swap_entry_free: one user less; gives the users left. A free slot of a higher priority is the next to be taken."""
        left = self.map[slot] - 1
        self.map[slot] = left
        if left == 0:
            area = self.area_at[slot >> SWAP_AREA_SHIFT]
            self.content[slot] = 0
            self.shadow[slot] = 0
            self.lowest_bit[area] = min(self.lowest_bit[area], slot)
            self.highest_bit[area] = max(self.highest_bit[area], slot)
            if self.next >= 0 and self.prio[area] > self.prio[self.next]:
                self.next = area
            self.nr_swap_pages += 1
            self.inuse_pages[area] -= 1
            self.block_used[slot // SWAPFILE_CLUSTER] -= 1
        return left
