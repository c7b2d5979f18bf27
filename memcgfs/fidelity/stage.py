"""The stage: a mount with processes around it, as on the recorded machine, and apart from everything else on this computer.

Contract
- `play(options, act)` runs `act()` in a process of its own, gives what it returned (what JSON can say), and leaves nothing behind: no
  mount, no process, no file.
- That process is number 1, as the recorder was its machine's init, in namespaces of its own: of processes, so that pids are the recorded
  ones where the record names them, and mounts, where a tree with `options` is mounted at /cg.  Process 2 does nothing; on the recorded
  machine it was a kernel thread.  Later ones have pids of three digits, as recorded.
- Its root directory has what this computer's has; /cg, /mnt, /shm and what else it makes there are its own.
- `why_not()` says in one line why nothing can be played here, or ''.
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import signal
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NoReturn

from ..fuse.daemon import serve
from ..fuse.mountpoint import FSTYPE, MountError, mounts, require_fuse
from ..options import Options
from .calls import libc
from .mounted import CG

CLONE_NEWNS: Final = 0x20000
CLONE_NEWPID: Final = 0x20000000
MS_BIND: Final = 0x1000
MS_REC: Final = 0x4000
MS_PRIVATE: Final = 0x40000
MNT_DETACH: Final = 2
PR_SET_PDEATHSIG: Final = 1
OWN_NAMES: Final = ("cg", "mnt", "shm", "proc", "agent", "agent.log")
"""In the root directory, and not this computer's."""
LAST_PID: Final = Path("/proc/sys/kernel/ns_last_pid")
FIRST_PID: Final = 300
PATIENCE_S: Final = 120.0
DAEMON_PID: Final = 3

AGENT: Final = Path("/agent")
AGENT_TEXT: Final = r"""#!/bin/sh
environment=$(tr '\0' '\n' < /proc/$$/environ | while read -r word; do printf '[%s]' "$word"; done)
echo "[$0][$1] env$environment" >> /agent.log
"""
"""What the recorded machine's release agent did: it wrote down how it was called."""


class StageError(Exception):
    """The play was interrupted: one line, or a traceback."""

    @property
    def reason(self) -> str:
        return f"not played: {str(self).strip().splitlines()[-1]}"


def why_not() -> str:
    try:
        require_fuse()
    except MountError as reason:
        return str(reason)
    if os.geteuid() != 0:
        return "only root can be several users"
    pid = os.fork()
    if pid == 0:
        os._exit(_unshare() != 0)
    _, status = os.waitpid(pid, 0)
    return "no right to namespaces of pids and mounts" if status else ""


def play(options: Options, act: Callable[[], Any]) -> Any:
    told, telling = os.pipe()
    root = tempfile.mkdtemp(prefix="memcgfs-stage-")
    pid = os.fork()
    if pid == 0:
        os.close(told)
        _leave(lambda: _apart(options, act, root, telling), telling)
    os.close(telling)
    try:
        text = _read(told)
    except BaseException:
        os.kill(pid, signal.SIGKILL)
        raise
    finally:
        os.waitpid(pid, 0)
        os.rmdir(root)
    found = json.loads(text or b'{"failed": "nothing was told"}')
    if "failed" in found:
        raise StageError(found["failed"])
    return found["told"]


def _read(pipe: int) -> bytes:
    """To its end, which is that of whoever writes to it."""
    text = b""
    with open(pipe, "rb", buffering=0) as told:
        while select.select([told], [], [], PATIENCE_S)[0]:
            piece = told.read(1 << 16)
            if not piece:
                return text
            text += piece
    raise StageError(f"nothing was told within {PATIENCE_S:.0f} s")


def _leave(run: Callable[[], object], telling: int) -> NoReturn:
    """Run in a forked process, which ends here, whatever happens."""
    status = 1
    try:
        run()
        status = 0
    except BaseException:
        os.write(telling, json.dumps({"failed": traceback.format_exc()}).encode())
    finally:
        os._exit(status)


def _unshare() -> int:
    result: int = libc.unshare(CLONE_NEWNS | CLONE_NEWPID)
    return result


def _apart(options: Options, act: Callable[[], Any], root: str, telling: int) -> None:
    _die_with_parent()
    if _unshare() != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    pid = os.fork()
    if pid == 0:
        _leave(lambda: _driver(options, act, root, telling), telling)
    os.close(telling)
    os.waitpid(pid, 0)


def _driver(options: Options, act: Callable[[], Any], root: str, telling: int) -> None:
    """Process 1: what it starts ends with it."""
    _die_with_parent()
    _enter_root(root)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)
    os.umask(0o022)
    if os.fork() == 0:
        while True:
            signal.pause()
    AGENT.write_text(AGENT_TEXT)
    AGENT.chmod(0o755)
    _start_daemon(options)
    try:
        LAST_PID.write_text(f"{FIRST_PID - 1}")
    except OSError:
        pass  # pids with fewer digits do as well
    answer = json.dumps({"told": act()}).encode()
    with open(telling, "wb") as told:
        told.write(answer)


def _die_with_parent() -> None:
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _mount(source: str, target: str, fstype: str | None, flags: int = 0) -> None:
    words = [os.fsencode(word) if word is not None else None for word in (source, target, fstype)]
    if libc.mount(*words, ctypes.c_ulong(flags), None) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), target)


def let_go_of_trees() -> None:
    """In a namespace of mounts that was just made: unmounting in another one no longer concerns it, and no tree of ours that was mounted
    before lives on in it.  One that did would keep its daemon, and `memcgfs umount` would wait for that in vain."""
    _mount("none", "/", None, MS_REC | MS_PRIVATE)
    for mount in mounts():
        if mount.fstype == FSTYPE:
            libc.umount2(os.fsencode(mount.path), MNT_DETACH)


def _enter_root(root: str) -> None:
    """All of this computer's, entry by entry, but for what is to be the play's own."""
    let_go_of_trees()
    _mount("stage", root, "tmpfs")
    os.chmod(root, 0o755)
    with os.scandir("/") as entries:
        for entry in entries:
            place = os.path.join(root, entry.name)
            if entry.name in OWN_NAMES:
                continue
            if entry.is_symlink():
                os.symlink(os.readlink(entry.path), place)
                continue
            if entry.is_dir():
                os.mkdir(place)
            else:
                os.close(os.open(place, os.O_CREAT))
            try:
                _mount(entry.path, place, None, MS_BIND | MS_REC)
            except OSError:
                pass  # what cannot be shown is not needed either
    os.mkdir(os.path.join(root, "proc"))
    _mount("proc", os.path.join(root, "proc"), "proc")
    os.mkdir(os.path.join(root, "cg"))
    os.symlink(f"{CG}/.machine/files", os.path.join(root, "mnt"))
    os.symlink(f"{CG}/.machine/shm", os.path.join(root, "shm"))
    os.chroot(root)
    os.chdir("/")


def _start_daemon(options: Options) -> None:
    ready, telling = os.pipe()
    if os.fork() == 0:
        os.close(ready)
        try:
            serve(options, Path(CG), "cgroup", lambda: _tell(telling))
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(0)
    os.close(telling)
    if not os.read(ready, 1):
        raise StageError("the daemon ended before it had mounted")
    os.close(ready)


def _tell(pipe: int) -> None:
    os.write(pipe, b".")
    os.close(pipe)
