"""Numbers with units, as options and the files of `.machine` take them.  (Control files have a spelling of their own.)

Contract: pure functions from text to int, or None where the text is something else; imports nothing of ours.  A number
is decimal or 0x, has no sign, and fits an unsigned long of 64 bits.  A time is a number with a unit, or of nanoseconds;
a size one with K, M, G or T, or of bytes.

>>> number("0x10"), number("010"), number("-1"), number("1" * 30)
(16, 10, None, None)
>>> time_ns("100ms"), time_ns("7"), time_ns("1.5s"), time_ns("ms")
(100000000, 7, None, None)
>>> size_bytes("64M"), size_bytes("0"), size_bytes("16E"), size_bytes("-1")
(67108864, 0, None, None)
"""

from __future__ import annotations

import re

NS_OF_UNIT = {"": 1, "ns": 1, "us": 1_000, "ms": 1_000_000, "s": 1_000_000_000}
BYTES_OF_UNIT = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
PID_MIN = 2
PID_MAX = 4_194_303

_NUMBER = re.compile(r"(0[xX][0-9a-fA-F]+)|([0-9]+)")
_TIME = re.compile(r"([0-9]+)(|ns|us|ms|s)")
_SIZE = re.compile(r"([0-9]+)([KMGT]?)", re.IGNORECASE)
_PID = re.compile(r"[1-9][0-9]*")


def number(text: str) -> int | None:
    found = _NUMBER.fullmatch(text)
    if found is None or len(text) > 64:
        return None
    return _in_ulong(int(text, 16) if found[1] else int(text))


def signed(text: str) -> int | None:
    magnitude = number(text.removeprefix("-"))
    return -magnitude if magnitude is not None and text.startswith("-") else magnitude


def time_ns(text: str) -> int | None:
    found = _TIME.fullmatch(text)
    if found is None or len(text) > 64:
        return None
    return _in_ulong(int(found[1]) * NS_OF_UNIT[found[2]])


def size_bytes(text: str) -> int | None:
    found = _SIZE.fullmatch(text)
    if found is None or len(text) > 64:
        return None
    return _in_ulong(int(found[1]) * BYTES_OF_UNIT[found[2].upper()])


def pid(text: str) -> int | None:
    """A pid is written in one way only, because it is a file name."""
    if len(text) > 7 or _PID.fullmatch(text) is None:
        return None
    value = int(text)
    return value if PID_MIN <= value <= PID_MAX else None


def _in_ulong(value: int) -> int | None:
    return value if value < 1 << 64 else None
