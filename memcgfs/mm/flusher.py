"""What the timeline asks of pdflush (pdflush.py), and what those below it need to know of its work."""

from __future__ import annotations

from .core import Core


class Flusher:
    """min_pages: pages that background write-out still owes. kupdate_start_ns: when the periodic one last began; kupdate_left: pages
    that it may still write in this run, 0 while none is under way; kupdate_next_ns: when it would look next."""

    def __init__(self) -> None:
        self.min_pages = 0
        self.kupdate_start_ns = 0
        self.kupdate_left = 0
        self.kupdate_next_ns = 0

    def run(self, core: Core, daemon: int) -> int:
        """Some of a job's work; gives when it wants to go on (a time of the clock), or -1 where it is done."""
        return -1
