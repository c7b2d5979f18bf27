"""By how much a number of ours may leave what was recorded, and why: the one table that says so.

A recorded number is what several runs had, from the least to the most. What lies between holds; beyond, as far as the row here allows
for its kind. Pages are meant unless a row says otherwise.
"""

from __future__ import annotations

from typing import Final, NamedTuple

BATCH: Final = 63
LRU_BATCH: Final = 31


class Allowance(NamedTuple):
    """`names`: of the numbers meant. slack: how far beyond the least and the most. per_fork: so much more for each process or thread that
    was made before. per_group: for each of the groups that are counted together. swapping: where pages were swapped out before."""

    names: frozenset[str]
    slack: int
    why: str
    per_fork: int = 0
    per_group: int = 0
    swapping: int = 0


class Situation(NamedTuple):
    """What a number was read in. background: pages of the cache that the recorded machine gave up by itself, in the worst of its runs,
    where nothing here asked for any."""

    nr_forks: int = 0
    nr_groups: int = 1
    is_swapping: bool = False
    background: int = 0


def _allow(names: str, slack: int, why: str, *, per_fork: int = 0, per_group: int = 0, swapping: int = 0) -> Allowance:
    return Allowance(frozenset(names.split()), slack, why, per_fork, per_group, swapping)


OTHER_CPU: Final = (
    "pages whose write ended on the other cpu waited in its batch, where reclaim could not free them: up to a batch, in each run others"
)
ALLOWANCES: Final = (
    _allow("kmem", 3, "kernel memory is charged by objects of modelled sizes: how they fill pages, and what a process starts with, differ",
           per_fork=3),
    _allow("usage", 3, f"the same kernel memory, and the helper's own pages after a fork; {OTHER_CPU}", per_fork=6, swapping=LRU_BATCH),
    _allow("memsw", 3, "the same kernel memory, and the helper's own pages after a fork", per_fork=6),
    _allow("usage_at_once memsw_at_once", 3, "read at once: the batch of a cpu is in it or not, as other groups took turns in its slots",
           per_fork=6, per_group=BATCH, swapping=LRU_BATCH),
    _allow("max", 3, "the highest usage had such a batch in it, or not", per_fork=6, per_group=BATCH),
    _allow("kmem_at_once", 3, "as kmem; a process that ended gives its stacks and tables back a little later", per_fork=20),
    _allow("pgfault", 3, "the helper's own faults, after a fork many of pages that somebody else is charged for", per_fork=40),
    _allow("rss inactive_anon active_anon pgpgin pgpgout", 3,
           f"the helper's own pages: its stack and its libraries' data, which it writes to when it comes by; {OTHER_CPU}",
           per_fork=6, swapping=LRU_BATCH),
    _allow("swap swapcached workingset_refault_anon pgmajfault majflt", 0, OTHER_CPU, swapping=LRU_BATCH),
    _allow("cache inactive_file active_file mapped_file workingset_refault_file", 2,
           "a page or two that were on their way to a list when reclaim came by"),
    _allow("minflt", 2, f"the helper's own faults, within its count of them; {OTHER_CPU}", per_fork=2, swapping=LRU_BATCH),
    _allow("inblk", 16, f"blocks of two pages, as cache; {OTHER_CPU}", swapping=8 * LRU_BATCH),
)  # fmt: skip
"""What is not named here has to lie between the least and the most."""
GIVEN_UP: Final = frozenset(("usage", "memsw", "usage_at_once", "memsw_at_once", "cache", "inactive_file", "pgpgout"))
"""Cold, unmapped pages of the cache went on the recorded machine with time, by DAMON: these numbers show it."""

_BY_NAME: Final = {name: row for row in ALLOWANCES for name in row.names}


def holds(name: str, recorded: list[int], ours: int, at: Situation) -> bool:
    """Where several groups are counted together the batch of one may not have been given back by the time that the others were read."""
    name = name.removeprefix("total_")
    row, slack = _BY_NAME.get(name), 0
    if row is not None:
        slack = row.slack + row.per_fork * at.nr_forks + row.per_group * at.nr_groups + row.swapping * at.is_swapping
    if name in GIVEN_UP:
        slack += at.background
    kept = BATCH * (at.nr_groups - 1) if name in ("usage", "memsw") else 0
    return min(recorded) - slack - kept <= ours <= max(recorded) + slack


OOM_ALLOWANCES: Final = (
    _allow("usage start.max", BATCH + 3, "the batch that a cpu had when it was read, and a page or two of the kernel's"),
    _allow("pages_done pages_done_later", 3, "room is the limit less the kernel memory that was charged by then"),
    _allow("kmem", 2, "objects, as above"),
    _allow("low medium critical", 70, "each pass of reclaim tells all levels; runs differ in how many 16 fruitless reclaims had"),
)  # fmt: skip

_OOM_BY_NAME: Final = {name: row for row in OOM_ALLOWANCES for name in row.names}


def oom_holds(name: str, recorded: list[int], ours: int) -> bool:
    """Numbers of an OOM case, named with all that they are in."""
    row = _OOM_BY_NAME.get(name) or _OOM_BY_NAME.get(name.rpartition(".")[2])
    slack = row.slack if row is not None else 0
    return min(recorded) - slack <= ours <= max(recorded) + slack
