"""kernfs: a pseudo-filesystem in memory.  Knows neither cgroups nor FUSE, and imports nothing of ours.

Read in this order: `node` (what a name stands for), `filetype` (what a control file does), `data` (what keeps the bytes
of the others), `habits` and `directory_ops` (how a directory behaves, and what it means: the seam), `namespace` (how a tree
is built), `open_files`, `filesystem` (the requests).
"""

from __future__ import annotations

from .caller import OWNER, Caller
from .data import Data, OpenData
from .directory_ops import DirectoryOps
from .errors import StillRunning, WouldBlock
from .filesystem import Kernfs
from .filetype import PIECE_BYTES, ByteFile, ControlFile, PipeFile, SeqFile
from .habits import KERNFS, LIBFS, NAME_MAX, Habits
from .namespace import ROOT_INO
from .node import Attributes, Changes, DataFile, Directory, File, Node
from .polling import READABLE

__all__ = [
    "KERNFS",
    "LIBFS",
    "NAME_MAX",
    "OWNER",
    "PIECE_BYTES",
    "READABLE",
    "ROOT_INO",
    "Attributes",
    "ByteFile",
    "Caller",
    "Changes",
    "ControlFile",
    "Data",
    "DataFile",
    "Directory",
    "DirectoryOps",
    "File",
    "Habits",
    "Kernfs",
    "Node",
    "OpenData",
    "PipeFile",
    "SeqFile",
    "StillRunning",
    "WouldBlock",
]
