"""zones.py and boot.py: which frames are whose, in what order they are handed out, and how many are held back."""

from __future__ import annotations

from types import ModuleType

import pytest

from memcgfs.mm import Machine
from memcgfs.mm.config import default_min_free_kbytes
from memcgfs.mm.params import GFP_DMA_BIT, WMARK_HIGH, WMARK_LOW, WMARK_MIN, ZONE_DMA, ZONE_DMA32, ZONE_HIGHMEM, ZONE_NORMAL
from tests.conftest import MakeMachine

from .looking import flags, frame

MB, GB = 1 << 20, 1 << 30


def spans(machine: Machine) -> list[tuple[str, int, int]]:
    """(name, first frame, frames spanned) of the populated zones."""
    return [(zone.name, zone.start_pfn, zone.spanned) for zone in machine.zones()]


BOUNDS = [
    # 16 MB for ISA DMA, 4 GB for 32-bit DMA, 896 MB for what an i386 kernel maps directly
    ("x86_64", 8 * MB, [("DMA", 0, 2048)]),
    ("x86_64", 16 * MB, [("DMA", 0, 4096)]),
    ("x86_64", 512 * MB, [("DMA", 0, 4096), ("DMA32", 4096, 126976)]),
    ("x86_64", 4 * GB, [("DMA", 0, 4096), ("DMA32", 4096, 1044480)]),
    ("x86_64", 6 * GB, [("DMA", 0, 4096), ("DMA32", 4096, 1044480), ("Normal", 1048576, 524288)]),
    ("i386", 512 * MB, [("DMA", 0, 4096), ("Normal", 4096, 126976)]),
    ("i386", 896 * MB, [("DMA", 0, 4096), ("Normal", 4096, 225280)]),
    ("i386", 4 * GB, [("DMA", 0, 4096), ("Normal", 4096, 225280), ("HighMem", 229376, 819200)]),
]


@pytest.mark.fact("B1")
@pytest.mark.parametrize(("arch", "ram", "zones"), BOUNDS)
def test_bounds(make_machine: MakeMachine, arch: str, ram: int, zones: list[tuple[str, int, int]]) -> None:
    machine = make_machine(arch=arch, ram_bytes=ram)
    assert spans(machine) == zones
    present = [zone.present for zone in machine.zones()]
    assert present == [zones[0][2] - 1, *(spanned for _, _, spanned in zones[1:])], "frame 0 is the zero page"
    assert [zone.free for zone in machine.zones()] == present


# mm/page_alloc.c has this table above init_per_zone_pages_min: megabytes, kilobytes.
MIN_FREE = {16: 512, 32: 724, 64: 1024, 128: 1448, 256: 2048, 512: 2896, 1024: 4096, 2048: 5792, 4096: 8192, 16384: 16384}


@pytest.mark.fact("B3")
@pytest.mark.parametrize(("megabytes", "kilobytes"), MIN_FREE.items())
def test_min_free_kbytes_grows_with_the_root_of_memory(megabytes: int, kilobytes: int) -> None:
    assert default_min_free_kbytes(megabytes << 8) == kilobytes


@pytest.mark.fact("B3")
def test_min_free_kbytes_has_bounds() -> None:
    assert default_min_free_kbytes(16) == 128
    assert default_min_free_kbytes(1 << 30) == 65536


@pytest.mark.parametrize(("arch", "ram", "kilobytes"), [("x86_64", 128 * MB, 1448), ("x86_64", 512 * MB, 2896), ("i386", 4 * GB, 3831)])
def test_min_free_kbytes_of_a_machine(make_machine: MakeMachine, arch: str, ram: int, kilobytes: int) -> None:
    """Of what is present: frame 0 is not, and high memory does not count (i386: sqrt(16 * 4 * 229375) = 3831.4)."""
    assert make_machine(arch=arch, ram_bytes=ram).sysctl("min_free_kbytes") == kilobytes


def marks(machine: Machine) -> list[tuple[int, int, int]]:
    return [(zone.pages_min, zone.pages_low, zone.pages_high) for zone in machine.zones()]


@pytest.mark.fact("B4")
def test_watermarks_are_shared_out_by_size(make_machine: MakeMachine) -> None:
    """512 MB: 2896 kB are 724 pages. DMA has 4,095 of 131,071 frames: 724 * 4095 / 131071 = 22; low is 22 + 5, high 22 + 11.
    DMA32: 724 * 126976 / 131071 = 701; 701 + 175; 701 + 350."""
    machine = make_machine(ram_bytes=512 * MB)
    assert marks(machine) == [(22, 27, 33), (701, 876, 1051)]


