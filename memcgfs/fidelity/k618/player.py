"""Plays the steps of a conformance case in a directory: what each asks of the system, and what came of it.

Contract
- `system` has the functions of `os` that are used here: `os` itself, below a mount, or a tree in this process (`tree_system.py`).
- `cast` has the processes that a case starts.
- `Player.step(step)` gives the result of one step.  A step that this player has no method for cannot be played (`can_play`).
- Paths are relative to `base`, a fresh group.  `{pid:NAME}` and `{fd:NAME}` in what is written stand for the case's own processes and
  descriptors, `{self}` for the process that plays it.
"""

from __future__ import annotations

import os
import re
import select
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, Protocol

from .results import DONE, Result, data_of, refusal, told

Step = Mapping[str, Any]

MODES: Final = {"r": os.O_RDONLY, "w": os.O_WRONLY, "rw": os.O_RDWR}
ALL_OF_IT: Final = 1 << 16
POLLED: Final = select.POLLIN | select.POLLPRI | select.POLLOUT | select.POLLERR | select.POLLHUP
A_MOMENT_S: Final = 0.03
NAMED: Final = re.compile(r"\{(?:(pid|fd):(\w+)|self)\}")


class Cast(Protocol):
    """The processes of a case, by name."""

    pids: dict[str, int]

    def actor(self, name: str, play: Callable[[Step], Result]) -> None:
        """One that plays steps, where it is asked to."""
        ...

    def helper(self, name: str) -> None:
        """One that uses memory as it is told."""
        ...

    def tell(self, name: str, command: str) -> str: ...

    def kill(self, name: str) -> None: ...

    def make_file(self, path: str, npages: int) -> None: ...

    def let_pass(self, seconds: float) -> None:
        """Time, for the machine."""
        ...

    def group_of(self, pid: int, base: str) -> str | None:
        """The path below `base` of where it is, None outside."""
        ...


