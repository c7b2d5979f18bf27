"""Files of recorded cases: one JSON object a line, its page string in a file beside it.

Contract
- `read_cases(path)` gives every case of a file, and raises `CaseError` with one line for people.
- What a case is, its shape says: `area`, and which fields are there.  Two kernels were recorded, each in records of its own: Linux 2.6.25
  and 6.18.  Nobody asks for the id of a case.
- A `string_file` is relative to the file that names it.  A global case names none: its string is found by its checksum beside the
  file, or made anew from what `case` says of it (`strings.py`).  Either way the checksum decides.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from .row import Kernel, Kind


class Shape(NamedTuple):
    """A record of this area with these fields is such a case. Where a kernel went round for ever no steps could be recorded."""

    area: str
    kernel: Kernel
    kind: Kind
    fields: tuple[str, ...]


SHAPES: Final = (
    Shape("conformance", "6.18", "conformance", ("op", "path", "expect", "setup", "after")),
    Shape("conformance", "2.6.25", "conformance", ("steps",)),
    Shape("charging", "6.18", "charging", ("groups", "steps", "runs")),
    Shape("charging", "2.6.25", "charging", ("steps",)),
    Shape("oom", "6.18", "oom", ("runs",)),
    Shape("oom", "2.6.25", "oom", ()),
    Shape("trace", "2.6.25", "trace",
          ("string_file", "string_sha256", "backend", "limit_pages", "ram_mib", "swap_pages", "runs")),
    Shape("trace", "6.18", "trace", ("string_file", "string_sha256", "backend", "case", "swappiness", "runs", "tolerance")),
    Shape("global_trace", "2.6.25", "global", ("string_sha256", "case", "backend", "ram_mib", "before", "after", "result")),
)  # fmt: skip
"""The first that fits is it: within an area the one that asks for more stands first."""
AREAS: Final = tuple(dict.fromkeys(shape.area for shape in SHAPES))


class CaseError(Exception):
    """Why a file is none of recorded cases, or a case cannot be had: one line."""


@dataclass(frozen=True, slots=True)
class Case:
    """`record`: the line as it stands. `path`: the file that it is from."""

    id: str
    kind: Kind
    record: Mapping[str, Any]
    path: Path
    kernel: Kernel = "2.6.25"


def read_cases(path: Path) -> Iterator[Case]:
    try:
        with path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield parse_case(line, path, f"{path}: line {number}")
    except OSError as error:
        raise CaseError(f"{path}: {error.strerror}") from None


def parse_case(line: bytes, path: Path, where: str) -> Case:
    try:
        record = json.loads(line)
    except ValueError:
        raise CaseError(f"{where} is not JSON") from None
    if not isinstance(record, dict) or not isinstance(record.get("id"), str):
        raise CaseError(f"{where} is no object with an id")
    area = record.get("area")
    if area not in AREAS:
        raise CaseError(f"{where}: area {area!r} is none of {', '.join(AREAS)}")
    shapes = [shape for shape in SHAPES if shape.area == area]
    for shape in shapes:
        if record.keys() >= set(shape.fields):
            return Case(record["id"], shape.kind, record, path, shape.kernel)
    missing = next(field for field in shapes[-1].fields if field not in record)
    raise CaseError(f"{where}: a case of this area needs {missing!r}")
