"""May a task use a file by its name?  Where requests come through a mount the kernel asks; here a task names a file itself.

Contract: a task acts as its maker.  Root may do everything, and so may the mounter, whose machine it is.  Of groups, only
the maker's first one is known.  After fs/namei.c: generic_permission.
"""

from __future__ import annotations

from typing import Final

from ..kernfs import Caller, Node
from .errors import NotAllowed

SEARCH: Final = 1
WRITE: Final = 2
READ: Final = 4


class Permission:
    __slots__ = ("_privileged",)

    def __init__(self, owner: Caller) -> None:
        self._privileged = (0, owner.uid)

    def require(self, node: Node, access: int, who: Caller) -> None:
        if who.uid in self._privileged:
            return
        shift = 6 if who.uid == node.uid else 3 if who.gid == node.gid else 0
        if access & ~(node.mode >> shift):
            raise NotAllowed(node.name)
