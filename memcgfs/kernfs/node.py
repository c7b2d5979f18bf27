"""Nodes: what a name in the tree stands for.

Contract.  A node has one name in one directory at a time (there are no links); `alive` turns False when it is removed
and never back.  A removed node keeps its number until nobody refers to it any more: `nr_lookups` counts the references
that the other side of the mount holds, `nr_opens` the open files.

A `File` is a control file: it does what its row says, and is made and removed with its directory.  A `DataFile` holds
bytes that users put there; removed while it is open, it goes on until it is closed.

A directory keeps its children twice: by name, and in the order of their `position`: what its habits say of the name, and of
equal ones the newest last.  It is listed from the end, and a child's position is the cookie by which a listing goes on, so
that a listing stays right while children come and go.

Fields: `ino`, `subject` never change.  `name`, `parent`, `position`, `alive`, both counts and the dates belong to
`Kernfs`; the others are changed by its `setattr` and by what sets extended attributes only; either sets `was_set`.
"""

from __future__ import annotations

import stat
from bisect import bisect_left, insort
from collections.abc import Iterator
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from .habits import LIBFS, Habits

if TYPE_CHECKING:
    from .data import Data
    from .directory_ops import DirectoryOps
    from .filetype import FileType

POSITION_DOT = 1
POSITION_DOT_DOT = 2
FIRST_POSITION = 3
ORDER_SHIFT = 32
"""The cookie of a listing is a signed number of 64 bits: the order of the name above, the place among equal ones below."""


class Attributes(NamedTuple):
    """What stat(2) says of a node; `mode` has the type bits, a block is 512 bytes.

    `lasting`: they change by requests for this very node only (and what the observers tell), so they may be kept.
    """

    ino: int
    mode: int
    nlink: int
    uid: int
    gid: int
    size: int
    atime_ns: int
    mtime_ns: int
    ctime_ns: int
    nr_blocks: int = 0
    lasting: bool = True


class Changes(NamedTuple):
    """What a setattr changes: everything that is not None."""

    mode: int | None = None
    uid: int | None = None
    gid: int | None = None
    size: int | None = None
    atime_ns: int | None = None
    mtime_ns: int | None = None


class Node:
    __slots__ = (
        "alive",
        "atime_ns",
        "ctime_ns",
        "gid",
        "hidden",
        "ino",
        "mode",
        "mtime_ns",
        "name",
        "nr_lookups",
        "nr_opens",
        "parent",
        "position",
        "size_bytes",
        "subject",
        "uid",
        "was_set",
        "xattrs",
    )

    def __init__(self, ino: int, name: bytes, parent: Directory | None, mode: int, uid: int, gid: int,
                 now_ns: int, subject: Any, hidden: bool = False) -> None:  # fmt: skip
        self.ino = ino
        self.name = name
        self.parent = parent
        self.mode = mode
        self.uid = uid
        self.gid = gid
        self.size_bytes = 0
        self.atime_ns = self.mtime_ns = self.ctime_ns = now_ns
        self.subject = subject
        self.hidden = hidden
        self.alive = True
        self.nr_lookups = 0
        self.nr_opens = 0
        self.position = 0
        self.was_set = False
        self.xattrs: dict[bytes, bytes] | None = None

    @property
    def nlink(self) -> int:
        return 1 if self.alive else 0

    @property
    def path(self) -> bytes:
        """From the root of the tree, with a leading slash; of what was removed, the last one."""
        names: list[bytes] = []
        node: Node = self
        while node.parent is not None:
            names.append(node.name)
            node = node.parent
        return b"/" + b"/".join(reversed(names))

    def attributes(self) -> Attributes:
        return Attributes(self.ino, self.mode, self.nlink, self.uid, self.gid, self.size_bytes,
                          self.atime_ns, self.mtime_ns, self.ctime_ns)  # fmt: skip


