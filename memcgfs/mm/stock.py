"""struct memcg_stock_pcp: what a cpu has charged in advance (mm/memcontrol.c). The counters have it already; a page is taken from it
without asking them again.

A cpu, here a node, keeps a few containers at once. Who is thrown out of a full stock is chance in the kernel, and here each place in turn.
"""

from __future__ import annotations

from typing import Final

from .arrays import Arrays

NR_MEMCG_STOCK: Final = 7  # mm/memcontrol.c


class Stocks:
    """NR_MEMCG_STOCK places a cpu: the container, and 1 (0 is a free place), and the pages that it has left there. victim: by cpu, the
    place that is emptied next where all are taken."""

    def __init__(self, arrays: Arrays, nr_cpus: int) -> None:
        self.nr_places = nr_cpus * NR_MEMCG_STOCK
        self.cached = arrays.of("I", self.nr_places)
        self.nr_pages = arrays.of("q", self.nr_places)
        self.victim = arrays.of("I", nr_cpus)

    def find(self, cpu: int, container_plus_1: int) -> int:
        """The place where this cpu has the container, or with 0 a free place; -1 where there is none."""
        for place in range(cpu * NR_MEMCG_STOCK, (cpu + 1) * NR_MEMCG_STOCK):
            if self.cached[place] == container_plus_1:
                return place
        return -1

    def next_victim(self, cpu: int) -> int:
        place = self.victim[cpu]
        self.victim[cpu] = (place + 1) % NR_MEMCG_STOCK
        return cpu * NR_MEMCG_STOCK + place

    def put(self, place: int, container: int, nr_pages: int) -> None:
        self.cached[place] = container + 1
        self.nr_pages[place] = nr_pages

    def take(self, place: int) -> int:
        """The place is free; the pages that it had."""
        nr_pages = self.nr_pages[place]
        self.cached[place] = 0
        self.nr_pages[place] = 0
        return nr_pages
