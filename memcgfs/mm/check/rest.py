"""Between operations the machine is at rest: no lock is held, nobody runs, no daemon, no reclaim."""

from __future__ import annotations

from collections import Counter

from .. import params
from .walk import Walk


def check_rest(walk: Walk) -> None:
    """No operation is under way: no lock is held, no reclaim runs."""
    walk.equal("locks held", walk.core.lockdep.held, 0)
    walk.expect(walk.core.late_error is None, f"an error was kept, and has not come up: {walk.core.late_error!r}")
    walk.equal("operations under way", walk.machine.depth, 0)
    walk.equal("reclaims under way", walk.core.scan_depth, 0)
    walk.equal("priority of the reclaim under way", walk.core.current_priority, -1)
    walk.expect(not walk.with_flag(params.PG_METAPAGE), "a meta page is locked")
    waiting = list(walk.core.containers.released[: walk.core.containers.nr_released])
    walk.expect(len(waiting) == len(set(waiting)), "a container waits twice to be looked at")
    nodes = Counter(task.node for task in walk.machine.tasks.values() if task.space is not None)
    walk.expect(walk.machine.nr_running == [nodes[node] for node in range(walk.core.nr_nodes)], "tasks on each node")
    users = Counter(id(task.space) for task in walk.machine.tasks.values())
    for mm, space in walk.machine.spaces.items():
        walk.equal(f"mm {mm}: users", space.users, users[id(space)])
    for task in walk.machine.tasks.values():
        if task.space is not None:
            walk.expect(walk.machine.spaces.get(task.space.mm) is task.space, f"task {task.pid}: its address space is not known")


def check_daemons(walk: Walk) -> None:
    """Between operations no daemon runs, and the next one due is known."""
    daemons = walk.core.daemons
    walk.expect(not any(daemons.is_running), "a daemon runs")
    due = [(due_ns, daemon) for daemon, due_ns in enumerate(daemons.due_ns) if due_ns >= 0]
    next_ns, next_daemon = min(due, default=(-1, daemons.next_daemon))
    walk.expect((daemons.next_ns, daemons.next_daemon) == (next_ns, next_daemon), f"daemon {next_daemon} is next, at {next_ns} ns")