class Player:
    def __init__(self, base: str, system: Any, cast: Cast) -> None:
        self.base = base
        self.system = system
        self.cast = cast
        self.fds: dict[str, int] = {}

    @classmethod
    def can_play(cls, step: Step) -> bool:
        return hasattr(cls, f"do_{step['op']}") and all(map(cls.can_play, step.get("during", ())))

    def step(self, step: Step) -> Result:
        play: Callable[[Step], Result] = getattr(self, f"do_{step['op']}")
        try:
            return play(step)
        except OSError as error:
            return refusal(error)
        except ValueError as error:
            return {"value_error": str(error)}

    # Words.

    def path(self, given: str | Mapping[str, Any]) -> str:
        name = os.fsdecode(data_of(given))
        return self.base if name in ("", ".") else os.path.join(self.base, name)

    def data(self, given: str | Mapping[str, Any]) -> bytes:
        """A name that nobody has stays as it is."""
        if isinstance(given, str):
            given = NAMED.sub(lambda found: str(self.number_of(found[1], found[2]) or found[0]), given)
        return data_of(given)

    def number_of(self, kind: str | None, name: str | None) -> int | None:
        """Of a process or a descriptor; without a name, of the process that plays."""
        if kind is None:
            return os.getpid()
        return (self.cast.pids if kind == "pid" else self.fds).get(str(name))

    @contextmanager
    def opened(self, step: Step, flags: int | None = None) -> Iterator[int]:
        """A descriptor of the step's file; as the step says, where it is not said here."""
        if flags is None:
            flags = MODES[step.get("mode", "r")]
            for name in step.get("flags", ()):
                flags |= getattr(os, name)
        fd = self.system.open(self.path(step["path"]), flags, 0o644)
        try:
            yield fd
        finally:
            self.system.close(fd)

    # Directories.

    def do_mkdir(self, step: Step) -> Result:
        self.system.mkdir(self.path(step["path"]), step.get("mode", 0o777))
        return DONE

    def do_rmdir(self, step: Step) -> Result:
        self.system.rmdir(self.path(step["path"]))
        return DONE

    def do_mkdirs(self, step: Step) -> Result:
        """One in another."""
        for path in self.nested(step):
            self.system.mkdir(path)
        return DONE

    def do_rmdirs(self, step: Step) -> Result:
        for path in reversed(list(self.nested(step))):
            self.system.rmdir(path)
        return DONE

    def nested(self, step: Step) -> Iterator[str]:
        path = self.path(step["path"])
        for _ in range(step["n"]):
            path = os.path.join(path, step["name"])
            yield path

    def do_listdir(self, step: Step) -> Result:
        return {"value": sorted(self.system.listdir(self.path(step["path"])))}

    def do_readdir_order(self, step: Step) -> Result:
        return {"value": self.system.listdir(self.path(step["path"]))}

    def do_readdir_types(self, step: Step) -> Result:
        path = self.path(step["path"])
        modes = {name: self.system.stat(os.path.join(path, name)).st_mode for name in self.system.listdir(path)}
        return {"value": sorted([name, "d" if stat.S_ISDIR(mode) else "f"] for name, mode in modes.items())}

    def do_rename(self, step: Step) -> Result:
        self.system.rename(self.path(step["path"]), self.path(step["to"]))
        return DONE

    def do_unlink(self, step: Step) -> Result:
        self.system.unlink(self.path(step["path"]))
        return DONE

    def do_symlink(self, step: Step) -> Result:
        self.system.symlink("x", self.path(step["path"]))
        return DONE

    def do_link(self, step: Step) -> Result:
        self.system.link(self.path(step["path"]), self.path(step["to"]))
        return DONE

    def do_mknod(self, step: Step) -> Result:
        self.system.mknod(self.path(step["path"]), step.get("mode", stat.S_IFREG | 0o644), step.get("dev", 0))
        return DONE

    # Reading and writing.

    def do_open(self, step: Step) -> Result:
        with self.opened(step):
            return DONE

    def read_on(self, fd: int, chunk: int) -> bytes:
        content = b""
        while piece := self.system.read(fd, chunk):
            content += piece
        return content

    def do_read(self, step: Step) -> Result:
        with self.opened(step, os.O_RDONLY) as fd:
            return {"bytes": told(self.read_on(fd, step.get("chunk", ALL_OF_IT)))}

    def do_pread(self, step: Step) -> Result:
        with self.opened(step, os.O_RDONLY) as fd:
            return {"bytes": told(self.system.pread(fd, step["size"], step["off"]))}

    def do_pread1(self, step: Step) -> Result:
        """Byte by byte."""
        content = b""
        with self.opened(step, os.O_RDONLY) as fd:
            while piece := self.system.pread(fd, 1, len(content)):
                content += piece
        return {"bytes": told(content)}

    def do_write(self, step: Step) -> Result:
        data = self.data(step.get("data", ""))
        with self.opened({"mode": "w", **step}) as fd:
            done = self.system.pwrite(fd, data, step["off"]) if "off" in step else self.system.write(fd, data)
        return {"ret": count_of(done, data)}

    def do_write_multi(self, step: Step) -> Result:
        done: list[int | str] = []
        nbytes = 0
        with self.opened(step, os.O_RDWR if step.get("rw") else os.O_WRONLY) as fd:
            for data in map(self.data, step["datas"]):
                try:
                    count = self.system.write(fd, data)
                    nbytes += count
                    done.append(count_of(count, data))
                except OSError as error:
                    done.append(refusal(error)["errno"])
            is_sum = self.system.lseek(fd, 0, os.SEEK_CUR) == nbytes
        return {"value": done, "pos_is_sum_of_written": is_sum}

    def do_writev(self, step: Step) -> Result:
        with self.opened(step, os.O_WRONLY) as fd:
            return {"ret": self.system.writev(fd, [self.data(data) for data in step["datas"]])}

    def do_write_then_read(self, step: Step) -> Result:
        with self.opened(step, os.O_RDWR) as fd:
            count = self.system.write(fd, self.data(step.get("data", "")))
            behind = self.system.read(fd, ALL_OF_IT)
            return {"ret": count, "read_after": told(behind), "pread0": told(self.system.pread(fd, ALL_OF_IT, 0))}

    def do_read_twice_open(self, step: Step) -> Result:
        """Somebody else writes in between."""
        with self.opened(step, os.O_RDONLY) as fd:
            found = [self.system.read(fd, ALL_OF_IT)]
            self.write_by_another(step)
            found.append(self.system.read(fd, ALL_OF_IT))
            self.system.lseek(fd, 0, os.SEEK_SET)
            found.append(self.system.read(fd, ALL_OF_IT))
        return {"value": [told(content) for content in found]}

    def write_by_another(self, step: Step) -> None:
        with self.opened(step, os.O_WRONLY) as fd:
            self.system.write(fd, self.data(step.get("data", "")))

    def do_lseek(self, step: Step) -> Result:
        with self.opened(step, os.O_RDONLY) as fd:
            place = self.system.lseek(fd, step["off"], step["whence"])
            return {"ret": place, "read": told(self.system.read(fd, ALL_OF_IT))}

    def do_fsync(self, step: Step) -> Result:
        with self.opened(step, os.O_RDONLY) as fd:
            self.system.fsync(fd)
        return DONE

    def do_truncate(self, step: Step) -> Result:
        self.system.truncate(self.path(step["path"]), step["size"])
        return DONE

    def do_ftruncate(self, step: Step) -> Result:
        with self.opened(step, os.O_RDWR) as fd:
            self.system.ftruncate(fd, step["size"])
        return DONE

    # Polling.

    def events(self, fd: int) -> list[int]:
        events = self.system.poll(fd) & POLLED
        return [events] if events else []

    def do_poll(self, step: Step) -> Result:
        with self.opened(step) as fd:
            return {"value": self.events(fd)}

    def do_poll_after(self, step: Step) -> Result:
        """At first, after a read, and after somebody has written."""
        with self.opened(step, os.O_RDONLY) as fd:
            found = [self.events(fd)]
            self.system.pread(fd, ALL_OF_IT, 0)
            found.append(self.events(fd))
            if "data" in step:
                self.write_by_another(step)
            found.append(self.events(fd))
        return {"value": found}

    # Attributes.

    def do_stat(self, step: Step) -> Result:
        found = self.system.stat(self.path(step["path"]))
        fields = {name: getattr(found, f"st_{name}") for name in ("mode", "uid", "gid", "size", "nlink", "blksize", "blocks")}
        return {"value": fields | {"mode": oct(found.st_mode)}}

    def do_owner(self, step: Step) -> Result:
        found = self.system.stat(self.path(step["path"]))
        return {"value": [oct(found.st_mode), found.st_uid, found.st_gid]}

    def do_chmod(self, step: Step) -> Result:
        self.system.chmod(self.path(step["path"]), step["mode"])
        return DONE

    def do_chown(self, step: Step) -> Result:
        self.system.chown(self.path(step["path"]), *step["to"])
        return DONE

    def do_mtime(self, step: Step) -> Result:
        """Which dates move when something is done."""
        path, what = self.path(step["path"]), step["what"]
        before = self.system.stat(path)
        self.wait(A_MOMENT_S)
        if what == "write":
            self.write_by_another(step)
        elif what == "read":
            with self.opened(step, os.O_RDONLY) as fd:
                self.system.read(fd, ALL_OF_IT)
        elif what == "mkdir":
            self.system.mkdir(os.path.join(path, "mt"))
        elif what == "utime":
            self.system.utime(path, (1, 2))
        after = self.system.stat(path)
        moved = {f"{name}time": getattr(before, f"st_{name}time_ns") != getattr(after, f"st_{name}time_ns") for name in "amc"}
        return {"value": {**moved, "exact": after.st_mtime_ns if what == "utime" else None}}

    def do_setxattr(self, step: Step) -> Result:
        self.system.setxattr(self.path(step["path"]), step["name"], self.data(step.get("data", "")))
        return DONE

    def do_getxattr(self, step: Step) -> Result:
        return {"bytes": told(self.system.getxattr(self.path(step["path"]), step["name"]))}

    def do_listxattr(self, step: Step) -> Result:
        return {"value": self.system.listxattr(self.path(step["path"]))}

    def do_removexattr(self, step: Step) -> Result:
        self.system.removexattr(self.path(step["path"]), step["name"])
        return DONE

    # Descriptors that are held from step to step.

    def do_hold(self, step: Step) -> Result:
        flags = MODES[step.get("mode", "r")] | (os.O_DIRECTORY if step.get("dir") else 0)
        self.fds[step["name"]] = self.system.open(self.path(step["path"]), flags)
        return DONE

    def do_holdread(self, step: Step) -> Result:
        """From its beginning."""
        fd = self.fds[step["name"]]
        self.system.lseek(fd, 0, os.SEEK_SET)
        return {"bytes": told(self.system.read(fd, ALL_OF_IT))}

    def do_holdpread(self, step: Step) -> Result:
        return {"bytes": told(self.system.pread(self.fds[step["name"]], step["size"], step["off"]))}

    def do_holdwrite(self, step: Step) -> Result:
        data = self.data(step.get("data", ""))
        return {"ret": count_of(self.system.write(self.fds[step["name"]], data), data)}

    def do_close(self, step: Step) -> Result:
        self.system.close(self.fds.pop(step["name"]))
        return DONE

    # Numbers that are only roughly the same.

    def do_cmp(self, step: Step) -> Result:
        with self.opened(step, os.O_RDONLY) as fd:
            value = int(self.system.read(fd, ALL_OF_IT))
        return {"value": "le" if value <= step["than"] else "gt"}

    def do_statkey(self, step: Step) -> Result:
        with self.opened(step, os.O_RDONLY) as fd:
            numbers = dict(line.split() for line in self.read_on(fd, ALL_OF_IT).splitlines())
        value = int(numbers[step["key"].encode()])
        if "than" in step:
            return {"value": "le" if value <= step["than"] else "gt"}
        return {"value": "positive" if value else "zero"}

    # Processes and their memory.

    def do_actor(self, step: Step) -> Result:
        self.cast.actor(step["name"], self.step)
        return DONE

    def do_mem(self, step: Step) -> Result:
        self.cast.helper(step["name"])
        return DONE

    def do_mem_do(self, step: Step) -> Result:
        return {"value": self.cast.tell(step["name"], self.data(step["cmd"]).decode())}

    def do_kill(self, step: Step) -> Result:
        self.cast.kill(step["name"])
        return DONE

    def do_mkfile(self, step: Step) -> Result:
        self.cast.make_file(step["path"], step["pages"])
        return DONE

    def do_in_group(self, step: Step) -> Result:
        group = self.cast.group_of(self.cast.pids[step["name"]], self.base)
        return {"value": group is not None and f"/{group}".endswith(step["group"])}

    def do_proc_cgroup(self, step: Step) -> Result:
        group = self.cast.group_of(self.cast.pids[step["name"]], self.base)
        return {"value": "{outside}" if group is None else f"{{base}}{group}"}

    def do_sleep(self, step: Step) -> Result:
        """On the machine's clock; for what is on its way in the computer, a moment is enough."""
        self.wait(A_MOMENT_S)
        self.cast.let_pass(step["s"])
        return DONE

    def wait(self, seconds: float) -> None:
        """Nothing happens by itself in a tree in this process."""


def count_of(done: int, data: Sequence[int]) -> int | str:
    return "all" if done == len(data) else done
