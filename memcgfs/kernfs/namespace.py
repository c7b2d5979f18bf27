"""The namespace: nodes by number and by name, how the tree is built and taken down, and who refers to what.

Contract
- Node numbers start at 1, the root, and are never given twice.
- The layers that give the tree its meaning build it here: `add_directory`, `add_files`, `add_data_file`, `remove`,
  `rename_node`.
- A node that was removed can be found by its number while somebody still refers to it: `hold` counts one reference,
  `forget` gives some back, and so do open files.  The bytes of a data file go with its name and its open files; a
  number alone does not keep them.
- `poll_observers` are called with a file's number when poll(2) may say something new of it: it has changed (`notify`), or is gone.
- `arrival_observers` and `removal_observers` are called with (number of the parent, name, number) when a name came or
  went by other means than a request for just that; the other side of a mount has to be told then.
"""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from .caller import Caller
from .data import Data
from .directory_ops import DirectoryOps
from .errors import NameTaken, NameTooLong, NoSuchFile, NotADirectory
from .filetype import FileType
from .node import DataFile, Directory, File, Node

ROOT_INO = 1
MODE_BITS = 0o7777
DIRECTORY_BITS = 0o1777
"""What a directory's maker may ask for: permissions and the sticky bit, as vfs_mkdir lets through."""

NameObserver = Callable[[int, bytes, int], None]


