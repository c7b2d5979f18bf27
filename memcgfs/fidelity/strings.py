"""Page strings: what a case accesses, in order.

A word of 32 bits for each access: the page in bits 0-29, region B in bit 30, a write in bit 31. A trace case names the file of its
string. A global case does not, but says how the string was made (`case`: gen, N pages, M accesses, seed, kw): those of three generators
are made anew here. In every case the checksum of the words, which the record has, must be right.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from .cases import Case, CaseError

Words = NDArray[np.uint32]
PAGE_MASK: Final = np.uint32((1 << 30) - 1)
REGION_SHIFT: Final = np.uint32(30)
WRITE_SHIFT: Final = np.uint32(31)
WRITE_BIT: Final = np.uint32(1 << 31)
NAME_DIGITS: Final = 16


class NoString(Exception):
    """Neither beside the file of cases nor to be made anew: the case cannot be driven from here."""


def string_of(case: Case) -> Words:
    """Raises CaseError where the named file is not there, or is not the string that was recorded; NoString."""
    sha256 = case.record["string_sha256"]
    name = case.record.get("string_file")
    if name is not None:
        return checked(load(case.path.parent / name), sha256, case)
    beside = case.path.parent / "strings" / f"{sha256[:NAME_DIGITS]}.npz"
    if beside.exists():
        return checked(load(beside), sha256, case)
    made = make(case.record["case"], case.record["backend"])
    if made is None or checksum(made) != sha256:
        raise NoString(f"its string {sha256[:NAME_DIGITS]} is not recorded, and not known how to make")
    return made


def load(path: Path) -> Words:
    try:
        with path.open("rb") as file, np.load(file) as arrays:
            words: Words = arrays["t"]
    except OSError as error:
        raise CaseError(f"{path}: {error.strerror or 'is no array'}") from None
    except (ValueError, KeyError, EOFError, zipfile.BadZipFile, TypeError, AttributeError):
        raise CaseError(f"{path}: holds no array `t`") from None
    if words.dtype != np.uint32 or words.ndim != 1:
        raise CaseError(f"{path}: `t` is no string of 32-bit words")
    return words


def checked(words: Words, sha256: str, case: Case) -> Words:
    if checksum(words) != sha256:
        raise CaseError(f"{case.path}: {case.id}: its string is another than the recorded one (SHA-256 {sha256[:NAME_DIGITS]}...)")
    return words


def checksum(words: Words) -> str:
    return hashlib.sha256(words.astype("<u4").tobytes()).hexdigest()


def make(case: Mapping[str, Any], backend: str) -> Words | None:
    """`seq`: round and round; `uniform`: any page; `zipf`: the i-th of the pages in a random order with a weight of 1 / i**s."""
    nr_pages, nr_accesses, rng = case["N"], case["M"], np.random.default_rng(case["seed"])
    if case["gen"] == "seq":
        pages = np.arange(nr_accesses) % nr_pages
    elif case["gen"] == "uniform":
        pages = rng.integers(0, nr_pages, nr_accesses)
    elif case["gen"] == "zipf":
        weights = 1.0 / np.arange(1, nr_pages + 1) ** case["kw"]["s"]
        ranks = rng.choice(nr_pages, nr_accesses, p=weights / weights.sum())
        pages = rng.permutation(nr_pages)[ranks]
    else:
        return None
    words: Words = pages.astype(np.uint32)
    if backend in ("anon", "filewrite"):
        words |= WRITE_BIT
    elif backend == "anonr":
        words[np.unique(pages, return_index=True)[1]] |= WRITE_BIT
    return words
