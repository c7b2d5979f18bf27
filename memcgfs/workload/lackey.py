"""Valgrind's lackey output (--trace-mem=yes): one access a line, what kind, at which byte, how many bytes.

    I  0401ab70,3        an instruction is read
     L 1fff000748,8      a load
     S 1fff000740,8      a store
     M 0421c3f8,4        a load and a store at one place: one access, which writes

Contract
- An access that spans a page boundary is one access to each page.  Every other line (valgrind's own, the program's) is
  skipped; a line that starts as an access and does not go on as one is a TraceError with its number.
- Nothing is done line by line in Python: a chunk is parsed as a whole, eight digits of every line at a time.

How eight digits are parsed at a time.  The eight bytes before the comma are one 64-bit word for each line.  A hex digit
has its value in the low four bits; letters, which have bit 6, lack 9: digits = (w & 0x0f..) + 9 * (w >> 6 & 0x01..).
Then neighbours are joined, in three steps, until one number of 32 bits is left.  "0401ab70" gives the bytes
0 4 0 1 a b 7 0, joined 04 01 ab 70, joined 0401 ab70, joined 0401ab70.  Whether all of them were digits is seen by
writing them back.  A number of fewer than eight digits has its missing ones replaced by "0", one of more has a second
word.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ..mm import PAGE_BYTES, PAGE_SHIFT
from .stream import MAX_LINE_BYTES, Batch, Source, TraceError

CHUNK_BYTES = 1 << 20
"""A chunk's arrays together fit the second-level cache, more or less."""
MARGIN = b" " * 16
"""Before and behind each chunk, so that a word may start or end outside of its line."""
ADDRESS_AT = 3
WORD_DIGITS = 8
MAX_ADDRESS_DIGITS = 16

Words = NDArray[np.uint64]
Places = NDArray[np.intp]


def every_byte(value: int) -> np.uint64:
    return np.uint64(value * 0x0101_0101_0101_0101)


ZEROS = every_byte(ord("0"))
INSTRUCTION, LOAD, STORE, MODIFY = (int.from_bytes(kind, "little") for kind in (b"I  ", b" L ", b" S ", b" M "))


def batches(source: Source) -> Iterator[Batch]:
    left, line = b"", 1
    while chunk := source.read(CHUNK_BYTES):
        whole, newline, rest = (left + chunk).rpartition(b"\n")
        left = rest
        if newline:
            batch, nr_lines = parse(source, whole + newline, line)
            line += nr_lines
            yield batch
        elif len(left) > MAX_LINE_BYTES:
            raise TraceError(source.path, f"line {line}: no line of a trace is that long")
    if left:
        # Padded, so that a line that was cut off within its kind is seen to be one.
        yield parse(source, left.ljust(ADDRESS_AT) + b"\n", line)[0]


def parse(source: Source, text: bytes, first_line: int) -> tuple[Batch, int]:
    """The accesses of whole lines, and the number of lines."""
    buffer = np.frombuffer(MARGIN + text + MARGIN, np.uint8)
    words = np.ndarray(len(buffer) - 7, "<u8", buffer, strides=(1,))
    newlines = np.flatnonzero(buffer == ord("\n"))
    starts = np.empty_like(newlines)
    starts[0] = len(MARGIN)
    starts[1:] = newlines[:-1] + 1
    kinds = words[starts] & np.uint64(0xFFFFFF)
    writes = (kinds == STORE) | (kinds == MODIFY)
    is_access = writes | (kinds == INSTRUCTION) | (kinds == LOAD)
    nr_lines = len(newlines)
    which = None
    if not is_access.all():
        which = np.flatnonzero(is_access)
        starts, newlines, writes = starts[which], newlines[which], writes[which]
    commas = commas_of(buffer, starts, newlines)
    addresses, is_address = hexadecimal(words, starts + ADDRESS_AT, commas)
    sizes, is_size = decimal(words, commas + 1, newlines)
    is_valid = is_address & is_size
    if not is_valid.all():
        bad = int(np.argmin(is_valid))
        line = first_line + (bad if which is None else int(which[bad]))
        shown = bytes(buffer[starts[bad] : min(newlines[bad], starts[bad] + 40)]).decode("ascii", "replace")
        raise TraceError(source.path, f"line {line}: truncated or no access of lackey's: {shown!r}")
    return pages_of(addresses, sizes, writes), nr_lines


