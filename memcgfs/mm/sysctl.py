"""The machine's settings, /proc/sys/vm of 2.6.23 as far as they act here (kernel/sysctl.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .boot import setup_watermarks
from .errors import BadSysctl

if TYPE_CHECKING:
    from .machine import Machine

# What each may be set to, by its file's name.
RANGES = {
    "swappiness": range(101),
    "min_free_kbytes": range(1 << 31),
    "page-cluster": range(32),
    "laptop_mode": range(1 << 31),
    "dirty_ratio": range(101),
    "dirty_background_ratio": range(101),
    "dirty_writeback_centisecs": range(1 << 31),
    "dirty_expire_centisecs": range(1 << 31),
    "vfs_cache_pressure": range(1 << 31),
    "panic_on_oom": range(1 << 31),
    "drop_caches": range(1 << 31),
}
NS_PER_CENTISECOND = 10_000_000
# Those that the engine reads: its own name, and its units in one of the file's.
CORE_FIELDS = {
    "swappiness": ("swappiness", 1),
    "page-cluster": ("page_cluster", 1),
    "laptop_mode": ("laptop_mode", 1),
    "dirty_ratio": ("dirty_ratio", 1),
    "dirty_background_ratio": ("dirty_background_ratio", 1),
    "dirty_writeback_centisecs": ("dirty_writeback_ns", NS_PER_CENTISECOND),
    "dirty_expire_centisecs": ("dirty_expire_ns", NS_PER_CENTISECOND),
    "vfs_cache_pressure": ("vfs_cache_pressure", 1),
}
# Those of the machine's Python side, by the name of their attribute.
MACHINE_FIELDS = {"min_free_kbytes": "min_free_kbytes", "panic_on_oom": "panic_on_oom", "drop_caches": "dropped_caches"}


def read(machine: Machine, name: str) -> int:
    if name in MACHINE_FIELDS:
        return int(getattr(machine, MACHINE_FIELDS[name]))
    field, unit = CORE_FIELDS[name]
    return int(getattr(machine.core, field)) // unit


def write(machine: Machine, name: str, value: int) -> None:
    """Raises BadSysctl outside the kernel's range, MachinePanicked."""
    machine.refuse_if_panicked()
    allowed = RANGES[name]
    if value not in allowed:
        raise BadSysctl(f"{name}: {value} is not in {allowed[0]}..{allowed[-1]}")
    if name in MACHINE_FIELDS:
        setattr(machine, MACHINE_FIELDS[name], value)
    else:
        field, unit = CORE_FIELDS[name]
        setattr(machine.core, field, value * unit)
    if name == "min_free_kbytes":
        setup_watermarks(machine.core, value)
    elif name == "dirty_writeback_centisecs":
        machine.engine.restart_kupdate(machine.core)
    elif name == "drop_caches":
        machine.drop_caches(value)
