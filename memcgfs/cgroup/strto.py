"""How the kernel of 2007 read numbers (lib/vsprintf.c of 2.6.23): simple_strtoul and the %d of sscanf.

Contract: both look at the text up to its first NUL, as C does, take what digits there are, and wrap silently.  What
they do with the rest is the caller's affair; that is where the spellings that a file accepts differ.
"""

from __future__ import annotations

import re

_DIGITS = re.compile(rb"[0-9]*")
_INT = re.compile(rb"[ \t\n\v\f\r\xa0]*(-?)([0-9]+)")
"""The blanks of the kernel's ctype table: those of C, and the no-break space of Latin-1."""


def c_string(text: bytes) -> bytes:
    return text.partition(b"\0")[0]


def simple_strtoul(text: bytes, ulong_max: int) -> tuple[int, bytes]:
    """The leading decimal number, 0 if there is none, and the first text that is not part of it.

    >>> simple_strtoul(b"12abc", 2**32 - 1)
    (12, b'abc')
    >>> simple_strtoul(b"4294967299", 2**32 - 1)
    (3, b'')
    >>> simple_strtoul(b"-1", 2**32 - 1)
    (0, b'-1')
    """
    text = c_string(text)
    digits = _DIGITS.match(text)
    assert digits is not None  # the pattern matches the empty text
    return int(digits[0] or b"0") & ulong_max, text[digits.end() :]


def sscanf_int(text: bytes) -> int | None:
    """What `sscanf(text, "%d", ...)` stores, None if it finds no number.

    >>> [sscanf_int(text) for text in (b" 7 8", b"-7abc", b"4294967297", b"0x1", b"+1", b"", b"abc")]
    [7, -7, 1, 0, None, None, None]
    """
    found = _INT.match(c_string(text))
    if found is None:
        return None
    value = int(found[2])
    wrapped = (-value if found[1] else value) & 0xFFFF_FFFF
    return wrapped - (1 << 32) if wrapped >> 31 else wrapped
