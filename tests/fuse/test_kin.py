"""Whom a member makes is a member: children, their children, threads; found when somebody looks, by real processes on a real mount."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from memcgfs.fuse.births import Births

from .conftest import Mounted

FAMILY = """
import os, sys, threading, time
children = []
def thread():
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
def fork(then=""):
    child = os.fork()
    if not child:
        for word in then.split(","):
            WORDS[word]() if word else None
        time.sleep(60)
        os._exit(0)
    children.append(child)
    return child
def leave():
    os._exit(0)
WORDS = {"fork": fork, "thread": thread, "leave": leave, "session": os.setsid}
for line in sys.stdin:
    word, _, rest = line.strip().partition(" ")
    if word == "fork":
        print(fork(rest), flush=True)
    elif word == "thread":
        thread(); print(max(map(int, os.listdir("/proc/self/task"))), flush=True)
    elif word == "kill":
        os.kill(int(rest), 9); os.waitid(os.P_PID, int(rest), os.WEXITED | os.WNOWAIT); print(0, flush=True)
    elif word == "write":
        path, _, text = rest.partition(" ")
        child = os.fork()
        if not child:
            open(path, "w").write(text); os._exit(0)
        os.waitpid(child, 0); print(0, flush=True)
"""


class Process:
    """A process of ours that does what it is told, and tells whom it made."""

    def __init__(self) -> None:
        self.popen = subprocess.Popen([sys.executable, "-c", FAMILY], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.made: list[int] = []

    @property
    def pid(self) -> int:
        return self.popen.pid

    def tell(self, line: str) -> int:
        assert self.popen.stdin is not None
        assert self.popen.stdout is not None
        self.popen.stdin.write(line + "\n")
        self.popen.stdin.flush()
        answer = int(self.popen.stdout.readline())
        if line.startswith("fork"):
            self.made.append(answer)
        return answer

    def end(self) -> None:
        self.popen.kill()
        with self.popen:
            pass


@pytest.fixture
def process() -> Iterator[Process]:
    """And all its descendants are gone when the test is over."""
    ours = Process()
    yield ours
    family = [ours.pid, *ours.made, *descendants(ours.pid), *(each for made in ours.made for each in descendants(made))]
    ours.end()
    for pid in family:
        if is_ours(pid):
            os.kill(pid, 9)


def is_ours(pid: int) -> bool:
    try:
        return FAMILY.encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0]


def descendants(pid: int) -> list[int]:
    try:
        children = [int(each) for thread in os.listdir(f"/proc/{pid}/task")
                    for each in Path(f"/proc/{pid}/task/{thread}/children").read_text().split()]  # fmt: skip
    except OSError:
        return []
    return children + [each for child in children for each in descendants(child)]


def attach(tasks: Path, pid: int) -> None:
    tasks.write_text(f"{pid}\n")


def tasks(group: Path) -> list[int]:
    return [int(line) for line in (group / "tasks").read_text().splitlines()]


def eventually(asked: Callable[[], object], wanted: object) -> None:
    until = time.monotonic() + 5
    while (found := asked()) != wanted and time.monotonic() < until:
        time.sleep(0.02)
    assert found == wanted


@pytest.fixture
def told_of_forks() -> None:
    births = Births()
    if births.listen() is None:
        pytest.skip("the kernel tells nobody here of forks")
    made = subprocess.Popen(["true"])
    made.wait()
    told = births.take()
    births.stop()
    if made.pid not in [child for _, child in told]:
        pytest.skip("the kernel tells nobody here of forks")


@pytest.fixture
def a(tree: Mounted) -> Path:
    group = tree / "a"
    group.mkdir()
    return group


def test_a_shell_lists_what_it_started(tree: Mounted) -> None:
    shell, *listed = tree.tell("mkdir a; echo $$ >a/tasks; sleep 0.1 & echo $$; echo $!; cat a/tasks; wait").split()
    sleep, *members = listed
    assert members[:2] == [shell, sleep]
    assert len(members) == 3  # and cat
    assert tree.tell("cat a/tasks; rmdir a") == ""


@pytest.mark.fact("H2")
def test_children_of_a_member_are_members(a: Path, process: Process) -> None:
    attach(a / "tasks", process.pid)
    children = [process.tell("fork"), process.tell("fork")]
    assert tasks(a) == sorted([process.pid, *children])
    with pytest.raises(OSError, match="busy"):
        a.rmdir()
    process.end()
    assert tasks(a) == sorted(children)


def test_so_are_their_children(a: Path, process: Process) -> None:
    attach(a / "tasks", process.pid)
    child = process.tell("fork fork,fork")
    eventually(lambda: len(descendants(child)), 2)
    assert tasks(a) == sorted([process.pid, *descendants(process.pid)])


def test_who_was_made_before_stays_behind(a: Path, process: Process) -> None:
    earlier = process.tell("fork")
    attach(a / "tasks", process.pid)
    later = process.tell("fork")
    assert tasks(a) == sorted([process.pid, later])
    attach(a / "tasks", earlier)
    assert tasks(a) == sorted([process.pid, earlier, later])


def test_who_was_made_in_one_container_stays_there(tree: Mounted, a: Path, process: Process) -> None:
    b = tree / "b"
    b.mkdir()
    attach(a / "tasks", process.pid)
    child = process.tell("fork")
    attach(b / "tasks", process.pid)
    assert (tasks(a), tasks(b)) == ([child], [process.pid])
    attach(tree / "tasks", process.pid)
    another = process.tell("fork")
    assert (tasks(a), tasks(b), tasks(tree.path)) == ([child], [], [process.pid])
    # It never was anywhere but in the top; and so it can come from there.
    attach(b / "tasks", another)
    b_listed = tasks(b)
    assert b_listed == [another]


@pytest.mark.fact("H2")
def test_a_zombie_is_in_nobody_s_way(a: Path, process: Process) -> None:
    attach(a / "tasks", process.pid)
    child = process.tell("fork")
    assert child in tasks(a)
    process.tell(f"kill {child}")
    assert tasks(a) == [process.pid]
    unseen = process.tell("fork")
    process.tell(f"kill {unseen}")
    assert tasks(a) == [process.pid]
    process.end()
    a.rmdir()


def test_a_new_thread_is_a_member_and_an_old_one_is_not(a: Path, process: Process) -> None:
    old = process.tell("thread")
    attach(a / "tasks", process.pid)
    new = process.tell("thread")
    assert tasks(a) == [process.pid, new]
    attach(a / "tasks", old)
    assert tasks(a) == sorted([process.pid, old, new])


def test_a_thread_that_moved_alone_takes_nobody_along(tree: Mounted, a: Path, process: Process) -> None:
    thread = process.tell("thread")
    attach(a / "tasks", thread)
    process.tell("thread")
    child = process.tell("fork")
    assert tasks(a) == [thread]
    assert child not in tasks(tree.path)


def test_the_child_of_a_thread_is_where_the_thread_is(tree: Mounted, a: Path) -> None:
    """The first thread of this process is in the top all the time."""
    attached, leave = threading.Event(), threading.Event()
    pids: list[int] = []

    def member() -> None:
        attach(a / "tasks", 0)
        with subprocess.Popen(["sleep", "60"]) as child:
            pids.extend((threading.get_native_id(), child.pid))
            attached.set()
            leave.wait()
            child.kill()

    thread = threading.Thread(target=member)
    thread.start()
    attached.wait()
    listed = tasks(a)
    leave.set()
    thread.join()
    assert listed == sorted(pids)
    eventually(lambda: tasks(a), [])


def test_a_child_pays_for_what_it_writes(tree: Mounted, a: Path, process: Process) -> None:
    """Nobody has looked since it was made: its own request is the look."""
    attach(a / "tasks", process.pid)
    process.tell(f"write {tree.path}/.machine/files/f {'x' * 3 * 4096}")
    assert (a / "memory.usage").read_text() == "3\n"


def test_a_task_under_the_pid_of_a_child_starts_where_that_is(tree: Mounted, a: Path, process: Process) -> None:
    attach(a / "tasks", process.pid)
    child = process.tell("fork")
    task = tree / f".machine/tasks/{child}"
    task.mkdir()
    assert (task / "cgroup").read_text() == "1:memory:/a\n"
    (task / "ctl").write_text("touch 0 2")
    assert (a / "memory.usage").read_text() == "2\n"
    grandchild = process.tell("fork")
    assert tasks(a) == sorted([process.pid, child, grandchild])
    task.rmdir()
    assert tasks(a) == sorted([process.pid, grandchild])


def test_the_child_of_one_that_a_task_stands_for(tree: Mounted, a: Path, process: Process) -> None:
    task = tree / f".machine/tasks/{process.pid}"
    task.mkdir()
    attach(a / "tasks", process.pid)
    child = process.tell("fork")
    assert tasks(a) == sorted([process.pid, child])
    (task / "ctl").write_text("exit")
    process.tell("fork")
    assert tasks(a) == [child]
    task.rmdir()


@pytest.mark.usefixtures("told_of_forks")
def test_an_orphan_that_nobody_saw_with_its_parent(a: Path, process: Process) -> None:
    attach(a / "tasks", process.pid)
    child = process.tell("fork fork,leave")
    eventually(lambda: state(child), "Z")
    (orphan,) = set(tasks(a)) - {process.pid}
    process.made.append(orphan)
    assert orphan not in descendants(process.pid)


@pytest.mark.usefixtures("told_of_forks")
def test_a_daemon_that_forks_twice(a: Path, process: Process) -> None:
    """And nobody looks until all but the last are gone."""
    attach(a / "tasks", process.pid)
    child = process.tell("fork session,fork,leave")
    eventually(lambda: state(child), "Z")
    process.end()
    (daemon,) = tasks(a)
    process.made.append(daemon)
    assert is_ours(daemon)
    with pytest.raises(OSError, match="busy"):
        a.rmdir()
    os.kill(daemon, 9)
    eventually(lambda: tasks(a), [])


def test_an_orphan_that_was_seen_stays(a: Path, process: Process) -> None:
    attach(a / "tasks", process.pid)
    child = process.tell("fork")
    assert child in tasks(a)
    process.end()
    assert tasks(a) == [child]


def test_a_look_costs_what_the_members_do(tree: Mounted, a: Path, process: Process) -> None:
    """A hundred processes that are no members, and one that is: a read takes as long as without them."""
    attach(a / "tasks", process.pid)
    tasks(a)

    def best_s() -> float:
        times = []
        for _ in range(30):
            started = time.perf_counter()
            tasks(a)
            times.append(time.perf_counter() - started)
        return min(times)

    alone_s = best_s()
    others = [subprocess.Popen(["sleep", "60"]) for _ in range(100)]
    try:
        assert best_s() < 2 * alone_s + 0.001
    finally:
        for other in others:
            other.kill()
            other.wait()
