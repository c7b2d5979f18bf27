"""notify_on_release: which containers have become empty, and the program that is told of them.

Contract: `check` is called wherever something left a container and so set its `releasable`; it queues the container if
nothing is left.  The queue is worked off by `run`, between requests, because the program will make requests of its own.
It is last in, first out, as the kernel's release_list was.  The path written to `release_agent` is kept and shown,
whatever it is; run is only the very one that the mounter allowed, and the log says so of any other.

After kernel/cgroup.c of 2.6.24: check_for_release, cgroup_release_agent; kernel/cgroup/cgroup-v1.c of 6.18: cgroup1_check_for_release.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .cgroup import Cgroup
    from .host import HostProcesses


class Release:
    """`waits_for_charges`: what is charged to a container keeps it, as a member would; so it did until a page came to outlive the container
    that pays for it."""

    def __init__(self, allowed: bytes = b"", *, waits_for_charges: bool = True) -> None:
        self.agent_path = allowed
        self._allowed = allowed
        self._waits_for_charges = waits_for_charges
        self._queue: list[Cgroup] = []

    def check(self, cgroup: Cgroup) -> None:
        if (
            cgroup.parent is not None  # the top is never empty: whatever is nowhere else is there
            and cgroup.notify_on_release
            and not cgroup.members
            and not cgroup.has_children
            and not (self._waits_for_charges and cgroup.container.css_refs)
            and cgroup not in self._queue
        ):
            self._queue.append(cgroup)

    def forget(self, cgroup: Cgroup) -> None:
        """`cgroup` was removed; nobody needs to be told any more."""
        if cgroup in self._queue:
            self._queue.remove(cgroup)

    def run(self, host: HostProcesses | None) -> None:
        while self._queue:
            cgroup = self._queue.pop()
            if not self.agent_path:
                continue
            if self.agent_path != self._allowed:
                agent, path = _text(self.agent_path), _text(cgroup.path)
                cgroup.container.machine.printk(f"release_agent {agent} not run for {path}: not what the mounter allowed")
            elif host is not None:
                host.run_release_agent(_text(self.agent_path), _text(cgroup.path))


def _text(path: bytes) -> str:
    return path.decode("utf-8", "surrogateescape")
