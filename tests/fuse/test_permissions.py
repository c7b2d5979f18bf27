"""Other users: the kernel checks modes and owners, the tree whose task may be attached."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from .conftest import SOMEBODY, Mounted

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="becoming another user takes root")


def test_others_read_and_do_not_write(tree: Mounted) -> None:
    tree.tell("mkdir -p a/b .machine/tasks/7")
    assert tree.tell("cat a/memory.usage; ls a/b | wc -l", uid=SOMEBODY) == "0\n9\n"
    for command in (
        "mkdir c",
        "mkdir a/c",
        "rmdir a/b",
        "mv a c",
        "echo 5 >a/memory.limit",
        "echo 7 >a/tasks",
        "echo 0 >a/tasks",
        "rm a/tasks",
        "echo 60 >.machine/sys/vm/swappiness",
        "echo exit >.machine/tasks/7/ctl",
        "rmdir .machine/tasks/7",
    ):
        expected = "Operation not permitted" if command == "rmdir .machine/tasks/7" else "Permission denied"
        assert tree.refusal(command, uid=SOMEBODY) == expected, command
    for command in ("chmod 777 a", "chown 12345 a", "chmod 666 a/tasks"):
        assert tree.refusal(command, uid=SOMEBODY) == "Operation not permitted", command


def test_a_closed_directory_is_closed(tree: Mounted) -> None:
    tree.tell("mkdir -m 700 a; mkdir a/b")
    assert tree.refusal("cat a/b/tasks", uid=SOMEBODY) == "Permission denied"
    assert tree.refusal("ls a", uid=SOMEBODY) == "Permission denied"
    tree.tell("chmod 755 a")
    assert tree.tell("ls a/b | wc -l", uid=SOMEBODY) == "9\n"


def test_delegation(tree: Mounted) -> None:
    """Who is given a directory and its `tasks` makes containers of its own there; the limit above stays ours."""
    tree.tell(f"mkdir a; echo 100 >a/memory.limit; chown {SOMEBODY}:{SOMEBODY} a a/tasks")
    tree.tell("mkdir a/mine; echo 5 >a/mine/memory.limit", uid=SOMEBODY)
    assert tree.tell("stat -c %u a/mine a/mine/memory.limit") == f"{SOMEBODY}\n{SOMEBODY}\n"
    assert tree.refusal("echo 200 >a/memory.limit", uid=SOMEBODY) == "Permission denied"
    tree.tell("rmdir a/mine", uid=SOMEBODY)


def test_everybody_makes_tasks_of_their_own(tree: Mounted) -> None:
    tree.tell(f"mkdir a; chown {SOMEBODY} a a/tasks")
    tree.tell("mkdir .machine/tasks/7; echo 7 >a/tasks; echo touch 0 5 >.machine/tasks/7/ctl", uid=SOMEBODY)
    assert tree.tell("cat a/tasks a/memory.usage") == "7\n5\n"
    tree.tell("rmdir .machine/tasks/7", uid=SOMEBODY)
    assert tree.tell("cat a/tasks a/memory.usage") == "0\n"


def test_a_task_of_somebody_else_is_not_attached(tree: Mounted) -> None:
    tree.tell(f"mkdir a .machine/tasks/7; chown {SOMEBODY} a a/tasks")
    assert tree.refusal("echo 7 >a/tasks", uid=SOMEBODY) == "Permission denied"
    assert tree.refusal("echo 1 >a/tasks", uid=SOMEBODY) == "Permission denied"


def test_a_process_of_ones_own_is(tree: Mounted) -> None:
    tree.tell(f"mkdir a; chown {SOMEBODY} a a/tasks")
    pid, listed = tree.tell("echo $$ >a/tasks; echo $$; cat a/tasks", uid=SOMEBODY).split()
    assert pid == listed


def test_private_is_for_the_mounter_alone(mount: Callable[..., Mounted]) -> None:
    tree = mount("ram=64M,private")
    assert tree.tell("cat memory.usage") == "0\n"
    assert tree.refusal(f"cat {tree.path}/memory.usage", uid=SOMEBODY) == "Permission denied"
