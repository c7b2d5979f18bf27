"""One container's numbers, as the rest of the project sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .machine import Machine


class Container:
    """One container's numbers. Made by Machine.create_container; the top one is Machine.root."""

    __slots__ = ("cid", "machine")

    def __init__(self, machine: Machine, cid: int) -> None:
        self.machine = machine
        self.cid = cid

    @property
    def usage(self) -> int:
        return int(self.machine.core.counters.usage[self.cid])

    @property
    def limit(self) -> int:
        """Pages. Lowering it below the usage is accepted, and shows at the next charge."""
        return int(self.machine.core.counters.limit[self.cid])

    @limit.setter
    def limit(self, pages: int) -> None:
        self.machine.refuse_if_panicked()
        self.machine.core.counters.limit[self.cid] = pages & self.ulong_max

    @property
    def ulong_max(self) -> int:
        return int(self.machine.core.counters.ulong_max)

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
        return len(self.lists()[0])

    @property
    def nr_inactive(self) -> int:
        return len(self.lists()[1])
