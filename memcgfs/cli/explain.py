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
from pathlib import Path
from typing import Final

from .. import units
from . import Refusal, path_of

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
        if record["why"] == "reclaim":
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


# The words.

USES: Final = {"mapped": "as mapped memory", "cache": "as cache", "unused": "unused", "forced": "memory.force_empty"}
FAULTS: Final = {
    "zero": "read for the first time: the zero page is mapped, and charged to nobody",
    "anon": "written for the first time: frame {pfn} is mapped",
    "swap": "{cost} fault: {access} while in swap slot {slot}; frame {pfn} is mapped",
    "cow": "written while shared: copied to frame {pfn}, which is mapped instead",
    "reuse": "written: nobody shares frame {pfn} any more, which is writable from now on",
    "file": "{cost} fault on a file's page: {access}; frame {pfn} is mapped",
    "shared": "written, of a shared mapping: frame {pfn} is writable from now on, and dirty",
}
UNMAPS: Final = {
    "zap": "unmapped: its task gave it up",
    "cow": "unmapped from frame {pfn}, which others keep: a copy takes its place",
    "reclaim": "unmapped by reclaim: the page table names swap slot {slot} now",
    "truncate": "unmapped: its file was cut before it",
}
ANSWERS: Final = {
    "keep:locked": "kept: somebody holds its lock",
    "keep:writeback": "kept: it is being written",
    "activate:referenced": "activated: it was referenced, and is in use",
    "activate:no_swap": "activated: there is no swap slot, or no room to charge it",
    "activate:unmap_failed": "activated: a mapping would not let go (young, or locked in memory)",
    "keep:dirty_referenced": "kept: dirty, and referenced",
    "keep:may_not_write": "kept: dirty, and not to be written yet",
    "keep:in_use": "kept: somebody else uses it",
    "keep:may_not_enter": "kept: dirty, and whoever wants memory may not enter the filesystem",
    "keep:congested": "kept: its disk has enough to do",
    "activate:no_slot": "activated: no swap slot was found for this page of shared memory",
    "keep:writing": "kept: its write has begun",
    "keep:dirty_again": "kept: dirty again",
    "keep:not_removed": "kept: it could not be taken from the swap cache",
    "free:clean": "taken: clean, and used by nobody",
    "stay:mapped": "stays active: mapped pages are spared as long as there is little distress",
    "stay:no_swap": "stays active: there is no swap",
    "stay:referenced": "stays active: it was referenced",
    "deactivate:unmapped": "to be deactivated: it is not mapped",
    "deactivate:cold": "to be deactivated: it was not referenced",
}
EVENTS: Final = {
    "mm_page_alloc": "frame {pfn} is allocated, zone {zone}",
    "mm_page_free": "frame {pfn} is free",
    "charge_failed": "{container} refuses to pay, at a usage of {usage}",
    "move_lists": "to the head of {container}'s {list} list",
    "mm_lru_insertion": "on the {list} list of zone {zone}",
    "mm_lru_activate": "activated: used again",
    "mm_lru_deactivate": "deactivated: to the inactive list of zone {zone}, at priority {priority}",
    "mm_lru_putback": "put back on the {list} list of zone {zone}",
    "mm_lru_rotate": "to the tail of the inactive list, to be taken next: its write is done",
    "mm_vmscan_referenced": "references found: {referenced}",
    "mm_vmscan_writepage": "reclaim writes it out",
    "add_to_swap_cache": "in the swap cache, at slot {slot}",
    "delete_from_swap_cache": "out of the swap cache, slot {slot}",
    "swap_out": "swapped out to slot {slot}",
    "writepage": "written to the disk: page {index} of file {file}",
    "end_page_writeback": "its write is done",
    "mm_filemap_add_to_page_cache": "in the page cache: page {index} of file {file}",
    "mm_filemap_delete_from_page_cache": "out of the page cache: page {index} of file {file}",
    "task_exit": "its task ends",
    "mark_victim": "its task is chosen by the OOM killer",
}


def words(record: TraceLine, pid: int, page: int) -> str:
    """What the record says of the page; nothing where that is no news."""
    event = record.event
    fields = record.fields
    if event == "charge":
        more = "" if record["refs"] == "1" else ", a second time"
        return f"charged to {record['container']}{more}, {USES[record['for']]}: usage {record['usage']}"
    if event == "uncharge":
        if record["refs"] != "0":
            return f"one charge less ({USES[record['for']]}): {record['container']} still pays"
        return f"uncharged: {record['container']} pays no more ({USES[record['for']]}), usage {record['usage']}"
    if event == "swap_in":
        if record["slot"] == record["wanted"]:
            return f"read from swap slot {record['slot']} into frame {record['pfn']}"
        return f"read ahead from swap slot {record['slot']}, near slot {record['wanted']}, into frame {record['pfn']}"
    if event == "mm_vmscan_page":
        target = "the machine" if record["target"] == "(machine)" else record["target"]
        seen = f"reclaim for {target}, priority {record['priority']}, finds it on the {record['list']} list"
        return f"{seen}: {ANSWERS[record['answer']]}"
    if event in ("page_fault_user", "unmap", "copy_pte"):
        return mapping_words(record, (record.get("pid"), record.get("page")) == (pid, page))
    template = EVENTS.get(event)
    return template.format_map(fields) if template is not None else ""


def mapping_words(record: TraceLine, is_own: bool) -> str:
    if record.event == "copy_pte":
        where = f"frame {record['pfn']}" if record.get("pfn") else f"swap slot {record['slot']}"
        return f"inherited at fork: shares {where}" if is_own else f"task {record['pid']} shares it from now on: fork"
    table = FAULTS[record["what"]] if record.event == "page_fault_user" else UNMAPS[record["why"]]
    text = table.format_map(record.fields)
    if record.fields.get("why") == "reclaim" and not record.get("slot"):
        text = "unmapped by reclaim: the page table names nothing now"
    if record.fields.get("why") == "cow" and not record.get("pfn"):
        text = "unmapped from the zero page: a page of its own takes its place"
    return text if is_own else f"page {record['page']} of task {record['pid']}: {text}"


# Printing.


def print_story(pid: int, page: int, story: list[Told], lost: int) -> None:
    if lost:
        print(f"{lost} older records were overwritten: the story may begin in the middle")
    if not story:
        print(f"nothing was recorded of page {page} of task {pid}")
    for told in story:
        seconds, micros = divmod(told.record.us, 1_000_000)
        print(f"{seconds:5d}.{micros:06d}  {told.record.who:<11} {told.text}")


def print_json(pid: int, page: int, story: list[Told]) -> None:
    import json

    lines = [
        {"us": told.record.us, "who": told.record.who, "event": told.record.event, "text": told.text, "fields": told.record.fields}
        for told in story
    ]
    print(json.dumps({"task": pid, "page": page, "story": lines}, indent=2))
