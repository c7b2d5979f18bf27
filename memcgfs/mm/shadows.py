"""Shadow entries of pages that reclaim took out of a file (mm/workingset.c; exceptional entries of the page cache's tree).

A shadow stands where the page stood: by file and index in a tree of the file's own, which holds the number of a row here; of a page that
went to swap, by its slot (SwapAreas.shadow). It says how old the evicting group's lists were, and which they were. It goes when a page
comes there again, when the file is cut or its pages are invalidated, and with the slot.
"""

from __future__ import annotations

from .arrays import Arrays


class Shadows:
    """Rows from 1 on: age, and whose (what the model wrote; 0: the row is free, and `age` names the next free one). Where no row is left,
    a page goes without leaving a shadow, as the kernel's shrinker of shadow nodes takes those that are too many."""

    def __init__(self, arrays: Arrays, nr_shadows: int) -> None:
        self.nr_shadows = nr_shadows
        self.age = arrays.of("q", nr_shadows)
        self.whose = arrays.of("I", nr_shadows)
        self.first_free = 0
        self.frontier = 1
        self.nr_used = 0

    def take(self, age: int, whose: int) -> int:
        """A row with this in it, or 0."""
        row = self.first_free
        if row != 0:
            self.first_free = self.age[row]
        elif self.frontier < self.nr_shadows:
            row = self.frontier
            self.frontier += 1
        else:
            return 0
        self.age[row] = age
        self.whose[row] = whose
        self.nr_used += 1
        return row

    def give(self, row: int) -> None:
        self.age[row] = self.first_free
        self.whose[row] = 0
        self.first_free = row
        self.nr_used -= 1
