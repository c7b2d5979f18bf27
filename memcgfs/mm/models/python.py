"""A model written in plain Python: PythonModel is the machine's side of it, a Policy its author's.

A policy is told which pages come and go and who is charged for them, and when memory is short it says which page is to go next. The
adapter does what touches the machine: pages are on one list in the order of their arrival, those of a container on another, all of
them inactive; a page leaves through evict_page. What a policy raises comes up at the end of the operation, as an interleaved
operation's error does.

    class Fifo(Policy): ...
    machine = Machine(config, policy=Fifo())
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..core import Core
from ..lru import MAX_SCAN_DEPTH
from ..model import Model
from ..page_alloc import put_page
from ..params import ALLOCSTALL, ISOLATE_BOTH, NR_INACTIVE, PAGE_SUCCESS, PG_ANON, PG_DIRTY, PG_LOCKED, PG_LRU, PG_SWAPCACHE
from ..params import PG_WRITEBACK, PGSCAN_DIRECT, PGSTEAL
from ..rmap import page_referenced, try_to_unmap
from ..swap_state import add_to_swap
from ..trace_ring import LEAVE_RECLAIM
from ..vmscan import isolate_lru_page, needs_slot, pageout, remove_mapping, shrink_slab
from ..waiting import io_schedule

if TYPE_CHECKING:
    from collections.abc import Callable


class Policy:
    """What a policy may want to know; the methods here do nothing. Pages are frame numbers, containers numbers from 0, the top one."""

    def page_added(self, pfn: int, active: bool) -> None:
        """A page can be evicted from now on."""

    def page_accessed(self, pfn: int) -> None:
        """Used by something other than a mapping: it was read from swap for somebody."""

    def page_freed(self, pfn: int) -> None:
        """Evicted, or its owner has gone."""

    def written(self, pfn: int) -> None:
        """Its write to swap, which an eviction started, is done: evict() would free it now."""

    def charged(self, pfn: int, container: int) -> None:
        """The page counts in this container."""

    def uncharged(self, pfn: int, container: int) -> None:
        """It counts there no more."""

    def container_made(self, container: int) -> None:
        """A container without pages."""

    def reclaim(self, container: int, evict: Callable[[int], bool]) -> bool:
        """Frees pages of the container, or of the machine where it is -1; True where some came free.

        evict(pfn) gives True where the page is free now. False: somebody works on it, it is locked in memory, swap is full or of no help
        (memory and swap together are at their limit), or its write has only begun.
        """
        return False


class PythonModel(Model):
    """In core.lru, one head has all pages; in core.meta, head c has container c's. The newest page is first."""

    def __init__(self, core: Core, policy: Policy) -> None:
        Model.__init__(self)
        self.core = core
        self.policy = policy
        self.pages_head = core.lru.first_head + core.nr_free_heads
        self.first_head = core.meta.first_head
        core.lru.init_head(self.pages_head)

    @staticmethod
    def list_heads(nr_containers: int, nr_nodes: int) -> tuple[int, int]:
        return (1, nr_containers)

    def tell(self, core: Core, what: str, *arguments: Any) -> Any:
        """Calls the policy."""
        try:
            return core.kernel.run_apart(getattr(self.policy, what), *arguments)  # type: ignore[attr-defined]
        except BaseException as error:
            core.keep_error(error)
            return None

    def page_added(self, core: Core, pfn: int, active: bool) -> None:
        core.frames.set(pfn, PG_LRU)
        core.lru.add(self.pages_head, pfn)
        core.zones.add(core.frames.zone(pfn), NR_INACTIVE, 1)
        self.tell(core, "page_added", pfn, active)

    def page_arrived(self, core: Core, pfn: int) -> None:
        self.page_added(core, pfn, False)

    def page_accessed(self, core: Core, pfn: int) -> None:
        self.tell(core, "page_accessed", pfn)

    def page_freed(self, core: Core, pfn: int) -> None:
        core.frames.clear(pfn, PG_LRU)
        core.lru.remove(pfn)
        core.zones.add(core.frames.zone(pfn), NR_INACTIVE, -1)
        self.tell(core, "page_freed", pfn)

    def written(self, core: Core, pfn: int) -> None:
        self.tell(core, "written", pfn)

    def charged(self, core: Core, pfn: int, container: int) -> None:
        core.meta.add(self.first_head + container, pfn)
        self.tell(core, "charged", pfn, container)

    def uncharged(self, core: Core, pfn: int, container: int) -> None:
        core.meta.remove(pfn)
        self.tell(core, "uncharged", pfn, container)

    def container_made(self, core: Core, container: int) -> None:
        core.meta.init_head(self.first_head + container)
        self.tell(core, "container_made", container)

    def shrink_zones(self, core: Core, zonelist: int, order: int, gfp: int) -> bool:
        """Kernel objects are no policy's: they are aged as much as the pages were, as in every reclaim of the machine."""
        scanned, slab_before = core.zones.total(PGSCAN_DIRECT), core.reclaimed_slab
        has_freed = self.reclaim(core, -1)
        shrink_slab(core, core.zones.total(PGSCAN_DIRECT) - scanned, gfp, core.zones.total(NR_INACTIVE))
        return has_freed or core.reclaimed_slab > slab_before

    def shrink_container(self, core: Core, container: int) -> bool:
        return self.reclaim(core, container)

    def reclaim(self, core: Core, container: int) -> bool:
        """Asks the policy, and where nothing came free, once more when the writes that are under way are done."""
        if core.scan_depth == MAX_SCAN_DEPTH:
            return False
        core.count(ALLOCSTALL)
        core.scan_depth += 1
        evict = self.evict if container < 0 or not core.spares_swap else self.evict_unless_to_swap
        answer = self.tell(core, "reclaim", container, evict)
        if not answer and core.disks.nr_writes > 0:
            while core.disks.nr_writes > 0:
                io_schedule(core)
            answer = self.tell(core, "reclaim", container, evict)
        core.scan_depth -= 1
        return bool(answer)

    def evict(self, pfn: int) -> bool:
        return evict_page(self.core, pfn)

    def evict_unless_to_swap(self, pfn: int) -> bool:
        return not needs_slot(self.core, pfn) and evict_page(self.core, pfn)

    def walk(self, core: Core, container: int) -> tuple[list[int], list[int]]:
        if container >= 0:
            return ([], core.meta.order(self.first_head + container))
        return ([], core.lru.order(self.pages_head))


