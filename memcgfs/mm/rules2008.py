"""Who is charged, and what happens at the limit, by the rules of Linux 2.6.25, the first release (mm/memcontrol.c).

As in 2007 a page is charged to the container of the address space that first maps it, and the page cache to whoever runs; but the swap
cache is nobody's: a page that reclaim unmaps is given up at once, before it is written, and one that comes back is charged when it is
mapped. The loop at the limit is that of 2007. There is no control_type, and no zero page any more (mm/memory.c, since 2.6.24): every
touch is charged. A counter counts bytes.

Every charge may wait, but one: a page of a file in memory that comes back from swap is first tried with GFP_NOWAIT, under a spinlock;
where that is refused, it is charged with the lock dropped, given back, and tried again (mm/shmem.c: shmem_getpage). So each such page
that finds its group full counts two failures.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .core import Core, interleave, mem_container_out_of_memory
from .memcontrol import add_meta_page, charge_again, lock_meta_page, page_get_meta_page, unlock_meta_page
from .params import AT_META_PAGE_ALLOC, ENOMEM
from .rules import Rules
from .rules2007 import charge_or_reclaim
from .trace import trace_charge_failed
from .trace_ring import CHARGED_CACHE, CHARGED_MAPPED

if TYPE_CHECKING:
    from .kernels import Kernel


class Rules2008(Rules):
    name = "2008"

    def __init__(self, kernel: Kernel) -> None:
        Rules.__init__(self, kernel)
        self.forgets_on_rmdir = True

    def charge(self, core: Core, pfn: int, mm: int) -> int:
        return mem_cgroup_charge_common(core, pfn, mm, False, True)

    def cache_charge(self, core: Core, pfn: int, mm: int) -> int:
        return mem_cgroup_charge_common(core, pfn, mm, True, True)

    def cache_charge_nowait(self, core: Core, pfn: int, mm: int) -> int:
        return mem_cgroup_charge_common(core, pfn, mm, True, False)


def mem_cgroup_charge_common(core: Core, pfn: int, mm: int, is_cache: bool, may_wait: bool) -> int:
    """One charge of the page; whoever loses a race for its first one gives everything back and starts again.

    0, or -ENOMEM: after the OOM killer ran, or at once to who may not wait.
    """
    while True:
        lock_meta_page(core, pfn)
        if page_get_meta_page(core, pfn):
            charge_again(core, pfn, is_cache)
            return 0
        unlock_meta_page(core, pfn)

        interleave(core, AT_META_PAGE_ALLOC, pfn)
        container = core.mms.container[mm]
        core.containers.css_get(container)
        if not may_wait:
            if not core.counters.charge(container, core.counters.unit):
                core.containers.css_put(container)
                return -ENOMEM
        elif not charge_or_reclaim(core, container):
            core.containers.css_put(container)
            if core.traced:
                trace_charge_failed(core, pfn, container, CHARGED_CACHE if is_cache else CHARGED_MAPPED)
            mem_container_out_of_memory(core, container)
            return -ENOMEM

        lock_meta_page(core, pfn)
        if not page_get_meta_page(core, pfn):
            add_meta_page(core, pfn, container, is_cache)
            return 0
        unlock_meta_page(core, pfn)
        core.counters.uncharge(container, core.counters.unit)
        core.containers.css_put(container)
