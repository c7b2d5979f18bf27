"""struct mem_container: what the controller keeps of a container beside its counter (mm/memcontrol.c, patches 2, 3, 8 and 9 of v4).

A container is a number; 0 is the top one. The counter has the same number, and so have the container's two lists in the model.
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

    leaked: references that a lost charge race never gave back (v4 and v5 did not; mended in v6).
    """

    def __init__(self, arrays: Arrays, nr_containers: int) -> None:
        self.nr_containers = nr_containers
        self.css = arrays.of("q", nr_containers)
        self.leaked = arrays.of("q", nr_containers)
        self.peak = arrays.of("Q", nr_containers)
        self.nr_cache = arrays.of("q", nr_containers)
        self.control_type = arrays.of("B", nr_containers)
        self.is_released = arrays.of("B", nr_containers)
        self.released = arrays.of("I", nr_containers)
        self.nr_released = 0

    def init(self, container: int) -> None:
        self.css[container] = 0
        self.leaked[container] = 0
        self.peak[container] = 0
        self.nr_cache[container] = 0
        self.control_type[container] = MEM_CONTAINER_TYPE_ALL

    def css_get(self, container: int) -> None:
        self.css[container] += 1

    def css_put(self, container: int) -> None:
        """The last reference leaves a mark, for the container to be looked at for its release agent."""
        left = self.css[container] - 1
        self.css[container] = left
        if left == 0:
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
