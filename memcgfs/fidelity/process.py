"""A numbered actor: a process that makes system calls on request, over a socket.

Contract: umask, user ids and descriptors are its own; its memory is that of its shadow, which the driver drives.  `Process` is the driver's
end; `obey` is what the process does, until the driver's end is closed, or it is told to exit.
"""

from __future__ import annotations

import json
import os
import select
import socket
import threading
import time
from collections.abc import Callable
from typing import Final, NoReturn

from .calls import OK, Result, name_of, run_call
from .shadow import Died, Shadow

PACKET_BYTES: Final = 1 << 20
PATIENCE_S: Final = 10.0


class Process:
    """A numbered actor, seen from the driver."""

    def __init__(self, pid: int, channel: socket.socket, shadow: Shadow) -> None:
        self.pid = pid
        self.channel = channel
        self.shadow = shadow
        self.is_over = False

    @classmethod
    def started(cls, born: Callable[[int], Shadow]) -> Process:
        """A child of the driver's."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        pid = os.fork()
        if pid == 0:
            ours.close()
            obey(theirs)
        theirs.close()
        return cls(pid, ours, born(pid))

    def forked(self) -> Process:
        """A child of its own."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        socket.send_fds(self.channel, [json.dumps(["fork"]).encode()], [theirs.fileno()])
        theirs.close()
        pid: int = json.loads(self.channel.recv(PACKET_BYTES))["pid"]
        return Process(pid, ours, self.shadow.forked(pid))

    def ended(self) -> None:
        """Once it is a zombie."""
        pidfd = os.pidfd_open(self.pid)
        poll = select.poll()
        poll.register(pidfd, select.POLLIN)
        if not poll.poll(PATIENCE_S * 1000):
            raise TimeoutError(f"process {self.pid} does not end")
        os.close(pidfd)
        self.is_over = True
        self.channel.close()
        self.shadow.close()

    def ask(self, *words: str) -> Result:
        """Raises Died where it does not answer."""
        try:
            self.channel.send(json.dumps(words).encode())
            answer = self.channel.recv(PACKET_BYTES)
        except OSError:
            raise Died from None
        if not answer:
            raise Died
        found: Result = json.loads(answer)
        return found


class Thread:
    """A second thread of an actor, which moves itself when it is told to."""

    def __init__(self) -> None:
        self._go, self._done = threading.Event(), threading.Event()
        self._path = ""
        self._moved: Result = {}
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        while self._thread.native_id is None:
            time.sleep(0.001)
        self.tid = self._thread.native_id

    def _run(self) -> None:
        self._go.wait()
        try:
            with open(self._path, "wb", buffering=0) as tasks:
                tasks.write(b"0")
            self._moved = {"move_errno": "0"}
        except OSError as error:
            self._moved = {"move_errno": name_of(error.errno or 0)}
        self._done.set()
        self._go.clear()
        self._go.wait()

    def move(self, path: str) -> Result:
        self._path = path
        self._go.set()
        self._done.wait()
        return self._moved

    def end(self) -> None:
        while self._go.is_set():
            time.sleep(0.001)
        self._go.set()
        self._thread.join()


def obey(channel: socket.socket) -> NoReturn:
    """An actor's life."""
    thread: Thread | None = None
    while True:
        message, fds, _, _ = socket.recv_fds(channel, PACKET_BYTES, 1)
        if not message:
            os._exit(0)
        name, *words = json.loads(message)
        answer: Result = OK
        if name == "fork":
            pid = os.fork()
            if pid == 0:
                channel.close()
                channel = socket.socket(fileno=fds[0])
                continue
            os.close(fds[0])
            answer = {"pid": pid}
        elif name == "thread":
            thread = Thread()
            answer = {"tid": thread.tid}
        elif name == "move" and thread is not None:
            answer = thread.move(words[0])
        elif name == "join" and thread is not None:
            thread.end()
        elif name != "exit":
            answer = run_call(name, words)
        channel.send(json.dumps(answer).encode())
        if name == "exit":
            os._exit(0)
