"""Scripts of our own in the language of recorded cases: what the open cases do not do, or not so.  A line: who, the command, and after `=>`
what it comes to, in short (`brief`); nothing stands for success."""

from __future__ import annotations

from typing import Any

import pytest

from memcgfs.fidelity.mounted import PAGE_BYTES
from memcgfs.fidelity.stage import StageError, play
from memcgfs.fidelity.steps import options_of, perform

from .conftest import on_a_stage

pytestmark = on_a_stage
SWAP = {"swap_pages": 8190, "swap": "ram disk"}


def brief(found: dict[str, Any]) -> str:
    match found:
        case {"errno": name, **rest}:
            return f"{name} at {rest['at']}" if "at" in rest else str(name)
        case {"died": 1, "progress": progress, **rest}:
            return f"died after {progress}" + ("" if rest == {"code": 2, "status": 9} else f", {' '.join(rest)}")
        case {"usage_in_bytes": usage, "failcnt": failcnt, "stat": stat, "ntasks": ntasks}:
            assert (stat["cache"] + stat["rss"]) == stat["active"] + stat["inactive"] == usage
            return f"{stat['rss'] // PAGE_BYTES}+{stat['cache'] // PAGE_BYTES} pages, failcnt {failcnt}, {ntasks} tasks"
        case {"minflt": minor, "majflt": major}:
            return f"{minor}+{major} faults"
        case {"data": data}:
            return repr(data)
        case {"log": log}:
            return "; ".join(line for line in log.splitlines() if "kill" in line.lower())
        case {"pid_ok": 1, "exited": exited, "signal": number}:
            return f"exited {exited}" if exited >= 0 else f"signal {number}"
        case {"pages": npages, "cached": cached}:
            return f"{cached} of {npages}"
        case {"entries": entries}:
            return " ".join(entry[0] for entry in entries)
        case {"alive": alive}:
            return f"alive {alive}"
        case {"mode": mode, "uid": uid, "gid": gid}:
            return f"{mode} {uid}:{gid}"
    return "ok" if set(found) <= {"ok", "bytes", "pages", "ret"} else str(found)


def check(script: str, **fields: Any) -> None:
    lines = [line.strip().partition(" => ") for line in script.strip().splitlines()]
    record = {"arch": "x86_64", "ram_mib": 512, "swap_pages": 0, "swap": None, "page_cluster": 0, "fs": "ext2", **fields}
    record["steps"] = [[*command.split(" ", 1), None] for command, _, _ in lines]
    told = play(options_of(record), lambda: perform(record))
    got = [f"{command} => {brief(found)}" for (command, _, _), found in zip(lines, told["results"], strict=True)]
    assert got == [f"{command} => {expected or 'ok'}" for command, _, expected in lines]
    assert told["check"] == "ok\n"


def killed(score: int, pid: int) -> str:
    return f"Memory cgroup out of memory: kill process 300 (task) score {score} or a child; Killed process {pid} (task)"


def filled(actor: str = "1", npages: int = 256, limit: int = 524288) -> str:
    """Of so many pages all are written, and what is above the limit is in swap."""
    return f"""m mkdir /cg/A
        m new {actor}
        {actor} map A anon {npages}
        m write /cg/A/memory.limit_in_bytes {limit}
        m write /cg/A/tasks ${actor}
        {actor} touch A 0 {npages} w => {npages}+0 faults
        """


def test_swapoff_charges_the_owner_and_kills_it() -> None:
    check(
        filled()
        + f"""m snap /cg/A => 128+0 pages, failcnt 5, 1 tasks
        m swapoff /dev/ram0 => ENOMEM
        m snap /cg/A => 0+0 pages, failcnt 11, 0 tasks
        m dmesg => {killed(29, 300)}
        1 pagemap A => died after 256
        m reap $1 n => signal 9
        m new 2""",
        **SWAP,
    )


def test_swapoff_charges_where_the_owner_is_now() -> None:
    check(
        filled()
        + r"""m write /cg/tasks $1
        m swapoff /dev/ram0
        m snap /cg/A => 128+0 pages, failcnt 5, 0 tasks
        m read /proc/swaps => 'Filename\t\t\t\tType\t\tSize\tUsed\tPriority\n'
        m swapon /dev/ram0
        1 exit
        m alive $1 => alive 1
        m reap $1 => exited 0
        m alive $1 => alive 0
        m snap /cg/A => 0+0 pages, failcnt 5, 0 tasks""",
        **SWAP,
    )


