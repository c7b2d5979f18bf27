"""`tasks`, `cgroup.procs` and what else today's framework has, in process: threads, zombies, who may, numbers, inheritance, the agent."""

from __future__ import annotations

import errno
from contextlib import nullcontext

import pytest

from memcgfs.handles import Dir
from memcgfs.kernfs import Caller
from memcgfs.tree import Tree
from tests.refusal import refused

from .conftest import FakeHost, MakeTree

AGENT = "/sbin/agent"


@pytest.fixture
def tree(make_tree: MakeTree) -> Tree:
    return make_tree(dialect="v1", release_agent=AGENT)


@pytest.fixture
def host(tree: Tree) -> FakeHost:
    """900 writes; 500 has the threads 501 and 502."""
    host = FakeHost()
    host.add(900, uid=0)
    host.add(500)
    host.clone(500, 501)
    host.clone(500, 502)
    tree.set_host(host)
    return host


def write_as(tree: Tree, caller: Caller, path: str, text: bytes, error: int = 0) -> None:
    handle = tree.fs.open(tree.fs.find(path.encode()).ino, 1, caller)
    with refused(error) if error else nullcontext(), tree.request(path):
        assert tree.fs.write(handle, 0, text) == len(text)
    tree.fs.release(handle)


def lines(directory: Dir, file: str = "tasks") -> list[int]:
    return [int(line) for line in directory.read(file).splitlines()]


ROOT = Caller(900, 0, 0)
FILES = ("tasks", "cgroup.procs")

WRITTEN: list[tuple[bytes, int, bool]] = [
    # what is written by 900, the errno, is it 900 that moves
    (b"0", 0, True),
    (b" 0\n\n", 0, True),
    (b"+900", 0, True),
    (b"\t900\r\n", 0, True),
    (b"0x384\n", 0, True),
    (b"01604", 0, True),
    (b"900\0garbage", 0, True),
    (b"-0", 0, True),
    (b"900".rjust(4096), 0, True),
    (b"", 0, False),
    (b"\n", errno.EINVAL, False),
    (b" ", errno.EINVAL, False),
    (b"\0", errno.EINVAL, False),
    (b"abc", errno.EINVAL, False),
    (b"900 901", errno.EINVAL, False),
    (b"900,901", errno.EINVAL, False),
    (b"900\n901", errno.EINVAL, False),
    (b"-900", errno.EINVAL, False),
    (b"09", errno.EINVAL, False),
    (b"2147483648", errno.EINVAL, False),
    (b"4294968196", errno.EINVAL, False),  # 2**32 + 900
    (b"1" * 40, errno.EINVAL, False),
    (b"2147483647", errno.ESRCH, False),
    (b"901", errno.ESRCH, False),
    (b"900".rjust(4097), errno.E2BIG, False),
]


@pytest.mark.usefixtures("host")
@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize(("text", "error", "moves"), WRITTEN)
def test_written(tree: Tree, file: str, text: bytes, error: int, moves: bool) -> None:
    a = tree.mkdir("a")
    if text:
        write_as(tree, ROOT, f"a/{file}", text, error)
    assert lines(a) == lines(a, "cgroup.procs") == ([900] if moves else [])


@pytest.mark.usefixtures("host")
def test_a_thread_or_a_process(tree: Tree) -> None:
    a, b = tree.mkdir("a"), tree.mkdir("b")
    a["tasks"] = 501
    assert (lines(a), lines(a, "cgroup.procs")) == ([501], [500])
    b["cgroup.procs"] = 502
    assert (lines(a), lines(b), lines(b, "cgroup.procs")) == ([], [500, 501, 502], [500])
    a["tasks"] = 500
    assert (lines(a), lines(b)) == ([500], [501, 502])
    assert lines(a, "cgroup.procs") == lines(b, "cgroup.procs") == [500]
    a["cgroup.procs"] = 501
    assert (lines(a), lines(b)) == ([500, 501, 502], [])


@pytest.mark.fact("H1")
def test_threads_of_simulated_tasks(tree: Tree) -> None:
    a, b = tree.mkdir("a"), tree.mkdir("b")
    leader = tree.spawn(100, a)
    leader.ctl("thread 101")
    b["tasks"] = 101
    assert (lines(a), lines(b), lines(b, "cgroup.procs")) == ([100], [101], [100])
    b["cgroup.procs"] = 101
    assert (lines(a), lines(b)) == ([], [100, 101])
    leader.touch(0, 3)
    assert int(b["memory.usage_in_bytes"]) >= 3 * 4096


def test_children_of_all_threads_stay_behind(tree: Tree, host: FakeHost) -> None:
    a, b = tree.mkdir("a"), tree.mkdir("b")
    host.fork(501, 510)
    a["cgroup.procs"] = 500
    host.fork(502, 511)
    b["cgroup.procs"] = 500
    host.fork(502, 512)
    assert (lines(a), lines(b)) == ([511], [500, 501, 502, 512])


