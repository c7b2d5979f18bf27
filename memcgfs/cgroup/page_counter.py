"""How today's kernel reads an amount of memory (mm/page_counter.c: page_counter_memparse, lib/cmdline.c: memparse)."""

from __future__ import annotations

import re
from typing import Final

from ..mm import PAGE_BYTES

PAGE_COUNTER_MAX: Final = ((1 << 63) - 1) // PAGE_BYTES
"""Pages: what no limit is, shown as 9223372036854771712 bytes."""
_NUMBER = re.compile(rb"(?:0[xX]([0-9a-fA-F]+)|0([0-7]*)|([1-9][0-9]*)|)([KkMmGgTtPpEe]?)")
"""Base 0, and a suffix; either may be missing."""
_SHIFTS = {b"": 0, b"K": 10, b"M": 20, b"G": 30, b"T": 40, b"P": 50, b"E": 60}


def page_counter_memparse(text: bytes) -> int | None:
    """Pages, rounded down; None if it is no amount.  It wraps at 2^64 bytes, and ends at PAGE_COUNTER_MAX, which -1 stands for.

    >>> [page_counter_memparse(text) for text in (b"1M", b"010000", b"0x2fff", b"K", b"", b"16E", b"17179869184G", b"4095")]
    [256, 1, 2, 0, 0, 0, 0, 0]
    >>> [page_counter_memparse(text) == PAGE_COUNTER_MAX for text in (b"-1", b"8E", b"9223372036854775808", b"9223372036854771712")]
    [True, True, True, True]
    >>> [page_counter_memparse(text) for text in (b"-2", b"+1", b"1.5M", b"64KB", b" 1", b"08", b"max")]
    [None, None, None, None, None, None, None]
    """
    if text == b"-1":
        return PAGE_COUNTER_MAX
    found = _NUMBER.fullmatch(text)
    if found is None:
        return None
    hexadecimal, octal, decimal, suffix = found.groups()
    if hexadecimal is not None:
        value = int(hexadecimal, 16)
    elif octal is not None:
        value = int(octal or b"0", 8)
    else:
        value = int(decimal or b"0")
    nbytes = value << _SHIFTS[suffix.upper()] & (1 << 64) - 1
    return min(nbytes // PAGE_BYTES, PAGE_COUNTER_MAX)
