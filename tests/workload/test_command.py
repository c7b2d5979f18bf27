"""`memcgfs replay`: what it prints, and what it exits with."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

import pytest

from memcgfs.cli import main
from memcgfs.workload import Run

from ..conftest import engine_of
from .conftest import lackey_text

SMALL = ["--ram", "8M", "--swap", "8M"]


@pytest.fixture
def trace(tmp_path: Path) -> str:
    """30 pages, written in order, four times."""
    path = tmp_path / "trace"
    path.write_bytes(lackey_text([(page, 1) for page in range(30)] * 4))
    return str(path)


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    status = main(["replay", *words])
    return status, *capsys.readouterr()


def test_a_column_for_each_limit(trace: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys, trace, *SMALL, "--limit", "256K", "--limit", "4K")
    rows = {line[:15].rstrip(): line[15:].split() for line in out.splitlines()[:-1]}
    assert status == 1
    assert err == ""
    assert list(rows) == [
        "limit, pages", "accesses", "minor faults", "major faults", "pages scanned", "activated", "deactivated",
        "swapped in", "swapped out", "peak usage", "failcnt", "simulated stall", "accesses/s",
    ]  # fmt: skip
    assert [rows[name][0] for name in ("limit, pages", "accesses", "minor faults", "peak usage", "failcnt")] == [
        "64", "120", "30", "30", "0",
    ]  # fmt: skip
    assert rows["limit, pages"][1] == "1"
    assert out.splitlines()[-1].startswith("at limit 1: the task was killed after ")


def test_without_limits_there_is_one_run(trace: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, trace, *SMALL)
    assert status == 0
    assert out.splitlines()[0].split() == ["limit,", "pages", "none"]


def test_json_is_one_object(trace: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, trace, *SMALL, "--limit", "256K", "--json")
    found = json.loads(out)
    (counted,) = found.pop("runs")
    assert status == 0
    assert found == {"trace": trace, "ram": "8M", "swap": "8M", "model": "containers2007", "rules": "2007"}
    assert counted.pop("seconds") > 0
    assert counted.pop("accesses_per_s") > 0
    assert counted == {
        "limit": 64, "accesses": 120, "minor_faults": 30, "major_faults": 0, "scanned": 0, "activated": 0,
        "deactivated": 0, "swapped_in": 0, "swapped_out": 0, "peak_usage": 30, "failcnt": 0, "stall_ns": 0,
        "killed": "",
    }  # fmt: skip


def test_a_model_brings_its_rules(trace: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A limit of 0 forbids every page by those of the first release, and is none by those of 2007."""
    for model, killed in (("containers2007", 0), ("cgroups2008", 1)):
        assert run(capsys, trace, *SMALL, "--model", model, "--limit", "0")[0] == killed


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--limit", "64"], "limit=64: not a whole number of pages, which have 4096 bytes"),
        (["--limit", "lots"], "limit=lots: not a size: a whole number, with K, M, G or T behind it or none"),
        (["--ram", "0"], "ram=0: a machine needs memory"),
        (["--swap", "-1"], "swap=-1: not a size: a whole number, with K, M, G or T behind it or none"),
    ],
)
def test_options_that_are_refused(words: list[str], line: str, trace: str, capsys: pytest.CaptureFixture[str]) -> None:
    joined = [f"{words[0]}={words[1]}"]
    assert run(capsys, trace, *joined) == (2, "", f"memcgfs: {line}\n")


def test_traces_that_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cut = tmp_path / "cut"
    cut.write_bytes(b" L 1000,1\n S 20")
    for path, reason in [
        (tmp_path / "none", "No such file or directory"),
        (cut, "line 2: truncated or no access of lackey's: ' S 20'"),
    ]:
        assert run(capsys, str(path), *SMALL) == (2, "", f"memcgfs: {path}: {reason}\n")


def test_both_builds_print_the_same(tmp_path: Path) -> None:
    engine_of("compiled")
    dice = Random(11)
    path = tmp_path / "trace"
    path.write_bytes(lackey_text([(dice.randrange(90) ** 2 // 90, dice.randrange(3) // 2) for _ in range(3000)]))
    command = [sys.executable, "-m", "memcgfs", "replay", str(path), *SMALL, "--limit=80K", "--limit=1M", "--json"]
    printed: list[dict[str, Any]] = []
    for pure in ("1", ""):
        ended = subprocess.run(command, env={**os.environ, "MEMCGFS_PURE": pure}, capture_output=True, check=True)
        printed.append(json.loads(ended.stdout))
        for counted in printed[-1]["runs"]:
            del counted["seconds"], counted["accesses_per_s"]
    assert printed[0] == printed[1]
    assert printed[0]["runs"][0]["major_faults"] > 0


def test_a_machine_that_panics_is_one_line(
    trace: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No option of replay leads there: the setting is made behind its back."""
    make = Run.__init__

    def panicking(self: Run, *arguments: Any, **options: Any) -> None:
        make(self, *arguments, **options)
        self.tree.machine.set_sysctl("panic_on_oom", 1)

    monkeypatch.setattr(Run, "__init__", panicking)
    status, out, err = run(capsys, trace, "--ram", "64K", "--swap", "0")
    assert (status, out) == (1, "")
    assert err == "memcgfs: the machine stands still: kernel panic - not syncing: out of memory. panic_on_oom is selected\n"
