"""poll(2), select(2) and epoll(7) on a real mount: what they say, and who is woken."""

from __future__ import annotations

import os
import select
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from .conftest import Mounted

PIPE = ".machine/trace/trace_pipe"
ALL = select.POLLIN | select.POLLPRI | select.POLLOUT | select.POLLERR
READY = select.POLLIN | select.POLLOUT


@contextmanager
def opened(path: Path, flags: int = os.O_RDONLY) -> Iterator[int]:
    fd = os.open(path, flags)
    try:
        yield fd
    finally:
        os.close(fd)


def polled(fd: int, events: int = ALL, timeout_ms: int = 20) -> int:
    asking = select.poll()
    asking.register(fd, events)
    return sum(found for _, found in asking.poll(timeout_ms))


def test_files_of_old_kernels_are_always_ready(tree: Mounted) -> None:
    """Their cgroup filesystem had no poll of its own, so that the system's default answers: readable and writable."""
    tree.tell("mkdir .machine/tasks/101; echo hello >.machine/files/text")
    for name in ("memory.usage", "tasks", ".machine/meminfo", ".machine/tasks/101/ctl", ".machine/files/text"):
        with opened(tree / name) as fd:
            assert polled(fd) == READY, name
            os.read(fd, 4096)
            assert polled(fd) == READY, name
            assert polled(fd, select.POLLPRI) == 0
            assert [len(found) for found in select.select([fd], [fd], [fd], 0.02)] == [1, 1, 0]


def test_trace_pipe_is_readable_when_something_happened(tree: Mounted) -> None:
    tree.tell("echo memcg:charge >.machine/trace/set_event; mkdir .machine/tasks/101")
    with opened(tree / PIPE) as fd:
        assert polled(fd) == 0
        tree.tell("echo touch 0 1 >.machine/tasks/101/ctl")
        assert polled(fd) == select.POLLIN
        assert b": charge:" in os.read(fd, 4096)
        assert polled(fd) == 0


def test_who_waits_for_trace_pipe_is_woken(tree: Mounted) -> None:
    tree.tell("echo memcg:charge >.machine/trace/set_event; mkdir .machine/tasks/101")
    with opened(tree / PIPE) as fd:
        found: list[int] = []
        waiting = threading.Thread(target=lambda: found.append(polled(fd, select.POLLIN, 10_000)))
        started = time.monotonic()
        waiting.start()
        time.sleep(0.2)
        assert not found
        tree.tell("echo touch 0 1 >.machine/tasks/101/ctl")
        waiting.join(10)
        assert found == [select.POLLIN]
        assert time.monotonic() - started < 5


def test_epoll_waits_for_many(tree: Mounted) -> None:
    tree.tell("echo memcg:charge >.machine/trace/set_event; mkdir .machine/tasks/101")
    fds = [os.open(tree / PIPE, os.O_RDONLY) for _ in range(100)]
    with select.epoll() as asking:
        for fd in fds:
            asking.register(fd, select.EPOLLIN)
        assert asking.poll(0.05) == []
        tree.tell("echo touch 0 1 >.machine/tasks/101/ctl")
        assert {fd for fd, _ in asking.poll(5, 200)} == set(fds)
    for fd in fds:
        os.close(fd)


def test_who_waits_for_a_removed_group_is_woken(tree: Mounted) -> None:
    (tree / "a").mkdir()
    with opened(tree / "a/memory.usage") as fd:
        found: list[int] = []
        waiting = threading.Thread(target=lambda: found.append(polled(fd, select.POLLPRI, 10_000)))
        waiting.start()
        time.sleep(0.2)
        assert not found
        (tree / "a").rmdir()
        waiting.join(5)
        assert found == [select.POLLPRI | select.POLLERR]
        assert polled(fd) == ALL


# Today's cgroup files, which kernfs answers for.

V1 = "dialect=v1,ram=64M,swap=0"


def test_what_was_never_shown_has_changed(mount: Callable[..., Mounted]) -> None:
    tree = mount(V1)
    (tree / "a").mkdir()
    for name in os.listdir(tree / "a"):
        mode = (tree / "a" / name).stat().st_mode
        with opened(tree / "a" / name, os.O_RDONLY if mode & 0o400 else os.O_WRONLY) as fd:
            assert polled(fd) == ALL, name
            assert [len(found) for found in select.select([fd], [fd], [fd], 0.02)] == [1, 1, 1], name
            with select.epoll() as asking:
                asking.register(fd, ALL)
                assert asking.poll(0.02) == [(fd, ALL)], name


@pytest.mark.fact("E6")
def test_what_was_shown_has_not_changed_until_it_is_gone(mount: Callable[..., Mounted]) -> None:
    tree = mount(V1)
    (tree / "a").mkdir()
    names = ["memory.usage_in_bytes", "memory.limit_in_bytes", "memory.stat", "notify_on_release"]
    fds = {name: os.open(tree / "a" / name, os.O_RDONLY) for name in [*names, "memory.pressure_level", "tasks", "cgroup.procs"]}
    for name in names:
        assert os.read(fds[name], 4096)
        assert polled(fds[name]) == READY, name
    (tree / "a/memory.limit_in_bytes").write_text("1M")
    assert polled(fds["memory.limit_in_bytes"]) == READY
    with pytest.raises(OSError, match="Invalid"):
        os.read(fds["memory.pressure_level"], 4096)
    assert polled(fds["memory.pressure_level"]) == READY
    for name in ("tasks", "cgroup.procs"):
        assert os.read(fds[name], 4096) == b""
        assert polled(fds[name]) == ALL
    tree.tell("mkdir .machine/tasks/101; echo 101 >a/tasks")
    assert os.pread(fds["tasks"], 4096, 0) == b"101\n"
    assert polled(fds["tasks"]) == READY
    tree.tell("rmdir .machine/tasks/101 a")
    for name, fd in fds.items():
        assert polled(fd) == ALL, name
        os.close(fd)
    with opened(tree.path) as fd:
        assert polled(fd) == READY


def test_a_thousand_pollers_are_woken(mount: Callable[..., Mounted]) -> None:
    """Each with an open file of its own; one of them leaves before."""
    tree = mount(V1)
    (tree / "a").mkdir()
    fds = [os.open(tree / "a/memory.usage_in_bytes", os.O_RDONLY) for _ in range(1000)]
    with select.epoll() as asking:
        for fd in fds:
            os.read(fd, 100)
            asking.register(fd, select.EPOLLPRI)
        assert asking.poll(0.05) == []
        os.close(fds.pop())
        (tree / "a").rmdir()
        found: set[int] = set()
        until = time.monotonic() + 10
        while len(found) < len(fds) and time.monotonic() < until:
            found |= {fd for fd, _ in asking.poll(1, 2000)}
        assert found == set(fds)
    for fd in fds:
        os.close(fd)
