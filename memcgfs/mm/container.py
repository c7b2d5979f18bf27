"""One container's numbers, as the rest of the project sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .params import PAGE_BYTES

if TYPE_CHECKING:
    from .machine import Machine

LLONG_MAX = (1 << 63) - 1


class Container:
    """One container's numbers. Made by Machine.create_container; the top one is Machine.root.

    first_record: trace records before that one mean another container, which had the same number.
    """

    __slots__ = ("cid", "first_record", "machine")

    def __init__(self, machine: Machine, cid: int) -> None:
        self.machine = machine
        self.cid = cid
        self.first_record = machine.tracer.next_number

    @property
    def usage(self) -> int:
        """Pages."""
        return int(self.machine.core.counters.pages(self.cid))

    @property
    def limit(self) -> int:
        """Pages. Lowering it below the usage is accepted, and shows at the next charge."""
        counters = self.machine.core.counters
        return int(counters.limit[self.cid] // counters.unit)

    @limit.setter
    def limit(self, pages: int) -> None:
        counters = self.machine.core.counters
        self.set_count(pages * counters.unit)

    @property
    def limit_bytes(self) -> int:
        """The limit where it is told in bytes. A counter that counts pages can have a larger one than fits: that is "none", LLONG_MAX."""
        counters = self.machine.core.counters
        if counters.unit == PAGE_BYTES:
            return int(counters.limit[self.cid])
        return min(int(counters.limit[self.cid]) * PAGE_BYTES, LLONG_MAX)

    @limit_bytes.setter
    def limit_bytes(self, nbytes: int) -> None:
        """Whole pages."""
        self.set_count(nbytes * self.machine.core.counters.unit // PAGE_BYTES)

    def set_count(self, limit: int) -> None:
        self.machine.refuse_if_panicked()
        self.machine.core.counters.limit[self.cid] = limit & self.machine.core.counters.largest

    @property
    def ulong_max(self) -> int:
        return self.machine.config.ulong_max

    @property
    def failcnt(self) -> int:
        return int(self.machine.core.counters.failcnt[self.cid])

    @property
    def peak(self) -> int:
        """The highest usage so far."""
        return int(self.machine.core.containers.peak[self.cid])

    @property
    def control_type(self) -> int:
        return int(self.machine.core.containers.control_type[self.cid])

    @control_type.setter
    def control_type(self, value: int) -> None:
        self.machine.refuse_if_panicked()
        self.machine.core.containers.control_type[self.cid] = value

    @property
    def css_refs(self) -> int:
        return int(self.machine.core.containers.css[self.cid])

    @property
    def cache_pages(self) -> int:
        return int(self.machine.core.containers.nr_cache[self.cid])

    @property
    def rss_pages(self) -> int:
        return self.usage - self.cache_pages

    def lists(self) -> tuple[list[int], list[int]]:
        """Page frames on the (active, inactive) list, from head to tail."""
        found: tuple[list[int], list[int]] = self.machine.core.model.walk(self.machine.core, self.cid)
        return found

    @property
    def nr_active(self) -> int:
        return int(self.machine.core.model.count(self.machine.core, self.cid, True))

    @property
    def nr_inactive(self) -> int:
        return int(self.machine.core.model.count(self.machine.core, self.cid, False))
