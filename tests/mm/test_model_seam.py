"""A further model is one file, its twin and one line: a copy of the package gets a FIFO so, and both of its builds run it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from memcgfs.mm.engine import compiled

ROOT = Path(__file__).parents[2]
FIFO = Path(__file__).parent / "fifo"
LINE = "from .models.fifo import Fifo as Fifo\n"

BELADY = """
from memcgfs import mm
from memcgfs.mm.engine import compiled
print(compiled)
for room in (3, 4):
    disk = mm.DiskConfig(0, 0, 8)
    machine = mm.Machine(mm.MachineConfig(model="fifo", zone_pages=(64, 0, 0, 0), min_free_kbytes=0, max_containers=8, disk=disk))
    machine.set_sysctl("page-cluster", 0)
    container = machine.create_container()
    container.limit = room
    result = machine.spawn(100, container).access([1, 2, 3, 4, 1, 2, 5, 1, 2, 3, 4, 5], [1] * 12)
    print(result.minor + result.major)
    machine.check()
"""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The package without what was built of it, and the model in it."""
    shutil.copytree(ROOT / "memcgfs", tmp_path / "memcgfs", ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    for name in ("setup.py", "setup.cfg", "pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, tmp_path)
    for path in FIFO.iterdir():
        shutil.copy(path, tmp_path / "memcgfs" / "mm" / "models")
    pure = tmp_path / "memcgfs" / "mm" / "pure.py"
    before = "from .pdflush import"
    pure.write_text(pure.read_text().replace(before, LINE + before))
    return tmp_path


def run(copy: Path, *words: str, **environment: str) -> str:
    done = subprocess.run([sys.executable, *words], cwd=copy, env={**os.environ, **environment}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_model_is_a_file_its_twin_and_a_line(copy: Path) -> None:
    """Belady's anomaly, which no least-recently-used list has: with more room, more faults."""
    assert run(copy, "-c", BELADY, MEMCGFS_PURE="1", PYTHONPATH="").split() == ["False", "9", "10"]


@pytest.mark.skipif(not compiled, reason="the engine is not compiled here")
def test_and_so_it_is_compiled(copy: Path) -> None:
    run(copy, "setup.py", "build_ext", "-i", CFLAGS="-O0", MEMCGFS_PURE="")
    assert run(copy, "-c", BELADY, MEMCGFS_PURE="", PYTHONPATH="").split() == ["True", "9", "10"]


def test_users_can_choose_it(copy: Path) -> None:
    """A replay reads ahead from swap, for which three pages are too few."""
    (copy / "belady.csv").write_text("".join(f"{page},w\n" for page in (1, 2, 3, 4, 1, 2, 5, 1, 2, 3, 4, 5)))
    words = ("replay", "--model", "fifo", "--limit", "12K", "--limit", "16K", "--swap", "1M", "--json", "belady.csv")
    runs = json.loads(run(copy, "-m", "memcgfs", *words, MEMCGFS_PURE="1", PYTHONPATH=""))["runs"]
    assert [each["minor_faults"] + each["major_faults"] for each in runs] == [12, 10]
