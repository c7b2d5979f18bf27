"""The recorded machine's file system, as far as memory sees it: blocks of metadata, which are pages of the disk's own cache.

Contract: whoever needs a block of metadata that nobody has read before reads it, and its group pays.  Here these blocks are the pages of a
file of their own, `METADATA`; this machine's files need none.  After fs/ext2/ialloc.c, balloc.c and inode.c: a new file takes the bitmap
of inodes, its first block that of blocks; a file's blocks are found through its inode for the first 12, then through a block of 1024
numbers, and then through a block of such blocks.

The files of the recorded machine were there from the start, and some of their metadata had been read, by the top group.  How much is known
from one figure: FADV_WILLNEED on a file of 8192 pages charged 5 pages more than these (oracle2008/README.md, 2), of 9 in all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

METADATA: Final = "/mnt/metadata"
DIRECT: Final = 12
NUMBERS: Final = 1024
NR_READ_BEFORE: Final = 4
BLOCKS_OF_FILE: Final = 16
"""More than a file of the recorded machine has."""
METADATA_PAGES: Final = 2 + 64 * BLOCKS_OF_FILE
INODE_BITMAP: Final = 0
BLOCK_BITMAP: Final = 1


def map_blocks(page: int) -> Iterator[int]:
    """Which blocks of its map lead to a page of a file, by number.

    >>> [list(map_blocks(page)) for page in (11, 12, 1035, 1036, 2059, 2060, 8191)]
    [[], [0], [0], [1, 2], [1, 2], [1, 3], [1, 8]]
    """
    if page >= DIRECT + NUMBERS:
        yield 1
        yield 2 + (page - DIRECT - NUMBERS) // NUMBERS
    elif page >= DIRECT:
        yield 0


class Metadata:
    """What of it is in the disk's cache."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._sizes: dict[str, int] = {}
        self._numbers: dict[str, int] = {}
        self._read: set[int] = set()
        for path in paths:
            first = self._first(path)
            self._read |= set(range(first, first + NR_READ_BEFORE))

    def _first(self, path: str) -> int:
        """The first block of the file's map."""
        return 2 + BLOCKS_OF_FILE * self._numbers.setdefault(path, len(self._numbers))

    def create(self, path: str, read: Callable[[int], None]) -> None:
        """A new file, without any block."""
        self._sizes[path] = 0
        self._need(INODE_BITMAP, read)

    def use(self, path: str, pages: range, read: Callable[[int], None]) -> None:
        """Pages of a file are read, or written; new ones, one after the other, where it ended so far.  `read` reads a block."""
        size = self._sizes.get(path)
        if size is not None and pages.stop > size:
            self._sizes[path] = pages.stop
            self._need(BLOCK_BITMAP, read)
        if path.startswith("/mnt/"):
            for block in sorted({block for page in pages for block in map_blocks(page)}):
                self._need(self._first(path) + block, read)

    def _need(self, block: int, read: Callable[[int], None]) -> None:
        if block not in self._read:
            self._read.add(block)
            read(block)