class File(Node):
    """A file: a row that says what it does, and the subject it does it to.  `event` counts how often it has changed (`Kernfs.notify`)."""

    __slots__ = ("event", "type")

    def __init__(self, ino: int, parent: Directory, mode: int, uid: int, gid: int, now_ns: int,
                 type: FileType[Any], subject: Any) -> None:  # fmt: skip
        super().__init__(ino, type.name.encode(), parent, stat.S_IFREG | mode, uid, gid, now_ns, subject)
        self.type = type
        self.event = 1


class DataFile(Node):
    """A file of data, whose bytes `data` keeps."""

    __slots__ = ("data",)

    def __init__(self, ino: int, name: bytes, parent: Directory, mode: int, uid: int, gid: int, now_ns: int,
                 data: Data) -> None:  # fmt: skip
        super().__init__(ino, name, parent, stat.S_IFREG | mode, uid, gid, now_ns, None)
        self.data = data

    def attributes(self) -> Attributes:
        data = self.data
        return Attributes(self.ino, self.mode, self.nlink, self.uid, self.gid, data.size_bytes,
                          self.atime_ns, self.mtime_ns, self.ctime_ns, data.nr_blocks, lasting=False)  # fmt: skip


class Directory(Node):
    """A directory; `ops` says what making and removing in it means, None that neither exists."""

    __slots__ = ("_in_order", "_next_position", "children", "nr_listed_directories", "ops", "pinned")

    def __init__(self, ino: int, name: bytes, parent: Directory | None, mode: int, uid: int, gid: int,
                 now_ns: int, subject: Any, ops: DirectoryOps | None, hidden: bool, pinned: bool) -> None:  # fmt: skip
        super().__init__(ino, name, parent, stat.S_IFDIR | mode, uid, gid, now_ns, subject, hidden)
        self.children: dict[bytes, Node] = {}
        self.ops = ops
        self.pinned = pinned
        self.nr_listed_directories = 0
        self._in_order: list[Node] = []
        self._next_position = FIRST_POSITION

    @property
    def nlink(self) -> int:
        return 2 + self.nr_listed_directories if self.alive else 0

    @property
    def habits(self) -> Habits:
        return self.ops.habits if self.ops is not None else LIBFS

    @property
    def listed(self) -> Iterator[Node]:
        """What a listing shows, in its order."""
        return (child for child in reversed(self._in_order) if not child.hidden)

    def is_within(self, directory: Directory) -> bool:
        """Is it `directory`, or somewhere below it?  Cost: O(depth)."""
        node: Directory | None = self
        while node is not None and node is not directory:
            node = node.parent
        return node is not None

    def link(self, node: Node) -> None:
        """Take `node` in under its name, as the newest.  Cost: O(log n) steps and one move of memory."""
        node.parent = self
        node.position = self.habits.order(node.name) << ORDER_SHIFT | self._next_position
        self._next_position += 1
        self.children[node.name] = node
        insort(self._in_order, node, key=attrgetter("position"))
        if isinstance(node, Directory) and not node.hidden:
            self.nr_listed_directories += 1

    def unlink(self, node: Node) -> None:
        """Let `node` go.  Cost: O(log n) steps and one move of memory."""
        del self.children[node.name]
        del self._in_order[bisect_left(self._in_order, node.position, key=attrgetter("position"))]
        if isinstance(node, Directory) and not node.hidden:
            self.nr_listed_directories -= 1

    def listing(self, offset: int) -> Iterator[tuple[bytes, Node, int]]:
        """(name, node, cookie to go on with) of the entries behind the cookie `offset`; 0 starts."""
        if offset < POSITION_DOT:
            yield b".", self, POSITION_DOT
        if offset < POSITION_DOT_DOT:
            yield b"..", self.parent or self, POSITION_DOT_DOT
            end = len(self._in_order)
        elif offset == POSITION_DOT_DOT:
            end = len(self._in_order)
        else:
            end = bisect_left(self._in_order, offset, key=attrgetter("position"))
        for child in reversed(self._in_order[:end]):
            if not child.hidden:
                yield child.name, child, child.position
