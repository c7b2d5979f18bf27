"""Random families against a model that is told everything: whatever was forked, moved, or ended, and whenever somebody looked."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from memcgfs.tree import Tree

from .conftest import FakeHost

TOP = ""
GROUPS = (TOP, "a", "b", "a/c")


class Families(RuleBasedStateMachine):
    """The model: where each living thread is, and who of the top came there by being written to its files."""

    def __init__(self) -> None:
        super().__init__()
        self.tree = Tree(ram="8M", swap=0, dialect="v1")
        self.host = FakeHost()
        self.tree.set_host(self.host)
        self.dirs = {group: self.tree.mkdir(group) for group in GROUPS[1:]}
        self.dirs[TOP] = self.tree.root
        self.where: dict[int, str] = {}
        self.listed_at_top: set[int] = set()
        self.births: list[tuple[int, int]] = []
        self.exits: list[int] = []
        self.next_tid = 500

    def new_tid(self) -> int:
        self.next_tid += 1
        return self.next_tid

    def some(self, place: int) -> int:
        return sorted(self.where)[place % len(self.where)]

    def oldest(self, tid: int) -> int:
        return self.host.threads(self.host.processes[tid].tgid)[0]

    def catch_up(self) -> None:
        """What comes before each request."""
        births, self.births = self.births, []
        self.tree.host_born(births)
        exits, self.exits = self.exits, []
        for tid in exits:
            self.tree.host_exited(tid)

    @rule()
    def start(self) -> None:
        tid = self.new_tid()
        self.host.add(tid)
        self.where[tid] = TOP

    @precondition(lambda self: self.where)
    @rule(place=st.integers(0, 99))
    def fork(self, place: int) -> None:
        maker, tid = self.some(place), self.new_tid()
        self.host.fork(maker, tid)
        self.births.append((maker, tid))
        self.where[tid] = self.where[maker]

    @precondition(lambda self: self.where)
    @rule(place=st.integers(0, 99))
    def clone(self, place: int) -> None:
        """By the oldest thread: of any other it could not be known."""
        maker, tid = self.oldest(self.some(place)), self.new_tid()
        self.host.clone(maker, tid)
        self.where[tid] = self.where[maker]

    @precondition(lambda self: self.where)
    @rule(place=st.integers(0, 99))
    def end(self, place: int) -> None:
        """A thread that others have been made by is looked at first: nobody tells of threads."""
        tid = self.some(place)
        if len(self.host.threads(self.host.processes[tid].tgid)) > 1:
            self.look("a")
            self.look("b")
            self.look("a/c")
        self.host.exit(tid)
        self.exits.append(tid)
        del self.where[tid]
        self.listed_at_top.discard(tid)

    @precondition(lambda self: self.where)
    @rule(place=st.integers(0, 99), group=st.sampled_from(GROUPS), whole=st.booleans())
    def attach(self, place: int, group: str, whole: bool) -> None:
        tid = self.some(place)
        self.catch_up()
        self.dirs[group]["cgroup.procs" if whole else "tasks"] = tid
        for moved in self.host.threads(self.host.processes[tid].tgid) if whole else [tid]:
            if group == TOP and self.where[moved] != TOP:
                self.listed_at_top.add(moved)
            elif group != TOP:
                self.listed_at_top.discard(moved)
            self.where[moved] = group

    @rule(group=st.sampled_from(GROUPS))
    def look(self, group: str) -> None:
        self.catch_up()
        shown = [int(line) for line in self.dirs[group].read("tasks").split()]
        if group == TOP:
            assert set(shown) == self.listed_at_top
        else:
            assert shown == sorted(tid for tid, place in self.where.items() if place == group)
            processes = {self.host.processes[tid].tgid for tid in shown}
            assert [int(line) for line in self.dirs[group].read("cgroup.procs").split()] == sorted(processes)

    @precondition(lambda self: self.where)
    @rule(place=st.integers(0, 99))
    def ask(self, place: int) -> None:
        """By a request of one that nobody may have looked at yet."""
        tid = self.some(place)
        self.catch_up()
        asked = self.tree.hierarchy.members.cgroup_of_host(tid).path.decode()
        assert asked == f"/{self.where[tid]}"

    @invariant()
    def watched_are_alive_or_have_just_ended(self) -> None:
        watched = {process.tid for process in self.host.watched}
        assert watched <= set(self.where) | set(self.exits)

    def teardown(self) -> None:
        for group in GROUPS:
            self.look(group)
        self.tree.machine.check()


TestFamilies = Families.TestCase
TestFamilies.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
