"""An address space for files: its mappings, and what lies behind each of its pages (fs/proc/task_mmu.c)."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .params import PG_ANON, PTE_PRESENT, PTE_SHIFT, VM_LOCKED, VM_SHARED, VM_WRITE, ZERO_PAGE

if TYPE_CHECKING:
    from .address_space import AddressSpace
    from .core import Core
    from .file import File

PAGEMAP_EXCLUSIVE = 1 << 56
PAGEMAP_FILE = 1 << 61
PAGEMAP_SWAPPED = 1 << 62
PAGEMAP_PRESENT = 1 << 63


@dataclass(frozen=True, slots=True)
class VmaView:
    """A mapping for inspection: pages [start, end); of a file, from its page `pgoff` on."""

    start: int
    end: int
    is_writable: bool
    is_shared: bool
    is_locked: bool
    file: File | None
    pgoff: int

    @property
    def permissions(self) -> str:
        """As in /proc/PID/maps."""
        return f"r{'w' if self.is_writable else '-'}-{'s' if self.is_shared else 'p'}"


def vma_views(space: AddressSpace) -> Iterator[VmaView]:
    """From the lowest address up."""
    rows = space.core.vmas
    for vma in space.starts.values():
        flags, opened = rows.flags[vma], space.opened.get(vma)
        yield VmaView(
            start=rows.start[vma],
            end=rows.end[vma],
            is_writable=bool(flags & VM_WRITE),
            is_shared=bool(flags & VM_SHARED),
            is_locked=bool(flags & VM_LOCKED),
            file=opened.file if opened is not None else None,
            pgoff=rows.pgoff[vma],
        )


def pagemap(space: AddressSpace, first: int, count: int) -> array[int]:
    """Words as in /proc/PID/pagemap: bit 63 present, bit 62 swapped, bits 0-54 the frame, or swap type and offset << 5; of a present
    page, bit 61 says that it is a file's or shared memory, bit 56 that nobody else maps it; for the zero page neither is said."""
    words = array("Q", bytes(count * 8))
    tables, swap = space.core.tables, space.core.swap
    for place in range(min(count, space.end - first)):
        pte = tables.entry(space.mm, first + place)
        if pte & PTE_PRESENT:
            words[place] = PAGEMAP_PRESENT | pte >> PTE_SHIFT | pagemap_bits(space.core, pte >> PTE_SHIFT)
        elif pte:
            slot = pte >> PTE_SHIFT
            area = swap.area_of(slot)
            words[place] = PAGEMAP_SWAPPED | slot - swap.start[area] << 5 | area
    return words


def pagemap_bits(core: Core, pfn: int) -> int:
    if pfn == ZERO_PAGE:
        return 0
    file = 0 if core.frames.has(pfn, PG_ANON) else PAGEMAP_FILE
    return file | (PAGEMAP_EXCLUSIVE if core.frames.mapcount[pfn] == 1 else 0)
