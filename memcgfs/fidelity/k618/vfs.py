"""What the vfs refuses, or makes of a request, before a filesystem is asked; a tree in this process is asked as its filesystem is.

After fs/namei.c (getname, do_mknodat), fs/open.c (do_truncate, chown_common), fs/read_write.c (rw_verify_area) and fs/xattr.c.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import Final, NoReturn

PATH_MAX: Final = 4096
XATTR_NAME_MAX: Final = 255
XATTR_SIZE_MAX: Final = 1 << 16
LOFF_MAX: Final = (1 << 63) - 1


def refuse(number: int) -> NoReturn:
    raise OSError(number, os.strerror(number))


def getname(path: str) -> bytes:
    name = os.fsencode(path)
    if b"\0" in name:
        raise ValueError("embedded null byte")
    return name if len(name) < PATH_MAX else refuse(errno.ENAMETOOLONG)


def may_mknod(mode: int) -> int:
    """No kind is that of a file; links and directories are made by other means."""
    kind = stat.S_IFMT(mode)
    if kind == stat.S_IFLNK:
        refuse(errno.EINVAL)
    if kind == stat.S_IFDIR:
        refuse(errno.EPERM)
    return mode if kind else mode | stat.S_IFREG


def may_open_directory(flags: int) -> None:
    if flags & (os.O_ACCMODE | os.O_TRUNC):
        refuse(errno.EISDIR)
    if flags & os.O_DIRECT:
        refuse(errno.EINVAL)


def size_of(size: int) -> int:
    return size if size >= 0 else refuse(errno.EINVAL)


def mode_after_chown(mode: int) -> int | None:
    """setattr_should_drop_suidgid: who executes a file is somebody else now; None where nothing changes."""
    dropped = stat.S_ISUID | (stat.S_ISGID if mode & stat.S_IXGRP else 0)
    return None if stat.S_ISDIR(mode) or not mode & dropped else stat.S_IMODE(mode & ~dropped)


def xattr_name(name: str) -> bytes:
    found = os.fsencode(name)
    if b"\0" in found:
        raise ValueError("embedded null byte")
    return found if 0 < len(found) <= XATTR_NAME_MAX else refuse(errno.ERANGE)


def xattr_value(value: bytes) -> bytes:
    return value if len(value) <= XATTR_SIZE_MAX else refuse(errno.E2BIG)


def may_read(flags: int, offset: int, nbytes: int) -> None:
    if flags & os.O_ACCMODE == os.O_WRONLY:
        refuse(errno.EBADF)
    require_area(offset, nbytes)


def may_write(flags: int, offset: int, nbytes: int) -> None:
    if flags & os.O_ACCMODE == os.O_RDONLY:
        refuse(errno.EBADF)
    require_area(offset, nbytes)


def require_area(offset: int, nbytes: int) -> None:
    if not 0 <= offset <= LOFF_MAX - nbytes:
        refuse(errno.EINVAL)
