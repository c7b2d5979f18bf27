"""`.machine/host_tasks`: where the processes of the computer are, as /proc/PID/cgroup would say of them.

Contract: a line for each thread that is a member, by its number: that number, its process, the path of its container.  Who has no line is
in the top.  Reading it is a look at all containers.  A thread that a simulated task stands for has its line in that task's `cgroup`.
"""

from __future__ import annotations

from ..cgroup import Hierarchy
from ..kernfs import ControlFile


def show_host_tasks(hierarchy: Hierarchy) -> str:
    return "".join(f"{member.pid} {member.tgid} {_text(member.cgroup.path)}\n" for member in hierarchy.members.of_host())


def _text(path: bytes) -> str:
    return path.replace(b"\n", rb"\012").decode("utf-8", "surrogateescape")


HOST_FILES: tuple[ControlFile[Hierarchy], ...] = (ControlFile("host_tasks", show_host_tasks),)
