"""One emulated machine as a tree: machine, hierarchy and `.machine` put together.

Contract
- `Tree` takes the options of a mount.  It knows no mount: whoever serves it passes requests to `fs`, calls `settle`
  after each, gives it the host's process table, and asks `errno_of` what an error is called in C.
- In Python it is used through `handles`.  There a refusal is an OSError with the errno that a mount would give, and
  what is no refusal comes through as it is.
- Python acts as the tree's owner, whom permissions do not concern.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from . import mm
from .cgroup import Descriptors, Dialect, Hierarchy, HostProcesses, dialect2007, dialect2008, dialect_v1
from .cgroup import errors as cgroup
from .data_dir import DataDir
from .handles import Dir, TaskHandle
from .kernfs import Caller, Kernfs
from .kernfs import errors as kernfs
from .machinefs import START_OF_TIME_NS, add_machine_directory
from .machinefs import errors as machinefs
from .options import OptionError, Options, keyword_options


class Tree:
    """An option of a mount is a keyword: Tree(ram="64M", swap=0, strict=True)."""

    def __init__(self, **options: object) -> None:
        self._set_up(keyword_options(**options))

    @classmethod
    def from_options(cls, options: Options, owner: Caller | None = None) -> Tree:
        """`owner`: whose the tree is, if not this process's user's."""
        tree = cls.__new__(cls)
        tree._set_up(options, owner)
        return tree

    def _set_up(self, options: Options, owner: Caller | None = None) -> None:
        self.options = options
        self.owner = owner or Caller(pid=0, uid=os.geteuid(), gid=os.getegid())
        try:
            self.machine = mm.Machine(_config(options))
        except mm.ConfigError as error:
            raise OptionError(str(error)) from None
        self.fs = Kernfs(self.now_ns, owner=self.owner, dates_reads=options.atime is not False)
        if options.page_cluster is not None:
            self.machine.set_sysctl("page-cluster", options.page_cluster)
        self.hierarchy = Hierarchy(self.fs, self.machine, _dialect(options), owner=self.owner,
                                   release_agent=os.fsencode(options.release_agent))  # fmt: skip
        visible = options.machinedir == "visible"
        self._tasks = add_machine_directory(self.fs, self.hierarchy, self.owner, visible=visible)
        self.root = Dir(self, self.fs.root)
        self.files = DataDir(self, self._tasks.files.disk.directory)

    def now_ns(self) -> int:
        """The date: the machine's clock, which starts when the seed was sent."""
        return START_OF_TIME_NS + self.machine.clock_ns

    # For whoever serves the tree.

    def set_host(self, host: HostProcesses) -> None:
        """The process table of the host; without one, or with host_tasks=off, its pids mean nothing."""
        if self.options.host_tasks:
            self.hierarchy.members.host = host
            self.hierarchy.members.kills_host = self.options.host_kill

    def set_descriptors(self, descriptors: Descriptors) -> None:
        """What the callers have open; without this cgroup.event_control finds nothing of theirs (EBADF)."""
        self.hierarchy.descriptors = descriptors

    def set_signals(self, has_signal: Callable[[int], bool]) -> None:
        """Tells whether a caller has a signal to take; without it nobody has, and nothing is interrupted."""
        self.hierarchy.has_signal = has_signal

    def host_exited(self, tid: int) -> None:
        self.hierarchy.members.host_exited(tid)

    def host_born(self, births: Iterable[tuple[int, int]]) -> None:
        """The host tells of forks: (who made it, who was made)."""
        self.hierarchy.members.born(births)

    def statfs(self) -> mm.FsStat:
        """The machine's disk: of all that is in the tree, its files alone take room."""
        return self.machine.statfs()

    def settle(self) -> None:
        """Do what the request before made due."""
        self.machine.settle()
        self.hierarchy.settle()

    # In Python.

    def mkdir(self, path: str) -> Dir:
        """Make the container `path` in one that exists."""
        return self.root.mkdir(path)

    def spawn(self, pid: int, container: Dir | None = None) -> TaskHandle:
        """Start a simulated task, as mkdir in .machine/tasks does, and attach it to `container`."""
        with self.request(f".machine/tasks/{pid}"):
            directory = self.fs.mkdir(self._tasks.directory.ino, str(pid).encode(), 0o777, self.owner)
            self.fs.forget(directory.ino, 1)
        task = TaskHandle(self, directory)
        if container is not None:
            container["tasks"] = pid
        return task

    @contextmanager
    def request(self, path: str) -> Iterator[None]:
        """What surrounds every request: what it made due is done, what it was refused becomes an OSError."""
        try:
            yield
        except Exception as error:
            number = errno_of(error)
            if number is None:
                raise
            raise OSError(number, os.strerror(number), path) from error
        finally:
            self.settle()


def _dialect(options: Options) -> Dialect:
    if options.dialect == "2007":
        return dialect2007(options.names, strict=options.strict)
    return dialect2008(options.names) if options.dialect == "2008" else dialect_v1()


