"""The dialect of April 2008: the control files of Linux 2.6.25, the first release with the memory controller.

Amounts are bytes.  A limit is written as memparse reads it (decimal, 0x or 0 in front, one of K, M, G behind), blanks behind it are
forgiven, and it is rounded up to whole pages, over the edge of 64 bits to 0 if need be; so is the default, which can be read but not
written.  Nothing but blanks, or a suffix alone, is 0.  What takes no command refuses every write (EINVAL).

After kernel/res_counter.c (res_counter_write), mm/memcontrol.c (mem_cgroup_write_strategy, mem_cgroup_files) and kernel/cgroup.c
(cgroup_common_file_write) of 2.6.25.  memory.stat is a seq_file, which is read on, but not at an offset.
"""

from __future__ import annotations

from dataclasses import replace

from ..kernfs import PIECE_BYTES, Caller, ControlFile
from ..mm import PAGE_BYTES
from .cgroup import Cgroup
from .dialect import Dialect, Rows
from .errors import BadNumber
from .framework import COMMON_FILES, set_release_agent, show_release_agent
from .memory import force_empty, show_failcnt, show_stat
from .strto import memparse, without_trailing_blanks

PREFIXES = {"memory": "memory.", "noprefix": ""}
ULLONG_MAX = (1 << 64) - 1

TOP: Rows = (ControlFile("release_agent", show_release_agent, set_release_agent(without_trailing_blanks)),)


def show_usage_in_bytes(cgroup: Cgroup) -> str:
    return f"{cgroup.container.usage * PAGE_BYTES}\n"


def show_limit_in_bytes(cgroup: Cgroup) -> str:
    return f"{cgroup.container.limit_bytes}\n"


def set_limit_in_bytes(cgroup: Cgroup, text: bytes, writer: Caller) -> None:
    """A limit below the usage is fine; it shows at the next charge."""
    nbytes, rest = memparse(without_trailing_blanks(text))
    if rest:
        raise BadNumber(text)
    cgroup.container.limit_bytes = (nbytes + PAGE_BYTES - 1 & ULLONG_MAX) // PAGE_BYTES * PAGE_BYTES


CONTROLLER: Rows = (
    ControlFile("usage_in_bytes", show_usage_in_bytes),
    ControlFile("limit_in_bytes", show_limit_in_bytes, set_limit_in_bytes, too_long=PIECE_BYTES),
    ControlFile("failcnt", show_failcnt),
    ControlFile("force_empty", write=force_empty, too_long=PIECE_BYTES),
    ControlFile("stat", show_stat, seekable=False),
)


def dialect2008(names: str = "memory") -> Dialect:
    prefix = PREFIXES[names]
    return Dialect("2008", COMMON_FILES, TOP, tuple(replace(row, name=prefix + row.name) for row in CONTROLLER))
