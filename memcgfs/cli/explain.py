"""`memcgfs explain DIR TASK PAGE`: tells the life of one page in words, from what `.machine/trace/trace` has recorded.

A page of a task is now in a frame, now in a swap slot; the records tell of frames and slots.  `Life` follows it from one to the
other: a fault or a fork says which frame it has, reclaim which slot, a read from swap which frame again.  What happened to a
frame before it became the page's (it was allocated, somebody paid) belongs to the story, so a frame's records are kept until it
is freed.

Exit status: 0 told, also that nothing was recorded of the page; 1 nothing is traced.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Final

from .. import units
from . import Refusal, path_of
from .explain_words import words

TRACE: Final = ".machine/trace"
LINE: Final = re.compile(r" *(.+)-(\d+) +\[\d+\] \S+ +(\d+)\.(\d{6}): (\w+): ?(.*)")
FIELD: Final = re.compile(r"(\w+)=(\([^)]*\)|\S+)")
COUNTS: Final = re.compile(r"# entries-in-buffer/entries-written: (\d+)/(\d+)")
AFTER_THE_END: Final = ("unmap", "uncharge", "delete_from_swap_cache", "mm_filemap_delete_from_page_cache", "mm_page_free")
"""What is still told of a frame that the page table names no more."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("dir", metavar="DIR", help="where a tree is mounted, or a directory in it")
    parser.add_argument("task", metavar="TASK", help="the pid of a simulated task, also of one that has ended")
    parser.add_argument("page", metavar="PAGE", help="the number of a page of its memory, decimal or 0x")
    parser.add_argument("--since", metavar="NS", default="0", help="leave out what happened before this time of .machine/clock")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.epilog = "Before: echo 1 > DIR/.machine/trace/events/enable"


