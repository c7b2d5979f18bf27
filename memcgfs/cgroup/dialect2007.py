"""The dialect of July 2007: the control files of the memory container v4 on the container framework v11.

Three sets of names for the controller's files: what the code of v4 says, what its cover letter types, and bare, which
the framework's option `noprefix` gave.  `strict` leaves out what 2007 did not have: the newline that is forgiven, and
the two files that 2.6.25 brought.
"""

from __future__ import annotations

from dataclasses import replace

from ..kernfs import ControlFile
from .dialect import Dialect, Rows
from .framework import COMMON_FILES, set_release_agent, show_release_agent, without_newline
from .knobs import turns
from .memory import (
    exact,
    force_empty,
    newline_forgiven,
    set_control_type,
    set_limit,
    show_control_type,
    show_failcnt,
    show_limit,
    show_stat,
    show_usage,
)

PREFIXES = {"memory": "memory.", "mem_container": "mem_", "noprefix": ""}

TOP: Rows = (ControlFile("release_agent", show_release_agent, set_release_agent(without_newline)),)


def controller(strict: bool) -> Rows:
    spelling = exact if strict else newline_forgiven
    of_2007: Rows = (
        ControlFile("usage", show_usage),
        ControlFile("limit", show_limit, set_limit(spelling)),
        ControlFile("failcnt", show_failcnt),
        ControlFile("control_type", show_control_type, set_control_type(spelling), stub=turns("control_type")),
    )
    of_2008: Rows = (
        ControlFile("force_empty", write=force_empty),
        ControlFile("stat", show_stat),
    )
    return of_2007 if strict else of_2007 + of_2008


def dialect2007(names: str = "memory", *, strict: bool = False) -> Dialect:
    prefix = PREFIXES[names]
    return Dialect("2007", COMMON_FILES, TOP, tuple(replace(row, name=prefix + row.name) for row in controller(strict)))
