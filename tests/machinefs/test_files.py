"""`.machine/files` from below: what the machine is asked for, who is charged, what a task may name in `ctl`."""

from __future__ import annotations

import errno
import os
import stat

import pytest

from memcgfs import mm
from memcgfs.handles import TaskHandle
from memcgfs.kernfs import Caller, Changes, DataFile
from memcgfs.kernfs.errors import NoSuchFile
from memcgfs.tree import Tree
from tests.cgroup.conftest import FakeHost
from tests.refusal import refused

PAGE = 4096
SOMEBODY = Caller(pid=7, uid=1000, gid=100, umask=0o022)
OTHER = Caller(pid=8, uid=2000, gid=100, umask=0o022)


def file_of(tree: Tree, path: str) -> DataFile:
    node = tree.fs.find(b".machine/files/" + path.encode())
    assert isinstance(node, DataFile)
    return node


def spawned(tree: Tree, pid: int, maker: Caller) -> TaskHandle:
    directory = tree.fs.mkdir(tree.fs.find(b".machine/tasks").ino, str(pid).encode(), 0o755, maker)
    return TaskHandle(tree, directory)


# The directory.


def test_it_is_a_directory_for_everybody(tree: Tree) -> None:
    files = tree.fs.find(b".machine/files")
    assert (oct(files.mode), files.uid, files.gid) == ("0o41777", os.geteuid(), os.getegid())
    assert tree.root.children == []
    machine = tree.fs.find(b".machine").ino
    with refused(errno.EBUSY), tree.request("files"):
        tree.fs.rmdir(machine, b"files")
    with refused(errno.EBUSY), tree.request("files"):
        tree.fs.rename(machine, b"files", machine, b"data")


def test_files_do_not_leave_it(tree: Tree) -> None:
    """mv(1) copies then, and finds that no file can be made elsewhere."""
    tree.files["data"] = b"x"
    tree.files.mkdir("d")
    tree.mkdir("a")
    files = tree.fs.find(b".machine/files").ino
    for name, place in ((b"data", b"a"), (b"d", b"a"), (b"data", b".machine/tasks"), (b"data", b".machine")):
        with refused(errno.EXDEV), tree.request("rename"):
            tree.fs.rename(files, name, tree.fs.find(place).ino, b"new")
    with refused(errno.EIO), tree.request("rename"):
        tree.fs.rename(1, b"a", files, b"a")
    with refused(errno.ENOTDIR), tree.request("rename"):
        tree.fs.rename(tree.fs.find(b"a").ino, b"tasks", files, b"tasks")
    for place in (b"a", b".machine/tasks", b".machine"):
        with refused(errno.EACCES), tree.request("create"):
            tree.fs.create(tree.fs.find(place).ino, b"new", 0o644, os.O_RDWR)


def test_each_name_is_an_inode_that_is_freed(tree: Tree) -> None:
    free = tree.machine.statfs().nr_files_free
    for name in ("a", "b", "c"):
        tree.files[name] = b"x" * 10_000
    tree.files.mkdir("d")
    assert tree.machine.statfs().nr_files_free == free - 3
    tree.files.unlink("a")
    tree.files.rename("b", "c")
    assert tree.machine.statfs().nr_files_free == free - 1
    tree.files.unlink("c")
    stat_now = tree.machine.statfs()
    assert (stat_now.nr_files_free, stat_now.nr_free) == (free, stat_now.nr_blocks)


def test_the_disk_runs_out_of_inodes() -> None:
    tree = Tree(ram="8M", swap=0, files="1M")
    number = 0
    with refused(errno.ENFILE):
        for number in range(tree.machine.statfs().nr_files_free + 1):
            tree.files[str(number)] = b""
    assert len(tree.files.listdir()) == number
    tree.files.unlink("0")
    tree.files["again"] = b""
    tree.machine.check()


# Who pays.


