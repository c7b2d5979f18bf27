"""What `.machine` refuses, each as what happened.  `tree.py` gives each class its errno."""

from __future__ import annotations


class MachinefsError(Exception):
    """A request that `.machine` refuses."""


class BadCommand(MachinefsError):
    """Not one of the commands, or not with these words."""


class BadPid(MachinefsError):
    """Not the name of a task: decimal, from 2 to 4194303."""


class NoFileToMap(MachinefsError):
    """The machine has no file of that name."""


class OnlyRootLowers(MachinefsError):
    """oom_adj is lowered by root only (CAP_SYS_RESOURCE)."""
