"""`timescale`: callers feel the simulated clock, others do not, and a signal ends the wait. It ends long reclaim for a limit, too."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
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


INTERRUPTED_WRITE = """
import ctypes, os, signal, sys
signal.signal(signal.SIGALRM, lambda *_: None)
fd = os.open(sys.argv[1], os.O_WRONLY)
libc = ctypes.CDLL(None, use_errno=True)  # os.write would write again
signal.setitimer(signal.ITIMER_REAL, 0.05)  # reclaim takes four times as long, or more
print(libc.write(fd, b"64K", 3), ctypes.get_errno())
"""


@pytest.mark.parametrize("file", ["memory.limit_in_bytes", "memory.force_empty"])
def test_a_signal_ends_reclaim_for_its_writer(mount: Callable[..., Mounted], file: str) -> None:
    """mem_cgroup_resize_max and mem_cgroup_force_empty: EINTR, the limit is the old one, and what was reclaimed is gone."""
    tree = mount("dialect=v1,kmem=off,ram=512M,swap=512M,disk=0,0,128")
    tree.tell("mkdir a .machine/tasks/7; echo 7 >a/tasks; echo touch 0 100000 w >.machine/tasks/7/ctl")
    limit, used = tree.tell("cat a/memory.limit_in_bytes a/memory.usage_in_bytes").split()
    ended = subprocess.run([sys.executable, "-c", INTERRUPTED_WRITE, tree / "a" / file], capture_output=True, text=True, check=True)
    assert ended.stdout == f"-1 {errno.EINTR}\n"
    limit_after, used_after = tree.tell("cat a/memory.limit_in_bytes a/memory.usage_in_bytes").split()
    assert limit_after == limit
    assert 64 << 10 < int(used_after) < int(used)
