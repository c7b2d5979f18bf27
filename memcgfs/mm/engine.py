"""Which build of the engine runs: the compiled one where there is one, unless MEMCGFS_PURE is set; and what it has to choose from."""

from __future__ import annotations

import os
from types import ModuleType
from typing import Any

from . import pure


def choose() -> ModuleType:
    if os.environ.get("MEMCGFS_PURE"):
        return pure
    try:
        from . import _engine
    except ImportError:
        return pure
    return _engine


def named(build: ModuleType, base: str) -> dict[str, Any]:
    """The classes on this base ("Model", "Rules") that users can choose, by the names that they call them; in the order of pure.py."""
    seam = vars(build)[base]
    classes: list[Any] = [each for each in vars(build).values() if isinstance(each, type) and issubclass(each, seam)]
    return {each.name: each for each in classes if each.name}


engine = choose()
compiled = engine is not pure
