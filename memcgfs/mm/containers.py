"""struct mem_container: what the controller keeps of a container beside its counters (mm/memcontrol.c, patches 2, 3, 8 and 9 of v4;
since 2.6.25 struct mem_cgroup).

A container is a number; 0 is the top one. Its counters have the same number, and so have its lists in the model. Each but the top one is
in another, its parent; those in one container are a list, the oldest first.
"""

from __future__ import annotations

from typing import Final

from .arrays import Arrays
from .params import MEM_CONTAINER_TYPE_ALL


# What is_released says of a container in the queue, which holds each number once.
RELEASED: Final = 1
FORGOTTEN: Final = 2


class Containers:
    """css: references that keep the container from being removed, one for each charged page and one for each address space.

    leaked: references that a lost charge race never gave back (v4 and v5 did not; mended in v6). object_bytes: of the kernel's objects
    that it pays for.

    parent: -1 of the top one. first_child, last_child, next_sibling, prev_sibling: -1 where there is none. is_online: 0 once its directory
    is gone; where pages keep it in being it is still in its parent, as the kernel's offline groups are. gone: those of them that nothing
    holds any more, for their numbers to be given again.

    under_oom: somebody waits for memory here, or is about to kill for it; oom_lock: and told those who watch. nr_page_events: pages charged
    and uncharged so far; beyond threshold_target, thresholds are looked at. pressure_scanned, pressure_reclaimed: by reclaim, in this
    window. nr_thresholds, nr_pressure_watches: how many want to know, of any container.
    """

    def __init__(self, arrays: Arrays, nr_containers: int) -> None:
        self.nr_containers = nr_containers
        self.css = arrays.of("q", nr_containers)
        self.leaked = arrays.of("q", nr_containers)
        self.nr_cache = arrays.of("q", nr_containers)
        self.object_bytes = arrays.of("q", nr_containers)
        self.control_type = arrays.of("B", nr_containers)
        self.is_released = arrays.of("B", nr_containers)
        self.released = arrays.of("I", nr_containers)
        self.nr_released = 0
        self.parent = arrays.of("i", nr_containers)
        self.first_child = arrays.of("i", nr_containers)
        self.last_child = arrays.of("i", nr_containers)
        self.next_sibling = arrays.of("i", nr_containers)
        self.prev_sibling = arrays.of("i", nr_containers)
        self.is_online = arrays.of("B", nr_containers)
        self.gone = arrays.of("I", nr_containers)
        self.nr_gone = 0
        self.swappiness = arrays.of("i", nr_containers)
        self.soft_limit = arrays.of("Q", nr_containers)
        self.oom_kill_disable = arrays.of("B", nr_containers)
        self.under_oom = arrays.of("i", nr_containers)
        self.nr_oom_kills = arrays.of("Q", nr_containers)
        self.oom_lock = arrays.of("B", nr_containers)
        self.nr_page_events = arrays.of("q", nr_containers)
        self.threshold_target = arrays.of("q", nr_containers)
        self.nr_thresholds = 0
        self.pressure_scanned = arrays.of("q", nr_containers)
        self.pressure_reclaimed = arrays.of("q", nr_containers)
        self.nr_pressure_watches = 0

    def init(self, container: int, parent: int) -> None:
        """Without pages, online, its parent's youngest child."""
        self.parent[container] = parent
        self.first_child[container] = -1
        self.last_child[container] = -1
        self.next_sibling[container] = -1
        self.prev_sibling[container] = -1
        self.is_online[container] = 1
        self.under_oom[container] = 0
        self.nr_oom_kills[container] = 0
        self.oom_lock[container] = 0
        self.nr_page_events[container] = 0
        self.threshold_target[container] = 0
        self.pressure_scanned[container] = 0
        self.pressure_reclaimed[container] = 0
        if parent >= 0:
            self.link(container, parent)
        self.css[container] = 0
        self.leaked[container] = 0
        self.nr_cache[container] = 0
        self.object_bytes[container] = 0
        self.control_type[container] = MEM_CONTAINER_TYPE_ALL

    def add_thresholds(self, number: int) -> None:
        self.nr_thresholds += number

    def add_pressure_watches(self, number: int) -> None:
        self.nr_pressure_watches += number

    def link(self, container: int, parent: int) -> None:
        """list_add_tail_rcu of its css."""
        last = self.last_child[parent]
        self.prev_sibling[container] = last
        if last < 0:
            self.first_child[parent] = container
        else:
            self.next_sibling[last] = container
        self.last_child[parent] = container

    def unlink(self, container: int) -> None:
        """css_release: it is in nobody's list any more."""
        parent = self.parent[container]
        before = self.prev_sibling[container]
        after = self.next_sibling[container]
        if before < 0:
            self.first_child[parent] = after
        else:
            self.next_sibling[before] = after
        if after < 0:
            self.last_child[parent] = before
        else:
            self.prev_sibling[after] = before

    def next_in_subtree(self, top: int, container: int) -> int:
        """css_next_descendant_pre: who follows this one in the walk of `top` and all below it, parents before their children; -1 at its
        end, and before its beginning. Offline containers are in it."""
        if container < 0:
            return top
        if self.first_child[container] >= 0:
            return self.first_child[container]
        at = container
        while at != top:
            if self.next_sibling[at] >= 0:
                return self.next_sibling[at]
            at = self.parent[at]
        return -1

    def is_below(self, container: int, top: int) -> bool:
        """mem_cgroup_is_descendant: is it `top`, or in it at any depth?"""
        at = container
        while at != top:
            if self.parent[at] < 0:
                return False
            at = self.parent[at]
        return True

    def nearest_online(self, container: int) -> int:
        """This one, or the first above it that is online."""
        at = container
        while self.is_online[at] == 0:
            at = self.parent[at]
        return at

    def set_offline(self, container: int) -> None:
        """css_offline: its directory is gone. Where nothing holds it, so is it."""
        self.is_online[container] = 0
        if self.css[container] == 0:
            self.note_gone(container)

    def note_gone(self, container: int) -> None:
        self.gone[self.nr_gone] = container
        self.nr_gone += 1

    def take_gone(self) -> list[int]:
        """The offline containers whose last reference went since this was asked last, in that order."""
        found = [self.gone[place] for place in range(self.nr_gone)]
        self.nr_gone = 0
        return found

    def css_get(self, container: int) -> None:
        self.css[container] += 1

    def css_put(self, container: int) -> None:
        """The last reference leaves a mark, for the container to be looked at for its release agent, or to be gone for good."""
        left = self.css[container] - 1
        self.css[container] = left
        if left == 0:
            if self.is_online[container] == 0:
                self.note_gone(container)
                return
            if self.is_released[container] == 0:
                self.released[self.nr_released] = container
                self.nr_released += 1
            self.is_released[container] = RELEASED

    def forget_released(self, container: int) -> None:
        """The container is removed: its number may be another's soon."""
        if self.is_released[container] != 0:
            self.is_released[container] = FORGOTTEN

    def take_released(self) -> list[int]:
        """The containers whose last reference went since this was asked last, in that order."""
        waiting = [self.released[place] for place in range(self.nr_released)]
        found = [container for container in waiting if self.is_released[container] == RELEASED]
        for container in waiting:
            self.is_released[container] = 0
        self.nr_released = 0
        return found
