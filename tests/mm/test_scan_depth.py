"""Reclaim within reclaim: eight are as deep as it goes, and whoever would be the ninth frees nothing, but does not disturb the others.

The kernel has a stack for each task, and nobody's reclaim waits for another's; here whatever comes in between runs to its end.
"""

from __future__ import annotations

from typing import Any

import pytest

from memcgfs import mm
from memcgfs.mm.core import Core
from memcgfs.mm.lru import MAX_SCAN_DEPTH
from memcgfs.mm.models import double_lru, kswapd
from memcgfs.mm.params import AT_ISOLATE, DAEMON_KSWAPD, GFP_KERNEL, GFP_NORETRY
from tests.conftest import MakeMachine

from .looking import cold_task, reclaim_mapped, uncompiled


def full_containers(machine: mm.Machine, count: int) -> list[mm.Task]:
    """A task in each of so many containers, which are full of its 2 pages, none of them in use."""
    reclaim_mapped(machine)
    tasks = []
    for place in range(count):
        container = machine.create_container()
        parent = machine.spawn(100, container)
        parent.touch(0, 2)
        tasks.append(parent.fork(200 + place))
        machine.reap(parent)
        container.limit = 2
    return tasks


def test_the_ninth_container_in_a_row_is_not_reclaimed(make_small: MakeMachine) -> None:
    """As soon as one container's reclaim looks at a page the next task meets its limit. The ninth is out of memory after six rounds
    without a look at any page; the eight others push a page out each."""
    machine = make_small(pagevec_size=1, swap_cluster_max=1)
    first, *others = full_containers(machine, MAX_SCAN_DEPTH + 1)
    refused: list[mm.Task] = []

    def next_one(point: int, _: int) -> None:
        if point == AT_ISOLATE and others:
            task = others.pop(0)
            try:
                task.touch(2, 1)
            except mm.OutOfMemory:
                refused.append(task)

    containers = [task.container for task in (first, *others)]
    machine.set_interleave(next_one)
    first.touch(2, 1)
    machine.set_interleave(None)
    assert [task.pid for task in refused] == [200 + MAX_SCAN_DEPTH]
    assert [container.failcnt for container in containers] == [1] * MAX_SCAN_DEPTH + [6]
    assert machine.vmstat()["allocstall"] == MAX_SCAN_DEPTH


def test_the_machines_own_reclaim_is_no_deeper(make_small: MakeMachine) -> None:
    """In the eighth container's reclaim memory runs out."""
    machine = make_small(pagevec_size=1, swap_cluster_max=1)
    first, *others = full_containers(machine, MAX_SCAN_DEPTH)
    last = machine.spawn(300)
    stalls: list[int] = []

    def next_one(point: int, _: int) -> None:
        if point == AT_ISOLATE and others:
            others.pop(0).touch(2, 1)
        elif point == AT_ISOLATE and not stalls:
            for _ in range(machine.zones()[0].free):
                last.alloc_block(0)
            with pytest.raises(mm.OutOfMemory):
                last.alloc_block(0, GFP_KERNEL | GFP_NORETRY)
            stalls.append(machine.vmstat()["allocstall"])

    machine.set_interleave(next_one)
    first.touch(2, 1)
    machine.set_interleave(None)
    assert stalls == [MAX_SCAN_DEPTH]
    last.alloc_block(0, GFP_KERNEL | GFP_NORETRY)


@uncompiled
def test_a_kswapd_puts_off_what_would_be_too_deep(make_small: MakeMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    """16 nodes are short of memory at once. Each kswapd writes to swap, and waits until there is room in the disk's queue of 1; meanwhile
    the next one runs. The ninth naps, and runs when others have come to an end."""
    machine = make_small(
        zone_pages=(0, 0, 1024, 0), nodes=16, swap_pages=1024, min_free_kbytes=512, pagevec_size=1, disk=mm.DiskConfig(1_000_000, 0, 1)
    )
    reclaim_mapped(machine)
    depths: list[int] = []
    original = kswapd.balance_pgdat

    def watched(core: Core, *arguments: Any) -> int:
        depths.append(core.scan_depth)
        return original(core, *arguments)

    monkeypatch.setattr(double_lru, "balance_pgdat", watched)
    cold_task(machine, machine.root, 900)
    machine.spawn(300).touch(0, 200)
    machine.advance(10**10)
    assert max(depths) == MAX_SCAN_DEPTH
    assert all(machine.core.daemons.is_asleep(DAEMON_KSWAPD + node) for node in range(16))
