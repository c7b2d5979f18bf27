"""`ctl`: every command, every wrong spelling."""

from __future__ import annotations

import errno

import pytest

from memcgfs.handles import TaskHandle
from memcgfs.machinefs.ctl import COMMANDS
from memcgfs.tree import Tree
from tests.refusal import refused

TASK_PAGES = {"x86_64": 1 << 35, "i386": 3 << 18}


def test_reading_it_prints_the_commands(task: TaskHandle) -> None:
    lines = task.dir.read("ctl").decode().splitlines()
    assert [line.split()[0] for line in lines] == [
        "touch", "race", "mmap", "munmap", "madvise", "mlock", "munlock", "read", "write", "fadvise", "fsync", "sync",
        "fork", "thread", "exec", "exit", "lookup", "setuid", "nice", "node", "block", "unblock", "hold", "drop", "swapon",
        "swapoff", "run",
    ]  # fmt: skip
    assert all(command.does in line for command, line in zip(COMMANDS, lines, strict=True))


def resident(task: TaskHandle) -> int:
    kb = task.status["VmRSS"]
    assert isinstance(kb, int)
    return kb // 4


@pytest.mark.parametrize(
    ("command", "nr_charged"),
    [
        ("touch 0 10", 10), ("touch 0 10 w", 10), ("touch 0 10 r", 0), ("touch 0 10\n", 10), ("touch 0x10 0xA", 10),
        ("touch  5  1", 1), ("touch 010 010", 10), (f"touch {(1 << 35) - 1} 1", 1),
    ],
)  # fmt: skip
def test_touch(tree: Tree, command: str, nr_charged: int) -> None:
    a = tree.mkdir("a")
    task = tree.spawn(100, a)
    task.ctl(command)
    npages = task.status["Touched"]
    assert isinstance(npages, str)
    done, _, of = npages.split()
    assert done == of
    assert a["memory.usage"] == nr_charged


def test_touch_says_how_far_it_came(tree: Tree) -> None:
    """The first session of the machine: ten pages fit, the eleventh does not, and there is no swap."""
    small = Tree(ram="64M", swap=0)
    a = small.mkdir("a")
    a["memory.limit"] = 10
    task = small.spawn(100, a)
    task.ctl("touch 0 10 w")
    assert (a["memory.usage"], a["memory.failcnt"]) == (10, 0)
    with refused(errno.ENOMEM):
        task.ctl("touch 7 4 w")
    assert (a["memory.usage"], a["memory.failcnt"], a["tasks"]) == (0, 6, "")
    status = task.status
    assert (status["State"], status["Touched"]) == ("Z (zombie)", "3 of 4")
    assert "memory" in str(status["Died"])
    assert "VmRSS" not in status
    assert small.machine.clock_ns >= 500_000_000
    assert "100" in str(small.root[".machine/log"])
    small.machine.check()


WRONG = [
    "", "\n", " ", "touch", "touch 0", "touch 0 1 x", "touch 0 1 r w", "touch 0 1 r r", "touch -1 1", "touch 0 -1",
    "touch 0 1\n\n", "touch 0 1\ntouch 1 1", "touch 0 1\n ", "touch\t0 1", "touch 0 1\0", "touch 0 1.5", "touch 0 1k",
    "touch 0 \u0663", "touch 0 0x", "touch 0 1e3", "Touch 0 1", "touch0 1", "touch 0 " + "9" * 30,
    "touch 0 " + "9" * 3000, "touch 0 18446744073709551616",
    "mmap 0 1", "mmap 0 1 anonymous", "mmap 0 1 anon private", "mmap 0 1 anon shared shared",
    "mmap 0 1 file:",
    "munmap 0", "munmap 0 1 2", "madvise 0 1", "madvise 0 1 soon", "mlock 0", "munlock",
    "fork", "fork 1", "fork 0", "fork -1", "fork x", "fork 4194304", "fork 007", "exec now", "exit 1", "setuid",
    "setuid -1", "setuid root", "nice", "nice five", "nice --1", "node", "node -1", "node 1", "node one",
    "block", "block 11", "block -1", "block 0 soon", "block 0 noio nofs", "unblock", "unblock 0", "unblock 11",
    "run", "run 1.5s", "run -1s", "run 1h",
    "lookup", "lookup -1", "lookup x", "lookup 1 2", "reclaim", "#touch 0 1",
    "read", "read data", "read data 0", "read data 0 1 2", "read data -1 1", "read data 0 x", "write data 0", "write",
    "write data 0 -1", "fadvise data 0 1", "fadvise data 0 1 often", "fadvise data 0 1 NORMAL", "fsync", "fsync data 0",
    "sync data", "sync 0", "write /data 0 1", "write . 0 1", "write .. 0 1", "write ./data 0 1", "write d//data 0 1",
    "write d/../data 0 1", "write data/ 0 1", "read /data 0 1", "fsync ../files/data", "mmap 0 1 file:/data",
    "mmap 0 1 file:../ctl shared", "mmap 0 1 file:data private", "mmap 0 1 data",
    "read shm: 0 1", "write shm:/data 0 1", "write shm:../data 0 1", "fsync shm:",
    "thread", "thread 1", "thread x", "race", "race 0 1 101", "race 0 1 101 0", "race 0 1 100 0 1", "race 0 1 1 0 1", "race 0 1 101 0 1 w",
]  # fmt: skip


