"""README is run: its session on a mount, its Python, and its list of options."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from memcgfs import options

README = (Path(__file__).parents[2] / "README.md").read_text()
PROMPT = "$ "


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", README, re.DOTALL)
    assert found is not None
    return found[1]


def test_the_session(tmp_path: Path) -> None:
    session = block("console")
    commands = [line.removeprefix(PROMPT) for line in session.splitlines() if line.startswith(PROMPT)]
    shell = ["memcgfs() { " + f"'{sys.executable}' -m memcgfs" + ' "$@"; }']
    for command in commands:
        shell += [f"cat <<'COMMAND'\n{PROMPT}{command}\nCOMMAND", command]
    shell += ["cd ..; memcgfs umount cg"]
    done = subprocess.run(["bash", "-c", "\n".join(shell)], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert (done.stderr, done.stdout) == ("", session)


def test_the_python() -> None:
    printed = subprocess.run([sys.executable, "-c", block("python")], capture_output=True, text=True, timeout=60, check=True)
    assert printed.stdout == "64 1344\n"


def test_every_option_is_named() -> None:
    for name in [*options.VALUES, *options.FLAGS]:
        assert re.search(rf"`-?o? ?{re.escape(name)}\b", README), name
