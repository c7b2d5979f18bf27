"""One container: what a directory of the tree stands for (struct cgroup, in 2007 struct container).

Fields: `container` is the memory controller's state, `directory` the node, `parent` None for the top only; none of
them changes.  `members` is by pid and belongs to `Members`; it may still hold tasks that have died, because tasks die
inside the machine, so ask `Members`, which looks first.  `releasable` is a bit that is set when something left or a
child was removed, and cleared when `notify_on_release` is written.  `clone_children` is kept and inherited, and means
nothing to memory.  `tcp_limit_pages` is kept for those who ask what they have set.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .page_counter import PAGE_COUNTER_MAX

if TYPE_CHECKING:
    from ..kernfs import Directory
    from ..mm import Container
    from .hierarchy import Hierarchy
    from .members import Member


class Cgroup:
    __slots__ = ("clone_children", "container", "directory", "hierarchy", "members", "notify_on_release", "parent",
                 "releasable", "tcp_limit_pages")  # fmt: skip

    def __init__(self, hierarchy: Hierarchy, container: Container, directory: Directory, parent: Cgroup | None) -> None:
        self.hierarchy = hierarchy
        self.container = container
        self.directory = directory
        self.parent = parent
        self.members: dict[int, Member] = {}
        # A new child's flag is 0 in 2007, whatever its parent's is; from March 2008 on it has its parent's (Hierarchy.mkdir).
        self.notify_on_release = False
        self.releasable = False
        self.clone_children = False
        self.tcp_limit_pages = PAGE_COUNTER_MAX

    @property
    def path(self) -> bytes:
        """From the root of the hierarchy, with a leading slash."""
        return self.directory.path

    @property
    def has_children(self) -> bool:
        return self.directory.nr_listed_directories > 0
