"""res_counter and page_counter: usage, limit, failcnt and the highest usage of every container (patch 1/9; kernel/res_counter.c,
include/linux/res_counter.h; since 3.19 mm/page_counter.c).

What a counter counts is its caller's: the controller of July 2007 charged 1 a page, that of 2.6.25 PAGE_SIZE, today's 1 again; `unit` is
which. So the width is, too: an unsigned long in 2007, 64 bits ever after. `largest` is the one place where it enters, and keeps both
builds equal.

One row a container, by its number. A counter may have a parent: a charge goes to all of its line, from the bottom up, or to none of it.
Until 2.6.29 none has one.
"""

from __future__ import annotations

from .arrays import Arrays


class ResCounters:
    """Cost: O(counters of the line) to charge and uncharge, O(1) for the rest.

    unit: what a page is charged as. unlimited: the limit of a new counter. wraps: there is room as long as usage <= limit - value, as the
    July 2007 code tests it: limit 0 wraps, and forbids nothing. counts_failures: a refusal adds to the failcnt of who refused, whom
    `refused` names afterwards. above: a counter's parent, and 1; 0 where it has none.
    """

    def __init__(self, arrays: Arrays, nr_counters: int, largest: int, unit: int, wraps: bool, unlimited: int) -> None:
        self.largest = largest
        self.unit = unit
        self.wraps = wraps
        self.unlimited = unlimited
        self.counts_failures = True
        self.usage = arrays.of("Q", nr_counters)
        self.limit = arrays.of("Q", nr_counters)
        self.failcnt = arrays.of("Q", nr_counters)
        self.max_usage = arrays.of("Q", nr_counters)
        self.above = arrays.of("I", nr_counters)
        self.refused = 0

    def init(self, counter: int, parent: int) -> None:
        """res_counter_init, page_counter_init: nothing is used, and nothing is forbidden. `parent` is -1 where there is none."""
        self.usage[counter] = 0
        self.failcnt[counter] = 0
        self.max_usage[counter] = 0
        self.limit[counter] = self.unlimited
        self.above[counter] = parent + 1

    def ignore_failures(self) -> None:
        """Nobody asks how often this one refused (page_counter: track_failcnt is off)."""
        self.counts_failures = False

    def charge(self, counter: int, value: int) -> bool:
        """True where every limit of the line leaves room. Otherwise nothing is charged, failcnt counts the attempt, and what the counters
        below reached meanwhile stays their highest usage."""
        line = counter + 1
        while line != 0:
            if not self.has_room(line - 1, value):
                self.refused = line - 1
                if self.counts_failures:
                    self.failcnt[self.refused] += 1
                self.cancel(counter, self.refused, value)
                return False
            self.add(line - 1, value)
            line = self.above[line - 1]
        return True

    def charge_anyway(self, counter: int, value: int) -> None:
        """page_counter_charge: whatever the limits say."""
        line = counter + 1
        while line != 0:
            self.add(line - 1, value)
            line = self.above[line - 1]

    def add(self, counter: int, value: int) -> None:
        """One level only."""
        usage = (self.usage[counter] + value) & self.largest
        self.usage[counter] = usage
        if usage > self.max_usage[counter]:
            self.max_usage[counter] = usage

    def cancel(self, counter: int, end: int, value: int) -> None:
        """Takes a charge back from the counters of the line that lie below `end`."""
        at = counter
        while at != end:
            self.usage[at] -= value
            at = self.above[at] - 1

    def has_room(self, counter: int, value: int) -> bool:
        """At this level."""
        if self.wraps:
            return self.usage[counter] <= (self.limit[counter] - value) & self.largest
        return self.usage[counter] + value <= self.limit[counter]

    def uncharge(self, counter: int, value: int) -> bool:
        """From the whole line. False where more was given back than was charged: usage is clamped at 0 (the kernel warns there)."""
        was_charged = 1
        line = counter + 1
        while line != 0:
            usage = self.usage[line - 1]
            if usage < value:
                self.usage[line - 1] = 0
                was_charged = 0
            else:
                self.usage[line - 1] = usage - value
            line = self.above[line - 1]
        return was_charged != 0

    def take_from(self, counter: int, value: int) -> None:
        """From this one only, as the one above it keeps the charge."""
        self.usage[counter] -= value

    def set_limit(self, counter: int, limit: int) -> bool:
        """page_counter_set_max. False, and the old limit, where more is in use."""
        if self.usage[counter] > limit:
            return False
        self.limit[counter] = limit
        return True

    def room(self, counter: int) -> int:
        """Below the limit, at this level; 0 where it is exceeded."""
        if self.usage[counter] >= self.limit[counter]:
            return 0
        return self.limit[counter] - self.usage[counter]

    def pages(self, counter: int) -> int:
        """The usage, in pages."""
        return self.usage[counter] // self.unit

    def check_under_limit(self, counter: int) -> bool:
        """res_counter_check_under_limit: strictly below, so a full container is not under its limit."""
        return self.usage[counter] < self.limit[counter]
