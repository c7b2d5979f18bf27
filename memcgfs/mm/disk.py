"""The disk that swap lies on: a queue served in order, with a latency a request, a bandwidth and a depth.

Transfers follow each other at the bandwidth; a request is done one latency after its transfer. So a lone request takes latency
plus transfer, and a full queue keeps the bandwidth. Both zero is a device that answers at once (a RAM disk). The queue counts as
congested as the block layer did it (block/ll_rw_blk.c: blk_queue_congestion_threshold): on from 7/8 of its depth, off a sixteenth
below that.
"""

from __future__ import annotations

from .arrays import array_of


class Disk:
    """A ring of the requests under way: page frame, direction and the time at which it is done. Cost: O(1) for every method."""

    def __init__(self, latency_ns: int, transfer_ns: int, depth: int) -> None:
        self.latency_ns = latency_ns
        self.transfer_ns = transfer_ns
        self.depth = depth
        self.is_synchronous = latency_ns == 0 and transfer_ns == 0
        self.congestion_on = min(depth - depth // 8 + 1, depth)
        self.congestion_off = max(depth - depth // 8 - depth // 16 - 1, 1)
        self.ring = 2 * depth + 2
        self.pfn = array_of("I", self.ring)
        self.is_write = array_of("B", self.ring)
        self.done_ns = array_of("q", self.ring)
        self.first = 0
        self.nr_requests = 0
        self.nr_writes = 0
        self.free_from_ns = 0
        self.is_congested = False

    def has_room(self, is_write: bool) -> bool:
        """May another request of this direction be queued without sleeping?"""
        if is_write:
            return self.nr_writes < self.depth
        return self.nr_requests - self.nr_writes < self.depth

    def submit(self, pfn: int, is_write: bool, now_ns: int) -> None:
        """Queues one page; there must be room."""
        start_ns = max(now_ns, self.free_from_ns)
        self.free_from_ns = start_ns + self.transfer_ns
        place = self.first + self.nr_requests
        if place >= self.ring:
            place -= self.ring
        self.pfn[place] = pfn
        self.is_write[place] = is_write
        self.done_ns[place] = self.free_from_ns + self.latency_ns
        self.nr_requests += 1
        if is_write:
            self.nr_writes += 1
            if self.nr_writes >= self.congestion_on:
                self.is_congested = True

    def next_done_ns(self) -> int:
        """When the oldest request is done; -1 where there is none."""
        if self.nr_requests == 0:
            return -1
        return self.done_ns[self.first]

    def next_is_write(self) -> bool:
        return self.is_write[self.first] != 0

    def complete(self) -> int:
        """Takes the oldest request off the queue and gives its page frame."""
        place = self.first
        self.first = place + 1
        if self.first == self.ring:
            self.first = 0
        self.nr_requests -= 1
        if self.is_write[place]:
            self.nr_writes -= 1
            if self.nr_writes < self.congestion_off:
                self.is_congested = False
        return self.pfn[place]