def test_who_brings_a_page_from_swap_pays() -> None:
    check(
        filled()
        + """m mkdir /cg/B
        1 fork 3
        m write /cg/B/tasks $3
        3 touch A 0 64 r => 1+64 faults
        m snap /cg/B => 68+0 pages, failcnt 0, 1 tasks
        1 touch A 0 64 r => 65+0 faults
        m snap /cg/B => 68+0 pages, failcnt 0, 1 tasks
        3 exit
        1 exit""",
        **SWAP,
    )


def test_the_largest_is_killed_and_whoever_faulted_with_it() -> None:
    check(
        f"""m mkdir /cg/A
        m new 1
        m new 2
        1 map A anon 300
        2 map A anon 100
        m write /cg/A/memory.limit_in_bytes 1048576
        m write /cg/A/tasks $1
        m write /cg/A/tasks $2
        1 touch A 0 200 w => 200+0 faults
        2 touch A 0 100 w => died after 56
        m snap /cg/A => 0+0 pages, failcnt 6, 0 tasks
        1 mincore A => died after 200
        m reap $1 n => signal 9
        m reap $2 n => signal 9
        2 mincore A => died after 56, gone
        m dmesg => {killed(32, 300)}; VM: killing process task"""
    )


def test_a_child_outside_is_killed_first() -> None:
    check(
        f"""m mkdir /cg/A
        m new 1
        1 map A anon 300
        1 fork 3
        m write /cg/A/memory.limit_in_bytes 1048576
        m write /cg/A/tasks $1
        1 touch A 0 300 w => died after 255
        m dmesg => {killed(48, 301)}; VM: killing process task"""
    )


def test_nobody_else_is_spared_a_quarter_of_a_quarter() -> None:
    check(
        f"""m mkdir /cg/A
        m new 1
        1 map A anon 300
        1 setuid 1000
        m write /cg/A/memory.limit_in_bytes 1048576
        m write /cg/A/tasks $1
        1 touch A 0 300 w => died after 256
        m dmesg => {killed(521, 300)}; VM: killing process task"""
    )


def test_files_in_memory() -> None:
    """A read of a hole charges nothing; a mapping fills it."""
    check(
        """m mkdir /cg/A
        m new 1
        1 fopen A /shm/x c
        1 ftruncate A 64
        m write /cg/A/tasks $1
        1 fread A 0 8
        m snap /cg/A => 0+0 pages, failcnt 0, 1 tasks
        1 map B fileshared 64 /shm/x
        1 touch B 0 4 r => 4+0 faults
        1 touch B 8 4 w => 4+0 faults
        m snap /cg/A => 0+8 pages, failcnt 0, 1 tasks
        1 map S shm 16
        1 touch S 0 16 r => 16+0 faults
        m snap /cg/A => 0+24 pages, failcnt 0, 1 tasks
        1 unmap S
        1 fwrite A 20 2
        1 exit
        m snap /cg/A => 0+10 pages, failcnt 0, 0 tasks
        m unlink /shm/x
        m snap /cg/A => 0+0 pages, failcnt 0, 0 tasks"""
    )


def test_files_on_the_disk() -> None:
    """A fault reads 32 pages around it; one behind MADV_RANDOM its own, which is there when it looks again: no major fault.  FADV_WILLNEED
    reads all, and what of the map nobody had read."""
    check(
        """m mkdir /cg/A
        m new 1
        1 map A filerora 256 /mnt/f
        1 fopen F /mnt/g
        m write /cg/A/tasks $1
        1 touch A 100 1 r => 0+1 faults
        1 mincore A => 32 of 256
        1 pagemap A => 1 of 256
        m snap /cg/A => 0+32 pages, failcnt 0, 1 tasks
        1 madv A 0 256 1
        1 touch A 200 1 r => 1+0 faults
        m snap /cg/A => 0+33 pages, failcnt 0, 1 tasks
        1 fadv F 3
        m snap /cg/A => 0+8230 pages, failcnt 0, 1 tasks
        1 fclose F
        1 exit
        m fadv F 4
        m fadv G 4
        m snap /cg/A => 0+5 pages, failcnt 0, 0 tasks"""
    )