@pytest.mark.fact("B4")
def test_high_memory_keeps_a_token(make_machine: MakeMachine) -> None:
    """i386, 1 GB: HIGHMEM has 32,768 frames. min is 1/1024 of them, from 32 to 128 pages; low and high add shares of what it would have
    by size: 957 pages (3831 kB) * 32768 / 229375 = 136, so 32 + 34 and 32 + 68."""
    machine = make_machine(arch="i386", ram_bytes=GB)
    assert machine.sysctl("min_free_kbytes") == 3831
    assert marks(machine)[2] == (32, 66, 100)


@pytest.mark.parametrize(("pages", "token"), [(100, 32), (65536, 64), (1 << 20, 128)])
def test_the_token_of_high_memory(make_small: MakeMachine, pages: int, token: int) -> None:
    assert marks(make_small(arch="i386", zone_pages=(16, 0, 16, pages)))[2] == (token, token, token)


def test_min_free_kbytes_may_be_set(make_small: MakeMachine) -> None:
    """40 kB are 10 pages; the lone zone has them all."""
    machine = make_small()
    assert marks(machine) == [(0, 0, 0)]
    machine.set_sysctl("min_free_kbytes", 43)
    assert marks(machine) == [(10, 12, 15)]
    assert machine.sysctl("min_free_kbytes") == 43


@pytest.mark.fact("B5")
def test_lowmem_reserve_of_i386(make_machine: MakeMachine) -> None:
    """1 GB: 4,095, 225,280 and 32,768 frames. Against NORMAL requests DMA keeps 225280 / 256; against HIGHMEM ones
    (225280 + 32768) / 256, and NORMAL 32768 / 32."""
    machine = make_machine(arch="i386", ram_bytes=GB)
    assert [zone.protection for zone in machine.zones()] == [[0, 0, 880, 1008], [0, 0, 0, 1024], [0, 0, 0, 0]]


@pytest.mark.fact("B5")
def test_lowmem_reserve_of_x86_64(make_machine: MakeMachine) -> None:
    """6 GB: DMA keeps 1044480 / 256 against DMA32 requests, (1044480 + 524288) / 256 against NORMAL ones; DMA32 keeps 524288 / 256."""
    machine = make_machine(ram_bytes=6 * GB)
    assert [zone.protection[:3] for zone in machine.zones()] == [[0, 4080, 6128], [0, 0, 2048], [0, 0, 0]]


ZONELISTS = [
    ("x86_64", (16, 0, 0, 0), [[ZONE_DMA]] * 4),
    ("x86_64", (16, 16, 0, 0), [[ZONE_DMA], [ZONE_DMA32, ZONE_DMA], [ZONE_DMA32, ZONE_DMA], [ZONE_DMA32, ZONE_DMA]]),
    ("x86_64", (16, 0, 16, 0), [[ZONE_DMA], [ZONE_DMA], [ZONE_NORMAL, ZONE_DMA], [ZONE_NORMAL, ZONE_DMA]]),
    ("i386", (16, 0, 16, 48), [[ZONE_DMA], [ZONE_DMA], [ZONE_NORMAL, ZONE_DMA], [ZONE_HIGHMEM, ZONE_NORMAL, ZONE_DMA]]),
]


@pytest.mark.fact("B2")
@pytest.mark.parametrize(("arch", "sizes", "lists"), ZONELISTS)
def test_zonelists(make_small: MakeMachine, arch: str, sizes: tuple[int, ...], lists: list[list[int]]) -> None:
    """From the zone of the request downwards, empty zones left out."""
    zones = make_small(arch=arch, zone_pages=sizes).core.zones
    for kind, expected in enumerate(lists):
        assert [zones.zone_in_list(kind, place) for place in range(zones.nr_in_list(kind))] == expected


@pytest.mark.fact("B6")
def test_a_watermark_must_be_left_after_the_page_is_gone(make_small: MakeMachine) -> None:
    """zone_watermark_ok for order 0: free > mark + reserve."""
    zones = make_small(zone_pages=(16, 0, 1024, 0), min_free_kbytes=0).core.zones
    zones.wmark[0:3] = memoryview(bytes(24)).cast("q")
    zones.wmark[WMARK_MIN], zones.wmark[WMARK_LOW], zones.wmark[WMARK_HIGH] = 10, 11, 14
    assert zones.present[ZONE_DMA] == 15
    assert zones.lowmem_reserve[ZONE_NORMAL] == 1024 // 256 == 4
    answers = {
        (mark, kind): zones.watermark_ok(ZONE_DMA, 0, mark, kind, 0)
        for mark in (WMARK_MIN, WMARK_LOW, WMARK_HIGH)
        for kind in (ZONE_DMA, ZONE_NORMAL)
    }
    assert answers == {
        (WMARK_MIN, ZONE_DMA): True,
        (WMARK_MIN, ZONE_NORMAL): True,
        (WMARK_LOW, ZONE_DMA): True,
        (WMARK_LOW, ZONE_NORMAL): False,
        (WMARK_HIGH, ZONE_DMA): True,
        (WMARK_HIGH, ZONE_NORMAL): False,
    }


