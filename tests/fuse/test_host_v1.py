"""`tasks` and `cgroup.procs` of today, with real threads, processes, zombies and threads of the kernel."""

from __future__ import annotations

import errno
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.refusal import refused

from .conftest import SOMEBODY, Mounted
from .test_kin import Process, eventually, process, state, tasks, told_of_forks

__all__ = ["process", "told_of_forks"]
FILES = pytest.mark.parametrize("file", ["tasks", "cgroup.procs"])


@pytest.fixture
def tree(mount: Callable[..., Mounted]) -> Mounted:
    return mount("dialect=v1,ram=64M,swap=64M")


@pytest.fixture
def a(tree: Mounted) -> Path:
    group = tree / "a"
    group.mkdir()
    return group


@pytest.fixture
def zombie() -> Iterator[int]:
    with subprocess.Popen(["true"]) as ended:
        os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
        yield ended.pid


def procs(group: Path) -> list[int]:
    return [int(line) for line in (group / "cgroup.procs").read_text().splitlines()]


def kernel_thread(comm: str) -> int:
    for name in os.listdir("/proc"):
        try:
            if name.isdecimal() and Path(f"/proc/{name}/comm").read_text().strip() == comm:
                return int(name)
        except OSError:
            continue
    pytest.skip(f"no {comm} is seen here")


def test_a_thread_moves_alone_and_a_process_as_a_whole(tree: Mounted, a: Path, process: Process) -> None:
    b = tree / "b"
    b.mkdir()
    first, second = process.tell("thread"), process.tell("thread")
    (a / "tasks").write_text(str(second))
    assert (tasks(a), procs(a)) == ([second], [process.pid])
    (b / "cgroup.procs").write_text(str(first))
    assert (tasks(a), tasks(b), procs(b)) == ([], sorted([process.pid, first, second]), [process.pid])
    third = process.tell("thread")
    assert tasks(b) == sorted([process.pid, first, second, third])
    lines = (tree / ".machine/host_tasks").read_text().splitlines()
    assert lines == [f"{tid} {process.pid} /b" for tid in sorted([process.pid, first, second, third])]
    with pytest.raises(OSError, match="busy"):
        b.rmdir()
    process.end()
    assert (tasks(b), procs(b)) == ([], [])
    b.rmdir()


@FILES
def test_the_writer_itself(tree: Mounted, a: Path, file: str) -> None:
    found: list[tuple[int, list[int], list[int]]] = []

    def writer() -> None:
        (a / file).write_text("0\n")
        found.append((threading.get_native_id(), tasks(a), procs(a)))
        # Nobody of this process may stay behind.
        (tree / "cgroup.procs").write_text(f"{os.getpid()}")

    thread = threading.Thread(target=writer)
    thread.start()
    thread.join()
    ((tid, in_tasks, in_procs),) = found
    assert in_procs == [os.getpid()]
    assert in_tasks == [tid] if file == "tasks" else {tid, os.getpid()} <= set(in_tasks)
    eventually(lambda: tasks(a), [])


@FILES
def test_a_zombie_is_moved_and_nowhere(a: Path, zombie: int, file: str) -> None:
    (a / file).write_text(f"{zombie}\n")
    assert (tasks(a), procs(a)) == ([], [])
    a.rmdir()


@FILES
@pytest.mark.parametrize("comm", ["kthreadd", "ksoftirqd/0"])
def test_threads_of_the_kernel_stay(a: Path, file: str, comm: str) -> None:
    with refused(errno.EINVAL):
        (a / file).write_text(str(kernel_thread(comm)))


@FILES
def test_a_simulated_task_with_the_number_of_such_a_thread_goes(tree: Mounted, a: Path, file: str) -> None:
    pid = kernel_thread("ksoftirqd/0")
    tree.tell(f"mkdir .machine/tasks/{pid}; echo {pid} >a/{file}")
    assert tasks(a) == [pid]


@pytest.mark.skipif(os.geteuid() != 0, reason="becoming another user takes root")
@FILES
def test_the_file_s_owner_needs_the_process_too(tree: Mounted, a: Path, process: Process, file: str) -> None:
    for path in (a, a / file):
        os.chown(path, SOMEBODY, SOMEBODY)
    assert tree.refusal(f"echo {process.pid} >a/{file}", uid=SOMEBODY) == "Permission denied"
    assert tasks(a) == []
    shell, *listed = tree.tell(f"echo $$; echo 0 >a/{file}; read -r line <a/{file}; echo $line", uid=SOMEBODY).split()
    assert listed == [shell]
    assert tree.refusal(f"echo 1073741824 >a/{file}", uid=SOMEBODY) == "No such process"


def test_a_number_that_was_reaped(a: Path) -> None:
    with subprocess.Popen(["true"]) as ended:
        pass
    for file in ("tasks", "cgroup.procs"):
        with pytest.raises(ProcessLookupError):
            (a / file).write_text(str(ended.pid))


def test_a_shadow_is_one_of_its_process(tree: Mounted, a: Path, process: Process) -> None:
    """The simulated task is the first thread; the others are the host's."""
    thread = process.tell("thread")
    task = tree / f".machine/tasks/{process.pid}"
    task.mkdir()
    (a / "cgroup.procs").write_text(str(thread))
    assert (tasks(a), procs(a)) == (sorted([process.pid, thread]), [process.pid])
    (task / "ctl").write_text("touch 0 3")
    assert int((a / "memory.usage_in_bytes").read_text()) >= 3 * 4096
    process.end()
    assert tasks(a) == []
    task.rmdir()
    a.rmdir()


@pytest.mark.usefixtures("told_of_forks")
def test_the_agent_waits_for_the_last_descendant(
    mount: Callable[..., Mounted], process: Process, tmp_path: Path
) -> None:
    told, agent = tmp_path / "told", tmp_path / "agent"
    agent.write_text(f"#!/bin/sh\necho \"$1\" >>{told}\n")
    agent.chmod(0o755)
    tree = mount(f"dialect=v1,ram=64M,release_agent={agent}")
    a = tree / "a"
    a.mkdir()
    (a / "notify_on_release").write_text("1")
    (a / "b").mkdir()
    (a / "b/cgroup.procs").write_text(str(process.pid))
    child = process.tell("fork session,fork,leave")
    eventually(lambda: state(child), "Z")
    process.end()
    eventually(lambda: len(tasks(a / "b")), 1)
    assert not told.exists()
    (daemon,) = tasks(a / "b")
    os.kill(daemon, 9)
    eventually(lambda: told.read_text() if told.exists() else "", "/a/b\n")
    (a / "b").rmdir()
    eventually(told.read_text, "/a/b\n/a\n")
