"""Where the mount has what the recorded machine had, and how its files are read and written."""

from __future__ import annotations

from typing import Final

CG: Final = "/cg"
MACHINE: Final = f"{CG}/.machine"
FILES: Final = {"/mnt/": "", "/shm/": "shm:"}
"""What a ctl calls the recorded machine's directories of files."""
PAGE_BYTES: Final = 4096


def look(path: str) -> str:
    with open(path) as file:
        return file.read()


def put(path: str, text: str) -> None:
    """In one write."""
    with open(path, "wb", buffering=0) as file:
        file.write(text.encode())


def name_of_file(path: str) -> str:
    """What a ctl calls it.

    >>> name_of_file("/mnt/f"), name_of_file("/shm/s")
    ('f', 'shm:s')
    """
    for directory, prefix in FILES.items():
        if path.startswith(directory):
            return prefix + path.removeprefix(directory)
    raise FileNotFoundError(path)
