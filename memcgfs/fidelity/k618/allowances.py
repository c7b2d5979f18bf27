"""By how much a number of ours may leave what was recorded, and why: the one table that says so.

A recorded number is what several runs had, from the least to the most. What lies between holds; beyond, as far as the row here allows
for its kind. Pages are meant unless a row says otherwise.
"""

from __future__ import annotations

from typing import Final, NamedTuple

BATCH: Final = 63
NR_CPUS: Final = 2


class Allowance(NamedTuple):
    """`names`: of the numbers meant. below, above: how far beyond the least and the most. per_fork: so much more for each process or
    thread that was made before."""

    names: frozenset[str]
    below: int
    above: int
    per_fork: int
    why: str


def _allow(names: str, below: int, above: int, per_fork: int, why: str) -> Allowance:
    return Allowance(frozenset(names.split()), below, above, per_fork, why)


ALLOWANCES: Final = (
    _allow("kmem", 3, 3, 3,
           "kernel memory is charged by objects of modelled sizes: how they fill pages, and what a process has at its start, differ"),
    _allow("usage memsw", 3, 3, 6,
           "the same kernel memory, and the helper's own pages after a fork; both counters have them"),
    _allow("usage_at_once memsw_at_once", BATCH + 3, BATCH + 3, 6,
           "read at once: the batch of a cpu is in it or not, as other groups took turns in the cpu's slots"),
    _allow("max", BATCH + 3, BATCH + 3, 6, "the highest usage had such a batch in it, or not"),
    _allow("kmem_at_once", 3, 3, 20, "as kmem; a process that ended gives its stacks and tables back a little later"),
    _allow("rss inactive_anon active_anon pgpgin pgpgout pgfault", 3, 3, 6,
           "the helper's own pages: its stack and its libraries' data, which it writes to when it comes by"),
    _allow("cache inactive_file active_file", 2, 2, 0, "a page or two that were on their way to a list of the other cpu"),
    _allow("minflt", 2, 2, 2, "the helper's own faults, within its count of them"),
)  # fmt: skip
"""What is not named here has to lie between the least and the most."""

_BY_NAME: Final = {name: row for row in ALLOWANCES for name in row.names}


def holds(name: str, recorded: list[int], ours: int, nr_forks: int) -> bool:
    row = _BY_NAME.get(name.removeprefix("total_"))
    below, above, more = (row.below, row.above, row.per_fork * nr_forks) if row is not None else (0, 0, 0)
    return min(recorded) - below - more <= ours <= max(recorded) + above + more

OOM_ALLOWANCES: Final = (
    _allow("usage", BATCH + 3, BATCH + 3, 0, "the batch that a cpu had when it was read, and a page or two of the kernel's"),
    _allow("pages_done pages_done_later", 3, 3, 0, "room is the limit less the kernel memory that was charged by then"),
    _allow("kmem", 2, 2, 0, "objects, as above"),
    _allow("low medium critical", 70, 70, 0, "each pass of reclaim tells all levels; runs differ in how many 16 fruitless reclaims had"),
)  # fmt: skip

_OOM_BY_NAME: Final = {name: row for row in OOM_ALLOWANCES for name in row.names}


def oom_holds(name: str, recorded: list[int], ours: int) -> bool:
    """Numbers of an OOM case, named with all that they are in."""
    row = _OOM_BY_NAME.get(name.rpartition(".")[2])
    below, above = (row.below, row.above) if row is not None else (0, 0)
    return min(recorded) - below <= ours <= max(recorded) + above
