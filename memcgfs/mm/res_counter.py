"""res_counter: usage, limit and failcnt of every container, in pages (patch 1/9; kernel/res_counter.c, include/linux/res_counter.h).

The arithmetic is unsigned long's, as wide as the machine's: `limit - value` wraps, so that limit 0 forbids nothing. That is how the
July 2007 code was; `ulong_max` is the one place where the width enters, and keeps both builds equal.

One row a container, by its number. There is no parent: a charge never reaches another container.
"""

from __future__ import annotations

from .arrays import Arrays


class ResCounters:
    """Cost: O(1) for every method."""

    def __init__(self, arrays: Arrays, nr_counters: int, ulong_max: int) -> None:
        self.ulong_max = ulong_max
        self.usage = arrays.of("Q", nr_counters)
        self.limit = arrays.of("Q", nr_counters)
        self.failcnt = arrays.of("Q", nr_counters)

    def init(self, counter: int) -> None:
        """res_counter_init: the limit becomes LONG_MAX, the rest is zero."""
        self.usage[counter] = 0
        self.failcnt[counter] = 0
        self.limit[counter] = self.ulong_max >> 1

    def charge(self, counter: int, value: int) -> bool:
        """True where the limit leaves room; otherwise failcnt counts the attempt and nothing is charged."""
        room = (self.limit[counter] - value) & self.ulong_max
        if self.usage[counter] > room:
            self.failcnt[counter] += 1
            return False
        self.usage[counter] = (self.usage[counter] + value) & self.ulong_max
        return True

    def uncharge(self, counter: int, value: int) -> bool:
        """False where more was given back than was charged: usage is clamped at 0 (the kernel warns there)."""
        usage = self.usage[counter]
        if usage < value:
            self.usage[counter] = 0
            return False
        self.usage[counter] = usage - value
        return True

    def check_under_limit(self, counter: int) -> bool:
        """res_counter_check_under_limit: strictly below, so a full container is not under its limit."""
        return self.usage[counter] < self.limit[counter]
