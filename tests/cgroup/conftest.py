"""A tree for each test, and a process table of the host made of plain objects."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from memcgfs.tree import Tree


@dataclass(eq=False)
class FakeProcess:
    tid: int
    uid: int = 1000
    suid: int = 1000
    running: bool = True
    tgid: int = 0
    ppid: int = 1
    maker: int = 0
    is_bound: bool = False
    is_zombie: bool = False

    def __post_init__(self) -> None:
        self.tgid = self.tgid or self.tid

    def alive(self) -> bool:
        return self.running and not self.is_zombie


@dataclass
class FakeHost:
    """Stands for the computer's processes, which a test cannot make and end at will; tests/fuse has the real ones."""

    processes: dict[int, FakeProcess] = field(default_factory=dict)
    watched: list[FakeProcess] = field(default_factory=list)
    agents: list[tuple[str, str]] = field(default_factory=list)
    killed: list[int] = field(default_factory=list)

    def add(self, tid: int, uid: int = 1000, suid: int | None = None) -> FakeProcess:
        self.processes[tid] = process = FakeProcess(tid, uid, uid if suid is None else suid)
        return process

    def fork(self, maker: int, tid: int) -> FakeProcess:
        """A child of the thread `maker`."""
        process = self.add(tid)
        process.maker, process.ppid = maker, self.processes[maker].tgid
        return process

    def clone(self, maker: int, tid: int) -> FakeProcess:
        """A thread, in the process of the thread `maker`."""
        process = self.add(tid)
        process.tgid, process.ppid = self.processes[maker].tgid, self.processes[maker].ppid
        return process

    def exit(self, tid: int) -> None:
        """Its children are init's from now on; the tree is not told."""
        self.processes[tid].running = False
        for child in self.processes.values():
            if child.maker == tid:
                child.maker, child.ppid = 0, 1

    def parent(self, tgid: int) -> int:
        process = self.find(tgid)
        return process.ppid if process is not None else 0

    def threads(self, tgid: int) -> list[int]:
        return [process.tid for process in self.processes.values() if process.tgid == tgid and process.running]

    def children(self, process: object) -> list[int]:
        assert isinstance(process, FakeProcess)
        return [child.tid for child in self.processes.values() if child.maker == process.tid and child.running]

    def find(self, tid: int) -> FakeProcess | None:
        process = self.processes.get(tid)
        return process if process is not None and process.running else None

    def watch(self, process: object) -> None:
        assert isinstance(process, FakeProcess)
        assert process not in self.watched
        self.watched.append(process)

    def unwatch(self, process: object) -> None:
        assert isinstance(process, FakeProcess)
        if process in self.watched:
            self.watched.remove(process)

    def kill(self, process: object) -> None:
        assert isinstance(process, FakeProcess)
        assert process in self.watched
        self.killed.append(process.tid)

    def run_release_agent(self, path: str, cgroup_path: str) -> None:
        self.agents.append((path, cgroup_path))


MakeTree = Callable[..., Tree]


@pytest.fixture
def make_tree() -> Iterator[MakeTree]:
    """Make trees; all of them are checked when the test is over."""
    trees: list[Tree] = []

    def make(**options: object) -> Tree:
        tree = Tree(**{"ram": "8M", "swap": "8M", **options})
        trees.append(tree)
        return tree

    yield make
    for tree in trees:
        tree.machine.check()


@pytest.fixture
def tree(make_tree: MakeTree) -> Tree:
    return make_tree()


@pytest.fixture
def host(tree: Tree) -> FakeHost:
    host = FakeHost()
    tree.set_host(host)
    return host
