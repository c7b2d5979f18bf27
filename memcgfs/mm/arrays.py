"""Where the machine's arrays live: anonymous mappings of the host.

A table of the machine (struct of arrays) is as long as the machine is large, and most of it is never used. An anonymous mapping
costs host memory only where it was written, reads as zeros elsewhere, and is made in microseconds whatever its length; so zero
must mean "nothing here" in every table.

MAP_NORESERVE: the arrays of a 1 TiB machine are longer than the host's memory, and promise nothing.
"""

from __future__ import annotations

import mmap
from typing import Final

MAP_NORESERVE: Final = 0x4000

ITEM_BYTES = {"B": 1, "H": 2, "I": 4, "i": 4, "Q": 8, "q": 8}


def array_of(typecode: str, length: int) -> memoryview[int]:
    """`length` zeros of struct type `typecode`, as a writable view.

    Raises OSError, OverflowError or ValueError where the host refuses the mapping.
    """
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | MAP_NORESERVE
    mapping = mmap.mmap(-1, max(length, 1) * ITEM_BYTES[typecode], flags=flags)
    return memoryview(mapping).cast(typecode)  # type: ignore[call-overload, no-any-return]
