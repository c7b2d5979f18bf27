"""Rows as text, for people.

A head line says how many cases hold of how many that apply, by kind; then a table for each kind. A figure is one number where recorded
and ours are the same, and recorded/ours where they are not; least..most/ours where repeats differed. A letter behind it names the
cause of the difference, which is told below the table. Page strings of 2.6.25 have a column for each of the figures that matter most;
others are named below their row where they differ, as are all figures of the other kinds. What was recorded of 6.18 is told by the
figure that says most: the least, median and most of the runs, ours, how far that is from the runs in percent of their median, and how
many of all figures are as recorded without any allowance; below, how many others hold by which allowance, with the farthest of them. Of its
control files only those are listed that do not go as recorded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from string import ascii_lowercase
from typing import Final

from .row import Figure, Kernel, Kind, Row

KERNELS: Final[tuple[Kernel, ...]] = ("2.6.25", "6.18")
KINDS: Final[tuple[Kind, ...]] = ("trace", "global", "conformance", "charging", "oom")
TITLES: Final[dict[Kind, str]] = {
    "trace": "page strings in a group",
    "global": "page strings without a group",
    "conformance": "control files",
    "charging": "charging",
    "oom": "out of memory",
}
ALLOWANCES: Final[dict[tuple[Kernel, Kind], str]] = {
    ("2.6.25", "trace"): "on the RAM disk: exactly; on the IDE disk: between the repeats, and as far again, or a tenth, beyond",
    ("6.18", "trace"): "major faults, for fileread pages read: between the least and the most of the runs, and 10 % of the median beyond",
    ("6.18", "charging"): "each figure between the least and the most of the runs, and what fidelity/k618/allowances.py allows beyond",
    ("6.18", "oom"): "as charging",
    ("2.6.25", "global"): "misses between the repeats, and 5 % (files, uniform strings) or 35 % (others of anonymous memory) beyond",
}
COLUMNS: Final = (
    "failcnt", "pgactivate", "pgdeactivate", "pgrefill", "pgsteal", "pswpout", "minor faults", "end usage",
)  # fmt: skip
END_RESIDENCY: Final = ("end_A_b64", "end_B_b64")
IN_COLUMNS: Final = ("misses", "miss_b64", *COLUMNS, *END_RESIDENCY)
LONGEST: Final = 60


class Causes:
    """Each gets a letter, in the order in which they come up."""

    def __init__(self) -> None:
        self.letters: dict[str, str] = {}

    def letter(self, cause: str) -> str:
        return self.letters.setdefault(cause, ascii_lowercase[len(self.letters) % 26]) if cause else ""

    def lines(self) -> Iterator[str]:
        for cause, letter in self.letters.items():
            yield f"  {letter}  {cause}"


def lines(rows: Sequence[Row]) -> Iterator[str]:
    tables = {kind: [row for row in rows if (row.kernel, row.kind) == kind] for kind in product(KERNELS, KINDS)}
    tables = {kind: of_kind for kind, of_kind in tables.items() if of_kind}
    yield "; ".join(summary(TITLES[kind], of_kind) for (_, kind), of_kind in tables.items()) or "no cases"
    for (kernel, kind), of_kind in tables.items():
        yield ""
        allowance = ALLOWANCES.get((kernel, kind))
        yield f"{TITLES[kind]}:" if allowance is None else f"{TITLES[kind]} (held to: {allowance}):"
        causes = Causes()
        if kernel == "6.18":
            yield from differing_table(of_kind, causes) if kind == "conformance" else runs_table(of_kind, causes)
        else:
            yield from string_table(of_kind, causes) if kind in ("trace", "global") else step_table(of_kind, causes)
        yield from causes.lines()


def summary(title: str, rows: Sequence[Row]) -> str:
    applying = [row for row in rows if row.applies]
    text = f"{title}: {sum(row.holds for row in applying)} of {len(applying)} hold"
    return text if len(applying) == len(rows) else f"{text} ({len(rows) - len(applying)} do not apply)"


def string_table(rows: Sequence[Row], causes: Causes) -> Iterator[str]:
    present = {figure.name for row in rows for figure in row.figures}
    columns = [name for name in COLUMNS if name in present]
    head = ["case", "misses", "ours", "first difference", *columns]
    if present.intersection(END_RESIDENCY):
        head.append("end residency")
    table = [[*head, ""]]
    notes: list[list[str]] = [[]]
    for row in rows:
        figures = {figure.name: figure for figure in row.figures}
        cells = [row.id, *misses_cells(figures.get("misses")), first_cell(row, figures)]
        cells += [cell(figures[name], causes) if name in figures else "" for name in columns]
        if "end residency" in head:
            cells.append(residency_cell([figures[name] for name in END_RESIDENCY if name in figures]))
        table.append([*cells, verdict(row)])
        others = [figure for figure in row.figures if figure.name not in IN_COLUMNS and not figure.holds]
        notes.append([note(figure, causes) for figure in others])
    for aligned, below in zip(align(table), notes, strict=True):
        yield aligned
        yield from below


def misses_cells(figure: Figure | None) -> tuple[str, str]:
    return (number(figure.recorded), number(figure.ours)) if figure is not None else ("", "")


def first_cell(row: Row, figures: dict[str, Figure]) -> str:
    if row.first_difference is not None:
        return f"access {row.first_difference}"
    return "identical" if "miss_b64" in figures else "-"


def residency_cell(figures: Sequence[Figure]) -> str:
    if not figures:
        return "-"
    return "identical" if all(figure.holds for figure in figures) else "differs"


def step_table(rows: Sequence[Row], causes: Causes) -> Iterator[str]:
    table = [["case", "figures", "first difference", ""]]
    notes: list[list[str]] = [[]]
    for row in rows:
        held = sum(figure.holds for figure in row.figures)
        where = "-" if row.first_difference is None else f"step {row.first_difference}"
        table.append([row.id, f"{held} of {len(row.figures)}", where, verdict(row)])
        notes.append([note(figure, causes) for figure in row.figures if not figure.holds])
    for aligned, below in zip(align(table), notes, strict=True):
        yield aligned
        yield from below


def differing_table(rows: Sequence[Row], causes: Causes) -> Iterator[str]:
    listed = [row for row in rows if row.first_difference is not None or not row.holds]
    if listed:
        yield from step_table(listed, causes)
    if len(listed) < len(rows):
        yield f"as recorded in each step: {len(rows) - len(listed)}"


def runs_table(rows: Sequence[Row], causes: Causes) -> Iterator[str]:
    table = [["case", "figure", "least", "median", "most", "ours", "beyond", "as recorded", ""]]
    notes: list[list[str]] = [[]]
    for row in rows:
        table.append([row.id, *key_cells(row), nr_as_recorded(row), verdict(row)])
        differing = [note(figure, causes) for figure in row.figures if figure.decides and not figure.holds]
        notes.append(differing + list(allowed_notes(row, causes)))
    for aligned, below in zip(align(table), notes, strict=True):
        yield aligned
        yield from below


def allowed_notes(row: Row, causes: Causes) -> Iterator[str]:
    """By each allowance: how many figures hold by it, and which of them by the most."""
    for cause in dict.fromkeys(figure.cause for figure in row.figures if figure.holds and figure.cause):
        by_it = [figure for figure in row.figures if figure.holds and figure.cause == cause]
        farthest = max(by_it, key=lambda figure: figure.beyond)
        spread = f"{number(farthest.recorded)}/{number(farthest.ours)}"
        yield f"    {len(by_it)} by {causes.letter(cause)}: {short(farthest.name)} {spread}"


def key_cells(row: Row) -> list[str]:
    """The figure that says most, by the last word of its name."""
    figure = next((figure for figure in row.figures if figure.name == row.key), None)
    if figure is None or not isinstance(figure.recorded, list) or not isinstance(figure.ours, int):
        return ["-"] * 6
    least, median, most = figure.recorded
    beyond = max(least - figure.ours, figure.ours - most, 0)
    percent = f"{100 * beyond / median:.1f} %" if beyond and median else str(beyond or "-")
    return [figure.name.split()[-1], *(f"{end:.0f}" for end in (least, median, most)), str(figure.ours), percent]


def nr_as_recorded(row: Row) -> str:
    return f"{sum(figure.is_as_recorded for figure in row.figures)} of {len(row.figures)}"


def verdict(row: Row) -> str:
    if not row.applies:
        return f"does not apply: {row.cause}"
    word = "holds" if row.holds else "differs"
    return f"{word}: {row.cause}" if row.cause else word


def note(figure: Figure, causes: Causes) -> str:
    return f"    {short(figure.name)} {cell(figure, causes)}"


def cell(figure: Figure, causes: Causes) -> str:
    recorded, ours = number(figure.recorded), number(figure.ours)
    text = ours if recorded == ours else f"{recorded}/{ours}"
    return text if figure.holds else text + causes.letter(figure.cause)


def number(value: object) -> str:
    """As it is told here: a spread as least..most, or what both are; what is long, cut short."""
    if isinstance(value, list) and len(value) in (2, 3) and all(isinstance(end, int | float) for end in value):
        return str(value[0]) if value[0] == value[-1] else f"{value[0]}..{value[-1]}"
    return short(str(value))


def short(text: str) -> str:
    """One line."""
    text = text.replace("\n", "\\n")
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def align(table: Iterable[Sequence[str]]) -> Iterator[str]:
    """Names to the left, figures to the right, and the last column as it comes."""
    rows = list(table)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        middle = [text.rjust(width) for text, width in zip(row[1:-1], widths[1:-1], strict=True)]
        yield "  ".join([row[0].ljust(widths[0]), *middle, row[-1]]).rstrip()
