"""The checker: every invariant of the machine, walked from scratch. Each test ends with it, and `.machine/check` runs it.

It trusts nothing that is counted: it walks the page tables, the lists, the swap map and the disk's queue, counts again, and compares.
Run between operations: then a page's references are its mappings, its swap cache entry, its pagevec, and its being a page table or a slab.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .disk import check_disks
from .filemap import check_files
from .frames import check_references
from .lru import check_groups, check_zone_lists
from .lruvec import check_lruvecs
from .memcontrol import check_containers
from .memcontrol_v1 import check_memcgs
from .page_alloc import check_free_lists, check_numa
from .page_tables import check_page_tables
from .rest import check_daemons, check_rest
from .slab import check_slabs
from .swapfile import check_swap, check_token
from .walk import Walk

if TYPE_CHECKING:
    from ..machine import Machine


def check(machine: Machine) -> list[str]:
    """What does not hold, one sentence each; empty for a sound machine. (What a walk of tables, free lists and slabs finds is what
    references and charges are compared with, behind it.)"""
    walk = Walk(machine)
    check_rest(walk)
    check_page_tables(walk)
    check_free_lists(walk)
    check_groups(walk)
    check_lruvecs(walk)
    check_numa(walk)
    check_zone_lists(walk)
    if walk.core.rules.charges_once:
        check_memcgs(walk)
    else:
        check_containers(walk)
    check_slabs(walk)
    check_swap(walk)
    check_token(walk)
    check_references(walk)
    check_files(walk)
    check_disks(walk)
    check_daemons(walk)
    return walk.findings
