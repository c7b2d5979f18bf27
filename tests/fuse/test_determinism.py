"""The same script on two mounts gives the same bytes, whatever hashing and scheduling do."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from .conftest import Mounted

SCRIPT = """
echo 1 >.machine/trace/events/enable
mkdir -p web/front db
for pid in 40 7 300; do mkdir .machine/tasks/$pid; done
echo 7 >web/tasks; echo 300 >web/front/tasks; echo 40 >db/tasks
echo 64 >web/memory.limit; echo 10 >db/memory.limit
echo touch 0 400 >.machine/tasks/7/ctl
echo touch 100 50 r >.machine/tasks/300/ctl
echo fork 8 >.machine/tasks/7/ctl
echo touch 0 100 w >.machine/tasks/8/ctl
head -c 200000 /dev/zero | tr '\\0' x >.machine/tasks/300/mem
echo touch 0 4000 >.machine/tasks/40/ctl 2>/dev/null
mv web site; chmod 750 db; chown 12:34 site/tasks; touch site; mkdir gone; rmdir gone
echo run 100ms >.machine/tasks/8/ctl; echo +1s >.machine/clock
"""
BYTE_FILES = ("mem", "pagemap")
WAITING_FILES = ("trace_pipe",)


def content(path: Path) -> bytes | int | None:
    """The bytes of a file, or the errno of reading it."""
    if path.is_dir() or path.name in BYTE_FILES + WAITING_FILES:
        return None
    try:
        return path.read_bytes()
    except OSError as error:
        return error.errno


def everything(top: Path) -> dict[str, tuple[object, ...]]:
    """What stat(2) and read(2) say of all files and directories, `.machine` included, in the order listed."""
    found: dict[str, tuple[object, ...]] = {}

    def visit(directory: Path) -> None:
        for name in os.listdir(directory):
            path = directory / name
            status = path.stat()
            found[str(path.relative_to(top))] = (
                status.st_ino, status.st_mode, status.st_nlink, status.st_uid, status.st_gid, status.st_size,
                status.st_atime_ns, status.st_mtime_ns, status.st_ctime_ns, content(path),
            )  # fmt: skip
            if path.is_dir():
                visit(path)

    visit(top)
    visit(top / ".machine")
    return found


def test_two_mounts_agree(mount: Callable[..., Mounted]) -> None:
    trees = [mount("ram=16M,swap=16M", PYTHONHASHSEED=seed) for seed in ("0", "1", "random")]
    for tree in trees:
        tree.shell(SCRIPT)
    first, *others = [everything(tree.path) for tree in trees]
    assert len(first) > 80
    assert b"Out of memory" in first[".machine/log"][-1] or b"out of memory" in first[".machine/log"][-1]  # type: ignore[operator]
    for other in others:
        assert list(other) == list(first)
        assert {name: other[name] for name in other if other[name] != first[name]} == {}
    with open(trees[0] / ".machine/tasks/300/mem", "rb") as mem:
        assert mem.read(200_000) == b"x" * 200_000
