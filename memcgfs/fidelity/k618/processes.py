"""The processes of a case on a mount.

Contract
- An actor plays steps on request, over a socket.  A helper obeys the commands of the recorder's memory helper: those that make processes it
  does itself, its memory is that of a simulated task under its pid (`shadow.py`).
- A zombie is a child that nobody has waited for.
- `close` ends them all, and forgets the simulated tasks.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from ..calls import libc
from ..stage import PR_SET_PDEATHSIG
from .results import Result
from .shadow import OWN_COMMANDS, MemoryHelper, let_pass, reap

PACKET_BYTES: Final = 1 << 20
PATIENCE_S: Final = 10.0
Play = Callable[[Mapping[str, Any]], Result]


class Child:
    """A process that answers messages with `answer`, each of them JSON."""

    def __init__(self, answer: Callable[[Any], Any]) -> None:
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.pid = os.fork()
        if self.pid == 0:
            die_with_parent()
            self._channel.close()
            while message := theirs.recv(PACKET_BYTES):
                theirs.send(json.dumps(answer(json.loads(message))).encode())
            os._exit(0)
        theirs.close()

    def ask(self, message: Any) -> Any:
        self._channel.send(json.dumps(message).encode())
        if not select.select([self._channel], [], [], PATIENCE_S)[0]:
            raise TimeoutError(f"process {self.pid} does not answer {message}")
        return json.loads(self._channel.recv(PACKET_BYTES))

    def end(self) -> None:
        try:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass
        self._channel.close()


class Processes:
    """`top`: where the tree is mounted."""

    def __init__(self, top: str) -> None:
        self._top = top
        self.pids: dict[str, int] = {}
        self._children: dict[str, Child] = {}
        self._memory: dict[str, MemoryHelper] = {}

    def actor(self, name: str, play: Play) -> None:
        child = self._children[name] = Child(play)
        self.pids[name] = child.pid

    def ask(self, name: str, step: Mapping[str, Any]) -> Result:
        found: Result = self._children[name].ask(step)
        return found

    def helper(self, name: str) -> None:
        child = self._children[name] = Child(obey)
        self.pids[name] = child.pid
        self._memory[name] = MemoryHelper(os, self._top, child.pid)

    def tell(self, name: str, command: str) -> str:
        words = command.split()
        if words[0] in OWN_COMMANDS:
            found: str = self._children[name].ask(words)
            return found.split()[0]
        return self._memory[name].obey(words)

    def thread(self, name: str, thread_name: str) -> None:
        self.pids[thread_name] = int(self._children[name].ask(["thread"]).split()[-1])

    def kill(self, name: str) -> None:
        self._children[name].end()
        if name in self._memory:
            reap(os, self._top, self._memory.pop(name).pid)

    def zombie(self, name: str) -> None:
        pid = self.pids[name] = os.fork()
        if pid == 0:
            os._exit(0)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)

    def kernel_thread(self, name: str, comm: str) -> None:
        for entry in Path("/proc").iterdir():
            if entry.name.isdecimal() and (entry / "comm").read_text().strip() == comm:
                self.pids[name] = int(entry.name)
                return
        raise FileNotFoundError(comm)

    def make_file(self, path: str, npages: int) -> None:
        MemoryHelper.make_file(os, self._top, path, npages)

    def let_pass(self, seconds: float) -> None:
        let_pass(os, self._top, seconds)

    def group_of(self, pid: int, base: str) -> str | None:
        """Where it is listed.  Raises FileNotFoundError where there is no such process."""
        os.stat(f"/proc/{pid}")
        for directory, _, _ in os.walk(base):
            if str(pid) in Path(directory, "tasks").read_text().split():
                return directory.removeprefix(base)
        return None

    def close(self) -> None:
        for child in self._children.values():
            child.end()
        for memory in self._memory.values():
            reap(os, self._top, memory.pid)


def die_with_parent() -> None:
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def obey(words: list[str]) -> str:
    """What a helper does itself: nforks N, forkz, reap, thread; and its threads wait."""
    name = words[0]
    if name == "nforks":
        for _ in range(int(words[1])):
            if os.fork() == 0:
                die_with_parent()
                while True:
                    signal.pause()
    elif name == "forkz":
        pid = os.fork()
        if pid == 0:
            os._exit(0)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        return f"ok pid {pid}"
    elif name == "reap":
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
    elif name == "thread":
        thread = threading.Thread(target=signal.pause, daemon=True)
        thread.start()
        while thread.native_id is None:
            time.sleep(0.001)
        return f"ok tid {thread.native_id}"
    return "ok"

