"""Who has registered an eventfd, for trees without a mount."""

from __future__ import annotations

from collections.abc import Callable

from memcgfs import Tree


class Listener:
    """All that a caller of this tree has open: an eventfd, and one file."""

    def __init__(self, tree: Tree, path: str) -> None:
        self.nr_told = 0
        self._ino = tree.fs.find(path.encode()).ino
        tree.set_descriptors(self)

    def eventfd(self, tid: int, fd: int) -> Listener:
        return self

    def ino(self, tid: int, fd: int) -> int:
        return self._ino

    def signal(self) -> None:
        self.nr_told += 1

    def when_closed(self, tell: Callable[[], object]) -> None:
        """It stays open."""

    def close(self) -> None:
        """Nobody else has it."""
