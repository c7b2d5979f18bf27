"""What lies at a path: nothing yet, a mount of ours with its daemon, or the dead mount that a killed daemon left.

Contract.  Looks at /proc/self/mountinfo and never into the mount, whose daemon may be ourselves, or gone.  A daemon is
known by an abstract socket named after the device number of its mount: it needs no file, ends with the process however
that ends, and tells the process id of whoever listens.  Imports neither pyfuse3 nor trio.
"""

from __future__ import annotations

import errno
import os
import re
import select
import shlex
import shutil
import socket
import stat
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

FSTYPE: Final = "fuse.memcgfs"
FUSE_DEVICE: Final = Path("/dev/fuse")
END_TIMEOUT_S: Final = 10.0


class MountError(Exception):
    """Why nothing was mounted or unmounted: one line."""


class Mount(NamedTuple):
    device: str
    """As MAJOR:MINOR."""
    path: Path
    fstype: str
    source: str


def mounts(pid: str = "self") -> Iterator[Mount]:
    """All that a process sees, the later ones on top."""
    for line in Path(f"/proc/{pid}/mountinfo").read_text(errors="surrogateescape").splitlines():
        before, _, after = line.partition(" - ")
        _id, _parent, device, _root, mountpoint, *_ = before.split(" ")
        fstype, source, *_ = after.split(" ")
        yield Mount(device, Path(_unescaped(mountpoint)), fstype, _unescaped(source))


def mount_at(path: Path) -> Mount | None:
    """What is mounted exactly at `path` (an absolute path without links): the topmost, if it is several."""
    topmost = None
    for mount in mounts():
        if mount.path == path:
            topmost = mount
    return topmost


def require_free(path: Path) -> None:
    """Refuse what cannot be mounted on; take away a dead mount.  Like the kernel, ask nobody for an empty directory."""
    try:
        is_directory = stat.S_ISDIR(path.stat().st_mode)
        os.statvfs(path)  # attributes may be cached from a daemon that is dead; this asks it
    except OSError as error:
        mount = mount_at(path)
        if error.errno != errno.ENOTCONN or mount is None or mount.fstype != FSTYPE:
            raise MountError(f"{path}: {os.strerror(error.errno or 0)}") from None
        unmount(mount, lazily=True)
        require_free(path)
        return
    if not is_directory:
        raise MountError(f"{path}: {os.strerror(errno.ENOTDIR)}")
    mount = mount_at(path)
    if mount is not None and mount.fstype == FSTYPE:
        raise MountError(f"{path}: memcgfs is mounted there already")


def require_fuse() -> None:
    """Refuse, with the reason, where nothing can be mounted at all."""
    try:
        os.close(os.open(FUSE_DEVICE, os.O_RDWR))
    except FileNotFoundError:
        raise MountError(f"there is no {FUSE_DEVICE}: this kernel lacks FUSE, or its module is not loaded") from None
    except OSError as error:
        raise MountError(f"no right to {FUSE_DEVICE} (as root: chmod 666 {FUSE_DEVICE}): {os.strerror(error.errno or 0)}") from None
    if os.geteuid() != 0 and shutil.which("fusermount3") is None:
        raise MountError("there is no fusermount3: install the package fuse3")


def unmount(mount: Mount, *, lazily: bool = False) -> None:
    """Take the mount away; `lazily` also while it is in use."""
    command = ["fusermount3", "-u", *(["-z"] if lazily else []), "--", str(mount.path)]
    try:
        ended = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
    except FileNotFoundError:
        raise MountError("there is no fusermount3: install the package fuse3") from None
    if ended.returncode != 0:
        lines = ended.stderr.splitlines() or [f"fusermount3 ended with status {ended.returncode}"]
        raise MountError(_in_use(mount.path) if lines[-1].endswith(os.strerror(errno.EBUSY)) else lines[-1])


@contextmanager
def announced(mount: Mount) -> Iterator[None]:
    """Within this, others find this process as the daemon of `mount`."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as listening:
        try:
            listening.bind(_daemon_name(mount))
            listening.listen()
        except OSError:
            # Somebody else has the name.  The mount is as good without: `umount` does not wait for us then.
            pass
        yield


def find_daemon(mount: Mount) -> int | None:
    """A pidfd of the daemon of `mount`."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as asking:
        try:
            asking.connect(_daemon_name(mount))
            pid, _uid, _gid = struct.unpack("3i", asking.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
            return os.pidfd_open(pid)
        except OSError:
            return None


def await_end(mount: Mount, daemon: int) -> None:
    """Wait until the process behind the pidfd `daemon` is gone, which is when no namespace of mounts has `mount` any more."""
    if not select.select([daemon], [], [], END_TIMEOUT_S)[0]:
        holder = _holder(mount)
        reason = f"process {holder} has it in a mount namespace of its own" if holder else "why is not known"
        raise MountError(f"unmounted, but its daemon has not ended within {END_TIMEOUT_S:.0f} s: {reason}")


def _holder(mount: Mount) -> str:
    """A process that still sees `mount`, and its name; nothing if there is none that we may look at."""
    for pid in filter(str.isdecimal, os.listdir("/proc")):
        try:
            if any(each.device == mount.device and each.fstype == FSTYPE for each in mounts(pid)):
                return f"{pid} ({Path(f'/proc/{pid}/comm').read_text(errors='replace').strip()})"
        except OSError:
            continue  # it has gone, or is not ours to look at
    return ""


def _daemon_name(mount: Mount) -> bytes:
    return b"\0memcgfs/" + mount.device.encode()


def _in_use(path: Path) -> str:
    lazily = "umount -l" if os.geteuid() == 0 else "fusermount3 -uz"
    return f"{path}: in use; end whoever reads or works in it, or detach it from them: {lazily} {shlex.quote(str(path))}"


def _unescaped(field: str) -> str:
    r"""mountinfo writes blanks and backslashes as \040."""
    return re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), field)