class Opened:
    """Stands before the machine's open files, and remembers who was to pay."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.containers: list[mm.Container | None] = []
        self.truncated: list[mm.Container | None] = []
        really_open, really_truncate = mm.File.open, mm.File.truncate

        def opened(file: mm.File, container: mm.Container | None = None) -> mm.OpenFile:
            self.containers.append(container)
            return really_open(file, container)

        def truncated(file: mm.File, size: int, container: mm.Container | None = None) -> None:
            self.truncated.append(container)
            really_truncate(file, size, container)

        monkeypatch.setattr(mm.File, "open", opened)
        monkeypatch.setattr(mm.File, "truncate", truncated)


@pytest.fixture
def host(tree: Tree) -> FakeHost:
    host = FakeHost()
    tree.set_host(host)
    return host


def container_of(tree: Tree, path: str) -> mm.Container:
    container: mm.Container = tree.fs.find(path.encode()).subject.container
    return container


def test_an_opener_pays_who_was_attached(tree: Tree, host: FakeHost, monkeypatch: pytest.MonkeyPatch) -> None:
    tree.files["data"] = b"x"
    opened = Opened(monkeypatch)
    a = tree.mkdir("a")
    host.add(SOMEBODY.pid), host.add(OTHER.pid)
    a["tasks"] = SOMEBODY.pid
    ino = file_of(tree, "data").ino
    handles = [tree.fs.open(ino, os.O_RDWR | os.O_TRUNC, caller) for caller in (SOMEBODY, OTHER)]
    assert opened.containers == opened.truncated == [container_of(tree, "a"), tree.machine.root]
    b = tree.mkdir("b")
    b["tasks"] = SOMEBODY.pid  # what is open stays where it was opened
    tree.fs.write(handles[0], 0, b"abc")
    assert len(opened.containers) == 2
    handles.append(tree.fs.open(ino, os.O_RDONLY, SOMEBODY))
    assert opened.containers[2] is container_of(tree, "b")
    for handle in handles:
        tree.fs.release(handle)


def test_a_task_stands_for_the_process_whose_pid_it_has(tree: Tree, host: FakeHost, monkeypatch: pytest.MonkeyPatch) -> None:
    tree.files["data"] = b"x"
    opened = Opened(monkeypatch)
    ino = file_of(tree, "data").ino
    host.add(SOMEBODY.pid)
    tree.spawn(SOMEBODY.pid, tree.mkdir("a"))
    tree.spawn(OTHER.pid, tree.mkdir("b"))  # made before there was a process of that number: it stands for none
    host.add(OTHER.pid)
    for caller in (SOMEBODY, OTHER):
        tree.fs.release(tree.fs.open(ino, os.O_RDONLY, caller))
    assert opened.containers == [container_of(tree, "a"), tree.machine.root]


@pytest.mark.fact("C15", "C19", "C29")
def test_what_is_charged_is_what_came_in(tree: Tree, host: FakeHost) -> None:
    """20000 bytes are five pages; whoever reads them afterwards finds them paid.  A container's pages keep it busy; once
    they have left and it is gone, what its last member has open is the top's."""
    a, b = tree.mkdir("a"), tree.mkdir("b")
    for caller, container in ((SOMEBODY, a), (OTHER, b)):
        host.add(caller.pid)
        container["tasks"] = caller.pid
    files = tree.fs.find(b".machine/files").ino
    before = int(tree.root["memory.usage"])
    file, writer = tree.fs.create(files, b"data", 0o644, os.O_RDWR, SOMEBODY)
    tree.fs.write(writer, 0, b"x" * 20000)
    reader = tree.fs.open(file.ino, os.O_RDONLY, OTHER)
    assert len(tree.fs.read(reader, 0, 20000)) == 20000
    assert (a["memory.usage"], b["memory.usage"], tree.root["memory.usage"]) == (5, 0, before)
    for caller in (SOMEBODY, OTHER):
        tree.root["tasks"] = caller.pid
    with refused(errno.EBUSY):
        a.rmdir()
    tree.fs.setattr(file.ino, Changes(size=0))
    a.rmdir()
    tree.mkdir("c")  # which may well have the number that a had
    tree.fs.write(writer, 0, b"x" * 20000)
    assert (tree.root["memory.usage"], tree.root["c/memory.usage"], b["memory.usage"]) == (before + 5, 0, 0)
    tree.files.unlink("data")
    assert len(tree.fs.read(reader, 0, 20000)) == 20000
    for handle in (reader, writer):
        tree.fs.release(handle)
    assert tree.root["memory.usage"] == before
    tree.fs.forget(file.ino, 1)


# A file that was freed.


