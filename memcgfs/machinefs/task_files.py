"""The files of a simulated task, in the formats of today's /proc/PID, so that today's tools parse them.

What /proc does not know is added to `status` as lines of its own: `VmBlk` (kernel memory that it holds in blocks),
`Touched` (how far the last touch came), `Stall` (how long the task has waited in all) and, of a zombie, `Died` (why).  As
in /proc, a zombie has no lines about memory.  `mincore` is what mincore(2) would say, a byte for each page.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from .. import units
from ..kernfs import ByteFile, Caller, ControlFile
from ..mm import KB_PER_PAGE, PAGE_BYTES
from .ctl import run_command, show_commands
from .errors import BadCommand, NoNumber, OnlyRootLowers
from .machine_files import NS_PER_TICK
from .page_files import word_range
from .waits import may_wait

if TYPE_CHECKING:
    from ..mm import VmaView
    from .file_names import FileNames
    from .tasks import TaskEntry

STATES = {"R": "R (running)", "D": "D (disk sleep)", "Z": "Z (zombie)"}
RLIM_INFINITY = (1 << 64) - 1
SIGCHLD = 17
SHARED_MEMORY = b"/dev/zero (deleted)"
NO_DEVICE = "00:00"
DISK_DEVICE = "08:01"
"""/dev/sda1."""
PATH_COLUMN = 73
"""Where the path stands in a line of `maps`, on 64 bits."""


def show_status(entry: TaskEntry) -> str:
    task = entry.task
    lines = [
        f"Name:\t{task.comm}",
        f"State:\t{STATES[task.state]}",
        f"Tgid:\t{task.tgid}",
        f"Pid:\t{task.pid}",
        f"PPid:\t{task.ppid}",
        "TracerPid:\t0",
        "Uid:" + f"\t{task.uid}" * 4,
        "Gid:" + f"\t{task.uid}" * 4,
    ]
    if entry.member.alive:
        lines += [
            f"VmSize:\t{task.total_vm * KB_PER_PAGE:8} kB",
            f"VmLck:\t{task.locked_pages * KB_PER_PAGE:8} kB",
            f"VmRSS:\t{task.rss_pages * KB_PER_PAGE:8} kB",
            f"VmPTE:\t{task.page_table_pages * KB_PER_PAGE:8} kB",
            f"VmSwap:\t{task.swap_pages * KB_PER_PAGE:8} kB",
            f"VmBlk:\t{task.block_pages * KB_PER_PAGE:8} kB",
        ]
    lines += [f"Threads:\t{task.nr_threads}", f"Stall:\t{task.stall_ns} ns"]
    if task.touched:
        lines.append(f"Touched:\t{task.touched}")
    if task.died:
        lines.append(f"Died:\t{task.died}")
    return "\n".join(lines) + "\n"


def show_stat(entry: TaskEntry) -> str:
    """The 52 fields of proc(5), by their names; those that are not named are 0 here."""
    task = entry.task
    fields = {
        "pid": task.pid,
        "comm": f"({task.comm})",
        "state": task.state,
        "ppid": task.ppid,
        **dict.fromkeys(("pgrp", "session"), task.tgid),
        "tty_nr": 0,
        "tpgid": -1,
        "flags": 0,
        "minflt": task.min_flt,
        "cminflt": 0,
        "majflt": task.maj_flt,
        "cmajflt": 0,
        "utime": task.utime_ns // NS_PER_TICK,
        **dict.fromkeys(("stime", "cutime", "cstime"), 0),
        "priority": 20 + task.nice,
        "nice": task.nice,
        "num_threads": task.nr_threads,
        "itrealvalue": 0,
        "starttime": task.start_ns // NS_PER_TICK,
        "vsize": task.total_vm * PAGE_BYTES,
        "rss": task.rss_pages,
        "rsslim": RLIM_INFINITY,
        **dict.fromkeys(("startcode", "endcode", "startstack", "kstkesp", "kstkeip"), 0),
        **dict.fromkeys(("signal", "blocked", "sigignore", "sigcatch", "wchan", "nswap", "cnswap"), 0),
        "exit_signal": SIGCHLD,
        "processor": task.node,
        **dict.fromkeys(("rt_priority", "policy"), 0),
        "delayacct_blkio_ticks": task.stall_ns // NS_PER_TICK,
        **dict.fromkeys(("guest_time", "cguest_time", "start_data", "end_data", "start_brk"), 0),
        **dict.fromkeys(("arg_start", "arg_end", "env_start", "env_end", "exit_code"), 0),
    }
    return " ".join(map(str, fields.values())) + "\n"


def show_statm(entry: TaskEntry) -> str:
    """Pages: size, resident, shared, text (programs have none here), lib and dirty (0 in today's kernel, too) and data."""
    task = entry.task
    return f"{task.total_vm} {task.rss_pages} {task.file_rss_pages} 0 0 {task.data_pages} 0\n"


def show_maps(entry: TaskEntry) -> str:
    return "".join(_mapping(entry.files, vma) for vma in entry.task.vmas())


def _mapping(files: FileNames, vma: VmaView) -> str:
    """A file's path is that below `.machine/files`; shared anonymous memory is a file that had another name in 2007."""
    offset_bytes, device, ino, path = 0, NO_DEVICE, 0, b""
    if vma.file is not None:
        node = files.node_of(vma.file)
        offset_bytes = vma.pgoff * PAGE_BYTES
        if node is not None:
            ino, path = node.ino, files.path_of(vma.file, node).replace(b"\n", rb"\012")
        elif not vma.file.is_on_disk:
            ino, path = vma.file.number, SHARED_MEMORY
        device = DISK_DEVICE if vma.file.is_on_disk else NO_DEVICE
    line = f"{vma.start * PAGE_BYTES:08x}-{vma.end * PAGE_BYTES:08x} {vma.permissions} {offset_bytes:08x} {device} {ino} "
    return (line.ljust(PATH_COLUMN) + os.fsdecode(path) if path else line) + "\n"


def show_cgroup(entry: TaskEntry) -> str:
    """The dead are in the top container, as exit leaves them."""
    path = entry.member.cgroup.path if entry.member.alive else b"/"
    return f"1:memory:{path.decode('utf-8', 'surrogateescape')}\n"


def show_comm(entry: TaskEntry) -> str:
    return f"{entry.task.comm}\n"


def show_wchan(entry: TaskEntry) -> str:
    """Without a newline, as today's."""
    return entry.task.wchan


def show_oom_adj(entry: TaskEntry) -> str:
    return f"{entry.task.oom_adj}\n"


def set_oom_adj(entry: TaskEntry, text: bytes, writer: Caller) -> None:
    """As oom_adjust_write tells a number from none (EIO); one with something else behind it is refused, too."""
    word = text.decode("latin-1").strip()
    value = units.signed(word)
    if value is None and not word.removeprefix("-")[:1].isdecimal():
        raise NoNumber(text)
    if value is None:
        raise BadCommand(text)
    if value < entry.task.oom_adj and writer.uid:
        raise OnlyRootLowers(entry.task.pid)
    entry.task.set_oom_adj(value)


def show_oom_score_adj(entry: TaskEntry) -> str:
    return f"{entry.task.oom_score_adj}\n"


def set_oom_score_adj(entry: TaskEntry, text: bytes, writer: Caller) -> None:
    """oom_score_adj_write of 6.18: a number, with blanks around it or none."""
    value = units.signed(text.decode("latin-1").strip())
    if value is None:
        raise BadCommand(text)
    if value < entry.task.oom_score_adj and writer.uid:
        raise OnlyRootLowers(entry.task.pid)
    entry.task.set_oom_score_adj(value)


def show_oom_score(entry: TaskEntry) -> str:
    return f"{entry.task.oom_score}\n"


def load_mem(entry: TaskEntry, offset: int, nbytes: int) -> bytes:
    with may_wait():
        return entry.task.read_mem(offset, nbytes)


def store_mem(entry: TaskEntry, offset: int, content: bytes) -> int:
    with may_wait():
        return entry.task.write_mem(offset, content)


def load_pagemap(entry: TaskEntry, offset: int, nbytes: int) -> bytes:
    """Whole words only, as in /proc; it ends where the last mapping does (the kernel's goes on to the end of the address space, which
    no recursive copy would ever reach)."""
    task = entry.task
    end = max((vma.end for vma in task.vmas()), default=0)
    return task.pagemap(*word_range(offset, nbytes, end)).tobytes()


def load_mincore(entry: TaskEntry, offset: int, nbytes: int) -> bytes:
    """A byte for each page, up to the end of the last mapping; 0 where nothing is mapped, of which mincore(2) would not speak."""
    vmas = list(entry.task.vmas())
    end = max((vma.end for vma in vmas), default=0)
    found = bytearray(max(min(nbytes, end - offset), 0))
    for vma in vmas:
        start, stop = max(vma.start, offset), min(vma.end, offset + len(found))
        if start < stop:
            found[start - offset : stop - offset] = entry.task.mincore(start, stop - start)
    return bytes(found)


TASK_FILES: tuple[ControlFile[TaskEntry] | ByteFile[TaskEntry], ...] = (
    ControlFile("ctl", show_commands, run_command),
    ByteFile("mem", load_mem, store_mem),
    ControlFile("maps", show_maps),
    ControlFile("status", show_status),
    ControlFile("stat", show_stat),
    ControlFile("statm", show_statm),
    ByteFile("pagemap", load_pagemap),
    ByteFile("mincore", load_mincore),
    ControlFile("cgroup", show_cgroup),
    ControlFile("comm", show_comm),
    ControlFile("wchan", show_wchan),
    ControlFile("oom_adj", show_oom_adj, set_oom_adj),
    ControlFile("oom_score_adj", show_oom_score_adj, set_oom_score_adj),
    ControlFile("oom_score", show_oom_score),
)
