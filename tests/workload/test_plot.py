"""docs/models.svg shows what the models do today: its description is the table that examples/models_plot.py prints.

The picture itself depends on matplotlib's version; drawing it anew takes `examples/models_plot.py`.
"""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

from memcgfs.workload import replay_side_by_side

from ..conftest import engine_of

ROOT = Path(__file__).parents[2]
PLOT = runpy.run_path(str(ROOT / "examples/models_plot.py"))
SOME = slice(0, None, 5)


def drawn() -> tuple[list[int], dict[str, list[int]]]:
    """The limits, and the counts of each model."""
    found = re.search(r"<dc:description>(.*?)</dc:description>", (ROOT / "docs/models.svg").read_text(), re.DOTALL)
    assert found is not None
    (_, *models), *rows = (line.split() for line in found[1].splitlines())
    columns = [[int(cell) for cell in column] for column in zip(*rows, strict=True)]
    return columns[0], dict(zip(models, columns[1:], strict=True))


def test_what_is_drawn() -> None:
    limits, counts = drawn()
    assert limits == list(PLOT["LIMITS"])
    assert list(counts) == PLOT["MODELS"]
    assert PLOT["table"](counts) in (ROOT / "docs/models.svg").read_text()


@pytest.mark.slow
@pytest.mark.parametrize("model", PLOT["MODELS"])
def test_it_is_what_the_model_does(model: str) -> None:
    engine_of("compiled")
    limits, counts = drawn()
    sizes = [limit * 4096 for limit in limits[SOME]]
    machine = {"ram": "64M", "swap": "64M", "model": model, "rules": PLOT["rules_of_model"](model), "kmem": "off"}
    assert [each.major_faults for each in replay_side_by_side(PLOT["TRACE"], sizes, **machine)] == counts[model][SOME]
