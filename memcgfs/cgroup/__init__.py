"""cgroup: what a directory means.  Imports mm and kernfs.

Read in this order: `cgroup` (one container), `hierarchy` (mkdir, rmdir), `members` (who is where), `release` (who is
told when one is empty), then the files: `framework`, `memory`, and the tables that name them, `dialect2007` and `dialect2008`.
"""

from __future__ import annotations

from .cgroup import Cgroup
from .dialect import Dialect
from .dialect2007 import dialect2007
from .dialect2008 import dialect2008
from .dialect_v1 import dialect_v1
from .errors import NoSuchTask, NotYourTask
from .hierarchy import Hierarchy
from .host import Descriptors, HostProcess, HostProcesses
from .members import Members, SimulatedTask

__all__ = [
    "Cgroup",
    "Descriptors",
    "Dialect",
    "Hierarchy",
    "HostProcess",
    "HostProcesses",
    "Members",
    "NoSuchTask",
    "NotYourTask",
    "SimulatedTask",
    "dialect2007",
    "dialect2008",
    "dialect_v1",
]
