"""What a pseudo-filesystem refuses, each as what happened.

Contract: raised by `kernfs` and by the layers on it, never caught here.  The table in `tree.py` gives each class its
errno, the one the virtual filesystem switch of Linux or its cgroup filesystem gives in the same place.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class KernfsError(Exception):
    """A request that the pseudo-filesystem refuses."""


class NoSuchFile(KernfsError):
    """No node of that name or number, or a listing of a directory that was removed."""


class NameTaken(KernfsError):
    """The name exists already."""


class NameTooLong(KernfsError):
    """More bytes than a name may have."""


class NotADirectory(KernfsError):
    """A directory was needed."""


class IsADirectory(KernfsError):
    """A file was needed."""


class NotEmpty(KernfsError):
    """The directory has something in it."""


class InvalidRename(KernfsError):
    """A flag of renameat2 that means nothing here, or a directory into itself."""


class OtherFilesystem(KernfsError):
    """A file goes from one kind of directory to another: that takes a copy."""


class OtherParent(KernfsError):
    """A directory is renamed in place only, never moved."""


class Pinned(KernfsError):
    """The root, or a directory whose name is taken for good."""


class BadName(KernfsError):
    """A name that may not be given."""


class NotPermitted(KernfsError):
    """An operation that this directory does not have at all."""


class CreateRefused(KernfsError):
    """Users make no files in this directory."""


class BadOffset(KernfsError):
    """A place before the beginning of a file."""


class NoDirectAccess(KernfsError):
    """O_DIRECT, for a file that has no pages."""


class NoXattrs(KernfsError):
    """There are no extended attributes at all, in the whole tree."""


class NoSuchNamespace(KernfsError):
    """An extended attribute of a kind that is not kept."""


class BadXattr(KernfsError):
    """The name of a kind of extended attributes, and none of it."""


class NoSuchXattr(KernfsError):
    """It has no extended attribute of that name."""


class NoSpaceForXattrs(KernfsError):
    """More than users may keep with one file."""


class NoSync(KernfsError):
    """Nothing that could be written back."""


class NotReadable(KernfsError):
    """The file has nothing to show."""


class NotWritable(KernfsError):
    """The file takes no commands."""


class WouldBlock(KernfsError):
    """There is nothing to read yet, or nobody to do what was written."""


class StillRunning(WouldBlock):
    """What was asked is under way, and goes on by itself, when it can.

    `outcome` gives the answer that the request would have had, or raises what it would have; this again, while it is under way.
    `give_up` ends it.
    """

    def __init__(self, name: object, outcome: Callable[[], Any], give_up: Callable[[], None]) -> None:
        super().__init__(name)
        self.outcome = outcome
        self.give_up = give_up


class TooLong(KernfsError):
    """A command of PATH_MAX bytes or more."""


class Removed(KernfsError):
    """The file's directory was removed while the file was open."""


class BadHandle(KernfsError):
    """No open file has that number."""
