"""A dialect: which control files a container has.

Contract: a row a file; names, listing and modes are derived from the rows.  `base` rows are the framework's, `top`
rows are the top container's alone, `controller` rows are the memory controller's.  Files are made in this order, and
listed in the opposite one.  How a dialect writes numbers is a matter of the functions in its rows.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..kernfs import LIBFS, ControlFile, Habits
from .cgroup import Cgroup

Rows = tuple[ControlFile[Cgroup], ...]


@dataclass(frozen=True, slots=True)
class Dialect:
    name: str
    base: Rows
    top: Rows
    controller: Rows
    habits: Habits = LIBFS
    """Of its directories."""

    @property
    def files(self) -> Rows:
        return self.base + self.controller

    @property
    def top_files(self) -> Rows:
        return self.base + self.top + self.controller
