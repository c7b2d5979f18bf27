"""What the rules of the state machine share: the machine under test, and what its tasks must find."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import reject
from hypothesis.stateful import RuleBasedStateMachine

from memcgfs import mm

MAPPED_PAGES = 12  # of a file


@dataclass
class FileModel:
    """A file as it must be: its length in bytes, and what was last written to the first word of each page. Of a page in `unsure` only a
    mapping wrote, and the disk may have had no block for it."""

    file: mm.File
    size: int = 0
    words: dict[int, int] = field(default_factory=dict)
    unsure: set[int] = field(default_factory=set)
    is_named: bool = True

    @property
    def nr_pages(self) -> int:
        return -(-self.size // 4096)


@dataclass
class Mapping:
    """The first pages of a file at a place of a task's address space; `copies`: pages of its own, by a private mapping."""

    model: FileModel
    is_shared: bool
    copies: dict[int, int] = field(default_factory=dict)

    def copy(self) -> Mapping:
        return Mapping(self.model, self.is_shared, dict(self.copies))


@dataclass
class Memory:
    """What a task must find: the content of each page, which ranges are mapped or locked, and which files it maps where."""

    content: dict[int, tuple[int, int]] = field(default_factory=dict)
    mapped: set[int] = field(default_factory=set)
    locked: set[int] = field(default_factory=set)
    files: dict[int, Mapping] = field(default_factory=dict)

    def copy(self) -> Memory:
        return Memory(dict(self.content), set(self.mapped), files={at: mapping.copy() for at, mapping in self.files.items()})


class Machine(mm.Machine):
    """Where it panics the example ends, and is none: nobody was left to kill. On its way out that is said by each operation under way.

    is_ending: no more steps come, so that it is too late for that.
    """

    the_end: BaseException | None = None
    is_ending = False

    def panicking(self) -> mm.MachinePanicked:
        assert not [task for task in self.tasks.values() if task.space is not None and not task.is_memdie]
        if self.is_ending:
            return super().panicking()
        if self.the_end is None:
            try:
                reject()
            except BaseException as end:
                self.the_end = end
        assert self.the_end is not None
        raise self.the_end


class ModelBase(RuleBasedStateMachine):
    machine: Machine
    containers: list[mm.Container]
    memory: dict[int, Memory]
    next_mark: int

    def booted(self) -> None:
        """The machine is there, and has done nothing yet: for who wants to watch it."""

    def task(self, pick: int) -> mm.Task:
        pids = list(self.memory)
        return self.machine.tasks[pids[pick % len(pids)]]  # type: ignore[no-any-return]

    def place_of(self, task: mm.Task) -> int:
        """What picks this task."""
        return list(self.memory).index(task.pid)

    def container(self, pick: int) -> mm.Container:
        return self.containers[pick % len(self.containers)]

    def forget_the_dead(self) -> None:
        """Whoever was killed has no memory any more; the log must say why somebody was."""
        for pid in [pid for pid in self.memory if self.machine.tasks[pid].state == "Z"]:
            died = self.machine.tasks[pid].died
            assert "memory" in died or "bus error" in died
            del self.memory[pid]
            self.machine.reap(self.machine.tasks[pid])

    def has_tasks(self) -> bool:
        return bool(self.memory)
