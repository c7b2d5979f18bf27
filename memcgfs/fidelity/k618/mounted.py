"""A mount of its own, in a mount namespace of its own, below which many cases are played one after the other.

Contract
- `on_mount(options, act)` gives what `act(top)` gives, one by one (what JSON can say), where a tree with `options` is mounted at `top`.
  It runs in a process of its own, which ends with the caller, and so do the mount and all that it has started.
- `why_not()` says in one line why nothing can be played here, or ''.
"""

from __future__ import annotations

import json
import os
import signal
import tempfile
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from ...fuse.daemon import serve
from ...fuse.mountpoint import MountError, require_fuse
from ...options import Options
from ..calls import libc
from ..stage import CLONE_NEWNS, StageError, let_go_of_trees
from .processes import die_with_parent

READY: Final = b"."


def why_not() -> str:
    try:
        require_fuse()
    except MountError as reason:
        return str(reason)
    return "" if os.geteuid() == 0 else "only root can be several users"


def on_mount(options: Options, act: Callable[[str], Iterator[Any]]) -> Iterator[Any]:
    told, telling = os.pipe()
    top = tempfile.mkdtemp(prefix="memcgfs-k618-")
    os.chmod(top, 0o755)
    pid = os.fork()
    if pid == 0:
        os.close(told)
        tell_all(options, act, top, telling)
    os.close(telling)
    try:
        with open(told, "rb") as lines:
            for line in lines:
                found = json.loads(line)
                if "failed" in found:
                    raise StageError(found["failed"])
                yield found["told"]
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.rmdir(top)


def tell_all(options: Options, act: Callable[[str], Iterator[Any]], top: str, telling: int) -> None:
    """In a forked process, which ends here, whatever happens."""
    with open(telling, "wb", buffering=0) as told:
        try:
            die_with_parent()
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE):
                signal.signal(number, signal.SIG_DFL)
            os.umask(0o022)
            apart()
            start_daemon(options, top)
            for found in act(top):
                told.write(json.dumps({"told": found}).encode() + b"\n")
        except BaseException:
            told.write(json.dumps({"failed": traceback.format_exc()}).encode() + b"\n")
        finally:
            os._exit(0)


def apart() -> None:
    if libc.unshare(CLONE_NEWNS) != 0:
        raise StageError("no right to a namespace of mounts")
    let_go_of_trees()


def start_daemon(options: Options, top: str) -> None:
    ready, telling = os.pipe()
    if os.fork() == 0:
        die_with_parent()
        os.close(ready)
        try:
            serve(options, Path(top), "memory", lambda: os.close(telling) if os.write(telling, READY) else None)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(0)
    os.close(telling)
    with open(ready, "rb") as waiting:
        if waiting.read(1) != READY:
            raise StageError("the daemon ended before it had mounted")
