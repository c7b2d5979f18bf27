"""The framework's control files of 6.18's first version, as functions: what `tasks`, `cgroup.procs`, `notify_on_release`,
`cgroup.clone_children`, `cgroup.sane_behavior` and `release_agent` do.

A write to `tasks` moves one thread, to `cgroup.procs` all threads of a process; each takes the number of any thread.  Who wrote 0 means
itself; a thread that has ended may be moved, and nothing happens.  What is refused, in this order: what is not a pid, no such thread, a
thread of the kernel's that is bound, somebody else's.

After kernel/cgroup/cgroup-v1.c of 6.18 (__cgroup1_procs_write, pidlist_array_load, cgroup_release_agent_write, cgroup1_base_files) and
kernel/cgroup/cgroup.c (cgroup_procs_write_start).
"""

from __future__ import annotations

from ..kernfs import Caller
from .cgroup import Cgroup
from .errors import BadNumber, CannotMigrate, NotPrivileged, NotYourTask, OutOfRange
from .members import HostMember, Member
from .strto import kstrtoint, kstrtoull, strstrip


def show_tasks(cgroup: Cgroup) -> str:
    return "".join(f"{pid}\n" for pid in cgroup.hierarchy.members.of(cgroup))


def show_procs(cgroup: Cgroup) -> str:
    return "".join(f"{pid}\n" for pid in cgroup.hierarchy.members.processes_of(cgroup))


def attach_thread(cgroup: Cgroup, text: bytes, writer: Caller) -> None:
    cgroup.hierarchy.members.attach(_named(cgroup, text, writer), cgroup)


def attach_process(cgroup: Cgroup, text: bytes, writer: Caller) -> None:
    cgroup.hierarchy.members.attach_process(_named(cgroup, text, writer), cgroup)


def _named(cgroup: Cgroup, text: bytes, writer: Caller) -> Member:
    members = cgroup.hierarchy.members
    try:
        pid = kstrtoint(strstrip(text))
    except OutOfRange:
        raise BadNumber(text) from None
    if pid < 0:
        raise BadNumber(text)
    member = members.find_with_zombies(pid or writer.pid)
    # A simulated task may have the number of a kernel's thread, and is none.
    if isinstance(member, HostMember) and member.process.is_bound:
        raise CannotMigrate(pid)
    if writer.uid and writer.uid not in members.uids(member):
        raise NotYourTask(pid)
    return member


def show_notify_on_release(cgroup: Cgroup) -> str:
    return f"{cgroup.notify_on_release:d}\n"


def set_notify_on_release(cgroup: Cgroup, text: bytes, writer: Caller) -> None:
    """Any number.  Nobody is told of a container that is empty by now."""
    notify = kstrtoull(text) != 0
    # Whoever died by now did so under the old flag.
    cgroup.hierarchy.members.of(cgroup)
    cgroup.notify_on_release = notify


def show_clone_children(cgroup: Cgroup) -> str:
    return f"{cgroup.clone_children:d}\n"


def set_clone_children(cgroup: Cgroup, text: bytes, writer: Caller) -> None:
    """Any number.  It means something to cpusets only; a new container has its parent's."""
    cgroup.clone_children = kstrtoull(text) != 0


def show_sane_behavior(cgroup: Cgroup) -> str:
    """Of the first version it never is."""
    return "0\n"


def show_release_agent(cgroup: Cgroup) -> str:
    return cgroup.hierarchy.release.agent_path.decode("utf-8", "surrogateescape") + "\n"


def set_release_agent(cgroup: Cgroup, path: bytes, writer: Caller) -> None:
    """What lies in a user namespace may not, nor anybody without CAP_SYS_ADMIN: here, who is not root."""
    if writer.uid:
        raise NotPrivileged(path)
    cgroup.hierarchy.release.agent_path = strstrip(path)
