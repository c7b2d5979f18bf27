"""Which control files are stubs, and why: those that nobody goes by.

For some that is so in any machine, here or in the kernel itself.  Others turn a knob that not all rules and models have
(`Machine.knobs`): what is written there is read, and kept where it can be read back, and that is all.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from .cgroup import Cgroup

Stub = Callable[[Cgroup], str]
"""Why nothing follows from a write to the file, in this container; "" where something does."""

MISSING: Final = {
    "control_type": "these rules have no types: mapped pages and caches are charged alike",
    "memsw": "these rules do not count memory and swap together",
    "kmem": "no kernel memory is charged here: there is nothing to reset",
    "swappiness": "these rules go by the machine's, which is that of the top",
    "oom_control": "by these rules nobody waits for memory: who finds none is killed",
    "soft_limit": "this model asks nobody for what he has above it",
}
"""Why a knob that rules and model do not have is one that cannot be turned."""


def always(why: str) -> Stub:
    return lambda cgroup: why


def turns(knob: str) -> Stub:
    """It acts where the rules and the model have this knob."""
    return lambda cgroup: "" if knob in cgroup.hierarchy.machine.knobs else MISSING[knob]


def turns_below_top(knob: str) -> Stub:
    """At the top it is the machine's own, which acts in any case."""
    turning = turns(knob)
    return lambda cgroup: turning(cgroup) if cgroup.parent is not None else ""
