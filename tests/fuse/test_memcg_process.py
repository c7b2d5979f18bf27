"""examples/memcg_process, the stand-in for the Linux Test Project's helper: a process whose memory is a simulated task's."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from .conftest import Mounted, in_front

MEMCG_PROCESS = Path(__file__).parents[2] / "examples/memcg_process"
PAGE = 4096


@pytest.fixture
def tree(mount: Callable[..., Mounted]) -> Mounted:
    tree = mount("dialect=2008,ram=64M,swap=64M")
    (tree / "box").mkdir()
    return tree


def until(holds: Callable[[], bool]) -> bool:
    end = time.monotonic() + 10
    while not holds() and time.monotonic() < end:
        time.sleep(0.01)
    return holds()


@contextmanager
def helper(tree: Mounted, *options: str) -> Iterator[subprocess.Popen[str]]:
    """One that is ready, and a member of `box`."""
    with subprocess.Popen([MEMCG_PROCESS, *options], cwd=tree.path, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert until((tree / f".machine/tasks/{process.pid}").exists)
            (tree / "box/tasks").write_text(str(process.pid))
            yield process
        finally:
            process.kill()


def usage(tree: Mounted) -> int:
    return int((tree / "box/memory.usage_in_bytes").read_text())


def toggle(tree: Mounted, process: subprocess.Popen[str], npages: int) -> None:
    process.send_signal(signal.SIGUSR1)
    assert until(lambda: usage(tree) == npages * PAGE), usage(tree)


@pytest.mark.parametrize("kind", ["--mmap-anon", "--mmap-file", "--mmap-shared", "--mmap-lock1", "--mmap-lock2", "--shm"])
def test_memory_is_charged_to_the_group_and_given_back(tree: Mounted, kind: str) -> None:
    with helper(tree, kind, "-s", str(20 * PAGE - 1), "-k", "3") as process:
        assert usage(tree) == 0
        toggle(tree, process, 20)
        toggle(tree, process, 0)
        toggle(tree, process, 20)
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
        assert usage(tree) == 0
        assert list((tree / ".machine/tasks").iterdir()) == []


def test_kinds_add_up(tree: Mounted) -> None:
    with helper(tree, "--mmap-anon", "--mmap-file", "--shm", "-s", str(600 * PAGE)) as process:
        toggle(tree, process, 1800)
        stat = dict(line.split() for line in (tree / "box/memory.stat").read_text().splitlines())
        assert (stat["rss"], stat["cache"]) == (str(600 * PAGE), str(1200 * PAGE))
        toggle(tree, process, 0)


@pytest.mark.parametrize("kind", ["--mmap-lock1", "--mmap-lock2"])
def test_a_killed_task_takes_its_process_along(tree: Mounted, kind: str) -> None:
    (tree / "box/memory.limit_in_bytes").write_text(f"{10 * PAGE}")
    with helper(tree, kind, "-s", str(20 * PAGE)) as process:
        process.send_signal(signal.SIGUSR1)
        assert process.wait(10) == -signal.SIGKILL
        assert "Died:\tout of memory" in (tree / f".machine/tasks/{process.pid}/status").read_text()


def test_also_one_that_was_idle_meanwhile(tree: Mounted) -> None:
    (tree / "box/memory.limit_in_bytes").write_text(f"{30 * PAGE}")
    with helper(tree, "--mmap-lock1", "-s", str(20 * PAGE)) as process:
        toggle(tree, process, 20)
        tree.shell("mkdir .machine/tasks/101; echo 101 > box/tasks; echo mmap 0 15 anon locked > .machine/tasks/101/ctl")
        assert process.wait(10) == -signal.SIGKILL


def test_what_comes_while_it_is_busy_is_counted(mount: Callable[..., Mounted], tmp_path: Path) -> None:
    """A test warms it up with two signals at once, as soon as it says that it is ready."""
    tree = mount("dialect=v1,kmem=off,ram=64M,swap=64M")
    (tree / "box").mkdir()
    wake = tmp_path / "tst_checkpoint"
    wake.write_text("#!/bin/sh\nsleep 0.5\n")
    wake.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "LTP_IPC_PATH": str(tmp_path)}
    with subprocess.Popen([MEMCG_PROCESS, "--mmap-anon", "-s", str(20 * PAGE)], cwd=tree.path, env=environment) as process:
        assert until((tree / f".machine/tasks/{process.pid}").exists)
        (tree / "box/tasks").write_text(str(process.pid))
        time.sleep(0.1)
        process.send_signal(signal.SIGUSR1)
        time.sleep(0.05)
        process.send_signal(signal.SIGUSR1)
        time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
    assert (tree / "box/memory.max_usage_in_bytes").read_text() == f"{20 * PAGE}\n"
    assert usage(tree) == 0


def test_locked_pages_are_unevictable(mount: Callable[..., Mounted]) -> None:
    """Also the last ones, which fill no batch of 31."""
    tree = mount("dialect=v1,ram=64M,swap=64M")
    (tree / "box").mkdir()
    with helper(tree, "--mmap-lock1", "-s", str(65 * PAGE)) as process:
        process.send_signal(signal.SIGUSR1)
        assert until(lambda: f"\nunevictable {65 * PAGE}\n" in (tree / "box/memory.stat").read_text())


def test_it_is_in_the_place_of_its_process(tree: Mounted) -> None:
    """It may be put into a group before it has a task."""
    script = f'echo $$ > box/tasks; cd /; exec env MEMCGFS_ROOT="$OLDPWD" {MEMCG_PROCESS} --mmap-anon -s {7 * PAGE}'
    with subprocess.Popen(["bash", "-c", script], cwd=tree.path, text=True) as process:
        try:
            assert until((tree / f".machine/tasks/{process.pid}").exists)
            toggle(tree, process, 7)
            process.send_signal(signal.SIGINT)
            assert process.wait(10) == 0
        finally:
            process.kill()


def test_a_word_that_it_does_not_know_is_refused(tree: Mounted) -> None:
    for words in (["--mmap"], ["-s", "1K"], ["--hugepage", "-s", "4096"]):
        ended = subprocess.run([MEMCG_PROCESS, *words], cwd=tree.path, capture_output=True, timeout=10, check=False)
        assert ended.returncode in (1, 2), words


def test_a_tree_whose_daemon_is_dead_is_refused(directory: Path) -> None:
    with in_front(directory) as daemon:
        daemon.kill()
        daemon.wait()
        environment = {**os.environ, "MEMCGFS_ROOT": str(directory)}
        ended = subprocess.run([MEMCG_PROCESS, "-s", "1"], env=environment, cwd="/", capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (1, f"memcg_process: no memcgfs is mounted at {directory}\n")
