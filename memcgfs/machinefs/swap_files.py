"""`.machine/swapon` and `.machine/swapoff`: swap areas that come and go.

Contract: `NAME SIZE [PRIORITY]` and `NAME`, as swapon(8) and swapoff(8) are told it.  Both files read as `swaps`, which shows what
writing to them did.  Whoever writes to swapoff brings the area's pages back, and in 2007 pays for them: a process of the host is
charged in the container that it is a member of, or in the top one.  (A simulated task has the same two as commands of its `ctl`.)
"""

from __future__ import annotations

from typing import Any

from ..cgroup import Hierarchy
from ..kernfs import Caller, ControlFile
from ..mm import PAGE_BYTES
from .errors import BadCommand
from .grammar import Usage, words_of
from .machine_files import show_swaps

SWAPON = Usage("swapon NAME SIZE [PRIORITY]")
SWAPOFF = Usage("swapoff NAME")


def show_areas(hierarchy: Hierarchy) -> str:
    return show_swaps(hierarchy.machine)


def write_swapon(hierarchy: Hierarchy, text: bytes, writer: Caller) -> None:
    name, nbytes, priority = _parsed(SWAPON, text)
    hierarchy.machine.swapon(name, nbytes // PAGE_BYTES, priority)


def write_swapoff(hierarchy: Hierarchy, text: bytes, writer: Caller) -> None:
    (name,) = _parsed(SWAPOFF, text)
    hierarchy.machine.swapoff(name, hierarchy.members.cgroup_of_host(writer.pid).container)


def _parsed(usage: Usage, text: bytes) -> list[Any]:
    """The values, each of the type that its kind in the usage has."""
    values = usage.parse(words_of(text))
    if values is None:
        raise BadCommand(text)
    return values


SWAP_FILES: tuple[ControlFile[Hierarchy], ...] = (
    ControlFile("swapon", show_areas, write_swapon),
    ControlFile("swapoff", show_areas, write_swapoff),
)
