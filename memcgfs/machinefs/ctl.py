"""`ctl`: what a simulated task can be told to do.  One command a write; a row a command.

Contract: the row's usage line is the documentation, what reading the file prints, and the parser.  A command to a task
that has died is ESRCH, whatever it says; what is no command is EINVAL; both leave the task as it was.  Words end at a
blank, so a file whose name has one, or is not printable ASCII, cannot be named here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from ..cgroup import NoSuchTask
from ..kernfs import Caller, WouldBlock
from ..mm import ADVICE, LATE_ADVICE, PAGE_BYTES
from ..mm.params import GFP_ATOMIC, GFP_KERNEL, GFP_NOFAIL, GFP_NOFS, GFP_NOIO, GFP_NORETRY
from .errors import BadCommand
from .file_commands import MapOptions, fadvise_file, fsync_file, map_file, read_file, sync, write_file
from .grammar import Usage, words_of
from .waits import may_wait

if TYPE_CHECKING:
    from .tasks import TaskEntry


@dataclass(frozen=True, slots=True)
class Command:
    usage: Usage
    does: str
    run: Callable[..., object]


def _touch(entry: TaskEntry, start: int, npages: int, access: str | None) -> None:
    entry.task.touch(start, npages, write=access != "r")


def _race(entry: TaskEntry, start: int, npages: int, pid: int, their_start: int, their_npages: int) -> None:
    other = entry.neighbour(pid)
    if other is entry.task:
        raise BadCommand(f"race {pid}")
    entry.task.machine.race(lambda: entry.task.touch(start, npages), lambda: other.touch(their_start, their_npages))


def _mmap(
    entry: TaskEntry, start: int, npages: int, what: str, shared: str | None, locked: str | None, populate: str | None, ro: str | None
) -> None:
    of_a_file, _, name = what.partition(":")
    how = MapOptions(shared is not None, locked is not None, populate is not None, ro is None)
    if of_a_file == "file":
        map_file(entry, name.encode(), start, npages, how)
    else:
        entry.task.mmap(start, npages, **asdict(how))


def _madvise(entry: TaskEntry, start: int, npages: int, advice: str) -> None:
    entry.task.madvise(start, npages, advice)


def _swapon(entry: TaskEntry, name: str, nbytes: int, priority: int | None) -> None:
    entry.task.machine.swapon(name, nbytes // PAGE_BYTES, priority)


HOLDABLE = ("file", "pipe", "full-pipe", "full-socket")
BLOCK_GFP = {
    None: GFP_KERNEL,
    "noio": GFP_NOIO,
    "nofs": GFP_NOFS,
    "atomic": GFP_ATOMIC,
    "noretry": GFP_KERNEL | GFP_NORETRY,
    "nofail": GFP_KERNEL | GFP_NOFAIL,
}


def _block(entry: TaskEntry, order: int, how: str | None) -> None:
    entry.task.alloc_block(order, BLOCK_GFP[how])


def _command(usage: str, does: str, run: Callable[..., object]) -> Command:
    return Command(Usage(usage), does, run)


COMMANDS = (
    _command("touch START NPAGES [r|w]", "access each page in order, writing unless r", _touch),
    _command("race START NPAGES PID START NPAGES", "touch, and have PID touch its own when this task waits, or else then", _race),
    _command("mmap START NPAGES anon|file:NAME [shared] [locked] [populate] [ro]", "map pages", _mmap),
    _command("munmap START NPAGES", "unmap them", lambda entry, *pages: entry.task.munmap(*pages)),
    _command(
        f"madvise START NPAGES dontneed|willneed|normal|sequential|random|{'|'.join(LATE_ADVICE)}",
        "drop their content; or read a file's ahead, or say how it will be read; the last six with rules that know them",
        _madvise,
    ),
    _command("mlock START NPAGES", "keep them in memory", lambda entry, *pages: entry.task.mlock(*pages)),
    _command("munlock START NPAGES", "no longer", lambda entry, *pages: entry.task.munlock(*pages)),
    _command("read NAME PAGE N", "read N pages of a file from page PAGE on", read_file),
    _command("write NAME PAGE N", "write N pages of a file, which is made if there is none", write_file),
    _command(f"fadvise NAME PAGE N {'|'.join(ADVICE)}", "say how they will be used", fadvise_file),
    _command("fsync NAME", "wait until the file is on the disk", fsync_file),
    _command("sync", "wait until all files are", sync),
    _command("fork PID", "make a child with that pid", lambda entry, pid: entry.fork(pid)),
    _command("thread PID", "make a thread with that pid, which shares its memory", lambda entry, pid: entry.clone(pid)),
    _command("exec", "start over with an empty address space", lambda entry: entry.task.exec()),
    _command("exit", "end", lambda entry: entry.task.exit()),
    _command("lookup N", "look up N names that do not exist (negative dentries)", lambda entry, n: entry.task.lookup(n)),
    _command("setuid UID", "run as that user, for the OOM score", lambda entry, uid: entry.task.setuid(uid)),
    _command("nice NICE", "be nice, for the OOM score", lambda entry, nice: entry.task.set_nice(nice)),
    _command("node N", "run on that node's cpu", lambda entry, node: entry.task.set_node(node)),
    _command("block ORDER [noio|nofs|atomic|noretry|nofail]", "take 2^ORDER pages of kernel memory, and hold them", _block),
    _command("unblock ORDER", "give such a block back", lambda entry, order: entry.task.free_block(order)),
    _command(f"hold {'|'.join(HOLDABLE)} N", "have the kernel allocate N", lambda entry, *what: entry.task.take_objects(*what)),
    _command(f"drop {'|'.join(HOLDABLE)} N", "give as many back", lambda entry, *what: entry.task.give_objects(*what)),
    _command("swapon NAME SIZE [PRIORITY]", "use a swap area (SIZE as 64M)", _swapon),
    _command("swapoff NAME", "give it up; its pages come back at this task's expense", lambda entry, name: entry.task.swapoff(name)),
    _command("run TIME", "compute for so long (as 100ms)", lambda entry, ns: entry.task.run(ns)),
)

WHILE_WAITING = ("exit",)
"""What can be said to a task that waits for memory: it dies of that, as of a signal."""
BY_VERB = {command.usage.verb: command for command in COMMANDS}


def show_commands(entry: TaskEntry) -> str:
    width = max(len(command.usage.text) for command in COMMANDS)
    return "".join(f"{command.usage.text:<{width}}  {command.does}\n" for command in COMMANDS)


def run_command(entry: TaskEntry, text: bytes, writer: Caller) -> None:
    if not entry.member.alive:
        raise NoSuchTask(entry.task.pid)
    verb, *words = words_of(text) or [""]
    command = BY_VERB.get(verb)
    arguments = command.usage.parse(words) if command is not None else None
    if command is None or arguments is None:
        raise BadCommand(text)
    if entry.task.state == "D" and verb not in WHILE_WAITING:
        raise WouldBlock(entry.task.pid)
    with may_wait():
        command.run(entry, *arguments)
