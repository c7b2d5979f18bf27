#!/usr/bin/env python3
"""How often a real program waits for the disk at each limit, under each model of reclaim: counted, and drawn.

    examples/models_plot.py [FILE.svg]      (needs matplotlib: pip install '.[plot]'; without FILE: docs/models.svg)

The program is the one of examples/traces, a run of mawk with 513 pages, of which it writes 294.  Each model runs under the rules of
its own kernel, on the same machine; kernel memory is not charged, so that all of the limit is the program's.  The picture carries the
table that is printed as its description.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from memcgfs.mm import PAGE_BYTES
from memcgfs.options import DIALECT_DEFAULTS, rules_of_model
from memcgfs.workload import replay_side_by_side

ROOT = Path(__file__).parents[1]
MODELS = [str(defaults["model"]) for defaults in DIALECT_DEFAULTS.values()]
TRACE = ROOT / "examples/traces/shelf.trace.zst"
LIMITS = range(64, 385, 16)
"""Pages.  With fewer the program does nothing but wait; with more it never does."""

BLUE, ORANGE, GREEN = "#0072b2", "#d55e00", "#009e73"
"""Which the colour-blind tell apart, too."""


def major_faults(model: str) -> list[int]:
    """Of the whole run, at each of the limits."""
    machine = {"ram": "64M", "swap": "64M", "model": model, "rules": rules_of_model(model), "kmem": "off"}
    results = replay_side_by_side(TRACE, [limit * PAGE_BYTES for limit in LIMITS], **machine)
    assert not any(result.killed for result in results)
    return [result.major_faults for result in results]


def table(counts: dict[str, list[int]]) -> str:
    rows = [["limit", *counts], *zip(LIMITS, *counts.values(), strict=True)]
    return "".join(" ".join([f"{limit:>5}", *(f"{cell:>15}" for cell in cells)]) + "\n" for limit, *cells in rows)


def draw(counts: dict[str, list[int]], path: Path) -> None:
    """The same bytes each time: no date in it, and names that do not depend on chance; letters are left to the viewer's fonts."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams.update({"svg.hashsalt": "memcgfs", "svg.fonttype": "none", "font.size": 11})
    from matplotlib import pyplot
    from matplotlib.ticker import FuncFormatter

    figure, axes = pyplot.subplots(figsize=(8, 4.5), layout="constrained")
    for (model, faults), colour, marker in zip(counts.items(), (BLUE, ORANGE, GREEN), "os^", strict=True):
        axes.plot(LIMITS, faults, color=colour, marker=marker, markersize=4, linewidth=1.6, label=model)
    axes.set_yscale("symlog", linthresh=10)
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda count, _: f"{count:,.0f}"))
    axes.set_xticks(LIMITS[::4])
    axes.set_xlabel("limit, pages")
    axes.set_ylabel("major faults")
    axes.set_title("A run of mawk: 6,282,750 accesses to 513 pages", loc="left", fontsize=11)
    axes.grid(color="0.9")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    figure.savefig(path, format="svg", metadata={"Date": None, "Description": table(counts)})


def main() -> None:
    parser = argparse.ArgumentParser(prog="models_plot.py", description="Major faults against the limit, under each model.")
    parser.add_argument("file", metavar="FILE.svg", nargs="?", type=Path, default=ROOT / "docs/models.svg", help="or docs/models.svg")
    path: Path = parser.parse_args().file
    counts = {model: major_faults(model) for model in MODELS}
    print(table(counts), end="")
    draw(counts, path)


if __name__ == "__main__":
    main()