def test_what_is_left_of_a_freed_file(tree: Tree, task: TaskHandle) -> None:
    """Somebody may still know its number: it is empty, and nothing can be done with it."""
    tree.files["data"] = b"x" * 5000
    task.mmap(0, 2, file="data")
    node = tree.fs.lookup(tree.fs.find(b".machine/files").ino, b"data")
    tree.files.unlink("data")
    attributes = tree.fs.getattr(node.ino)
    assert (attributes.nlink, attributes.size, attributes.nr_blocks) == (0, 0, 0)
    for flags in (os.O_RDONLY, os.O_TRUNC):
        with pytest.raises(NoSuchFile):
            tree.fs.open(node.ino, flags)
    tree.fs.forget(node.ino, 1)
    task.reap()


# ctl.


def test_read_and_write(tree: Tree, task: TaskHandle) -> None:
    task.ctl("write data 1 2")
    node = file_of(tree, "data")
    assert (len(tree.files["data"]), oct(node.mode)) == (3 * PAGE, "0o100644")
    tree.root[".machine/clock"] = "+5s"
    node.atime_ns = 0
    task.ctl("read data 0 100")
    assert (node.atime_ns - node.mtime_ns, node.ctime_ns) == (5_000_000_000, node.mtime_ns)
    task.ctl("write data 0 1")
    assert (len(tree.files["data"]), node.mtime_ns) == (3 * PAGE, node.atime_ns)
    for command in ("fsync data", "sync", *(f"fadvise data 0 3 {advice}" for advice in
                    ("normal", "sequential", "random", "willneed", "dontneed", "noreuse"))):  # fmt: skip
        task.ctl(command)
    tree.files.mkdir("d")
    task.ctl("write d/x 0 1")
    assert tree.files.listdir("d") == ["x"]


REFUSALS = [
    ("read none 0 1", errno.ENOENT), ("read d 0 1", errno.EISDIR), ("read data/x 0 1", errno.ENOTDIR),
    ("read d/none 0 1", errno.ENOENT), (f"read {'n' * 256} 0 1", errno.ENAMETOOLONG),
    ("write d 0 1", errno.EISDIR), ("write none/x 0 1", errno.ENOENT), ("write data/x 0 1", errno.ENOTDIR),
    (f"write {'n' * 256} 0 1", errno.ENAMETOOLONG), (f"write data {1 << 40} 1", errno.EFBIG),
    ("fadvise none 0 1 normal", errno.ENOENT), ("fadvise d 0 1 normal", errno.EISDIR),
    ("fsync none", errno.ENOENT), ("fsync d", errno.EISDIR), ("fsync data/x/y", errno.ENOTDIR),
    ("mmap 0 1 file:none", errno.ENOENT), ("mmap 0 1 file:d", errno.ENODEV), ("mmap 0 1 file:d shared", errno.ENODEV),
    ("mmap 0 1 file:data/x", errno.ENOTDIR), (f"mmap 0 1 file:{'n' * 256}", errno.ENAMETOOLONG),
]  # fmt: skip


@pytest.mark.parametrize(("command", "number"), REFUSALS)
def test_refusals(tree: Tree, task: TaskHandle, command: str, number: int) -> None:
    tree.files.mkdir("d")
    tree.files["data"] = b"abc"
    with refused(number):
        task.ctl(command)
    assert (tree.files.listdir(), tree.files.listdir("d"), tree.files["data"]) == (["data", "d"], [], b"abc")
    assert task.dir.read("maps") == b""


def test_the_kernel_is_told_of_a_file_that_a_task_makes(tree: Tree, task: TaskHandle) -> None:
    came: list[tuple[int, bytes, int]] = []
    tree.fs.arrival_observers.append(lambda *event: came.append(event))
    task.ctl("write data 0 1")
    assert came == [(tree.fs.find(b".machine/files").ino, b"data", file_of(tree, "data").ino)]


