"""What a step of a recorded case is given, what comes of it, and when two results are the same.

A result is an object of JSON: an errno by name, the number that a call returned ("all": every byte that was written), bytes, or a value;
or what Python itself says of what it asks nobody for, in whatever words.
Bytes are text where they are ASCII, else hexadecimal.  A recorded result may be a pattern, or one of several, where the kernel gave
different ones.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Mapping
from typing import Any, Final

Result = dict[str, Any]
DONE: Final[Result] = {"ret": 0}
OTHER_NAMES: Final = {"EOPNOTSUPP": "ENOTSUP", "EWOULDBLOCK": "EAGAIN", "EDEADLOCK": "EDEADLK"}
VENDORS_FILE: Final = "memory.shown_ram_in_bytes"
"""Of the kernel that was recorded, and of no other."""


def data_of(given: str | Mapping[str, Any]) -> bytes:
    """
    >>> data_of("1M"), data_of({"hex": "00ff"}), data_of({"rep": ["0", 3], "tail": "9"})
    (b'1M', b'\\x00\\xff', b'0009')
    """
    if isinstance(given, str):
        return given.encode("utf-8", "surrogateescape")
    if "hex" in given:
        return bytes.fromhex(given["hex"])
    character, count = given["rep"]
    text: str = character * count + given.get("tail", "")
    return text.encode()


def told(content: bytes) -> str | dict[str, str]:
    return content.decode() if content.isascii() else {"hex": content.hex()}


def refusal(error: OSError) -> Result:
    name = errno.errorcode.get(error.errno or 0, f"E{error.errno}")
    return {"errno": OTHER_NAMES.get(name, name)}


def is_same(recorded: Mapping[str, Any], ours: Mapping[str, Any]) -> bool:
    if "any_of" in recorded:
        return any(is_same(one, ours) for one in recorded["any_of"])
    if "regex" in recorded:
        text = ours.get("bytes")
        return isinstance(text, str) and re.fullmatch(recorded["regex"], text) is not None
    if "value_error" in recorded:
        return "value_error" in ours
    return bool(without_vendors_file(recorded) == ours)


def without_vendors_file(recorded: Any) -> Any:
    """Of a listing, by name or with what it is, wherever in a result there is one."""
    if isinstance(recorded, Mapping):
        return {key: without_vendors_file(value) for key, value in recorded.items()}
    if isinstance(recorded, list):
        others = (each for each in recorded if VENDORS_FILE not in (each, *(each if isinstance(each, list) else ())))
        return [without_vendors_file(each) for each in others]
    return recorded


def count_without_vendors_file(recorded: Mapping[str, Any]) -> Result:
    """Of how many names a directory has: none, once it is removed."""
    value = recorded.get("value")
    return {**recorded, "value": value - 1} if value else dict(recorded)


def with_names(result: Any, pids: Mapping[str, int]) -> Any:
    """Pids as the record has them, by the name of who it was."""
    if isinstance(result, str):
        for name, pid in pids.items():
            result = re.sub(rf"(?<!\d){pid}(?!\d)", f"{{pid:{name}}}", result)
        return result
    if isinstance(result, list):
        return [with_names(entry, pids) for entry in result]
    if isinstance(result, dict):
        return {key: with_names(entry, pids) for key, entry in result.items()}
    return result
