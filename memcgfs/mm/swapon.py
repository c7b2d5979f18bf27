"""swapon and swapoff (mm/swapfile.c: sys_swapon, sys_swapoff): which areas there are, under what names, and who runs the unusing.

An area's row is the lowest that is free; its slots take the lowest numbers that are free. Names belong to the caller, as devices'.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .config import SMALLEST_AREA
from .errors import BadSwapArea, OutOfMemory, SwapAreaBusy, TooManySwapAreas
from .params import KB_PER_PAGE, MAX_NR_ZONES, MAX_SWAPFILES, NR_FILE_PAGES, NR_FREE_PAGES, NR_SLAB_RECLAIMABLE, SWAP_AREA_SHIFT, WMARK_HIGH
from .task import Task

if TYPE_CHECKING:
    from .container import Container
    from .machine import Machine

BOOT_AREA = "/dev/swap"
PRIORITIES = range(1 << 15)  # SWAP_FLAG_PRIO_MASK


class Swapfiles:
    """The areas by name. least_priority: that of the last area that came without one; they fall, and are never given twice."""

    def __init__(self, machine: Machine, nr_boot_pages: int) -> None:
        self.machine = machine
        self.areas = machine.core.swap
        self.by_name: dict[str, int] = {}
        self.least_priority = 0
        if nr_boot_pages:
            self.add(BOOT_AREA, nr_boot_pages, None)

    def swapon(self, name: str, nr_pages: int, priority: int | None) -> None:
        """Raises SwapAreaBusy, BadSwapArea, TooManySwapAreas, OutOfMemory."""
        if len(self.by_name) == MAX_SWAPFILES:
            raise TooManySwapAreas(f"there are {MAX_SWAPFILES} swap areas")
        if name in self.by_name:
            raise SwapAreaBusy(f"{name} is in use")
        if nr_pages < SMALLEST_AREA:
            raise BadSwapArea(f"{nr_pages} pages: a header and at least one page are needed")
        if priority is not None and priority not in PRIORITIES:
            raise BadSwapArea(f"priority {priority}: from 0 to {PRIORITIES[-1]}")
        self.add(name, nr_pages, priority)
        area = self.by_name[name]
        kbytes = (nr_pages - 1) * KB_PER_PAGE
        self.machine.printk(f"Adding {kbytes}k swap on {name}.  Priority:{self.areas.prio[area]} extents:1 across:{kbytes}k")

    def add(self, name: str, nr_pages: int, priority: int | None) -> None:
        start = self.find_start(nr_pages)
        if priority is None:
            self.least_priority -= 1
            priority = self.least_priority
        area = min(set(range(MAX_SWAPFILES)) - set(self.by_name.values()))
        self.areas.add_area(area, start, nr_pages, priority)
        self.by_name[name] = area

    def find_start(self, nr_pages: int) -> int:
        """The lowest free run of slots that begins where an area may. Raises OutOfMemory where there is none (no room for swap_map)."""
        areas = self.areas
        taken = sorted((areas.start[area], areas.start[area] + areas.max[area]) for area in self.by_name.values())
        start = 0
        for first, end in taken:
            if start + nr_pages <= first:
                break
            start = ((end - 1) >> SWAP_AREA_SHIFT) + 1 << SWAP_AREA_SHIFT
        if start + nr_pages > areas.nr_slots:
            raise OutOfMemory(f"no room for the counts of {nr_pages} swap slots")
        return start

    def swapoff(self, name: str, runner: Task | Container | None) -> None:
        """Brings every page of the area back, charged to the runner: a task, or a process of the host as its container stands for it
        (None: the top one). Raises BadSwapArea, TaskDead; OutOfMemory where there was no room, and then the area is as it was."""
        area = self.by_name.get(name)
        if area is None:
            raise BadSwapArea(f"{name} is no swap area")
        with self.running(runner):
            if not self.has_enough_memory(self.areas.pages[area]):
                raise OutOfMemory(f"no room for the {self.areas.pages[area]} pages of {name}")
            self.areas.leave(area)
            error = self.machine.engine.try_to_unuse(self.machine.core, area)
            if error:
                self.areas.enter(area)
            else:
                self.areas.forget(area)
                del self.by_name[name]
        if error:
            raise OutOfMemory(f"{name}: {self.areas.inuse_pages[area]} pages could not be brought back, and it stays in use")

    @contextmanager
    def running(self, runner: Task | Container | None) -> Iterator[None]:
        """A task runs with PF_SWAPOFF. (A process of the host cannot be killed here.)"""
        if not isinstance(runner, Task):
            with self.machine.running(None, runner):
                yield
            return
        runner.alive()
        with self.machine.running(runner):
            runner.is_swapping_off = True
            try:
                yield
            finally:
                runner.is_swapping_off = False

    def has_enough_memory(self, nr_pages: int) -> bool:
        """__vm_enough_memory for root, by guess: could so many pages go elsewhere? Page cache, swap and slabs count, and then free pages
        beyond the zones' reserves."""
        zones = self.machine.core.zones
        free = zones.total(NR_FILE_PAGES) + self.areas.nr_swap_pages + zones.total(NR_SLAB_RECLAIMABLE)
        if free > nr_pages:
            return True
        return bool(free + max(zones.total(NR_FREE_PAGES) - self.totalreserve_pages(), 0) > nr_pages)

    def totalreserve_pages(self) -> int:
        """calculate_totalreserve_pages: what each zone keeps back at most, its high watermark with it."""
        zones = self.machine.core.zones
        reserves = 0
        for zone in range(zones.nr_zones):
            kept_back = max(zones.lowmem_reserve[zone * MAX_NR_ZONES + kind] for kind in range(zone % MAX_NR_ZONES, MAX_NR_ZONES))
            reserves += min(kept_back + zones.wmark[zone * 3 + WMARK_HIGH], zones.present[zone])
        return reserves
