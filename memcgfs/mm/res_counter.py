"""res_counter: usage, limit and failcnt of every container (patch 1/9; kernel/res_counter.c, include/linux/res_counter.h).

What a counter counts is its caller's: the controller of July 2007 charged 1 a page, that of 2.6.25 PAGE_SIZE; `unit` is which. So the
width is, too: an unsigned long in 2007, 64 bits ever after. `largest` is the one place where it enters, and keeps both builds equal.

One row a container, by its number. There is no parent: a charge never reaches another container.
"""

from __future__ import annotations

from .arrays import Arrays


class ResCounters:
    """Cost: O(1) for every method.

    unit: what a page is charged as. wraps: there is room as long as usage <= limit - value, as the July 2007 code tests it: limit 0
    wraps, and forbids nothing.
    """

    def __init__(self, arrays: Arrays, nr_counters: int, largest: int, unit: int, wraps: bool) -> None:
        self.largest = largest
        self.unit = unit
        self.wraps = wraps
        self.usage = arrays.of("Q", nr_counters)
        self.limit = arrays.of("Q", nr_counters)
        self.failcnt = arrays.of("Q", nr_counters)

    def init(self, counter: int) -> None:
        """res_counter_init: the limit becomes the largest signed number (LONG_MAX, LLONG_MAX), the rest is zero."""
        self.usage[counter] = 0
        self.failcnt[counter] = 0
        self.limit[counter] = self.largest >> 1

    def charge(self, counter: int, value: int) -> bool:
        """True where the limit leaves room; otherwise failcnt counts the attempt and nothing is charged."""
        if self.has_room(counter, value):
            self.usage[counter] = (self.usage[counter] + value) & self.largest
            return True
        self.failcnt[counter] += 1
        return False

    def has_room(self, counter: int, value: int) -> bool:
        if self.wraps:
            return self.usage[counter] <= (self.limit[counter] - value) & self.largest
        return self.usage[counter] + value <= self.limit[counter]

    def uncharge(self, counter: int, value: int) -> bool:
        """False where more was given back than was charged: usage is clamped at 0 (the kernel warns there)."""
        usage = self.usage[counter]
        if usage < value:
            self.usage[counter] = 0
            return False
        self.usage[counter] = usage - value
        return True

    def pages(self, counter: int) -> int:
        """The usage, in pages."""
        return self.usage[counter] // self.unit

    def check_under_limit(self, counter: int) -> bool:
        """res_counter_check_under_limit: strictly below, so a full container is not under its limit."""
        return self.usage[counter] < self.limit[counter]
