"""Where the machine's arrays live: anonymous mappings of the host.

A table of the machine (struct of arrays) is as long as the machine is large, and most of it is never used. An anonymous mapping
costs host memory only where it was written, reads as zeros elsewhere, and is made in microseconds whatever its length; so zero
must mean "nothing here" in every table.

MAP_NORESERVE: the arrays of a 1 TiB machine are longer than the host's memory, and promise nothing.

A mapping begins at a page, and the low bits of an address choose the set of the host's cache that holds it: the first rows of all arrays,
which are the ones in use, would drive each other out of one set of eight lines. So an array begins at a colour of its own within its first
page, as objects do in their slabs (mm/slab.c).
"""

from __future__ import annotations

import mmap
from typing import Final

MAP_NORESERVE: Final = 0x4000

ITEM_BYTES = {"B": 1, "H": 2, "I": 4, "i": 4, "Q": 8, "q": 8}

HOST_PAGE_BYTES: Final = 4096
COLOUR_BYTES: Final = 320
"""Five cache lines, an odd number: the 64 lines of a page are all begun at before one is for the second time."""


class Arrays:
    """Makes the arrays of one machine, and counts them, so that each begins at the colour after the last one's."""

    def __init__(self) -> None:
        self.nr_made = 0

    def of(self, typecode: str, length: int) -> memoryview[int]:
        """`length` zeros of struct type `typecode`, as a writable view.

        Raises OSError, OverflowError or ValueError where the host refuses the mapping.
        """
        colour = self.nr_made * COLOUR_BYTES % HOST_PAGE_BYTES
        self.nr_made += 1
        return host_zeros(colour + max(length, 1) * ITEM_BYTES[typecode])[colour:].cast(typecode)  # type: ignore[call-overload, no-any-return]


def pages_of(nr_pages: int) -> memoryview[int]:
    """The bytes of so many pages, as words. Each is a page of the host, so that one that was written costs no more than that."""
    return host_zeros(max(nr_pages, 1) * HOST_PAGE_BYTES).cast("Q")


def host_zeros(nr_bytes: int) -> memoryview[int]:
    return memoryview(mmap.mmap(-1, nr_bytes, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | MAP_NORESERVE))
