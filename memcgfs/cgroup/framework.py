"""The framework's control files, as functions: what `tasks`, `notify_on_release`, `releasable`, `release_agent` do.

After kernel/cgroup.c of 2.6.24: attach_task_by_pid, cgroup_common_file_write, cgroup_common_file_read.  2.6.25 differs in what it
strips from the path of a release agent.
"""

from __future__ import annotations

from collections.abc import Callable

from ..kernfs import Caller, ControlFile
from .cgroup import Cgroup
from .dialect import Rows
from .errors import NoPid, NotYourTask
from .strto import c_string, simple_strtoul, sscanf_int


def show_tasks(cgroup: Cgroup) -> str:
    return "".join(f"{pid}\n" for pid in cgroup.hierarchy.members.of(cgroup))


def attach_by_pid(cgroup: Cgroup, text: bytes, writer: Caller) -> None:
    """One pid, 0 for the writer; what follows the number is ignored."""
    members = cgroup.hierarchy.members
    pid = sscanf_int(text)
    if pid is None:
        raise NoPid(text)
    member = members.find(pid or writer.pid)
    if pid and writer.uid and writer.uid not in members.uids(member):
        raise NotYourTask(pid)
    members.attach(member, cgroup)


def show_notify_on_release(cgroup: Cgroup) -> str:
    return f"{cgroup.notify_on_release:d}\n"


def set_notify_on_release(cgroup: Cgroup, text: bytes, writer: Caller) -> None:
    """Any text is right: one that starts with a number other than 0 sets the flag, any other clears it."""
    # Whoever died by now did so under the old flag.
    cgroup.hierarchy.members.of(cgroup)
    cgroup.releasable = False
    value, _ = simple_strtoul(text, cgroup.container.ulong_max)
    cgroup.notify_on_release = value != 0


def show_releasable(cgroup: Cgroup) -> str:
    cgroup.hierarchy.members.of(cgroup)
    return f"{cgroup.releasable:d}\n"


def show_release_agent(cgroup: Cgroup) -> str:
    return cgroup.hierarchy.release.agent_path.decode("utf-8", "surrogateescape") + "\n"


def set_release_agent(stripped: Callable[[bytes], bytes]) -> Callable[[Cgroup, bytes, Caller], None]:
    def write(cgroup: Cgroup, path: bytes, writer: Caller) -> None:
        cgroup.hierarchy.release.agent_path = stripped(path)

    return write


def without_newline(path: bytes) -> bytes:
    return c_string(path.removesuffix(b"\n"))


COMMON_FILES: Rows = (
    ControlFile("tasks", show_tasks, attach_by_pid, snapshot=True),
    ControlFile("notify_on_release", show_notify_on_release, set_notify_on_release),
    ControlFile("releasable", show_releasable),
)
"""Those of every container, in 2.6.24 and 2.6.25."""
