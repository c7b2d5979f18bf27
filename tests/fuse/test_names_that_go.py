"""A name that goes by other means than a request for it: the kernel, which keeps names for ever, is told."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from .conftest import in_front, memcgfs

REMOVES_A = """
import sys
from memcgfs.cli import main
from memcgfs.kernfs import Kernfs

sound = Kernfs.write

def write(self, handle, offset, content):
    if content == b"remove a":
        self.remove(self.find(b"a"))
        return len(content)
    return sound(self, handle, offset, content)

Kernfs.write = write
sys.exit(main(["mount", "-f", "-o", "ram=64M,swap=0", sys.argv[1]]))
"""


def test_a_directory_that_the_tree_removes_itself(directory: Path) -> None:
    with in_front(directory, sys.executable, "-c", REMOVES_A) as daemon:
        (directory / "a").mkdir()
        assert directory.stat().st_nlink == 3
        (directory / "tasks").write_bytes(b"remove a")
        assert directory.stat().st_nlink == 2
        # The name itself is taken back by another thread.
        until = time.monotonic() + 5
        while (directory / "a").exists() and time.monotonic() < until:
            time.sleep(0.01)
        assert not (directory / "a").exists()
        (directory / "a").mkdir()
        assert (directory / "a/tasks").read_text() == ""
        assert memcgfs("umount", directory).returncode == 0
        assert daemon.wait(10) == 0
