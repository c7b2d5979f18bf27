"""How everything here is measured: variants take turns, round after round, and medians are compared.

The machine that measures is never quiet.  Turns put its moods on all variants alike, so ratios of medians can be trusted
further than the figures themselves.
"""

from __future__ import annotations

import statistics
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

HERE = Path(__file__).parent

Variant = Callable[[], float]
"""One turn: sets up what it needs, and gives what it measured (a rate, or a time) without that."""


def rate_of_c(name: str) -> Variant:
    """What the C program of this name, which lies here, prints."""
    program = HERE / name
    subprocess.run(["gcc", "-O2", "-o", program, program.with_suffix(".c")], check=True)
    return lambda: float(subprocess.check_output([program], text=True))


def alternate(variants: Mapping[str, Variant], rounds: int) -> dict[str, list[float]]:
    measured: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(rounds):
        for name, variant in variants.items():
            measured[name].append(variant())
    return measured


def medians(measured: Mapping[str, list[float]]) -> dict[str, float]:
    return {name: statistics.median(values) for name, values in measured.items()}


def print_rates(title: str, measured: Mapping[str, list[float]], yardstick: str, at_least: float | None = None) -> None:
    """A line a variant, in millions a second: median, worst and best turn, and the ratio to the yardstick's median."""
    found = medians(measured)
    wanted = "" if at_least is None else f"   (at least {at_least:g} of {yardstick})"
    print(f"\n{title}{wanted}")
    print(f"  {'millions a second':34} {'median':>8} {'worst':>8} {'best':>8} {'ratio':>7}")
    for name, values in measured.items():
        ratio = found[name] / found[yardstick]
        print(f"  {name:34} {found[name] / 1e6:8.2f} {min(values) / 1e6:8.2f} {max(values) / 1e6:8.2f} {ratio:7.2f}")
