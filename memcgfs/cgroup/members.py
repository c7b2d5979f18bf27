"""Who is in which container: simulated tasks, and threads of the host that were attached, or were made by those that were.

Contract
- A pid means one member.  A simulated task comes first: made under the pid of a living thread of the host, it takes
  that thread's place (its container, and its end), and the thread is no member of its own any more.
- A thread of the host that has nothing to do with an attached one is in the top container, but is not listed there, nor
  anywhere.
- Members leave when they end.  Simulated tasks die inside the machine, which names them when the request is over
  (`tasks_ended`); whoever asks in the middle of it who is in a container (`of`) first lets go of the dead.

Kin.  A child belongs where the thread that made it is, and so does a new thread (cgroup_fork).  Nobody tells of a fork,
so kin is met when somebody looks: at who is in a container, at a thread before it moves, at a caller that nobody knows.
- Looking at members of one container finds all kin of theirs, since a thread is looked at before it moves: whom it has
  made since the last look belongs where it is now.
- Whom a thread had made before it came out of the top stays there.  These are known, too, so that they are not taken
  for new; they are in `_by_pid`, but are not listed.
- Who made a thread cannot be seen.  It is put where the oldest thread of its process is that is still there.
- Whoever made a process may have ended before the next look; the process is then init's, and looks like any other.
  `born` is for a host that tells of forks.  Without it such a process is in the top.

After kernel/cgroup.c of 2.6.24: attach_task, put_css_set_taskexit; kernel/cgroup/cgroup.c of 6.18: cgroup_fork, cgroup_attach_task,
cgroup_migrate_add_task, css_task_iter_next.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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
    thread that it stands for."""

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
    def tgid(self) -> int:
        return self.task.tgid

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
    def tgid(self) -> int:
        return self.process.tgid

    @property
    def alive(self) -> bool:
        return self.process.alive()


Member = SimulatedTask | HostMember


