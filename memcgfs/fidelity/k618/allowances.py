"""By how much a number of ours may leave what was recorded, and why: the one table that says so.

A recorded number is what several runs had, from the least to the most. What lies between is as recorded; beyond, it may go as far as the
rows here for its name allow together, each to the side for which its reason speaks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal, NamedTuple

BATCH: Final = 63  # pages that a cpu may have charged ahead
LRU_BATCH: Final = 31  # pages that may wait for their list on a cpu

Per = Literal["number", "fork", "group", "sum", "swapping", "page given up"]


class Allowance(NamedTuple):
    """names: of the numbers meant. below, above: by how many pages ours may be less than the least, and more than the most. per: so much
    for each process or thread that was made before, for each of the groups that are counted together, once for a sum of several, once
    where pages were swapped out, or for each page of the cache that the recorded machine gave up by itself."""

    names: frozenset[str]
    below: int
    above: int
    why: str
    per: Per


class Situation(NamedTuple):
    """What a number was read in. given_up: in the worst of the recorded runs, where nothing here asked for any page."""

    nr_forks: int = 0
    nr_groups: int = 1
    is_swapping: bool = False
    given_up: int = 0

    def times(self, per: Per) -> int:
        return {
            "number": 1, "fork": self.nr_forks, "group": self.nr_groups, "sum": int(self.nr_groups > 1),
            "swapping": int(self.is_swapping), "page given up": self.given_up,
        }[per]  # fmt: skip


class Verdict(NamedTuple):
    """`why`: by which allowance, where it holds by one."""

    holds: bool
    why: str = ""


def _allow(names: str, below: int, above: int, why: str, per: Per = "number") -> Allowance:
    return Allowance(frozenset(names.split()), below, above, why, per)


KERNEL_MEMORY: Final = "kernel memory is charged by objects of modelled sizes: how they fill pages, and what a process starts with, differ"
OWN_PAGES: Final = "the helper's own pages: its stack and its libraries' data, which it writes to when it comes by"
CHILD_FAULTS: Final = "a child's faults on the helper's text, which nobody is charged for"
GRACE: Final = "a process that ended gives its stacks and tables back a little later"
CPU_BATCH: Final = "pages that a cpu charged ahead are in it or not; which of two cpus a step ran on differs from run to run"
KEPT_BATCH: Final = "one group's batch was not given back yet when the sum was read"
ON_THE_WAY: Final = "a page or two that were on their way to a list when reclaim came by"
OTHER_CPU: Final = "pages whose write ended on the other cpu waited in its batch, where reclaim could not free them"
ROUNDS: Final = "reclaim without success is tried 16 times, and each pass tells all levels: runs differ in one such round"
DAMON: Final = "cold pages of the cache that the recorded machine gave up by itself"

ALLOWANCES: Final = (
    _allow("kmem kmem_at_once usage memsw usage_at_once memsw_at_once max", 3, 3, KERNEL_MEMORY),
    _allow("kmem", 1, 1, KERNEL_MEMORY, "fork"),
    _allow("rss inactive_anon active_anon pgpgin pgpgout pgfault", 3, 3, OWN_PAGES),
    _allow("minflt", 2, 2, OWN_PAGES),
    _allow("usage memsw usage_at_once memsw_at_once max rss inactive_anon active_anon pgpgin pgpgout minflt", 2, 2, OWN_PAGES, "fork"),
    _allow("pgfault", 28, 0, CHILD_FAULTS, "fork"),
    _allow("kmem_at_once", 16, 0, GRACE, "fork"),
    _allow("usage_at_once memsw_at_once max", BATCH, BATCH, CPU_BATCH, "group"),
    _allow("usage memsw", BATCH, 0, KEPT_BATCH, "sum"),
    _allow("cache inactive_file active_file mapped_file workingset_refault_file", 2, 2, ON_THE_WAY),
    _allow("inblk", 16, 16, ON_THE_WAY),
    _allow("usage usage_at_once inactive_anon active_anon swapcached minflt", LRU_BATCH, 0, OTHER_CPU, "swapping"),
    _allow("swap majflt pgmajfault workingset_refault_anon pgpgin pgpgout", 0, LRU_BATCH, OTHER_CPU, "swapping"),
    _allow("inblk", 0, 8 * LRU_BATCH, OTHER_CPU, "swapping"),
    _allow("usage memsw usage_at_once memsw_at_once cache inactive_file", 0, 1, DAMON, "page given up"),
    _allow("pgpgout", 1, 0, DAMON, "page given up"),
)
"""What is not named here has to lie between the least and the most. `inblk` counts blocks, eight to a page."""

OOM_ALLOWANCES: Final = (
    _allow("usage max kmem pages_done pages_done_later", 3, 3, KERNEL_MEMORY),
    _allow("start.usage start.max", BATCH, BATCH, CPU_BATCH),
    _allow("low medium critical", 16, 16, ROUNDS),
)


def _by_name(rows: Iterable[Allowance]) -> Mapping[str, Sequence[Allowance]]:
    rows = tuple(rows)
    return {name: [row for row in rows if name in row.names] for name in frozenset().union(*(row.names for row in rows))}


_OF_CHARGING: Final = _by_name(ALLOWANCES)
_OF_OOM: Final = _by_name(OOM_ALLOWANCES)


def judge(name: str, recorded: Sequence[int], ours: int, at: Situation) -> Verdict:
    """A number of a charging case: one of a group's, its name as in memory.stat, of itself or `total_`."""
    return _judge(_OF_CHARGING.get(name.removeprefix("total_"), ()), recorded, ours, at)


def judge_oom(name: str, recorded: Sequence[int], ours: int) -> Verdict:
    """A number of an OOM case, named with all that it is in."""
    words = name.split(".")
    rows = [row for count in range(1, len(words) + 1) for row in _OF_OOM.get(".".join(words[-count:]), ())]
    return _judge(rows, recorded, ours, Situation())


def _judge(rows: Iterable[Allowance], recorded: Sequence[int], ours: int, at: Situation) -> Verdict:
    """The reason is that of the row with which the distance is covered."""
    beyond = max(min(recorded) - ours, ours - max(recorded))
    if beyond <= 0:
        return Verdict(True)
    is_below = ours < min(recorded)
    for row in rows:
        beyond -= (row.below if is_below else row.above) * at.times(row.per)
        if beyond <= 0:
            return Verdict(True, row.why)
    return Verdict(False)
