"""What the checks share: the findings, and what one of them counted that another compares."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..machine import Machine


class Walk:
    """What the tables and lists say, counted anew: `mapped`, `swapped` and `leaves` by check_page_tables, `free` by check_free_lists,
    `slabs` by check_slabs."""

    def __init__(self, machine: Machine) -> None:
        core = machine.core
        self.machine, self.core = machine, core
        self.flags = memoryview(core.frames.flags)
        self.count = memoryview(core.frames.count)
        self.mapcount = memoryview(core.frames.mapcount)
        self.meta_refs = memoryview(core.frames.meta_refs)
        self.container = memoryview(core.frames.container)
        self.findings: list[str] = []
        self.mapped: Counter[int] = Counter()
        self.swapped: Counter[int] = Counter()
        self.leaves: set[int] = set()
        self.free: set[int] = set()
        self.slabs: set[int] = set()

    def expect(self, holds: bool, finding: str) -> None:
        if not holds:
            self.findings.append(finding)

    def equal(self, what: str, said: int, counted: int) -> None:
        if said != counted:
            self.findings.append(f"{what}: {said}, but {counted} were found")

    def frames(self) -> Iterator[int]:
        """Every frame outside of the blocks that were never touched."""
        zones = self.core.zones
        for zone in range(zones.nr_zones):
            yield from range(max(zones.start[zone], 1), zones.untouched[zone])
            yield from range(zones.frontier[zone], zones.end[zone])

    def with_flag(self, flag: int) -> set[int]:
        return {pfn for pfn in self.frames() if self.flags[pfn] & flag}
