"""What the container filesystem refuses, each as what happened.  `tree.py` gives each class its errno."""

from __future__ import annotations


class CgroupError(Exception):
    """A request that the container filesystem refuses."""


class BadNumber(CgroupError):
    """Not the number that the file takes."""


class OutOfRange(CgroupError):
    """A number, and larger than the file takes."""


class NoPid(CgroupError):
    """What was written to `tasks` does not start with a number."""


class NoSuchTask(CgroupError):
    """No living task has that pid."""


class NotYourTask(CgroupError):
    """The task belongs to somebody else, and the writer is not root."""


class CannotMigrate(CgroupError):
    """A thread of the kernel's that is bound to where it is."""


class NotPrivileged(CgroupError):
    """What only root may write."""


class HasTasks(CgroupError):
    """The container still has members."""


class HasChildren(CgroupError):
    """The container still has containers in it."""


class BadEvent(CgroupError):
    """Not what cgroup.event_control takes: its words, its descriptors, or their arguments."""


class BadDescriptor(CgroupError):
    """Nothing is open under that number."""


class NotYourFile(CgroupError):
    """The writer may not read the file that is to tell of events."""


class NoRightToDescriptor(CgroupError):
    """This process may not take descriptors from that one."""
