"""The memory of a helper: a simulated task under its pid, driven through the files of a tree, mounted or in this process.

The commands are those of the recorder's helper; each gives "ok", or "err" where the tree refuses.  Files lie in `.machine/files`, by the
last part of their recorded path, and are there, but not in memory, before anybody opens them.
"""

from __future__ import annotations

import os
from typing import Any, Final

FIRST_REGION: Final = 1 << 16
GAP: Final = 1 << 9
"""Regions lie by themselves, so that none becomes part of another, and share no table of pages."""
DRIVER: Final = 4_000_000
"""The pid of the task that makes files, which no process has."""
PAGE_BYTES: Final = 4096
ADVICE: Final = {"seq": "sequential", "popr": "populate_read", "popw": "populate_write"}
"""By the helper's word, where the ctl has another."""
OWN_COMMANDS: Final = ("nforks", "forkz", "reap", "thread", "ping")
"""What a helper does as a process; no simulated task does it for it."""
KINDS: Final = {"anon": "anon", "shanon": "anon shared"}


class MemoryHelper:
    """`system`: as a player's; `top`: the tree's root."""

    def __init__(self, system: Any, top: str, pid: int) -> None:
        self.pid = pid
        self._system = system
        self._directory = f"{top}/.machine/tasks/{pid}"
        self._free = FIRST_REGION
        self._starts: dict[str, int] = {}
        self._npages: dict[str, str] = {}
        self._files: dict[str, str] = {}
        system.mkdir(self._directory)
        self._tell("setuid 0")

    def obey(self, words: list[str]) -> str:
        try:
            self._obey(*words)
        except OSError:
            return "err"
        return "ok"

    def _obey(self, name: str, *words: str) -> None:
        if name == "map":
            region, kind, npages, *path = words
            start = self._starts[region] = self._free
            self._npages[region] = npages
            self._free += (int(npages) // GAP + 2) * GAP
            mapped = KINDS.get(kind) or f"file:{name_of(path[0])}{'' if kind.startswith('fpriv') else ' shared'}"
            self._tell(f"mmap {start} {npages} {mapped}")
        elif name == "open":
            self._files[words[0]] = name_of(words[1])
        elif name in ("read", "write"):
            number, first, npages, *chunk = words
            step = int(chunk[0]) // PAGE_BYTES if chunk else 1
            for page in range(int(first), int(first) + int(npages), step):
                self._tell(f"{name} {self._files[number]} {page} {step}")
        elif name == "fsync":
            self._tell(f"fsync {self._files[words[0]]}")
        elif name == "fadv":
            number, first, npages, advice = words
            self._tell(f"fadvise {self._files[number]} {first} {npages} {ADVICE.get(advice, advice)}")
        elif name == "close":
            del self._files[words[0]]
        elif name == "madv":
            region, first, npages, advice = words
            self._tell(f"madvise {self._starts[region] + int(first)} {npages} {ADVICE.get(advice, advice)}")
        elif name == "munmap":
            self._tell(f"munmap {self._starts.pop(words[0])} {self._npages.pop(words[0])}")
        else:
            region, first, npages, *rest = words
            self._tell(" ".join([name, str(self._starts[region] + int(first)), npages, *rest]))

    def _tell(self, command: str) -> None:
        fd = self._system.open(f"{self._directory}/ctl", os.O_WRONLY)
        try:
            self._system.write(fd, command.encode())
        finally:
            self._system.close(fd)

    @classmethod
    def make_file(cls, system: Any, top: str, path: str, npages: int) -> None:
        """Written, on the disk, and out of memory; it takes the place of what another case has left under its name."""
        if name_of(path) in system.listdir(f"{top}/.machine/files"):
            system.unlink(f"{top}/.machine/files/{name_of(path)}")
        driver = cls(system, top, DRIVER)
        for command in (f"write {name_of(path)} 0 {npages}", f"fsync {name_of(path)}", f"fadvise {name_of(path)} 0 0 dontneed"):
            driver._tell(command)
        reap(system, top, DRIVER)


def let_pass(system: Any, top: str, seconds: float) -> None:
    """Time, in which somebody else runs: whose munmap has arrive what is on its way to the lists of pages."""
    fd = system.open(f"{top}/.machine/clock", os.O_WRONLY)
    system.write(fd, f"+{round(seconds * 1000)}ms".encode())
    system.close(fd)
    driver = MemoryHelper(system, top, DRIVER)
    driver.obey(["map", "A", "anon", "1"])
    driver.obey(["munmap", "A"])
    reap(system, top, DRIVER)


def reap(system: Any, top: str, pid: int) -> None:
    system.rmdir(f"{top}/.machine/tasks/{pid}")


def name_of(path: str) -> str:
    return path.rpartition("/")[2]
