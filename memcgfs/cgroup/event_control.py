"""cgroup.event_control: who wants to be told of what, through an eventfd (mm/memcontrol-v1.c: memcg_write_event_control).

One line: `EVENTFD FILE ARGUMENTS`, two numbers of descriptors that the writer has open, one blank between each two.  The file says of what:

    memory.usage_in_bytes, memory.memsw.usage_in_bytes   an amount; the usage is now above it, or below
    memory.oom_control                                   nothing that counts; there is no memory, and nobody is killed for it
    memory.pressure_level                                low, medium or critical, and `,hierarchy` or `,local`

What was registered ends when the directory is removed, which signals the eventfd once more, or when nobody has the eventfd open any more.
The descriptors are taken from whoever opened cgroup.event_control, since a mount is not told who writes.
"""

from __future__ import annotations

import re
import stat
from typing import TYPE_CHECKING, Final

from ..kernfs import Caller, File
from ..mm import Container, Watch
from .cgroup import Cgroup
from .errors import BadDescriptor, BadEvent, NoRightToDescriptor, NotYourFile
from .page_counter import page_counter_memparse
from .strto import strstrip

if TYPE_CHECKING:
    from collections.abc import Callable

    from .host import Descriptors, EventFd

    Signal = Callable[[], object]

_LINE = re.compile(rb"([0-9]*) ([0-9]*)(?: (.*))?", re.DOTALL)
_UINT_MASK: Final = 0xFFFF_FFFF
MAX_VMPRESSURE_ARGS_LEN: Final = len("critical") + len("hierarchy") + 2
READ_BIT: Final = 4


def register_event(cgroup: Cgroup, text: bytes, writer: Caller) -> None:
    """The refusals, and their order, are those of the kernel."""
    found = _LINE.fullmatch(strstrip(text))
    if found is None:
        raise BadEvent(text)
    efd, cfd = (int(number or b"0") & _UINT_MASK for number in found.groups()[:2])
    descriptors = cgroup.hierarchy.descriptors
    if descriptors is None:
        raise BadDescriptor(efd)
    try:
        eventfd = _eventfd(descriptors, writer, efd)
        try:
            register = _register(cgroup, _file(cgroup, descriptors, writer, cfd))
            watch = register(cgroup.container, (found[3] or b""), eventfd.signal)
        except BaseException:
            eventfd.close()
            raise
    except PermissionError as refusal:
        cgroup.hierarchy.machine.printk(f"cgroup.event_control: {refusal.strerror}")
        raise NoRightToDescriptor(text) from None
    watch.when_ended(eventfd.close)
    eventfd.when_closed(watch.close)


def _eventfd(descriptors: Descriptors, writer: Caller, fd: int) -> EventFd:
    try:
        eventfd = descriptors.eventfd(writer.pid, fd)
    except PermissionError:
        raise
    except OSError:
        raise BadDescriptor(fd) from None
    if eventfd is None:
        raise BadEvent(fd)
    return eventfd


def _file(cgroup: Cgroup, descriptors: Descriptors, writer: Caller, fd: int) -> File:
    """A file of this very directory, which the writer may read."""
    try:
        ino = descriptors.ino(writer.pid, fd)
    except PermissionError:
        raise
    except OSError:
        raise BadDescriptor(fd) from None
    node = cgroup.hierarchy.node(ino) if ino is not None else None
    if node is not None and not _may_read(node.mode, node.uid, node.gid, writer):
        raise NotYourFile(node.name)
    if not isinstance(node, File) or not node.alive or node.subject is not cgroup:
        raise BadEvent(fd)
    return node


def _may_read(mode: int, uid: int, gid: int, caller: Caller) -> bool:
    """generic_permission, of whom only the first group is known."""
    if caller.uid == 0:
        return True
    shift = 6 if caller.uid == uid else 3 if caller.gid == gid else 0
    return bool(stat.S_IMODE(mode) >> shift & READ_BIT)


def _register(cgroup: Cgroup, file: File) -> Callable[[Container, bytes, Signal], Watch]:
    register = EVENTS.get(file.name)
    if register is None:
        raise BadEvent(file.name)
    return register


def _watch_usage(container: Container, arguments: bytes, signal: Signal) -> Watch:
    pages = page_counter_memparse(arguments)
    if pages is None:
        raise BadEvent(arguments)
    return container.watch_usage(pages, signal)


def _watch_memsw_usage(container: Container, arguments: bytes, signal: Signal) -> Watch:
    pages = page_counter_memparse(arguments)
    if pages is None:
        raise BadEvent(arguments)
    return container.watch_usage(pages, signal, memsw=True)


def _watch_oom(container: Container, arguments: bytes, signal: Signal) -> Watch:
    return container.watch_oom(signal)


def _watch_pressure(container: Container, arguments: bytes, signal: Signal) -> Watch:
    """vmpressure_register_event: what is longer than the longest that means something is cut off first."""
    level, *modes = arguments[:MAX_VMPRESSURE_ARGS_LEN].decode("latin-1").split(",")
    return container.watch_pressure(level, modes[0] if modes else "default", signal)


EVENTS: Final = {
    b"memory.usage_in_bytes": _watch_usage,
    b"memory.memsw.usage_in_bytes": _watch_memsw_usage,
    b"memory.oom_control": _watch_oom,
    b"memory.pressure_level": _watch_pressure,
}
