"""What the machine asks of a reclaim model: which lists exist, how pages age, how reclaim scans. One file a model, in models/.

A model sees every page that may be reclaimed come and go, and every charge; when memory is short it is asked to free some. It may
keep arrays of its own by page frame, and link pages through two lists a page: `core.lru`, as long as the page is in use, and
`core.meta`, as long as it is charged.
The methods here do nothing: a model overrides what it needs.

Typical sequence: container_made, page_added + charged (a fault), page_accessed, shrink_container (the container is full), drain,
page_freed + uncharged, container_removed.
"""

from __future__ import annotations

from .core import Core
from .params import LRU_ACTIVE_ANON, LRU_INACTIVE_ANON, PG_REFERENCED, PGPGOUT


def make_container(core: Core, container: int) -> None:
    """The model learns of a new container."""
    core.model.container_made(core, container)


def remove_container(core: Core, container: int) -> None:
    """The model forgets a container that no page is charged to."""
    core.model.container_removed(core, container)


class Model:
    """All methods take the machine first; none raises. lists_all_charged: a page is on its container's lists as long as it is charged,
    instead of being there while it is on the LRU. knobs: what can be set of a container because this model goes by it (Machine.knobs).

    name: what users call it (`model=`); a class without a name of its own is not offered to them."""

    name = ""

    def __init__(self) -> None:
        self.lists_all_charged = True
        self.knobs: frozenset[str] = frozenset()

    @staticmethod
    def list_heads(nr_containers: int, nr_nodes: int) -> tuple[int, int]:
        """How many heads of lists it needs in core.lru and in core.meta, in a machine with room for so many containers."""
        return (0, 0)

    def page_added(self, core: Core, pfn: int, active: bool) -> None:
        """A page is to go on the LRU: lru_cache_add_active or lru_cache_add."""

    def page_arrived(self, core: Core, pfn: int) -> None:
        """A page goes on the inactive list at once, from a pagevec of its own caller (pagevec_lru_add)."""

    def page_accessed(self, core: Core, pfn: int) -> None:
        """mark_page_accessed: used by something other than a mapping."""

    def activate(self, core: Core, pfn: int) -> None:
        """activate_page: a page on the LRU belongs on the active list."""

    def moved(self, core: Core, pfn: int, active: bool, why: int) -> None:
        """A page changed its zone list, or was kept on the active one: mem_container_move_lists. `why` (MOVED_*) is for the trace."""

    def refaulted(self, core: Core, pfn: int, age: int, whose: int) -> None:
        """A page is back in its cache, charged and not yet on its way to the LRU, where reclaim left this shadow of it (see shadows.py)."""

    def mapped(self, core: Core, pfn: int, vma: int) -> None:
        """A fault has mapped a file's page in this VMA."""

    def unmapped(self, core: Core, pfn: int, mm: int, vpn: int) -> None:
        """A task gave up its mapping of a file's page, whose entry was young: what it used, somebody may use again."""
        core.frames.set(pfn, PG_REFERENCED)

    def page_freed(self, core: Core, pfn: int) -> None:
        """The last reference to a page on the LRU has gone."""

    def written(self, core: Core, pfn: int) -> None:
        """A write that reclaim started is done: the page can be freed now."""

    def mlocked(self, core: Core, pfn: int) -> None:
        """The first mapping came that is locked in memory (PG_MLOCKED is set): the page is to leave the lists that reclaim walks."""

    def munlocked(self, core: Core, pfn: int) -> None:
        """The last such mapping has gone (PG_MLOCKED is clear): the page is to be on the lists again."""

    def lazyfree(self, core: Core, pfn: int) -> None:
        """mark_page_lazyfree (MADV_FREE): an anonymous page whose content nobody will miss unless it is written again; its entry is old
        and clean, and it is in no swap cache."""

    def deactivate(self, core: Core, pfn: int) -> None:
        """folio_deactivate (MADV_COLD): the page, whose entry is old, is not to be among the active ones."""

    def reclaim_page(self, core: Core, pfn: int) -> bool:
        """reclaim_pages (MADV_PAGEOUT), for one page, whose references do not count. Is it free?"""
        return False

    def drain(self, core: Core) -> None:
        """lru_add_drain: pages on their way to the LRU arrive."""

    def charged(self, core: Core, pfn: int, container: int) -> None:
        """The page got a meta page."""

    def uncharged(self, core: Core, pfn: int, container: int) -> None:
        """Its meta page has gone."""

    def first_list(self, core: Core) -> int:
        """On which of a container's lists a page is that was just charged, 1 being the active one; for the trace."""
        return 0

    def container_made(self, core: Core, container: int) -> None:
        """A container exists from now on, without pages."""

    def container_removed(self, core: Core, container: int) -> None:
        """No page is charged to it, and none will be."""

    def shrink_zones(self, core: Core, zonelist: int, order: int, gfp: int) -> bool:
        """try_to_free_pages: free memory in the zones of this zonelist, by what the gfp mask allows; True for progress."""
        return False

    def shrink_container(self, core: Core, container: int) -> bool:
        """try_to_free_mem_container_pages: free memory of this container; True for success."""
        return False

    def shrink_subtree(self, core: Core, container: int, may_swap: bool) -> int:
        """try_to_free_mem_cgroup_pages since 2.6.29: free memory of this container and all below it; gives how many pages it has less.

        A model that knows no hierarchy is asked for one container after the other, until one frees something; and again, as what was used
        the first time may be idle the second; and as long as pages are written, which come free the time after. What counts is what the
        caller is short of.
        """
        core.spares_swap = not may_swap
        before = core.counters.pages(container) if may_swap else core.memsw.pages(container)
        after = before
        nr_retries = core.reclaim_retries
        nr_written = core.events[PGPGOUT]
        at = core.containers.next_in_subtree(container, -1)
        while at >= 0 and after >= before:
            self.shrink_container(core, at)
            after = core.counters.pages(container) if may_swap else core.memsw.pages(container)
            at = core.containers.next_in_subtree(container, at)
            if at < 0 and nr_retries > 0:
                nr_retries = nr_retries - 1 if core.events[PGPGOUT] != nr_written else 0
                nr_written = core.events[PGPGOUT]
                at = core.containers.next_in_subtree(container, -1)
        core.spares_swap = False
        return before - after if after < before else 0

    def lru_size(self, core: Core, container: int, which: int) -> int:
        """How many of a container's own pages are on one of the five lists that memory.stat tells of (LRU_*). Who has but one pair of lists
        tells of it as that of anonymous pages."""
        if which in (LRU_ACTIVE_ANON, LRU_INACTIVE_ANON):
            return self.count(core, container, which == LRU_ACTIVE_ANON)
        return 0

    def flush_stats(self, core: Core) -> int:
        """The statistics that reclaim goes by are brought up to date, where it has such; gives when they are to be the next time (a time of
        the clock), or -1 where nothing will have changed."""
        return -1

    def stats_read(self, core: Core, container: int) -> None:
        """Somebody reads the container's statistics (memory.stat), which brings those that reclaim goes by up to date where much has
        changed."""

    def last_resort(self, core: Core, container: int) -> bool:
        """The OOM killer is about to be asked, because a charge found no room in this container. Is one more reclaim worth while?"""
        return False

    def run_kswapd(self, core: Core, node: int) -> int:
        """Some of the work of a node's kswapd; gives when it wants to go on (a time of the clock), or -1 where it goes to sleep."""
        return -1

    def unevictable(self, core: Core) -> list[int]:
        """Pages that are on a list of their own, which reclaim does not walk."""
        return []

    def waiting(self) -> tuple[list[int], list[int]]:
        """Pages on their way to the (active, inactive) list, each with a reference more."""
        return ([], [])

    def count(self, core: Core, container: int, active: bool) -> int:
        """The pages of a container on its active or inactive list. Cost: as walk(), unless the model counts them."""
        active_pages, inactive_pages = self.walk(core, container)
        return len(active_pages) if active else len(inactive_pages)

    def walk(self, core: Core, container: int) -> tuple[list[int], list[int]]:
        """The (active, inactive) pages of a container, from the head of each list; of the zones' lists where it is -1."""
        return ([], [])
