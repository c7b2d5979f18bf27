"""The Python side of tracing (kernel/trace/trace.c, trace_events.c): what events there are, which are enabled, what was recorded.

TRACE_EVENTS has all that is known about an event; its numbers are recorded in the order of its fields. A field is NAME or NAME:KIND;
a kind without words is a number, a container, a file, a list or a priority (-1: none; of a `target`, on whose behalf: the machine).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import trace_ring as ring
from .trace_ring import RECORD_WORDS

if TYPE_CHECKING:
    from .core import Core

TRACE_RECORD_BYTES = 8 * RECORD_WORDS
FIRST_NUMBER = 3
"""Where in a record its own numbers begin."""

# By kind, the word of each number; the order is that of the constants in trace_ring.py.
TRACE_WORDS: dict[str, tuple[str, ...]] = {
    "list": ("inactive", "active"),
    "access": ("read", "write"),
    "cost": ("minor", "major"),
    "charge": ("mapped", "cache", "unused", "forced"),
    "round": ("reclaimed", "under_limit", "retry", "give_up"),
    "fault": ("zero", "anon", "swap", "cow", "reuse", "file", "shared"),
    "unmap": ("zap", "cow", "reclaim", "truncate"),
    "answer": (
        "keep:locked", "keep:writeback", "activate:referenced", "activate:no_swap", "activate:unmap_failed",
        "keep:dirty_referenced", "keep:may_not_enter",
        "keep:may_not_write", "keep:in_use", "keep:congested",
        "activate:no_slot", "keep:writing", "keep:dirty_again",
        "keep:not_removed", "free:clean", "stay:mapped", "stay:no_swap", "stay:referenced",
        "deactivate:unmapped", "deactivate:cold", "activate:accessed", "activate:swapoff",
        "keep:referenced", "keep:unevictable", "activate:writeback", "activate:dirty", "deactivate:advised", "deactivate:lazyfree",
    ),
    "begin": ("limit", "allocation", "watermark"),
    "end": ("enough", "zones_left", "gave_up", "balanced"),
    "met": ("taken", "in_block", "other_zone", "gone", "not_on_lru"),
    "arrival": ("full", "drained", "call"),
    "put_back": ("kept", "activated", "stays"),
    "move": ("activated", "deactivated", "stays", "mended"),
    "rotation": ("written",),
    "enter": ("out", "in", "from_file", "read", "ahead", "write", "hole", "from_swap"),
    "leave": ("reclaim", "invalidate", "truncate", "to_swap", "to_file", "exclusive", "slot_free", "swapoff"),
    "backing": ("swap", "file", "shmem"),
    "writer": ("reclaim", "pdflush", "task"),
    "done": ("flushed", "reclaim"),
    "swap_in": ("wanted", "ahead"),
    "use": ("kernel", "user"),
    "release": ("user", "reclaim"),
    "oom": ("limit", "allocation"),
    "verdict": ("chosen", "dying", "nobody", "unkillable", "panic"),
    "victim": ("chosen", "child", "shares", "faulted"),
    "exit": ("exited", "reaped", "killed"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    kind: str


class TraceEvent:
    """One row. Cost of making it: parsing its fields, once."""

    __slots__ = ("fields", "name", "number", "system")

    def __init__(self, number: int, system: str, name: str, fields: str = "") -> None:
        self.number = number
        self.system = system
        self.name = name
        self.fields = tuple(Field(*(word.split(":") if ":" in word else (word, "number"))) for word in fields.split())

    @property
    def bit(self) -> int:
        return 1 << self.number


PAGE = "pfn container:container"
"""Who pays for it now."""
IN_CACHE = f"{PAGE} priority:priority"
ON_LRU = f"{PAGE} zone list:list priority:priority"
RECLAIM = "target:target order priority:priority"
KSWAPD = "target:target nid order priority:priority"

TRACE_EVENTS = (
    TraceEvent(ring.TRACE_CHARGE, "memcg", "charge", f"{PAGE} list:list priority:priority reason:charge refs usage"),
    TraceEvent(ring.TRACE_CHARGE_ROUND, "memcg", "charge_round", "target:target priority:priority reason:round usage retries"),
    TraceEvent(ring.TRACE_CHARGE_FAILED, "memcg", "charge_failed", f"{PAGE} priority:priority reason:charge usage"),
    TraceEvent(ring.TRACE_UNCHARGE, "memcg", "uncharge", f"{PAGE} list:list priority:priority reason:charge refs usage"),
    TraceEvent(ring.TRACE_MOVE_LISTS, "memcg", "move_lists", f"{PAGE} list:list priority:priority reason:move"),
    TraceEvent(ring.TRACE_DIRECT_RECLAIM_BEGIN, "vmscan", "mm_vmscan_direct_reclaim_begin", f"{RECLAIM} reason:begin"),
    TraceEvent(ring.TRACE_DIRECT_RECLAIM_END, "vmscan", "mm_vmscan_direct_reclaim_end", f"{RECLAIM} reason:end nr_reclaimed"),
    TraceEvent(ring.TRACE_MEMCG_RECLAIM_BEGIN, "vmscan", "mm_vmscan_memcg_reclaim_begin", f"{RECLAIM} reason:begin"),
    TraceEvent(ring.TRACE_MEMCG_RECLAIM_END, "vmscan", "mm_vmscan_memcg_reclaim_end", f"{RECLAIM} reason:end nr_reclaimed"),
    TraceEvent(ring.TRACE_KSWAPD_WAKE, "vmscan", "mm_vmscan_kswapd_wake", f"{KSWAPD} reason:begin"),
    TraceEvent(ring.TRACE_KSWAPD_SLEEP, "vmscan", "mm_vmscan_kswapd_sleep", f"{KSWAPD} reason:end"),
    TraceEvent(
        ring.TRACE_LRU_ISOLATE,
        "vmscan",
        "mm_vmscan_lru_isolate",
        "zone target:target list:list priority:priority order nr_requested nr_scanned nr_taken",
    ),
    TraceEvent(ring.TRACE_REFERENCED, "vmscan", "mm_vmscan_referenced", f"{PAGE} target:target list:list priority:priority referenced"),
    TraceEvent(ring.TRACE_PAGE, "vmscan", "mm_vmscan_page", f"{PAGE} target:target list:list priority:priority reason:answer"),
    TraceEvent(ring.TRACE_WRITEPAGE, "vmscan", "mm_vmscan_writepage", f"{PAGE} list:list priority:priority reason:backing slot"),
    TraceEvent(
        ring.TRACE_LRU_ISOLATE_PAGE, "pagemap", "mm_lru_isolate", f"{PAGE} target:target zone list:list priority:priority reason:met"
    ),
    TraceEvent(ring.TRACE_LRU_INSERTION, "pagemap", "mm_lru_insertion", f"{ON_LRU} reason:arrival"),
    TraceEvent(ring.TRACE_LRU_ACTIVATE, "pagemap", "mm_lru_activate", f"{ON_LRU} reason:answer"),
    TraceEvent(ring.TRACE_LRU_DEACTIVATE, "pagemap", "mm_lru_deactivate", f"{ON_LRU} reason:answer"),
    TraceEvent(ring.TRACE_LRU_PUTBACK, "pagemap", "mm_lru_putback", f"{ON_LRU} reason:put_back"),
    TraceEvent(ring.TRACE_REFAULT, "workingset", "workingset_refault", f"{PAGE} file recent distance"),
    TraceEvent(ring.TRACE_LRU_ROTATE, "pagemap", "mm_lru_rotate", f"{ON_LRU} reason:rotation"),
    TraceEvent(ring.TRACE_ADD_TO_SWAP_CACHE, "swap", "add_to_swap_cache", f"{IN_CACHE} reason:enter slot"),
    TraceEvent(ring.TRACE_DELETE_FROM_SWAP_CACHE, "swap", "delete_from_swap_cache", f"{IN_CACHE} reason:leave slot"),
    TraceEvent(ring.TRACE_SWAP_OUT, "swap", "swap_out", f"{IN_CACHE} reason:writer slot"),
    TraceEvent(ring.TRACE_SWAP_IN, "swap", "swap_in", f"{IN_CACHE} reason:swap_in slot wanted"),
    TraceEvent(ring.TRACE_WRITEBACK_END, "writeback", "end_page_writeback", f"{IN_CACHE} reason:done slot"),
    TraceEvent(ring.TRACE_FILE_WRITEPAGE, "writeback", "writepage", f"{IN_CACHE} reason:writer file:file index"),
    TraceEvent(ring.TRACE_FILEMAP_ADD, "filemap", "mm_filemap_add_to_page_cache", f"{IN_CACHE} reason:enter file:file index"),
    TraceEvent(ring.TRACE_FILEMAP_DELETE, "filemap", "mm_filemap_delete_from_page_cache", f"{IN_CACHE} reason:leave file:file index"),
    TraceEvent(ring.TRACE_PAGE_FAULT, "exceptions", "page_fault_user", f"pid page {PAGE} reason:fault slot access:access cost:cost"),
    TraceEvent(ring.TRACE_COPY_PTE, "mmap", "copy_pte", f"pid page {PAGE} slot"),
    TraceEvent(ring.TRACE_UNMAP, "mmap", "unmap", f"pid page {PAGE} priority:priority reason:unmap slot"),
    TraceEvent(ring.TRACE_MARK_VICTIM, "oom", "mark_victim", "pid container:container reason:victim"),
    TraceEvent(
        ring.TRACE_OOM_KILL,
        "oom",
        "oom_kill",
        "pid container:container target:target order priority:priority reason:oom points verdict:verdict",
    ),
    TraceEvent(ring.TRACE_PAGE_ALLOC, "kmem", "mm_page_alloc", "pfn target:target zone order priority:priority reason:use"),
    TraceEvent(ring.TRACE_PAGE_FREE, "kmem", "mm_page_free", "pfn zone order priority:priority reason:release"),
    TraceEvent(ring.TRACE_NEWTASK, "task", "task_newtask", "pid parent container:container"),
    TraceEvent(ring.TRACE_EXIT, "task", "task_exit", "pid container:container reason:exit"),
)
BY_NUMBER = {event.number: event for event in TRACE_EVENTS}


@dataclass(frozen=True, slots=True)
class TraceRecord:
    """`number` counts from the machine's start. `pid`: who ran; 0 is nobody, -1 - n daemon n."""

    number: int
    ns: int
    event: TraceEvent
    pid: int
    values: tuple[int, ...]

    def __getitem__(self, name: str) -> int:
        """The number of this field."""
        return next(value for field, value in zip(self.event.fields, self.values, strict=True) if field.name == name)


