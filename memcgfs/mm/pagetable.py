"""Page tables. A leaf of 512 entries of 8 bytes fills one frame of the machine, and lies in it: `ram` is the machine's memory, seen
as words, and entry i of leaf f is word 512 f + i. So page tables cost what they cost, and the size of the machine bounds them.

Above the leaves the emulator keeps an index of its own that costs the machine nothing: an address space has 8,192 segments of
8,192 leaves each (2^35 pages), and both levels are sparse arrays.

An entry is 0 (nothing there), present (PTE_PRESENT, x86's flag bits, frame << 12), or a swap entry (slot << 12, nothing below).
"""

from __future__ import annotations

from .arrays import Arrays, pages_of
from .params import LEAF_MASK, LEAF_SHIFT, PAGE_WORDS, PTE_PRESENT, PTE_SHIFT, SEGMENT_BITS, SEGMENT_MASK, SEGMENT_SHIFT


class PageTables:
    """Cost: O(1) for every method."""

    def __init__(self, arrays: Arrays, nr_frames: int, nr_mms: int, nr_segments: int) -> None:
        self.ram = pages_of(nr_frames)
        self.segments = arrays.of("I", nr_mms << SEGMENT_BITS)
        self.leaves = arrays.of("I", nr_segments << SEGMENT_BITS)
        self.nr_leaves = arrays.of("I", nr_segments)
        self.free_segments = arrays.of("I", nr_segments)
        self.nr_segments = nr_segments
        self.nr_free = 0
        self.frontier = 1

    def segment(self, mm: int, vpn: int) -> int:
        return self.segments[(mm << SEGMENT_BITS) + (vpn >> SEGMENT_SHIFT)]

    def leaf(self, mm: int, vpn: int) -> int:
        """The frame that holds the page table entry of this page, or 0."""
        segment = self.segments[(mm << SEGMENT_BITS) + (vpn >> SEGMENT_SHIFT)]
        if segment == 0:
            return 0
        return self.leaves[leaf_place(segment, vpn)]

    def can_add(self, mm: int, vpn: int) -> bool:
        """False where the segments have run out."""
        return self.segment(mm, vpn) != 0 or self.nr_free > 0 or self.frontier < self.nr_segments

    def add_leaf(self, mm: int, vpn: int, pfn: int) -> None:
        """Puts an emptied frame in as the leaf of this page; can_add() said that there is room."""
        at = (mm << SEGMENT_BITS) + (vpn >> SEGMENT_SHIFT)
        segment = self.segments[at]
        if segment == 0:
            if self.nr_free > 0:
                self.nr_free -= 1
                segment = self.free_segments[self.nr_free]
            else:
                segment = self.frontier
                self.frontier += 1
            self.segments[at] = segment
        self.leaves[leaf_place(segment, vpn)] = pfn
        self.nr_leaves[segment] += 1

    def remove_leaf(self, mm: int, vpn: int) -> int:
        """Takes the leaf of this page out and gives its frame, or 0 where there was none."""
        at = (mm << SEGMENT_BITS) + (vpn >> SEGMENT_SHIFT)
        segment = self.segments[at]
        if segment == 0:
            return 0
        pfn = self.leaves[leaf_place(segment, vpn)]
        if pfn != 0:
            self.leaves[leaf_place(segment, vpn)] = 0
            self.nr_leaves[segment] -= 1
            if self.nr_leaves[segment] == 0:
                self.segments[at] = 0
                self.free_segments[self.nr_free] = segment
                self.nr_free += 1
        return pfn

    def next_leaf(self, mm: int, vpn: int, end: int) -> int:
        """The first page from this one on that has a leaf, or `end`. Cost: O(leaves skipped), empty segments at a step each."""
        while vpn < end:
            if self.segment(mm, vpn) == 0:
                vpn = ((vpn >> SEGMENT_SHIFT) + 1) << SEGMENT_SHIFT
            elif self.leaf(mm, vpn) != 0:
                return vpn
            else:
                vpn = (vpn | LEAF_MASK) + 1
        return end

    def entry(self, mm: int, vpn: int) -> int:
        """The page table entry itself, for inspection; 0 where there is no leaf."""
        leaf = self.leaf(mm, vpn)
        if leaf == 0:
            return 0
        return self.ram[pte_place(leaf, vpn)]


def leaf_place(segment: int, vpn: int) -> int:
    return (segment << SEGMENT_BITS) + ((vpn >> LEAF_SHIFT) & SEGMENT_MASK)


def word_of(number: int) -> int:
    """Where the words of a frame begin, or of a page of swap or of the disk."""
    return number * PAGE_WORDS


def leaf_end(vpn: int, end: int) -> int:
    """The end of the pages whose entries share this page's leaf, or `end` if that comes first (pmd_addr_end)."""
    return min((vpn | LEAF_MASK) + 1, end)


def pte_place(leaf: int, vpn: int) -> int:
    return word_of(leaf) + (vpn & LEAF_MASK)


def mk_pte(pfn: int, bits: int) -> int:
    return (pfn << PTE_SHIFT) | bits


def swp_pte(slot: int) -> int:
    return slot << PTE_SHIFT


def pte_frame(pte: int) -> int:
    """The frame of a present entry, the slot of a swap entry."""
    return pte >> PTE_SHIFT


def is_swap_pte(pte: int) -> bool:
    return pte != 0 and pte & PTE_PRESENT == 0
