"""Cases of our own, in the form of the recorded ones: what the sources of 6.18 say comes of them.  They were not recorded.

They ask what the recorded ones do not: names, directories and flags that the vfs refuses, what FUSE does not decide although it decides the
like of it, and what the players do with results and processes that no recorded case has.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any, Final

import pytest

from memcgfs.cgroup import dialect_v1
from memcgfs.fidelity.cases import Case
from memcgfs.fidelity.k618.conformance import can_run_in_process, run_cases, run_in_process
from memcgfs.fidelity.k618.mounted import why_not
from memcgfs.fidelity.k618.results import VENDORS_FILE
from memcgfs.fidelity.row import Row
from memcgfs.kernfs.habits import name_hash

NEEDS_A_MOUNT = pytest.mark.skipif(bool(why_not()), reason=why_not())

DONE: Final = {"ret": 0}
WROTE: Final = {"ret": "all"}
NOBODY: Final = 65534
SWAPPINESS: Final = "c/memory.swappiness"
LIMIT: Final = "c/memory.limit_in_bytes"


def refused(name: str) -> dict[str, str]:
    return {"errno": name}


def before(op: str, path: str = "", result: Any = None, **fields: Any) -> dict[str, Any]:
    return {"op": op, "path": path, **fields, "result": result or DONE}


def after(op: str, path: Any, expect: Any, **fields: Any) -> dict[str, Any]:
    return {"op": op, "path": path, **fields, "expect": expect}


def case(id: str, op: str, path: Any, expect: Any, *, setup: Any = (), after: Any = (), **fields: Any) -> Case:
    record = {"op": op, "path": path, **fields, "expect": expect, "setup": [before("mkdir", "c"), *setup], "after": list(after)}
    return Case(id, "conformance", record, Path("none"), "6.18")


def named(character: str, count: int) -> dict[str, Any]:
    return {"rep": [character, count]}


def helper(*commands: str, group: str = "c") -> list[dict[str, Any]]:
    attached = before("write", f"{group}/tasks", WROTE, data="{pid:m}")
    return [before("mem", name="m"), attached, *(before("mem_do", name="m", cmd=command, result={"value": "ok"}) for command in commands)]


NAMES = [
    case("a path that is too long", "mkdir", named("n", 4095), refused("ENAMETOOLONG")),
    case("a long name", "mkdir", named("n", 3000), DONE, after=[after("rmdir", named("n", 3000), DONE)]),
    case("renamed to a long name", "rename", "c", DONE, to="n" * 3000, after=[after("rmdir", "n" * 3000, DONE)]),
    case("a newline at the end", "mkdir", "a\n", refused("EINVAL")),
    case("a file across directories", "rename", "c/tasks", refused("ENOTDIR"), setup=[before("mkdir", "d")], to="d/x"),
    case("a directory across directories", "rename", "c", refused("EIO"), setup=[before("mkdir", "d")], to="d/x"),
    case("onto another file", "rename", "c/tasks", refused("ENOTDIR"), to="c/memory.stat"),
    case("a file below a file", "stat", "c/tasks/", refused("ENOTDIR")),
    case("a file without a kind", "mknod", "c/n", refused("EACCES"), mode=0o644),
    case("a link made as a node", "mknod", "c/n", refused("EINVAL"), mode=stat.S_IFLNK | 0o644),
    case("a directory made as a node", "mknod", "c/n", refused("EPERM"), mode=stat.S_IFDIR | 0o755),
]
NULS: Final = {"value_error": "in the words of another Python"}
ATTRIBUTES = [
    case("a name with a NUL", "mkdir", {"hex": "610062"}, NULS),
    case("a renaming with a NUL", "rename", "c", NULS, to="a\0b"),
    case("an attribute with a NUL", "setxattr", "c", NULS, name="user.\0", data="v"),
    case("cut to less than nothing", "truncate", "c/tasks", refused("EINVAL"), size=-1),
    case("another group alone", "chown", "c/tasks", DONE, to=[-1, 7], after=[after("owner", "c/tasks", {"value": ["0o100644", 0, 7]})]),
    case(
        "the bits of another owner", "chown", "c/tasks", DONE, to=[1, 1], setup=[before("chmod", "c/tasks", mode=0o6755)],
        after=[after("owner", "c/tasks", {"value": ["0o100755", 1, 1]})],
    ),
    case("an attribute without a name", "setxattr", "c", refused("ERANGE"), name="", data="v"),
    case("a name of 256 bytes", "setxattr", "c", refused("ERANGE"), name="user." + "x" * 251, data="v"),
    case("a name of 255 bytes", "setxattr", "c", DONE, name="user." + "x" * 250, data="v"),
    case("a value of 65537 bytes", "setxattr", "c", refused("E2BIG"), name="user.x", data=named("v", 65537)),
    case("a value of 65536 bytes", "setxattr", "c", DONE, name="user.x", data=named("v", 65536)),
]  # fmt: skip
DESCRIPTORS = [
    case("a directory, cut off", "open", "c", refused("EISDIR"), flags=["O_TRUNC"]),
    case("a directory, to be written", "open", "c", refused("EISDIR"), mode="rw"),
    case("a directory, past the cache", "open", "c", refused("EINVAL"), flags=["O_DIRECT"]),
    case("no such way to seek", "lseek", SWAPPINESS, refused("EINVAL"), off=0, whence=9),
    case("read before the beginning", "pread", SWAPPINESS, refused("EINVAL"), size=1, off=-1),
    case("written before the beginning", "write", SWAPPINESS, refused("EINVAL"), data="1", off=-1),
    case("read behind the last byte", "lseek", SWAPPINESS, refused("EINVAL"), off=(1 << 63) - 1, whence=os.SEEK_SET),
    case("written through a reader", "write", SWAPPINESS, refused("EBADF"), data="1", mode="r"),
    case("read through a writer", "holdread", "", refused("EBADF"), name="h", setup=[before("hold", SWAPPINESS, name="h", mode="w")]),
    case(
        "too long for a file that is gone", "holdwrite", "", refused("E2BIG"), name="h", data=named("1", 4097),
        setup=[before("hold", SWAPPINESS, name="h", mode="w"), before("rmdir", "c")],
    ),
    case(
        "just not too long for a file that is gone", "holdwrite", "", refused("ENODEV"), name="h", data=named("1", 4096),
        setup=[before("hold", SWAPPINESS, name="h", mode="w"), before("rmdir", "c")],
    ),
]  # fmt: skip
NOT_DECIDED_BY_FUSE = [
    case("a private mapping of a directory", "mmap", "c", refused("ENODEV"), private=1),
    case("sendfile from a directory", "sendfile", "c", refused("EINVAL")),
    case("splice from a directory", "splice_read", "c", refused("EINVAL")),
    case("sendfile from a list of nobody", "sendfile", "c/tasks", {"ret": 0, "bytes": ""}),
    case("sendfile from what nobody may read", "sendfile", "c/memory.force_empty", refused("EACCES"), uid=NOBODY),
    case("a filesystem of nothing", "statfs", "c/nope", refused("ENOENT")),
    case(
        "a file whose directory is removed", "inotify", "c/memory.oom_control", {"value": [], "during": [DONE]},
        during=[{"op": "rmdir", "path": "c"}],
    ),
    case(
        "the directory above", "inotify", "", {"value": [["0x40000200", "c"]], "during": [DONE]}, during=[{"op": "rmdir", "path": "c"}],
    ),
    case(
        "a directory whose child is removed", "inotify", "c", {"value": [["0x40000200", "d"]], "during": [DONE]},
        setup=[before("mkdir", "c/d")], during=[{"op": "rmdir", "path": "c/d"}],
    ),
]  # fmt: skip
CONTROL_FILES = sorted(row.name for row in dialect_v1().files)
PLAYED = [
    case("names, when they are looked for below", "inotify", "c", {
        "value": [["0x40000020", ""], ["0x40000001", ""], ["0x40000010", ""]], "during": [{"value": [*CONTROL_FILES, VENDORS_FILE]}],
    }, during=[{"op": "listdir", "path": "c"}]),
    case(
        "as many as there are, and the recorded kernel's one", "holdlist", "", {"value": len(CONTROL_FILES) + 1}, name="h",
        setup=[before("hold", "c", name="h", dir=True)], after=[after("rmdir", "c", DONE), after("holdlist", "", {"value": 0}, name="h")],
    ),
    case(
        "who plays", "write", "c/tasks", WROTE, data="{self}\n",
        after=[after("read", "c/tasks", {"regex": r"\d+\n", "examples": []}), after("write", "tasks", WROTE, data="{self}")],
    ),
    case(
        "nobody's name", "write", "c/cgroup.event_control", refused("EINVAL"), data="{fd:u} {fd:u} 1M",
        setup=[before("hold", LIMIT, name="u"), before("close", name="u")],
    ),
    case("nothing is said of what is written", "write", LIMIT, WROTE, after=[after("setxattr", LIMIT, DONE, name="user.x")]),
    case("in the kernel's order", "readdir_order", "c", {"value": sorted(CONTROL_FILES, key=lambda name: name_hash(name.encode()))}),
    case(
        "who is not there any more", "rmdir", "c", DONE, setup=[
            *helper("forkz", "reap", "reap", "map A anon 256", "touch A 0 256 w"), before("kill", name="m"), before("sleep", s=0.1),
        ], after=[after("cmp", "memory.usage_in_bytes", {"value": "le"}, than=1 << 19)],
    ),
    case(
        "a file that was longer in another case", "write", LIMIT, WROTE, data="256K", setup=[
            before("mkfile", "files/one", pages=2048), before("mkfile", "files/one", pages=512),
            *helper("open 0 files/one r", "read 0 0 512", "fadv 0 0 256 dontneed"),
        ], after=[after("read", LIMIT, {"bytes": "262144\n"}), after("cmp", "c/memory.usage_in_bytes", {"value": "le"}, than=1 << 18)],
    ),
]  # fmt: skip
EVERYWHERE = NAMES + ATTRIBUTES + DESCRIPTORS
IN_PROCESS = [each for each in EVERYWHERE + PLAYED if can_run_in_process(each.record)]
NOT_IN_PROCESS = [
    case("a slash behind a name", "stat", "c/tasks/", DONE),
    case("who writes it, in octal and before a NUL", "write", "c/tasks", WROTE, data={"hex": "303000"}),
    case("who writes it, in pieces", "writev", "c/tasks", {"ret": 1}, datas=["0", ""]),
    case("who plays", "write", "c/tasks", WROTE, data="{self}"),
    case("a thread of the kernel's, by its hexadecimal number", "write", "c/cgroup.procs", refused("EINVAL"), data=" 0x2\n"),
    case(
        "a descriptor", "write", "c/cgroup.event_control", refused("EINVAL"), data="{fd:u} {fd:u} 1M",
        setup=[before("hold", LIMIT, name="u")],
    ),
]  # fmt: skip


def wrong(rows: list[Row]) -> list[str]:
    """What does not hold, and what a rule of FUSE's covers although it needs none."""
    return [
        f"{row.id}: {figure.name}: expected {figure.recorded}, ours {figure.ours} {figure.cause}"
        for row in rows for figure in row.figures if not figure.holds or figure.cause
    ] + [f"{row.id}: {row.cause}" for row in rows if not row.figures]  # fmt: skip


@NEEDS_A_MOUNT
def test_on_a_mount() -> None:
    assert wrong(list(run_cases(EVERYWHERE + NOT_DECIDED_BY_FUSE + PLAYED))) == []


def test_in_process() -> None:
    assert wrong(list(run_in_process(IN_PROCESS))) == []


def test_nearly_all_ask_nobody_but_a_tree() -> None:
    assert [each.id for each in EVERYWHERE if each not in IN_PROCESS] == ["a file below a file"]


@pytest.mark.parametrize("asked", NOT_IN_PROCESS, ids=lambda asked: asked.id)
def test_what_no_tree_in_this_process_is_asked(asked: Case) -> None:
    assert not can_run_in_process(asked.record)
