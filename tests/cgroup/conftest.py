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

    @property
    def tgid(self) -> int:
        return self.tid

    def alive(self) -> bool:
        return self.running


@dataclass
class FakeHost:
    """Stands for the computer's processes, which a test cannot make and end at will; tests/fuse has the real ones."""

    processes: dict[int, FakeProcess] = field(default_factory=dict)
    watched: list[FakeProcess] = field(default_factory=list)
    agents: list[tuple[str, str]] = field(default_factory=list)

    def add(self, tid: int, uid: int = 1000, suid: int | None = None) -> FakeProcess:
        self.processes[tid] = process = FakeProcess(tid, uid, uid if suid is None else suid)
        return process

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