@pytest.mark.skipif(os.geteuid() != 0, reason="the mounter may do everything, so it has to be somebody else")
def test_a_task_acts_as_its_maker(tree: Tree) -> None:
    """What open(2) would refuse the maker, ctl refuses the task."""
    mine, root = spawned(tree, 101, SOMEBODY), tree.spawn(102)
    theirs = spawned(tree, 103, OTHER)
    mine.ctl("write data 0 1")
    node = file_of(tree, "data")
    assert (node.uid, node.gid, oct(node.mode)) == (1000, 100, "0o100644")
    theirs.ctl("read data 0 1")
    theirs.ctl("mmap 0 1 file:data")
    for command in ("write data 0 1", "mmap 16 1 file:data shared"):
        with refused(errno.EACCES):
            theirs.ctl(command)
    node.mode = stat.S_IFREG | 0o460
    mine.ctl("read data 0 1")
    with refused(errno.EACCES):
        mine.ctl("write data 0 1")
    theirs.ctl("write data 0 1")  # as one of the group
    node.mode = stat.S_IFREG
    for command in ("read data 0 1", "fsync data", "fadvise data 0 1 normal", "mmap 32 1 file:data"):
        with refused(errno.EACCES):
            mine.ctl(command)
    root.ctl("write data 0 1")
    tree.files.mkdir("d")
    tree.files["d/x"] = b"abc"
    with refused(errno.EACCES):
        mine.ctl("write d/new 0 1")
    mine.ctl("read d/x 0 1")
    tree.fs.find(b".machine/files/d").mode = stat.S_IFDIR | 0o766
    with refused(errno.EACCES):
        mine.ctl("read d/x 0 1")


# maps.


def test_maps_shows_files(tree: Tree, task: TaskHandle) -> None:
    tree.files.mkdir("d")
    tree.files["d/x"] = b"a" * (4 * PAGE)
    task.mmap(0x10, 4, file="d/x", shared=True)
    task.ctl("mmap 0x20 2 file:d/x")
    ino = file_of(tree, "d/x").ino

    def lines(path: str) -> list[str]:
        return [
            f"00010000-00014000 rw-s 00000000 08:01 {ino} ".ljust(73) + path,
            f"00020000-00022000 rw-p 00000000 08:01 {ino} ".ljust(73) + path,
        ]

    def shown() -> list[str]:
        return task.dir.read("maps").decode().splitlines()

    assert shown() == lines("/d/x")
    tree.files.rename("d", "e")
    assert shown() == lines("/e/x")
    tree.files.rename("e/x", "new\nline")
    assert shown() == lines("/new\\012line")
    tree.files.unlink("new\nline")
    assert shown() == lines("/new\\012line (deleted)")
    with refused(errno.EEXIST):
        task.mmap(0x11, 1)


def test_maps_shows_a_file_without_a_name(tree: Tree, task: TaskHandle) -> None:
    file = tree.machine.create_file()
    task.task.mmap(0, 1, file=file)
    file.put()
    assert task.dir.read("maps") == b"00000000-00001000 rw-p 00000000 08:01 0 \n"


def test_by_name_in_python(tree: Tree, task: TaskHandle) -> None:
    """Names that ctl cannot say."""
    tree.files["two words"] = b"abc"
    task.mmap(0, 1, file="two words")
    assert task.dir.read("maps").endswith(b" /two words\n")
    task.mmap(16, 1)
    for name, number in (("none", errno.ENOENT), ("", errno.EINVAL), ("/two words", errno.EINVAL)):
        with refused(number):
            task.mmap(32, 1, file=name)


# One page cache for all doors.


def test_a_task_and_a_program_see_the_same_bytes(tree: Tree, task: TaskHandle) -> None:
    tree.files["data"] = b"a" * PAGE + b"b" * 100
    task.mmap(0, 2, file="data", shared=True)
    task.mmap(16, 2, file="data")
    assert task.task.read_mem(PAGE - 1, 3) == task.task.read_mem(17 * PAGE - 1, 3) == b"abb"
    task.task.write_mem(PAGE, b"shared")
    task.task.write_mem(16 * PAGE, b"private")
    assert tree.files["data"] == b"a" * PAGE + b"shared" + b"b" * 94
    assert task.task.read_mem(16 * PAGE, 8) == b"privatea"
    tree.files.write("data", PAGE, b"SH")
    assert task.task.read_mem(PAGE, 6) == b"SHared"


