"""Open files: what a handle stands for.  Control files and data files differ here, and nowhere in `filesystem`.

Contract: a write is done in the name of whoever opened the file.  Of a control file whose directory was removed
everything is refused with `Removed`, here and nowhere else; only a command that is too long is refused as such before, by today's
kernel (kernfs_fop_write_iter).  A data file that was removed goes on.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from .caller import Caller
from .data import OpenData
from .errors import NoDirectAccess, NoSuchFile, Removed, TooLong
from .filetype import SeqFile
from .node import DataFile, File
from .polling import CHANGED, DEFAULT_POLLMASK
from .seq_file import SeqReader

if TYPE_CHECKING:
    from .namespace import Namespace


class OpenFile:
    """`content`: what it shows for good, what makes it, or the stream that it reads; None where each read asks the file.  What is
    only written need not be rendered.  `event`: the file's when this showed it last, 0 until then; a list of nobody is not shown."""

    __slots__ = ("caller", "content", "event", "file")

    def __init__(self, file: File, flags: int, caller: Caller) -> None:
        if not file.alive:
            raise Removed(file.name)
        if flags & os.O_DIRECT and isinstance(file.type, SeqFile):
            raise NoDirectAccess(file.name)
        self.file = file
        self.caller = caller
        self.event = 0
        if flags & os.O_TRUNC:
            file.type.truncated(file.subject)
        is_read = flags & os.O_ACCMODE != os.O_WRONLY
        self.content = file.type.opened(file.subject) if is_read else None

    @property
    def seekable(self) -> bool:
        return self.file.type.seekable

    def read(self, offset: int, nbytes: int) -> bytes:
        file = self.file
        if not file.alive:
            raise Removed(file.name)
        content = self.content
        if content is not None and not isinstance(content, bytes | SeqReader):
            return content.read(nbytes)
        is_shown = True
        try:
            if isinstance(content, bytes):
                piece = content[offset : offset + nbytes]
            elif content is not None:
                piece = content.read(offset, nbytes)
            else:
                piece = file.type.read_at(file.subject, offset, nbytes)
            is_shown = bool(piece or offset) or (isinstance(file.type, SeqFile) and not file.type.is_list)
        finally:
            if is_shown:
                self.event = file.event
        return piece

    def poll(self) -> int:
        file = self.file
        if not file.alive:
            return CHANGED
        if self.content is not None and not isinstance(self.content, bytes | SeqReader):
            return self.content.poll()
        return CHANGED if file.type.notifies and self.event != file.event else DEFAULT_POLLMASK

    def write(self, offset: int, content: bytes) -> int:
        file = self.file
        if not file.alive:
            is_refused_first = isinstance(file.type, SeqFile) and file.type.is_too_long(content)
            raise (TooLong if is_refused_first else Removed)(file.name)
        return file.type.write_at(file.subject, offset, content, self.caller)

    def fsync(self) -> None:
        """Nothing is ever on its way to anywhere."""

    def close(self) -> None:
        """Nothing is held."""


class OpenDataFile:
    """`appends`: it was opened so (O_APPEND); each write then goes to the end, wherever the offset is."""

    __slots__ = ("_appends", "_data", "_fs", "file")
    seekable = True

    def __init__(self, file: DataFile, flags: int, caller: Caller, fs: Namespace) -> None:
        if not (file.alive or file.nr_opens):
            raise NoSuchFile(file.name)
        if flags & os.O_TRUNC:
            file.data.truncate(0, caller)
            fs.was_written(file)
        self.file = file
        self._appends = flags & os.O_APPEND != 0
        self._fs = fs
        self._data: OpenData = file.data.open(caller)

    def read(self, offset: int, nbytes: int) -> bytes:
        content = self._data.read(offset, nbytes)
        self._fs.was_read(self.file)
        return content

    def write(self, offset: int, content: bytes) -> int:
        if self._appends:
            offset = self.file.data.size_bytes
        done = self._data.write(offset, content)
        self._fs.was_written(self.file)
        return done

    def poll(self) -> int:
        return DEFAULT_POLLMASK

    def fsync(self) -> None:
        self._data.fsync()

    def close(self) -> None:
        self._data.close()
