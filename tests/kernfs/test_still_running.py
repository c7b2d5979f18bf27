"""A command that is under way: who asks gets its outcome when it is over."""

from __future__ import annotations

import os
from dataclasses import dataclass

import pytest

from memcgfs.kernfs import OWNER, Caller, ControlFile, Kernfs, StillRunning


class Refused(Exception):
    """What the file refuses by itself."""


@dataclass
class Oven:
    is_done: bool = False
    is_off: bool = False

    def outcome(self) -> str:
        if self.is_off:
            raise Refused
        if not self.is_done:
            raise self.running()
        return "bread"

    def running(self) -> StillRunning:
        return StillRunning("oven", self.outcome, self.turn_off)

    def turn_off(self) -> None:
        self.is_off = True


def bake(oven: Oven, text: bytes, writer: Caller) -> None:
    raise oven.running()


@pytest.fixture
def oven() -> Oven:
    return Oven()


@pytest.fixture
def running(oven: Oven) -> StillRunning:
    fs = Kernfs(lambda: 0)
    fs.add_files(fs.root, (ControlFile("oven", write=bake),), OWNER, oven)
    handle = fs.open(fs.find(b"oven").ino, os.O_WRONLY)
    with pytest.raises(StillRunning) as refusal:
        fs.write(handle, 0, b"two loaves")
    return refusal.value


def test_a_command_that_is_over_has_taken_all_its_bytes(oven: Oven, running: StillRunning) -> None:
    with pytest.raises(StillRunning) as still:
        running.outcome()
    oven.is_done = True
    assert running.outcome() == still.value.outcome() == len(b"two loaves")


def test_what_it_was_refused_is_raised(oven: Oven, running: StillRunning) -> None:
    running.give_up()
    with pytest.raises(Refused):
        running.outcome()
