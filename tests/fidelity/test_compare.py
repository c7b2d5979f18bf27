"""What counts as the same result, and what does not."""

from __future__ import annotations

from typing import Any

import pytest

from memcgfs.fidelity.compare import VMSTAT, Judge

Found = dict[str, Any]


def same(command: str, recorded: Found, ours: Found, *, judge: Judge | None = None) -> bool:
    return (judge or Judge()).judge(0, "m", command, recorded, ours).holds


@pytest.mark.parametrize(
    ("command", "recorded", "ours", "expected"),
    [
        ("mkdir /cg/a", {"ok": 0}, {"ok": 0}, True),
        ("mkdir /cg/a", {"ok": 0}, {"errno": "EEXIST"}, False),
        ("reap 5", {"errno": "E10"}, {"errno": "ECHILD"}, True),
        ("write /cg/tasks 0", {"bytes": 1}, {"bytes": 2}, False),
        ("write /cg/tasks $1", {"bytes": 2}, {"bytes": 3}, True),
        ("write /cg/tasks $1", {"bytes": 2}, {"errno": "ESRCH"}, False),
        ("write /cg/tasks $1", {"errno": "ESRCH"}, {"errno": "EACCES"}, False),
        ("read /proc/self/cgroup", {"data": "2:memory:/a\n"}, {"data": "1:memory:/a\n"}, True),
        ("read /proc/self/cgroup", {"data": "2:memory:/a\n"}, {"data": "1:memory:/b\n"}, False),
        ("read /proc/swaps", {"data": "ram0\t0\t-2\n"}, {"data": "ram0\t0\t-1\n"}, True),
        ("read /proc/swaps", {"data": "ram0\t4\t-2\n"}, {"data": "ram0\t0\t-1\n"}, False),
        ("read /cg/a/tasks", {"data": ""}, {"data": "300\n"}, False),
        ("read /cg/a/tasks", {"data": ""}, {"errno": "ENODEV"}, True),
        ("touch A 0 9 w", {"died": 1, "code": 2, "status": 9, "progress": 5}, {"died": 1, "code": 2, "status": 9, "progress": 5}, True),
        ("touch A 0 9 w", {"died": 1, "code": 2, "status": 9, "progress": 5}, {"died": 1, "code": 2, "status": 9, "progress": 6}, False),
        ("touch A 0 9 w", {"died": 1, "code": 2, "status": 9, "progress": 5}, {"died": 1, "code": 2, "status": 9, "progress": None}, True),
        ("touch A 0 9 w", {"died": 1, "code": 2, "status": 9, "progress": 5}, {"died": 1, "gone": 1, "progress": 5}, False),
        ("touch A 0 9 w", {"minflt": 9, "majflt": 0}, {"died": 1, "code": 2, "status": 9, "progress": 5}, False),
    ],
)
def test_a_result(command: str, recorded: Found, ours: Found, expected: bool) -> None:
    assert same(command, recorded, ours) == expected


def test_pids_stand_for_the_same_processes_throughout() -> None:
    judge = Judge()
    assert same("read /cg/a/tasks", {"data": "1\n40\n41\n"}, {"data": "1\n300\n301\n"}, judge=judge)
    assert same("openkeep K /cg/a/tasks", {"ok": 0}, {"ok": 0}, judge=judge)
    assert same("kread K", {"data": "41\n"}, {"data": "301\n"}, judge=judge)
    assert not same("kread K", {"data": "40\n"}, {"data": "301\n"}, judge=judge)
    assert not same("read /cg/b/tasks", {"data": "41\n"}, {"data": "300\n"}, judge=judge)
    assert not same("read /cg/b/tasks", {"data": "42\n"}, {"data": "301\n"}, judge=judge)
    assert not same("read /cg/b/tasks", {"data": "1\n"}, {"data": "302\n"}, judge=judge)
    assert same("read /cg/b/tasks", {"data": "41\n"}, {"data": "301\n"}, judge=judge)


def log(pid: int, score: int, victim: int, *around: str) -> Found:
    kill = f"Memory cgroup out of memory: kill process {pid} (helper) score {score} or a child"
    return {"log": "".join(f"{line}\n" for line in (kill, *around, f"Killed process {victim} (helper)"))}


def test_kills() -> None:
    judge = Judge()
    assert same("dmesg", log(40, 32, 41, "printk: 5 messages suppressed."), log(300, 32, 301), judge=judge)
    assert not same("dmesg", log(40, 32, 41), log(301, 32, 300), judge=judge)
    assert not same("dmesg", log(40, 32, 41), log(300, 33, 301))
    assert not same("dmesg", log(40, 32, 41), {"log": ""})
    assert not same("dmesg", log(40, 32, 41, "VM: killing process helper"), log(300, 32, 301))
    assert same("dmesg", log(40, 32, 41, "<3>VM: killing process helper"), log(300, 32, 301, "VM: killing process task"))
    assert same("dmesg", {"log_killing_lines": log(40, 32, 41)["log"].splitlines()}, log(300, 32, 301))


def test_the_clock_counts_from_the_last_look() -> None:
    judge = Judge()
    assert same("now", {"s": 70.0}, {"s": 1.0}, judge=judge)
    assert same("now", {"s": 71.03}, {"s": 2.0}, judge=judge)
    assert not same("now", {"s": 72.1}, {"s": 3.0}, judge=judge)


def test_counters() -> None:
    assert same("vmstat1", {"pswpout": 3, "pgfault": 9, "pgfree": 7}, {"pswpout": 3, "pgfault": 1})
    for name in VMSTAT:
        assert not same("vmstat1", {name: 1}, {name: 2})


def snap(usage: int, **fields: int) -> Found:
    return {"usage_in_bytes": usage, "failcnt": 0, "ntasks": 1, "stat": {"cache": usage, "rss": 0}, **fields}


def test_the_top_group_had_others_in_it() -> None:
    """So what changes there counts; of another group, everything."""
    judge = Judge()
    assert same("snap /cg", snap(900, ntasks=20), snap(100), judge=judge)
    assert same("snap /cg", snap(904, ntasks=21), snap(104), judge=judge)
    assert not same("snap /cg", snap(905), snap(104), judge=judge)
    assert not same("snap /cg", snap(904, failcnt=1), snap(104), judge=judge)
    assert same("snap /cg/a", snap(900), snap(900))
    assert not same("snap /cg/a", snap(900), snap(900, ntasks=2))


def test_what_fuse_decided_is_remembered_of_its_file_alone() -> None:
    judge = Judge()
    judge.judge(0, "m", r"write /cg/a/limit \e", {"errno": "EIO"}, {"bytes": 0})
    later = [judge.judge(1, "m", f"read /cg/a/{name}", {"data": "0"}, {"data": "1"}).cause for name in ("limit", "tasks")]
    assert later == ["FUSE decides: a write of no bytes: it never arrives: it does nothing, and returns 0", ""]
    assert judge.judge(2, "m", "read /cg/a/limit", {"data": "0"}, {"data": "0"}).cause == ""
