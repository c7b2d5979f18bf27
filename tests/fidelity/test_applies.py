"""Which cases say something about a mount, and which of their steps the transport settles."""

from __future__ import annotations

import pytest

from memcgfs.fidelity.applies import FUSE_DECIDES, MOUNT_ITSELF, OTHER_SUBSYSTEM, RECORDED_PROC, RECORDED_PROCESSES, why_not

OK = {"ok": 0}


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("mkdir /cg/a", ""),
        ("read /proc/self/cgroup", ""),
        ("read /proc/swaps", ""),
        ("write /proc/sys/vm/swappiness 0", ""),
        ("read /proc/mounts", RECORDED_PROC),
        ("read /proc/cgroups", RECORDED_PROC),
        ("read /cg/cpuacct.usage", OTHER_SUBSYSTEM),
        ("ls /cg", ""),
        ("read /cg/a/tasks", ""),
        ("read /cg/tasks", RECORDED_PROCESSES),
        ("openkeep K /cg/memory.stat", RECORDED_PROCESSES),
        ("write /cg/tasks 0", ""),
        ("dance", "dance: not a command of recorded cases"),
        ("mount none /cg cgroup memory", ""),
        ("mount none /cg cgroup memory,noprefix", ""),
        ("mount none /cg cgroup memory,release_agent=/agent", ""),
        ("mount none /cg cgroup memory,cpu", MOUNT_ITSELF),
        ("mount none /cg cgroup noprefix", MOUNT_ITSELF),
        ("mount none /cg2 cgroup memory", MOUNT_ITSELF),
        ("mount none /cg container memory", MOUNT_ITSELF),
        ("mount none /cg cgroup", MOUNT_ITSELF),
        ("umount /cg", MOUNT_ITSELF),
    ],
)
def test_a_command(command: str, expected: str) -> None:
    assert why_not([["m", "mkdir /cg/first", OK], ["m", command, OK]]) == expected


def test_whose_mount_and_what_came_of_it() -> None:
    assert why_not([["1", "mount none /cg cgroup memory", OK]]) == MOUNT_ITSELF
    assert why_not([["m", "mount none /cg cgroup memory", {"errno": "EBUSY"}]]) == MOUNT_ITSELF


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (r"write /cg/a/tasks \e", "a write of no bytes"),
        ("kwrite K", "a write of no bytes"),
        ("write /cg/a/tasks 0", ""),
        ("write /cg/a/tasks @131071:9", ""),
        ("write /cg/a/tasks @131072:9", "a write of 128 KiB or more"),
        ("writefault /cg/a/tasks", "a write from a bad address"),
        ("rdwr /cg/a/memory.limit_in_bytes 4096", "a read behind a write, through one descriptor"),
        ("read /cg/a/tasks", ""),
        ("mkdir /cg/a", ""),
    ],
)
def test_what_the_transport_settles(command: str, expected: str) -> None:
    name, *words = command.split(" ")
    assert "".join(rule.what for rule in FUSE_DECIDES if rule.touches(name, words)) == expected