def run(arguments: argparse.Namespace) -> int:
    pid, page, since_ns = (_number(arguments, name) for name in ("task", "page", "since"))
    try:
        trace = find_top(path_of(arguments.dir)) / TRACE
        text = (trace / "trace").read_text(errors="surrogateescape")
        records = list(parse(text))
        if not records:
            refuse_what_is_off(trace)
    except OSError as error:
        raise Refusal(f"{arguments.dir}: {error.strerror}") from None
    story = [told for told in Life(pid, page).tell(records) if told.record.us >= since_ns // 1000]
    if arguments.json:
        print_json(pid, page, story)
    else:
        print_story(pid, page, story, lost=lost_records(text))
    return 0


def _number(arguments: argparse.Namespace, name: str) -> int:
    value = units.number(getattr(arguments, name))
    if value is None:
        raise Refusal(f"{getattr(arguments, name)}: {name.upper()} is a number")
    return value


def find_top(directory: Path) -> Path:
    """The top of the tree that the directory is in."""
    for above in (directory, *directory.parents):
        if (above / TRACE).is_dir():
            return above
    raise Refusal(f"{directory}: not in a tree of memcgfs")


def refuse_what_is_off(trace: Path) -> None:
    """Nothing was recorded: is it because nothing is to be?"""
    for off, switch in ((not (trace / "set_event").read_text(), "events/enable"),
                        ((trace / "tracing_on").read_text() == "0\n", "tracing_on")):  # fmt: skip
        if off:
            raise Refusal(f"nothing is traced: echo 1 > {trace}/{switch}")


# The records.


@dataclass(frozen=True, slots=True)
class TraceLine:
    """`number`: its place in the trace. `who`: as people would say it."""

    number: int
    us: int
    who: str
    event: str
    fields: dict[str, str]

    def __getitem__(self, name: str) -> str:
        return self.fields[name]

    def get(self, name: str) -> int:
        """A field that is a number; 0 where the record has none of that name."""
        return int(self.fields.get(name, 0))


def parse(text: str) -> Iterator[TraceLine]:
    for number, line in enumerate(text.splitlines()):
        found = LINE.fullmatch(line)
        if found is not None:
            comm, pid, seconds, micros, event, fields = found.groups()
            who = f"task {pid}" if int(pid) else comm.replace("<idle>", "nobody")
            yield TraceLine(number, int(seconds) * 1_000_000 + int(micros), who, event, dict(FIELD.findall(fields)))


def lost_records(text: str) -> int:
    found = COUNTS.search(text)
    return int(found[2]) - int(found[1]) if found is not None else 0


# The life.


@dataclass(frozen=True, slots=True)
class Told:
    record: TraceLine
    text: str


class Life:
    """Follows one page. `frame`, `slot`: where it is, 0 for nowhere. `left`: the frame that it has just lost."""

    def __init__(self, pid: int, page: int) -> None:
        self.pid = pid
        self.page = page
        self.frame = 0
        self.slot = 0
        self.left = 0
        self.histories: dict[int, list[TraceLine]] = {}
        self.story: dict[int, Told] = {}

    def tell(self, records: Iterable[TraceLine]) -> list[Told]:
        for record in records:
            self.follow(record)
        return [self.story[number] for number in sorted(self.story)]

    def follow(self, record: TraceLine) -> None:
        pfn = record.get("pfn")
        if record.event == "mm_page_alloc":
            self.histories[pfn] = []
        if pfn:
            self.histories.setdefault(pfn, []).append(record)
        if record.event in MAPPINGS and (record.get("pid"), record.get("page")) == (self.pid, self.page):
            self.say(record)
            MAPPINGS[record.event](self, record)
        elif record.event == "swap_in" and not self.frame and record.get("slot") == self.slot != 0:
            self.arrive(pfn)
        elif pfn and pfn in (self.frame, self.left):
            self.happen(record)
        elif record.event in ("task_exit", "mark_victim") and record.get("pid") == self.pid and (self.frame or self.slot):
            self.say(record)
        if record.event == "mm_page_free":
            self.histories.pop(pfn, None)

    def happen(self, record: TraceLine) -> None:
        """Something to the frame."""
        if record.get("pfn") == self.left and record.event not in AFTER_THE_END:
            self.left = 0
            return
        self.say(record)
        if record.event == "mm_page_free":
            self.frame = self.left = 0

    def arrive(self, pfn: int) -> None:
        """The page is in this frame, whose past is its own."""
        if pfn != self.frame:
            for record in self.histories.get(pfn, ()):
                self.say(record)
        self.frame = pfn
        self.left = 0

    def fault(self, record: TraceLine) -> None:
        self.arrive(record.get("pfn"))
        self.slot = 0

    def copied(self, record: TraceLine) -> None:
        self.slot = record.get("slot")
        self.arrive(record.get("pfn"))

    def unmapped(self, record: TraceLine) -> None:
        if record["reason"] == "reclaim":
            self.slot = record.get("slot")
        else:
            self.left = self.frame
            self.frame = self.slot = 0

    def say(self, record: TraceLine) -> None:
        """In words, once."""
        text = words(record, self.pid, self.page)
        if text:
            self.story[record.number] = Told(record, text)


MAPPINGS: Final[dict[str, Callable[[Life, TraceLine], None]]] = {
    "page_fault_user": Life.fault,
    "copy_pte": Life.copied,
    "unmap": Life.unmapped,
}


# Printing.


def print_story(pid: int, page: int, story: list[Told], lost: int) -> None:
    if lost:
        print(f"{lost} older records were overwritten: the story may begin in the middle")
    if not story:
        print(f"nothing was recorded of page {page} of task {pid}")
    for (us, who, text), same in groupby(story, key=lambda told: (told.record.us, told.record.who, told.text)):
        seconds, micros = divmod(us, 1_000_000)
        times = len(list(same))
        print(f"{seconds:5d}.{micros:06d}  {who:<11} {text}{f' ({times} times)' if times > 1 else ''}")


def print_json(pid: int, page: int, story: list[Told]) -> None:
    import json

    lines = [
        {"us": told.record.us, "who": told.record.who, "event": told.record.event, "text": told.text, "fields": told.record.fields}
        for told in story
    ]
    print(json.dumps({"task": pid, "page": page, "story": lines}, indent=2))
