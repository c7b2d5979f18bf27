"""Who is charged, and what happens at the limit, by the rules of cgroup v1 in Linux 6.18 (mm/memcontrol.c, mm/memcontrol-v1.c,
mm/page_counter.c).

A page is charged once, to the container of the address space that first needs it, or for the page cache to whoever runs, and stays
charged until it is freed: what is only in a cache goes on counting. A charge goes to all containers above, too, and the one whose limit is
met is the one that reclaims, itself and all below it. There are two limits: memory, and memory and swap together (memsw). A page that
reclaim wrote to swap gives up the first; the second passes on to its slot, which remembers the owner, and the owner pays when it comes
back. The kernel's own memory is charged like a page, and counted once more (kmem).

A counter counts pages. Charges are made in batches, where the machine says so, and what is left of one is kept by the cpu.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .core import Core, mem_cgroup_oom
from .memcg_events import memcg_check_events, memcg_oom_recover
from .memcontrol import page_assign_meta_page, page_get_meta_page, trace_round
from .params import DAEMON_MEMCG, ENOMEM, GFP_HIGHUSER, GFP_KERNEL, GFP_NOFAIL, GFP_NORETRY, GFP_WAIT, MAX_RECLAIM_RETRIES
from .params import MEMCG_FLUSH_NS, MEMCG_KMEM, MEMCG_PGPGIN
from .params import MEMCG_PGPGOUT, MEMCG_SWAP, PG_CHARGED_CACHE, PG_TAIL, SMALL_CHARGE
from .rules import Rules
from .trace import trace_charge, trace_charge_failed, trace_uncharge
from .trace_ring import CHARGED_CACHE, CHARGED_MAPPED, ROUND_GIVE_UP, ROUND_RECLAIMED, ROUND_RETRY, ROUND_UNDER_LIMIT

if TYPE_CHECKING:
    from .kernels import Kernel


class RulesV1(Rules):
    name = "v1"

    def __init__(self, kernel: Kernel) -> None:
        Rules.__init__(self, kernel)
        self.charges_once = True
        self.knobs = frozenset({"memsw", "kmem", "swappiness", "oom_control"})

    def charge(self, core: Core, pfn: int, mm: int) -> int:
        """A page of a cache is charged already."""
        if page_get_meta_page(core, pfn):
            return 0
        return mem_cgroup_charge(core, pfn, core.mms.container[mm], False, GFP_HIGHUSER)

    def cache_charge(self, core: Core, pfn: int, mm: int) -> int:
        if page_get_meta_page(core, pfn):
            return 0
        return mem_cgroup_charge(core, pfn, core.mms.container[mm], True, GFP_HIGHUSER)

    def cache_charge_ahead(self, core: Core, pfn: int, mm: int) -> int:
        if page_get_meta_page(core, pfn):
            return 0
        return mem_cgroup_charge(core, pfn, core.mms.container[mm], True, GFP_HIGHUSER | GFP_NORETRY)

    def swap_cache_charge(self, core: Core, pfn: int, slot: int, mm: int) -> int:
        """mem_cgroup_swapin_charge_folio: a page that comes back is its old owner's, or, if that was removed, whoever's wants it. One on
        its way out is charged already."""
        if page_get_meta_page(core, pfn):
            return 0
        owner = core.swap.owner[slot]
        if owner != 0 and core.containers.is_online[owner - 1] != 0:
            return mem_cgroup_charge(core, pfn, owner - 1, False, GFP_HIGHUSER)
        return mem_cgroup_charge(core, pfn, core.mms.container[mm], False, GFP_HIGHUSER)

    def swapped_in(self, core: Core, slot: int) -> None:
        mem_cgroup_uncharge_swap(core, slot)

    def swapped_out(self, core: Core, pfn: int, slot: int) -> None:
        mem_cgroup_swapout(core, pfn, slot)

    def swap_freed(self, core: Core, slot: int) -> None:
        mem_cgroup_uncharge_swap(core, slot)

    def page_freed(self, core: Core, pfn: int, what: int) -> None:
        mem_cgroup_uncharge(core, pfn, what)

    def charge_kmem(self, core: Core, container: int, nr_pages: int) -> int:
        return obj_cgroup_charge_pages(core, container, nr_pages)

    def uncharge_kmem(self, core: Core, container: int, nr_pages: int) -> None:
        obj_cgroup_uncharge_pages(core, container, nr_pages)

    def drain_stocks(self, core: Core, container: int) -> None:
        drain_all_stock(core, container)

    def arm_flush(self, core: Core) -> None:
        """The kernel has no rule by which an idle container's stock goes back, but it was seen to be back within two seconds: something
        else always runs on the cpu. Here that is a tick."""
        if core.daemons.is_asleep(DAEMON_MEMCG):
            core.daemons.set_due(DAEMON_MEMCG, (core.clock_ns // MEMCG_FLUSH_NS + 1) * MEMCG_FLUSH_NS)

    def run_flush(self, core: Core) -> None:
        """By then no page waits for its list any more, nor a charge in its slot."""
        core.model.drain(core)
        drain_all_stock(core, 0)

    def container_offline(self, core: Core, container: int) -> None:
        mem_cgroup_css_offline(core, container)


# Charging


def mem_cgroup_charge(core: Core, pfn: int, container: int, is_cache: bool, gfp: int) -> int:
    """charge_memcg. 0, or -ENOMEM."""
    error = try_charge_memcg(core, container, 1, gfp)
    if error != 0:
        if core.traced:
            trace_charge_failed(core, pfn, container, CHARGED_CACHE if is_cache else CHARGED_MAPPED)
        return error
    commit_charge(core, pfn, container, is_cache)
    return 0


def commit_charge(core: Core, pfn: int, container: int, is_cache: bool) -> None:
    """memcg1_commit_charge: the page knows who pays. A folio is counted once."""
    core.containers.css_get(container)
    page_assign_meta_page(core, pfn, container, 1)
    if is_cache:
        core.frames.set(pfn, PG_CHARGED_CACHE)
        core.containers.nr_cache[container] += 1
    if not core.frames.has(pfn, PG_TAIL):
        core.stats.add(container, MEMCG_PGPGIN, 1)
    if core.traced:
        trace_charge(core, pfn, CHARGED_CACHE if is_cache else CHARGED_MAPPED)
    memcg_check_events(core, container, 1)
    core.model.charged(core, pfn, container)


def charge_counters(core: Core, container: int, nr_pages: int) -> int:
    """memsw first. -1 where both have room for it; else who has none, leaving in core.over_memsw which counter it was."""
    if not core.memsw.charge(container, nr_pages):
        core.over_memsw = True
        return core.memsw.refused
    if not core.counters.charge(container, nr_pages):
        core.memsw.uncharge(container, nr_pages)
        core.over_memsw = False
        return core.counters.refused
    return -1


def try_charge_memcg(core: Core, container: int, nr_pages: int, gfp: int) -> int:
    """0, or -ENOMEM. A batch is tried first, and if it does not fit, just what is wanted.

    Who was refused reclaims, and tries again if that made room; once besides for what stocks gave back; again and again while anything
    comes free; and MAX_RECLAIM_RETRIES times in vain, and once more if the model sees a reason, until somebody is killed.
    """
    batch = max(core.charge_batch, nr_pages)
    nr_retries = MAX_RECLAIM_RETRIES
    may_swap = 1
    has_drained = 0
    is_last = 0
    is_forced = 0
    while True:
        if consume_stock(core, container, nr_pages):
            return 0
        over = charge_counters(core, container, batch)
        if over < 0:
            if batch > nr_pages:
                refill_stock(core, container, batch - nr_pages)
            return 0
        if core.over_memsw:
            may_swap = 0
        if batch > nr_pages:
            batch = nr_pages
            continue
        if core.current_is_memalloc:
            is_forced = 1
            break
        if core.memcg_in_oom >= 0 or gfp & GFP_WAIT == 0:
            break
        nr_reclaimed = core.model.shrink_subtree(core, over, may_swap != 0)
        if mem_cgroup_margin(core, over) >= nr_pages:
            trace_round(core, over, nr_retries, ROUND_UNDER_LIMIT)
            continue
        if has_drained == 0:
            drain_all_stock(core, over)
            has_drained = 1
            continue
        if gfp & GFP_NORETRY:
            break
        if nr_reclaimed > 0 and nr_pages <= SMALL_CHARGE:
            trace_round(core, over, nr_retries, ROUND_RECLAIMED)
            continue
        if nr_retries > 0:
            trace_round(core, over, nr_retries, ROUND_RETRY)
            nr_retries -= 1
            continue
        trace_round(core, over, nr_retries, ROUND_GIVE_UP)
        if is_last == 0 and core.model.last_resort(core, over):
            is_last = 1
            continue
        if not mem_cgroup_oom(core, over) or core.current_is_killed:
            break  # who is killed himself tries no more: the kernel's reaper has his memory before he has tried often
        nr_retries = MAX_RECLAIM_RETRIES
    if is_forced == 0 and gfp & GFP_NOFAIL == 0:
        return -ENOMEM
    core.memsw.charge_anyway(container, nr_pages)
    core.counters.charge_anyway(container, nr_pages)
    return 0


def mem_cgroup_margin(core: Core, container: int) -> int:
    """Pages for which this container itself has room, within both of its limits."""
    return min(core.counters.room(container), core.memsw.room(container))


# Stocks


def consume_stock(core: Core, container: int, nr_pages: int) -> bool:
    if core.charge_batch == 1:
        return False
    place = core.stocks.find(core.current_node, container + 1)
    if place < 0 or core.stocks.nr_pages[place] < nr_pages:
        return False
    core.stocks.nr_pages[place] -= nr_pages
    return True


def refill_stock(core: Core, container: int, nr_pages: int) -> None:
    """What was charged too much is kept by the cpu; what is more than a batch goes back."""
    if nr_pages > core.charge_batch:
        core.counters.uncharge(container, nr_pages)
        core.memsw.uncharge(container, nr_pages)
        return
    place = core.stocks.find(core.current_node, container + 1)
    if place >= 0:
        core.stocks.nr_pages[place] += nr_pages
        if core.stocks.nr_pages[place] > core.charge_batch:
            drain_stock(core, place)
        return
    place = core.stocks.find(core.current_node, 0)
    if place < 0:
        place = core.stocks.next_victim(core.current_node)
        drain_stock(core, place)
    core.containers.css_get(container)
    core.stocks.put(place, container, nr_pages)
    core.rules.arm_flush(core)


def drain_stock(core: Core, place: int) -> None:
    """The place is free, and its pages are back in the counters."""
    if core.stocks.cached[place] == 0:
        return
    container = core.stocks.cached[place] - 1
    nr_pages = core.stocks.take(place)
    core.counters.uncharge(container, nr_pages)
    core.memsw.uncharge(container, nr_pages)
    core.containers.css_put(container)


def drain_all_stock(core: Core, top: int) -> None:
    """Of the container and all below it, on every cpu."""
    if core.charge_batch == 1:
        return
    for place in range(core.stocks.nr_places):
        if core.stocks.cached[place] != 0 and core.containers.is_below(core.stocks.cached[place] - 1, top):
            drain_stock(core, place)


# Uncharging


def mem_cgroup_uncharge(core: Core, pfn: int, what: int) -> None:
    """uncharge_folio, uncharge_batch: the page is freed."""
    container = core.frames.container[pfn]
    core.counters.uncharge(container, 1)
    core.memsw.uncharge(container, 1)
    memcg_oom_recover(core, container)
    forget_charge(core, pfn, container, what)


def forget_charge(core: Core, pfn: int, container: int, what: int) -> None:
    """The page is nobody's from now on."""
    page_assign_meta_page(core, pfn, 0, 0)
    if core.frames.test_and_clear(pfn, PG_CHARGED_CACHE):
        core.containers.nr_cache[container] -= 1
    if not core.frames.has(pfn, PG_TAIL):
        core.stats.add(container, MEMCG_PGPGOUT, 1)
    if core.traced:
        trace_uncharge(core, pfn, container, 0, what)
    memcg_check_events(core, container, 1)
    core.model.uncharged(core, pfn, container)
    core.containers.css_put(container)


