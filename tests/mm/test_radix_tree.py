"""Radix trees against dictionaries: entries, tags, the next index that carries a tag, and no node left behind."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from memcgfs.mm.arrays import Arrays
from memcgfs.mm.radix_tree import ANY_ENTRY, NR_TAGS, RadixTrees

TREE = 1
indices = st.one_of(st.integers(0, 200), st.integers(60, 70), st.sampled_from([4095, 4096, 1 << 18, (1 << 31) - 1, (1 << 36) - 1]))
tags = st.integers(0, NR_TAGS - 1)
operations = st.lists(
    st.one_of(
        st.tuples(st.just("insert"), indices, st.integers(1, 9)),
        st.tuples(st.just("delete"), indices, st.just(0)),
        st.tuples(st.just("set"), indices, tags),
        st.tuples(st.just("clear"), indices, tags),
    ),
    max_size=60,
)


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(operations)
def test_a_tree_is_a_dictionary_with_tags(steps: list[tuple[str, int, int]]) -> None:
    trees = RadixTrees(Arrays(), 2, 1000)
    model: dict[int, int] = {}
    tagged: list[set[int]] = [set() for _ in range(NR_TAGS)]
    for what, index, value in steps:
        if what == "insert":
            assert trees.insert(TREE, index, value) == (index not in model)
            model.setdefault(index, value)
        elif what == "delete":
            assert trees.delete(TREE, index) == model.pop(index, 0)
            for marked in tagged:
                marked.discard(index)
        elif index in model and what == "set":
            trees.set_tag(TREE, index, value)
            tagged[value].add(index)
        elif index in model:
            trees.clear_tag(TREE, index, value)
            tagged[value].discard(index)
        assert trees.lookup(TREE, index) == model.get(index, 0)
        for tag, marked in (*enumerate(tagged), (ANY_ENTRY, set(model))):
            for start in (0, index, index + 1):
                assert trees.next_index(TREE, start, tag) == min((at for at in marked if at >= start), default=-1)
        assert [trees.is_tagged(TREE, tag) for tag in range(NR_TAGS)] == [bool(marked) for marked in tagged]
    for index in model:
        trees.delete(TREE, index)
    assert (trees.nr_nodes_used, trees.height[TREE]) == (0, 0)


def test_a_tree_grows_on_top_and_keeps_its_tags() -> None:
    """Index 3 needs one node; 64 a second below a new root, 4096 a third level: 3 nodes down to 3, and 2 down to each of the others
    below the root: 1 + 2 + 1 (the leaf of 64) + 2 = 6."""
    trees = RadixTrees(Arrays(), 2, 100)
    trees.insert(TREE, 3, 7)
    trees.set_tag(TREE, 3, 0)
    assert trees.nr_nodes_used == 1
    trees.insert(TREE, 64, 8)
    assert trees.nr_nodes_used == 3
    trees.insert(TREE, 4096, 9)
    assert trees.nr_nodes_used == 6
    assert trees.next_index(TREE, 0, 0) == 3
    assert trees.next_index(TREE, 4, 0) == -1
