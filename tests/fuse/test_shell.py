"""A shell in the tree finds a kernel filesystem."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable

import pytest

from .conftest import Mounted

CONTROL_FILES = (
    "memory.control_type memory.failcnt memory.force_empty memory.limit memory.stat memory.usage "
    "notify_on_release releasable tasks"
).split()


def test_ls_lists_the_control_files(tree: Mounted) -> None:
    assert tree.tell("mkdir a; ls a").split() == CONTROL_FILES
    assert tree.tell("ls").split() == sorted(["a", "release_agent", *CONTROL_FILES])


@pytest.mark.skipif(os.geteuid() != 0, reason="root is who has made the files")
def test_ls_long(tree: Mounted) -> None:
    assert tree.tell("mkdir a; TZ=UTC ls -l --time-style=full-iso a/memory.limit").split() == [
        "-rw-r--r--", "1", "root", "root", "0", "2007-07-27", "20:10:41.000000000", "+0000", "a/memory.limit",
    ]  # fmt: skip
    assert tree.tell("ls -ld a").split()[:5] == ["drwxr-xr-x", "2", "root", "root", "0"]
    assert tree.tell("mkdir a/b a/c; stat -c %h a .").split() == ["4", "3"]


def test_find_sees_containers_only(tree: Mounted) -> None:
    """`.machine` is found by its name and listed nowhere."""
    assert tree.tell("mkdir -p a/b/c; find . -type d").split() == [".", "./a", "./a/b", "./a/b/c"]
    assert tree.tell("find . -type f | wc -l").strip() == str(4 * len(CONTROL_FILES) + 1)
    assert tree.tell("ls -a").split()[:2] == [".", ".."]
    assert ".machine" not in tree.tell("ls -a")
    assert "meminfo" in tree.tell("ls .machine")


def test_machinedir_visible(mount: Callable[..., Mounted]) -> None:
    assert ".machine" in mount("ram=64M,machinedir=visible").tell("ls -a").split()


def test_every_way_to_write(tree: Mounted) -> None:
    tree.tell("mkdir a")
    for write in (
        "echo 7 >a/memory.limit",
        "echo -n 7 >a/memory.limit",
        "echo 7 >>a/memory.limit",
        "printf 7 >a/memory.limit",
        "echo 7 | dd of=a/memory.limit status=none",
        "echo 7 | dd of=a/memory.limit conv=notrunc status=none",
        "echo 7 | tee a/memory.limit >/dev/null",
        "cp <(echo 7) a/memory.limit",
    ):
        assert tree.tell(f"echo 1 >a/memory.limit; {write}; cat a/memory.limit") == "7\n", write
        assert tree.tell("stat -c %s a/memory.limit") == "0\n", write


def test_every_way_to_read(tree: Mounted) -> None:
    tree.tell("mkdir a; for pid in 30 7 200; do mkdir .machine/tasks/$pid; echo $pid >a/tasks; done")
    for read in (
        "cat a/tasks",
        "cat <a/tasks",
        "dd if=a/tasks status=none",
        "dd if=a/tasks bs=1 status=none",
        "grep -h . a/tasks",
        "head -n 9 a/tasks",
        "while read pid; do echo $pid; done <a/tasks",
    ):
        assert tree.tell(read) == "7\n30\n200\n", read


def test_reads_at_an_offset(tree: Mounted) -> None:
    tree.tell("mkdir a; echo 123456 >a/memory.limit")
    assert tree.tell("dd if=a/memory.limit bs=1 skip=2 count=3 status=none") == "345"
    with open(tree / "a/memory.limit") as limit:
        assert os.pread(limit.fileno(), 100, 4) == b"56\n"
        assert os.pread(limit.fileno(), 100, 100) == b""


def test_what_was_read_is_fresh(tree: Mounted) -> None:
    """An open file shows the value of each read; `tasks` that of its open."""
    tree.tell("mkdir a .machine/tasks/7")
    with open(tree / "a/memory.limit") as limit, open(tree / "a/tasks") as tasks:
        tree.tell("echo 5 >a/memory.limit; echo 7 >a/tasks")
        assert os.pread(limit.fileno(), 100, 0) == b"5\n"
        assert os.pread(tasks.fileno(), 100, 0) == b""


REFUSALS = (
    ("rm a/tasks", "Operation not permitted"),
    ("rm -rf a", "Operation not permitted"),
    ("touch a/new", "Permission denied"),
    ("echo 1 >a/new", "Permission denied"),
    ("ln a/tasks a/hard", "Operation not permitted"),
    ("ln -s tasks a/soft", "Operation not permitted"),
    ("mkfifo a/pipe", "Operation not permitted"),
    ("mkdir a", "File exists"),
    ("mkdir a/tasks", "File exists"),
    ("mkdir a/b/c", "No such file or directory"),
    ("mkdir a/tasks/c", "Not a directory"),
    ("mkdir " + "n" * 256, "File name too long"),
    ("rmdir a/tasks", "Not a directory"),
    ("rmdir b", "No such file or directory"),
    ("rmdir .machine", "Device or resource busy"),
    ("mkdir .machine", "File exists"),
    ("cat b", "No such file or directory"),
    ("cat a", "Is a directory"),
    ("echo >a/memory.limit", "Invalid argument"),
    ("echo x >a/memory.limit", "Invalid argument"),
    ("echo 1 >a/memory.usage", "Invalid argument"),
    ("echo x >a/tasks", "Input/output error"),
    ("echo 4999999 >a/tasks", "No such process"),
    ("head -c 4096 /dev/zero | dd of=a/memory.limit bs=4096 status=none", "Argument list too long"),
    ("head -c 3000000 /dev/zero | dd of=a/tasks bs=3000000 iflag=fullblock status=none", "Argument list too long"),
)


def test_refusals(tree: Mounted) -> None:
    tree.tell("mkdir a")
    for command, complaint in REFUSALS:
        assert tree.refusal(command) == complaint, command
    assert tree.tell("ls; ls a").split() == ["a", *sorted([*CONTROL_FILES, "release_agent"]), *CONTROL_FILES]


def test_mv_renames_in_place(tree: Mounted) -> None:
    tree.tell("mkdir -p a/b c .machine/tasks/7; echo 7 >a/tasks; echo 5 >a/memory.limit; mv a z")
    assert tree.tell("cat z/tasks z/memory.limit; ls -d z/b") == "7\n5\nz/b\n"
    assert tree.refusal("cat a/tasks") == "No such file or directory"
    assert tree.refusal("mv -T z c") == "File exists"
    assert tree.refusal("mv z/b c") == "Input/output error"
    assert tree.refusal("mv z/tasks z/jobs") == "Not a directory"


@pytest.mark.skipif(os.geteuid() != 0, reason="chown takes root")
def test_chmod_chown_and_dates(tree: Mounted) -> None:
    tree.tell("mkdir a; chmod 700 a; chmod 600 a/tasks; chown 12:34 a/tasks; touch -d '2001-02-03 UTC' a/tasks")
    assert tree.tell("stat -c '%a %u:%g' a a/tasks") == "700 0:0\n600 12:34\n"
    assert tree.tell("stat -c %Y a/tasks; touch a/tasks; stat -c %Y a/tasks").split() == ["981158400", "1185567041"]


def test_a_date_is_the_machines(tree: Mounted) -> None:
    tree.tell("mkdir a; echo +90s >.machine/clock; mkdir b")
    a_s, b_s = (int(line) for line in tree.tell("stat -c %Y a b").split())
    assert b_s - a_s == 90


def test_umask_holds(tree: Mounted) -> None:
    made = "umask 077; mkdir a; umask 0; mkdir -m 1777 b"
    assert tree.tell(f"{made}; stat -c %a a b a/tasks").split() == ["700", "1777", "644"]


def test_statfs(tree: Mounted) -> None:
    """What it counts is the machine's disk: see test_files.py."""
    assert tree.tell("stat -f -c '%s %l' .") == "4096 255\n"
    assert tree.tell("df --output=fstype . | tail -n 1") == "fuse.memcgfs\n"


