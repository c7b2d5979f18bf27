"""The little language of usage lines: one string says how a command is written, and parses it.

Contract: a usage is the words of a command.  A word in capitals is a value of that kind (`KINDS`).  A word in small
letters stands for itself, `a|b` for one of several, `file:NAME` for anything with that beginning.  Words in brackets,
which come last, may be left out and come in any order.

>>> usage = Usage("touch START NPAGES [r|w]")
>>> usage.parse(["0x10", "4", "r"]), usage.parse(["0", "1"]), usage.parse(["0", "1", "x"]), usage.parse(["0"])
([16, 4, 'r'], [0, 1, None], None, None)
"""

from __future__ import annotations

from collections.abc import Callable

from .. import units
from .errors import BadCommand

Value = int | str | None

KINDS: dict[str, Callable[[str], Value]] = {
    "START": units.number,
    "NPAGES": units.number,
    "PAGE": units.number,
    "N": units.number,
    "NAME": str,
    "PID": units.pid,
    "UID": units.number,
    "NICE": units.signed,
    "TIME": units.time_ns,
    "ORDER": units.number,
    "SIZE": units.size_bytes,
    "PRIORITY": units.number,
}


def words_of(text: bytes) -> list[str]:
    """The words of a command, which may end in one newline.  Raises BadCommand where it holds anything but printable ASCII."""
    line = text.removesuffix(b"\n").decode("latin-1")
    if not (line.isascii() and line.isprintable()):
        raise BadCommand(text)
    return line.split()


class Usage:
    __slots__ = ("_optional", "_required", "text", "verb")

    def __init__(self, text: str) -> None:
        self.text = text
        self.verb, *words = text.split()
        self._required = [word for word in words if not word.startswith("[")]
        self._optional = [word.strip("[]") for word in words if word.startswith("[")]

    def parse(self, words: list[str]) -> list[Value] | None:
        """The values of the required words, then of the optional ones (None: left out); None: no such command."""
        nr_required = len(self._required)
        if len(words) < nr_required:
            return None
        values = [_value(pattern, word) for pattern, word in zip(self._required, words, strict=False)]
        if None in values:
            return None
        options: dict[str, Value] = dict.fromkeys(self._optional)
        for word in words[nr_required:]:
            pattern = next((p for p, taken in options.items() if taken is None and _value(p, word) is not None), None)
            if pattern is None:
                return None
            options[pattern] = _value(pattern, word)
        return [*values, *options.values()]


def _value(pattern: str, word: str) -> Value:
    if pattern in KINDS:
        return KINDS[pattern](word)
    for choice in pattern.split("|"):
        beginning, named, _ = choice.partition("NAME")
        if word == choice or (named and word.startswith(beginning) and word != beginning):
            return word
    return None
