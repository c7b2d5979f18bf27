"""Objects of kernel caches, and the pages that they lie in (mm/slab.c: cache_grow, kmem_cache_alloc, free_block).

In 2007 nobody is charged for them. A place is taken from the first slab of the partial list, and a slab that loses an object goes to
the end of that list, so that its others have the longest time to go, too. The kernel keeps some empty slabs, and some free objects for
each processor; here a slab goes with its last object.
"""

from __future__ import annotations

from .core import Core
from .page_alloc import alloc_page, put_page
from .pagetable import word_of
from .params import GFP_KERNEL, NR_SLAB_RECLAIMABLE, PG_SLAB
from .slabs import KmemCache, OBJECT_BITS, OBJECT_FLAGS, OBJECT_IN_USE, OBJECT_MASK, OBJECT_NEWER, OBJECT_WORDS
from .slabs import SLAB_FREE, SLAB_HEADER, SLAB_INUSE, SLAB_NEXT, SLAB_PREV


def object_words(number: int) -> int:
    return word_of(number >> OBJECT_BITS) + SLAB_HEADER + (number & OBJECT_MASK) * OBJECT_WORDS


def add_partial(core: Core, cache: KmemCache, pfn: int, last: bool) -> None:
    """To the front of the partial list, or to its end."""
    slab = word_of(pfn)
    after = 0 if last else cache.first_partial
    before = cache.last_partial if last else 0
    core.tables.ram[slab + SLAB_NEXT] = after
    core.tables.ram[slab + SLAB_PREV] = before
    link_partial(core, cache, before, pfn)
    if after != 0:
        core.tables.ram[word_of(after) + SLAB_PREV] = pfn
    else:
        cache.last_partial = pfn


def link_partial(core: Core, cache: KmemCache, before: int, pfn: int) -> None:
    """This slab (0: none) comes behind that one (0: the list's head)."""
    if before != 0:
        core.tables.ram[word_of(before) + SLAB_NEXT] = pfn
    else:
        cache.first_partial = pfn


def remove_partial(core: Core, cache: KmemCache, pfn: int) -> None:
    slab = word_of(pfn)
    after = core.tables.ram[slab + SLAB_NEXT]
    before = core.tables.ram[slab + SLAB_PREV]
    link_partial(core, cache, before, after)
    if after != 0:
        core.tables.ram[word_of(after) + SLAB_PREV] = before
    else:
        cache.last_partial = before


def cache_grow(core: Core, cache: KmemCache) -> bool:
    """One slab more, all its places free, the lowest to be taken first. False: there is no page for it."""
    pfn = alloc_page(core, GFP_KERNEL)
    if pfn == 0:
        return False
    core.frames.set(pfn, PG_SLAB)
    core.zones.add(core.frames.zone(pfn), NR_SLAB_RECLAIMABLE, 1)
    cache.nr_slabs += 1
    slab = word_of(pfn)
    core.tables.ram[slab + SLAB_INUSE] = 0
    core.tables.ram[slab + SLAB_FREE] = 1
    for place in range(cache.objects_per_slab):
        at = slab + SLAB_HEADER + place * OBJECT_WORDS
        core.tables.ram[at + OBJECT_NEWER] = place + 2 if place + 1 < cache.objects_per_slab else 0
        core.tables.ram[at + OBJECT_FLAGS] = 0
    add_partial(core, cache, pfn, False)
    return True


def kmem_cache_alloc(core: Core, cache: KmemCache) -> int:
    """A new object, or 0 without memory. A page may have to be reclaimed for it, which may free objects of this very cache."""
    if cache.first_partial == 0 and not cache_grow(core, cache):
        return 0
    pfn = cache.first_partial
    slab = word_of(pfn)
    place = core.tables.ram[slab + SLAB_FREE]
    number = (pfn << OBJECT_BITS) + place - 1
    at = object_words(number)
    core.tables.ram[slab + SLAB_FREE] = core.tables.ram[at + OBJECT_NEWER]
    core.tables.ram[slab + SLAB_INUSE] += 1
    core.tables.ram[at + OBJECT_FLAGS] = OBJECT_IN_USE
    cache.nr_objects += 1
    if core.tables.ram[slab + SLAB_FREE] == 0:
        remove_partial(core, cache, pfn)
    return number


def kmem_cache_free(core: Core, cache: KmemCache, number: int) -> None:
    """free_block and slab_destroy: the object's place is free, and the page goes with the last one."""
    pfn = number >> OBJECT_BITS
    slab = word_of(pfn)
    if core.tables.ram[slab + SLAB_FREE] != 0:
        remove_partial(core, cache, pfn)
    at = object_words(number)
    core.tables.ram[at + OBJECT_FLAGS] = 0
    core.tables.ram[at + OBJECT_NEWER] = core.tables.ram[slab + SLAB_FREE]
    core.tables.ram[slab + SLAB_FREE] = (number & OBJECT_MASK) + 1
    core.tables.ram[slab + SLAB_INUSE] -= 1
    cache.nr_objects -= 1
    if core.tables.ram[slab + SLAB_INUSE] != 0:
        add_partial(core, cache, pfn, True)
        return
    cache.nr_slabs -= 1
    core.zones.add(core.frames.zone(pfn), NR_SLAB_RECLAIMABLE, -1)
    core.reclaimed_slab += 1
    core.frames.clear(pfn, PG_SLAB)
    put_page(core, pfn)
