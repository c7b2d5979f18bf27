"""Every example session prints, on a real mount, exactly what the file beside it says; so does every run of it.

`make expected` writes the files anew.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from memcgfs.fuse.mountpoint import MountError, require_fuse

EXAMPLES = Path(__file__).parents[2] / "examples"
SESSIONS = sorted(path for path in EXAMPLES.glob("*.sh") if os.access(path, os.X_OK))


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """`memcgfs` is this Python's, installed or not."""
    try:
        require_fuse()
    except MountError as reason:
        pytest.skip(str(reason))
    program = tmp_path / "memcgfs"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m memcgfs "$@"\n')
    program.chmod(0o755)
    return {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": str(EXAMPLES.parent)}


def steady(output: str) -> str:
    """Without the one line that tells of this computer."""
    return re.sub("(?m)^accesses/s .*", "accesses/s", output)


@pytest.mark.parametrize("session", SESSIONS, ids=lambda path: path.stem)
def test_a_session_prints_what_is_expected(session: Path, environment: dict[str, str]) -> None:
    expected = session.with_suffix(".out").read_text()
    if ("Needs root" in session.read_text() or "root root" in expected) and os.geteuid() != 0:
        pytest.skip("it becomes another user, or shows that root has made the tree")
    ended = subprocess.run([session], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT, text=True, timeout=120, check=False)  # fmt: skip
    assert steady(ended.stdout) == steady(expected)
    assert ended.returncode == 0


def test_no_expectation_without_a_session() -> None:
    assert [path.stem for path in sorted(EXAMPLES.glob("*.out"))] == [path.stem for path in SESSIONS]


def test_a_session_ends_where_nothing_is_mounted(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "memcgfs").write_text("#!/bin/sh\necho memcgfs: no right to /dev/fuse >&2; exit 1\n")
    ended = subprocess.run([EXAMPLES / "first-steps.sh"], env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert (ended.returncode, ended.stdout.splitlines()[-1]) == (1, "memcgfs: no right to /dev/fuse")


def test_a_session_says_what_it_is_about(environment: dict[str, str]) -> None:
    def ask(*words: str) -> tuple[int, str]:
        command = [str(EXAMPLES / "migration.sh"), *words]
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
        return ended.returncode, ended.stdout

    status, told = ask("--help")
    assert (status, len(told.splitlines())) == (0, 1)
    assert "$" not in told
    assert ask("--verbose") == (2, "")
