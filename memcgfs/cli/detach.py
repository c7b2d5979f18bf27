"""Becoming a daemon, and telling whoever asked for it how that went.

Contract.  `run_detached` forks at once, while the process is still small; the child does the work and tells through a
pipe when it is ready, or in one line why it is not.  The parent comes back only then, so the next command of a script
finds the tree usable.

The daemon's stderr is its log: /var/log/memcgfs/NAME.log for root, $XDG_STATE_HOME/memcgfs/NAME.log (by default in
~/.local/state) for others.  One that stayed empty is removed at the end.
"""

from __future__ import annotations

import logging
import os
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from . import NotUnderstood, Refusal

READY = b"ready"


def run_detached(serve: Callable[[Callable[[], None]], None], *, log_name: str) -> None:
    """Run `serve(ready)` in a daemon; come back when it has called `ready`, raise `Refusal` if it ended before."""
    log = log_directory() / f"{log_name or 'root'}.log"
    outcome, telling = os.pipe()
    if os.fork() == 0:
        os.close(outcome)
        _be_daemon(serve, log, telling)
    os.close(telling)
    with open(outcome, "rb") as told:
        answer = told.read()
    if answer == READY:
        return
    status, reason = answer[:1], answer[1:].decode(errors="replace")
    raise (NotUnderstood if status == b"%d" % NotUnderstood.status else Refusal)(reason or f"the daemon died; see {log}")


def log_directory() -> Path:
    if os.geteuid() == 0:
        return Path("/var/log/memcgfs")
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state") / "memcgfs"


def _be_daemon(serve: Callable[[Callable[[], None]], None], log: Path, telling: int) -> NoReturn:
    status = 1

    def tell(answer: bytes) -> None:
        nonlocal telling
        if telling >= 0:
            os.write(telling, answer)
            os.close(telling)
            telling = -1

    try:
        os.setsid()
        os.chdir("/")
        # Whoever waits for the end of a pipe that we inherited must not wait for a daemon.
        os.closerange(3, telling)
        os.closerange(telling + 1, os.sysconf("SC_OPEN_MAX"))
        _redirect(log)
        serve(lambda: tell(READY))
        status = 0
    except Refusal as refusal:
        tell(b"%d" % refusal.status + str(refusal).encode())
    except BaseException:
        traceback.print_exc()
    finally:
        # Neither the parent's cleanup nor its buffers are ours to run.
        _remove_if_empty(log)
        os._exit(status)


def _redirect(log: Path) -> None:
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
    except OSError as error:
        raise Refusal(f"no log: {error.filename}: {error.strerror}") from None
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(nothing)
    os.close(output)
    logging.basicConfig(format="%(asctime)s %(message)s")


def _remove_if_empty(log: Path) -> None:
    try:
        if log.stat().st_size == 0:
            log.unlink()
    except OSError:
        pass
