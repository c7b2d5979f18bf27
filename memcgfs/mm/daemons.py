"""The kernel's threads on the machine's time line: kswapd, one a node, and those of pdflush (mm/vmscan.c: kswapd; mm/pdflush.c).

A daemon sleeps, or is due at a time of the clock, or runs; when it runs it has no due time unless it asks for one. What each of them
does stands elsewhere (waiting.py: run_daemon); here is only when.
"""

from __future__ import annotations

from .arrays import Arrays
from .params import NR_DAEMONS


class Daemons:
    """due_ns by daemon, -1 while it sleeps. is_running: it waits in the middle of its work, and is not entered again. is_napping: what it
    is due for is the end of a congestion_wait, which a disk may bring forward.

    next_ns, next_daemon: who is due first, the lowest number of those due at once; -1 where nobody is. Cost: O(daemons) to change
    a time, O(1) to ask.
    """

    def __init__(self, arrays: Arrays) -> None:
        self.due_ns = arrays.of("q", NR_DAEMONS)
        self.is_running = arrays.of("B", NR_DAEMONS)
        self.is_napping = arrays.of("B", NR_DAEMONS)
        for daemon in range(NR_DAEMONS):
            self.due_ns[daemon] = -1
        self.next_ns = -1
        self.next_daemon = 0

    def is_asleep(self, daemon: int) -> bool:
        """Would waking it change anything?"""
        return self.due_ns[daemon] < 0 and self.is_running[daemon] == 0

    def set_due(self, daemon: int, due_ns: int) -> None:
        """mod_timer: it runs at this time and at no other; -1: it sleeps."""
        self.due_ns[daemon] = due_ns
        self.find_next()

    def begin(self, daemon: int) -> None:
        self.is_running[daemon] = 1
        self.is_napping[daemon] = 0
        self.set_due(daemon, -1)

    def end(self, daemon: int) -> None:
        self.is_running[daemon] = 0
        self.find_next()

    def wake_napping(self, now_ns: int) -> None:
        """A disk's queue of writes has left congestion: naps are over."""
        for daemon in range(NR_DAEMONS):
            if self.is_napping[daemon] != 0:
                self.is_napping[daemon] = 0
                self.due_ns[daemon] = now_ns
        self.find_next()

    def find_next(self) -> None:
        self.next_ns = -1
        for daemon in range(NR_DAEMONS):
            due_ns = self.due_ns[daemon]
            if due_ns >= 0 and self.is_running[daemon] == 0 and (self.next_ns < 0 or due_ns < self.next_ns):
                self.next_ns = due_ns
                self.next_daemon = daemon