@pytest.mark.parametrize("command", WRONG)
def test_anything_else_is_no_command(tree: Tree, task: TaskHandle, command: str) -> None:
    task.touch(0, 2)
    before = task.dir.read("status"), task.dir.read("maps"), tree.machine.clock_ns
    with refused(errno.EINVAL):
        task.ctl(command)
    assert (task.dir.read("status"), task.dir.read("maps"), tree.machine.clock_ns) == before
    assert list(tree.machine.tasks) == [100]


@pytest.mark.parametrize("nbytes", [4096, 1 << 20])
def test_a_command_is_shorter_than_a_path(task: TaskHandle, nbytes: int) -> None:
    with refused(errno.E2BIG):
        task.ctl("touch 0 1".ljust(nbytes))
    task.ctl("touch 0 1".ljust(4095))
    assert resident(task) == 1


@pytest.mark.parametrize("arch", TASK_PAGES)
@pytest.mark.parametrize(
    "verb", ["touch {}", "mmap {} anon", "munmap {}", "madvise {} dontneed", "mlock {}", "munlock {}"]
)
def test_beyond_the_address_space(arch: str, verb: str) -> None:
    tree = Tree(ram="8M", swap="8M", arch=arch)
    task = tree.spawn(100)
    end = TASK_PAGES[arch]
    for start, npages in ((end, 1), (end - 1, 2), (0, 1 << 60), (1 << 63, 1 << 63), ((1 << 64) - 1, 2)):
        with refused(errno.EINVAL):
            task.ctl(verb.format(f"{start} {npages}"))
    assert task.status["VmSize"] == 0
    tree.machine.check()


def test_mmap_and_munmap(task: TaskHandle) -> None:
    task.ctl("mmap 16 4 anon")
    task.ctl("mmap 32 2 anon locked")
    assert task.dir.read("maps").decode().splitlines() == [
        "00010000-00014000 rw-p 00000000 00:00 0 ",
        "00020000-00022000 rw-p 00000000 00:00 0 ",
    ]
    assert (task.status["VmSize"], task.status["VmLck"], task.status["VmRSS"]) == (24, 8, 8)
    with refused(errno.EEXIST):
        task.ctl("mmap 19 1 anon")
    for options in ("", " shared", " shared locked"):
        with refused(errno.ENOENT):
            task.ctl("mmap 64 1 file:nothing" + options)
    task.ctl("munmap 17 1")
    assert [line.split()[0] for line in task.dir.read("maps").decode().splitlines()] == [
        "00010000-00011000", "00012000-00014000", "00020000-00022000",
    ]  # fmt: skip


def test_madvise_drops_pages(task: TaskHandle) -> None:
    task.touch(0, 8)
    task.ctl("madvise 2 4 dontneed")
    assert (resident(task), task.status["VmSize"]) == (4, 32)


def test_mlock_and_munlock(task: TaskHandle) -> None:
    task.ctl("mmap 0 8 anon")
    task.ctl("mlock 0 4")
    assert (resident(task), task.status["VmLck"]) == (4, 16)
    task.ctl("munlock 0 3")
    assert (resident(task), task.status["VmLck"]) == (4, 4)


