"""Let a caller feel for real what its request cost on the simulated clock (`-o timescale=`).

Contract: called when the request is done and only its answer is held back, so the tree is free for others meanwhile.
A caller that waits for an answer cannot be killed, and nobody tells us that a signal came; so while it waits we look at
what is pending for it, and answer at once if a signal is.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import trio

LOOK_S: Final = 0.05
"""How often the caller's signals are looked at."""


async def feel_stall(stall_ns: float, pid: int) -> None:
    """Come back after `stall_ns` of real time, or earlier if thread `pid` has a signal to take."""
    end = trio.current_time() + stall_ns / 1e9
    while (left := end - trio.current_time()) > 0 and not _has_signal(pid):
        await trio.sleep(min(left, LOOK_S))


def _has_signal(pid: int) -> bool:
    """Is a signal pending that the thread neither blocks nor ignores?  True as well if it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return True
    masks = {key: int(mask, 16) for key, _, mask in (line.partition(":\t") for line in status.splitlines())
             if key in ("SigPnd", "ShdPnd", "SigBlk", "SigIgn")}  # fmt: skip
    return bool((masks["SigPnd"] | masks["ShdPnd"]) & ~(masks["SigBlk"] | masks["SigIgn"]))
