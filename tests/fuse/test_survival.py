"""A bug in a handler is an EIO for one caller and a traceback in the log; the mount lives on."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from .conftest import Mounted, in_front, memcgfs

BROKEN = """
import sys
from memcgfs.cli import main
from memcgfs.kernfs import Kernfs

sound = Kernfs.read

def read(self, handle, offset, nbytes):
    if self._opened(handle).file.name == b"releasable":
        raise KeyError("injected")
    return sound(self, handle, offset, nbytes)

Kernfs.read = read
sys.exit(main(["mount", "-f", "-o", "ram=64M,swap=0", sys.argv[1]]))
"""


def test_an_exception_in_a_handler(directory: Path) -> None:
    with in_front(directory, sys.executable, "-c", BROKEN) as daemon:
        with pytest.raises(OSError, match="Input/output error"):
            (directory / "releasable").read_text()
        assert (directory / "memory.usage").read_text() == "0\n"
        (directory / "a").mkdir()
        assert memcgfs("umount", directory).returncode == 0
        assert daemon.wait(10) == 0
        assert daemon.stderr is not None
        told = daemon.stderr.read()
    assert "read: answered EIO because of" in told
    assert "KeyError: 'injected'" in told
    assert "Traceback" in told


@pytest.mark.parametrize(
    ("file", "content", "complaint"),
    [
        ("ctl", b"x" * (1 << 20), "Argument list too long"),
        ("ctl", b"touch 0 1152921504606846976", "Invalid argument"),
        ("ctl", b"touch 34359738368 1", "Invalid argument"),
        ("ctl", b"touch -1 1", "Invalid argument"),
        ("ctl", b"touch 0 5\ntouch 5 5", "Invalid argument"),
        ("ctl", b"\xff\xfe\0", "Invalid argument"),
        ("ctl", b"touch 0 99999999", "Cannot allocate memory"),
    ],
)
def test_bad_input(tree: Mounted, file: str, content: bytes, complaint: str) -> None:
    tree.tell("mkdir .machine/tasks/7")
    before = tree.tell("cat .machine/meminfo .machine/tasks/7/status")
    with open(tree / f".machine/tasks/7/{file}", "wb", buffering=0) as opened, pytest.raises(OSError, match=complaint):
        os.write(opened.fileno(), content)
    if complaint != "Cannot allocate memory":
        assert tree.tell("cat .machine/meminfo .machine/tasks/7/status") == before
    assert tree.tell("cat .machine/check") == "ok\n"
