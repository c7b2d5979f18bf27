"""What FUSE decides of the recorded cases by itself, before or after the tree is asked: a difference there has its cause.

Contract: rules look at what a step does and what was recorded of it, never at a case's name.  A rule says nothing of a step in
which the kernel under the mount does as the recorded one did, so that one that is not needed any more is seen: the tests fail
where a step that a rule covers comes out as recorded.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ...cgroup import dialect_v1
from .results import data_of

Step = Mapping[str, Any]


def kernel() -> tuple[int, int]:
    """The version of this computer's.

    >>> kernel() >= (3, 0)
    True
    """
    found = re.match(r"(\d+)\.(\d+)", os.uname().release)
    return (int(found[1]), int(found[2])) if found is not None else (0, 0)


@dataclass(frozen=True, slots=True)
class Decided:
    """`covers`: does FUSE decide this step, of which this was recorded?  `since`, `before`: the kernels that do so."""

    what: str
    why: str
    covers: Callable[[Step, Mapping[str, Any]], bool]
    since: tuple[int, int] = (0, 0)
    before: tuple[int, int] = (99, 0)

    def is_in_force(self) -> bool:
        return self.since <= kernel() < self.before


FUSE_NAME_LOW_MAX: Final = 1024
CONTROL_FILES: Final = frozenset(row.name for row in dialect_v1().top_files)


def is_of_file(step: Step) -> bool:
    """A directory refuses here what a file does not, as it does on the kernel that was recorded."""
    return os.path.basename(str(step.get("path"))) in CONTROL_FILES


def has_long_name(step: Step) -> bool:
    given = (step[end] for end in ("path", "to") if isinstance(step.get(end), str | Mapping))
    return any(len(name) > FUSE_NAME_LOW_MAX for path in given for name in data_of(path).split(b"/"))


def removes_the_watched(step: Step) -> bool:
    return any(each["op"] == "rmdir" and each["path"] == step["path"] for each in step["during"])


FUSE_DECIDES: Final = (
    Decided(
        "statfs",
        "the kind of the filesystem is FUSE's, and its size that of the machine's disk",
        lambda step, recorded: step["op"] in ("statfs", "statvfs") and "value" in recorded,
    ),
    Decided(
        "sendfile and splice from a control file",
        "they go by the size of the file, which is 0, and ask for nothing",
        lambda step, recorded: step["op"] in ("sendfile", "splice_read") and is_of_file(step)
        and recorded != {"ret": 0, "bytes": ""} and recorded.get("errno") not in ("ENOENT", "EACCES"),
        since=(6, 5),
    ),
    Decided(
        "a private mapping of a control file",
        "of what is read without the page cache too, it makes an empty one; only a shared one is refused",
        lambda step, recorded: step["op"] == "mmap" and bool(step.get("private")) and is_of_file(step)
        and recorded == {"errno": "ENODEV"},
    ),
    Decided(
        "inotify, of a directory that is removed",
        "its inode is told to be gone, where that of kernfs keeps its one link",
        lambda step, recorded: step["op"] == "inotify" and removes_the_watched(step),
    ),
    Decided(
        "a name of more than 1024 bytes",
        "no filesystem in user space was asked for one (FUSE_NAME_MAX)",
        lambda step, recorded: has_long_name(step) and recorded != {"errno": "ENAMETOOLONG"},
        before=(6, 14),
    ),
)  # fmt: skip


def why(step: Step, recorded: Mapping[str, Any]) -> str:
    """The cause of a difference in this step; '' for none."""
    for decided in FUSE_DECIDES:
        if decided.is_in_force() and decided.covers(step, recorded):
            return f"{decided.what}: {decided.why}"
    return ""
