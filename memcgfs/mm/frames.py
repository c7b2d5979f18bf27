"""Page frames: the descriptor of each (struct page), as one array a field.

| field | who writes it |
|---|---|
| flags | everybody; the bits above ZONE_SHIFT are the zone, written when the frame is first handed out |
| count | page_count: one each for a mapping, for the swap or page cache, for isolation, for a pagevec |
| mapcount | page table entries that map it (the kernel's _mapcount + 1) |
| mapping | anon_vma number << 35 | page offset, while PG_ANON |
| private | swap slot while PG_SWAPCACHE; of a page table, the VMA that last faulted in it; of a free block, its order |
| container, meta_refs | the meta page: who is charged, and its ref_cnt; 0 references is "no meta page" |

The meta page of a page has its frame's number: the kernel allocates one a page, so a second name for it would say nothing.
Frames 1.. are ordinary; frame 0 is the zero page, and stands for "none" in every array.
"""

from __future__ import annotations

from .arrays import array_of
from .params import ZONE_SHIFT


class Frames:
    def __init__(self, nr_frames: int) -> None:
        self.nr_frames = nr_frames
        self.flags = array_of("I", nr_frames)
        self.count = array_of("i", nr_frames)
        self.mapcount = array_of("i", nr_frames)
        self.mapping = array_of("Q", nr_frames)
        self.private = array_of("I", nr_frames)
        self.container = array_of("I", nr_frames)
        self.meta_refs = array_of("B", nr_frames)

    def zone(self, pfn: int) -> int:
        return self.flags[pfn] >> ZONE_SHIFT

    def has(self, pfn: int, flag: int) -> bool:
        return self.flags[pfn] & flag != 0

    def set(self, pfn: int, flag: int) -> None:
        self.flags[pfn] |= flag

    def clear(self, pfn: int, flag: int) -> None:
        self.flags[pfn] &= ~flag

    def test_and_set(self, pfn: int, flag: int) -> bool:
        """True where the flag was set already."""
        flags = self.flags[pfn]
        if flags & flag:
            return True
        self.flags[pfn] = flags | flag
        return False

    def test_and_clear(self, pfn: int, flag: int) -> bool:
        flags = self.flags[pfn]
        if flags & flag:
            self.flags[pfn] = flags & ~flag
            return True
        return False
