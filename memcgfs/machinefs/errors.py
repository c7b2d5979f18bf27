"""What `.machine` refuses, each as what happened.  `tree.py` gives each class its errno."""

from __future__ import annotations


class MachinefsError(Exception):
    """A request that `.machine` refuses."""


class BadCommand(MachinefsError):
    """Not one of the commands, or not with these words."""


class NoNumber(MachinefsError):
    """What was written to oom_adj does not begin with a number."""


class BadPid(MachinefsError):
    """Not the name of a task: decimal, from 2 to 4194303."""


class NotMappable(MachinefsError):
    """A directory has no mmap."""


class NotAllowed(MachinefsError):
    """The modes of a file, or of a directory on the way to it, keep the task's maker from it."""


class NoMemoryForTrace(MachinefsError):
    """A trace buffer of more than a GiB."""


class OnlyRootLowers(MachinefsError):
    """oom_adj is lowered by root only (CAP_SYS_RESOURCE)."""
