"""The statistics of each container, exact and live (mm/memcontrol.c: __mod_memcg_lruvec_state, count_memcg_events).

A page's container is told of everything that its zone is told of: the items that both have are one number (params.py), the others follow
behind. A container's row is its own alone; what a directory shows of those below it is the sum of their rows.
"""

from __future__ import annotations

from .arrays import Arrays
from .params import MEMCG_ROW


class MemcgStats:
    """MEMCG_ROW numbers a container. past: events of those that were in it and are gone. Cost: O(1) for every method."""

    def __init__(self, arrays: Arrays, nr_containers: int) -> None:
        self.stat = arrays.of("q", nr_containers * MEMCG_ROW)
        self.past = arrays.of("q", nr_containers * MEMCG_ROW)

    def init(self, container: int) -> None:
        for item in range(MEMCG_ROW):
            self.stat[container * MEMCG_ROW + item] = 0
            self.past[container * MEMCG_ROW + item] = 0

    def add(self, container: int, item: int, amount: int) -> None:
        self.stat[container * MEMCG_ROW + item] += amount

    def count(self, container: int, item: int) -> int:
        return self.stat[container * MEMCG_ROW + item]

    def bequeath(self, container: int, parent: int, item: int) -> None:
        """The container is gone: what happened there happened below its parent."""
        self.past[parent * MEMCG_ROW + item] += self.stat[container * MEMCG_ROW + item] + self.past[container * MEMCG_ROW + item]
