"""What making, removing and renaming in a directory means: the seam between this layer and those on it.

Contract: a directory's `ops` are asked for what happens *in* it.  `Kernfs` has then already settled what does not
depend on meaning (the name is free or found, is a directory or not, is not pinned, does not go into itself).  The ops
decide, change their own state, and make the nodes through `Kernfs.add_directory`, `add_files`, `add_data_file`, `remove`
and `rename_node`; to refuse, they raise and leave everything as it was.

Whoever names this class as a base has directories whose files are fixed, unless it says otherwise: the refusals are
those of the vfs for a directory that lacks the operation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from .errors import CreateRefused, NotPermitted
from .habits import LIBFS, Habits

if TYPE_CHECKING:
    from .caller import Caller
    from .node import DataFile, Directory, Node


class DirectoryOps(Protocol):
    habits: Habits = LIBFS

    def mkdir(self, parent: Directory, name: bytes, mode: int, caller: Caller) -> Directory: ...

    def rmdir(self, directory: Directory) -> None: ...

    def rename(self, node: Node, new_parent: Directory, new_name: bytes, target: Node | None) -> None:
        """`target` is what has the new name so far: another node, and a directory if and only if `node` is one."""
        ...

    def create(self, parent: Directory, name: bytes, mode: int, caller: Caller) -> DataFile:
        raise CreateRefused(name)

    def unlink(self, node: Node) -> None:
        raise NotPermitted(node.name)
