"""config.py: machines that are refused, in one line and before anything is made; and the numbers of those that are not."""

from __future__ import annotations

import re
from types import ModuleType
from typing import Any

import pytest

from memcgfs.mm import BadSysctl, ConfigError, DiskConfig, Machine, MachineConfig, TooManyContainers, TooManyTasks, pure
from memcgfs.mm.lru import MAX_SCAN_DEPTH
from tests.conftest import MakeMachine

PAGE = 4096
MOST_FRAMES = 2**32 - 2 * 2**20 - MAX_SCAN_DEPTH - 2**12
"""Beside the two list heads of each of 2^20 containers, those of scans, and those of free pages."""

REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"arch": "sparc"}, "arch=sparc: only x86_64 and i386 are built"),
    ({"arch": ""}, "arch=: only x86_64 and i386 are built"),
    ({"nodes": 0}, "nodes=0: from 1 to 16"),
    ({"nodes": -1}, "nodes=-1: from 1 to 16"),
    ({"nodes": 17}, "nodes=17: from 1 to 16"),
    ({"nodes": 3, "zone_pages": (23, 0, 0, 0)}, "nodes=3: a node needs at least 8 page frames"),
    ({"model": "fifo"}, "model=fifo: only containers2007, cgroups2008, classic are built"),
    ({"rules": "v2"}, "rules=v2: only 2007, 2008, v1 are built"),
    ({"charge_batch": 0}, "batch=0: from 1 to 64 pages"),
    ({"charge_batch": 65}, "batch=65: from 1 to 64 pages"),
    ({"disk": DiskConfig(depth=0)}, "disk: latency and bandwidth cannot be negative, and the depth is 1 to 1048576"),
    ({"disk": DiskConfig(depth=(1 << 20) + 1)}, "disk: "),
    ({"disk": DiskConfig(latency_ns=-1)}, "disk: "),
    ({"disk": DiskConfig(bytes_per_s=-1)}, "disk: "),
    ({"ram_bytes": 0}, "ram=0: a machine needs at least 64K"),
    ({"ram_bytes": -PAGE}, "ram=-4096: a machine needs at least 64K"),
    ({"ram_bytes": 16 * PAGE - 1}, "ram=65535: a machine needs at least 64K"),
    ({"ram_bytes": 16 << 60}, "x86_64 has at most 4294967294 page frames"),
    ({"ram_bytes": (2**32 - 1) * PAGE}, "x86_64 has at most 4294967294 page frames"),
    ({"arch": "i386", "ram_bytes": (64 << 30) + PAGE}, "i386 has at most 16777216 page frames"),
    ({"swap_bytes": -1}, "swap=-1: from 0 to 4294967294 pages"),
    ({"swap_bytes": (2**32 - 1) * PAGE}, "from 0 to 4294967294 pages"),
    ({"zone_pages": (2**32, 0, 0, 0)}, "x86_64 has at most 4294967294 page frames"),
    ({"zone_pages": (7, 0, 0, 0)}, "zone_pages=(7, 0, 0, 0): a machine needs at least 8 page frames"),
    ({"zone_pages": (0, 0, 0, 0)}, "a machine needs at least 8 page frames"),
    ({"ram_bytes": (2**32 - 2) * PAGE}, "page frames and list heads together have 32-bit numbers"),
    ({"ram_bytes": (MOST_FRAMES + 1) * PAGE}, "page frames and list heads together have 32-bit numbers"),
    ({"ram_bytes": MOST_FRAMES * PAGE, "model": "cgroups2008"}, "page frames and list heads together have 32-bit numbers"),
    ({"swap_bytes": PAGE}, "swap=4096: an area has a header and at least one page"),
    *[({name: 0}, "batch sizes and waits are at least 1") for name in ("swap_cluster_max", "pagevec_size", "wait_ns", "jiffy_ns")],
    *[({"pcp_batch": batch}, f"pcp_batch={batch}: from 0 to 1048576 pages") for batch in (-1, (1 << 20) + 1)],
    ({"def_priority": -1}, "batch sizes and waits are at least 1"),
]


@pytest.mark.parametrize(("fields", "why"), REFUSED, ids=[str(fields) for fields, _ in REFUSED])
def test_what_is_refused(fields: dict[str, Any], why: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(why)) as refusal:
        MachineConfig(**fields)
    assert "\n" not in str(refusal.value)