def evict_page(core: Core, pfn: int) -> bool:
    """Takes one page out of memory, however much it is used. True where its frame came free.

    It stays on its list meanwhile, because the reference of isolation keeps it from being freed.
    """
    if not isolate_lru_page(core, pfn, ISOLATE_BOTH):
        return False
    zone = core.frames.zone(pfn)
    core.zones.add(zone, PGSCAN_DIRECT, 1)
    if not core.frames.test_and_set(pfn, PG_LOCKED):
        push_out(core, pfn)
    users = core.frames.count[pfn] - 1
    core.frames.set(pfn, PG_LRU)
    put_page(core, pfn)
    if users == 0:
        core.zones.add(zone, PGSTEAL, 1)
    return users == 0


def push_out(core: Core, pfn: int) -> None:
    """shrink_page_list for one locked page, without its questions. Gives the lock back."""
    if take_from_owners(core, pfn):
        if core.frames.has(pfn, PG_DIRTY) and pageout(core, pfn) == PAGE_SUCCESS:
            if core.frames.has(pfn, PG_WRITEBACK) or core.frames.has(pfn, PG_DIRTY):
                return
            core.frames.set(pfn, PG_LOCKED)
        remove_mapping(core, pfn, LEAVE_RECLAIM)
    core.frames.clear(pfn, PG_LOCKED)


def take_from_owners(core: Core, pfn: int) -> bool:
    """A slot for an anonymous page, and out of every page table with it, old or young, unless it is locked in memory."""
    if core.frames.has(pfn, PG_WRITEBACK):
        return False
    page_referenced(core, pfn, True, -1)
    if core.frames.has(pfn, PG_ANON) and not core.frames.has(pfn, PG_SWAPCACHE) and not add_to_swap(core, pfn):
        return False
    return core.frames.mapcount[pfn] == 0 or try_to_unmap(core, pfn)
