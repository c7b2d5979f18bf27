"""cgroupspy on a mounted tree; each number that it reads only this tree can have given."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .conftest import Mounted

trees = pytest.importorskip("cgroupspy.trees", reason="cgroupspy is not installed")
PAGE = 4096


@pytest.fixture
def tree(mount: Callable[..., Mounted]) -> Mounted:
    return mount("dialect=v1,kmem=off,ram=64M,swap=64M")


@pytest.fixture
def node(tree: Mounted, tmp_path: Path) -> Any:
    """Its node of the group "web", where a task has touched 300 pages.  It looks for the controller in a directory of controllers."""
    (tmp_path / "memory").symlink_to(tree.path)
    tree.tell("mkdir web .machine/tasks/101; echo 101 > web/tasks; echo touch 0 300 w > .machine/tasks/101/ctl")
    return trees.Tree(root_path=str(tmp_path)).get_node_by_path("/memory/web")


def test_what_it_reads(node: Any) -> None:
    memory = node.controller
    assert memory.usage_in_bytes == 300 * PAGE
    assert memory.max_usage_in_bytes == 300 * PAGE
    assert memory.limit_in_bytes == 9223372036854771712
    assert memory.memsw_usage_in_bytes == 300 * PAGE
    assert memory.failcnt == memory.memsw_failcnt == 0
    assert memory.stat["rss"] == 300 * PAGE
    assert memory.swappiness == 60
    assert memory.use_hierarchy == 1
    assert memory.oom_control["oom_kill_disable"] == 0
    assert memory.tasks == memory.procs == [101]
    assert memory.clone_children == memory.notify_on_release == 0


def test_what_it_writes(node: Any, tree: Mounted) -> None:
    """A limit is rounded down to whole pages, and reclaims at once what is too much."""
    memory = node.controller
    memory.limit_in_bytes = 100 * PAGE + 4000
    assert memory.limit_in_bytes == 100 * PAGE
    assert 0 < memory.usage_in_bytes <= 100 * PAGE
    assert memory.memsw_usage_in_bytes == 300 * PAGE
    assert memory.stat["swap"] + memory.usage_in_bytes == 300 * PAGE
    memory.swappiness = 33
    memory.memsw_limit_in_bytes = 400 * PAGE
    memory.failcnt = 0
    assert (tree / "web/memory.swappiness").read_text() == "33\n"
    assert (tree / "web/memory.memsw.limit_in_bytes").read_text() == f"{400 * PAGE}\n"


def test_what_is_refused(node: Any, tree: Mounted) -> None:
    with pytest.raises(OSError, match="Invalid argument"):
        node.controller.swappiness = 201
    (tree / "web/memory.limit_in_bytes").write_text(str(200 * PAGE))
    with pytest.raises(OSError, match="Invalid argument"):
        node.controller.memsw_limit_in_bytes = 100 * PAGE


def test_groups_are_made_and_removed(node: Any, tree: Mounted) -> None:
    inner = node.create_cgroup("inner")
    inner.controller.limit_in_bytes = 20 * PAGE
    (tree / ".machine/tasks/102").mkdir()
    inner.controller.tasks = [102]
    (tree / ".machine/tasks/102/ctl").write_text("touch 0 50 w")
    assert inner.controller.usage_in_bytes <= 20 * PAGE
    assert inner.controller.failcnt > 0
    assert node.controller.usage_in_bytes == 300 * PAGE + inner.controller.usage_in_bytes
    (tree / ".machine/tasks/102").rmdir()
    node.delete_cgroup("inner")
    assert not (tree / "web/inner").exists()
