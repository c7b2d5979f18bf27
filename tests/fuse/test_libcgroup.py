"""libcgroup's tools on a tree that they find in the table of mounts; each reads back a number that only this tree can have given."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Mounted

CGROUPS_OF = Path(__file__).parents[2] / "examples/cgroups-of"
Run = Callable[[str], str]


@pytest.fixture
def tree(mount: Callable[..., Mounted]) -> Mounted:
    return mount("dialect=v1,kmem=off,ram=64M,swap=64M")


@pytest.fixture
def tools(tree: Mounted) -> Run:
    """tools("cgget -g memory web"): what it prints; it has to succeed."""
    if shutil.which("cgget") is None:
        pytest.skip("libcgroup's tools are not installed (Debian: cgroup-tools)")
    tried = subprocess.run([CGROUPS_OF, tree.path, "true"], capture_output=True, text=True, timeout=30, check=False)
    if tried.returncode:
        pytest.skip(f"no file can be bound over one of /proc here: {tried.stderr.strip()}")
    return lambda command: tree.tell(f"{shlex.quote(str(CGROUPS_OF))} . {command}")


@pytest.fixture
def web(tree: Mounted, tools: Run) -> Path:
    """A group of cgcreate's, where a task has touched 300 pages of a limit of 200."""
    tools("cgcreate -g memory:/web")
    tree.tell("""
        mkdir .machine/tasks/101; echo 101 > web/tasks
        echo 819200 > web/memory.limit_in_bytes
        echo touch 0 300 w > .machine/tasks/101/ctl
        """)
    return tree / "web"


def got(text: str) -> dict[str, str]:
    """What cgget prints of one group."""
    return dict(re.findall(r"^(\S+): (\S+)", text, re.MULTILINE))


def test_lssubsys(tree: Mounted, tools: Run) -> None:
    assert tools("lssubsys -am") == f"memory {tree.path}\n"


def test_cgcreate_lscgroup_and_cgdelete(tree: Mounted, tools: Run) -> None:
    tools("cgcreate -g memory:/web/inner -g memory:/db")
    assert sorted(tools("lscgroup").split()) == ["memory:/", "memory:/db", "memory:/web", "memory:/web/inner"]
    tools("cgdelete -r memory:/web")
    assert sorted(tools("lscgroup").split()) == ["memory:/", "memory:/db"]
    assert not (tree / "web").exists()


def test_cgcreate_hands_a_group_over(tree: Mounted, tools: Run) -> None:
    tools("cgcreate -a daemon:daemon -t nobody:nogroup -d 750 -f 640 -g memory:/web")
    assert (tree / "web").owner() == "daemon"
    assert (tree / "web/tasks").owner() == "nobody"
    assert stat.S_IMODE((tree / "web").stat().st_mode) == 0o750
    assert stat.S_IMODE((tree / "web/memory.limit_in_bytes").stat().st_mode) == 0o640


def test_cgset_and_cgget(tools: Run) -> None:
    """A limit of 100,000 bytes is one of 24 pages."""
    tools("cgcreate -g memory:/web")
    tools("cgset -r memory.limit_in_bytes=100000 -r memory.swappiness=33 web")
    shown = got(tools("cgget -r memory.limit_in_bytes -r memory.swappiness -r memory.memsw.limit_in_bytes web"))
    assert shown == {
        "memory.limit_in_bytes": "98304",
        "memory.swappiness": "33",
        "memory.memsw.limit_in_bytes": "9223372036854771712",
    }


def test_cgset_is_refused_as_by_the_kernel(tree: Mounted, tools: Run) -> None:
    tools("cgcreate -g memory:/web")
    assert "Invalid argument" in tree.shell(f"{CGROUPS_OF} . cgset -r memory.swappiness=201 web").stderr


def test_cgget_shows_what_the_task_has(web: Path, tools: Run) -> None:
    shown = got(tools("cgget -g memory web"))
    usage, swap = int(shown["memory.usage_in_bytes"]), int(shown["memory.memsw.usage_in_bytes"])
    assert usage == int((web / "memory.usage_in_bytes").read_text())
    assert 100 * 4096 < usage <= 200 * 4096
    assert swap == 300 * 4096
    assert int(shown["memory.failcnt"]) > 0
    assert shown["memory.max_usage_in_bytes"] == "819200"


def test_cgset_copies_a_group(web: Path, tools: Run, tree: Mounted) -> None:
    tools("cgcreate -g memory:/copy")
    tools("cgset --copy-from web copy")
    assert (tree / "copy/memory.limit_in_bytes").read_text() == "819200\n"


def test_cgexec(web: Path, tools: Run) -> None:
    members = tools("cgexec -g memory:web cat web/tasks").split()
    assert members[0] == "101"
    assert len(members) == 2
    assert (web / "tasks").read_text() == "101\n"


def test_cgexec_of_a_program_whose_memory_is_simulated(tree: Mounted, web: Path, tools: Run) -> None:
    """It is in the group before it starts; so its task is, too, and what that touches the group pays for."""
    (web / "memory.limit_in_bytes").write_text("-1")
    before = int((web / "memory.usage_in_bytes").read_text())
    helper = CGROUPS_OF.parent / "memcg_process"
    script = (
        f"{helper} --mmap-anon -s 409600 & until [ -d .machine/tasks/$! ]; do sleep 0.02; done;"
        "kill -USR1 $!; until [ $(($(cat web/memory.usage_in_bytes) - " + str(before) + ")) -ge 409600 ]; do sleep 0.02; done;"
        "cat web/memory.usage_in_bytes; kill -INT $!; wait $!"
    )
    assert tools(f"cgexec -g memory:web bash -c {shlex.quote(script)}") == f"{before + 409600}\n"


def test_cgclassify(tree: Mounted, web: Path, tools: Run) -> None:
    with subprocess.Popen(["sleep", "60"]) as process:
        tools(f"cgclassify -g memory:web {process.pid}")
        assert (web / "tasks").read_text().split() == sorted(["101", str(process.pid)], key=int)
        tools(f"cgclassify -g memory:/ {process.pid}")
        assert (web / "tasks").read_text() == "101\n"
        process.kill()


def test_cgdelete_moves_the_tasks_up(tree: Mounted, web: Path, tools: Run) -> None:
    tools("cgdelete memory:web")
    assert not web.exists()
    assert "101" in (tree / "tasks").read_text().split()


def test_nothing_of_the_host_is_touched(tree: Mounted, tools: Run) -> None:
    before = Path("/proc/self/mounts").read_text(), Path("/proc/cgroups").read_text(), os.listdir("/mnt")
    tools("lssubsys")
    assert (Path("/proc/self/mounts").read_text(), Path("/proc/cgroups").read_text(), os.listdir("/mnt")) == before


def test_a_directory_that_is_no_tree_is_not_shown_as_one(tmp_path: Path) -> None:
    ended = subprocess.run([CGROUPS_OF, tmp_path, "true"], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (2, f"{CGROUPS_OF}: {tmp_path}: no tree of memcgfs is mounted there\n")
