"""Processes of this computer as members: attached by pid, listed, in the way of rmdir, gone when they exit."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .conftest import SOMEBODY, Mounted


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process
        process.kill()


def attach(tasks: Path, pid: int) -> None:
    tasks.write_text(f"{pid}\n")


def test_a_shell_attaches_itself(tree: Mounted) -> None:
    pid, listed = tree.tell("mkdir a; echo $$ >a/tasks; echo $$; cat a/tasks").split()
    assert pid == listed
    pid, listed = tree.tell("mkdir b; echo 0 >b/tasks; echo $$; cat b/tasks").split()
    assert pid == listed


def test_a_member_keeps_its_container(tree: Mounted, sleeper: subprocess.Popen[bytes]) -> None:
    (tree / "a").mkdir()
    attach(tree / "a/tasks", sleeper.pid)
    assert tree.refusal("rmdir a") == "Device or resource busy"
    sleeper.kill()
    sleeper.wait()
    # Whoever has seen the exit finds it done.
    assert (tree / "a/tasks").read_text() == ""
    (tree / "a").rmdir()


def test_a_member_that_is_a_zombie_is_gone(tree: Mounted, sleeper: subprocess.Popen[bytes]) -> None:
    (tree / "a").mkdir()
    attach(tree / "a/tasks", sleeper.pid)
    sleeper.kill()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)
    assert (tree / "a/tasks").read_text() == ""
    with pytest.raises(ProcessLookupError):
        attach(tree / "a/tasks", sleeper.pid)


def test_the_top_lets_go(tree: Mounted, sleeper: subprocess.Popen[bytes]) -> None:
    (tree / "a").mkdir()
    attach(tree / "a/tasks", sleeper.pid)
    assert (tree / "tasks").read_text() == ""
    attach(tree / "tasks", sleeper.pid)
    assert (tree / "a/tasks").read_text() == ""
    (tree / "a").rmdir()


def test_a_thread_is_a_task_of_its_own(tree: Mounted) -> None:
    (tree / "a").mkdir()
    attached, leave = threading.Event(), threading.Event()

    def member() -> None:
        attach(tree / "a/tasks", 0)
        attached.set()
        leave.wait()

    thread = threading.Thread(target=member)
    thread.start()
    attached.wait()
    assert (tree / "a/tasks").read_text() == f"{thread.native_id}\n"
    assert thread.native_id != os.getpid()
    leave.set()
    thread.join()
    until = time.monotonic() + 5
    # Python's join comes back a moment before the kernel's thread has ended.
    while (tree / "a/tasks").read_text() and time.monotonic() < until:
        time.sleep(0.01)
    (tree / "a").rmdir()


def test_a_simulated_task_shadows_its_process(tree: Mounted, sleeper: subprocess.Popen[bytes]) -> None:
    """Made under the pid of a member it starts in that container, and ends with the process."""
    (tree / "a").mkdir()
    attach(tree / "a/tasks", sleeper.pid)
    task = tree / f".machine/tasks/{sleeper.pid}"
    task.mkdir()
    (task / "ctl").write_text("touch 0 5")
    assert (tree / "a/memory.usage").read_text() == "5\n"
    sleeper.kill()
    sleeper.wait()
    assert (tree / "a/memory.usage").read_text() == "0\n"
    assert "State:\tZ" in (task / "status").read_text()
    task.rmdir()


def out_of_memory(tree: Mounted, pid: int, uid: int = 0) -> None:
    """A task under that pid, made by `uid`, is killed by the OOM killer."""
    tree.tell(f"mkdir .machine/tasks/{pid}", uid=uid)
    tree.tell(f"mkdir -p a; echo 4 >a/memory.limit; echo {pid} >a/tasks")
    assert tree.refusal(f"echo touch 0 9 >.machine/tasks/{pid}/ctl", uid=uid) == "Cannot allocate memory"
    assert "State:\tZ" in (tree / f".machine/tasks/{pid}/status").read_text()


@pytest.mark.fact("H4")
def test_a_process_is_killed_with_its_task_where_the_mounter_wants_that(
    mount: Callable[..., Mounted], sleeper: subprocess.Popen[bytes]
) -> None:
    tree = mount("ram=64M,swap=0,host_kill=on")
    out_of_memory(tree, sleeper.pid)
    assert sleeper.wait(timeout=10) == -signal.SIGKILL


@pytest.mark.fact("H4")
def test_as_a_rule_nobody_is_killed(mount: Callable[..., Mounted], sleeper: subprocess.Popen[bytes]) -> None:
    tree = mount("ram=64M,swap=0")
    out_of_memory(tree, sleeper.pid)
    with pytest.raises(subprocess.TimeoutExpired):
        sleeper.wait(timeout=0.3)


def test_nor_is_one_whose_task_ends_otherwise(mount: Callable[..., Mounted], sleeper: subprocess.Popen[bytes]) -> None:
    tree = mount("ram=64M,swap=0,host_kill=on")
    tree.tell(f"mkdir .machine/tasks/{sleeper.pid}; echo exit >.machine/tasks/{sleeper.pid}/ctl")
    with pytest.raises(subprocess.TimeoutExpired):
        sleeper.wait(timeout=0.3)


@pytest.mark.skipif(os.geteuid() != 0, reason="becoming another user takes root")
def test_nobody_has_somebody_else_s_process_killed(mount: Callable[..., Mounted], sleeper: subprocess.Popen[bytes]) -> None:
    """Anybody may make a task under the pid of a process of root's."""
    tree = mount("ram=64M,swap=0,host_kill=on")
    out_of_memory(tree, sleeper.pid, uid=SOMEBODY)
    with pytest.raises(subprocess.TimeoutExpired):
        sleeper.wait(timeout=0.3)


