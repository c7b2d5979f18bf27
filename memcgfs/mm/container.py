"""One container's numbers, as the rest of the project sees them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from .errors import BadValue, Busy, Interrupted
from .params import LRU_ACTIVE_ANON, LRU_ACTIVE_FILE, LRU_INACTIVE_ANON, LRU_INACTIVE_FILE, LRU_UNEVICTABLE, MAX_RECLAIM_RETRIES, MEMCG_ROW
from .params import MEMCG_PGFAULT, MEMCG_PGMAJFAULT, MEMCG_PGPGIN, MEMCG_PGPGOUT, MEMCG_REFAULT_ANON, MEMCG_REFAULT_FILE, MEMCG_SHMEM
from .params import MEMCG_SWAP, MEMCG_SWAPCACHE, NR_ANON_PAGES, NR_FILE_DIRTY, NR_FILE_MAPPED, NR_FILE_PAGES, NR_WRITEBACK, PAGE_BYTES

if TYPE_CHECKING:
    from .machine import Machine
    from .memcg_watches import Signal, Watch
    from .res_counter import ResCounters

LLONG_MAX = (1 << 63) - 1
MAX_SWAPPINESS = 200
NEVER_INTERRUPTED = bool  # bool() is False

# memory.stat of 6.18 (mm/memcontrol-v1.c: memcg1_stat_format): its lines, in order, and what is counted there.
PAGE_ITEMS = {
    "shmem": MEMCG_SHMEM,
    "mapped_file": NR_FILE_MAPPED,
    "dirty": NR_FILE_DIRTY,
    "writeback": NR_WRITEBACK,
}
REFAULTS = {"workingset_refault_anon": MEMCG_REFAULT_ANON, "workingset_refault_file": MEMCG_REFAULT_FILE}
EVENTS = {"pgpgin": MEMCG_PGPGIN, "pgpgout": MEMCG_PGPGOUT, "pgfault": MEMCG_PGFAULT, "pgmajfault": MEMCG_PGMAJFAULT}
LISTS = {
    "inactive_anon": LRU_INACTIVE_ANON,
    "active_anon": LRU_ACTIVE_ANON,
    "inactive_file": LRU_INACTIVE_FILE,
    "active_file": LRU_ACTIVE_FILE,
    "unevictable": LRU_UNEVICTABLE,
}


class CounterView:
    """One of a container's counters: "memory", "memsw", "kmem", or "tcp", which nothing here is ever charged to. In pages."""

    __slots__ = ("container", "name")

    def __init__(self, container: Container, name: str) -> None:
        self.container = container
        self.name = name

    @property
    def counters(self) -> ResCounters | None:
        core = self.container.machine.core
        found: ResCounters | None = {"memory": core.counters, "memsw": core.memsw, "kmem": core.kmem, "tcp": None}[self.name]
        return found

    def read(self, field: str) -> int:
        counters = self.counters
        return int(getattr(counters, field)[self.container.cid] // counters.unit) if counters is not None else 0

    @property
    def usage(self) -> int:
        return self.read("usage")

    @property
    def limit(self) -> int:
        return self.read("limit") if self.counters is not None else self.container.machine.core.counters.unlimited

    @property
    def failcnt(self) -> int:
        return int(self.counters.failcnt[self.container.cid]) if self.counters is not None else 0

    @property
    def max_usage(self) -> int:
        return self.read("max_usage")

    def reset_failcnt(self) -> None:
        if self.counters is not None:
            self.counters.failcnt[self.container.cid] = 0

    def reset_max_usage(self) -> None:
        """page_counter_reset_watermark: to what is used now."""
        if self.counters is not None:
            self.counters.max_usage[self.container.cid] = self.counters.usage[self.container.cid]

    def resize(self, pages: int, is_interrupted: Callable[[], bool] = NEVER_INTERRUPTED) -> None:
        """mem_cgroup_resize_max: reclaims until the usage fits. Nothing happens to kmem and tcp, which have no limit any more.

        Raises BadValue of the top container, and where memory would be allowed more than memory and swap together; Busy where nothing
        comes free, and Interrupted where the writer got a signal: then the old limit stands, and what was reclaimed is gone. Cost: a
        reclaim for each 32 pages, or so, that are too many.
        """
        container, counters = self.container, self.counters
        machine = container.machine
        machine.refuse_if_panicked()
        if self.name in ("kmem", "tcp") or counters is None:
            return
        if container is machine.root:
            raise BadValue("the top container has no limit")
        if not machine.core.rules.charges_once:
            # Rules of 2007 and 2008 have one counter, and look at its limit at the next charge.
            if self.name == "memory":
                container.limit_bytes = pages * PAGE_BYTES
            return
        core, cid, has_drained = machine.core, container.cid, False
        with machine.running(None):
            while True:
                if not (pages >= core.counters.limit[cid] if self.name == "memsw" else pages <= core.memsw.limit[cid]):
                    raise BadValue("memory and swap together cannot be less than memory")
                is_enlarged = pages > counters.limit[cid]
                if counters.set_limit(cid, pages):
                    if is_enlarged:
                        machine.engine.memcg_oom_recover(core, cid)
                    return
                if is_interrupted():
                    raise Interrupted("a signal came while the container was made to fit")
                if not has_drained:
                    machine.engine.drain_all_stocks(core, cid)
                    has_drained = True
                elif not machine.engine.shrink_subtree(core, cid, self.name == "memory"):
                    raise Busy(f"{self.usage} pages are in use, and none of them comes free")


class Container:
    """One container's numbers. Made by Machine.create_container; the top one is Machine.root.

    first_record: trace records before that one mean another container, which had the same number.
    """

    __slots__ = ("cid", "first_record", "machine")

    def __init__(self, machine: Machine, cid: int) -> None:
        self.machine = machine
        self.cid = cid
        self.first_record = machine.tracer.next_number

    def inherit(self, parent: Container | None) -> None:
        """mem_cgroup_css_alloc: what a new container has from its parent."""
        containers = self.machine.core.containers
        containers.swappiness[self.cid] = parent.swappiness if parent is not None else self.machine.core.swappiness
        containers.oom_kill_disable[self.cid] = parent is not None and parent.oom_kill_disable
        containers.soft_limit[self.cid] = self.machine.core.counters.unlimited

    # Where it is

    @property
    def is_online(self) -> bool:
        """Has it a directory? Where not, it is there for the pages that it goes on paying for."""
        return bool(self.machine.core.containers.is_online[self.cid])

    @property
    def parent(self) -> Container | None:
        above = self.machine.core.containers.parent[self.cid]
        return self.machine.container_of(above) if above >= 0 else None

    def children(self) -> Iterator[Container]:
        """The oldest first; with those that are offline."""
        containers = self.machine.core.containers
        at = containers.first_child[self.cid]
        while at >= 0:
            yield self.machine.container_of(at)
            at = containers.next_sibling[at]

    def subtree(self) -> Iterator[Container]:
        """Itself and all below, parents before their children; with those that are offline."""
        at = self.machine.core.containers.next_in_subtree(self.cid, -1)
        while at >= 0:
            yield self.machine.container_of(at)
            at = self.machine.core.containers.next_in_subtree(self.cid, at)

    def counted(self) -> list[Container]:
        """Those that count in this one: itself and all below, or itself where the rules know no hierarchy."""
        return list(self.subtree()) if self.has_hierarchy else [self]

    @property
    def has_hierarchy(self) -> bool:
        """Does a charge count in all containers above, too?"""
        return bool(self.machine.core.rules.charges_once)

    # Counters

    def counter(self, name: str) -> CounterView:
        """"memory", "memsw", "kmem" or "tcp"."""
        return CounterView(self, name)

    @property
    def usage(self) -> int:
        """Pages."""
        return int(self.machine.core.counters.pages(self.cid))

    @property
    def limit(self) -> int:
        """Pages. Lowering it below the usage is accepted, and shows at the next charge; since 2.6.29 it reclaims at once (see
        CounterView.resize)."""
        counters = self.machine.core.counters
        return int(counters.limit[self.cid] // counters.unit)

    @limit.setter
    def limit(self, pages: int) -> None:
        counters = self.machine.core.counters
        self.set_count(pages * counters.unit)

    @property
    def limit_bytes(self) -> int:
        """The limit where it is told in bytes. A counter that counts pages can have a larger one than fits: that is "none", LLONG_MAX."""
        counters = self.machine.core.counters
        if counters.unit == PAGE_BYTES:
            return int(counters.limit[self.cid])
        return min(int(counters.limit[self.cid]) * PAGE_BYTES, LLONG_MAX)

    @limit_bytes.setter
    def limit_bytes(self, nbytes: int) -> None:
        """Whole pages."""
        self.set_count(nbytes * self.machine.core.counters.unit // PAGE_BYTES)

    def set_count(self, limit: int) -> None:
        self.machine.refuse_if_panicked()
        core = self.machine.core
        if core.rules.charges_once:
            self.counter("memory").resize(min(limit & core.counters.largest, core.counters.unlimited))
        else:
            core.counters.limit[self.cid] = limit & core.counters.largest

    @property
    def ulong_max(self) -> int:
        return self.machine.config.ulong_max

    @property
    def failcnt(self) -> int:
        return int(self.machine.core.counters.failcnt[self.cid])

    @property
    def peak(self) -> int:
        """The highest usage so far."""
        return self.counter("memory").max_usage

    @property
    def soft_limit(self) -> int:
        """Pages: who is above his is asked first when the machine is short of memory."""
        return int(self.machine.core.containers.soft_limit[self.cid])

    @soft_limit.setter
    def soft_limit(self, pages: int) -> None:
        self.machine.refuse_if_panicked()
        self.machine.core.containers.soft_limit[self.cid] = pages

    @property
    def swappiness(self) -> int:
        """The top one's is the machine's."""
        core = self.machine.core
        return int(core.swappiness if self.cid == 0 else core.containers.swappiness[self.cid])

    @swappiness.setter
    def swappiness(self, value: int) -> None:
        """0 to 200. Raises BadValue."""
        self.machine.refuse_if_panicked()
        if not 0 <= value <= MAX_SWAPPINESS:
            raise BadValue(f"swappiness {value}: from 0 to {MAX_SWAPPINESS}")
        if self.cid == 0:
            self.machine.core.swappiness = value
        else:
            self.machine.core.containers.swappiness[self.cid] = value

    @property
    def oom_kill_disable(self) -> bool:
        return bool(self.machine.core.containers.oom_kill_disable[self.cid])

    @oom_kill_disable.setter
    def oom_kill_disable(self, value: bool) -> None:
        """Raises BadValue of the top container, whose killer is the machine's."""
        self.machine.refuse_if_panicked()
        if self.cid == 0:
            raise BadValue("the machine's OOM killer cannot be disabled")
        self.machine.core.containers.oom_kill_disable[self.cid] = value
        if not value:
            self.machine.engine.memcg_oom_recover(self.machine.core, self.cid)

    @property
    def under_oom(self) -> bool:
        return bool(self.machine.core.containers.under_oom[self.cid])

    @property
    def oom_kills(self) -> int:
        return int(self.machine.core.containers.nr_oom_kills[self.cid])

    def force_empty(self, is_interrupted: Callable[[], bool] = NEVER_INTERRUPTED) -> None:
        """mem_cgroup_force_empty of today: reclaims all that can be reclaimed, and is content with what cannot. Raises Interrupted,
        and BadValue of the top container."""
        machine = self.machine
        machine.refuse_if_panicked()
        if self.cid == 0:
            raise BadValue("the top container cannot be emptied")
        with machine.running(None):
            machine.engine.drain_all_stocks(machine.core, self.cid)
            machine.engine.lru_add_drain_all(machine.core)
            nr_retries = MAX_RECLAIM_RETRIES
            while nr_retries and self.usage:
                if is_interrupted():
                    raise Interrupted("a signal came while the container was emptied")
                if not machine.engine.shrink_subtree(machine.core, self.cid, True):
                    nr_retries -= 1

    # Events: what to do when they happen, in the midst of whatever operation makes them so

    def watch_usage(self, pages: int, signal: Signal, *, memsw: bool = False) -> Watch:
        """The usage has reached so many pages, or is below again; of memory and swap together, if `memsw`."""
        return self.machine.watches.usage(self.cid, pages, signal, memsw)

    def watch_oom(self, signal: Signal) -> Watch:
        """There is no memory any more, here or in a container above: somebody is about to be killed, or waits."""
        return self.machine.watches.oom(self.cid, signal)

    def watch_pressure(self, level: str, mode: str, signal: Signal) -> Watch:
        """Reclaim was at least so hard (low, medium, critical), here or, according to the mode (default, hierarchy, local), below."""
        return self.machine.watches.pressure(self.cid, level, mode, signal)

    # What only the controllers of 2007 and 2008 have, and the model's lists

    @property
    def control_type(self) -> int:
        return int(self.machine.core.containers.control_type[self.cid])

    @control_type.setter
    def control_type(self, value: int) -> None:
        self.machine.refuse_if_panicked()
        self.machine.core.containers.control_type[self.cid] = value

    @property
    def css_refs(self) -> int:
        return int(self.machine.core.containers.css[self.cid])

    @property
    def cache_pages(self) -> int:
        """Its own, not those of containers below."""
        core = self.machine.core
        return int(core.stats.count(self.cid, NR_FILE_PAGES) if core.rules.charges_once else core.containers.nr_cache[self.cid])

    @property
    def rss_pages(self) -> int:
        """Its own. Rules that charge a page for whatever it is used for tell one that is mapped from the rest."""
        if self.machine.core.rules.charges_once:
            return int(self.machine.core.stats.count(self.cid, NR_ANON_PAGES))
        return self.usage - self.cache_pages

    def lists(self) -> tuple[list[int], list[int]]:
        """Page frames on the (active, inactive) list, from head to tail."""
        found: tuple[list[int], list[int]] = self.machine.core.model.walk(self.machine.core, self.cid)
        return found

    @property
    def nr_active(self) -> int:
        return int(self.machine.core.model.count(self.machine.core, self.cid, True))

    @property
    def nr_inactive(self) -> int:
        return int(self.machine.core.model.count(self.machine.core, self.cid, False))

    # Statistics

    def stat(self) -> dict[str, int]:
        """memory.stat, without its sums over the containers below: name and number by line, bytes but for events."""
        self.machine.core.model.stats_read(self.machine.core, self.cid)
        return self.format_stat([self])

    def total_stat(self) -> dict[str, int]:
        """The same of this container and all that count in it, online or not; events also of those that are gone.

        Cost: O(containers there)."""
        containers = self.counted()
        found, past = self.format_stat(containers), self.machine.core.stats.past
        for name, item in {**EVENTS, **REFAULTS}.items():
            found[name] += sum(past[container.cid * MEMCG_ROW + item] for container in containers)
        return found

    def hierarchical_limits(self) -> tuple[int, int]:
        """The smallest limit of memory, and of memory and swap, from here up as far as charges go; in pages."""
        line = [self]
        while self.has_hierarchy and (parent := line[-1].parent) is not None:
            line.append(parent)
        memory, memsw = ([each.counter(name).limit for each in line] for name in ("memory", "memsw"))
        return min(memory), min(memsw)

    def numa_stat(self) -> dict[str, list[int]]:
        """memory.numa_stat (memcg_numa_stat_show): of the pages on its lists, how many are on each node; those of files, anonymous ones,
        and those that cannot be reclaimed. A model's lists are not by node: a machine of several says all of it of the first one."""
        sizes = {name: self.lru_size(which) for name, which in LISTS.items()}
        file = sizes["inactive_file"] + sizes["active_file"]
        anon = sizes["inactive_anon"] + sizes["active_anon"]
        rest = [0] * (self.machine.config.nodes - 1)
        counted = {"total": file + anon + sizes["unevictable"], "file": file, "anon": anon, "unevictable": sizes["unevictable"]}
        return {name: [pages, *rest] for name, pages in counted.items()}

    def lru_size(self, which: int) -> int:
        return int(self.machine.core.model.lru_size(self.machine.core, self.cid, which))

    def format_stat(self, containers: list[Container]) -> dict[str, int]:
        stats = self.machine.core.stats

        def total(item: int) -> int:
            return sum(stats.count(container.cid, item) for container in containers)

        cache, rss = (sum(pages) for pages in zip(*((each.cache_pages, each.rss_pages) for each in containers), strict=True))
        found = {"cache": cache * PAGE_BYTES, "rss": rss * PAGE_BYTES, "rss_huge": 0}
        found |= {name: total(item) * PAGE_BYTES for name, item in PAGE_ITEMS.items()}
        found |= {name: total(item) for name, item in REFAULTS.items()}
        found |= {"swap": total(MEMCG_SWAP) * PAGE_BYTES, "swapcached": total(MEMCG_SWAPCACHE) * PAGE_BYTES}
        found |= {name: total(item) for name, item in EVENTS.items()}
        found |= {name: sum(container.lru_size(which) for container in containers) * PAGE_BYTES for name, which in LISTS.items()}
        return found
