"""The options of a mount, which are those of a `Tree` too: one table, and how they are written.

Contract: whatever is not in the tables, has a value that makes no sense, or one that is not built yet, is refused with
an `OptionError` of one line that starts with the option's name.  The last of several wins.  What a value can be beyond
its spelling (how much memory a machine may have) is the machine's to say.  A dialect and a machine bring defaults for other
options, which win wherever they stand.

A comma separates options, but for those inside a disk's three parts (disk=5ms,100M,128) and in double quotes.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from . import units

PATH_MAX = 4096

_COUNT = re.compile(r"[1-9][0-9]{0,8}")
_COMMA = re.compile(r',(?=(?:[^"]*"[^"]*")*[^"]*$)')
"""One with an even number of quotes behind it, which is to say outside of quotes."""
_DISK_PART = re.compile(r"[0-9]+[a-zA-Z]*")
_PLAIN_NUMBER = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")


class OptionError(ValueError):
    """One line, which starts with the option's name."""


class Disk(NamedTuple):
    latency_ns: int
    bytes_per_s: int
    depth: int


USUAL_DISK = Disk(latency_ns=5_000_000, bytes_per_s=100 << 20, depth=128)


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for; what was not is None or the default."""

    dialect: str = "2007"
    rules: str = "2007"
    model: str = "containers2007"
    strict: bool = False
    names: str = "memory"
    ram_bytes: int = 512 << 20
    swap_bytes: int = 512 << 20
    files_bytes: int = 1 << 30
    nodes: int = 1
    arch: str = "x86_64"
    disk: Disk = USUAL_DISK
    fault_ns: int = 0
    timescale: float = 0.0
    machinedir: str = "hidden"
    host_tasks: bool = True
    host_kill: bool = False
    release_agent: str = ""
    machine: str = ""
    page_cluster: int | None = None
    readahead_pages: int = 32
    tlb_entries: tuple[int, int] = (0, 0)
    kmem: bool = True
    batch: int = 1
    private: bool = False
    allow_other: bool = False
    rw: bool | None = None
    dev: bool | None = None
    suid: bool | None = None
    exec: bool | None = None
    atime: bool | None = None

    @property
    def generic(self) -> tuple[str, ...]:
        """What is not ours but the kernel's, as mount(8) writes it.

        Permissions are always the kernel's to check.  A mount of root's is for everybody, unless it is private.
        """
        words = ["default_permissions"]
        if not self.private and (self.allow_other or os.geteuid() == 0):
            words.append("allow_other")
        for word, (field, value) in GENERIC_FLAGS.items():
            if getattr(self, field) is value:
                words.append(word)
        return tuple(words)


# How values are written.  A parser raises `_Refused` with the rest of the line.


class _Refused(Exception):
    pass


def _size(text: str) -> int:
    nbytes = units.size_bytes(text)
    return nbytes if nbytes is not None else _refuse("not a size: a whole number, with K, M, G or T behind it or none")


def _ram(text: str) -> int:
    return _size(text) or _refuse("a machine needs memory")


def _time(text: str) -> int:
    ns = units.time_ns(text)
    return ns if ns is not None else _refuse("not a time: a whole number with ns, us, ms or s behind it")


def _disk(text: str) -> Disk:
    parts = text.split(",")
    if len(parts) != 3 or _COUNT.fullmatch(parts[2]) is None:
        raise _Refused("not a disk: latency, bandwidth, queue depth, as in 5ms,100M,128")
    return Disk(_time(parts[0]), _size(parts[1]), int(parts[2]))


def _timescale(text: str) -> float:
    return float(text) if _PLAIN_NUMBER.fullmatch(text) else _refuse("not a number")


def _release_agent(text: str) -> str:
    if text and not text.startswith("/"):
        raise _Refused("not an absolute path")
    return text if len(os.fsencode(text)) < PATH_MAX else _refuse("too long for a path")


def _one_of(*choices: str, later: Iterable[str] = ()) -> Callable[[str], str]:
    """One of `choices`, which are built; those of `later` are known, and are not."""

    def parse(text: str) -> str:
        if text in later:
            raise _Refused("not built yet")
        return text if text in choices else _refuse(f"not one of {', '.join(choices)}")

    return parse


def _nodes(text: str) -> int:
    if _COUNT.fullmatch(text) is None:
        raise _Refused("not a number of nodes")
    return int(text)


def _batch(text: str) -> int:
    if _COUNT.fullmatch(text) is None:
        raise _Refused("not a number of pages")
    return int(text)


def _on_off() -> Callable[[str], bool]:
    word = _one_of("on", "off")
    return lambda text: word(text) == "on"


def _refuse(reason: str) -> Any:
    raise _Refused(reason)


DIALECT_DEFAULTS: dict[str, dict[str, object]] = {
    "2007": {"rules": "2007", "model": "containers2007"},
    "2008": {"rules": "2008", "model": "cgroups2008"},
    "v1": {"rules": "v1", "model": "classic"},
}
NAMES_OF_DIALECT = {"2007": ("memory", "mem_container", "noprefix"), "2008": ("memory", "noprefix"), "v1": ("memory",)}
MACHINES: dict[str, dict[str, object]] = {
    # The emulated PC on which 2.6.25 was recorded: one cpu, swap and files on ram disks, whose requests are done at once.
    "2.6.25-pc": {
        "ram_bytes": 512 << 20,
        "swap_bytes": (16382 + 1) * 4096,  # and the header
        "arch": "x86_64",
        "nodes": 1,
        "disk": Disk(latency_ns=0, bytes_per_s=0, depth=128),
        "page_cluster": 0,
    },
    # The virtual machine on which 6.18 was recorded. What a read from its disk and a minor fault cost, and how many translations its
    # processor holds, was found by holding traces against the recordings; so was when statistics are flushed (mm/models/lruvec.py).
    "6.18-vm": {
        "ram_bytes": 8 << 30,
        "swap_bytes": 2 << 30,
        "arch": "x86_64",
        "nodes": 1,
        "disk": Disk(latency_ns=60_000, bytes_per_s=0, depth=1024),
        "fault_ns": 2_000,
        "page_cluster": 0,
        "batch": 64,
        "readahead_pages": 2048,
        "tlb_entries": (256, 64),
    },
}

VALUES: dict[str, tuple[str, Callable[[str], object]]] = {
    "dialect": ("dialect", _one_of("2007", "2008", "v1", later=("v2",))),
    "rules": ("rules", _one_of("2007", "2008", "v1", later=("v2",))),
    "model": ("model", str),
    "machine": ("machine", _one_of(*MACHINES)),
    "ram": ("ram_bytes", _ram),
    "swap": ("swap_bytes", _size),
    "files": ("files_bytes", _size),
    "nodes": ("nodes", _nodes),
    "arch": ("arch", _one_of("x86_64", "i386")),
    "disk": ("disk", _disk),
    "fault": ("fault_ns", _time),
    "timescale": ("timescale", _timescale),
    "machinedir": ("machinedir", _one_of("hidden", "visible")),
    "host_tasks": ("host_tasks", _on_off()),
    "host_kill": ("host_kill", _on_off()),
    "release_agent": ("release_agent", _release_agent),
    "kmem": ("kmem", _on_off()),
    "batch": ("batch", _batch),
}
"""By name: the field, and how its value is written."""

GENERIC_FLAGS: dict[str, tuple[str, bool]] = {
    "rw": ("rw", True),
    "ro": ("rw", False),
    "dev": ("dev", True),
    "nodev": ("dev", False),
    "suid": ("suid", True),
    "nosuid": ("suid", False),
    "exec": ("exec", True),
    "noexec": ("exec", False),
    "atime": ("atime", True),
    "noatime": ("atime", False),
}

FLAGS: dict[str, tuple[str, object]] = {
    "strict": ("strict", True),
    "memory": ("names", "memory"),
    "mem_container": ("names", "mem_container"),
    "noprefix": ("names", "noprefix"),
    "private": ("private", True),
    "allow_other": ("allow_other", True),
    "default_permissions": ("default_permissions", True),
    **GENERIC_FLAGS,
}
"""By name: the field, and what it is set to."""

Word = tuple[str, str | None]
"""An option as it was written: its name, and its value if it came with one."""


def parse_options(text: str) -> Options:
    """Options as they stand behind -o.

    >>> parse_options("ram=64M,swap=0,disk=1ms,10M,4,strict").disk
    Disk(latency_ns=1000000, bytes_per_s=10485760, depth=4)
    >>> parse_options("ram=16E")
    Traceback (most recent call last):
    memcgfs.options.OptionError: ram=16E: not a size: a whole number, with K, M, G or T behind it or none
    """
    return _options(_words(text))


def keyword_options(**keywords: object) -> Options:
    """Options as keyword arguments: a flag is True, or False to leave it out; `on` and `off` may be written so too."""
    return _options(
        (name, None) if value is True and name in FLAGS else (name, _written(value))
        for name, value in keywords.items()
        if not (value is False and name in FLAGS)
    )


def rules_of_model(model: str) -> str:
    """The rules that came with a model: those of the dialect whose default it is."""
    return next((str(defaults["rules"]) for defaults in DIALECT_DEFAULTS.values() if defaults["model"] == model), "2007")


def _written(value: object) -> str:
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value)


def _options(words: Iterable[Word]) -> Options:
    fields: dict[str, Any] = {}
    for name, value in words:
        field, parsed = _parse(name, value)
        fields[field] = parsed
    # The kernel checks permissions on every mount, asked to or not.
    fields.pop("default_permissions", None)
    dialect = DIALECT_DEFAULTS[fields.setdefault("dialect", "2007")]
    machine = MACHINES.get(fields.get("machine", ""), {})
    options = Options(**{**dialect, **machine, **fields})
    if options.names not in NAMES_OF_DIALECT[options.dialect]:
        raise OptionError(f"{options.names}: names that dialect {options.dialect} does not have")
    if options.private and options.allow_other:
        raise OptionError("private: allow_other is its opposite")
    for name, reason in _without_effect(options, fields):
        raise OptionError(f"{name}: {reason}")
    return options


def _without_effect(options: Options, asked: Container[str]) -> Iterator[tuple[str, str]]:
    """What was asked for, and what it was asked of has not: the option, and why."""
    if options.strict and options.dialect != "2007":
        yield "strict", f"dialect {options.dialect} has nothing to leave out"
    if options.rules != "v1":
        if options.batch > 1 and "batch" in asked:
            yield f"batch={options.batch}", f"rules {options.rules} charge page by page"
        if options.kmem and "kmem" in asked:
            yield "kmem=on", f"rules {options.rules} do not charge the kernel's memory"


def _parse(name: str, value: str | None) -> tuple[str, object]:
    if name in FLAGS:
        if value is not None:
            raise OptionError(f"{name}={value}: takes no value")
        return FLAGS[name]
    if name not in VALUES:
        raise OptionError(f"{name or 'empty'}: no such option")
    if value is None:
        raise OptionError(f"{name}: needs a value")
    field, parse = VALUES[name]
    try:
        return field, parse(value)
    except _Refused as reason:
        raise OptionError(f"{name}={value}: {reason}") from None


def _words(text: str) -> Iterator[Word]:
    pieces = _COMMA.split(text) if text else []
    while pieces:
        name, equals, value = pieces.pop(0).replace('"', "").partition("=")
        if name == "disk":
            while value.count(",") < 2 and pieces and _DISK_PART.fullmatch(pieces[0]):
                value += "," + pieces.pop(0)
        yield name, value if equals else None