def test_the_driver_pays_in_its_own_group() -> None:
    check(
        r"""m mkdir /cg/A
        m read /proc/self/cgroup => '1:memory:/\n'
        m write /cg/A/tasks $$
        m read /proc/self/cgroup => '1:memory:/A\n'
        m fread F 0 4
        m snap /cg/A => 0+12 pages, failcnt 0, 1 tasks
        m new 1
        m read /cg/A/tasks => '1\n300\n'
        1 read /proc/self/cgroup => '1:memory:/A\n'
        1 write /cg/tasks $$
        m write /cg/tasks 1
        m rmdir /cg/A"""
    )


def test_control_files_of_somebody_else() -> None:
    check(
        r"""m mkdir /cg/c
        m chown /cg/c 1000 1000
        m chown /cg/c/tasks 1000 1000
        m new 1
        m new 2
        1 setuid 1000
        1 umask 77
        1 mkdir /cg/c/k
        m stat /cg/c/k => 40700 1000:0
        m stat /cg/c/k/tasks => 100644 1000:0
        1 write /cg/c/k/memory.limit_in_bytes 4096
        1 write /cg/c/memory.limit_in_bytes 4096 => EACCES at open
        1 write /cg/c/k/tasks $$
        m read /cg/c/k/tasks => '300\n'
        1 write /cg/c/k/tasks $2 => EACCES
        1 write /cg/tasks $1 => EACCES at open
        1 rmdir /cg/c/k => EBUSY
        m write /cg/tasks $1
        1 access /cg/c/k/tasks 2
        1 access /cg/tasks 2 => EACCES
        1 access /cg/tasks
        1 rmdir /cg/c/k
        2 seteuid 1000
        2 mkdir /cg/x => EACCES
        2 seteuid 0
        2 mkdir /cg/x"""
    )


def test_names() -> None:
    memory = "memory.stat memory.force_empty memory.failcnt memory.limit_in_bytes memory.usage_in_bytes"
    check(
        rf"""m mkdir /cg/c
        m ls /cg/c => {memory} releasable notify_on_release tasks
        m symlink x /cg/c/l => EPERM
        m symlink /cg/c/l => EPERM
        m mknod /cg/c/p => EPERM
        m mknod /cg/c/p p => EPERM
        m mknod /cg/c/p 10644 => EPERM
        m link /cg/c/tasks /cg/c/l => EPERM
        m creat /cg/c/f => EACCES
        m unlink /cg/c => EISDIR
        m mkdirlong /cg 255
        m mkdirlong /cg 256 => ENAMETOOLONG
        m openkeep K /cg/c/memory.limit_in_bytes 2
        m openkeep L /cg/c/none => ENOENT at open
        m kwrite K 8192
        m kread K => '8192\n'
        m readat /cg/c/memory.limit_in_bytes 2 => '92\n'
        m readchunk /cg/c/memory.limit_in_bytes 3 => {{'reads': ['819', '2\n'], 'last': 0}}
        m rmdir /cg/c
        m kread K => ENODEV
        m kclose K
        m rmdir /cg/. => EINVAL"""
    )


def test_bare_names() -> None:
    check(
        """m mount none /cg cgroup memory,noprefix
        m mkdir /cg/A
        m write /cg/A/limit_in_bytes 8192
        m snap /cg/A => 0+0 pages, failcnt 0, 0 tasks"""
    )


def test_an_agent_waits_for_the_last_page() -> None:
    called = "'[/agent][/c] env[HOME=/][PATH=/sbin:/bin:/usr/sbin:/usr/bin]\\n'"
    check(
        f"""m write /cg/release_agent /agent
        m mkdir /cg/c
        m write /cg/c/notify_on_release 1
        m new 1
        1 fopen A /shm/q c
        m write /cg/c/tasks $1
        1 fwrite A 0 8
        m kill $1 9
        m reap $1 => signal 9
        m sleepms 300
        m read /agent.log => ENOENT at open
        m unlink /shm/q
        m sleepms 300
        m read /agent.log => {called}"""
    )


def test_a_thread_in_another_group() -> None:
    """What it touches is paid for by its process' group, which owns the memory."""
    check(
        """m mkdir /cg/A
        m mkdir /cg/B
        m new 1
        1 map A anon 16
        m write /cg/A/tasks $1
        1 thread /cg/B/tasks A 0 8 => {'move_errno': '0'}
        m snap /cg/A => 8+0 pages, failcnt 0, 1 tasks
        m snap /cg/B => 0+0 pages, failcnt 0, 0 tasks"""
    )


def test_an_unknown_command() -> None:
    with pytest.raises(StageError, match="ValueError: dance: no such command"):
        check("m dance")
