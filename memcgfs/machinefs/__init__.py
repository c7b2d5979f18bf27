"""machinefs: the `.machine` directory.  Imports mm, kernfs, cgroup and units.

Read in this order: `directory` (what there is), `tasks` and `task_files` (a simulated task), `ctl` with `grammar` (what
it can be told), `files`, `file_commands` and `permission` (the machine's disk), `machine_files`, `page_files`,
`swap_files`, `sysctl`, `trace`.
"""

from __future__ import annotations

from .directory import add_machine_directory
from .file_commands import MapOptions, map_file
from .machine_files import START_OF_TIME_NS
from .tasks import TaskEntries, TaskEntry

__all__ = ["START_OF_TIME_NS", "MapOptions", "TaskEntries", "TaskEntry", "add_machine_directory", "map_file"]
