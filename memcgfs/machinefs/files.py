"""`.machine/files`: the files of the machine's disk, read and written through its page cache; and `.machine/shm`, a tmpfs.

Contract: a directory as on any disk, in which everybody may make files and directories (mode 1777); there are neither
links nor devices.  The bytes lie in the machine (`mm.File`); names, owners, modes and dates lie here.  The two directories differ in where
a new file lies, on the disk, or in memory and swap; the one is no place for the other's files (EXDEV).

Who pays: what a process of the host brings into the page cache is charged to the container that it was in when it
opened the file, and to the top when that one is gone (`mm.OpenFile` sees to it).  What a simulated task does by name
(`ctl`) is the task's own doing.

After fs/ramfs/inode.c and fs/libfs.c for the directories.
"""

from __future__ import annotations

from collections.abc import Callable
from weakref import WeakKeyDictionary

from ..cgroup import Hierarchy, Members
from ..kernfs import Caller, DataFile, Directory, DirectoryOps, Kernfs, Node
from ..kernfs.errors import IsADirectory, NoSuchFile, NotEmpty, OtherFilesystem
from ..mm import File, OpenFile
from .errors import BadCommand, NotMappable
from .permission import SEARCH, WRITE, Permission

FILES_MODE = 0o1777
NEW_FILE_MODE = 0o666


class Stored:
    """The bytes of a file.  `file` is None once it is freed: a mapping may go on with it, but no name leads there."""

    __slots__ = ("_members", "file")

    def __init__(self, file: File, members: Members) -> None:
        self.file: File | None = file
        self._members = members

    @property
    def size_bytes(self) -> int:
        return self.file.size if self.file is not None else 0

    @property
    def nr_blocks(self) -> int:
        return self.file.blocks if self.file is not None else 0

    def open(self, caller: Caller) -> OpenFile:
        return self.there().open(self._members.cgroup_of_host(caller.pid).container)

    def truncate(self, size_bytes: int, caller: Caller) -> None:
        self.there().truncate(size_bytes, self._members.cgroup_of_host(caller.pid).container)

    def free(self) -> None:
        file, self.file = self.there(), None
        file.put()

    def there(self) -> File:
        if self.file is None:
            raise NoSuchFile
        return self.file


class Files(DirectoryOps):
    """What making, removing and renaming in one of the directories means, and finding a file by its path in it.  `make` makes one."""

    def __init__(self, fs: Kernfs, hierarchy: Hierarchy, machine_directory: Directory, owner: Caller, name: bytes,
                 make: Callable[[], File]) -> None:  # fmt: skip
        self._fs = fs
        self.was_read = fs.was_read
        self.was_written = fs.was_written
        self._make = make
        self._members = hierarchy.members
        self._permission = Permission(owner)
        self._nodes: WeakKeyDictionary[File, DataFile] = WeakKeyDictionary()
        self.directory = fs.add_directory(machine_directory, name, mode=FILES_MODE, owner=owner, ops=self, pinned=True)

    # DirectoryOps.

    def mkdir(self, parent: Directory, name: bytes, mode: int, caller: Caller) -> Directory:
        return self._fs.add_directory(parent, name, mode=mode, owner=caller, ops=self)

    def rmdir(self, directory: Directory) -> None:
        if directory.children:
            raise NotEmpty(directory.name)
        self._fs.remove(directory)

    def rename(self, node: Node, new_parent: Directory, new_name: bytes, target: Node | None) -> None:
        if new_parent.ops is not self:
            raise OtherFilesystem(new_name)
        if isinstance(target, Directory) and target.children:
            raise NotEmpty(new_name)
        if target is not None:
            self._fs.remove(target)
        self._fs.rename_node(node, new_name, new_parent)

    def create(self, parent: Directory, name: bytes, mode: int, caller: Caller) -> DataFile:
        file = self._make()
        node = self._fs.add_data_file(parent, name, mode=mode, owner=caller, data=Stored(file, self._members))
        self._nodes[file] = node
        return node

    def unlink(self, node: Node) -> None:
        self._fs.remove(node)

    # By name, from the directory on: `data`, `dir/data`.

    def find(self, path: bytes, who: Caller) -> Node:
        """Raises BadCommand for what is no such name."""
        node: Node = self.directory
        for name in names_of(path):
            directory = self._fs.directory(node.ino)
            self._permission.require(directory, SEARCH, who)
            node = self._fs.find(name, directory)
        return node

    def find_file(self, path: bytes, access: int, who: Caller) -> DataFile:
        node = self.find(path, who)
        if not isinstance(node, DataFile):
            raise IsADirectory(path)
        self._permission.require(node, access, who)
        return node

    def find_to_map(self, path: bytes, access: int, who: Caller) -> DataFile:
        """A directory can be opened, but it has no mmap."""
        try:
            return self.find_file(path, access, who)
        except IsADirectory:
            raise NotMappable(path) from None

    def find_or_create(self, path: bytes, who: Caller) -> DataFile:
        """As open(2) with O_WRONLY and O_CREAT does."""
        *above, name = names_of(path)
        try:
            return self.find_file(path, WRITE, who)
        except NoSuchFile:
            parent = self._fs.directory(self.find(b"/".join(above), who).ino if above else self.directory.ino)
            self._permission.require(parent, WRITE | SEARCH, who)
            return self.create(parent, name, NEW_FILE_MODE & ~who.umask, who)

    # Of a mapping.

    def node_of(self, file: File) -> DataFile | None:
        """The name that it has, or had last; None of a file that was made without one."""
        return self._nodes.get(file)

    def path_of(self, node: DataFile) -> bytes:
        """From the directory on, with a leading slash, as d_path writes it."""
        path = node.path.removeprefix(self.directory.path)
        return path if node.alive else path + b" (deleted)"


def names_of(path: bytes) -> list[bytes]:
    names = path.split(b"/")
    if any(name in (b"", b".", b"..") for name in names):
        raise BadCommand(path)
    return names
