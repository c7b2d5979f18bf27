"""`.machine/trace`: what happened to the machine's pages, in the files of the kernel's tracefs (kernel/trace/trace.c, trace_events.c).

Contract
- A line is a record: `            task-101   [000] .....     0.123456: EVENT: FIELD=VALUE ...`.  Who was nobody is `<idle>-0`, and
  whose name is known no more is `<...>`.
- A container is its path, with blanks and what cannot be printed as `\\040`; one that was removed is `(removed 5)`, by its number,
  also where another has got that number since.  A file is its path below `.machine/files` in the same way; one that has lost
  its name while it is mapped is followed by `\\040(deleted)`, and files in memory are `(shared memory)`, since they have none.
- `trace` shows the ring and consumes nothing; truncating it, or writing to it, clears the ring.  `trace_pipe` consumes what it shows.
- What is no event, and what is neither 0 nor 1, is EINVAL.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ..cgroup import Hierarchy
from ..kernfs import READABLE, Caller, ControlFile, Directory, Kernfs, PipeFile, WouldBlock
from ..mm import TRACE_EVENTS, TRACE_RECORD_BYTES, TRACE_WORDS, Machine, TraceEvent, TraceRecord
from ..mm.params import DAEMON_PDFLUSH
from .errors import BadCommand, NoMemoryForTrace
from .file_names import FileNames

MODE = 0o755
NS_PER_US = 1_000
US_PER_S = 1_000_000
FIRST_ID = 20
"""The numbers below are those of the tracer's own kinds of entries."""
LARGEST_BUFFER_KB = 1 << 20
PIECE_RECORDS = 256
"""As many records as one read of trace_pipe takes out at most."""
COMMON_FIELDS = """\
\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;
\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;
\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;
\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;
"""
COMMON_BYTES = 8
FIELD_BYTES = 8
COLUMNS = """\
#                                _-----=> irqs-off/BH-disabled
#                               / _----=> need-resched
#                              | / _---=> hardirq/softirq
#                              || / _--=> preempt-depth
#                              ||| / _-=> migrate-disable
#                              |||| /     delay
#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION
#              | |         |   |||||     |         |
"""
_UNPRINTABLE = re.compile(r"[\0-\x20\x7f\\\\\udc80-\udcff]")


