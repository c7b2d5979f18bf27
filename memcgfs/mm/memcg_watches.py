"""Who wants to be told: of a usage that is crossed, of the end of memory, of pressure (mm/memcontrol-v1.c, mm/vmpressure.c).

A watch is a function without arguments, called once for each signal, in the midst of whatever operation made it due: what it does must
not reach into the machine. Its container's end is told to each watch, once, and ends it.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from .errors import BadValue
from .vmpressure import VMPRESSURE_CRITICAL, VMPRESSURE_LOW, VMPRESSURE_MEDIUM

if TYPE_CHECKING:
    from collections.abc import Callable

    from .machine import Machine

    Signal = Callable[[], object]

PRESSURE_LEVELS: Final = {"low": VMPRESSURE_LOW, "medium": VMPRESSURE_MEDIUM, "critical": VMPRESSURE_CRITICAL}
PRESSURE_MODES: Final = ("default", "hierarchy", "local")
"""Whether a pressure is told to whom watches a container above: not if somebody below was, always, or never."""


@dataclass(eq=False, slots=True)
class Watch:
    """Made by Machine.watches, and ended by `close`, or by the end of its container."""

    signal: Signal
    _unregister: Callable[[Watch], None]
    threshold: int = 0
    level: int = VMPRESSURE_LOW
    mode: str = "default"
    _tell_end: Signal | None = None
    _is_open: bool = True

    def when_ended(self, tell: Signal) -> None:
        """Told once, after the last signal."""
        self._tell_end = tell

    def close(self) -> None:
        """No more signals."""
        if self._is_open:
            self._is_open = False
            self._unregister(self)
            if self._tell_end is not None:
                self._tell_end()

    def end(self) -> None:
        """memcg_event_remove: a last signal, which says that there will be no more."""
        self._unregister(self)
        self._is_open = False
        self.signal()
        if self._tell_end is not None:
            self._tell_end()


@dataclass(slots=True)
class Thresholds:
    """struct mem_cgroup_thresholds: ascending, and how many of them the usage had reached when they were looked at last."""

    watches: list[Watch] = field(default_factory=list)
    nr_reached: int = 0

    def look(self, usage: int) -> None:
        """__mem_cgroup_threshold: each one that was crossed since, in either direction, is told."""
        nr_reached = bisect_right(self.watches, usage, key=attrgetter("threshold"))
        if nr_reached < self.nr_reached:
            crossed = self.watches[nr_reached : self.nr_reached][::-1]
        else:
            crossed = self.watches[self.nr_reached : nr_reached]
        self.nr_reached = nr_reached
        for watch in crossed:
            watch.signal()

    def add(self, watch: Watch, usage: int) -> None:
        """One that the usage has reached already is told when it is left."""
        insort(self.watches, watch, key=attrgetter("threshold"))
        self.nr_reached = bisect_right(self.watches, usage, key=attrgetter("threshold"))

    def remove(self, watch: Watch, usage: int) -> None:
        self.watches.remove(watch)
        self.nr_reached = bisect_right(self.watches, usage, key=attrgetter("threshold"))


@dataclass(slots=True)
class Watches:
    """Those of one container."""

    memory: Thresholds = field(default_factory=Thresholds)
    memsw: Thresholds = field(default_factory=Thresholds)
    oom: list[Watch] = field(default_factory=list)
    pressure: list[Watch] = field(default_factory=list)

    def all(self) -> list[Watch]:
        return [*self.memory.watches, *self.memsw.watches, *self.oom, *self.pressure]


class MemcgWatches:
    """Those of a machine."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._of: dict[int, Watches] = {}

    # Watching

    def usage(self, container: int, pages: int, signal: Signal, memsw: bool) -> Watch:
        """__mem_cgroup_usage_register_event. What was crossed before is told first."""
        thresholds = self._thresholds(container, memsw)
        thresholds.look(self._usage(container, memsw))

        def unregister(watch: Watch) -> None:
            thresholds.remove(watch, self._usage(container, memsw))
            self._machine.core.containers.add_thresholds(-1)

        watch = Watch(signal, unregister, threshold=pages)
        thresholds.add(watch, self._usage(container, memsw))
        self._machine.core.containers.add_thresholds(1)
        return watch

    def oom(self, container: int, signal: Signal) -> Watch:
        """mem_cgroup_oom_register_event: where there is no memory now, it is told at once."""
        watches = self._watches(container).oom
        watch = Watch(signal, watches.remove)
        watches.append(watch)
        if self._machine.core.containers.under_oom[container]:
            signal()
        return watch

    def pressure(self, container: int, level: str, mode: str, signal: Signal) -> Watch:
        """vmpressure_register_event. Raises BadValue."""
        if level not in PRESSURE_LEVELS or mode not in PRESSURE_MODES:
            raise BadValue(f"{level}, {mode}: no such pressure")
        watches = self._watches(container).pressure

        def unregister(watch: Watch) -> None:
            watches.remove(watch)
            self._machine.core.containers.add_pressure_watches(-1)

        watch = Watch(signal, unregister, level=PRESSURE_LEVELS[level], mode=mode)
        watches.append(watch)
        self._machine.core.containers.add_pressure_watches(1)
        return watch

    # Telling

    def check_thresholds(self, container: int) -> None:
        """mem_cgroup_threshold: memory, then memory and swap; the container's, then those of all above it."""
        at = container
        while at >= 0:
            watches = self._of.get(at)
            if watches is not None:
                watches.memory.look(self._usage(at, False))
                watches.memsw.look(self._usage(at, True))
            at = self._machine.core.containers.parent[at]

    def tell_oom(self, container: int) -> None:
        """mem_cgroup_oom_notify_cb."""
        watches = self._of.get(container)
        for watch in list(watches.oom) if watches is not None else ():
            watch.signal()

    def tell_pressure(self, container: int, level: int) -> None:
        """vmpressure_event, of the container and then of all above it."""
        at, is_told = container, False
        while at >= 0:
            watches, was_told = self._of.get(at), is_told
            for watch in list(watches.pressure) if watches is not None else ():
                if at != container and watch.mode == "local":
                    continue
                if was_told and watch.mode == "default":
                    continue
                if level >= watch.level:
                    watch.signal()
                    is_told = True
            at = self._machine.core.containers.parent[at]

    def end(self, container: int) -> None:
        """memcg1_css_offline: the container's directory is gone, which is the last that its watches hear."""
        for watch in self._of.pop(container, Watches()).all():
            watch.end()

    # Inside

    def _watches(self, container: int) -> Watches:
        return self._of.setdefault(container, Watches())

    def _thresholds(self, container: int, memsw: bool) -> Thresholds:
        watches = self._watches(container)
        return watches.memsw if memsw else watches.memory

    def _usage(self, container: int, memsw: bool) -> int:
        """Pages, with those that are charged in advance."""
        core = self._machine.core
        return int((core.memsw if memsw else core.counters).pages(container))
