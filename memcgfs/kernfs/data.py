"""Files of data: what keeps the bytes of a file that users make.

Contract: Kernfs knows the file's names, modes, dates and open handles; the bytes, and all that reading and writing them
means, belong to a `Data`, which whoever gives the directory its meaning made (`DirectoryOps.create`).

- `open` is asked for each open handle, which ends with `close`; many may be open at a time.
- `free` is called once, when the last of its name and its open handles has gone.
- What is refused is raised; a write that took something says how much, and does not raise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from .caller import Caller


class OpenData(Protocol):
    """One open handle."""

    def read(self, offset: int, nbytes: int, /) -> bytes:
        """Fewer bytes at the end of the file only."""
        ...

    def write(self, offset: int, content: bytes, /) -> int: ...

    def fsync(self) -> None: ...

    def close(self) -> None: ...


class Data(Protocol):
    @property
    def size_bytes(self) -> int: ...

    @property
    def nr_blocks(self) -> int:
        """Units of 512 bytes that are taken on the disk."""
        ...

    def open(self, caller: Caller) -> OpenData: ...

    def truncate(self, size_bytes: int, caller: Caller) -> None: ...

    def free(self) -> None: ...
