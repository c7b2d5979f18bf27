"""What the machine asks of the charging rules: who pays for a page, what happens at the limit, what a task takes along.

One file a year: rules2007.py. Uncharging is the same in all, and stands in memcontrol.py.
"""

from __future__ import annotations

from .core import Core


class Rules:
    """Answers are 0, or a negative errno as the kernel's functions give it."""

    def charge(self, core: Core, pfn: int, mm: int) -> int:
        """mem_container_charge: the page is mapped by this address space."""
        return 0

    def cache_charge(self, core: Core, pfn: int, mm: int) -> int:
        """mem_container_cache_charge: the page enters the page or swap cache."""
        return 0
