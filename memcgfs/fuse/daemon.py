"""A mount, from its first request to its last.

Contract.  `serve` mounts, calls `ready`, answers requests until somebody unmounts or a signal asks for the end, and
leaves no mount behind, whatever ends it (but for SIGKILL, after which `mountpoint.require_free` clears up).

Sequence: the signals are held back, because one that came before the loop knows them would kill the process and leave a
dead mount; the filesystem is mounted; the loop takes the signals over; the last request; unmounted.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Final

import pyfuse3
import trio

from ..options import Options
from ..tree import Tree
from . import eager
from .descriptors import Descriptors
from .host import Host
from .mountpoint import MountError, announced, mount_at
from .operations import Requests
from .stalls import has_signal

END_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
MANY: Final = 1 << 20
"""Workers: each caller that waits keeps one."""


def serve(options: Options, path: Path, source: str, ready: Callable[[], None]) -> None:
    """Mount a new tree at `path` and serve it until it is unmounted."""
    tree = Tree.from_options(options)
    host = Host(tree.host_exited, tree.host_born)
    tree.set_host(host)
    descriptors = Descriptors(host, path)
    tree.set_descriptors(descriptors)
    tree.set_signals(has_signal)
    requests = Requests(tree, host, path, options.timescale)
    signal.pthread_sigmask(signal.SIG_BLOCK, END_SIGNALS)
    _take_descriptors()
    # Only answers that are held back need a second task; handing over from one to another costs a third of the speed.
    workers = eager.enable()
    if workers is None:
        print("memcgfs: this pyfuse3 is built otherwise than expected: small requests take twice as long", file=sys.stderr)
    elif not options.timescale:
        requests.start_worker = workers.start_another
    is_alone = workers is not None and not options.timescale
    _mount(requests, path, fuse_options(options, source))
    try:
        trio.run(_answer, tree, host, requests, path, is_alone, ready)
    finally:
        pyfuse3.close()
        descriptors.close()


def _take_descriptors() -> None:
    """As many as may be had: each member from the host takes one, and so does each eventfd that somebody registered."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def fuse_options(options: Options, source: str) -> set[str]:
    """What libfuse and the kernel are told."""
    escaped = source.replace("\\", "\\\\").replace(",", "\\,")
    return {f"fsname={escaped}", "subtype=memcgfs", *options.generic}


def _mount(requests: Requests, path: Path, words: set[str]) -> None:
    """libfuse tells the reason on stderr only."""
    with tempfile.TemporaryFile("w+", errors="replace") as told:
        stderr = os.dup(2)
        os.dup2(told.fileno(), 2)
        try:
            pyfuse3.init(requests, str(path), words)
        except RuntimeError as error:
            told.seek(0)
            lines = told.read().splitlines() or [str(error)]
            raise MountError(f"{path}: {lines[-1]}") from None
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)


async def _answer(tree: Tree, host: Host, requests: Requests, path: Path, is_alone: bool, ready: Callable[[], None]) -> None:
    mount = mount_at(path)
    if mount is None:  # unmounted before the first request
        ready()
        return
    with trio.open_signal_receiver(*END_SIGNALS) as signals:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, END_SIGNALS)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_end_at_signal, signals, requests)
            nursery.start_soon(host.watch_exits, tree.settle)
            with announced(mount):
                ready()
                await pyfuse3.main(*(eager.ONE_WORKER if is_alone else (1, MANY)))
            nursery.cancel_scope.cancel()


async def _end_at_signal(signals: AsyncIterator[int], requests: Requests) -> None:
    async for _signal in signals:
        requests.end_waits()
        pyfuse3.terminate()
