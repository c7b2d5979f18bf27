"""Real mounts.  A test that makes one ends with its `.machine/check`, and leaves neither a mount nor a daemon."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from memcgfs.fuse.mountpoint import MountError, mount_at, require_fuse, unmount

MEMCGFS = (sys.executable, "-m", "memcgfs")
SMALL = "ram=64M,swap=0"
SOMEBODY = 12345
"""A user id that nobody has."""


def memcgfs(*words: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    """The command, run to its end."""
    return subprocess.run([*MEMCGFS, *words], capture_output=True, text=True, timeout=30, check=False, **options)


@contextmanager
def in_front(directory: Path, *command: str) -> Iterator[subprocess.Popen[str]]:
    """A daemon in the foreground that has mounted at `directory`: `command DIRECTORY`, or `memcgfs mount -f`."""
    words = [*(command or (*MEMCGFS, "mount", "-f", "-o", SMALL)), str(directory)]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as daemon:
        until = time.monotonic() + 10
        while mount_at(directory) is None and time.monotonic() < until:
            time.sleep(0.01)
        yield daemon
        daemon.kill()


class Mounted:
    """A mounted tree, and a shell in it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def shell(self, script: str, *, uid: int = 0) -> subprocess.CompletedProcess[str]:
        """Run `script` in the top directory; C locale, so that refusals read the same everywhere."""
        who: dict[str, Any] = {"user": uid, "group": uid, "extra_groups": ()} if uid else {}
        environment = {"PATH": os.environ["PATH"], "LC_ALL": "C", "HOME": "/"}
        return subprocess.run(["bash", "-c", script], cwd=self.path, env=environment, capture_output=True, text=True,
                              timeout=30, check=False, **who)  # fmt: skip

    def tell(self, script: str, *, uid: int = 0) -> str:
        """What `script` prints; it has to succeed, silently."""
        ended = self.shell(script, uid=uid)
        assert (ended.returncode, ended.stderr) == (0, ""), (script, ended)
        return ended.stdout

    def refusal(self, script: str, *, uid: int = 0) -> str:
        """What `script` complains of, at the end of the line; it has to fail."""
        ended = self.shell(script, uid=uid)
        assert ended.returncode != 0, (script, ended)
        return ended.stderr.strip().rpartition(": ")[2]

    def __truediv__(self, name: str) -> Path:
        return self.path / name


@pytest.fixture
def directory() -> Iterator[Path]:
    """An empty directory that every user reaches."""
    try:
        require_fuse()
    except MountError as reason:
        pytest.skip(str(reason))
    path = Path(tempfile.mkdtemp(prefix="memcgfs-")).resolve()
    path.chmod(0o755)
    yield path
    while (left := mount_at(path)) is not None:
        unmount(left, lazily=True)
    shutil.rmtree(path)


@pytest.fixture
def mount() -> Iterator[Callable[..., Mounted]]:
    """`mount(OPTIONS)`: one more mounted tree; all are checked and unmounted at the end."""
    try:
        require_fuse()
    except MountError as reason:
        pytest.skip(str(reason))
    mounted: list[Mounted] = []

    def mount_one(options: str = "", **environment: str) -> Mounted:
        path = Path(tempfile.mkdtemp(prefix="memcgfs-")).resolve()
        path.chmod(0o755)
        ended = memcgfs("mount", "-o", options, path, env={**os.environ, **environment})
        assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
        mounted.append(Mounted(path))
        return mounted[-1]

    yield mount_one
    ends = [_end(each) for each in mounted]
    assert ends == [("ok\n", 0, "")] * len(mounted)


def _end(tree: Mounted) -> tuple[str, int, str]:
    """Unmount, whatever the state of it: what the checker said, the status of umount and its complaint."""
    try:
        verdict = (tree / ".machine/check").read_text()
    except OSError as error:
        verdict = str(error)
    ended = memcgfs("umount", tree.path)
    left = mount_at(tree.path)
    if left is not None:
        unmount(left, lazily=True)
    tree.path.rmdir()
    return verdict, ended.returncode, ended.stderr


@pytest.fixture
def tree(mount: Callable[..., Mounted]) -> Mounted:
    """One mounted tree of 64 MB and as much swap."""
    return mount("ram=64M,swap=64M")
