"""Page frames: the descriptor of each (struct page). One array holds them all, FRAME_WORDS words a frame, so that the fields of a page
lie together in memory as they do in the kernel; a field is a strided view of that array.

| field | who writes it |
|---|---|
| flags | everybody; the bits above ZONE_SHIFT are the zone, written when the frame is first handed out |
| count | page_count: one each for a mapping, for the swap or page cache, for isolation, for a pagevec |
| mapcount | page table entries that map it (the kernel's _mapcount + 1) |
| mapping | whose page it is: anon_vma number << 35 | page offset while PG_ANON, file number << 35 | index while PG_CACHE |
| private | swap slot while PG_SWAPCACHE; of a page table, the VMA that last faulted in it; of a free block, its order |
| container, meta_refs | the meta page: who is charged, and its ref_cnt; 0 references is "no meta page" |
| lru | page->lru: a free list, a zone's list, or a private list of reclaim |
| meta | the meta page's lru: a list of its container |

The heads of those lists follow the frames in the same array.

The meta page of a page has its frame's number: the kernel allocates one a page, so a second name for it would say nothing.
Frames 1.. are ordinary; frame 0 is the zero page, and stands for "none" in every array.
"""

from __future__ import annotations

from typing import Final

from .arrays import Arrays
from .lists import Links
from .params import INDEX_BITS, ZONE_SHIFT

FRAME_WORDS: Final = 12


class Frames:
    def __init__(self, arrays: Arrays, nr_frames: int, nr_heads: int) -> None:
        self.nr_frames = nr_frames
        words = arrays.of("I", (nr_frames + nr_heads) * FRAME_WORDS)
        signed = words.cast("B").cast("i")
        doubles = words.cast("B").cast("Q")
        self.flags = words[0::FRAME_WORDS]
        self.count = signed[1::FRAME_WORDS]
        self.mapcount = signed[2::FRAME_WORDS]
        self.private = words[3::FRAME_WORDS]
        self.mapping = doubles[2 :: FRAME_WORDS // 2]
        self.container = words[6::FRAME_WORDS]
        self.meta_refs = words[7::FRAME_WORDS]
        self.lru = Links(words[8::FRAME_WORDS], words[9::FRAME_WORDS], nr_frames)
        self.meta = Links(words[10::FRAME_WORDS], words[11::FRAME_WORDS], nr_frames)

    def zone(self, pfn: int) -> int:
        return self.flags[pfn] >> ZONE_SHIFT

    def owner(self, pfn: int) -> int:
        """The anon_vma or file that `mapping` names."""
        return self.mapping[pfn] >> INDEX_BITS

    def index(self, pfn: int) -> int:
        """page->index: the page's place in its address space, or in its file."""
        word = self.mapping[pfn]
        return word - ((word >> INDEX_BITS) << INDEX_BITS)

    def set_mapping(self, pfn: int, owner: int, index: int) -> None:
        self.mapping[pfn] = (owner << INDEX_BITS) | index

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
