"""memcgfs: the Linux memory container of July 2007, emulated page by page, as a directory tree.

    tree = memcgfs.Tree(ram="64M", swap="64M")
    web = tree.mkdir("web")
    web["memory.limit"] = 64
    task = tree.spawn(101, web)
    task.touch(0, 400, write=True)
    print(web["memory.usage"], task.status["VmSwap"])

Importing this package loads nothing else; the names below are loaded when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .options import OptionError
    from .tree import Tree

__all__ = ["OptionError", "Tree"]


def __getattr__(name: str) -> Any:
    if name == "Tree":
        from .tree import Tree

        return Tree
    if name == "OptionError":
        from .options import OptionError

        return OptionError
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