def test_frames_are_handed_out_upwards_and_the_last_freed_first(make_small: MakeMachine) -> None:
    """The page table is in frame 1. Pages 1 and 3, in frames 3 and 5, come free in this order, their buddies 2 and 4 being used; so 5
    is handed out before 3, and after both the next block of the zone, at frame 6."""
    machine = make_small()
    task = machine.spawn(10)
    task.touch(0, 4)
    assert [frame(task, page) for page in range(4)] == [2, 3, 4, 5]
    task.madvise(1, 1, "dontneed")
    task.madvise(3, 1, "dontneed")
    task.touch(10, 3)
    assert [frame(task, page) for page in (10, 11, 12)] == [5, 3, 6]


@pytest.mark.fact("B2")
def test_a_full_zone_falls_back_to_the_next_lower(make_small: MakeMachine) -> None:
    """NORMAL is frames 8 to 11: a page table and three pages. What comes next is DMA's, from frame 1, and the zone is in its flags."""
    machine = make_small(zone_pages=(8, 0, 4, 0))
    task = machine.spawn(10)
    task.touch(0, 5)
    assert [frame(task, page) for page in range(5)] == [9, 10, 11, 1, 2]
    assert [machine.core.frames.zone(pfn) for pfn in (9, 11, 1)] == [ZONE_NORMAL, ZONE_NORMAL, ZONE_DMA]
    counts = machine.vmstat()
    assert (counts["pgalloc_normal"], counts["pgalloc_dma"]) == (4, 2)


@pytest.mark.fact("B5", "B6")
def test_a_reserve_keeps_requests_from_above_out(make_small: MakeMachine, engine: ModuleType) -> None:
    """DMA's 15 frames keep 4 back from requests that could have been served in NORMAL's 1,024: 11 of them are given, and a request for
    DMA itself gets what is left."""
    machine = make_small(zone_pages=(16, 0, 1024, 0), swap_pages=0)
    task = machine.spawn(10)
    task.touch(0, 1024 - 3 + 11)
    assert task.page_table_pages == 3
    assert [zone.free for zone in machine.zones()] == [4, 0]
    pfn = engine.alloc_page(machine.core, GFP_DMA_BIT)
    assert pfn == 12
    assert machine.core.frames.count[pfn] == 1
    engine.put_page(machine.core, pfn)
    assert flags(machine, pfn) == 0x400


@pytest.mark.fact("D12")
def test_near_oom_is_three_times_round(make_small: MakeMachine) -> None:
    machine = make_small(pagevec_size=1)
    machine.spawn(10).touch(0, 3)
    zones = machine.core.zones
    answers = []
    for scanned in (8, 9):
        zones.pages_scanned[0] = scanned
        answers.append(zones.is_near_oom(0))
    assert answers == [False, True]


@pytest.mark.fact("D11")
def test_a_page_that_comes_free_resets_the_zones_despair(make_small: MakeMachine) -> None:
    machine = make_small()
    task = machine.spawn(10)
    task.touch(0, 1)
    machine.core.zones.pages_scanned[0] = 100
    machine.core.zones.all_unreclaimable[0] = 1
    task.munmap(0, 1)
    assert (machine.zones()[0].pages_scanned, machine.zones()[0].all_unreclaimable) == (0, False)


@pytest.mark.fact("S2")
@pytest.mark.parametrize("ram", [16 * MB, 32 * MB])
def test_read_ahead_is_eight_slots(make_machine: MakeMachine, ram: int) -> None:
    assert make_machine(ram_bytes=ram).sysctl("page-cluster") == 3


@pytest.mark.fact("S2")
@pytest.mark.parametrize("ram", [8 * MB, 16 * MB - 4096])
def test_read_ahead_is_four_slots_on_small_machines(make_machine: MakeMachine, ram: int) -> None:
    """mm/swap.c: swap_setup, 2 below 16 MB."""
    assert make_machine(ram_bytes=ram).sysctl("page-cluster") == 2
