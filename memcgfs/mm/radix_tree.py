"""Radix trees of 64 slots a node (lib/radix-tree.c): a file's pages by their index, with the tags by which dirty pages are found.

All trees share one pool of nodes. A tree is a number with a root and a height; an empty one has height 0. An entry is a number that is
not 0. A tag on a slot of an upper node says that some entry below carries it, so that the next tagged entry is found without a look at
those between.
"""

from __future__ import annotations

from typing import Final

from .arrays import Arrays

MAP_SHIFT: Final = 6
MAP_MASK: Final = 63
MAX_HEIGHT: Final = 6  # 2^36 indices
NR_TAGS: Final = 2
MAX_FRESH: Final = 12

# Tags; ANY_ENTRY stands for "is there at all" where a tag is asked for.
TAG_DIRTY: Final = 0
TAG_WRITEBACK: Final = 1
ANY_ENTRY: Final = 2


class RadixTrees:
    """Cost: O(height) for every method but next_index(), which is O(64 * height) for each entry that it finds.

    owner: the container that pays for a node, 0 where nobody does. fresh: nodes that insertions made, as long as nobody looked at them.
    """

    def __init__(self, arrays: Arrays, nr_trees: int, nr_nodes: int) -> None:
        self.root = arrays.of("I", nr_trees)
        self.height = arrays.of("B", nr_trees)
        self.slots = arrays.of("I", nr_nodes << MAP_SHIFT)
        self.nr_used = arrays.of("B", nr_nodes)
        self.tags = arrays.of("Q", nr_nodes * NR_TAGS)
        self.path = arrays.of("I", MAX_HEIGHT)
        self.frontier = 1
        self.first_free = 0
        self.nr_nodes_used = 0
        self.owner = arrays.of("I", nr_nodes)
        self.first_owned = 0
        self.fresh = arrays.of("I", MAX_FRESH)
        self.nr_fresh = 0

    def new_node(self) -> int:
        """radix_tree_node_alloc: emptied. Free nodes are chained through their first slot."""
        node = self.first_free
        if node != 0:
            self.first_free = self.slots[slot_place(node, 0, 0)]
            self.slots[slot_place(node, 0, 0)] = 0
        else:
            node = self.frontier
            self.frontier += 1
        self.nr_nodes_used += 1
        if self.nr_fresh < MAX_FRESH:
            self.fresh[self.nr_fresh] = node
            self.nr_fresh += 1
        return node

    def free_node(self, node: int) -> None:
        """One that a container pays for waits until that is settled (take_owned)."""
        if self.owner[node] != 0:
            self.slots[slot_place(node, 0, 0)] = self.first_owned
            self.first_owned = node
            return
        self.slots[slot_place(node, 0, 0)] = self.first_free
        self.first_free = node
        self.nr_nodes_used -= 1

    def take_owned(self) -> int:
        """A node that waits, which is to be freed once more when it is nobody's."""
        node = self.first_owned
        self.first_owned = self.slots[slot_place(node, 0, 0)]
        return node

    def reaches(self, tree: int, index: int) -> bool:
        """Is the tree high enough for this index?"""
        height = self.height[tree]
        return height > 0 and index >> (MAP_SHIFT * height) == 0

    def lookup(self, tree: int, index: int) -> int:
        """The entry, or 0."""
        if not self.reaches(tree, index):
            return 0
        node = self.root[tree]
        shift = MAP_SHIFT * (self.height[tree] - 1)
        while shift > 0:
            node = self.slots[slot_place(node, index, shift)]
            if node == 0:
                return 0
            shift -= MAP_SHIFT
        return self.slots[slot_place(node, index, 0)]

    def extend(self, tree: int) -> None:
        """radix_tree_extend: one level more, on top. An empty tree only becomes higher, and gets its root with its first entry."""
        self.height[tree] += 1
        if self.root[tree] != 0:
            node = self.new_node()
            below = self.root[tree]
            self.slots[slot_place(node, 0, 0)] = below
            self.nr_used[node] = 1
            for tag in range(NR_TAGS):
                if self.tags[below * NR_TAGS + tag] != 0:
                    self.tags[node * NR_TAGS + tag] = 1
            self.root[tree] = node

    def insert(self, tree: int, index: int, entry: int) -> bool:
        """False where there is an entry already."""
        while not self.reaches(tree, index):
            self.extend(tree)
        if self.root[tree] == 0:
            self.root[tree] = self.new_node()
        node = self.root[tree]
        shift = MAP_SHIFT * (self.height[tree] - 1)
        while shift > 0:
            place = slot_place(node, index, shift)
            if self.slots[place] == 0:
                self.slots[place] = self.new_node()
                self.nr_used[node] += 1
            node = self.slots[place]
            shift -= MAP_SHIFT
        place = slot_place(node, index, 0)
        if self.slots[place] != 0:
            return False
        self.slots[place] = entry
        self.nr_used[node] += 1
        return True

    def descend(self, tree: int, index: int) -> None:
        """Writes down the nodes from the root to the entry, which is there: path[0] is the root."""
        node = self.root[tree]
        height = self.height[tree]
        for level in range(height):
            self.path[level] = node
            node = self.slots[slot_place(node, index, MAP_SHIFT * (height - 1 - level))]

    def delete(self, tree: int, index: int) -> int:
        """Takes the entry out with its tags, and gives it; 0 where there was none. Nodes that it leaves empty are given back."""
        entry = self.lookup(tree, index)
        if entry == 0:
            return 0
        for tag in range(NR_TAGS):
            self.clear_tag(tree, index, tag)
        self.descend(tree, index)
        height = self.height[tree]
        level = height - 1
        while level >= 0:
            node = self.path[level]
            self.slots[slot_place(node, index, MAP_SHIFT * (height - 1 - level))] = 0
            self.nr_used[node] -= 1
            if self.nr_used[node] > 0:
                return entry
            self.free_node(node)
            level -= 1
        self.root[tree] = 0
        self.height[tree] = 0
        return entry

    def set_tag(self, tree: int, index: int, tag: int) -> None:
        """The entry, which is there, carries the tag from now on."""
        self.descend(tree, index)
        height = self.height[tree]
        for level in range(height):
            at = self.path[level] * NR_TAGS + tag
            self.tags[at] |= tag_bit(index, MAP_SHIFT * (height - 1 - level))

    def clear_tag(self, tree: int, index: int, tag: int) -> None:
        """It carries it no more; neither do the nodes above that have no other."""
        self.descend(tree, index)
        height = self.height[tree]
        level = height - 1
        while level >= 0:
            at = self.path[level] * NR_TAGS + tag
            self.tags[at] &= ~tag_bit(index, MAP_SHIFT * (height - 1 - level))
            if self.tags[at] != 0:
                return
            level -= 1

    def is_tagged(self, tree: int, tag: int) -> bool:
        """Does any entry carry the tag?"""
        return self.height[tree] > 0 and self.tags[self.root[tree] * NR_TAGS + tag] != 0

    def slot_has(self, node: int, index: int, shift: int, tag: int) -> bool:
        if tag == ANY_ENTRY:
            return self.slots[slot_place(node, index, shift)] != 0
        return self.tags[node * NR_TAGS + tag] & tag_bit(index, shift) != 0

    def next_index(self, tree: int, index: int, tag: int) -> int:
        """The lowest index from `index` on whose entry carries the tag, or -1."""
        while self.reaches(tree, index):
            node = self.root[tree]
            shift = MAP_SHIFT * (self.height[tree] - 1)
            while self.slot_has(node, index, shift, tag):
                if shift == 0:
                    return index
                node = self.slots[slot_place(node, index, shift)]
                shift -= MAP_SHIFT
            index = ((index >> shift) + 1) << shift
        return -1


def slot_place(node: int, index: int, shift: int) -> int:
    return (node << MAP_SHIFT) + ((index >> shift) & MAP_MASK)


def tag_bit(index: int, shift: int) -> int:
    return shifted(1, (index >> shift) & MAP_MASK)


def shifted(one: int, places: int) -> int:
    """A literal is an int to the compiler; as an argument it has 64 bits."""
    return one << places
