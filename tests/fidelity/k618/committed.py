"""What `make fidelity` wrote down of a case: its line in docs/fidelity-v1.txt, which a test of that case holds to what it finds."""

from __future__ import annotations

from pathlib import Path

from memcgfs.fidelity.row import Row
from memcgfs.fidelity.table import lines

TABLE = (Path(__file__).parents[3] / "docs" / "fidelity-v1.txt").read_text()
BY_ID = {line.split()[0]: line.split() for line in TABLE.splitlines() if "." in line.split(" ")[0]}


def assert_committed(row: Row) -> None:
    """The columns are wider where there are more cases; their words are the same."""
    ours = next(line.split() for line in lines([row]) if line.startswith(f"{row.id} "))
    assert BY_ID[row.id] == ours, "docs/fidelity-v1.txt is not what make fidelity prints"
