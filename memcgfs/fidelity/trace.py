"""Trace cases: a page string, access by access, through one task in one group at its limit.

The machine is the recorded one: its memory, its swap area of so many pages, its settings, and whether its disks answer at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from .. import mm
from .cases import Case, CaseError
from .measure import PAGE_BYTES, REGIONS, Bits, Circumstances, Run, counted, figures, first_difference, recorded_run
from .recorder import ANONYMOUS, BACKENDS, Recorder
from .row import Figure, Row
from .strings import string_of

RAM_DISK: Final = mm.DiskConfig(0, 0, 128)
IDE_DISK: Final = mm.DiskConfig(25_000, 100 << 20, 128)
"""The recording's emulated IDE disk reads a lone page in 64 us: what a miss of loop_1.1 and hot_scan, mapped, took longer there than on the
ram disk (seconds / misses, 63.6 to 89.9 us). At the 100 MB a second of `disk=` 39 us of that are the transfer."""
MALFORMED: Final = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, mm.ConfigError, mm.BadSysctl)
"""What reading a record raises that has not the fields, or not the kind of values, of its area."""


def run_trace_case(case: Case) -> Row:
    record = case.record
    words = string_of(case)
    if record["backend"] not in BACKENDS:
        return Row(case.id, case.kind, (), applies=False, cause=f"a back end {record['backend']!r} is not known here")
    try:
        recorded = [recorded_run(run, len(words)) for run in record["runs"]]
        machine = machine_of(record)
        nr_pages = record["runs"][0]["end_A"]["pages"]
        limit = int(record["limit_pages"])
    except MALFORMED as error:
        raise CaseError(f"{case.path}: {case.id}: is not recorded as trace cases are ({error!r})") from None
    circumstances = Circumstances(
        nr_accesses=len(words),
        is_synchronous=has_ram_disks(record),
        has_anonymous=record["backend"] in ANONYMOUS,
        writes_file=record["backend"] == "filewrite",
    )
    recorder = Recorder(machine, record["backend"], words, nr_pages)
    ours = drive(machine, recorder, limit)
    if recorder.task.space is None:
        cause = f"the task was killed after {recorder.nr_done} of {len(words)} accesses: {recorder.task.died}"
        misses = Figure("misses", recorded[0].numbers["misses"], ours.numbers["misses"], holds=False)
        return Row(case.id, case.kind, (misses,), recorder.nr_done, cause)
    where = first_difference(recorded[0].bitmaps["miss_b64"], ours.bitmaps["miss_b64"]) if circumstances.is_exact else None
    return Row(case.id, case.kind, tuple(figures(recorded, ours, circumstances)), where)


def has_ram_disks(record: Mapping[str, Any]) -> bool:
    return "IDE" not in f"{record.get('swap')} {record.get('file_store')} {record.get('fs')}"


def machine_of(record: Mapping[str, Any]) -> mm.Machine:
    swap_pages = record["swap_pages"]
    config = mm.MachineConfig(
        ram_bytes=record["ram_mib"] << 20,
        swap_bytes=(swap_pages + 1) * PAGE_BYTES if swap_pages else 0,
        arch=record["arch"],
        disk=RAM_DISK if has_ram_disks(record) else IDE_DISK,
        rules="2008",
        model="cgroups2008",
        jiffy_ns=10**9 // record["hz"],
    )
    machine = mm.Machine(config)
    machine.set_sysctl("page-cluster", record["page_cluster"])
    machine.set_sysctl("swappiness", record["swappiness"])
    return machine


def drive(machine: mm.Machine, recorder: Recorder, limit: int) -> Run:
    group = machine.create_container()
    group.limit = limit
    machine.attach(recorder.task, group)
    before, start_ns, min_flt = machine.vmstat(), machine.clock_ns, recorder.task.min_flt
    misses = recorder.run()
    numbers = {
        "misses": int(misses.sum()),
        "minor faults": recorder.task.min_flt - min_flt,
        "failcnt": group.failcnt,
        **counted(before, machine.vmstat()),
        "end usage": group.usage,
        "end cache": group.cache_pages,
        "end rss": group.rss_pages,
        "end active": group.nr_active,
        "end inactive": group.nr_inactive,
        "seconds": (machine.clock_ns - start_ns) / 1e9,
    }
    bitmaps = {"miss_b64": misses}
    if recorder.task.space is not None:
        for name, region in zip(REGIONS, recorder.regions, strict=False):
            bits = recorder.residency(region)
            numbers[f"end resident {name}"] = int(bits.sum())
            bitmaps[f"end_{name}_b64"] = bits
    return Run(numbers, bitmaps, per_1000(misses))


def per_1000(misses: Bits) -> list[int]:
    return [int(misses[first : first + 1000].sum()) for first in range(0, len(misses), 1000)]
