"""Extended attributes, as fs/kernfs/inode.c keeps them: those of `user.`, `trusted.` and `security.`.

Contract: a node's attributes are a dict, which is never changed but replaced.  Who may see and set which of them the kernel
decides before it asks, but for names of `trusted.`, which it leaves out of nobody's list.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from .caller import Caller
from .errors import BadXattr, NoSpaceForXattrs, NoSuchNamespace, NoSuchXattr

USER: Final = b"user."
TRUSTED: Final = b"trusted."
KINDS: Final = (USER, TRUSTED, b"security.")
MAX_USER_XATTRS: Final = 128
USER_XATTR_SIZE_LIMIT: Final = 128 << 10
"""include/linux/kernfs.h; all others may take what they like."""

Xattrs = Mapping[bytes, bytes]


def require_kind(name: bytes) -> None:
    if not name.startswith(KINDS):
        raise NoSuchNamespace(name)
    if name in KINDS:
        raise BadXattr(name)


def xattr(xattrs: Xattrs, name: bytes) -> bytes:
    require_kind(name)
    try:
        return xattrs[name]
    except KeyError:
        raise NoSuchXattr(name) from None


def xattr_names(xattrs: Xattrs, caller: Caller) -> list[bytes]:
    """simple_xattr_list: by name."""
    return sorted(name for name in xattrs if caller.uid == 0 or not name.startswith(TRUSTED))


def with_xattr(xattrs: Xattrs, name: bytes, value: bytes) -> dict[bytes, bytes]:
    """simple_xattr_add, simple_xattr_set."""
    require_kind(name)
    found = {**xattrs, name: value}
    if name.startswith(USER):
        users = [kept for key, kept in found.items() if key.startswith(USER)]
        if len(users) > MAX_USER_XATTRS or sum(map(len, users)) > USER_XATTR_SIZE_LIMIT:
            raise NoSpaceForXattrs(name)
    return found


def without_xattr(xattrs: Xattrs, name: bytes) -> dict[bytes, bytes]:
    xattr(xattrs, name)
    return {key: value for key, value in xattrs.items() if key != name}
