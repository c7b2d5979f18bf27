"""`.machine/kpageflags`, `kpagecount` and `kpagecgroup`: a word of 8 bytes for each page frame, by its number, as in today's /proc.

Contract: whole words only; they end with the machine's last frame.  What kpagecgroup names is the inode of a container's
directory, 0 for pages that nobody pays for.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable

from ..cgroup import Hierarchy
from ..kernfs import ByteFile
from ..mm import Machine
from .errors import BadCommand

WORD_BYTES = 8


def word_range(offset: int, nbytes: int, nr_words: int) -> tuple[int, int]:
    """(first, count) of the words that a read asks for, as far as there are any."""
    if offset % WORD_BYTES or nbytes % WORD_BYTES:
        raise BadCommand(f"{nbytes} bytes at {offset}")
    first = offset // WORD_BYTES
    return first, max(min(nbytes // WORD_BYTES, nr_words - first), 0)


def _file(name: str, words: Callable[[Machine, int, int, Hierarchy], array[int]]) -> ByteFile[Hierarchy]:
    def load(hierarchy: Hierarchy, offset: int, nbytes: int) -> bytes:
        machine = hierarchy.machine
        return words(machine, *word_range(offset, nbytes, machine.nr_frames), hierarchy).tobytes()

    return ByteFile(name, load)


PAGE_FILES = (
    _file("kpageflags", lambda machine, first, count, hierarchy: machine.kpageflags(first, count)),
    _file("kpagecount", lambda machine, first, count, hierarchy: machine.kpagecount(first, count)),
    _file("kpagecgroup", lambda machine, first, count, hierarchy: machine.kpagecgroup(first, count, hierarchy.ino_of)),
)