# Swap


def mem_cgroup_swapout(core: Core, pfn: int, slot: int) -> None:
    """The page left the swap cache, written: its slot pays from now on, in its name. Where its container was removed and has nothing else
    in swap, the nearest one above that can be named pays instead."""
    if not page_get_meta_page(core, pfn):
        return
    container = core.frames.container[pfn]
    owner = mem_cgroup_id_get_online(core, container)
    if owner != container:
        core.memsw.charge_anyway(owner, 1)
        core.memsw.uncharge(container, 1)
    core.containers.css_get(owner)
    core.swap.owner[slot] = owner + 1
    core.stats.add(owner, MEMCG_SWAP, 1)
    core.counters.uncharge(container, 1)
    forget_charge(core, pfn, container, CHARGED_MAPPED)


def mem_cgroup_id_get_online(core: Core, container: int) -> int:
    """The container's id lives as long as it is online, or a slot has it."""
    at = container
    while core.containers.is_online[at] == 0 and core.stats.count(at, MEMCG_SWAP) == 0:
        at = core.containers.parent[at]
    return at


def mem_cgroup_uncharge_swap(core: Core, slot: int) -> None:
    """The slot pays no more: it is free, or its page is back, which was charged itself."""
    if core.swap.owner[slot] == 0:
        return
    owner = core.swap.owner[slot] - 1
    core.swap.owner[slot] = 0
    core.memsw.uncharge(owner, 1)
    core.stats.add(owner, MEMCG_SWAP, -1)
    core.containers.css_put(owner)


