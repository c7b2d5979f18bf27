"""Which recorded cases can be played on a mount, and what FUSE decides in those that can.

Contract: rules look at what a case does, never at its name.  `why_not` gives the reason why a case says nothing about a mounted emulation,
or ''.  `FUSE_DECIDES` is all that the transport settles by itself, before or after the tree is asked: a difference there has its cause.
docs/2008.md has the same list, in words; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ..kernfs import PIECE_BYTES
from .actors import COMMANDS, OWN_CGROUP
from .calls import text_of
from .mounted import CG

OUR_PROC: Final = (OWN_CGROUP, "/proc/swaps", "/proc/sys/vm/")
"""What a mount has of the recorded machine's /proc."""
OTHER_SUBSYSTEMS: Final = ("debug.", "cpuacct.", "ns.")
TOPS_OWN: Final = tuple(f"{CG}/{name}" for name in ("tasks", "memory.usage_in_bytes", "memory.stat"))
READS: Final = ("read", "readat", "readchunk", "openkeep")
WRITES: Final = ("write", "writet", "rdwr", "kwrite")
OUR_MOUNT_OPTIONS: Final = ("memory", "noprefix", "release_agent")

MOUNT_ITSELF: Final = "mount(2): a mounted emulation does not decide what can be mounted"
RECORDED_PROC: Final = "/proc of the recorded machine"
OTHER_SUBSYSTEM: Final = "a file of another subsystem"
RECORDED_PROCESSES: Final = "what the recorded machine's own processes are and use in the top group"


def why_not(steps: Sequence[Sequence[Any]]) -> str:
    for actor, command, result in steps:
        name, *words = command.split(" ")
        if name in ("mount", "umount"):
            if not is_our_mount(actor, name, words, result):
                return MOUNT_ITSELF
            continue
        if name not in COMMANDS:
            return f"{name}: not a command of recorded cases"
        if any(word.startswith("/proc/") and not word.startswith(OUR_PROC) for word in words):
            return RECORDED_PROC
        if any(word.rpartition("/")[2].startswith(OTHER_SUBSYSTEMS) for word in words if word.startswith("/")):
            return OTHER_SUBSYSTEM
        if name in READS and any(word in TOPS_OWN for word in words):
            return RECORDED_PROCESSES
    return ""


def is_our_mount(actor: str, name: str, words: Sequence[str], result: Mapping[str, Any]) -> bool:
    """The memory hierarchy at the place where all cases have it."""
    if actor != "m" or name != "mount" or len(words) != 4 or result != {"ok": 0}:
        return False
    _source, directory, fstype, options = words
    given = [option.partition("=")[0] for option in options.split(",")]
    return directory == CG and fstype == "cgroup" and "memory" in given and set(given) <= set(OUR_MOUNT_OPTIONS)


@dataclass(frozen=True, slots=True)
class Decided:
    """`touches`: does FUSE decide this command?  What is read of the same file later in the case may differ with it."""

    what: str
    why: str
    touches: Callable[[str, Sequence[str]], bool]


FUSE_DECIDES: Final = (
    Decided(
        "a write of no bytes",
        "it never arrives: it does nothing, and returns 0",
        lambda name, words: name in WRITES and not text_of(list(words[1:])),
    ),
    Decided(
        "a write of 128 KiB or more",
        "it comes in pieces, so that it is refused: E2BIG",
        lambda name, words: name in WRITES and len(text_of(list(words[1:]))) >= PIECE_BYTES,
    ),
    Decided(
        "a write from a bad address",
        "the bytes are fetched before anybody is asked: EFAULT, also where no write is taken, or none of its bytes are looked at",
        lambda name, words: name == "writefault",
    ),
    Decided(
        "a read behind a write, through one descriptor",
        "a write moves the file position, which 2.6.25 left where it was",
        lambda name, words: name == "rdwr",
    ),
)
