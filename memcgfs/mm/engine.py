"""Which build of the engine runs: the compiled one where there is one, unless MEMCGFS_PURE is set."""

from __future__ import annotations

import os
from types import ModuleType

from . import pure


def choose() -> ModuleType:
    if os.environ.get("MEMCGFS_PURE"):
        return pure
    try:
        from . import _engine
    except ImportError:
        return pure
    return _engine


engine = choose()
compiled = engine is not pure
