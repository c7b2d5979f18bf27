"""The hierarchy: each directory of the tree is a container of the machine.

Contract: implements `DirectoryOps` for the whole tree (but for what other layers hang into it, which has its own).
A directory's subject is its `Cgroup`.  `settle` belongs after every request: it does what the request made due.

Order of the refusals of rmdir, all of them EBUSY: members, children, css references (that is, charged pages).

After kernel/cgroup.c of 2.6.24: cgroup_create, cgroup_rmdir, cgroup_rename, __css_put.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..kernfs import KERNFS, OWNER, Caller, Directory, DirectoryOps, Kernfs, Node
from ..kernfs.errors import BadName, KernfsError, NameTaken, NotADirectory, OtherParent
from .cgroup import Cgroup
from .errors import HasChildren, HasTasks
from .members import Members
from .release import Release

if TYPE_CHECKING:
    from ..mm import Container, Machine
    from .dialect import Dialect
    from .host import Descriptors


class Hierarchy(DirectoryOps):
    def __init__(self, fs: Kernfs, machine: Machine, dialect: Dialect, *, owner: Caller = OWNER,
                 release_agent: bytes = b"") -> None:  # fmt: skip
        self.machine = machine
        self.descriptors: Descriptors | None = None
        """What the callers have open, where they are told apart."""
        self.has_signal: Callable[[int], bool] = lambda tid: False
        """Has the caller a signal to take?  Then what takes long ends for it."""
        self._fs = fs
        self._dialect = dialect
        self.habits = dialect.habits
        self._charges_once = machine.core.rules.charges_once
        self.release = Release(release_agent, waits_for_charges=not self._charges_once)
        self.top = Cgroup(self, machine.root, fs.root, None)
        self.members = Members(machine, self.top, self.release)
        self._by_cid = {machine.root.cid: self.top}
        fs.root.ops = self
        fs.root.subject = self.top
        fs.add_files(fs.root, dialect.top_files, owner, self.top)

    def node(self, ino: int) -> Node:
        return self._fs.node(ino)

    def path_of(self, container: Container) -> bytes:
        """Where the container of the machine is in the tree."""
        return self._by_cid[container.cid].path

    def interrupts(self, caller: Caller) -> Callable[[], bool]:
        """To be asked at each turn of what takes long: does a signal end it?"""
        return lambda: self.has_signal(caller.pid)

    # DirectoryOps.

    def mkdir(self, parent: Directory, name: bytes, mode: int, caller: Caller) -> Directory:
        self._require_name(name)
        container = self.machine.create_container(parent.subject.container)
        directory = self._fs.add_directory(parent, name, mode=mode, owner=caller, ops=self)
        cgroup = Cgroup(self, container, directory, parent.subject)
        if self.machine.core.rules.inherits_notify:
            cgroup.notify_on_release = parent.subject.notify_on_release
        cgroup.clone_children = parent.subject.clone_children
        directory.subject = self._by_cid[container.cid] = cgroup
        self._fs.add_files(directory, self._dialect.files, caller, cgroup)
        return directory

    def rmdir(self, directory: Directory) -> None:
        cgroup: Cgroup = directory.subject
        parent = cgroup.parent
        assert parent is not None  # the top is pinned
        if self.members.of(cgroup):
            raise HasTasks(directory.name)
        if cgroup.has_children:
            raise HasChildren(directory.name)
        self.machine.remove_container(cgroup.container)
        del self._by_cid[cgroup.container.cid]
        self._fs.remove(directory)
        self.release.forget(cgroup)
        parent.releasable = True
        self.release.check(parent)

    def rename(self, node: Node, new_parent: Directory, new_name: bytes, target: Node | None) -> None:
        """Containers, and in place only; the refusals and their order are those of cgroup_rename, and today of cgroup1_rename."""
        self._require_name(new_name)
        if not isinstance(node, Directory):
            raise NotADirectory(node.name)
        refusals: list[type[KernfsError]] = [NameTaken] * (target is not None) + [OtherParent] * (new_parent is not node.parent)
        if refusals:
            raise refusals[-1 if self.habits is KERNFS else 0](new_name)
        self._fs.rename_node(node, new_name)

    def _require_name(self, name: bytes) -> None:
        """A newline would make lines of /proc/PID/cgroup that nobody can read."""
        if self.habits is KERNFS and b"\n" in name:
            raise BadName(name)

    def ino_of(self, cid: int) -> int:
        """The inode of the directory of this container of the machine's."""
        return self._by_cid[cid].directory.ino

    # After every request.

    def settle(self) -> None:
        """Let those go that have ended, look at the containers whose last css reference went, and tell the release agent of those that are
        empty."""
        self.members.killed(self.machine.take_victims())
        self.members.tasks_ended(self.machine.take_ended())
        for container in self.machine.take_released():
            cgroup = self._by_cid.get(container.cid)
            if cgroup is not None and cgroup.notify_on_release and not self._charges_once:
                cgroup.releasable = True
                self.members.of(cgroup)
                self.release.check(cgroup)
        self.release.run(self.members.host)
