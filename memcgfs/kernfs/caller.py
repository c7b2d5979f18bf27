"""Who asks: the identity that comes with a request.

Contract: an immutable record; a named tuple, because one is made for every request that comes in.  `pid` is a thread
id, as FUSE gives it.  In-process use asks as `OWNER`.
"""

from __future__ import annotations

from typing import NamedTuple


class Caller(NamedTuple):
    pid: int
    uid: int
    gid: int
    umask: int = 0o022


OWNER = Caller(pid=0, uid=0, gid=0)
