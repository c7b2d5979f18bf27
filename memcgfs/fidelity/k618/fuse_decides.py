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
    """`covers`: does FUSE decide this step, of which this was recorded?  `since`: the kernel from which on it does so."""

    what: str
    why: str
    covers: Callable[[Step, Mapping[str, Any]], bool]
    since: tuple[int, int] = (0, 0)


CONTROL_FILES: Final = frozenset(row.name for row in dialect_v1().top_files)


def is_of_file(step: Step) -> bool:
    """A directory refuses here what a file does not, as it does on the kernel that was recorded."""
    return os.path.basename(str(step.get("path"))) in CONTROL_FILES


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
)  # fmt: skip


def why(step: Step, recorded: Mapping[str, Any]) -> str:
    """The cause of a difference in this step; '' for none."""
    for decided in FUSE_DECIDES:
        if kernel() >= decided.since and decided.covers(step, recorded):
            return f"{decided.what}: {decided.why}"
    return ""
