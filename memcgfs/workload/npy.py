"""NumPy's .npy files: one array of page numbers, whose top bit marks a write.

Contract: uint32 or uint64 of either byte order, one dimension.  An array of anything else (of objects above all, which
would be code to run) is refused; so is a file that ends before its array does.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.lib import format as npy_format

from .stream import Batch, Source, TraceError

MAGIC = npy_format.MAGIC_PREFIX
BATCH_PAGES = 1 << 16
HEADER_OF_VERSION = {(1, 0): npy_format.read_array_header_1_0, (2, 0): npy_format.read_array_header_2_0}


def batches(source: Source) -> Iterator[Batch]:
    dtype, nr_pages = read_header(source)
    write_bit = np.uint64(dtype.itemsize * 8 - 1)
    done = 0
    while done < nr_pages:
        wanted = min(BATCH_PAGES, nr_pages - done)
        piece = source.read(wanted * dtype.itemsize)
        words = np.frombuffer(piece, dtype, len(piece) // dtype.itemsize).astype(np.uint64)
        done += len(words)
        if len(words):
            pages = words & ~(np.uint64(1) << write_bit)
            yield Batch(pages, (words >> write_bit).astype(np.uint8))
        if len(words) < wanted:
            raise TraceError(source.path, f"truncated: ends after access {done} of {nr_pages}")


def read_header(source: Source) -> tuple[np.dtype[np.unsignedinteger], int]:
    """The type and the number of the array's items."""
    try:
        read_rest = HEADER_OF_VERSION[npy_format.read_magic(source)]  # type: ignore[arg-type]
        shape, _, dtype = read_rest(source)  # type: ignore[arg-type]
    except (ValueError, KeyError):
        raise TraceError(source.path, "the header is no .npy header") from None
    if dtype.kind != "u" or dtype.itemsize not in (4, 8) or len(shape) != 1:
        raise TraceError(source.path, f"an array of {dtype}, shape {shape}: a trace is uint32 or uint64, one dimension")
    return dtype, shape[0]
