"""`.machine/sys/vm`: the machine's sysctls; a row for each one that the machine has, and no other.

Contract: a value is a decimal number, with blanks around it and a sign before it, as proc_dointvec takes it; which
values make sense is the machine's to say.
"""

from __future__ import annotations

import re

from ..kernfs import Caller, ControlFile
from ..mm import Machine
from .errors import BadCommand

_INT = re.compile(rb"[ \t\n]*(-?[0-9]{1,10})[ \t\n]*")
INT_RANGE = range(-(1 << 31), 1 << 31)


def sysctl_files(machine: Machine) -> tuple[ControlFile[Machine], ...]:
    return tuple(map(_row, machine.sysctl_names))


def _row(name: str) -> ControlFile[Machine]:
    def show(machine: Machine) -> str:
        return f"{machine.sysctl(name)}\n"

    def write(machine: Machine, text: bytes, writer: Caller) -> None:
        found = _INT.fullmatch(text)
        if found is None or int(found[1]) not in INT_RANGE:
            raise BadCommand(text)
        machine.set_sysctl(name, int(found[1]))

    return ControlFile(name, show, write)
