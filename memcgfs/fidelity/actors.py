"""The actors of a recorded case: the driver `m`, which is process 1, and the processes that it makes, `1`, `2`, ...

Contract
- A numbered actor is a child of the driver, or of another actor (`fork`), that makes system calls on request: umask, user ids and
  descriptors are its own.  Its memory is that of its shadow, a simulated task under its pid, which the driver drives; the driver has a
  shadow of its own, for the files that it holds open.
- Whose shadow was killed is killed, and dies as the recorded process did: `{"died": 1, "code": 2, "status": 9, "progress": N}`, or
  `"gone"` where it is nobody's to be looked at any more.
- `Troupe.perform(actor, command)` gives the result of one step, of the record's own shape.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from .before import DRIVER, Before
from .calls import CALLS, OK, Result, refusal, run_call
from .mounted import CG, MACHINE, look, put
from .process import Process
from .shadow import MEMORY, WRITTEN_BY_CHILD, WRITTEN_BY_PARENT, Died, Shadow
from .stage import DAEMON_PID

OWN_CGROUP: Final = "/proc/self/cgroup"
PATIENCE_S: Final = 10.0


class Troupe:
    """Made in the driver, with the tree mounted and nothing done in it."""

    def __init__(self, before: Before) -> None:
        self._before = before
        self._metadata = before.metadata
        self._shadow = before.driver
        self._actors: dict[str, Process] = {}
        self._vmstat: dict[str, int] = {}
        self._nr_log_lines = 0
        self.dmesgclear(DRIVER)

    def close(self) -> None:
        self._shadow.close()

    def perform(self, actor: str, command: str) -> Result:
        name, *words = command.split(" ")
        try:
            return self._perform(actor, name, [self._spelled(actor, word) for word in words])
        except Died:
            return self._death_of(self._actors[actor])

    def _perform(self, actor: str, name: str, words: list[str]) -> Result:
        if actor != DRIVER:
            process = self._actors[actor]
            if process.is_over:
                raise Died
            process.shadow.write_unwritten("")
            self._bury_the_dead()
            if process.is_over:
                raise Died
        if name in DRIVEN:
            return DRIVEN[name](self, actor, *words)
        if name in MEMORY:
            return self._remember(actor, name, words)
        if name not in CALLS:
            raise ValueError(f"{name}: no such command")
        if actor == DRIVER and words[:1] == [OWN_CGROUP]:
            return {"data": f"1:memory:{group_of_driver().removeprefix(CG) or '/'}\n"}
        found = run_call(name, words) if actor == DRIVER else self._actors[actor].ask(name, *words)
        self._after_call(actor, name, words, found)
        return found

    # Words.

    def _spelled(self, actor: str, word: str) -> str:
        """With pids for $$ and $N, and the places where this machine has what is in the recorded one's /proc."""
        own = os.getpid() if actor == DRIVER else self._actors[actor].pid
        word = word.replace("$$", str(own))
        for number in sorted(self._actors, key=len, reverse=True):
            word = word.replace(f"${number}", str(self._actors[number].pid))
        if word == OWN_CGROUP and actor != DRIVER:
            return f"{MACHINE}/tasks/{own}/cgroup"
        if word == "/proc/swaps":
            return f"{MACHINE}/swaps"
        return word.replace("/proc/sys/vm/", f"{MACHINE}/sys/vm/") if word.startswith("/proc/sys/vm/") else word

    # Life and death.

    def new(self, actor: str, number: str) -> Result:
        """A child of the driver's, in its group, which has touched all its own memory in the top one."""
        self._actors[number] = Process.started(lambda pid: Shadow.born(pid, self._metadata))
        group = group_of_driver()
        if group != CG:
            put(f"{group}/tasks", str(self._actors[number].pid))
        return OK

    def fork(self, actor: str, number: str) -> Result:
        parent = self._actors[actor]
        child = self._actors[number] = parent.forked()
        self._write_after_fork(parent, child)
        if parent.is_over:
            raise Died
        return OK

    def _write_after_fork(self, parent: Process, child: Process) -> None:
        """Somebody may die of that."""
        with suppress(OSError):
            parent.shadow.write_with_child(child.shadow)
        for process, pages in ((child, WRITTEN_BY_CHILD), (parent, WRITTEN_BY_PARENT)):
            with suppress(OSError):
                process.shadow.write_own(pages[1:])
        self._bury_the_dead()

    def exit(self, actor: str) -> Result:
        process = self._actors[actor]
        process.ask("exit")
        process.ended()
        return {"ok": "exit"}

    def exec(self, actor: str) -> Result:
        self._actors[actor].shadow.exec()
        self._bury_the_dead()
        return {"ok": "exec"}

    def _bury_the_dead(self) -> None:
        """Whose shadow has died is killed."""
        for process in self._actors.values():
            if not process.is_over and process.shadow.is_dead:
                os.kill(process.pid, signal.SIGKILL)
                process.ended()

    def _death_of(self, process: Process) -> Result:
        self._bury_the_dead()
        found: Result = {"died": 1}
        try:
            seen = os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG)
            found |= {"code": seen.si_code, "status": seen.si_status} if seen is not None else {}
        except ChildProcessError:
            found["gone"] = 1
        return {**found, "progress": process.shadow.progress}

    def _after_call(self, actor: str, name: str, words: list[str], found: Result) -> None:
        """What a system call did to processes."""
        if "errno" in found:
            return
        if name == "reap" and found["pid_ok"]:
            os.rmdir(f"{MACHINE}/tasks/{words[0]}")
        elif name == "kill" and words[1] == str(int(signal.SIGKILL)):
            for process in self._actors.values():
                if process.pid == int(words[0]) and not process.is_over:
                    process.ended()
        elif name in ("setuid", "seteuid") and actor != DRIVER:
            self._actors[actor].shadow.tell(f"setuid {words[0]}")

    # Memory.

    def _remember(self, actor: str, name: str, words: list[str]) -> Result:
        if actor == DRIVER:
            return self._drivers(name, words)
        process = self._actors[actor]
        found = process.shadow.run(name, words)
        self._bury_the_dead()
        if process.is_over:
            raise Died
        return found

    def _drivers(self, name: str, words: list[str]) -> Result:
        """In the driver's group, where its shadow is while it works only, since it is listed."""
        group = group_of_driver()
        if group == CG:
            return self._shadow.run(name, words)
        put(f"{group}/tasks", str(self._shadow.pid))
        found = self._shadow.run(name, words)
        put(f"{CG}/tasks", str(self._shadow.pid))
        return found

    def thread(self, actor: str, path: str, name: str, first: str, npages: str) -> Result:
        """A thread moves itself to the group, touches, and ends."""
        process = self._actors[actor]
        tid = process.ask("thread")["tid"]
        process.shadow.tell(f"thread {tid}")
        moved = process.ask("move", path)
        thread = Shadow(tid, self._metadata)
        thread.regions = process.shadow.regions
        thread.run("touch", [name, first, npages, "w"])
        self._bury_the_dead()
        if process.is_over:
            raise Died
        thread.tell("exit")
        thread.close()
        process.ask("join")
        os.rmdir(f"{MACHINE}/tasks/{tid}")
        return moved

    # Looking.

    def snap(self, actor: str, directory: str) -> Result:
        prefix = "memory." if os.path.exists(f"{directory}/memory.stat") else ""
        found: Result = {name: int(look(f"{directory}/{prefix}{name}")) for name in ("usage_in_bytes", "limit_in_bytes", "failcnt")}
        found["stat"] = numbers(look(f"{directory}/{prefix}stat"))
        return {**found, "ntasks": len(look(f"{directory}/tasks").splitlines())}

    def vmstat0(self, actor: str) -> Result:
        self._vmstat = numbers(look(f"{MACHINE}/vmstat"))
        return OK

    def vmstat1(self, actor: str) -> Result:
        return {name: value - self._vmstat.get(name, 0) for name, value in numbers(look(f"{MACHINE}/vmstat")).items()}

    def now(self, actor: str) -> Result:
        return {"s": int(look(f"{MACHINE}/clock")) / 1e9}

    def dmesg(self, actor: str) -> Result:
        """What is new since it was asked last, or cleared."""
        lines = [line.split("] ", 1)[1] for line in look(f"{MACHINE}/log").splitlines()]
        new, self._nr_log_lines = lines[self._nr_log_lines :], len(lines)
        return {"log": "".join(f"{line}\n" for line in new)}

    def dmesgclear(self, actor: str) -> Result:
        self.dmesg(actor)
        return OK

    # The machine.

    def sleepms(self, actor: str, ms: str) -> Result:
        """On the machine's clock; programs that the daemon has started end meanwhile, too."""
        put(f"{MACHINE}/clock", f"+{ms}ms")
        until = time.monotonic() + PATIENCE_S
        while has_children(DAEMON_PID) and time.monotonic() < until:
            time.sleep(0.005)
            look(f"{MACHINE}/clock")  # a request, before which exits are told
        return OK

    def swapon(self, actor: str, name: str, *_words: str) -> Result:
        return tried(lambda: self._before.swapon(name))

    def swapoff(self, actor: str, name: str) -> Result:
        found = tried(lambda: put(f"{MACHINE}/swapoff", name))
        self._bury_the_dead()
        return found

    def adjust(self, actor: str, pid: str, value: str) -> Result:
        """/proc/PID/oom_adj."""
        path = f"{MACHINE}/tasks/{pid}/oom_adj"
        return run_call("oom_adj", [path, value]) if actor == DRIVER else self._actors[actor].ask("oom_adj", path, value)


