"""What making, removing and renaming a directory means: the seam between this layer and those on it.

Contract: a directory's `ops` are asked for what happens *in* it.  `Kernfs` has then already settled what does not
depend on meaning (the name is free or found, is a directory, is not pinned).  The ops decide, change their own state,
and make the nodes through `Kernfs.add_directory`, `add_files`, `remove` and `rename_node`; to refuse, they raise and
leave everything as it was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from .caller import Caller
    from .node import Directory


class DirectoryOps(Protocol):
    def mkdir(self, parent: Directory, name: bytes, mode: int, caller: Caller) -> Directory: ...

    def rmdir(self, directory: Directory, caller: Caller) -> None: ...

    def rename(self, directory: Directory, new_name: bytes) -> None: ...