# Kernel memory


def obj_cgroup_charge_pages(core: Core, container: int, nr_pages: int) -> int:
    """0, or -ENOMEM. The top container's is nobody's. For who was removed (buffers of its pages, say) whoever above him inherits pays."""
    if container == 0 or not core.charges_kmem:
        return 0
    payer = core.containers.nearest_online(container)
    error = try_charge_memcg(core, payer, nr_pages, GFP_KERNEL)
    if error == 0:
        core.kmem.charge_anyway(payer, nr_pages)
        core.stats.add(payer, MEMCG_KMEM, nr_pages)
        core.containers.css[container] += nr_pages
    return error


def obj_cgroup_uncharge_pages(core: Core, container: int, nr_pages: int) -> None:
    """To the cpu's stock. Of who was removed, whoever above him inherited it."""
    if container == 0 or not core.charges_kmem:
        return
    payer = core.containers.nearest_online(container)
    core.kmem.uncharge(payer, nr_pages)
    core.stats.add(payer, MEMCG_KMEM, -nr_pages)
    if payer == 0 or core.charge_batch == 1:
        core.counters.uncharge(payer, nr_pages)
        core.memsw.uncharge(payer, nr_pages)
    else:
        refill_stock(core, payer, nr_pages)
    for _ in range(nr_pages):
        core.containers.css_put(container)


def mem_cgroup_css_offline(core: Core, container: int) -> None:
    """The directory is gone: no charge in advance any more, and the kernel's memory is the parent's (memcg_reparent_objcgs), whose counters
    have it already. Pages stay with the container as long as they are there."""
    for place in range(core.stocks.nr_places):
        if core.stocks.cached[place] == container + 1:
            drain_stock(core, place)
    inherited = core.stats.count(container, MEMCG_KMEM)
    core.stats.add(container, MEMCG_KMEM, -inherited)
    core.stats.add(core.containers.parent[container], MEMCG_KMEM, inherited)
    core.kmem.take_from(container, inherited)
    core.counters.take_from(container, inherited)
    core.memsw.take_from(container, inherited)
    core.containers.set_offline(container)
