"""What a task calls a file: its path below `.machine/files`, or behind `shm:` that below `.machine/shm`.

Contract: no path begins with a slash; what is no such path is BadCommand.  Which of the two directories it is makes no other difference.
"""

from __future__ import annotations

from typing import Final

from ..kernfs import Caller, DataFile
from ..mm import File
from .files import Files

IN_MEMORY: Final = b"shm:"
SHM_PATH: Final = b"/dev/shm"
"""Where programs expect such a file."""


class FileNames:
    def __init__(self, disk: Files, memory: Files) -> None:
        self.disk = disk
        self._memory = memory
        self.was_read = disk.was_read
        self.was_written = disk.was_written

    def _place(self, path: bytes) -> tuple[Files, bytes]:
        if path.startswith(IN_MEMORY):
            return self._memory, path.removeprefix(IN_MEMORY)
        return self.disk, path

    def find_file(self, path: bytes, access: int, who: Caller) -> DataFile:
        files, name = self._place(path)
        return files.find_file(name, access, who)

    def find_to_map(self, path: bytes, access: int, who: Caller) -> DataFile:
        files, name = self._place(path)
        return files.find_to_map(name, access, who)

    def find_or_create(self, path: bytes, who: Caller) -> DataFile:
        files, name = self._place(path)
        return files.find_or_create(name, who)

    # Of a mapping.

    def node_of(self, file: File) -> DataFile | None:
        """The name that it has, or had last; None of a file that was made without one."""
        return self.disk.node_of(file) or self._memory.node_of(file)

    def path_of(self, file: File, node: DataFile) -> bytes:
        """As d_path writes it: from `.machine/files` on; a file in memory is below /dev/shm."""
        return self.disk.path_of(node) if file.is_on_disk else SHM_PATH + self._memory.path_of(node)
