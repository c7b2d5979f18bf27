"""The files about the whole machine, in the formats of /proc: as of 2.6.23, and such that today's tools parse them.

Of today are, and 2.6.23 had not: in `meminfo` the lines MemAvailable and Shmem; in `stat` the columns guest and guest_nice of the cpu
lines, and the line softirq.  What the machine has none of (interrupts, context switches, time of the kernel's own) is 0
there, because tools look for it; a counter of `vmstat` that nothing here can move is left out.
"""

from __future__ import annotations

from collections.abc import Iterable

from .. import units
from ..kernfs import Caller, ControlFile
from ..mm import KB_PER_PAGE, Machine, MachineBroken, PagesetView, ZoneView
from .errors import BadCommand

NS_PER_TICK = 10_000_000
"""USER_HZ is 100."""
NS_PER_S = 1_000_000_000
NR_SOFTIRQS = 10
START_OF_TIME_NS = 1_185_567_041 * NS_PER_S
"""2007-07-27 20:10:41 GMT, when the seed was sent: the date of every file starts there."""


def show_meminfo(machine: Machine) -> str:
    return "".join(f"{name + ':':<15} {kb:8} kB\n" for name, kb in machine.meminfo().items())


def show_vmstat(machine: Machine) -> str:
    return "".join(f"{name} {count}\n" for name, count in machine.vmstat().items())


def show_zoneinfo(machine: Machine) -> str:
    return "".join(map(_zone, machine.zones()))


def _zone(zone: ZoneView) -> str:
    return (
        f"Node {zone.node}, zone {zone.name:>8}\n"
        f"  pages free     {zone.free}\n"
        f"        min      {zone.pages_min}\n"
        f"        low      {zone.pages_low}\n"
        f"        high     {zone.pages_high}\n"
        f"        scanned  {zone.pages_scanned} (a: {zone.nr_scan_active} i: {zone.nr_scan_inactive})\n"
        f"        spanned  {zone.spanned}\n"
        f"        present  {zone.present}\n"
        + "".join(f"    {name:<12} {amount}\n" for name, amount in zone.statistics.items())
        + f"        protection: ({', '.join(map(str, zone.protection))})\n"
        "  pagesets\n"
        + "".join(map(_pageset, zone.pagesets))
        + f"  all_unreclaimable: {zone.all_unreclaimable:d}\n"
        f"  prev_priority:     {zone.prev_priority}\n"
        f"  start_pfn:         {zone.start_pfn}\n"
    )


def _pageset(pageset: PagesetView) -> str:
    return (
        f"    cpu: {pageset.cpu} pcp: {pageset.pcp}\n"
        f"              count: {pageset.count}\n"
        f"              high:  {pageset.high}\n"
        f"              batch: {pageset.batch}\n"
    )


def show_buddyinfo(machine: Machine) -> str:
    return "".join(
        f"Node {zone.node}, zone {zone.name:>8} " + "".join(f"{nr:6} " for nr in zone.free_by_order) + "\n"
        for zone in machine.zones()
    )


def show_swaps(machine: Machine) -> str:
    return "Filename\t\t\t\tType\t\tSize\tUsed\tPriority\n" + "".join(
        f"{swap.name:<39} partition\t{swap.size_pages * KB_PER_PAGE}\t{swap.used_pages * KB_PER_PAGE}\t{swap.priority}\n"
        for swap in machine.swaps()
    )


def show_slabinfo(machine: Machine) -> str:
    """Version 2.1, the one of 2.6.23 and of today. Nothing is tuned, and no processor keeps objects of its own."""
    return (
        "slabinfo - version: 2.1\n"
        "# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab>"
        " : tunables <limit> <batchcount> <sharedfactor> : slabdata <active_slabs> <num_slabs> <sharedavail>\n"
    ) + "".join(
        f"{slab.name:<17} {slab.nr_objects:6} {slab.nr_slabs * slab.objects_per_slab:6} {slab.object_bytes:6}"
        f" {slab.objects_per_slab:4}    1 : tunables    0    0    0 : slabdata {slab.nr_slabs:6} {slab.nr_slabs:6}      0\n"
        for slab in machine.slabs()
    )


def show_stat(machine: Machine) -> str:
    """The machine starts at `btime`, the seed's date; its cpus, one a node, compute for tasks only."""
    times = [(cpu.user_ns, cpu.nice_ns, 0, cpu.idle_ns, cpu.iowait_ns, 0, 0, 0, 0, 0) for cpu in machine.cpus()]
    running = sum(task.state == "R" for task in machine.tasks.values())
    return (
        f"cpu  {_ticks(map(sum, zip(*times, strict=True)))}\n"
        + "".join(f"cpu{number} {_ticks(columns)}\n" for number, columns in enumerate(times))
        + "intr 0\n"
        "ctxt 0\n"
        f"btime {START_OF_TIME_NS // NS_PER_S}\n"
        f"processes {machine.total_forks}\n"
        f"procs_running {running}\n"
        "procs_blocked 0\n"
        f"softirq{' 0' * (1 + NR_SOFTIRQS)}\n"
    )


def _ticks(times_ns: Iterable[int]) -> str:
    return " ".join(str(ns // NS_PER_TICK) for ns in times_ns)


def show_uptime(machine: Machine) -> str:
    """Seconds since boot, and those in which a cpu had nothing under way, of all cpus together."""
    return f"{_seconds(machine.clock_ns)} {_seconds(sum(cpu.idle_ns for cpu in machine.cpus()))}\n"


def _seconds(ns: int) -> str:
    ticks = ns // NS_PER_TICK
    return f"{ticks // 100}.{ticks % 100:02}"


def show_clock(machine: Machine) -> str:
    return f"{machine.clock_ns}\n"


def let_time_pass(machine: Machine, text: bytes, writer: Caller) -> None:
    """`+TIME`: the clock goes forward, and what falls due meanwhile happens."""
    sign, words = text[:1], text[1:].removesuffix(b"\n")
    ns = units.time_ns(words.decode("latin-1"))
    if sign != b"+" or ns is None:
        raise BadCommand(text)
    machine.advance(ns)


def show_log(machine: Machine) -> str:
    return "".join(f"{line}\n" for line in machine.log)


def show_check(machine: Machine) -> str:
    """Reading it runs the checker."""
    try:
        machine.check()
    except MachineBroken as broken:
        return f"{broken}\n"
    return "ok\n"


MACHINE_FILES: tuple[ControlFile[Machine], ...] = (
    ControlFile("meminfo", show_meminfo),
    ControlFile("vmstat", show_vmstat),
    ControlFile("zoneinfo", show_zoneinfo),
    ControlFile("buddyinfo", show_buddyinfo),
    ControlFile("swaps", show_swaps),
    ControlFile("slabinfo", show_slabinfo),
    ControlFile("stat", show_stat),
    ControlFile("uptime", show_uptime),
    ControlFile("clock", show_clock, let_time_pass),
    ControlFile("log", show_log),
    ControlFile("check", show_check),
)
