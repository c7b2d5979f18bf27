"""lists.py: the kernel's list_head in two arrays."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

LEFT, RIGHT = 10, 11
ENTRIES = range(1, LEFT)


@pytest.fixture
def links(engine: ModuleType) -> Any:
    return make_links(engine)


def make_links(engine: ModuleType) -> Any:
    """Entries 1 to 9 and two empty lists."""
    arrays = engine.Arrays()
    found = engine.Links(arrays.of("I", 12), arrays.of("I", 12), LEFT)
    found.init_head(LEFT)
    found.init_head(RIGHT)
    return found


def backwards(links: Any, head: int) -> list[int]:
    found = []
    entry = links.prev[head]
    while entry != head:
        found.append(entry)
        entry = links.prev[entry]
    return found


def test_a_new_list_is_empty(links: Any) -> None:
    assert links.is_empty(LEFT)
    assert links.order(LEFT) == []
    assert not links.is_linked(1)


def test_add_puts_first_and_add_tail_last(links: Any) -> None:
    links.add(LEFT, 1)
    links.add(LEFT, 2)
    links.add_tail(LEFT, 3)
    assert links.order(LEFT) == [2, 1, 3]
    assert backwards(links, LEFT) == [3, 1, 2]
    assert links.is_linked(3)
    assert not links.is_empty(LEFT)


def test_remove_leaves_the_entry_on_no_list_and_may_be_repeated(links: Any) -> None:
    for entry in (1, 2, 3):
        links.add_tail(LEFT, entry)
    links.remove(2)
    links.remove(2)
    assert links.order(LEFT) == [1, 3]
    assert not links.is_linked(2)
    links.remove(1)
    links.remove(3)
    assert links.is_empty(LEFT)


def test_move_takes_the_entry_from_whichever_list_holds_it(links: Any) -> None:
    links.add_tail(LEFT, 1)
    links.add_tail(LEFT, 2)
    links.add_tail(RIGHT, 3)
    links.move(LEFT, 3)
    assert (links.order(LEFT), links.order(RIGHT)) == ([3, 1, 2], [])
    links.move_tail(LEFT, 3)
    assert links.order(LEFT) == [1, 2, 3]
    links.move(RIGHT, 9)
    assert links.order(RIGHT) == [9], "also from none"


def test_splice_keeps_the_order_and_goes_to_the_front(links: Any) -> None:
    for entry in (1, 2):
        links.add_tail(LEFT, entry)
    for entry in (3, 4, 5):
        links.add_tail(RIGHT, entry)
    links.splice(RIGHT, LEFT)
    assert links.order(LEFT) == [3, 4, 5, 1, 2]
    assert backwards(links, LEFT) == [2, 1, 5, 4, 3]
    assert links.is_empty(RIGHT)


def test_splice_of_nothing_and_onto_nothing(links: Any) -> None:
    links.splice(RIGHT, LEFT)
    assert links.is_empty(LEFT)
    links.add(RIGHT, 1)
    links.splice(RIGHT, LEFT)
    assert (links.order(LEFT), links.order(RIGHT)) == ([1], [])


METHODS = st.sampled_from(["add", "add_tail", "remove", "move", "move_tail", "splice"])


# The engine is a module: no example can change it for the next.
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(steps=st.lists(st.tuples(METHODS, st.sampled_from([LEFT, RIGHT]), st.sampled_from(ENTRIES))))
def test_any_sequence_does_what_it_does_to_pythons_lists(engine: ModuleType, steps: list[tuple[str, int, int]]) -> None:
    links = make_links(engine)
    model: dict[int, list[int]] = {LEFT: [], RIGHT: []}
    for method, head, entry in steps:
        holder = next((listed for listed in model.values() if entry in listed), None)
        if method == "splice":
            other = LEFT + RIGHT - head
            links.splice(other, head)
            model[head][:0] = model[other]
            model[other] = []
            continue
        if holder is not None and method.startswith("add"):
            continue
        if holder is not None:
            holder.remove(entry)
        if method == "remove":
            links.remove(entry)
            continue
        getattr(links, method)(head, entry)
        model[head].insert(len(model[head]) if method.endswith("tail") else 0, entry)
    for head, expected in model.items():
        assert links.order(head) == expected
        assert backwards(links, head) == expected[::-1]
    linked = {entry for entry in ENTRIES if links.is_linked(entry)}
    assert linked == {*model[LEFT], *model[RIGHT]}