def _config(options: Options) -> mm.MachineConfig:
    return mm.MachineConfig(
        ram_bytes=options.ram_bytes,
        swap_bytes=options.swap_bytes,
        files_bytes=options.files_bytes,
        arch=options.arch,
        disk=mm.DiskConfig(*options.disk),
        fault_ns=options.fault_ns,
        nodes=options.nodes,
        rules=options.rules,
        model=options.model,
        charge_batch=options.batch,
        charges_kmem=options.kmem,
        readahead_pages=options.readahead_pages,
        tlb_entries=options.tlb_entries,
    )


ERRNO_OF: dict[type[Exception], int] = {
    kernfs.NoSuchFile: errno.ENOENT,
    kernfs.NameTaken: errno.EEXIST,
    kernfs.NameTooLong: errno.ENAMETOOLONG,
    kernfs.NotADirectory: errno.ENOTDIR,
    kernfs.IsADirectory: errno.EISDIR,
    kernfs.NotEmpty: errno.ENOTEMPTY,
    kernfs.InvalidRename: errno.EINVAL,
    kernfs.OtherFilesystem: errno.EXDEV,
    kernfs.OtherParent: errno.EIO,
    kernfs.Pinned: errno.EBUSY,
    kernfs.BadName: errno.EINVAL,
    kernfs.NotPermitted: errno.EPERM,
    kernfs.CreateRefused: errno.EACCES,
    kernfs.BadOffset: errno.EINVAL,
    kernfs.NoDirectAccess: errno.EINVAL,
    kernfs.NoXattrs: errno.ENOSYS,  # the kernel asks no more, and says EOPNOTSUPP
    kernfs.NoSuchNamespace: errno.EOPNOTSUPP,
    kernfs.BadXattr: errno.EINVAL,
    kernfs.NoSuchXattr: errno.ENODATA,
    kernfs.NoSpaceForXattrs: errno.ENOSPC,
    kernfs.NoSync: errno.EINVAL,
    kernfs.NotReadable: errno.EINVAL,
    kernfs.NotWritable: errno.EINVAL,
    kernfs.TooLong: errno.E2BIG,
    kernfs.WouldBlock: errno.EAGAIN,
    kernfs.StillRunning: errno.EAGAIN,
    kernfs.Removed: errno.ENODEV,
    kernfs.BadHandle: errno.EBADF,
    cgroup.BadNumber: errno.EINVAL,
    cgroup.OutOfRange: errno.ERANGE,
    cgroup.BadEvent: errno.EINVAL,
    cgroup.BadDescriptor: errno.EBADF,
    cgroup.NotYourFile: errno.EACCES,
    cgroup.NoRightToDescriptor: errno.EPERM,
    cgroup.NoPid: errno.EIO,
    cgroup.NoSuchTask: errno.ESRCH,
    cgroup.NotYourTask: errno.EACCES,
    cgroup.CannotMigrate: errno.EINVAL,
    cgroup.NotPrivileged: errno.EPERM,
    cgroup.HasTasks: errno.EBUSY,
    cgroup.HasChildren: errno.EBUSY,
    machinefs.BadCommand: errno.EINVAL,
    machinefs.NoNumber: errno.EIO,
    machinefs.BadPid: errno.EINVAL,
    machinefs.NotMappable: errno.ENODEV,
    machinefs.NotAllowed: errno.EACCES,
    machinefs.NoMemoryForTrace: errno.ENOMEM,
    machinefs.OnlyRootLowers: errno.EACCES,
    mm.OutOfMemory: errno.ENOMEM,
    mm.MachinePanicked: errno.EIO,
    mm.BadRange: errno.EINVAL,
    mm.BadValue: errno.EINVAL,
    mm.BadSysctl: errno.EINVAL,
    mm.BadSwapArea: errno.EINVAL,
    mm.SwapAreaBusy: errno.EBUSY,
    mm.TooManySwapAreas: errno.EPERM,
    mm.MapsNoFile: errno.EBADF,
    mm.NotMapped: errno.EIO,
    mm.MappingExists: errno.EEXIST,
    mm.TaskExists: errno.EEXIST,
    mm.TaskDead: errno.ESRCH,
    mm.TaskWaits: errno.EAGAIN,
    mm.WaitsForMemory: errno.EAGAIN,
    mm.ContainerBusy: errno.EBUSY,
    mm.Busy: errno.EBUSY,
    mm.Interrupted: errno.EINTR,
    mm.TooManyContainers: errno.ENOSPC,
    mm.TooManyMappings: errno.ENOMEM,
    mm.TooManyTasks: errno.EAGAIN,
    mm.TooManyFiles: errno.ENFILE,
    mm.NoSpace: errno.ENOSPC,
    mm.FileTooBig: errno.EFBIG,
    mm.BusError: errno.EFAULT,
}
"""The one table from what happened to its errno."""


def errno_of(error: Exception) -> int | None:
    """The errno of a refusal.  None: this is no refusal but a bug, or somebody else's error."""
    return ERRNO_OF.get(type(error))
