"""The swap token (mm/thrash.c of 2.6.23): one address space at a time keeps its pages while it faults, so that at least one task gets on
when all of them thrash.

Who must read a page from swap asks for it. It goes to the first who asks, and from then on to whoever's priority is higher than its
holder's: the priority of an address space rises where its faults come faster than last time, and falls where they do not. Its holder
lets it go when it exits; reclaim takes it away at its last priority. What it is worth stands in rmap.py: page_referenced.
"""

from __future__ import annotations

from .arrays import Arrays


class SwapToken:
    """mm: its holder, or 0. global_faults: faults that asked so far, which is the time here; faultstamp: when this one asked last,
    last_interval: how long after the time before."""

    def __init__(self, arrays: Arrays, nr_mms: int) -> None:
        self.mm = 0
        self.global_faults = 0
        self.priority = arrays.of("q", nr_mms)
        self.faultstamp = arrays.of("q", nr_mms)
        self.last_interval = arrays.of("q", nr_mms)

    def init(self, mm: int, parent: int) -> None:
        """A new address space: a child's (dup_mm) remembers when its parent asked last, one without a parent (0) does not."""
        self.priority[mm] = 0
        self.last_interval[mm] = 0
        self.faultstamp[mm] = self.faultstamp[parent]

    def grab(self, mm: int) -> None:
        """grab_swap_token."""
        self.global_faults += 1
        interval = self.global_faults - self.faultstamp[mm]
        if self.mm == 0:
            self.priority[mm] += 2
            self.mm = mm
        elif mm == self.mm:
            self.priority[mm] += 2
        else:
            if interval < self.last_interval[mm]:
                self.priority[mm] += 1
            elif self.priority[mm] > 0:
                self.priority[mm] -= 1
            if self.priority[mm] > self.priority[self.mm]:
                self.priority[mm] += 2
                self.mm = mm
        self.faultstamp[mm] = self.global_faults
        self.last_interval[mm] = interval

    def put(self, mm: int) -> None:
        """put_swap_token: the address space is going."""
        if self.mm == mm:
            self.mm = 0

    def disable(self) -> None:
        """disable_swap_token: nobody is spared any more."""
        self.mm = 0
