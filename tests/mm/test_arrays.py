"""Where arrays begin: at colours that no two neighbours share, the same in every machine."""

from __future__ import annotations

import ctypes
from operator import attrgetter
from types import ModuleType

from memcgfs import mm
from memcgfs.mm.arrays import COLOUR_BYTES, HOST_PAGE_BYTES, Arrays


def colour(array: memoryview[int]) -> int:
    return ctypes.addressof(ctypes.c_char.from_buffer(memoryview(array))) % HOST_PAGE_BYTES


def test_all_lines_of_a_page_are_begun_at_before_one_is_for_the_second_time() -> None:
    """64 bytes a line; 320 bytes a step."""
    arrays = Arrays()
    found = [colour(arrays.of("B", 1)) for _ in range(65)]
    assert sorted(found[:64]) == list(range(0, HOST_PAGE_BYTES, 64))
    assert (found[0], found[1], found[64]) == (0, COLOUR_BYTES, 0)


def test_an_array_is_zeros_and_has_its_length() -> None:
    arrays = Arrays()
    arrays.of("B", 0)
    view = arrays.of("q", 3000)
    assert (len(view), view.tolist()) == (3000, [0] * 3000)
    view[2999] = -1
    assert view[2999] == -1


def test_a_machine_does_not_know_of_others(engine: ModuleType) -> None:
    """The second one's arrays begin where the first one's do."""
    first, second = (mm.Machine(mm.MachineConfig(), engine) for _ in range(2))
    for array in map(attrgetter, ("zones.stat", "counters.usage", "model.lru.active_pvec", "events")):
        assert colour(array(first.core)) == colour(array(second.core))
    assert colour(first.core.zones.start) != colour(first.core.zones.end)
