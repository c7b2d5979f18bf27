"""Who waits in poll(2), select(2) or epoll(7) for something of an open file.

Contract: the kernel asks what can be done with the file now, and leaves a handle by which it wants to be told when that may have changed.
It asks again then.  A later question about the same open file replaces its handle; one notification serves everybody who waits for it.
"""

from __future__ import annotations

from collections.abc import Callable

from pyfuse3 import FileHandleT, InodeT, PollHandle


class Pollers:
    def __init__(self) -> None:
        self._by_ino: dict[InodeT, dict[FileHandleT, PollHandle]] = {}
        self._of_streams: dict[FileHandleT, PollHandle] = {}

    def wait(self, ino: InodeT, fh: FileHandleT, handle: PollHandle) -> None:
        """For `changed`."""
        self._by_ino.setdefault(ino, {})[fh] = handle

    def wait_for_stream(self, fh: FileHandleT, handle: PollHandle) -> None:
        """For `tell_streams`: nobody says when there is something to read."""
        self._of_streams[fh] = handle

    def forget(self, ino: InodeT, fh: FileHandleT) -> None:
        self._of_streams.pop(fh, None)
        waiting = self._by_ino.get(ino)
        if waiting is not None and waiting.pop(fh, None) is not None and not waiting:
            del self._by_ino[ino]

    def changed(self, ino: int) -> None:
        """Have the kernel ask again about every open file of `ino`."""
        for handle in self._by_ino.pop(InodeT(ino), {}).values():
            _notify(handle)

    def tell_streams(self, is_ready: Callable[[FileHandleT], bool]) -> None:
        if self._of_streams:
            for fh in [fh for fh in self._of_streams if is_ready(fh)]:
                _notify(self._of_streams.pop(fh))


def _notify(handle: PollHandle) -> None:
    try:
        handle.notify()
    except OSError:
        pass  # the mount is gone, and everybody with it