@pytest.mark.fact("H3")
@pytest.mark.parametrize("file", FILES)
def test_a_zombie_may_be_moved_and_is_nowhere(tree: Tree, host: FakeHost, file: str) -> None:
    a = tree.mkdir("a")
    host.add(600).is_zombie = True
    tree.spawn(100).ctl("exit")
    a[file] = 600
    a[file] = 100
    assert (lines(a), lines(a, "cgroup.procs")) == ([], [])
    host.processes[600].running = False
    with refused(errno.ESRCH):
        a[file] = 600
    a.rmdir()


def test_threads_outlive_the_first(tree: Tree, host: FakeHost) -> None:
    """Its number names the process all the same."""
    a = tree.mkdir("a")
    host.processes[500].is_zombie = True
    a["cgroup.procs"] = 500
    assert (lines(a), lines(a, "cgroup.procs")) == ([501, 502], [500])
    with refused(errno.EBUSY):
        a.rmdir()


@pytest.mark.fact("H3")
@pytest.mark.parametrize("file", FILES)
def test_a_bound_thread_of_the_kernel(tree: Tree, host: FakeHost, file: str) -> None:
    a = tree.mkdir("a")
    host.add(2, uid=0).is_bound = True
    with refused(errno.EINVAL):
        a[file] = 2


@pytest.mark.fact("H3")
@pytest.mark.parametrize("file", FILES)
def test_who_may(tree: Tree, host: FakeHost, file: str) -> None:
    """Whose file it is does not matter: the thread has to be the writer's."""
    a = tree.mkdir("a")
    host.add(600, uid=1000, suid=1001)
    for uid, error in ((1002, errno.EACCES), (1000, 0), (1001, 0)):
        tree.root["tasks"] = 600
        write_as(tree, Caller(901, uid, uid), f"a/{file}", b"600", error)
        assert lines(a) == ([] if error else [600])
    # The number 0 is no way round it.
    write_as(tree, Caller(900, 1000, 1000), f"a/{file}", b"0", errno.EACCES)


FLAGS = ("notify_on_release", "cgroup.clone_children")


@pytest.mark.parametrize("file", FLAGS)
def test_flags_are_any_number_and_inherited(tree: Tree, file: str) -> None:
    a = tree.mkdir("a")
    assert a.read(file) == b"0\n"
    for text, shown in (("1", 1), ("0", 0), ("+0x10\n", 1), ("00", 0), ("18446744073709551615", 1)):
        a[file] = text
        assert a[file] == shown
    assert a.mkdir("b")[file] == 1
    for text, error in ((" 1", errno.EINVAL), ("1 ", errno.EINVAL), ("1\n\n", errno.EINVAL), ("-1", errno.EINVAL),
                        ("08", errno.EINVAL), ("1" * 40, errno.ERANGE)):  # fmt: skip
        with refused(error):
            a[file] = text
    assert a[file] == 1


def test_files_of_the_top(tree: Tree) -> None:
    assert tree.root.read("cgroup.sane_behavior") == b"0\n"
    assert tree.root.read("release_agent") == f"{AGENT}\n".encode()
    write_as(tree, Caller(901, 1000, 1000), "release_agent", b"/bin/other", errno.EPERM)
    tree.root["release_agent"] = "  /bin/other \n"
    assert tree.root.read("release_agent") == b"/bin/other\n"
    a = tree.mkdir("a")
    for file in ("cgroup.sane_behavior", "release_agent"):
        with refused(errno.ENOENT):
            a.read(file)


def test_the_agent_is_told_once_whatever_is_charged(tree: Tree, host: FakeHost) -> None:
    """A page that outlives its task keeps nobody from being told, nor tells anybody when it goes."""
    a = tree.mkdir("a")
    a["notify_on_release"] = 1
    task = tree.spawn(100, a)
    task.ctl("write f 0 4")
    task.ctl("exit")
    assert host.agents == [(AGENT, "/a")]
    assert int(a["memory.usage_in_bytes"]) >= 4 * 4096
    tree.files["f"] = b""
    assert host.agents == [(AGENT, "/a")]
    host.add(600)
    a["tasks"] = 600
    host.exit(600)
    tree.host_exited(600)
    tree.settle()
    assert host.agents == [(AGENT, "/a")] * 2


def test_the_agent_hears_of_moves_kills_and_children(tree: Tree, host: FakeHost) -> None:
    tree.root["notify_on_release"] = 1
    a = tree.mkdir("a")
    b = a.mkdir("b")
    assert b["notify_on_release"] == 1
    host.add(600)
    b["tasks"] = 600
    b["notify_on_release"] = 1  # nobody is told of what is set
    assert host.agents == []
    tree.root["tasks"] = 600
    assert host.agents == [(AGENT, "/a/b")]
    b.rmdir()
    assert host.agents[1:] == [(AGENT, "/a")]
    c = tree.mkdir("c")
    task = tree.spawn(100, c)
    c["memory.limit_in_bytes"] = 64 << 10
    c["memory.memsw.limit_in_bytes"] = 64 << 10
    with refused(errno.ENOMEM):
        task.touch(0, 100)
    assert host.agents[2:] == [(AGENT, "/c")]
