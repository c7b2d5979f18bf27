"""What driving one recorded case comes to: a figure recorded beside ours, and whether they agree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kernel = Literal["2.6.25", "6.18"]
"""Which was recorded."""
Kind = Literal["trace", "conformance", "charging", "oom", "global"]


@dataclass(frozen=True, slots=True)
class Figure:
    """`recorded`, `ours`: what JSON can say. `cause`: a rule that tells why they may differ; it makes up for not holding."""

    name: str
    recorded: object
    ours: object
    holds: bool
    cause: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """`first_difference`: the number of the first access or step that differs. `cause`: why the row does not hold or apply."""

    id: str
    kind: Kind
    figures: tuple[Figure, ...]
    first_difference: int | None = None
    cause: str = ""
    applies: bool = True
    kernel: Kernel = "2.6.25"

    @property
    def holds(self) -> bool:
        """Each figure holds, or names its cause. A row that shows nothing holds nothing."""
        return self.applies and bool(self.figures) and all(figure.holds or figure.cause for figure in self.figures)
