"""What a simulated task does with files: the commands of `ctl` that name one.

Contract: a file is named as `file_names.py` says; what is no such name is BadCommand.
A task acts as its maker where permissions are concerned.  Each command is an open, the system call, and a close; dates
follow as they do for any other process.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from .files import Stored
from .permission import READ, WRITE

if TYPE_CHECKING:
    from ..kernfs import DataFile
    from ..mm import File
    from .tasks import TaskEntry


@dataclass(frozen=True, slots=True)
class MapOptions:
    """How `mmap` is to map."""

    shared: bool
    locked: bool
    populate: bool
    writable: bool


def map_file(entry: TaskEntry, name: bytes, start: int, npages: int, how: MapOptions) -> None:
    """A shared mapping that is writable needs a file that may be written."""
    node = entry.files.find_to_map(name, READ | WRITE if how.shared and how.writable else READ, entry.member.maker)
    entry.task.mmap(start, npages, file=_stored(node), **asdict(how))


def read_file(entry: TaskEntry, name: str, page: int, npages: int) -> None:
    node = entry.files.find_file(name.encode(), READ, entry.member.maker)
    entry.task.read_file(_stored(node), page, npages)
    entry.files.was_read(node)


def write_file(entry: TaskEntry, name: str, page: int, npages: int) -> None:
    """The file is made if there is none."""
    node = entry.files.find_or_create(name.encode(), entry.member.maker)
    entry.task.write_file(_stored(node), page, npages)
    entry.files.was_written(node)


def fadvise_file(entry: TaskEntry, name: str, page: int, npages: int, advice: str) -> None:
    node = entry.files.find_file(name.encode(), READ, entry.member.maker)
    entry.task.fadvise_file(_stored(node), advice, page, npages)


def fsync_file(entry: TaskEntry, name: str) -> None:
    node = entry.files.find_file(name.encode(), READ, entry.member.maker)
    entry.task.fsync_file(_stored(node))


def sync(entry: TaskEntry) -> None:
    entry.task.machine.sync()


def _stored(node: DataFile) -> File:
    stored = node.data
    assert isinstance(stored, Stored)
    return stored.there()