def test_fork_and_exec(tree: Tree, task: TaskHandle) -> None:
    task.touch(0, 8)
    child = task.fork(101)
    assert (resident(child), child.status["PPid"]) == (8, 100)
    with refused(errno.EEXIST):
        task.ctl("fork 101")
    with refused(errno.EEXIST):
        task.ctl("fork 100")
    child.ctl("exec")
    assert (resident(child), resident(task)) == (0, 8)


def test_a_thread_shares_its_leaders_memory(tree: Tree, task: TaskHandle) -> None:
    """It moves alone (M4), and goes without taking the memory along."""
    a = tree.mkdir("a")
    task.touch(0, 8)
    task.ctl("thread 101")
    thread = tree.root[".machine/tasks/101/status"]
    assert "Tgid:\t100\nPid:\t101\n" in str(thread)
    assert "\nThreads:\t2\n" in str(thread)
    a["tasks"] = 101
    tree.root[".machine/tasks/101/ctl"] = "touch 8 4"
    assert (resident(task), a["memory.usage"], a["tasks"]) == (12, 0, 101)
    assert str(tree.root[".machine/tasks/100/stat"]).split()[19] == "2"
    with refused(errno.EEXIST):
        task.ctl("thread 101")
    tree.root[".machine/tasks/101/ctl"] = "exit"
    assert (resident(task), task.status["Threads"], a["tasks"]) == (12, 1, "")


def test_a_race_lets_another_run_while_this_one_waits(tree: Tree) -> None:
    """Both copy a page that they share, at the limit of their container, without swap to go to: each is refused six times, in one time."""
    tree = Tree(ram="8M", swap=0, dialect="2008")
    a = tree.mkdir("a")
    a["memory.limit_in_bytes"] = "4K"
    task = tree.spawn(100, a)
    task.touch(0, 1)
    child = task.fork(101)
    with refused(errno.ENOMEM):
        task.ctl("race 0 1 101 0 1")
    assert (task.status["State"], child.status["State"], a["memory.failcnt"]) == ("Z (zombie)", "Z (zombie)", 12)
    tree.machine.check()


def test_a_race_needs_another_living_task_of_the_same_maker(tree: Tree, task: TaskHandle) -> None:
    other = tree.spawn(101)
    task.ctl("race 0 2 101 4 3")
    assert (resident(task), resident(other)) == (2, 3)
    other.ctl("exit")
    for pid in (101, 102):
        with refused(errno.ESRCH):
            task.ctl(f"race 0 1 {pid} 0 1")


def test_lookup_leaves_negative_dentries_that_nobody_is_charged_for(tree: Tree) -> None:
    a = tree.mkdir("a")
    task = tree.spawn(100, a)
    task.ctl("lookup 20")
    assert "\ndentry                20     38    208   19    1 :" in str(tree.root[".machine/slabinfo"])
    assert (a["memory.usage"], task.status["VmRSS"]) == (0, 0)


def test_so_many_names_at_a_time(task: TaskHandle, tree: Tree) -> None:
    with refused(errno.EINVAL):
        task.ctl(f"lookup {(1 << 20) + 1}")
    assert tree.machine.slabs()[0].nr_objects == 0


def test_setuid_and_nice(task: TaskHandle) -> None:
    assert task.status["Uid"] == "1000\t1000\t1000\t1000"
    task.ctl("setuid 0")
    assert task.status["Uid"] == "0\t0\t0\t0"
    with refused(errno.EINVAL):
        task.ctl(f"setuid {2**32 - 1}")
    for nice, kept in (("5", 5), ("-3", -3), ("99", 19), ("-99", -20)):
        task.ctl(f"nice {nice}")
        assert task.task.nice == kept


@pytest.mark.parametrize(("time", "ns"), [("100ms", 10**8), ("2s", 2 * 10**9), ("3us", 3000), ("4ns", 4), ("5", 5)])
def test_run_computes(tree: Tree, task: TaskHandle, time: str, ns: int) -> None:
    task.ctl(f"run {time}")
    assert (tree.machine.clock_ns, task.task.utime_ns, task.status["Stall"]) == (ns, ns, 0)


@pytest.mark.parametrize("command", ["touch 0 1", "exec", "exit", "fork 101", "nonsense", "", "run 1s", "nice 1"])
def test_nothing_tells_a_zombie_anything(tree: Tree, task: TaskHandle, command: str) -> None:
    task.ctl("exit")
    with refused(errno.ESRCH):
        task.ctl(command)
    assert list(tree.machine.tasks) == [100]
