"""`memcgfs umount DIR`: comes back when the mount and its daemon are gone."""

from __future__ import annotations

import argparse
import os

from ..fuse.mountpoint import FSTYPE, MountError, await_end, find_daemon, mount_at, unmount
from . import Refusal, path_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("dir", metavar="DIR", help="where it is mounted")


def run(arguments: argparse.Namespace) -> int:
    path = path_of(arguments.dir)
    mount = mount_at(path)
    if mount is None or mount.fstype != FSTYPE:
        raise Refusal(f"{path}: memcgfs is not mounted there")
    daemon = find_daemon(mount)
    try:
        unmount(mount)
        if daemon is not None:
            await_end(mount, daemon)
    except MountError as refusal:
        raise Refusal(refusal) from None
    finally:
        if daemon is not None:
            os.close(daemon)
    return 0
