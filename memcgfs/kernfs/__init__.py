"""kernfs: a pseudo-filesystem in memory.  Knows neither cgroups nor FUSE, and imports nothing of ours.

Read in this order: `node` (what a name stands for), `filetype` (what a file does), `directory_ops` (what a directory
means, the seam), `namespace` (how a tree is built), `filesystem` (the requests).
"""

from __future__ import annotations

from .caller import OWNER, Caller
from .directory_ops import DirectoryOps
from .filesystem import Kernfs
from .filetype import ByteFile, ControlFile
from .namespace import ROOT_INO
from .node import Attributes, Changes, Directory, File, Node

__all__ = [
    "OWNER",
    "ROOT_INO",
    "Attributes",
    "ByteFile",
    "Caller",
    "Changes",
    "ControlFile",
    "Directory",
    "DirectoryOps",
    "File",
    "Kernfs",
    "Node",
]
