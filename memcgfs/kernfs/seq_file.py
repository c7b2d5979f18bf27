"""Reading a control file as fs/seq_file.c has it: the text is made when a read starts at 0, and lasts while reads go on from there.

A read that goes on where the last one ended takes what is left of that text, and at its end finds the end, whatever has
happened to the file; any other read makes the text anew and skips to its offset (seq_read_iter and traverse, for a file of one
record).
"""

from __future__ import annotations

from collections.abc import Callable


class SeqReader:
    """Of one open file.  `render` makes the text."""

    __slots__ = ("_is_at_end", "_position", "_render", "_text")

    def __init__(self, render: Callable[[], bytes]) -> None:
        self._render = render
        self._position = 0
        self._text = b""
        self._is_at_end = False

    def read(self, offset: int, nbytes: int) -> bytes:
        if offset == 0:
            self._text, self._is_at_end = b"", False
        if offset != self._position:
            self._text, self._position, self._is_at_end = self._render()[offset:], offset, True
        elif not self._text and not self._is_at_end:
            self._text, self._is_at_end = self._render(), True
        piece, self._text = self._text[:nbytes], self._text[nbytes:]
        self._position += len(piece)
        return piece