def numbers(text: str) -> dict[str, int]:
    """
    >>> numbers("cache 0\\nrss 4096\\n")
    {'cache': 0, 'rss': 4096}
    """
    return {name: int(value) for name, value in map(str.split, text.splitlines())}


def tried(call: Callable[[], None]) -> Result:
    try:
        call()
    except OSError as error:
        return refusal(error)
    return OK


def has_children(parent: int) -> bool:
    for name in os.listdir("/proc"):
        if name.isdecimal():
            with suppress(OSError), open(f"/proc/{name}/stat") as stat:
                if int(stat.read().rpartition(")")[2].split()[1]) == parent:
                    return True
    return False


def group_of_driver() -> str:
    """Where its pid is listed; a process of the host that is listed nowhere is in the top group."""
    for directory, _, names in os.walk(CG):
        if "tasks" in names and str(os.getpid()) in look(f"{directory}/tasks").split():
            return directory
    return CG


DRIVEN: Final[dict[str, Callable[..., Result]]] = {
    **{name: getattr(Troupe, name) for name in ("new", "fork", "exit", "exec", "thread", "snap", "vmstat0", "vmstat1")},
    **{name: getattr(Troupe, name) for name in ("now", "dmesg", "dmesgclear", "sleepms", "swapon", "swapoff")},
    "oom_adj": Troupe.adjust,
}
"""Commands that the driver carries out itself, whoever gives them."""
COMMANDS: Final = frozenset({*DRIVEN, *MEMORY, *CALLS})
