"""The stand-in for trio inside pyfuse3: a lock and a wait that keep trio's promises."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from typing import Any

import pyfuse3
import pytest
import trio
import trio.testing

from memcgfs.fuse import eager


@pytest.fixture
def enabled() -> Iterator[Any]:
    assert eager.enable()
    yield vars(pyfuse3)["trio"]
    eager.disable()


async def test_the_lock_is_exclusive_and_fair() -> None:
    lock = eager.Lock()
    order: list[tuple[str, int]] = []

    async def hold(number: int) -> None:
        async with lock:
            order.append(("in", number))
            await trio.testing.wait_all_tasks_blocked()
            order.append(("out", number))

    async with trio.open_nursery() as nursery:
        for number in range(3):
            nursery.start_soon(hold, number)
            await trio.testing.wait_all_tasks_blocked()
    numbers = [number for _, number in order]
    assert order == [(way, number) for number in numbers[::2] for way in ("in", "out")]
    assert sorted(numbers[::2]) == [0, 1, 2]


async def test_a_free_lock_does_not_schedule() -> None:
    with trio.testing.assert_no_checkpoints():
        async with eager.Lock():
            pass


async def test_what_is_readable_is_not_waited_for() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.send(b"request")
        readiness = eager.Readiness()
        with trio.testing.assert_no_checkpoints():
            await readiness.wait_readable(ours.fileno())


async def test_what_is_not_readable_is_waited_for_through_trio() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        readiness = eager.Readiness()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(readiness.wait_readable, ours.fileno())
            await trio.testing.wait_all_tasks_blocked()
            theirs.send(b"request")


async def test_others_get_their_turn_while_requests_keep_coming() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.send(b"request")  # nobody takes it, so there is always one
        readiness = eager.Readiness()
        turns = 0

        async def other() -> None:
            nonlocal turns
            while True:
                turns += 1
                await trio.lowlevel.checkpoint()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(other)
            for _ in range(10 * eager.TURN):
                await readiness.wait_readable(ours.fileno())
            nursery.cancel_scope.cancel()
    assert turns >= 9  # ten were given; the first only starts it


async def test_closing_ends_the_wait(enabled: Any) -> None:
    """What pyfuse3.terminate() relies on."""
    ours, theirs = socket.socketpair()
    with ours, theirs:

        async def wait() -> None:
            with pytest.raises(trio.ClosedResourceError):
                await enabled.lowlevel.wait_readable(ours.fileno())

        async with trio.open_nursery() as nursery:
            nursery.start_soon(wait)
            await trio.testing.wait_all_tasks_blocked()
            enabled.lowlevel.notify_closing(ours.fileno())


def test_pyfuse3_finds_in_it_all_that_it_asks_for(enabled: Any) -> None:
    """What the tried versions look up; another version is another list."""
    assert pyfuse3.__version__.startswith(eager.TRIED_VERSIONS)
    for name in ("Lock", "ClosedResourceError", "open_nursery"):
        assert hasattr(enabled, name)
    for name in ("wait_readable", "notify_closing", "current_task", "current_trio_token"):
        assert hasattr(enabled.lowlevel, name)


@pytest.mark.parametrize("version", ["3.4.0", "4.0.0"])
def test_another_version_keeps_trio(monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    monkeypatch.setattr(pyfuse3, "__version__", version)
    assert not eager.enable()
    assert vars(pyfuse3)["trio"] is trio


def test_no_descriptor_is_left(enabled: Any) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(10):
        eager.Readiness()
    assert len(os.listdir("/proc/self/fd")) == before
