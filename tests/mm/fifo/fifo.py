"""First in, first out: the page that came first goes first, used or not. A model is this file, its twin, and a line in pure.py."""

from __future__ import annotations

from ..core import Core
from ..lists import Links
from ..model import Model
from ..params import NR_INACTIVE, PG_LRU
from .python import evict_page


class Fifo(Model):
    """In core.lru, one head has all pages; in core.meta, head c has container c's. The newest page is first."""

    name = "fifo"

    def __init__(self, core: Core) -> None:
        Model.__init__(self)
        self.pages_head = core.lru.first_head + core.nr_free_heads
        self.first_head = core.meta.first_head
        core.lru.init_head(self.pages_head)

    @staticmethod
    def list_heads(nr_containers: int, nr_nodes: int) -> tuple[int, int]:
        return (1, nr_containers)

    def page_added(self, core: Core, pfn: int, active: bool) -> None:
        core.frames.set(pfn, PG_LRU)
        core.lru.add(self.pages_head, pfn)
        core.zones.add(core.frames.zone(pfn), NR_INACTIVE, 1)

    def page_arrived(self, core: Core, pfn: int) -> None:
        self.page_added(core, pfn, False)

    def page_freed(self, core: Core, pfn: int) -> None:
        core.frames.clear(pfn, PG_LRU)
        core.lru.remove(pfn)
        core.zones.add(core.frames.zone(pfn), NR_INACTIVE, -1)

    def charged(self, core: Core, pfn: int, container: int) -> None:
        core.meta.add(self.first_head + container, pfn)

    def uncharged(self, core: Core, pfn: int, container: int) -> None:
        core.meta.remove(pfn)

    def container_made(self, core: Core, container: int) -> None:
        core.meta.init_head(self.first_head + container)

    def shrink_zones(self, core: Core, zonelist: int, order: int, gfp: int) -> bool:
        return evict_oldest(core, core.lru, self.pages_head)

    def shrink_container(self, core: Core, container: int) -> bool:
        return evict_oldest(core, core.meta, self.first_head + container)

    def walk(self, core: Core, container: int) -> tuple[list[int], list[int]]:
        if container >= 0:
            return ([], core.meta.order(self.first_head + container))
        return ([], core.lru.order(self.pages_head))


def evict_oldest(core: Core, pages: Links, head: int) -> bool:
    """True where a page came free."""
    pfn = pages.prev[head]
    while pfn != head:
        younger = pages.prev[pfn]
        if evict_page(core, pfn):
            return True
        pfn = younger
    return False