def test_rmdir_of_what_is_in_use(tree: Mounted) -> None:
    """An open file of a container that is gone answers ENODEV, for ever."""
    (tree / "a").mkdir()
    with open(tree / "a/memory.limit", "r+b", buffering=0) as limit:
        (tree / "a").rmdir()
        with pytest.raises(OSError, match="No such device"):
            limit.read()
        with pytest.raises(OSError, match="No such device"):
            limit.write(b"5")
    assert tree.refusal("mkdir d && cd d && rmdir ../d && cat tasks") == "No such file or directory"
    assert tree.tell("mkdir a; cat a/memory.usage") == "0\n"


def test_a_listing_goes_on_while_names_come_and_go(tree: Mounted) -> None:
    names = [f"c{number:04}" for number in range(2000)]
    for name in names:
        (tree / name).mkdir()
    seen = []
    for entry in os.scandir(tree.path):
        seen.append(entry.name)
        if entry.is_dir():
            (tree / entry.name).rmdir()
    assert sorted(name for name in seen if name in names) == names


def test_a_forked_task_is_seen_at_once(tree: Mounted) -> None:
    """`fork` makes a directory elsewhere; no stale link count or missing name is seen there."""
    assert tree.tell("mkdir .machine/tasks/7; stat -c %h .machine/tasks; ls .machine/tasks") == "3\n7\n"
    assert tree.tell("echo fork 8 >.machine/tasks/7/ctl; stat -c %h .machine/tasks; ls .machine/tasks") == "4\n7\n8\n"


def test_modes_of_directories(tree: Mounted) -> None:
    assert stat.S_IMODE((tree / ".machine/tasks").stat().st_mode) == 0o1777


def test_a_byte_file(tree: Mounted) -> None:
    """`mem` takes large writes whole, at any offset, and gives the bytes back."""
    tree.tell("mkdir .machine/tasks/7")
    with open(tree / ".machine/tasks/7/mem", "r+b", buffering=0) as mem:
        content = os.urandom(3 << 20)
        assert os.pwrite(mem.fileno(), content, 5 << 30) == len(content)
        assert os.pread(mem.fileno(), len(content), 5 << 30) == content
        with pytest.raises(OSError, match="Input/output error"):
            os.pread(mem.fileno(), 10, 6 << 30)  # nothing is mapped there
