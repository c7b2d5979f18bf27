"""The disks' queues."""

from __future__ import annotations

from collections import Counter

from .. import params
from ..dump import disk_queue
from .walk import Walk


def check_disks(walk: Walk) -> None:
    """What is written or locked is in a disk's queue, once; the queues are counted, in order, and congested as their length says."""
    disks = walk.core.disks
    writes: Counter[int] = Counter()
    reads: Counter[int] = Counter()
    heads = []
    for disk in range(disks.nr_disks):
        queue = disk_queue(walk.core, disk)
        counts = Counter(is_write for _, is_write, _ in queue)
        for is_write in (False, True):
            way = 2 * disk + is_write
            walk.equal(f"disk {disk}: requests of direction {way % 2}", disks.nr_requests[way], counts[is_write])
            congested = bool(disks.congested[way])
            possible = counts[is_write] >= disks.congestion_off if congested else counts[is_write] < disks.congestion_on
            walk.expect(possible, f"disk {disk}: congested {congested} with {counts[is_write]} requests of direction {way % 2}")
        times = [done_ns for _, _, done_ns in queue]
        walk.expect(times == sorted(times), f"disk {disk}: its requests are not in order of time")
        heads += [(times[0], disk)] if times else []
        writes.update(pfn for pfn, is_write, _ in queue if is_write)
        reads.update(pfn for pfn, is_write, _ in queue if not is_write)
    walk.expect(max((*writes.values(), *reads.values()), default=1) == 1, "a page is in the queues twice")
    walk.expect(set(writes) == walk.with_flag(params.PG_WRITEBACK), "pages under writeback are not those that the disks write")
    walk.expect(set(reads) == walk.with_flag(params.PG_LOCKED), "locked pages are not those that the disks read")
    walk.equal("nr_writeback", walk.core.zones.total(params.NR_WRITEBACK), len(writes))
    walk.equal("writes under way", disks.nr_writes, len(writes))
    next_ns, next_disk = min(heads, default=(-1, disks.next_disk))
    walk.expect((disks.next_ns, disks.next_disk) == (next_ns, next_disk), f"disk {next_disk} is next, at {next_ns} ns")