def commas_of(buffer: NDArray[np.uint8], starts: Places, newlines: Places) -> Places:
    """For each line its first comma, or its end if it has none."""
    commas = np.flatnonzero(buffer == ord(","))
    if len(commas) != len(starts) or not ((commas > starts) & (commas < newlines)).all():
        next_comma = np.searchsorted(commas, starts)
        commas = np.append(commas, len(buffer))[next_comma]
    return np.minimum(commas, newlines)


def pages_of(addresses: Words, sizes: Words, writes: NDArray[np.bool_]) -> Batch:
    pages = addresses >> np.uint64(PAGE_SHIFT)
    beyond = ((addresses & np.uint64(PAGE_BYTES - 1)) + sizes - np.uint64(1)) >> np.uint64(PAGE_SHIFT)
    flags = writes.view(np.uint8)
    if not beyond.any():
        return Batch(pages, flags)
    counts = beyond.astype(np.intp) + 1
    firsts = np.repeat(np.cumsum(counts) - counts, counts)
    within = (np.arange(len(firsts)) - firsts).astype(np.uint64)
    return Batch(np.repeat(pages, counts) + within, np.repeat(flags, counts))


def hexadecimal(words: Words, starts: Places, ends: Places) -> tuple[Words, NDArray[np.bool_]]:
    """The numbers that stand in [start, end), and where there is one."""
    digits = ends - starts
    low, is_number = eight_hexadecimal(word_before(words, ends, np.minimum(digits, WORD_DIGITS)))
    is_number &= (digits > 0) & (digits <= MAX_ADDRESS_DIGITS)
    more = np.flatnonzero(digits > WORD_DIGITS)
    if len(more):
        high_digits = np.minimum(digits[more], MAX_ADDRESS_DIGITS) - WORD_DIGITS
        high, is_high = eight_hexadecimal(word_before(words, ends[more] - WORD_DIGITS, high_digits))
        low[more] |= high << np.uint64(32)
        is_number[more] &= is_high
    return low, is_number


def word_before(words: Words, ends: Places, digits: Places) -> Words:
    """The eight bytes before `ends`, all but the last `digits` of them replaced by "0"."""
    word: Words = words[ends - WORD_DIGITS]
    if (digits == WORD_DIGITS).all():
        return word
    missing = ((WORD_DIGITS - np.maximum(digits, 1)) * 8).astype(np.uint64)
    kept = np.uint64(2**64 - 1) << missing
    padded: Words = (word & kept) | (ZEROS & ~kept)
    return padded


def eight_hexadecimal(word: Words) -> tuple[Words, NDArray[np.bool_]]:
    letters = word >> np.uint64(6) & every_byte(0x01)
    digits = (word & every_byte(0x0F)) + letters * np.uint64(9)
    above_nine = (digits + every_byte(6)) >> np.uint64(4) & every_byte(0x01)
    written = digits + ZEROS + above_nine * np.uint64(ord("a") - ord("0") - 10)
    # Upper case is lower case without bit 5.
    is_number = ((digits & every_byte(0xF0)) == 0) & (written == word | letters << np.uint64(5))
    value = (digits << np.uint64(4) | digits >> np.uint64(8)) & np.uint64(0x00FF_00FF_00FF_00FF)
    value = (value << np.uint64(8) | value >> np.uint64(16)) & np.uint64(0x0000_FFFF_0000_FFFF)
    return (value << np.uint64(16) | value >> np.uint64(32)) & np.uint64(0xFFFF_FFFF), is_number


def decimal(words: Words, starts: Places, ends: Places) -> tuple[Words, NDArray[np.bool_]]:
    """As `hexadecimal`, for at most eight decimal digits and a number that is not 0."""
    length = ends - starts
    digits = word_before(words, ends, np.clip(length, 1, WORD_DIGITS)) ^ ZEROS
    is_number = ((digits + every_byte(0x76) | digits) & every_byte(0x80)) == 0
    value = digits * np.uint64(10) + (digits >> np.uint64(8)) & np.uint64(0x00FF_00FF_00FF_00FF)
    value = value * np.uint64(100) + (value >> np.uint64(16)) & np.uint64(0x0000_FFFF_0000_FFFF)
    value = value * np.uint64(10_000) + (value >> np.uint64(32)) & np.uint64(0xFFFF_FFFF)
    return value, is_number & (length > 0) & (length <= WORD_DIGITS) & (value > 0)
