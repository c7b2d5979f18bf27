"""What the engine asks of the Python side (Core.kernel), all of it rare. An error raised here is kept, and comes up at the end of the
operation (Core.keep_error)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from . import exit, oom, oom_v1, running
from .params import WARN_ALLOC_LIVELOCK, WARN_FAULT_LIVELOCK, WARN_SHMEM_LIVELOCK, WARN_UNCHARGE_BELOW_ZERO, WARN_UNUSE_LIVELOCK

if TYPE_CHECKING:
    from .machine import Machine

WARNINGS = {
    WARN_UNCHARGE_BELOW_ZERO: "WARNING: at kernel/res_counter.c: res_counter_uncharge_locked(): more uncharged than charged",
    WARN_FAULT_LIVELOCK: "page fault without end: reclaim takes the page away each time; the kernel would go on, here it is out of memory",
    WARN_UNUSE_LIVELOCK: "swapoff without end: somebody holds a slot, and cannot go on; the kernel would wait, here it gives up",
    WARN_SHMEM_LIVELOCK: "shared memory without end: its page cannot be charged; the kernel would hang, here it is out of memory",
    WARN_ALLOC_LIVELOCK: "page allocation without end: nothing can be freed, and kswapd sleeps; the kernel would go on, here it fails",
}


class Upcalls:
    """By the names that core.py calls; each a line to who does it."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine

    def find_vma(self, mm: int, vpn: int) -> int:
        return self.machine.spaces[mm].find_vma(vpn)

    def anon_vma_prepare(self, vma: int) -> None:
        """find_mergeable_anon_vma is left out: a VMA that could share its neighbour's would have been merged with it."""
        anon_vma = self.machine.anon_vma_ids.take()
        vmas = self.machine.core.vmas
        vmas.links.init_head(vmas.anon_vma_head(anon_vma))
        vmas.link(vma, anon_vma)

    def mem_container_out_of_memory(self, container: int) -> None:
        oom.mem_container_out_of_memory(self.machine, container)

    def mem_cgroup_oom(self, container: int) -> bool:
        return oom_v1.mem_cgroup_oom(self.machine, container)

    def mem_cgroup_threshold(self, container: int) -> None:
        self.machine.watches.check_thresholds(container)

    def memcg_oom_wake(self, container: int) -> None:
        self.machine.waits.wake(container)

    def vmpressure_event(self, container: int, level: int) -> None:
        self.machine.watches.tell_pressure(container, level)

    def out_of_memory(self, gfp: int, order: int) -> bool:
        if self.machine.core.rules.charges_once:
            return oom_v1.out_of_memory(self.machine, gfp, order)
        return oom.out_of_memory(self.machine, gfp, order)

    def reap_killed(self) -> None:
        exit.reap_killed(self.machine)

    def warn(self, number: int) -> None:
        self.machine.printk(WARNINGS[number])

    def interleave(self, point: int, pfn: int) -> None:
        """Another operation in the middle of this one, if somebody asked for it (set_interleave), and nothing has gone wrong yet."""
        machine = self.machine
        if machine.on_interleave is None or machine.core.late_error is not None:
            return
        held = machine.core.lockdep.swap_held(0)
        try:
            self.run_apart(machine.on_interleave, point, pfn)
        finally:
            machine.core.lockdep.swap_held(held)

    def run_apart(self, function: Callable[..., object], *arguments: object) -> object:
        return running.run_apart(self.machine, function, *arguments)
