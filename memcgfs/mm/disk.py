"""The machine's disks: queues served in order, each with a latency a request, a bandwidth and a depth, the same for all.

Disk 0 holds the files; each swap area lies on a disk of its own. Transfers of a disk follow each other at the bandwidth; a request is
done one latency after its transfer. So a lone request takes latency plus transfer, and a full queue keeps the bandwidth. Both zero is
a device that answers at once (a RAM disk).

A queue has room for `depth` requests of each direction, and counts as congested in a direction as the block layer did it
(block/ll_rw_blk.c: blk_queue_congestion_threshold): on from 7/8 of its depth, off a sixteenth below that.
"""

from __future__ import annotations

from .arrays import Arrays


class Disks:
    """A ring of requests a disk: page frame, direction and the time at which it is done. Arrays by 2 * disk + direction hold what is
    counted for reads (0) and writes (1).

    next_ns, next_disk: the request that is done first of all, on the lowest disk where several are; -1 where there is none.
    nr_relieved: how often a queue of writes left congestion. nr_in_use: no disk from here up ever had a request.

    Cost: O(1) for every method, but for complete(): O(disks in use).
    """

    def __init__(self, arrays: Arrays, nr_disks: int, latency_ns: int, transfer_ns: int, depth: int) -> None:
        self.nr_disks = nr_disks
        self.nr_in_use = 0
        self.latency_ns = latency_ns
        self.transfer_ns = transfer_ns
        self.depth = depth
        self.is_synchronous = latency_ns == 0 and transfer_ns == 0
        self.congestion_on = min(depth - depth // 8 + 1, depth)
        self.congestion_off = max(depth - depth // 8 - depth // 16 - 1, 1)
        self.ring = 2 * depth + 2
        self.pfn = arrays.of("I", nr_disks * self.ring)
        self.is_write = arrays.of("B", nr_disks * self.ring)
        self.done_ns = arrays.of("q", nr_disks * self.ring)
        self.first = arrays.of("I", nr_disks)
        self.free_from_ns = arrays.of("q", nr_disks)
        self.nr_requests = arrays.of("I", 2 * nr_disks)
        self.congested = arrays.of("B", 2 * nr_disks)
        self.nr_writes = 0
        self.nr_relieved = 0
        self.next_ns = -1
        self.next_disk = 0

    def nr_queued(self, disk: int) -> int:
        """Requests of both directions that are under way."""
        return self.nr_requests[2 * disk] + self.nr_requests[2 * disk + 1]

    def has_room(self, disk: int, is_write: bool) -> bool:
        """May another request of this direction be queued without sleeping?"""
        return self.nr_requests[2 * disk + is_write] < self.depth

    def is_read_congested(self, disk: int) -> bool:
        """bdi_read_congested."""
        return self.congested[2 * disk] != 0

    def is_write_congested(self, disk: int) -> bool:
        """bdi_write_congested."""
        return self.congested[2 * disk + 1] != 0

    def submit(self, disk: int, pfn: int, is_write: bool, now_ns: int) -> None:
        """Queues one page; there must be room."""
        start_ns = max(now_ns, self.free_from_ns[disk])
        self.free_from_ns[disk] = start_ns + self.transfer_ns
        done_ns = start_ns + self.transfer_ns + self.latency_ns
        place = self.first[disk] + self.nr_queued(disk)
        if place >= self.ring:
            place -= self.ring
        place += disk * self.ring
        self.pfn[place] = pfn
        self.is_write[place] = is_write
        self.done_ns[place] = done_ns
        way = 2 * disk + is_write
        self.nr_requests[way] += 1
        self.nr_in_use = max(self.nr_in_use, disk + 1)
        self.nr_writes += is_write
        if self.nr_requests[way] >= self.congestion_on:
            self.congested[way] = 1
        if self.next_ns < 0 or done_ns < self.next_ns or (done_ns == self.next_ns and disk < self.next_disk):
            self.next_ns = done_ns
            self.next_disk = disk

    def next_done_ns(self, disk: int) -> int:
        """When the disk's oldest request is done; -1 where there is none."""
        if self.nr_queued(disk) == 0:
            return -1
        return self.done_ns[disk * self.ring + self.first[disk]]

    def next_is_write(self) -> bool:
        """Is the request that is done first a write?"""
        return self.is_write[self.next_disk * self.ring + self.first[self.next_disk]] != 0

    def complete(self) -> int:
        """Takes the request that is done first off its queue and gives its page frame."""
        disk = self.next_disk
        place = disk * self.ring + self.first[disk]
        self.first[disk] += 1
        if self.first[disk] == self.ring:
            self.first[disk] = 0
        way = 2 * disk + self.is_write[place]
        self.nr_requests[way] -= 1
        self.nr_writes -= self.is_write[place]
        if self.congested[way] != 0 and self.nr_requests[way] < self.congestion_off:
            self.congested[way] = 0
            self.nr_relieved += self.is_write[place]
        self.find_next()
        return self.pfn[place]

    def find_next(self) -> None:
        """Looks for the request that is done first, from the highest disk down so that the lowest is left."""
        self.next_ns = -1
        disk = self.nr_in_use
        while disk > 0:
            disk -= 1
            done_ns = self.next_done_ns(disk)
            if done_ns >= 0 and (self.next_ns < 0 or done_ns <= self.next_ns):
                self.next_ns = done_ns
                self.next_disk = disk
