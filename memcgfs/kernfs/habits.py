"""How directories behave apart from what they mean: names, order, dates.

Two kinds: those of fs/libfs.c, on which the cgroup filesystem of 2007 and 2008 stood (and with it all else that a kernel keeps in memory),
and those of fs/kernfs, on which it stands since 2014.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

NAME_MAX = 255
PATH_MAX = 4096

INT_MAX = (1 << 31) - 1
GOLDEN_RATIO_64 = 0x61C8_8646_80B5_83EB


@dataclass(frozen=True, slots=True)
class Habits:
    """`order` gives each name a number below 2^31: listed are those with the largest first, and of equal ones the newest.

    `dates_names`: the dates of a directory move when a name comes or goes in it.  Otherwise they do so only once its attributes have been
    set by somebody.  `passes_group`: what is made in a directory with the set-group-id bit has its group, and a directory the bit.
    `refuses_rename_flags`: of renameat2(2), however they would come out.
    """

    name_max: int
    order: Callable[[bytes], int]
    dates_names: bool
    passes_group: bool
    refuses_rename_flags: bool


@lru_cache(maxsize=1024)
def name_hash(name: bytes) -> int:
    """kernfs_name_hash: by it the names of a directory are sorted (rbtree of kernfs_link_sibling), and so listed."""
    value = 0
    for byte in name:
        value = (value + (byte << 4) + (byte >> 4)) * 11
    value = (value * GOLDEN_RATIO_64 & (1 << 64) - 1) >> 32
    return min(max(value & INT_MAX, 2), INT_MAX - 1)


LIBFS = Habits(
    name_max=NAME_MAX, order=lambda name: 0, dates_names=True, passes_group=False, refuses_rename_flags=False,
)  # fmt: skip
KERNFS = Habits(
    name_max=PATH_MAX - 1, order=lambda name: INT_MAX - name_hash(name), dates_names=False, passes_group=True,
    refuses_rename_flags=True,
)  # fmt: skip
"""kernfs itself has no longest name; a path has."""