ACCEPTED: list[dict[str, Any]] = [
    {"ram_bytes": 16 * PAGE},
    {"swap_bytes": 0},
    {"swap_bytes": 2 * PAGE},
    {"ram_bytes": MOST_FRAMES * PAGE},
    {"zone_pages": (4, 0, 4, 0)},
    {"swap_cluster_max": 1, "pagevec_size": 1, "wait_ns": 1, "jiffy_ns": 1, "def_priority": 0},
    {"arch": "i386", "ram_bytes": 64 << 30},
    {"nodes": 16},
    {"nodes": 3, "zone_pages": (24, 0, 0, 0)},
    {"disk": DiskConfig(0, 0, 1)},
    {"disk": DiskConfig(0, 0, 1 << 20)},
]


@pytest.mark.parametrize("fields", ACCEPTED, ids=str)
def test_what_is_just_not_refused(fields: dict[str, Any]) -> None:
    MachineConfig(**fields)


@pytest.mark.parametrize("error", [OSError(12, "Cannot allocate memory"), OverflowError(), ValueError(), MemoryError()], ids=repr)
def test_what_the_host_refuses_is_a_config_error(error: Exception) -> None:
    """The arrays of a machine that is allowed may be more than the host maps: here the engine's first array is."""

    def refuse(*_: object) -> object:
        raise error

    engine = ModuleType("engine")
    vars(engine).update(vars(pure), Core=refuse)
    with pytest.raises(ConfigError, match="ram=536870912: the host refuses the arrays of such a machine"):
        Machine(MachineConfig(), engine)


def test_sizes_are_whole_pages() -> None:
    config = MachineConfig(ram_bytes=17 * PAGE + 4095, swap_bytes=3 * PAGE + 1)
    assert (config.nr_frames, config.nr_swap_pages) == (17, 3)
    assert MachineConfig(zone_pages=(8, 0, 4, 0)).nr_frames == 12


@pytest.mark.parametrize(("pages", "threads"), [(16, 20), (320, 20), (336, 21), (131072, 8192)])
def test_as_many_tasks_as_an_eighth_of_memory_holds(pages: int, threads: int) -> None:
    """fork_init: 8 kB of stack each; never less than 20."""
    assert MachineConfig(ram_bytes=pages * PAGE).max_threads == threads


def test_the_smallest_machine_works(make_machine: MakeMachine) -> None:
    machine = make_machine(ram_bytes=16 * PAGE, swap_bytes=0, min_free_kbytes=0)
    machine.spawn(10).touch(0, 14)
    assert machine.zones()[0].free == 0


def test_too_many_tasks_and_containers(make_small: MakeMachine) -> None:
    machine = make_small(max_containers=3)
    for pid in range(20):
        machine.spawn(pid + 2)
    with pytest.raises(TooManyTasks):
        machine.spawn(100)
    machine.reap(machine.tasks[2])
    machine.spawn(100)
    made = [machine.create_container(), machine.create_container()]
    with pytest.raises(TooManyContainers):
        machine.create_container()
    machine.remove_container(made[0])
    assert machine.create_container().cid == made[0].cid


SYSCTLS = [
    ("swappiness", -1),
    ("swappiness", 101),
    ("min_free_kbytes", -1),
    ("page-cluster", -1),
    ("page-cluster", 32),
    ("laptop_mode", -1),
    ("vfs_cache_pressure", -1),
    ("panic_on_oom", -1),
]


@pytest.mark.parametrize(("name", "value"), SYSCTLS)
def test_settings_outside_their_range_are_refused_and_change_nothing(make_small: MakeMachine, name: str, value: int) -> None:
    machine = make_small()
    before = {each: machine.sysctl(each) for each in machine.sysctl_names}
    with pytest.raises(BadSysctl, match=f"{name}: {value} is not in "):
        machine.set_sysctl(name, value)
    assert {each: machine.sysctl(each) for each in machine.sysctl_names} == before


def test_settings_are_kept_apart(make_small: MakeMachine) -> None:
    machine = make_small()
    wanted = {"swappiness": 7, "min_free_kbytes": 8, "page-cluster": 5, "laptop_mode": 1, "vfs_cache_pressure": 50, "panic_on_oom": 2}
    wanted |= {"dirty_ratio": 30, "dirty_background_ratio": 20, "dirty_writeback_centisecs": 100, "dirty_expire_centisecs": 50}
    wanted |= {"drop_caches": 1}
    for name, value in wanted.items():
        machine.set_sysctl(name, value)
    assert {name: machine.sysctl(name) for name in machine.sysctl_names} == wanted
