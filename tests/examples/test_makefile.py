"""`make help` names every target, and no other."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]


def test_help_lists_the_targets() -> None:
    phony = re.search(r"^\.PHONY: (.*)", (CHECKOUT / "Makefile").read_text(), re.MULTILINE)
    assert phony is not None
    told = subprocess.run(["make", "--no-print-directory", "help"], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    assert [line.split()[1] for line in told.stdout.splitlines()] == phony[1].split()
