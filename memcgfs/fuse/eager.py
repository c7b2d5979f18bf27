"""A stand-in for trio inside pyfuse3 that asks for the next request before it waits for one.

pyfuse3 takes a lock and waits for /dev/fuse through trio for each request: two passes through the scheduler and three
system calls, which is twice what a request of ours costs otherwise.  It looks both up as `pyfuse3.trio.Lock` and
`pyfuse3.trio.lowlevel.wait_readable`; its own `pyfuse3.asyncio.enable()` replaces the name `pyfuse3.trio`, and so do
we:

- `wait_readable` asks poll(2) first, for at most `PATIENCE_MS`, since the next request mostly follows the answer to the
  last one.  Only when none came does it wait through trio;
- `open_nursery` keeps how pyfuse3 starts a worker (a task that takes requests and answers them).  There is one, since
  handing over between two costs a third of the speed; whoever is about to wait in a request starts another, and of two
  that have nothing to do one ends;
- `Lock` does not pass through the scheduler unless it has to wait.

While requests keep coming, the other tasks (signals, exits of processes, release agents) get a turn at each
`TURN`-th, and they are delayed by PATIENCE_MS a request at the most.

This leans on names inside pyfuse3, so `enable` does nothing, and says so, with a version that was not tried.
"""

from __future__ import annotations

import select
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, Final

import pyfuse3
import trio

TRIED_VERSIONS: Final = ("3.5.",)
PATIENCE_MS: Final = 1
TURN: Final = 64
ONE_WORKER: Final = (0, -(1 << 30))
"""For pyfuse3.main: a worker ends if another one waits for requests, and none is started by itself."""


class _Done:
    """An awaitable that is done: nothing is scheduled, and no coroutine is made."""

    __slots__ = ()

    def __await__(self) -> Generator[None, None, None]:
        return _NOTHING


def _nothing() -> Generator[None, None, None]:
    yield from ()


_NOTHING = _nothing()
_DONE = _Done()


class Lock:
    """Mutual exclusion in order of arrival, as trio.Lock; the one that leaves hands over to the one that waits."""

    def __init__(self) -> None:
        self._held = False
        self._waiting = trio.lowlevel.ParkingLot()

    def __aenter__(self) -> Awaitable[None]:
        if self._held:
            return self._waiting.park()
        self._held = True
        return _DONE

    def __aexit__(self, *exc: object) -> Awaitable[None]:
        if not self._waiting.unpark():
            self._held = False
        return _DONE


class Readiness:
    """`wait_readable` for the one descriptor that pyfuse3 waits for."""

    def __init__(self) -> None:
        self._poll = select.poll()
        self._fd = -1
        self._until_turn = TURN

    def wait_readable(self, fd: int) -> Awaitable[None]:
        if fd != self._fd:
            self._poll.register(fd, select.POLLIN)
            self._fd = fd
        self._until_turn -= 1
        if self._until_turn and self._poll.poll(PATIENCE_MS):
            return _DONE
        self._until_turn = TURN
        return trio.lowlevel.wait_readable(fd)


class Workers:
    """pyfuse3's nursery, and a way to start one more of what it starts there."""

    def __init__(self) -> None:
        self._start: Callable[[], None] = lambda: None

    @asynccontextmanager
    async def open_nursery(self) -> AsyncIterator[Workers]:
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            yield self

    def start_soon(self, worker: Callable[..., Awaitable[Any]], *arguments: Any, name: str) -> None:
        self._start = lambda: self._nursery.start_soon(worker, *arguments, name=name)
        self._start()

    def start_another(self) -> None:
        self._start()


def enable() -> Workers | None:
    """Put the stand-in in trio's place for mounts made from now on; None if this pyfuse3 was not tried."""
    if not pyfuse3.__version__.startswith(TRIED_VERSIONS) or getattr(pyfuse3, "trio", None) is not trio:
        return None
    workers = Workers()
    stand_in = SimpleNamespace(
        Lock=Lock,
        ClosedResourceError=trio.ClosedResourceError,
        open_nursery=workers.open_nursery,
        lowlevel=SimpleNamespace(
            wait_readable=Readiness().wait_readable,
            notify_closing=trio.lowlevel.notify_closing,
            current_task=trio.lowlevel.current_task,
            current_trio_token=trio.lowlevel.current_trio_token,
        ),
    )
    setattr(pyfuse3, "trio", stand_in)  # noqa: B010  # not in pyfuse3's type hints
    return workers


def disable() -> None:
    """Give pyfuse3 trio itself back."""
    setattr(pyfuse3, "trio", trio)  # noqa: B010  # not in pyfuse3's type hints