class Namespace:
    """A tree that is the root only.  `clock` gives the date of now in ns; `dates_reads` is off where mounted noatime."""

    def __init__(self, clock: Callable[[], int], *, owner: Caller, mode: int = 0o755, dates_reads: bool = True) -> None:
        self.arrival_observers: list[NameObserver] = []
        self.removal_observers: list[NameObserver] = []
        self.poll_observers: list[Callable[[int], None]] = []
        self.clock = clock
        self._dates_reads = dates_reads
        self._next_ino = ROOT_INO
        self._nodes: dict[int, Node] = {}
        self._requested: tuple[tuple[Directory, bytes], ...] = ()
        self.root = Directory(self._take_ino(), b"", None, mode, owner.uid, owner.gid, clock(), None, None,
                              hidden=False, pinned=True)  # fmt: skip
        self._nodes[ROOT_INO] = self.root

    # Building.

    def add_directory(self, parent: Directory, name: bytes, *, mode: int, owner: Caller, subject: Any = None,
                      ops: DirectoryOps | None = None, hidden: bool = False,
                      pinned: bool = False) -> Directory:  # fmt: skip
        self._require_free(parent, name)
        now = self.clock()
        gid = group_in(parent, owner)
        mode = mode & DIRECTORY_BITS | (stat.S_ISGID if passes_group(parent) else 0)
        node = Directory(self._take_ino(), name, parent, mode, owner.uid, gid, now,
                         subject, ops, hidden, pinned)  # fmt: skip
        self._nodes[node.ino] = node
        self._link(parent, node, now)
        self._tell(self.arrival_observers, parent, name, node)
        return node

    def add_data_file(self, parent: Directory, name: bytes, *, mode: int, owner: Caller, data: Data) -> DataFile:
        self._require_free(parent, name)
        now = self.clock()
        node = DataFile(self._take_ino(), name, parent, mode & MODE_BITS, owner.uid, owner.gid, now, data)
        self._nodes[node.ino] = node
        self._link(parent, node, now)
        self._tell(self.arrival_observers, parent, name, node)
        return node

    def add_files(self, parent: Directory, rows: Iterable[FileType[Any]], owner: Caller,
                  subject: Any) -> None:  # fmt: skip
        """One file for each row, in the order of the rows; all act on `subject`."""
        now = self.clock()
        gid = group_in(parent, owner)
        for row in rows:
            file = File(self._take_ino(), parent, row.mode, owner.uid, gid, now, row, subject)
            self._nodes[file.ino] = file
            parent.link(file)

    def remove(self, node: Node) -> None:
        """Take `node`, and all that is in it, out of the tree.  Cost: O(nodes removed)."""
        parent = node.parent
        assert parent is not None
        assert node.alive
        parent.unlink(node)
        node.ctime_ns = self.clock()
        date_names(parent, node.ctime_ns)
        self._tell(self.removal_observers, parent, node.name, node)
        self._bury(node)

    def rename_node(self, node: Node, new_name: bytes, new_parent: Directory | None = None) -> None:
        """Give `node` another name, in its directory or another; it becomes the newest there, as d_move makes it."""
        parent = node.parent
        assert parent is not None
        assert node.alive
        new_parent = new_parent or parent
        assert new_name not in new_parent.children
        old_name = node.name
        now = node.ctime_ns = self.clock()
        date_names(parent, now)
        parent.unlink(node)
        node.name = new_name
        self._link(new_parent, node, now)
        self._tell(self.removal_observers, parent, old_name, node)
        self._tell(self.arrival_observers, new_parent, new_name, node)

    # Dates of what was done to a data file's content.

    def was_read(self, file: DataFile) -> None:
        if self._dates_reads:
            file.atime_ns = self.clock()

    def was_written(self, file: DataFile) -> None:
        file.mtime_ns = file.ctime_ns = self.clock()

    def notify(self, file: File) -> None:
        """kernfs_notify: whoever polls the file is told, until it has shown it again."""
        file.event += 1
        self._tell_pollers(file)

    # Finding and referring.

    def node(self, ino: int) -> Node:
        try:
            return self._nodes[ino]
        except KeyError:
            raise NoSuchFile(ino) from None

    def directory(self, ino: int) -> Directory:
        node = self.node(ino)
        if not isinstance(node, Directory):
            raise NotADirectory(node.name)
        return node

    def find(self, path: bytes, start: Directory | None = None) -> Node:
        """The node at `path` from `start`, or from the root; counts no reference."""
        node: Node = start or self.root
        for name in path.split(b"/"):
            if name and name != b".":
                node = self._child(self.directory(node.ino), name)
        return node

    def hold(self, node: Node) -> None:
        node.nr_lookups += 1

    def forget(self, ino: int, nr_lookups: int) -> None:
        node = self.node(ino)
        assert node.nr_lookups >= nr_lookups, (ino, node.nr_lookups, nr_lookups)
        node.nr_lookups -= nr_lookups
        self._drop_if_unused(node)

    # Inside.

    @contextmanager
    def _requesting(self, *names: tuple[Directory, bytes]) -> Iterator[None]:
        """Whoever asks for the making, removing or renaming of these names need not be told of it."""
        self._requested = names
        try:
            yield
        finally:
            self._requested = ()

    def _tell(self, observers: list[NameObserver], parent: Directory, name: bytes, node: Node) -> None:
        if (parent, name) not in self._requested:
            for observer in observers:
                observer(parent.ino, name, node.ino)

    def _tell_pollers(self, file: File) -> None:
        for observer in self.poll_observers:
            observer(file.ino)

    def _take_ino(self) -> int:
        ino = self._next_ino
        self._next_ino = ino + 1
        return ino

    def _child(self, parent: Directory, name: bytes) -> Node:
        try:
            return parent.children[name]
        except KeyError:
            raise (NameTooLong if len(name) > parent.habits.name_max else NoSuchFile)(name) from None

    def _require_free(self, parent: Directory, name: bytes) -> None:
        if len(name) > parent.habits.name_max:
            raise NameTooLong(name)
        if not parent.alive:
            raise NoSuchFile(parent.name)
        if name in parent.children:
            raise NameTaken(name)

    def _link(self, parent: Directory, node: Node, now_ns: int) -> None:
        parent.link(node)
        date_names(parent, now_ns)

    def _bury(self, node: Node) -> None:
        if isinstance(node, Directory):
            for child in node.children.values():
                self._bury(child)
            node.children.clear()
        node.alive = False
        if isinstance(node, File):
            self._tell_pollers(node)
        self._let_go(node)

    def _let_go(self, node: Node) -> None:
        """Its name, or an open file of it, has gone."""
        if isinstance(node, DataFile) and not (node.alive or node.nr_opens):
            node.data.free()
        self._drop_if_unused(node)

    def _drop_if_unused(self, node: Node) -> None:
        if not (node.alive or node.nr_lookups or node.nr_opens):
            del self._nodes[node.ino]


def date_names(directory: Directory, now_ns: int) -> None:
    """A name came to the directory, or went."""
    if directory.habits.dates_names or directory.was_set:
        directory.mtime_ns = directory.ctime_ns = now_ns


def passes_group(directory: Directory) -> bool:
    return directory.habits.passes_group and directory.mode & stat.S_ISGID != 0


def group_in(directory: Directory, owner: Caller) -> int:
    """Of what `owner` makes in the directory."""
    return directory.gid if passes_group(directory) else owner.gid