class Members:
    """`host` is None where pids of the host mean nothing.  `kills_host`: what the OOM killer does to a task happens to the process that
    it stands for."""

    def __init__(self, machine: Machine, top: Cgroup, release: Release) -> None:
        self.host: HostProcesses | None = None
        self.kills_host = False
        self._machine = machine
        self._top = top
        self._release = release
        self._by_pid: dict[int, Member] = {}
        self._by_tgid: dict[int, dict[int, Member]] = {}
        self._of_host: set[int] = set()
        """The pids of those that are, or stand for, a thread of the host."""

    # Asking.

    def of(self, cgroup: Cgroup) -> list[int]:
        """The pids of the living members of `cgroup`, ascending."""
        return sorted(self._looked_at(cgroup))

    def processes_of(self, cgroup: Cgroup) -> list[int]:
        """The processes that have a living thread in `cgroup`, ascending."""
        return sorted({member.tgid for member in self._looked_at(cgroup).values()})

    def find(self, pid: int) -> Member:
        """The living task with that pid, simulated ones first."""
        member = self.find_with_zombies(pid)
        if not member.alive:
            raise NoSuchTask(pid)
        return member

    def find_with_zombies(self, pid: int) -> Member:
        """The same; and who has ended counts until it is reaped."""
        member = self._by_pid.get(pid)
        if member is not None:
            if member.alive:
                return member
            self._ended(member)
            if isinstance(member, SimulatedTask):
                return member
        process = self._host_process(pid)
        if process is None:
            raise NoSuchTask(pid)
        return self._placed(process)

    def uids(self, member: Member) -> set[int]:
        """Who may attach it, besides root.  A process is asked anew: it may run as somebody else by now."""
        found = set() if isinstance(member, HostMember) else {member.maker.uid}
        process = self._host_process(member.pid) if member.process is not None else None
        return found if process is None else found | {process.uid, process.suid}

    def cgroup_of_host(self, tid: int) -> Cgroup:
        """The container of the host's thread with that number: the top, unless it is a member, or a task stands for it."""
        member = self._by_pid.get(tid)
        if member is None and self._of_host:
            process = self._host_process(tid)
            member = self._placed(process) if process is not None else None
        if member is None or member.process is None or not member.alive:
            return self._top
        return member.cgroup

    def of_host(self) -> Iterator[HostMember]:
        """The threads of the host that were attached, or made by those that were, by pid; who was let go is not one."""
        for cgroup in dict.fromkeys(member.cgroup for member in self._by_pid.values()):
            self._looked_at(cgroup)
        for _, member in sorted(self._by_pid.items()):
            if isinstance(member, HostMember) and member.pid in member.cgroup.members:
                yield member

    # Changing.

    def attach(self, member: Member, cgroup: Cgroup) -> None:
        """One thread, which goes to `cgroup`; nothing is done if it is there already, or has ended."""
        self._machine.refuse_if_panicked()
        if member.cgroup is cgroup or not member.alive:
            return
        self._get_to_know(member)
        self._migrate(member, cgroup)

    def attach_process(self, member: Member, cgroup: Cgroup) -> None:
        """All threads of the process of `member`, who may have ended itself, as the first thread of one that goes on may have."""
        self._machine.refuse_if_panicked()
        self._get_to_know(member)
        threads = [thread for _, thread in sorted(self._by_tgid.get(member.tgid, {}).items()) if thread.alive]
        self._look_at(threads)
        for thread in threads:
            if thread.cgroup is not cgroup:
                self._migrate(thread, cgroup)

    def spawn(self, pid: int, maker: Caller) -> SimulatedTask:
        """A new task in the top container, or in the place of the host's thread with that pid."""
        thread = self._living_thread(pid)
        cgroup = thread.cgroup if thread is not None else self._top
        return self._enter(self._machine.spawn(pid, cgroup.container), cgroup, maker, thread)

    def fork(self, parent: SimulatedTask, pid: int) -> SimulatedTask:
        """A child of `parent`, in its container and of its maker."""
        thread = self._living_thread(pid)
        return self._enter(parent.task.fork(pid), parent.cgroup, parent.maker, thread)

    def clone(self, leader: SimulatedTask, pid: int) -> SimulatedTask:
        """A thread of `leader`'s, in the container that `leader` is in now, and of its maker."""
        thread = self._living_thread(pid)
        return self._enter(self._machine.clone_thread(leader.task, pid), leader.cgroup, leader.maker, thread)

    def reap(self, member: SimulatedTask) -> None:
        """End `member` if it lives, and forget it.  The thread that it stood for is let go: it is in the top, as if it had always been."""
        self._machine.reap(member.task)
        self._ended(member)
        self._forget(member)
        if member.process is not None:
            self._know(HostMember(member.process, self._top))

    def host_exited(self, tid: int) -> None:
        """The host's thread `tid`, which was being watched, has ended."""
        member = self._by_pid.get(tid)
        if isinstance(member, SimulatedTask):
            member.process = None
            self._of_host.discard(tid)
            if member.alive and not self._machine.panicked:
                member.task.exit()
        elif member is not None:
            self._ended(member)

    def tasks_ended(self, pids: Iterable[int]) -> None:
        for pid in pids:
            member = self._by_pid.get(pid)
            if isinstance(member, SimulatedTask) and not member.alive:
                self._ended(member)

    def killed(self, pids: Iterable[int]) -> None:
        """These tasks were killed because memory was short.  Who made a task under another's pid cannot have that one killed: its maker has
        to be one who may signal the process (check_kill_permission), now, whoever it was when the task was made."""
        for pid in pids:
            member = self._by_pid.get(pid)
            if not self.kills_host or self.host is None or not isinstance(member, SimulatedTask) or member.process is None:
                continue
            process = self.host.find(pid)
            if process == member.process and member.maker.uid in (0, process.uid, process.suid):
                self.host.kill(process)

    def born(self, births: Iterable[tuple[int, int]]) -> None:
        """The host tells of forks, in their order: (the thread that made it, the process made).  Who has ended by now may have made others
        before."""
        passed: dict[int, Cgroup] = {}
        for maker_tid, tid in births:
            maker = self._by_pid.get(maker_tid)
            cgroup = passed.get(maker_tid) if maker is None else self._cgroup_of_kin(maker)
            if cgroup is None or cgroup is self._top or tid in self._by_pid:
                continue
            thread = self._living_thread_of_host(tid)
            if thread is not None:
                self._meet(thread, cgroup)
            else:
                passed[tid] = cgroup

    # Inside: who is known.

    def _know(self, member: Member) -> None:
        self._by_pid[member.pid] = member
        self._by_tgid.setdefault(member.tgid, {})[member.pid] = member
        if member.process is not None and self.host is not None and member.pid not in self._of_host:
            self._of_host.add(member.pid)
            self.host.watch(member.process)

    def _forget(self, member: Member) -> None:
        del self._by_pid[member.pid]
        threads = self._by_tgid[member.tgid]
        del threads[member.pid]
        if not threads:
            del self._by_tgid[member.tgid]

    def _enter(self, task: Task, cgroup: Cgroup, maker: Caller, thread: HostMember | None) -> SimulatedTask:
        member = SimulatedTask(task, cgroup, maker, thread.process if thread is not None else None)
        if thread is not None and thread.pid in self._by_pid:
            self._forget(thread)
            self._leave(thread)
        self._know(member)
        cgroup.members[task.pid] = member
        return member

    def _migrate(self, member: Member, cgroup: Cgroup) -> None:
        old = member.cgroup
        if isinstance(member, SimulatedTask):
            self._machine.attach(member.task, cgroup.container)
        old.members.pop(member.pid, None)
        member.cgroup = cgroup
        cgroup.members[member.pid] = member
        old.releasable = True
        self._release.check(old)

    def _ended(self, member: Member) -> None:
        if isinstance(member, HostMember):
            self._forget(member)
            if self.host is not None and member.pid in self._of_host:
                self._of_host.discard(member.pid)
                self.host.unwatch(member.process)
        self._leave(member)

    def _leave(self, member: Member) -> None:
        """exit's part: the bit is set by the last to leave, and only where somebody wants to be told."""
        cgroup = member.cgroup
        listed = cgroup.members.pop(member.pid, None)
        if listed is not None and not cgroup.members and cgroup.notify_on_release:
            cgroup.releasable = True
            self._release.check(cgroup)

    # Inside: kin.

    def _looked_at(self, cgroup: Cgroup) -> dict[int, Member]:
        for member in [member for member in cgroup.members.values() if not member.alive]:
            self._ended(member)
        if cgroup is not self._top:
            self._look_at(cgroup.members.values())
        return cgroup.members

    def _get_to_know(self, member: Member) -> None:
        """Before it moves, so that those whom it has made by now stay behind."""
        if member.process is not None and member.pid not in self._by_pid and member.alive:
            self._know(member)
        self._look_at([member])

    def _look_at(self, members: Iterable[Member]) -> None:
        """Meet the kin of `members`, and the kin of those.  The top's own are left alone: their kin is where it was taken to be."""
        if self.host is None:
            return
        waiting = [member for member in members if member.process is not None]
        seen: set[int] = set()
        while waiting:
            maker = waiting.pop()
            assert maker.process is not None  # nobody else waits
            found = []
            if maker.process.tgid not in seen:
                seen.add(maker.process.tgid)
                found = self._met_threads(maker.process.tgid)
            for tid in self.host.children(maker.process):
                if tid not in self._by_pid and (child := self._living_thread_of_host(tid)) is not None:
                    found.append(self._meet(child, self._cgroup_of_kin(maker)))
            waiting += [member for member in found if member.cgroup is not self._top]

    def _met_threads(self, tgid: int) -> list[HostMember]:
        assert self.host is not None  # asked by _look_at only
        tids = self.host.threads(tgid)
        known = [tid for tid in tids if tid in self._by_pid]
        if len(known) == len(tids):
            return []
        cgroup = self._cgroup_of_kin(self._by_pid[known[0]]) if known else self._top
        new = (self._living_thread_of_host(tid) for tid in tids if tid not in self._by_pid)
        return [self._meet(thread, cgroup) for thread in new if thread is not None]

    def _meet(self, process: HostProcess, cgroup: Cgroup) -> HostMember:
        member = HostMember(process, cgroup)
        self._know(member)
        if cgroup is not self._top:
            cgroup.members[member.pid] = member
        return member

    def _placed(self, process: HostProcess) -> HostMember:
        """A thread that nobody knows: the nearest of those who made it that is known tells where it is."""
        tgid = process.tgid if process.tid != process.tgid else process.ppid
        while self.host is not None and self._of_host and tgid:
            known = self._by_tgid.get(tgid)
            if known is not None:
                self._look_at([member for member in known.values() if member.cgroup is not self._top and member.alive])
                break
            tgid = self.host.parent(tgid)
        member = self._by_pid.get(process.tid)
        return member if isinstance(member, HostMember) else HostMember(process, self._top)

    def _cgroup_of_kin(self, maker: Member) -> Cgroup:
        """A task that has ended leaves the thread that it stood for to the top."""
        return maker.cgroup if isinstance(maker, HostMember) or maker.alive else self._top

    def _living_thread(self, tid: int) -> HostMember | None:
        """The host's thread with that number, if no task stands for it."""
        member = self._by_pid.get(tid)
        if isinstance(member, HostMember):
            if member.alive:
                return member
            self._ended(member)
        elif member is not None:
            return None
        process = self._living_thread_of_host(tid)
        return self._placed(process) if process is not None else None

    def _living_thread_of_host(self, tid: int) -> HostProcess | None:
        process = self._host_process(tid)
        return process if process is not None and process.alive() else None

    def _host_process(self, pid: int) -> HostProcess | None:
        return self.host.find(pid) if self.host is not None else None
