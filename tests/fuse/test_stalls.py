"""`timescale`: callers feel the simulated clock, others do not, and a signal ends the wait."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable

import pytest
import trio
import trio.testing

from memcgfs.fuse.stalls import feel_stall

from .conftest import Mounted


async def test_a_stall_takes_its_time(autojump_clock: trio.abc.Clock) -> None:
    started = trio.current_time()
    await feel_stall(2.5e9, os.getpid())
    assert trio.current_time() - started == pytest.approx(2.5)


async def test_whoever_is_gone_waits_for_nothing(autojump_clock: trio.abc.Clock) -> None:
    started = trio.current_time()
    await feel_stall(2.5e9, 1 << 30)
    assert trio.current_time() == started


async def test_a_pending_signal_ends_it(autojump_clock: trio.abc.Clock) -> None:
    """Blocked or ignored signals do not count."""
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    try:
        signal.raise_signal(signal.SIGUSR1)
        started = trio.current_time()
        await feel_stall(1e9, os.getpid())
        assert trio.current_time() - started == pytest.approx(1)
    finally:
        signal.sigtimedwait([signal.SIGUSR1], 0)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def test_a_caller_feels_its_stall_and_others_go_on(mount: Callable[..., Mounted]) -> None:
    tree = mount("ram=64M,swap=0,timescale=1")
    started = time.monotonic()
    with subprocess.Popen(["bash", "-c", "echo +1s >.machine/clock"], cwd=tree.path) as waiting:
        time.sleep(0.2)
        assert tree.tell("cat memory.usage; mkdir a") == "0\n"
        assert time.monotonic() - started < 0.9
        assert waiting.poll() is None
        assert waiting.wait() == 0
    assert time.monotonic() - started >= 1


def test_a_caller_can_be_killed(mount: Callable[..., Mounted]) -> None:
    tree = mount("ram=64M,swap=0,timescale=1")
    with subprocess.Popen(["bash", "-c", "echo +60s >.machine/clock"], cwd=tree.path) as waiting:
        time.sleep(0.2)
        started = time.monotonic()
        waiting.kill()
        waiting.wait()
    assert time.monotonic() - started < 5
    assert int(tree.tell("cat .machine/clock")) == 60 * 10**9


def test_no_timescale_no_wait(tree: Mounted) -> None:
    started = time.monotonic()
    tree.tell("echo +60s >.machine/clock")
    assert time.monotonic() - started < 5
