"""Files of recorded cases: one JSON object a line, its page string in a file beside it.

Contract
- `read_cases(path)` gives every case of a file, and raises `CaseError` with one line for people.
- What a case is, its shape says: `area`, and that the fields of such a record are there.  Nobody asks its id.
- A `string_file` is relative to the file that names it.  A global case names none: its string is found by its checksum beside the
  file, or made anew from what `case` says of it (`strings.py`).  Either way the checksum decides.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from .row import Kind

SHAPES: Final[dict[str, tuple[Kind, tuple[str, ...]]]] = {
    "conformance": ("conformance", ("steps",)),
    "charging": ("charging", ("steps",)),
    "oom": ("oom", ()),
    "trace": ("trace", ("string_file", "string_sha256", "backend", "limit_pages", "ram_mib", "swap_pages", "runs")),
    "global_trace": ("global", ("string_sha256", "case", "backend", "ram_mib", "before", "after", "result")),
}
"""By area: the kind, and what such a record must have. Where the kernel went round for ever no steps could be recorded."""


class CaseError(Exception):
    """Why a file is none of recorded cases, or a case cannot be had: one line."""


@dataclass(frozen=True, slots=True)
class Case:
    """`record`: the line as it stands. `path`: the file that it is from."""

    id: str
    kind: Kind
    record: Mapping[str, Any]
    path: Path


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
    if not isinstance(area, str) or area not in SHAPES:
        raise CaseError(f"{where}: area {area!r} is none of {', '.join(SHAPES)}")
    kind, fields = SHAPES[area]
    for field in fields:
        if field not in record:
            raise CaseError(f"{where}: a case of this area needs {field!r}")
    return Case(record["id"], kind, record, path)
