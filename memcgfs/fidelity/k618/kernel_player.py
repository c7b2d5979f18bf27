"""Plays cases on a mount: besides what a player does everywhere, what only a kernel can be asked for, and what other users do.

Contract: a step with a `uid` is played by a process of that user's, one with `as` by the process of that name (an `actor`).
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import select
import socket
import struct
import time
from typing import Final

from ..calls import libc
from .player import A_MOMENT_S, ALL_OF_IT, MODES, POLLED, Player, Step
from .processes import Processes
from .results import DONE, Result, refusal, told

AT_FDCWD: Final = -100
SYS_GETDENTS64: Final = 217
IN_ALL_EVENTS: Final = 0xFFF
IN_NONBLOCK: Final = os.O_NONBLOCK
PROT_READ: Final = 1
PROT_WRITE: Final = 2
MAP_SHARED: Final = 1
MAP_PRIVATE: Final = 2
MAP_FAILED: Final = ctypes.c_void_p(-1).value
PAGE_BYTES: Final = 4096
IOCTL_BYTES: Final = 8
LONGEST_WAIT_S: Final = 0.1
"""For an eventfd: what is told here is told before whatever it is told of returns."""
ANSWER_BYTES: Final = 1 << 20

libc.fallocate.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_long, ctypes.c_long)


def called(status: int) -> Result:
    """What a function of C returned, of which a negative number is a refusal."""
    number = ctypes.get_errno()
    return refusal(OSError(number, os.strerror(number))) if status < 0 else DONE


class KernelPlayer(Player):
    cast: Processes

    def __init__(self, base: str, cast: Processes) -> None:
        super().__init__(base, os, cast)

    def step(self, step: Step) -> Result:
        if step.get("as"):
            data = {"data": self.data(step["data"]).decode()} if "data" in step else {}
            return self.cast.ask(step["as"], {**step, **data, "as": None})
        if step.get("uid"):
            return self.by_user(step["uid"], step.get("gid", step["uid"]), {**step, "uid": None})
        return super().step(step)

    def by_user(self, uid: int, gid: int, step: Step) -> Result:
        """In a child, for nobody becomes root again."""
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            os.setgroups([])
            os.setresgid(gid, gid, gid)
            os.setresuid(uid, uid, uid)
            theirs.sendall(json.dumps(self.step(step)).encode())
            os._exit(0)
        theirs.close()
        with ours:
            found = ours.recv(ANSWER_BYTES, socket.MSG_WAITALL)
        os.waitpid(pid, 0)
        answer: Result = json.loads(found)
        return answer

    def wait(self, seconds: float) -> None:
        time.sleep(seconds)

    # Directories.

    def do_getdents_small(self, step: Step) -> Result:
        """With room for so many bytes; where that is too little, how many names came before."""
        room = ctypes.create_string_buffer(step["size"])
        names: list[str] = []
        with self.opened(step, os.O_RDONLY | os.O_DIRECTORY) as fd:
            while count := libc.syscall(SYS_GETDENTS64, fd, room, step["size"]):
                if count < 0:
                    return {**called(count), "value": len(names)}
                place = 0
                while place < count:
                    (length,) = struct.unpack_from("H", room.raw, place + 16)
                    names.append(os.fsdecode(room.raw[place + 19 : place + length].partition(b"\0")[0]))
                    place += length
        return {"value": sorted(names)}

    def do_ino_stable(self, step: Step) -> Result:
        path = self.path(step["path"])
        before = os.stat(path).st_ino
        with os.scandir(os.path.dirname(path)) as entries:
            listed = [entry.inode() for entry in entries if entry.path == path]
        after = os.stat(path).st_ino
        return {"value": {"same_ino": before == after, "dirent_ino_same": [ino == before for ino in listed]}}

    def do_renameat2(self, step: Step) -> Result:
        names = [os.fsencode(self.path(step[end])) for end in ("path", "to")]
        return called(libc.renameat2(AT_FDCWD, names[0], AT_FDCWD, names[1], step["flags"]))

    def do_readlink(self, step: Step) -> Result:
        return {"value": os.readlink(self.path(step["path"]))}

    def do_access(self, step: Step) -> Result:
        path = self.path(step["path"])
        return {"value": [os.access(path, how) for how in (os.R_OK, os.W_OK, os.X_OK)]}

    def do_statfs(self, step: Step) -> Result:
        """struct statfs: nine words, of which the last but one is the number of the filesystem."""
        room = ctypes.create_string_buffer(120)
        found = called(libc.statfs(os.fsencode(self.path(step["path"])), room))
        if "errno" in found:
            return found
        kind, *numbers, _, longest = struct.unpack("9q", room.raw[:72])
        names = ("bsize", "blocks", "bfree", "bavail", "files", "ffree")
        return {"value": {"type": hex(kind), **dict(zip(names, numbers, strict=True)), "namelen": longest}}

    def do_statvfs(self, step: Step) -> Result:
        found = os.statvfs(self.path(step["path"]))
        return {"value": {name: getattr(found, f"f_{name}") for name in ("bsize", "blocks", "files", "namemax")}}

    # Other ways to read and write.

    def do_splice_read(self, step: Step) -> Result:
        outlet, inlet = os.pipe()
        try:
            with self.opened(step, os.O_RDONLY) as fd:
                count = os.splice(fd, inlet, PAGE_BYTES)
            return {"ret": count, "bytes": told(os.read(outlet, PAGE_BYTES)) if count else ""}
        finally:
            os.close(outlet)
            os.close(inlet)

    def do_sendfile(self, step: Step) -> Result:
        sender, receiver = socket.socketpair()
        with sender, receiver, self.opened(step, os.O_RDONLY) as fd:
            count = os.sendfile(sender.fileno(), fd, 0, PAGE_BYTES)
            return {"ret": count, "bytes": told(receiver.recv(PAGE_BYTES)) if count else ""}

    def do_splice_write(self, step: Step) -> Result:
        outlet, inlet = os.pipe()
        try:
            os.write(inlet, self.data(step.get("data", "")))
            with self.opened(step, os.O_WRONLY) as fd:
                return {"ret": os.splice(outlet, fd, PAGE_BYTES)}
        finally:
            os.close(outlet)
            os.close(inlet)

    def do_fallocate(self, step: Step) -> Result:
        with self.opened(step, os.O_RDWR) as fd:
            return called(libc.fallocate(fd, 0, 0, PAGE_BYTES))

    def do_mmap(self, step: Step) -> Result:
        writes = bool(step.get("w"))
        with self.opened(step, os.O_RDWR if writes else os.O_RDONLY) as fd:
            protection = PROT_READ | (PROT_WRITE if writes else 0)
            where = libc.mmap(None, PAGE_BYTES, protection, MAP_PRIVATE if step.get("private") else MAP_SHARED, fd, 0)
            return called(-1 if where == MAP_FAILED else 0)

    def do_ioctl(self, step: Step) -> Result:
        with self.opened(step, os.O_RDONLY) as fd:
            return {"value": list(fcntl.ioctl(fd, step["req"], bytes(IOCTL_BYTES)))}

    def do_flock(self, step: Step) -> Result:
        with self.opened(step, os.O_RDONLY) as fd:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return DONE

    def do_lockf(self, step: Step) -> Result:
        with self.opened(step, os.O_RDWR) as fd:
            fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return DONE

    # Waiting for something.

    def events(self, fd: int) -> list[int]:
        poll = select.poll()
        poll.register(fd, POLLED)
        return [events for _, events in poll.poll(0)]

    def do_select(self, step: Step) -> Result:
        with self.opened(step, MODES[step.get("mode", "r")]) as fd:
            return {"value": [len(ready) for ready in select.select([fd], [fd], [fd], 0)]}

    def do_epoll(self, step: Step) -> Result:
        with self.opened(step, MODES[step.get("mode", "r")]) as fd, select.epoll() as epoll:
            epoll.register(fd, POLLED)
            return {"value": [events for _, events in epoll.poll(0)]}

    def do_inotify(self, step: Step) -> Result:
        """What is told of the path while the steps of `during` are played: the event and the name that it came with."""
        watcher = libc.inotify_init1(IN_NONBLOCK)
        try:
            watched = called(libc.inotify_add_watch(watcher, os.fsencode(self.path(step["path"])), IN_ALL_EVENTS))
            if "errno" in watched:
                return watched
            during = [self.step(each) for each in step["during"]]
            time.sleep(A_MOMENT_S)
            return {"value": told_events(watcher), "during": during}
        finally:
            os.close(watcher)

    def do_eventfd(self, step: Step) -> Result:
        self.fds[step["name"]] = os.eventfd(0, os.EFD_NONBLOCK)
        return DONE

    def do_efd_read(self, step: Step) -> Result:
        fd = self.fds[step["name"]]
        ready, _, _ = select.select([fd], [], [], min(step.get("wait", LONGEST_WAIT_S), LONGEST_WAIT_S))
        return {"value": "fired" if ready and os.eventfd_read(fd) else "silent"}

    # Directories that are held open.

    def do_holdlist(self, step: Step) -> Result:
        return {"value": len(os.listdir(self.fds[step["name"]]))}

    def do_holdat(self, step: Step) -> Result:
        os.close(os.open(step["file"], os.O_RDONLY, dir_fd=self.fds[step["name"]]))
        return DONE

    def do_holdmkdirat(self, step: Step) -> Result:
        os.mkdir(step["file"], dir_fd=self.fds[step["name"]])
        return DONE

    # Processes.

    def do_zombie(self, step: Step) -> Result:
        self.cast.zombie(step["name"])
        return DONE

    def do_reap(self, step: Step) -> Result:
        os.waitpid(self.cast.pids[step["name"]], 0)
        return DONE

    def do_kthread(self, step: Step) -> Result:
        self.cast.kernel_thread(step["name"], step["comm"])
        return DONE

    def do_tid(self, step: Step) -> Result:
        self.cast.thread(step["name"], step["as_name"])
        return DONE


def told_events(watcher: int) -> list[list[str]]:
    try:
        content = os.read(watcher, ALL_OF_IT)
    except BlockingIOError:
        return []
    found, place = [], 0
    while place < len(content):
        _, mask, _, length = struct.unpack_from("iIII", content, place)
        name = content[place + 16 : place + 16 + length].partition(b"\0")[0]
        found.append([hex(mask), os.fsdecode(name)])
        place += 16 + length
    return found

