"""Caches of kernel objects that reclaim can shrink (mm/vmscan.c: set_shrinker).

In 2007 nobody is charged for them: the machine's own reclaim shrinks them, a container's spares them.
"""

from __future__ import annotations

from typing import Final

from .arrays import array_of

NR_SLABS: Final = 64


class Slabs:
    """`objects` that could be freed, `seeks` to make one again, `nr_to_scan` carried over from the last time."""

    def __init__(self) -> None:
        self.nr_caches = 0
        self.objects = array_of("q", NR_SLABS)
        self.seeks = array_of("q", NR_SLABS)
        self.nr_to_scan = array_of("q", NR_SLABS)

    def add_cache(self, objects: int, seeks: int) -> int:
        """set_shrinker: gives the cache's number. No file leads here yet: it is for tests and Python."""
        cache = self.nr_caches
        self.objects[cache] = objects
        self.seeks[cache] = seeks
        self.nr_caches = cache + 1
        return cache
