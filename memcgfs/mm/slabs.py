"""A cache of kernel objects of one size: struct kmem_cache, and struct shrinker for those that reclaim can have back (mm/slab.c).

The objects lie in frames of the machine (slabs); what mm/slab.c and fs/dcache.c write there is laid out here. A slab's frame is seen as
words: SLAB_HEADER words about the slab, then OBJECT_WORDS words for the links of each object. The object itself has its size in bytes,
which decides how many share a page; nobody ever reads it.

An object's number is its frame and its place in it; 0 is none, since frame 0 is the zero page.
"""

from __future__ import annotations

from typing import Final

OBJECT_BITS: Final = 8
OBJECT_MASK: Final = 255

# A slab's words: its neighbours on the list of partial slabs, objects in use, and the first free place (counted from 1).
SLAB_NEXT: Final = 0
SLAB_PREV: Final = 1
SLAB_INUSE: Final = 2
SLAB_FREE: Final = 3
SLAB_HEADER: Final = 8

# An object's words: its neighbours on the list of unused objects, and its flags. Of a free place: the next free one (counted from 1).
OBJECT_NEWER: Final = 0
OBJECT_OLDER: Final = 1
OBJECT_FLAGS: Final = 2
OBJECT_WORDS: Final = 3
OBJECT_IN_USE: Final = 1
DCACHE_REFERENCED: Final = 2


class KmemCache:
    """object_bytes, objects_per_slab, seeks: what it costs to keep an object, and to make it again. nr_objects in use, in nr_slabs
    frames. first_partial, last_partial: slabs with a free place, the next to be filled first. newest, oldest: the unused objects.
    nr_to_scan: what the shrinker was asked for and has not done yet."""

    def __init__(self, object_bytes: int, objects_per_slab: int, seeks: int) -> None:
        self.object_bytes = object_bytes
        self.objects_per_slab = objects_per_slab
        self.seeks = seeks
        self.nr_objects = 0
        self.nr_slabs = 0
        self.first_partial = 0
        self.last_partial = 0
        self.newest = 0
        self.oldest = 0
        self.nr_to_scan = 0
