"""How the kernel read numbers (lib/vsprintf.c and lib/cmdline.c of 2.6.23 to 2.6.25): simple_strtoul, memparse, the %d of sscanf;
and how it reads them since 2011 (lib/kstrtox.c): kstrtoull, kstrtoint.

Contract: all look at the text up to its first NUL, as C does.  The older ones take what digits there are, and wrap silently; what
they do with the rest is the caller's affair, and that is where the spellings that a file accepts differ.  The newer ones refuse what
is not a number from end to end (`BadNumber`), or too large (`OutOfRange`).
"""

from __future__ import annotations

import re

from .errors import BadNumber, OutOfRange

_DIGITS = re.compile(rb"[0-9]*")
_BLANKS = b" \t\n\v\f\r\xa0"
"""Those of the kernel's ctype table: those of C, and the no-break space of Latin-1."""
_INT = re.compile(rb"[%b]*(-?)([0-9]+)" % _BLANKS)
_ANY_BASE = re.compile(rb"0[xX](?P<hexadecimal>[0-9a-fA-F]+)|0(?P<octal>[0-7]*)|(?P<decimal>[1-9][0-9]*|)")
"""Base 0 of simple_strtoull.  An x with no digit behind it is not part of the number."""
_SUFFIX_SHIFTS = {b"K": 10, b"M": 20, b"G": 30}
_ULLONG_MAX = (1 << 64) - 1
_ULLONG_OCTAL_DIGITS = 22
"""No number of 64 bits has more digits, in any base."""
_CHUNK_DIGITS = 4000
"""Python converts so many decimal digits at once, but not of any length."""


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
    return _decimal(digits[0]) & ulong_max, text[digits.end() :]


def memparse(text: bytes) -> tuple[int, bytes]:
    """A number of bytes, decimal, 0x or 0 in front, with one of K, M, G behind it or none; and the text behind that.

    >>> [memparse(text) for text in (b"4096", b"0x1000", b"010k", b"M", b"", b"1M2M", b"0x", b"08", b"16G4")]
    [(4096, b''), (4096, b''), (8192, b''), (0, b''), (0, b''), (1048576, b'2M'), (0, b'x'), (0, b'8'), (17179869184, b'4')]
    """
    text = c_string(text)
    found = _ANY_BASE.match(text)
    assert found is not None  # the pattern matches the empty text
    if found["hexadecimal"] is not None:
        value = int(found["hexadecimal"], 16)
    elif found["octal"] is not None:
        value = int(found["octal"] or b"0", 8)
    else:
        value = _decimal(found["decimal"])
    rest = text[found.end() :]
    shift = _SUFFIX_SHIFTS.get(rest[:1].upper())
    if shift is None:
        return value & _ULLONG_MAX, rest
    return value << shift & _ULLONG_MAX, rest[1:]


def without_trailing_blanks(text: bytes) -> bytes:
    """What strstrip leaves in its argument.  The kernel of 2008 took no notice of where it says that the text begins.

    >>> without_trailing_blanks(b" 5 \\r\\n\\0 7 ")
    b' 5'
    """
    return c_string(text).rstrip(_BLANKS)


def strstrip(text: bytes) -> bytes:
    """The text without the blanks around it.

    >>> strstrip(b" \\t5\\r\\n\\n\\0 7")
    b'5'
    """
    return c_string(text).strip(_BLANKS)


def kstrtoull(text: bytes) -> int:
    """A number in base 0, of which nothing but one newline is left: no blanks, no sign but one plus.

    >>> [kstrtoull(text) for text in (b"10", b"+10\\n", b"010", b"0x10", b"0X1f\\n", b"4\\00096")]
    [10, 10, 8, 16, 31, 4]
    """
    return _kstrtoull(c_string(text).removeprefix(b"+"), text)


def kstrtoint(text: bytes) -> int:
    """The same, with a minus, and no further than a C int goes.

    >>> [kstrtoint(text) for text in (b"2147483647", b"-0x10", b"+7")]
    [2147483647, -16, 7]
    """
    digits = c_string(text)
    value = -_kstrtoull(digits[1:], text) if digits.startswith(b"-") else _kstrtoull(digits.removeprefix(b"+"), text)
    if not -(1 << 31) <= value < 1 << 31:
        raise OutOfRange(text)
    return value


def _kstrtoull(digits: bytes, text: bytes) -> int:
    """As many digits as there are decide whether it is too large; only then is it looked at what follows them."""
    found = _ANY_BASE.match(digits)
    assert found is not None  # the pattern matches the empty text
    if not found[0]:
        raise BadNumber(text)
    number = found["hexadecimal"] or found["octal"] or found["decimal"] or b"0"
    base = 16 if found["hexadecimal"] is not None else 8 if found["octal"] is not None else 10
    number = number.lstrip(b"0") or b"0"
    if len(number) > _ULLONG_OCTAL_DIGITS or int(number, base) > _ULLONG_MAX:
        raise OutOfRange(text)
    if digits[found.end() :] not in (b"", b"\n"):
        raise BadNumber(text)
    return int(number, base)


def sscanf_int(text: bytes) -> int | None:
    """What `sscanf(text, "%d", ...)` stores, None if it finds no number.

    >>> [sscanf_int(text) for text in (b" 7 8", b"-7abc", b"4294967297", b"0x1", b"+1", b"", b"abc")]
    [7, -7, 1, 0, None, None, None]
    """
    found = _INT.match(c_string(text))
    if found is None:
        return None
    value = _decimal(found[2])
    wrapped = (-value if found[1] else value) & 0xFFFF_FFFF
    return wrapped - (1 << 32) if wrapped >> 31 else wrapped


def _decimal(digits: bytes) -> int:
    """Modulo 2^64, which is as good as the number to all that ask."""
    value = 0
    for start in range(0, len(digits), _CHUNK_DIGITS):
        chunk = digits[start : start + _CHUNK_DIGITS]
        value = (value * pow(10, len(chunk), 1 << 64) + int(chunk)) & _ULLONG_MAX
    return value
