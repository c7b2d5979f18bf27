"""Numbers for things, the one that came back last first: files, open files, VMAs, anon_vmas, address spaces, containers."""

from __future__ import annotations

from .errors import MachineError


class Ids:
    """1..count-1; 0 always means "none", or the one that is always there."""

    def __init__(self, count: int, exhausted: type[MachineError], what: str) -> None:
        self.count = count
        self.exhausted = exhausted
        self.what = what
        self.frontier = 1
        self.free: list[int] = []

    def take(self) -> int:
        if self.free:
            return self.free.pop()
        if self.frontier >= self.count:
            raise self.exhausted(f"no more than {self.count - 1} {self.what}")
        self.frontier += 1
        return self.frontier - 1

    def give(self, number: int) -> None:
        self.free.append(number)

    @property
    def nr_taken(self) -> int:
        return self.frontier - 1 - len(self.free)
