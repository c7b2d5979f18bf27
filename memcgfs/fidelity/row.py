"""What driving one recorded case comes to: a figure recorded beside ours, and whether they agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Kernel = Literal["2.6.25", "6.18"]
"""Which was recorded."""
Kind = Literal["trace", "conformance", "charging", "oom", "global"]


@dataclass(frozen=True, slots=True)
class Figure:
    """`recorded`, `ours`: what JSON can say; of a number that several runs had, [least, median, most]. `cause`: a rule that tells why they
    may differ; it makes up for not holding, or is why the figure holds. One that does not decide is there for what it shows."""

    name: str
    recorded: object
    ours: object
    holds: bool
    cause: str = ""
    decides: bool = True

    @property
    def beyond(self) -> float:
        """How far a number of ours is from what was recorded."""
        if isinstance(self.recorded, list) and len(self.recorded) == 3 and isinstance(self.ours, int):
            return float(max(self.recorded[0] - self.ours, self.ours - self.recorded[2], 0))
        return 0.0

    @property
    def is_as_recorded(self) -> bool:
        """Without any allowance: what a run had, or between the least and the most of them."""
        if isinstance(self.recorded, list) and len(self.recorded) == 3 and isinstance(self.ours, int):
            return bool(self.recorded[0] <= self.ours <= self.recorded[2])
        return self.recorded == self.ours


@dataclass(frozen=True, slots=True)
class Row:
    """`first_difference`: the number of the first access or step that differs. `cause`: why the row does not hold or apply. `key`: the name
    of the figure that says most of the case, in a row that is told by one."""

    id: str
    kind: Kind
    figures: tuple[Figure, ...]
    first_difference: int | None = None
    cause: str = ""
    applies: bool = True
    kernel: Kernel = "2.6.25"
    key: str = ""

    @property
    def holds(self) -> bool:
        """Each figure holds, or names its cause. A row that shows nothing holds nothing."""
        deciding = [figure for figure in self.figures if figure.decides]
        return self.applies and bool(deciding) and all(figure.holds or figure.cause for figure in deciding)


def last_usage(figures: Sequence[Figure]) -> str:
    """The name of the usage that was read last: what a case of charging comes to."""
    return next((figure.name for figure in reversed(figures) if figure.name.endswith("usage")), "")
