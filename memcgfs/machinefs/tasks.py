"""`.machine/tasks`: a directory for each simulated task, dead or alive; making one makes the task.

Contract: the directory and its files belong to the task's maker, whatever the modes of mkdir and umask say.  rmdir ends
the task if it lives, and reaps it: when it returns, the task's charges are gone.  The sticky bit of `tasks` is what
keeps others from it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import units
from ..cgroup import Hierarchy, NoSuchTask, NotYourTask, SimulatedTask
from ..kernfs import Caller, Directory, DirectoryOps, Kernfs, Node
from .errors import BadPid
from .file_names import FileNames
from .task_files import TASK_FILES

if TYPE_CHECKING:
    from ..mm import Task

TASKS_MODE = 0o1777
TASK_MODE = 0o755


class TaskEntry:
    """The subject of a task's files."""

    __slots__ = ("_entries", "files", "member")

    def __init__(self, entries: TaskEntries, member: SimulatedTask) -> None:
        self._entries = entries
        self.files = entries.files
        self.member = member

    @property
    def task(self) -> Task:
        return self.member.task

    def neighbour(self, pid: int) -> Task:
        """Another living task, of the same maker, unless that is root."""
        return self._entries.living(pid, self.member.maker)

    def fork(self, pid: int) -> TaskEntry:
        return self._entries.fork(self, pid)

    def clone(self, pid: int) -> TaskEntry:
        return self._entries.clone(self, pid)


class TaskEntries(DirectoryOps):
    """What making and removing in `.machine/tasks` means."""

    def __init__(self, fs: Kernfs, hierarchy: Hierarchy, machine_directory: Directory, owner: Caller,
                 files: FileNames) -> None:  # fmt: skip
        self.files = files
        self._fs = fs
        self._members = hierarchy.members
        self.directory = fs.add_directory(machine_directory, b"tasks", mode=TASKS_MODE, owner=owner, ops=self)

    def mkdir(self, parent: Directory, name: bytes, mode: int, caller: Caller) -> Directory:
        pid = units.pid(name.decode("latin-1"))
        if pid is None:
            raise BadPid(name)
        return self._add(self._members.spawn(pid, caller))

    def living(self, pid: int, maker: Caller) -> Task:
        member = self._members.find(pid)
        if not isinstance(member, SimulatedTask):
            raise NoSuchTask(pid)
        if maker.uid and maker.uid != member.maker.uid:
            raise NotYourTask(pid)
        return member.task

    def fork(self, parent: TaskEntry, pid: int) -> TaskEntry:
        entry: TaskEntry = self._add(self._members.fork(parent.member, pid)).subject
        return entry

    def clone(self, leader: TaskEntry, pid: int) -> TaskEntry:
        entry: TaskEntry = self._add(self._members.clone(leader.member, pid)).subject
        return entry

    def rmdir(self, directory: Directory) -> None:
        entry: TaskEntry = directory.subject
        self._members.reap(entry.member)
        self._fs.remove(directory)

    def rename(self, node: Node, new_parent: Directory, new_name: bytes, target: Node | None) -> None:
        raise BadPid(new_name)

    def _add(self, member: SimulatedTask) -> Directory:
        entry = TaskEntry(self, member)
        name = str(member.pid).encode()
        directory = self._fs.add_directory(self.directory, name, mode=TASK_MODE, owner=member.maker, subject=entry)
        self._fs.add_files(directory, TASK_FILES, member.maker, entry)
        return directory
