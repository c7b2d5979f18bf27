"""What a file does when it is opened, read and written: one frozen row for each kind of file.

Contract: a row is shared by all files of its kind (as the kernel's struct cftype is); what tells two files apart is
their `subject`, the first argument of every function of a row.  A row that lacks a function refuses that operation.

- `ControlFile`: text.  `show` renders all of it, at each read, or once at open when `snapshot` is set.  `write` gets
  the whole buffer of one write(2), which is one command; the offset means nothing.  A command of `too_long` bytes or
  more is refused before anybody parses it: PATH_MAX, but for files that take any length; they stop where the transport
  may cut a command into pieces, each of which would be taken for one of its own.
  What cuts the file off (O_TRUNC, truncate(2)) calls `cut`, if there is one; otherwise it means nothing.
  One that is not `seekable` is read from where the last read ended, and nowhere else.
  Of one that `notifies` poll(2) tells whether it was shown since it changed (`polling.py`).
- `SeqFile`: a control file as fs/kernfs has it, of today's cgroups.  Its mode says what it can do; a command of no bytes is
  none, and one of up to a page is taken; it is read as seq_file.py says, and polled; there is no O_DIRECT.
- `ByteFile`: addressed by offset, as /proc/PID/mem is.
- Where a command, or the reading and storing of bytes, takes until something happens, the row's function raises `StillRunning`.
- `PipeFile`: each open file reads a stream of its own, which is consumed; where there is nothing yet, it raises
  `WouldBlock`, and whoever passes requests on may ask again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Final, Generic, Protocol, TypeVar

from .caller import Caller
from .errors import NotReadable, NotWritable, StillRunning, TooLong
from .seq_file import SeqReader

PAGE_BYTES = 4096
PATH_MAX = 4096
PIECE_BYTES = 1 << 17
"""Of the transport: a write of more comes in several, so that of one of this size nobody knows whether there is more of it."""
FILE_MODE = 0o644
"""The mode of nearly every file.  The framework of 2007 gave all of them this one, whatever they could do."""
READ_MODE: Final = 0o444
WRITE_MODE: Final = 0o200

S = TypeVar("S")


def acts(subject: object) -> str:
    """Of most files."""
    return ""


class Stream(Protocol):
    """What an open `PipeFile` reads."""

    def read(self, nbytes: int) -> bytes: ...

    def poll(self) -> int:
        """READABLE, or 0 where a read would wait."""
        ...


@dataclass(frozen=True, slots=True)
class ControlFile(Generic[S]):
    name: str
    show: Callable[[S], str] | None = None
    write: Callable[[S, bytes, Caller], None] | None = None
    snapshot: bool = False
    cut: Callable[[S], None] | None = None
    too_long: int = PATH_MAX
    seekable: bool = True
    notifies: bool = False
    stub: Callable[[S], str] = acts
    """Why nothing follows from a command that it takes, where that is so; else ""."""

    @property
    def mode(self) -> int:
        return FILE_MODE

    def opened(self, subject: S) -> bytes | SeqReader | None:
        """The text that this open file will show for good, what makes it when it is read, or None to render it at each read."""
        return self.render(subject) if self.snapshot else None

    def render(self, subject: S) -> bytes:
        if self.show is None:
            raise NotReadable(self.name)
        return self.show(subject).encode("utf-8", "surrogateescape")

    def truncated(self, subject: S) -> None:
        if self.cut is not None:
            self.cut(subject)

    def read_at(self, subject: S, offset: int, nbytes: int) -> bytes:
        return self.render(subject)[offset : offset + nbytes]

    def is_too_long(self, command: bytes) -> bool:
        return len(command) >= self.too_long

    def write_at(self, subject: S, offset: int, command: bytes, caller: Caller) -> int:
        if self.write is None:
            raise NotWritable(self.name)
        if self.is_too_long(command):
            raise TooLong(self.name)
        return self.obey(subject, command, caller)

    def obey(self, subject: S, command: bytes, caller: Caller) -> int:
        if self.write is None:
            raise NotWritable(self.name)
        try:
            self.write(subject, command, caller)
        except StillRunning as running:
            raise _answering(running, len(command)) from None
        return len(command)


@dataclass(frozen=True, slots=True)
class SeqFile(ControlFile[S]):
    """`is_list`: a record for each member, so that one without members shows nothing at all.

    After fs/kernfs/file.c (kernfs_fop_open, kernfs_fop_write_iter) and kernel/cgroup/cgroup.c (cgroup_file_mode, cgroup_file_write).
    """

    too_long: int = PAGE_BYTES + 1
    notifies: bool = True
    is_list: bool = False

    @property
    def mode(self) -> int:
        return (READ_MODE if self.show is not None else 0) | (WRITE_MODE if self.write is not None else 0)

    def opened(self, subject: S) -> SeqReader:
        return SeqReader(lambda: self.render(subject))

    def write_at(self, subject: S, offset: int, command: bytes, caller: Caller) -> int:
        if self.is_too_long(command):
            raise TooLong(self.name)
        return self.obey(subject, command, caller) if command else 0


@dataclass(frozen=True, slots=True)
class ByteFile(Generic[S]):
    name: str
    load: Callable[[S, int, int], bytes] | None = None
    store: Callable[[S, int, bytes], int] | None = None
    mode: ClassVar[int] = FILE_MODE
    seekable: ClassVar[bool] = True
    notifies: ClassVar[bool] = False

    def opened(self, subject: S) -> bytes | None:
        return None

    def truncated(self, subject: S) -> None:
        """Its length is not the file's to say."""

    def read_at(self, subject: S, offset: int, nbytes: int) -> bytes:
        if self.load is None:
            raise NotReadable(self.name)
        return self.load(subject, offset, nbytes)

    def write_at(self, subject: S, offset: int, content: bytes, caller: Caller) -> int:
        if self.store is None:
            raise NotWritable(self.name)
        return self.store(subject, offset, content)


@dataclass(frozen=True, slots=True)
class PipeFile(Generic[S]):
    name: str
    stream: Callable[[S], Stream]
    mode: ClassVar[int] = FILE_MODE
    seekable: ClassVar[bool] = True
    notifies: ClassVar[bool] = False

    def opened(self, subject: S) -> Stream:
        return self.stream(subject)

    def truncated(self, subject: S) -> None:
        """There is nothing that could be cut off."""

    def read_at(self, subject: S, offset: int, nbytes: int) -> bytes:
        raise NotReadable(self.name)

    def write_at(self, subject: S, offset: int, content: bytes, caller: Caller) -> int:
        raise NotWritable(self.name)


def _answering(running: StillRunning, nbytes: int) -> StillRunning:
    """A command that is over has taken all of its bytes."""

    def outcome() -> int:
        try:
            running.outcome()
        except StillRunning as still:
            raise _answering(still, nbytes) from None
        return nbytes

    return StillRunning(str(running), outcome, running.give_up)


FileType = ControlFile[S] | ByteFile[S] | PipeFile[S]
