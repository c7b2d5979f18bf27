"""Callers that wait for real: what a request cost on the simulated clock (`-o timescale=`), something to read, or memory.

Contract: only the answer is held back, so the tree is free for others meanwhile.  A caller that waits for an answer
cannot be killed, and nobody tells us that a signal came; so while it waits we look at what is pending for it, and
answer at once if a signal is.

Who waits in a read or a write is not told either.  It is the opener, as a rule; but a file can be handed on, so now and then we
look for a descendant of the opener (or, where the opener is gone, for anybody) who has the file open, cannot be woken,
and has a signal to take.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import trio

LOOK_S: Final = 0.05
"""How often the caller's signals are looked at."""
FAR_LOOKS: Final = 10
"""At each so many looks also those of whom the file was handed on to."""


async def feel_stall(stall_ns: float, pid: int) -> None:
    """Come back after `stall_ns` of real time, or earlier if thread `pid` has a signal to take."""
    end = trio.current_time() + stall_ns / 1e9
    while (left := end - trio.current_time()) > 0 and not has_signal(pid, gone=True):
        await trio.sleep(min(left, LOOK_S))


class Waiter:
    """A caller that waits in a read or a write of `file`, an absolute path; `opener` opened it."""

    def __init__(self, opener: int, file: Path) -> None:
        self._opener = opener
        self._file = str(file)
        self._looks = 0

    def is_interrupted(self) -> bool:
        """To be asked every LOOK_S."""
        self._looks += 1
        return has_signal(self._opener) or (self._looks % FAR_LOOKS == 0 and self._is_heir_interrupted())

    def _is_heir_interrupted(self) -> bool:
        is_gone = not Path(f"/proc/{self._opener}").exists()
        return any(
            has_signal(pid) and (is_gone or self._opener in _ancestors(pid))
            for pid in _uninterruptible()
            if self._has_open(pid)
        )

    def _has_open(self, pid: int) -> bool:
        try:
            return any(os.readlink(entry.path) == self._file for entry in os.scandir(f"/proc/{pid}/fd"))
        except OSError:
            return False


def _uninterruptible() -> Iterator[int]:
    for name in os.listdir("/proc"):
        if name.isdecimal() and _stat(int(name))[:1] == ["D"]:
            yield int(name)


def _ancestors(pid: int) -> Iterator[int]:
    while fields := _stat(pid):
        pid = int(fields[1])
        yield pid


def _stat(pid: int) -> list[str]:
    """State, parent and what follows them in /proc/PID/stat; nothing if it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(") ")[2].split()
    except OSError:
        return []


def has_signal(pid: int, *, gone: bool = False) -> bool:
    """Is a signal pending that the thread neither blocks nor ignores?  `gone` if there is no such thread."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return gone
    masks = {key: int(mask, 16) for key, _, mask in (line.partition(":\t") for line in status.splitlines())
             if key in ("SigPnd", "ShdPnd", "SigBlk", "SigIgn")}  # fmt: skip
    return bool((masks["SigPnd"] | masks["ShdPnd"]) & ~(masks["SigBlk"] | masks["SigIgn"]))
