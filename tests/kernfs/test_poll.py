"""What poll(2) says of a control file: whether it was shown since it changed."""

from __future__ import annotations

import os
from dataclasses import dataclass

import pytest

from memcgfs.kernfs import OWNER, Caller, ControlFile, File, Kernfs
from memcgfs.kernfs.polling import CHANGED, DEFAULT_POLLMASK


@dataclass
class Slate:
    text: str = ""


class Illegible(Exception):
    """What the file refuses by itself."""


def refuse(slate: Slate) -> str:
    raise Illegible


def write(slate: Slate, text: bytes, writer: Caller) -> None:
    slate.text = text.decode()


def show(slate: Slate) -> str:
    return slate.text


ROWS = (
    ControlFile("told", show, write, notifies=True),
    ControlFile("snapshot", show, write, snapshot=True, notifies=True),
    ControlFile("refused", refuse, notifies=True),
    ControlFile("untold", show, write),
)


class Desk:
    def __init__(self) -> None:
        self.slate = Slate("x\n")
        self.fs = Kernfs(lambda: 0)
        self.directory = self.fs.add_directory(self.fs.root, b"d", mode=0o755, owner=OWNER)
        self.fs.add_files(self.directory, ROWS, OWNER, self.slate)
        self.told: list[int] = []
        self.fs.poll_observers.append(self.told.append)

    def file(self, name: bytes) -> File:
        node = self.directory.children[name]
        assert isinstance(node, File)
        return node

    def open(self, name: bytes) -> int:
        return self.fs.open(self.file(name).ino, os.O_RDWR)


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.mark.parametrize("name", [b"told", b"snapshot"])
def test_what_was_never_shown_has_changed(desk: Desk, name: bytes) -> None:
    one, two = desk.open(name), desk.open(name)
    assert desk.fs.poll(one) == CHANGED
    desk.fs.write(one, 0, b"y\n")
    assert desk.fs.poll(one) == CHANGED
    assert desk.fs.read(one, 0, 100)
    assert (desk.fs.poll(one), desk.fs.poll(two)) == (DEFAULT_POLLMASK, CHANGED)
    assert desk.fs.read(one, 2, 100) == b""
    assert desk.fs.poll(one) == DEFAULT_POLLMASK


def test_nothing_to_show_is_not_shown(desk: Desk) -> None:
    desk.slate.text = ""
    handle = desk.open(b"told")
    assert desk.fs.read(handle, 0, 100) == b""
    assert desk.fs.poll(handle) == CHANGED


def test_a_refusal_is_shown(desk: Desk) -> None:
    handle = desk.open(b"refused")
    with pytest.raises(Illegible):
        desk.fs.read(handle, 0, 100)
    assert desk.fs.poll(handle) == DEFAULT_POLLMASK


def test_a_change_is_told_until_it_is_shown(desk: Desk) -> None:
    handle = desk.open(b"told")
    desk.fs.read(handle, 0, 100)
    desk.fs.notify(desk.file(b"told"))
    assert desk.told == [desk.file(b"told").ino]
    assert desk.fs.poll(handle) == CHANGED
    desk.fs.read(handle, 0, 100)
    assert desk.fs.poll(handle) == DEFAULT_POLLMASK


def test_a_file_that_never_tells_is_always_ready(desk: Desk) -> None:
    handle = desk.open(b"untold")
    assert desk.fs.poll(handle) == DEFAULT_POLLMASK
    desk.fs.notify(desk.file(b"untold"))
    assert desk.fs.poll(handle) == DEFAULT_POLLMASK


def test_what_is_gone_has_changed_and_its_pollers_are_told(desk: Desk) -> None:
    handles = [desk.open(name) for name in (b"told", b"untold")]
    files = [desk.file(name) for name in (b"told", b"untold")]
    desk.fs.read(handles[0], 0, 100)
    desk.fs.remove(desk.directory)
    assert [desk.fs.poll(handle) for handle in handles] == [CHANGED, CHANGED]
    assert {file.ino for file in files} <= set(desk.told)
