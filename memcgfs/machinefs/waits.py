"""A task that waits for memory, to whoever drives it: a request that is under way, and takes until there is some."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..kernfs import StillRunning, WouldBlock
from ..mm import TaskWaits, WaitsForMemory


@contextmanager
def may_wait() -> Iterator[None]:
    """Within, a task does something.  If it comes to wait, that is still running; if it waits already, it can do nothing else yet."""
    try:
        yield
    except WaitsForMemory as waits:
        operation = waits.operation

        def outcome() -> Any:
            with may_wait():
                return operation.outcome()

        raise StillRunning(str(waits), outcome, operation.give_up) from None
    except TaskWaits as waits:
        raise WouldBlock(str(waits)) from None
