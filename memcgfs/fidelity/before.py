"""What stood on the recorded machine before a case began, and belongs to no step: its swap, its files, its driver's open files."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Final

from .ext2 import METADATA, METADATA_PAGES, Metadata
from .mounted import CG, MACHINE, PAGE_BYTES, name_of_file, put
from .shadow import MEMORY, Shadow

DRIVER: Final = "m"
DRIVERS_SHADOW: Final = 4_000_000
"""The pid of the driver's shadow, which no process has: pid 1 cannot be a simulated task."""
SWAP: Final = "/dev/ram0"
FILE_PAGES: Final = 8192
"""Of each file that was there before a case began: 32 MB, as the longest of the recorded machine."""
HELD_OPEN: Final = {"F": "/mnt/f", "G": "/mnt/g"}
"""The recorder's own open files."""


def files_of(steps: Sequence[Sequence[Any]]) -> set[str]:
    """Files on the disk that a case finds there: those that it maps, or opens without making them, and those that the driver holds open."""
    found = set()
    for actor, command, _ in steps:
        name, *words = command.split(" ")
        if name == "map" and len(words) == 4:
            found.add(words[3])
        elif name == "fopen" and "c" not in "".join(words[2:]):
            found.add(words[1])
        elif actor == DRIVER and name in MEMORY and words[0] in HELD_OPEN:
            found.add(HELD_OPEN[words[0]])
    return {path for path in found if path.startswith("/mnt/")}


class Before:
    """Made in the driver, with the tree mounted and nothing done in it.

    `skew`: by so many slots is the next free one behind the first.  There has been a group in the top one, none of the files is in memory.
    """

    def __init__(self, record: Mapping[str, Any], skew: int = 0) -> None:
        self._swap_pages: int = record["swap_pages"]
        files = files_of(record["steps"])
        self.metadata = Metadata(sorted(files))
        self.driver = Shadow.born(DRIVERS_SHADOW, self.metadata)
        names = [command.split(" ")[0] for _, command, _ in record["steps"]]
        os.mkdir(f"{CG}/before")
        if self._swap_pages and next((name for name in names if name in ("swapon", "swapoff")), "") != "swapon":
            self.swapon(SWAP)
            if skew:
                self._use_slots(skew)
        os.rmdir(f"{CG}/before")
        for path in sorted(files):
            self._make_file(path, FILE_PAGES)
        if files:
            self._make_file(METADATA, METADATA_PAGES)
        for name, path in HELD_OPEN.items():
            if path in files:
                self.driver.fopen(name, path)
        put(f"{CG}/release_agent", "\n")

    def swapon(self, name: str) -> None:
        """One more page, which is its header."""
        put(f"{MACHINE}/swapon", f"{name} {(self._swap_pages + 1) * PAGE_BYTES}")

    def _make_file(self, path: str, npages: int) -> None:
        name = name_of_file(path)
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o644))
        self.driver.tell(f"write {name} 0 {npages}")
        self.driver.tell(f"fsync {name}")
        # What is on its way to the LRU stays where it is: an munmap has it arrive.
        self.driver.map("drain", "anon", "1")
        self.driver.unmap("drain")
        self.driver.tell(f"fadvise {name} 0 0 dontneed")

    def _use_slots(self, count: int) -> None:
        """In a group of one page each page that is touched sends the one before to swap; when the task ends, all slots are free again."""
        shadow = Shadow.born(DRIVERS_SHADOW + 1, self.metadata)
        put(f"{CG}/before/memory.limit_in_bytes", str(PAGE_BYTES))
        put(f"{CG}/before/tasks", str(shadow.pid))
        shadow.map("A", "anon", str(count + 1))
        shadow.touch("A", "0", str(count + 1), "w")
        shadow.close()
        os.rmdir(shadow.directory)
