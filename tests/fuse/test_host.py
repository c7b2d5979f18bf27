"""The process table: who a pid is, and that every exit is told exactly once."""

from __future__ import annotations

import errno
import os
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import trio

from memcgfs.fuse.host import Host


@pytest.fixture
def told() -> list[int]:
    return []


@pytest.fixture
def host(told: list[int]) -> Iterator[Host]:
    before = len(os.listdir("/proc/self/fd"))
    table = Host(told.append, lambda births: None)
    yield table
    table.close()
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "60"]) as process:
        yield process
        process.kill()


def test_find(host: Host) -> None:
    found = host.find(os.getpid())
    assert found is not None
    assert (found.tid, found.tgid, found.uid, found.suid) == (os.getpid(), os.getpid(), *os.getresuid()[::2])
    assert found.alive()


def test_a_thread_knows_its_process(host: Host) -> None:
    leave = threading.Event()
    thread = threading.Thread(target=leave.wait)
    thread.start()
    assert thread.native_id is not None
    found = host.find(thread.native_id)
    assert found is not None
    assert (found.tid, found.tgid) == (thread.native_id, os.getpid())
    leave.set()
    thread.join()


@pytest.mark.parametrize("pid", [0, -1, 1 << 30])
def test_nobody(host: Host, pid: int) -> None:
    assert host.find(pid) is None


def test_a_name_may_hold_anything(host: Host, tmp_path: Path) -> None:
    program = tmp_path / "a) R (b"
    program.symlink_to("/bin/sleep")
    with subprocess.Popen([program, "60"]) as process:
        found = host.find(process.pid)
        assert found is not None
        assert found.alive()
        process.kill()


def test_an_exit_is_told_once(host: Host, told: list[int], sleeper: subprocess.Popen[bytes]) -> None:
    found = host.find(sleeper.pid)
    assert found is not None
    host.watch(found)
    host.watch(found)
    host.catch_up()
    assert told == []
    sleeper.kill()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)
    zombie = host.find(sleeper.pid)
    assert zombie == found
    assert not zombie.alive()
    host.catch_up()
    host.catch_up()
    assert told == [sleeper.pid]
    assert not found.alive()


def test_an_exit_between_find_and_watch_is_told_too(
    host: Host, told: list[int], sleeper: subprocess.Popen[bytes]
) -> None:
    found = host.find(sleeper.pid)
    assert found is not None
    sleeper.kill()
    sleeper.wait()
    host.watch(found)
    host.catch_up()
    assert told == [sleeper.pid]


def test_without_a_descriptor_an_exit_is_found_by_who_asks(
    host: Host, told: list[int], sleeper: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def no_descriptor(pid: int, flags: int = 0) -> int:
        raise OSError(errno.EMFILE, "none is left")

    found = host.find(sleeper.pid)
    assert found is not None
    with monkeypatch.context() as patched:
        patched.setattr(os, "pidfd_open", no_descriptor)
        host.watch(found)
    assert "will not be noticed at once" in caplog.text
    sleeper.kill()
    sleeper.wait()
    host.catch_up()
    assert told == []
    assert not found.alive()


def test_what_is_not_watched_is_not_told(host: Host, told: list[int], sleeper: subprocess.Popen[bytes]) -> None:
    found = host.find(sleeper.pid)
    assert found is not None
    host.watch(found)
    host.unwatch(found)
    host.unwatch(found)
    sleeper.kill()
    sleeper.wait()
    host.catch_up()
    assert told == []


def test_a_pid_that_is_used_again_is_somebody_else(host: Host, sleeper: subprocess.Popen[bytes]) -> None:
    found = host.find(sleeper.pid)
    assert found is not None
    earlier = replace(found, start_ticks=found.start_ticks - 1)
    assert earlier != found
    assert not earlier.alive()


async def test_exits_are_told_while_no_request_comes(
    host: Host, told: list[int], sleeper: subprocess.Popen[bytes]
) -> None:
    """Forks of others may be heard of first."""
    settled = trio.Event()
    found = host.find(sleeper.pid)
    assert found is not None
    host.watch(found)
    with trio.fail_after(5):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(host.watch_exits, lambda: settled.set() if told else None)
            sleeper.kill()
            await settled.wait()
            nursery.cancel_scope.cancel()
    assert told == [sleeper.pid]


async def test_a_bug_at_an_exit_ends_nothing(host: Host, told: list[int], caplog: pytest.LogCaptureFixture) -> None:
    settled = trio.Event()
    outcomes = iter([KeyError("injected"), None])

    def settle() -> None:
        if (bug := next(outcomes)) is not None:
            raise bug
        settled.set()

    with trio.fail_after(5):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(host.watch_exits, settle)
            for _ in range(2):
                with subprocess.Popen(["sleep", "60"]) as process:
                    found = host.find(process.pid)
                    assert found is not None
                    host.watch(found)
                    process.kill()
                while len(told) == 0:
                    await trio.sleep(0.01)
            await settled.wait()
            nursery.cancel_scope.cancel()
    assert "KeyError: 'injected'" in caplog.text


def test_an_agent_leaves_no_zombie(host: Host, tmp_path: Path) -> None:
    told = tmp_path / "told"
    agent = tmp_path / "agent"
    agent.write_text(f'#!/bin/sh\necho "$@" >{told}\n')
    agent.chmod(0o755)
    host.run_release_agent(str(agent), "/a/b")
    children = Path(f"/proc/self/task/{threading.get_native_id()}/children")
    while (running := children.read_text().split()) and (found := host.find(int(running[-1]))) and found.alive():
        pass
    host.catch_up()
    assert told.read_text() == "/a/b\n"
    assert not set(running) & set(children.read_text().split())


def test_an_agent_that_does_not_exist(host: Host, caplog: pytest.LogCaptureFixture) -> None:
    host.run_release_agent("/nonexistent", "/a")
    assert "release agent: [Errno 2] No such file or directory: '/nonexistent'" in caplog.text
