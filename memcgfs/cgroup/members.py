"""Who is in which container: simulated tasks, and processes of the host that were attached.

Contract
- A pid means one member.  A simulated task comes first: made under the pid of a living process of the host, it takes
  that process' place (its container, and its end), and the process is no member of its own any more.
- A process of the host that was never attached is in the top container, but is not listed there, nor anywhere.
- Members leave when they end.  Simulated tasks die inside the machine, of which nobody tells; so everything that asks
  who is in a container (`of`) first lets go of the dead.  Nothing is missed by being late: what a last member's leaving
  changes is looked at by the same askers only, and its container's last css reference does announce itself.

After kernel/cgroup.c of 2.6.24: attach_task, put_css_set_taskexit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .errors import NoSuchTask

if TYPE_CHECKING:
    from ..kernfs import Caller
    from ..mm import Machine, Task
    from .cgroup import Cgroup
    from .host import HostProcess, HostProcesses
    from .release import Release


class SimulatedTask:
    """`maker` made it, and answers for it: who may attach it is decided by the maker's uid, not by the task's own; and by those of the
    process that it stands for."""

    __slots__ = ("cgroup", "maker", "process", "task")

    def __init__(self, task: Task, cgroup: Cgroup, maker: Caller, process: HostProcess | None) -> None:
        self.task = task
        self.cgroup = cgroup
        self.maker = maker
        self.process = process

    @property
    def pid(self) -> int:
        return self.task.pid

    @property
    def alive(self) -> bool:
        return self.task.state != "Z"


class HostMember:
    __slots__ = ("cgroup", "process")

    def __init__(self, process: HostProcess, cgroup: Cgroup) -> None:
        self.process = process
        self.cgroup = cgroup

    @property
    def pid(self) -> int:
        return self.process.tid

    @property
    def alive(self) -> bool:
        return self.process.alive()


Member = SimulatedTask | HostMember


class Members:
    """`host` is None where pids of the host mean nothing."""

    def __init__(self, machine: Machine, top: Cgroup, release: Release) -> None:
        self.host: HostProcesses | None = None
        self._machine = machine
        self._top = top
        self._release = release
        self._by_pid: dict[int, Member] = {}

    # Asking.

    def of(self, cgroup: Cgroup) -> list[int]:
        """The pids of the living members of `cgroup`, ascending."""
        for member in [member for member in cgroup.members.values() if not member.alive]:
            self._ended(member)
        return sorted(cgroup.members)

    def find(self, pid: int) -> Member:
        """The living task with that pid, simulated ones first."""
        member = self._by_pid.get(pid)
        if member is not None:
            if member.alive:
                return member
            self._ended(member)
            if isinstance(member, SimulatedTask):
                raise NoSuchTask(pid)
        process = self._host_process(pid)
        if process is None:
            raise NoSuchTask(pid)
        return HostMember(process, self._top)

    def uids(self, member: Member) -> set[int]:
        """Who may attach it, besides root.  A process is asked anew: it may run as somebody else by now."""
        found = set() if isinstance(member, HostMember) else {member.maker.uid}
        process = self._host_process(member.pid) if member.process is not None else None
        return found if process is None else found | {process.uid, process.suid}

    def cgroup_of_host(self, tid: int) -> Cgroup:
        """The container of the host's thread with that number: the top, unless it was attached, or a task stands for it."""
        member = self._by_pid.get(tid)
        if member is None or member.process is None or not member.alive:
            return self._top
        return member.cgroup

    # Changing.

    def attach(self, member: Member, cgroup: Cgroup) -> None:
        """attach_task: `member` goes to `cgroup`; nothing is done if it is there already."""
        self._machine.refuse_if_panicked()
        old = member.cgroup
        if old is cgroup:
            return
        if isinstance(member, SimulatedTask):
            self._machine.attach(member.task, cgroup.container)
        elif member.pid not in self._by_pid:
            self._by_pid[member.pid] = member
            self._watch(member.process)
        old.members.pop(member.pid, None)
        member.cgroup = cgroup
        cgroup.members[member.pid] = member
        old.releasable = True
        self._release.check(old)

    def spawn(self, pid: int, maker: Caller) -> SimulatedTask:
        """A new task in the top container, or in the place of the host's process with that pid."""
        shadowed = self._attached(pid)
        cgroup = shadowed.cgroup if shadowed is not None else self._top
        return self._enter(self._machine.spawn(pid, cgroup.container), cgroup, maker)

    def fork(self, parent: SimulatedTask, pid: int) -> SimulatedTask:
        """A child of `parent`, in its container and of its maker."""
        return self._enter(parent.task.fork(pid), parent.cgroup, parent.maker)

    def clone(self, leader: SimulatedTask, pid: int) -> SimulatedTask:
        """A thread of `leader`'s, in the container that `leader` is in now, and of its maker."""
        return self._enter(self._machine.clone_thread(leader.task, pid), leader.cgroup, leader.maker)

    def reap(self, member: SimulatedTask) -> None:
        """End `member` if it lives, and forget it.  The process that it stood for is let go."""
        self._machine.reap(member.task)
        self._ended(member)
        if member.process is not None:
            self._unwatch(member.process)
        del self._by_pid[member.pid]

    def host_exited(self, tid: int) -> None:
        """The host's process `tid`, which was being watched, has ended."""
        member = self._by_pid.get(tid)
        if isinstance(member, SimulatedTask):
            member.process = None
            if member.alive and not self._machine.panicked:
                member.task.exit()
        elif member is not None:
            self._ended(member)

    # Inside.

    def _enter(self, task: Task, cgroup: Cgroup, maker: Caller) -> SimulatedTask:
        shadowed = self._attached(task.pid)
        if shadowed is not None and shadowed.cgroup is not cgroup:
            self._ended(shadowed)
            shadowed = None
        process = self._host_process(task.pid)
        if process is not None and shadowed is None:
            self._watch(process)
        member = SimulatedTask(task, cgroup, maker, process)
        self._by_pid[task.pid] = cgroup.members[task.pid] = member
        return member

    def _attached(self, tid: int) -> HostMember | None:
        """The attached process of the host with that number, if it is still the one that was attached."""
        member = self._by_pid.get(tid)
        if not isinstance(member, HostMember):
            return None
        if member.alive:
            return member
        self._ended(member)
        return None

    def _ended(self, member: Member) -> None:
        """exit's part: the bit is set by the last to leave, and only where somebody wants to be told."""
        cgroup = member.cgroup
        if cgroup.members.pop(member.pid, None) is None:
            return
        if isinstance(member, HostMember):
            del self._by_pid[member.pid]
            self._unwatch(member.process)
        if not cgroup.members and cgroup.notify_on_release:
            cgroup.releasable = True
            self._release.check(cgroup)

    def _host_process(self, pid: int) -> HostProcess | None:
        return self.host.find(pid) if self.host is not None else None

    def _watch(self, process: HostProcess) -> None:
        if self.host is not None:
            self.host.watch(process)

    def _unwatch(self, process: HostProcess) -> None:
        if self.host is not None:
            self.host.unwatch(process)