class Tracer:
    """`is_on`: whether what is enabled is recorded (tracing_on)."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.ring = core.trace
        self.is_on = True
        self.wanted = 0

    def is_enabled(self, event: TraceEvent) -> bool:
        return bool(self.wanted & event.bit)

    def enable(self, event: TraceEvent, on: bool) -> None:
        self.wanted = self.wanted | event.bit if on else self.wanted & ~event.bit
        self.tell_engine()

    def switch(self, on: bool) -> None:
        self.is_on = on
        self.tell_engine()

    def tell_engine(self) -> None:
        self.core.set_traced(self.wanted if self.is_on else 0)

    @property
    def next_number(self) -> int:
        """Of the record that will be made next."""
        return int(self.ring.end)

    @property
    def nr_records(self) -> int:
        return int(self.ring.end - self.ring.first)

    @property
    def overrun(self) -> int:
        """Records that were overwritten before anybody consumed them, since the last clear."""
        return int(self.ring.overrun)

    @property
    def capacity(self) -> int:
        return int(self.ring.nr_records)

    def records(self) -> Iterator[TraceRecord]:
        """The oldest first; they stay."""
        words = memoryview(self.ring.words)
        for number in range(self.ring.first, self.ring.end):
            at = self.ring.place_of(number)
            ns, event_number, pid = words[at : at + FIRST_NUMBER]
            event = BY_NUMBER[event_number]
            values = tuple(words[at + FIRST_NUMBER : at + FIRST_NUMBER + len(event.fields)])
            yield TraceRecord(number, ns, event, pid, values)

    def consume_until(self, number: int) -> None:
        """The records before this one were read."""
        self.ring.forget_until(number)

    def clear(self) -> None:
        self.ring.forget_until(self.ring.end)
        self.ring.forget_overrun()

    def resize(self, nr_records: int) -> None:
        """Room for so many; the newest that fit are kept. Raises what the host raises where it refuses the memory."""
        kept = list(self.raw_records())[-nr_records:]
        self.ring.resize(self.core.arrays, nr_records)
        self.ring.forget_until(self.ring.end - len(kept))
        words = memoryview(self.ring.words)
        for place, row in enumerate(kept):
            at = self.ring.place_of(self.ring.first + place)
            words[at : at + RECORD_WORDS] = memoryview(row).cast("q")

    def raw_records(self) -> Iterator[bytes]:
        words = memoryview(self.ring.words)
        for number in range(self.ring.first, self.ring.end):
            at = self.ring.place_of(number)
            yield words[at : at + RECORD_WORDS].tobytes()
