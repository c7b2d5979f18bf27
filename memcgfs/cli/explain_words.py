"""The words of `memcgfs explain`: what each record of the trace says of a page, by its event and its reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from .explain import TraceLine

NAMELESS: Final = "\\040(deleted)"
"""Behind the name of a file that was unlinked while it is mapped."""
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
    "keep:referenced": "kept: it was used since the last look, and is marked as referenced",
    "keep:unevictable": "kept: it is locked in memory",
    "activate:writeback": "activated: it is being written, and nobody waits for that",
    "activate:dirty": "activated: it is dirty, and the flushers are to write it",
    "deactivate:advised": "to be deactivated: somebody said that it is not needed soon",
    "deactivate:lazyfree": "to be deactivated: somebody said that its content is not needed",
}
ACTIVATED: Final = {
    "activate:accessed": "activated: used again",
    "activate:swapoff": "activated: swapoff has brought it back",
}
"""Not by reclaim, whose answer says so."""
MET: Final = {
    "other_zone": "passes it over: it belongs to another zone, and all behind it on the list must wait",
    "gone": "passes it over: it went away meanwhile",
    "not_on_lru": "passes it over: it waits in a pagevec, or somebody has it in hand",
    "in_block": "takes it along: it lies in the block around another page",
}
"""Where it is taken from the tail there is no need to say so: what reclaim finds follows."""
MOVES: Final = {
    "activated": "to the head of {container}'s active list",
    "deactivated": "to the head of {container}'s inactive list",
    "stays": "to the head of {container}'s active list",
    "mended": "to the head of {container}'s {list} list, since its zone has it there",
}
BACKINGS: Final = {
    "swap": "reclaim writes it out, to swap, at priority {priority}",
    "file": "reclaim writes it out, to its file, at priority {priority}",
    "shmem": "reclaim sends it from shared memory to the swap cache, at priority {priority}",
}
WRITERS: Final = {"reclaim": "by reclaim", "pdflush": "by pdflush", "task": "because somebody wants it there"}
ENTERS: Final = {
    "out": "in the swap cache, at slot {slot}, to be written",
    "in": "in the swap cache, at slot {slot}, to be read",
    "from_file": "in the swap cache, at slot {slot}, out of shared memory",
    "read": "in the page cache, to be read: {place}",
    "ahead": "in the page cache, to be read ahead: {place}",
    "write": "in the page cache, to be written to: {place}",
    "hole": "in the page cache: {place}, which is new",
    "from_swap": "in the page cache: {place}, back from swap",
}
LEAVES: Final = {
    "reclaim": "reclaim takes it",
    "invalidate": "nobody will miss it",
    "truncate": "its file is cut before it, or gone",
    "to_swap": "it goes to swap",
    "to_file": "it goes back to shared memory",
    "exclusive": "nobody else has the slot, which is free",
    "slot_free": "nobody has the slot any more",
    "swapoff": "the swap area is given up",
}
VICTIMS: Final = {
    "chosen": "its task is chosen by the OOM killer",
    "child": "its task is killed by the OOM killer, which chose its parent",
    "shares": "its task is killed by the OOM killer: it shares the victim's memory",
    "faulted": "its task is killed: its fault found no memory",
}
EVENTS: Final = {
    "mm_page_alloc": "frame {pfn} is allocated, zone {zone}",
    "mm_page_free": "frame {pfn} is free",
    "charge_failed": "{container} refuses to pay, at a usage of {usage}",
    "mm_lru_insertion": "on the {list} list of zone {zone}",
    "mm_lru_deactivate": "deactivated: to the inactive list of zone {zone}, at priority {priority}",
    "mm_lru_putback": "put back on the {list} list of zone {zone}",
    "mm_lru_rotate": "to the tail of the inactive list, to be taken next: its write is done",
    "mm_vmscan_referenced": "references found: {referenced}",
    "swap_out": "swapped out to slot {slot}",
    "end_page_writeback": "its write is done",
    "delete_from_swap_cache": "out of the swap cache, slot {slot}: {left}",
    "mm_filemap_delete_from_page_cache": "out of the page cache, {place}: {left}",
    "writepage": "written to the disk {writer}: {place}",
    "task_exit": "its task ends",
}
BY_REASON: Final = {
    "move_lists": MOVES,
    "mm_lru_activate": ACTIVATED,
    "mm_vmscan_writepage": BACKINGS,
    "add_to_swap_cache": ENTERS,
    "mm_filemap_add_to_page_cache": ENTERS,
    "mark_victim": VICTIMS,
}


def words(record: TraceLine, pid: int, page: int) -> str:
    """What the record says of the page; nothing where that is no news."""
    event = record.event
    fields = record.fields
    if event == "charge":
        more = "" if record["refs"] == "1" else ", a second time"
        where = "" if record["list"] == "(none)" else f", on its {record['list']} list"
        return f"charged to {record['container']}{more}, {USES[record['reason']]}{where}: usage {record['usage']}"
    if event == "uncharge":
        if record["refs"] != "0":
            return f"one charge less ({USES[record['reason']]}): {record['container']} still pays"
        return f"uncharged: {record['container']} pays no more ({USES[record['reason']]}), usage {record['usage']}"
    if event == "swap_in":
        if record["reason"] == "wanted":
            return f"read from swap slot {record['slot']} into frame {record['pfn']}"
        return f"read ahead from swap slot {record['slot']}, near slot {record['wanted']}, into frame {record['pfn']}"
    if event == "mm_vmscan_page":
        return f"{reclaim_words(record)} finds it on the {record['list']} list: {ANSWERS[record['reason']]}"
    if event == "mm_lru_isolate":
        return f"{reclaim_words(record)} {MET[record['reason']]}" if record["reason"] in MET else ""
    if event in ("page_fault_user", "unmap", "copy_pte"):
        return mapping_words(record, (record.get("pid"), record.get("page")) == (pid, page))
    reason = fields.get("reason", "")
    template = BY_REASON[event].get(reason) if event in BY_REASON else EVENTS.get(event)
    if template is None:
        return ""
    return template.format_map(fields | {"place": place_words(fields), "writer": WRITERS.get(reason), "left": LEAVES.get(reason)})


def reclaim_words(record: TraceLine) -> str:
    target = "the machine" if record["target"] == "(machine)" else record["target"]
    return f"reclaim for {target}, priority {record['priority']},"


def place_words(fields: dict[str, str]) -> str:
    """Which page of which file, where the record has a file."""
    name = fields.get("file", "")
    if name.startswith("(removed"):
        name = "a file that is gone"
    elif name.startswith("("):
        name = name[1:-1]
    return f"page {fields.get('index')} of {name.replace(NAMELESS, ', which has no name any more')}"


def mapping_words(record: TraceLine, is_own: bool) -> str:
    if record.event == "copy_pte":
        where = f"frame {record['pfn']}" if record.get("pfn") else f"swap slot {record['slot']}"
        return f"inherited at fork: shares {where}" if is_own else f"task {record['pid']} shares it from now on: fork"
    is_fault = record.event == "page_fault_user"
    text = (FAULTS if is_fault else UNMAPS)[record["reason"]].format_map(record.fields)
    if not is_fault and record["reason"] == "reclaim" and not record.get("slot"):
        text = "unmapped by reclaim: the page table names nothing now"
    if not is_fault and record["reason"] == "cow" and not record.get("pfn"):
        text = "unmapped from the zero page: a page of its own takes its place"
    return text if is_own else f"page {record['page']} of task {record['pid']}: {text}"