def test_who_was_killed_by_another_pays_with_its_process(mount: Callable[..., Mounted], sleeper: subprocess.Popen[bytes]) -> None:
    """The largest task is the victim, whoever asked for the page."""
    tree = mount("ram=64M,swap=0,host_kill=on,dialect=2008")
    tree.tell(f"mkdir a .machine/tasks/{sleeper.pid} .machine/tasks/9; echo 40k >a/memory.limit_in_bytes")
    tree.tell(f"echo {sleeper.pid} >a/tasks; echo 9 >a/tasks; echo touch 0 8 >.machine/tasks/{sleeper.pid}/ctl")
    tree.shell("echo touch 0 4 >.machine/tasks/9/ctl")
    assert sleeper.wait(timeout=10) == -signal.SIGKILL


def test_host_tasks_off(mount: Callable[..., Mounted], sleeper: subprocess.Popen[bytes]) -> None:
    tree = mount("ram=64M,host_tasks=off")
    (tree / "a").mkdir()
    with pytest.raises(ProcessLookupError):
        attach(tree / "a/tasks", sleeper.pid)


def test_the_release_agent_is_run(mount: Callable[..., Mounted], tmp_path: Path) -> None:
    """When the last member exits, even if nobody asks the tree anything: with the kernel's argument and environment."""
    told, agent = tmp_path / "told", tmp_path / "agent"
    agent.write_text(f"#!/bin/sh\n{{ echo \"$# $1\"; env; pwd; }} >{told}.new\nmv {told}.new {told}\n")
    agent.chmod(0o755)
    tree = mount(f"ram=64M,release_agent={agent}")
    assert tree.tell("cat release_agent") == f"{agent}\n"
    tree.tell("mkdir -p a/b; echo 1 >a/b/notify_on_release; sh -c 'echo $$ >a/b/tasks'")
    until = time.monotonic() + 10
    while not told.exists() and time.monotonic() < until:
        time.sleep(0.02)
    lines = told.read_text().splitlines()
    assert lines[0] == "1 /a/b"
    # The shell that runs the agent adds PWD itself.
    assert sorted(line for line in lines[1:-1] if not line.startswith(("PWD=", "_=", "SHLVL=", "OLDPWD="))) == [
        "HOME=/", "PATH=/sbin:/bin:/usr/sbin:/usr/bin",
    ]  # fmt: skip
    assert lines[-1] == "/"


def test_an_agent_that_was_not_allowed_is_not_run(mount: Callable[..., Mounted], tmp_path: Path) -> None:
    told, agent = tmp_path / "told", tmp_path / "agent"
    agent.write_text(f"#!/bin/sh\n>{told}\n")
    agent.chmod(0o755)
    tree = mount("ram=64M")
    tree.tell(f"echo {agent} >release_agent; mkdir a; echo 1 >a/notify_on_release; sh -c 'echo $$ >a/tasks'")
    assert tree.tell("cat release_agent a/tasks a/releasable") == f"{agent}\n1\n"
    time.sleep(0.2)
    assert not told.exists()