class Tracefs:
    """The subject of the files: the machine's tracer, and how its numbers are called here."""

    def __init__(self, hierarchy: Hierarchy, files: FileNames) -> None:
        self.machine: Machine = hierarchy.machine
        self.tracer = hierarchy.machine.tracer
        self._hierarchy = hierarchy
        self._files = files

    def lines(self) -> Iterator[tuple[TraceRecord, str]]:
        """The records and their lines, the oldest first."""
        for record in self.tracer.records():
            yield record, self._line(record)

    def _line(self, record: TraceRecord) -> str:
        fields = " ".join(
            f"{field.name}={self._word(field.kind, value, record)}"
            for field, value in zip(record.event.fields, record.values, strict=True)
        )
        seconds, micros = divmod(record.ns // NS_PER_US, US_PER_S)
        return f"{self._who(record.pid)} [000] ..... {seconds:5d}.{micros:06d}: {record.event.name}: {fields}".rstrip() + "\n"

    def _who(self, pid: int) -> str:
        if pid > 0:
            task = self.machine.tasks.get(pid)
            return f"{task.comm if task is not None else '<...>':>16.16}-{pid:<7d}"
        daemon = -1 - pid
        comm = "<idle>" if pid == 0 else f"kswapd{daemon}" if daemon < DAEMON_PDFLUSH else "pdflush"
        return f"{comm:>16}-{0:<7d}"

    def _word(self, kind: str, value: int, record: TraceRecord) -> str:
        words = TRACE_WORDS.get(kind)
        if value < 0 and kind != "number":
            return "(machine)" if kind == "target" else "(none)"
        if words is not None:
            return words[value]
        if kind == "file":
            return self._file(value, record)
        if kind in ("number", "priority"):
            return str(value)
        container = self.machine.containers.get(value)
        if container is None or container.first_record > record.number:
            return f"(removed {value})"
        return escaped(self._hierarchy.path_of(container))

    def _file(self, number: int, record: TraceRecord) -> str:
        file = self.machine.files.get(number)
        if file is None or file.first_record > record.number:
            return f"(removed {number})"
        node = self._files.node_of(file)
        if node is None:
            return f"(unnamed {number})" if file.is_on_disk else "(shared memory)"
        return escaped(self._files.path_of(file, node))


def escaped(path: bytes) -> str:
    """Without blanks, as in /proc/mounts."""
    text = path.decode("utf-8", "surrogateescape")
    return _UNPRINTABLE.sub(lambda found: "".join(f"\\{byte:03o}" for byte in found[0].encode("utf-8", "surrogateescape")), text)


# The ring.


def show_trace(trace: Tracefs) -> str:
    tracer = trace.tracer
    head = (
        "# tracer: nop\n#\n"
        f"# entries-in-buffer/entries-written: {tracer.nr_records}/{tracer.nr_records + tracer.overrun}   #P:1\n#\n{COLUMNS}"
    )
    return head + "".join(line for _, line in trace.lines())


def clear_trace(trace: Tracefs) -> None:
    trace.tracer.clear()


def write_trace(trace: Tracefs, text: bytes, writer: Caller) -> None:
    trace.tracer.clear()


class TracePipe:
    """An open trace_pipe.  Readers share the ring: what one has read, no other will.

    As in the kernel: where tracing is off, whoever has read something is at the end of the file.
    """

    def __init__(self, trace: Tracefs) -> None:
        self._trace = trace
        self._left = b""
        self._has_read = False

    def read(self, nbytes: int) -> bytes:
        if not self._left:
            self._left = self._take(nbytes)
        piece, self._left = self._left[:nbytes], self._left[nbytes:]
        return piece

    def poll(self) -> int:
        """tracing_poll_pipe."""
        return READABLE if self._left or self._trace.tracer.nr_records else 0

    def _take(self, nbytes: int) -> bytes:
        """Whole lines of at least so many bytes, if there are."""
        pieces: list[bytes] = []
        size = 0
        end = 0
        for place, (record, line) in enumerate(self._trace.lines()):
            if size >= nbytes or place == PIECE_RECORDS:
                break
            pieces.append(line.encode("utf-8", "surrogateescape"))
            size += len(pieces[-1])
            end = record.number + 1
        if pieces:
            self._trace.tracer.consume_until(end)
            self._has_read = True
        elif self._trace.tracer.is_on or not self._has_read:
            raise WouldBlock("trace_pipe")
        return b"".join(pieces)


def show_buffer_size(trace: Tracefs) -> str:
    """Rounded up, so that what was written is read."""
    return f"{-(-trace.tracer.capacity * TRACE_RECORD_BYTES // 1024)}\n"


def set_buffer_size(trace: Tracefs, text: bytes, writer: Caller) -> None:
    kb = _number(text)
    nr_records = kb * 1024 // TRACE_RECORD_BYTES
    if nr_records == 0:
        raise BadCommand(text)
    if kb > LARGEST_BUFFER_KB:
        raise NoMemoryForTrace(text)
    trace.tracer.resize(nr_records)


# What is recorded.


def show_tracing_on(trace: Tracefs) -> str:
    return f"{trace.tracer.is_on:d}\n"


def set_tracing_on(trace: Tracefs, text: bytes, writer: Caller) -> None:
    """Any number but 0 is on."""
    trace.tracer.switch(_number(text) != 0)


def show_available_events(trace: Tracefs) -> str:
    return "".join(f"{event.system}:{event.name}\n" for event in TRACE_EVENTS)


def show_set_event(trace: Tracefs) -> str:
    return "".join(f"{event.system}:{event.name}\n" for event in TRACE_EVENTS if trace.tracer.is_enabled(event))


def no_events(trace: Tracefs) -> None:
    _enable(trace, TRACE_EVENTS, False)


def set_event(trace: Tracefs, text: bytes, writer: Caller) -> None:
    """Words, each adding events, or taking them away where it begins with `!`; a word that names none refuses all from there on."""
    for word in text.decode("latin-1").split():
        found = _matching(word.removeprefix("!"))
        if not found:
            raise BadCommand(text)
        _enable(trace, found, not word.startswith("!"))


def _matching(pattern: str) -> list[TraceEvent]:
    """SYSTEM:EVENT, SYSTEM:*, SYSTEM: or *:EVENT; and one of either alone."""
    system, colon, name = pattern.partition(":")
    if not colon:
        return [event for event in TRACE_EVENTS if pattern in ("*", event.system, event.name)]
    return [event for event in TRACE_EVENTS if system in ("", "*", event.system) and name in ("", "*", event.name)]


def _enable(trace: Tracefs, events: Sequence[TraceEvent], on: bool) -> None:
    for event in events:
        trace.tracer.enable(event, on)


def _number(text: bytes) -> int:
    """kstrtoul_from_user: decimal, and one newline."""
    found = re.fullmatch(rb"\+?([0-9]{1,20})\n?", text)
    if found is None:
        raise BadCommand(text)
    return int(found[1])


Enabling = tuple[Tracefs, Sequence[TraceEvent]]
"""The subject of an `enable` file: the events that it stands for."""


def show_enable(subject: Enabling) -> str:
    """X: some are, some are not."""
    trace, events = subject
    found = {trace.tracer.is_enabled(event) for event in events}
    return "X\n" if len(found) == 2 else f"{found.pop():d}\n"


def set_enable(subject: Enabling, text: bytes, writer: Caller) -> None:
    trace, events = subject
    on = _number(text)
    if on not in (0, 1):
        raise BadCommand(text)
    _enable(trace, events, on == 1)


def show_id(event: TraceEvent) -> str:
    return f"{FIRST_ID + event.number}\n"


def show_format(event: TraceEvent) -> str:
    """As the kernel's; what is printed as a word is a number in the record."""
    fields = "".join(
        f"\tfield:long long {field.name};\toffset:{COMMON_BYTES + place * FIELD_BYTES};\tsize:{FIELD_BYTES};\tsigned:1;\n"
        for place, field in enumerate(event.fields)
    )
    printed = " ".join(f"{field.name}=%{'lld' if field.kind == 'number' else 's'}" for field in event.fields)
    values = ", ".join(_printed(field.kind, field.name) for field in event.fields)
    return (
        f"name: {event.name}\nID: {FIRST_ID + event.number}\nformat:\n{COMMON_FIELDS}\n{fields}\nprint fmt: \"{printed}\", {values}\n"
    )


def _printed(kind: str, name: str) -> str:
    words = TRACE_WORDS.get(kind)
    if words is None:
        return f"REC->{name}"
    symbols = ", ".join(f'{{ {number}, "{word}" }}' for number, word in enumerate(words))
    return f"__print_symbolic(REC->{name}, {symbols})"


TRACE_FILES: tuple[ControlFile[Tracefs] | PipeFile[Tracefs], ...] = (
    ControlFile("trace", show_trace, write_trace, snapshot=True, cut=clear_trace),
    PipeFile("trace_pipe", TracePipe),
    ControlFile("tracing_on", show_tracing_on, set_tracing_on),
    ControlFile("available_events", show_available_events),
    ControlFile("set_event", show_set_event, set_event, cut=no_events),
    ControlFile("buffer_size_kb", show_buffer_size, set_buffer_size),
)
ENABLE: ControlFile[Enabling] = ControlFile("enable", show_enable, set_enable)
EVENT_FILES: tuple[ControlFile[TraceEvent], ...] = (ControlFile("format", show_format), ControlFile("id", show_id))


def add_trace_directory(fs: Kernfs, hierarchy: Hierarchy, files: FileNames, machine_directory: Directory, owner: Caller) -> None:
    trace = Tracefs(hierarchy, files)

    def add_directory(parent: Directory, name: str, events: Sequence[TraceEvent]) -> Directory:
        directory = fs.add_directory(parent, name.encode(), mode=MODE, owner=owner)
        fs.add_files(directory, (ENABLE,), owner, (trace, events))
        return directory

    top = fs.add_directory(machine_directory, b"trace", mode=MODE, owner=owner)
    fs.add_files(top, TRACE_FILES, owner, trace)
    events = add_directory(top, "events", TRACE_EVENTS)
    for name in dict.fromkeys(event.system for event in TRACE_EVENTS):
        of_system = [event for event in TRACE_EVENTS if event.system == name]
        system = add_directory(events, name, of_system)
        for event in of_system:
            fs.add_files(add_directory(system, event.name, (event,)), EVENT_FILES, owner, event)