def test_bytes_come_back_from_the_disk() -> None:
    """Files of four times the memory: most of each had to be written out and read again."""
    tree = Tree(ram="4M", swap=0, files="64M")
    written = {f"f{number}": bytes([number, 255 - number]) * (1 << 20) for number in range(8)}
    for name, content in written.items():
        tree.files[name] = content
    assert {name: tree.files[name] for name in reversed(written)} == written
    tree.files.rename("f0", "f1")
    tree.files.truncate("f2", 100_001)
    tree.spawn(100).ctl("sync")
    assert tree.files["f1"] == written["f0"]
    assert tree.files["f2"] == written["f2"][:100_001]
    tree.machine.check()


def test_beyond_the_end_of_a_mapped_file(tree: Tree, task: TaskHandle) -> None:
    """SIGBUS: the task dies of it."""
    tree.files["data"] = b"x" * (2 * PAGE)
    task.ctl("mmap 0 4 file:data shared")
    task.ctl("touch 0 2 r")
    tree.files.truncate("data", PAGE)
    with refused(errno.EFAULT):
        task.ctl("touch 0 4 r")
    assert (task.status["State"], task.status["Touched"]) == ("Z (zombie)", "1 of 4")
    assert "bus error" in str(task.status["Died"])
    assert tree.files["data"] == b"x" * PAGE


def test_an_unlinked_file_lives_while_it_is_mapped(tree: Tree, task: TaskHandle) -> None:
    tree.files["data"] = b"abc"
    task.mmap(0, 1, file="data", shared=True)
    free = tree.machine.statfs().nr_files_free
    tree.files.unlink("data")
    tree.files["data"] = b"other"
    assert (task.task.read_mem(0, 3), tree.machine.statfs().nr_files_free) == (b"abc", free - 1)
    child = task.fork(101)
    task.ctl("exit")
    assert (child.task.read_mem(0, 3), tree.machine.statfs().nr_files_free) == (b"abc", free - 1)
    child.ctl("munmap 0 1")
    assert tree.machine.statfs().nr_files_free == free


# In memory.


def test_shm_is_a_tmpfs(tree: Tree, task: TaskHandle) -> None:
    """Its files take memory, and no disk; they are named with shm: in front in a ctl."""
    shm = tree.fs.find(b".machine/shm")
    assert oct(shm.mode) == "0o41777"
    free = tree.statfs().nr_free
    task.ctl("write shm:q 0 8")
    node = tree.fs.find(b".machine/shm/q")
    assert isinstance(node, DataFile)
    assert (node.attributes().size, node.attributes().nr_blocks, tree.statfs().nr_free) == (8 * PAGE, 64, free)
    assert "Shmem:                32 kB" in str(tree.root[".machine/meminfo"])
    with pytest.raises(NoSuchFile):
        tree.fs.find(b".machine/files/q")
    task.ctl("mmap 16 8 file:shm:q shared")
    assert task.touch(16, 8).minor == 8
    assert task.dir.read("maps").endswith(b" /dev/shm/q\n")
    task.ctl("fadvise shm:q 0 0 random")
    task.ctl("fsync shm:q")
    tree.fs.unlink(shm.ino, b"q")
    assert b" /dev/shm/q (deleted)\n" in task.dir.read("maps")
    assert "Shmem:                32 kB" in str(tree.root[".machine/meminfo"])
    task.ctl("munmap 16 8")
    assert "Shmem:                 0 kB" in str(tree.root[".machine/meminfo"])


def test_who_writes_to_shm_pays_and_reads_of_holes_are_free(tree: Tree) -> None:
    a = tree.mkdir("a")
    task = tree.spawn(100, a)
    task.ctl("write shm:q 6 2")
    assert (a["memory.usage"], str(a["memory.stat"]).splitlines()[0]) == (2, f"cache {2 * PAGE}")
    task.ctl("read shm:q 0 8")
    assert a["memory.usage"] == 2
    task.reap()
    assert a["memory.usage"] == 2
    tree.fs.unlink(tree.fs.find(b".machine/shm").ino, b"q")
    assert a["memory.usage"] == 0


def test_a_file_moves_from_shm_to_the_disk_by_copying_only(tree: Tree, task: TaskHandle) -> None:
    task.ctl("write shm:q 0 1")
    shm, files = tree.fs.find(b".machine/shm").ino, tree.fs.find(b".machine/files").ino
    with refused(errno.EXDEV), tree.request("q"):
        tree.fs.rename(shm, b"q", files, b"q")
