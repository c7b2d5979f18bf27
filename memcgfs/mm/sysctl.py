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
    "vfs_cache_pressure": range(1 << 31),
    "panic_on_oom": range(1 << 31),
}
# Those that the engine reads, by its own name for them.
CORE_FIELDS = {
    "swappiness": "swappiness",
    "page-cluster": "page_cluster",
    "laptop_mode": "laptop_mode",
    "vfs_cache_pressure": "vfs_cache_pressure",
}


def read(machine: Machine, name: str) -> int:
    if name == "min_free_kbytes":
        return machine.min_free_kbytes
    if name == "panic_on_oom":
        return machine.panic_on_oom
    return int(getattr(machine.core, CORE_FIELDS[name]))


def write(machine: Machine, name: str, value: int) -> None:
    """Raises BadSysctl outside the kernel's range."""
    allowed = RANGES[name]
    if value not in allowed:
        raise BadSysctl(f"{name}: {value} is not in {allowed[0]}..{allowed[-1]}")
    if name == "min_free_kbytes":
        machine.min_free_kbytes = value
        setup_watermarks(machine.core, value)
        return
    if name == "panic_on_oom":
        machine.panic_on_oom = value
        return
    fields = {field: int(getattr(machine.core, field)) for field in CORE_FIELDS.values()}
    fields[CORE_FIELDS[name]] = value
    machine.core.set_sysctl(**fields)
