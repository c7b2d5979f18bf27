"""Lock order. One thread runs the machine, so a lock protects nothing here; but the places where the kernel takes one are part of
what is shown, and their order is asserted in the uncompiled build (the join sets LOCKDEP to 0): the zone's lru_lock before a
page's meta lock, that before a container's lru_lock, and none of them twice.
"""

from __future__ import annotations

from .params import LOCKDEP


class Lockdep:
    """`held`: a bit for each lock class that is held now."""

    def __init__(self) -> None:
        self.held = 0

    def lock(self, lock: int) -> None:
        if LOCKDEP:
            assert self.held < lock, f"lock class {lock} taken while {self.held} is held"
            self.held |= lock

    def swap_held(self, held: int) -> int:
        """Another task's locks instead of ours; gives ours."""
        before = self.held
        self.held = held
        return before

    def unlock(self, lock: int) -> None:
        if LOCKDEP:
            assert self.held & lock, f"lock class {lock} released without being held"
            self.held &= ~lock
