"""Global cases: a page string without a group, on a machine that is too small for it.

The machine is built from what /proc/zoneinfo, /proc/swaps and min_free_kbytes said before the run: as many pages in each zone, which
gives the recorded watermarks and reserves, and as many of them free. What was not free, the kernel's own memory and the contents of
the ram disk, is held by a task in blocks.

Repeats of a case are lines of their own. They differ, since each begins in the state that the last one left; so ours is held to all
of them, and to what the recording's own README grants beyond their spread: 5 % for strings of files and for uniform ones, 35 % for
others in anonymous memory.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from .. import mm
from ..mm.params import GFP_DMA_BIT, GFP_KERNEL
from .cases import Case, CaseError
from .measure import DISK_TIMES, PAGE_BYTES
from .recorder import ANONYMOUS, BACKENDS, Recorder
from .row import Figure, Row
from .strings import NoString, string_of
from .trace import IDE_DISK, MALFORMED, RAM_DISK, has_ram_disks

ZONE_NAMES: Final = ("DMA", "DMA32", "Normal", "HighMem")
ZONE: Final = re.compile(r"^Node +0, zone +(\w+)$")
AMOUNT: Final = re.compile(r"^ +(?:pages )?(free|present|nr_slab_(?:un)?reclaimable) +(\d+)$")
SWAP_AREA: Final = re.compile(r"^\S+ +(?:partition|file)\s+(\d+)\s", re.MULTILINE)
SAME_BOOT: Final = ("arch", "ram_mib", "swap", "swaps", "min_free_kbytes", "swappiness", "page_cluster", "backend", "string_sha256")
GRANTED: Final = 0.05
GRANTED_ANONYMOUS: Final = 0.35


@dataclass(frozen=True, slots=True)
class Zone:
    """In pages."""

    free: int
    present: int
    nr_slab_reclaimable: int
    nr_slab_unreclaimable: int

    @property
    def nr_slab(self) -> int:
        return self.nr_slab_reclaimable + self.nr_slab_unreclaimable


def run_global_case(case: Case, repeats: Sequence[Case]) -> Row:
    """`repeats`: the cases of the file, of which those of the same machine and string count, itself among them."""
    record = case.record
    if record["backend"] not in BACKENDS:
        return Row(case.id, case.kind, (), applies=False, cause=f"a back end {record['backend']!r} is not known here")
    try:
        words = string_of(case)
    except NoString as missing:
        return Row(case.id, case.kind, (), applies=False, cause=str(missing))
    try:
        zones = zones_of(record["before"]["/proc/zoneinfo"])
        zones_after = zones_of(record["after"]["/proc/zoneinfo"])
        machine = machine_of(record, zones)
        recorded = [int(repeat.record["result"]["misses_total"]) for repeat in repeats if is_repeat(repeat, case)]
        nr_pages = int(record["case"]["N"])
        is_uniform = record["case"]["gen"] == "uniform"
    except MALFORMED as error:
        raise CaseError(f"{case.path}: {case.id}: is not recorded as global cases are ({error!r})") from None
    recorder = Recorder(machine, record["backend"], words, nr_pages)
    hold_memory(machine, recorder.init, zones, zones_after)
    misses = int(recorder.run().sum())
    if recorder.task.space is None:
        cause = f"the task was killed after {recorder.nr_done} of {len(words)} accesses: {recorder.task.died}"
        return Row(case.id, case.kind, (misses_figure(recorded, misses, 0.0, ""),), recorder.nr_done, cause)
    is_anonymous = record["backend"] in ANONYMOUS
    granted = GRANTED_ANONYMOUS if is_anonymous and not is_uniform else GRANTED
    cause = DISK_TIMES if is_anonymous and not has_ram_disks(record) else ""
    return Row(case.id, case.kind, (misses_figure(recorded, misses, granted, cause),))


def is_repeat(one: Case, other: Case) -> bool:
    return one.kind == other.kind and all(one.record.get(field) == other.record.get(field) for field in SAME_BOOT)


def misses_figure(recorded: Sequence[int], ours: int, granted: float, cause: str) -> Figure:
    least, most = min(recorded), max(recorded)
    holds = least - granted * least <= ours <= most + granted * most
    return Figure("misses", [least, most], ours, holds, "" if holds else cause)


def zones_of(text: str) -> dict[str, Zone]:
    """What /proc/zoneinfo says."""
    found: dict[str, dict[str, int]] = {}
    name = ""
    for line in text.splitlines():
        if zone := ZONE.match(line):
            name = zone[1]
            found[name] = {}
        elif (amount := AMOUNT.match(line)) and name:
            found[name].setdefault(amount[1], int(amount[2]))
    return {name: Zone(**amounts) for name, amounts in found.items()}


def machine_of(record: Mapping[str, Any], zones: Mapping[str, Zone]) -> mm.Machine:
    """Page frame 0 is no zone's, so that the lowest has one more to span what was present."""
    present = [zones[name].present if name in zones else 0 for name in ZONE_NAMES]
    present[0] += 1
    swap_kbytes = sum(int(size) for size in SWAP_AREA.findall(record["swaps"]))
    config = mm.MachineConfig(
        zone_pages=(present[0], present[1], present[2], present[3]),
        swap_bytes=(swap_kbytes * 1024 + PAGE_BYTES) if swap_kbytes else 0,
        arch=record["arch"],
        disk=RAM_DISK if has_ram_disks(record) else IDE_DISK,
        rules="2008",
        model="cgroups2008",
        jiffy_ns=10**9 // record["hz"],
        min_free_kbytes=int(record["min_free_kbytes"]),
    )
    machine = mm.Machine(config)
    machine.set_sysctl("page-cluster", record["page_cluster"])
    machine.set_sysctl("swappiness", record["swappiness"])
    return machine


def hold_memory(machine: mm.Machine, holder: mm.Task, zones: Mapping[str, Zone], zones_after: Mapping[str, Zone]) -> None:
    """As much stays free in each zone as was, less what slabs took during the run (nodes of radix trees above all, which cost no page
    here), and what its per-cpu list takes along."""
    for view in reversed(machine.zones()):
        zone, after = zones[view.name], zones_after[view.name]
        gfp = GFP_KERNEL | GFP_DMA_BIT if view.name == "DMA" else GFP_KERNEL
        for _ in range(view.free - zone.free + max(after.nr_slab - zone.nr_slab, 0)):
            holder.alloc_block(0, gfp)
