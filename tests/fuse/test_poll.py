"""poll(2), select(2) and epoll(7) on a real mount: what they say, and who is woken."""

from __future__ import annotations

import os
import select
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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
