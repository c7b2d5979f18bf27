"""The bytes of a trace file: plain, gzip or zstd, told by what the file starts with, whatever its name.

Contract
- `Source` reads the file once, front to back, so a pipe will do.  `position` counts the bytes of the file that were
  taken, before decompression; progress is measured with it.
- A compressed file that ends early, or is damaged, is a `TraceError`: what came before must not pass for the whole.
  Several compressed pieces behind each other are read as one, as gzip and zstd do.
- A file that cannot be opened or read is a `TraceError` too.
- `TraceError` is one line: the file, the place, what is wrong there.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Protocol

import numpy as np
import zstandard
from numpy.typing import NDArray

GZIP_WBITS = 31
"""What makes zlib expect the header of gzip."""
PLAIN_READ_BYTES = 1 << 18
COMPRESSED_READ_BYTES = 1 << 14
"""Small, because zstd gives all that a piece unpacks to at once."""
MAX_LINE_BYTES = 1 << 16
"""No line of a text trace is nearly as long; a file with longer ones is something else."""


class Batch(NamedTuple):
    """Accesses in order: page numbers, and for each 1 where it writes."""

    pages: NDArray[np.uint64]
    writes: NDArray[np.uint8]


class TraceError(ValueError):
    """One line for people, which starts with the file's name."""

    def __init__(self, path: object, reason: str) -> None:
        super().__init__(f"{path}: {reason}")


class Decompressor(Protocol):
    """What zlib's and zstandard's decompressobj have in common."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, piece: bytes, /) -> bytes: ...


COMPRESSIONS: dict[bytes, tuple[str, Callable[[], Decompressor]]] = {
    b"\x1f\x8b": ("gzip", lambda: zlib.decompressobj(GZIP_WBITS)),
    b"\x28\xb5\x2f\xfd": ("zstd", lambda: zstandard.ZstdDecompressor().decompressobj()),
}
"""By magic number: the name, and what unpacks one piece."""


class Source:
    """A trace file, open for reading in a `with` block."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        try:
            self._file = self.path.open("rb")
        except OSError as error:
            raise TraceError(path, os.strerror(error.errno or 0)) from None
        self.size_bytes = os.fstat(self._file.fileno()).st_size
        self.position = 0
        self._unpacked = bytearray()
        self._compression = ""
        self._new_decompressor: Callable[[], Decompressor] | None = None

    def __enter__(self) -> Source:
        with ExitStack() as closing:
            closing.push(self)
            self._start()
            closing.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()

    def peek(self, nbytes: int) -> bytes:
        """The next bytes, which stay to be read; fewer where the trace ends."""
        self._fill(nbytes)
        return bytes(self._unpacked[:nbytes])

    def read(self, nbytes: int) -> bytes:
        """The next bytes; fewer where the trace ends."""
        self._fill(nbytes)
        found = bytes(self._unpacked[:nbytes])
        del self._unpacked[:nbytes]
        return found

    def _start(self) -> None:
        start = self._take(PLAIN_READ_BYTES)
        for magic, (name, new_decompressor) in COMPRESSIONS.items():
            if start.startswith(magic):
                self._compression, self._new_decompressor = name, new_decompressor
                self._decompressor = new_decompressor()
        self._unpack(start)

    def _fill(self, nbytes: int) -> None:
        piece_bytes = COMPRESSED_READ_BYTES if self._new_decompressor else PLAIN_READ_BYTES
        while len(self._unpacked) < nbytes:
            piece = self._take(piece_bytes)
            if not piece:
                if self._new_decompressor is not None and not self._decompressor.eof:
                    raise TraceError(self.path, f"truncated: the {self._compression} stream ends early, "
                                                f"at byte {self.position}")  # fmt: skip
                break
            self._unpack(piece)

    def _take(self, nbytes: int) -> bytes:
        try:
            piece = self._file.read(nbytes)
        except OSError as error:
            raise TraceError(self.path, f"byte {self.position}: {os.strerror(error.errno or 0)}") from None
        self.position += len(piece)
        return piece

    def _unpack(self, piece: bytes) -> None:
        if self._new_decompressor is None:
            self._unpacked += piece
            return
        try:
            while piece:
                if self._decompressor.eof:
                    self._decompressor = self._new_decompressor()
                self._unpacked += self._decompressor.decompress(piece)
                piece = self._decompressor.unused_data
        except (zlib.error, zstandard.ZstdError):
            before = max(self.position - len(piece), 0)
            raise TraceError(self.path, f"damaged: no {self._compression} stream after byte {before}") from None
