"""Forks, as the kernel tells them (the process events connector, drivers/connector/cn_proc.c).

Contract
- `take` gives the forks since the last time, in their order, each as (the thread that made it, the process made).  Threads
  are not among them: of these the kernel tells the parent of their process, and not who made them.
- It is told to root, in the first namespaces of pids, users and networks.  Where it is not told, or so much happens at
  once that the kernel gives up, nothing comes; so whoever asks has to look for itself, too.  What is known by this
  alone is who was made by somebody that has gone since.
- Telling costs the kernel something for each fork and exit on the computer, hence `listen` and `stop`.
"""

from __future__ import annotations

import errno
import socket
import struct
from typing import Final

NETLINK_CONNECTOR: Final = 11
CN_IDX_PROC: Final = 1
CN_VAL_PROC: Final = 1
PROC_CN_MCAST_LISTEN: Final = 1
PROC_EVENT_FORK: Final = 1
NLMSG_DONE: Final = 3
SO_RCVBUFFORCE: Final = 33
ROOM_BYTES: Final = 4 << 20
MESSAGE_BYTES: Final = 4096

HEADERS: Final = struct.Struct("=IHHII IIIIHH")
"""nlmsghdr and cn_msg."""
FORK: Final = struct.Struct("=I12x IIII")
"""proc_event of a fork: what; the parent's thread and process, the child's thread and process."""


class Births:
    def __init__(self) -> None:
        self._socket: socket.socket | None = None

    def listen(self) -> int | None:
        """The descriptor that is readable when there is something; None where nothing is told."""
        try:
            told = socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK, NETLINK_CONNECTOR)
        except OSError:
            return None
        try:
            told.bind((0, CN_IDX_PROC))
            told.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, ROOM_BYTES)
            told.send(_wish(PROC_CN_MCAST_LISTEN))
        except OSError:
            told.close()
            return None
        self._socket = told
        return told.fileno()

    def stop(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def take(self) -> list[tuple[int, int]]:
        found: list[tuple[int, int]] = []
        while self._socket is not None:
            try:
                message = self._socket.recv(MESSAGE_BYTES)
            except OSError as error:
                if error.errno == errno.ENOBUFS:
                    continue  # said once, of those that are lost
                break
            if len(message) >= HEADERS.size + FORK.size:
                what, maker, _, thread, process = FORK.unpack_from(message, HEADERS.size)
                if what == PROC_EVENT_FORK and thread == process:
                    found.append((maker, process))
        return found


def _wish(operation: int) -> bytes:
    wish = struct.pack("=I", operation)
    size = HEADERS.size + len(wish)
    return HEADERS.pack(size, NLMSG_DONE, 0, 0, 0, CN_IDX_PROC, CN_VAL_PROC, 0, 0, len(wish), 0) + wish
