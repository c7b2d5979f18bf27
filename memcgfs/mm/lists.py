"""Circular doubly linked lists inside two arrays, as the kernel's list_head lies inside its structures.

Entries are numbers 1..entries-1 (page frames, VMAs); the heads follow them in the same arrays. An entry that is on no list has
next 0, which list_del_init of the kernel would write as a link to itself; entry 0 is therefore never linked.
"""

from __future__ import annotations


class Links:
    """Cost: O(1) for each method but order()."""

    def __init__(self, next_of: memoryview[int], prev_of: memoryview[int], first_head: int) -> None:
        self.first_head = first_head
        self.next = next_of
        self.prev = prev_of

    def init_head(self, head: int) -> None:
        self.next[head] = head
        self.prev[head] = head

    def is_empty(self, head: int) -> bool:
        return self.next[head] == head

    def is_linked(self, entry: int) -> bool:
        return self.next[entry] != 0

    def add(self, head: int, entry: int) -> None:
        """Puts the entry first."""
        after = self.next[head]
        self.next[entry] = after
        self.prev[entry] = head
        self.prev[after] = entry
        self.next[head] = entry

    def add_tail(self, head: int, entry: int) -> None:
        """Puts the entry last."""
        before = self.prev[head]
        self.prev[entry] = before
        self.next[entry] = head
        self.next[before] = entry
        self.prev[head] = entry

    def remove(self, entry: int) -> None:
        """list_del_init: the entry is on no list afterwards. Removing one that is on none changes nothing."""
        after = self.next[entry]
        if after == 0:
            return
        before = self.prev[entry]
        self.next[before] = after
        self.prev[after] = before
        self.next[entry] = 0
        self.prev[entry] = 0

    def move(self, head: int, entry: int) -> None:
        """list_move: from wherever it is to the front of this list."""
        self.remove(entry)
        self.add(head, entry)

    def move_tail(self, head: int, entry: int) -> None:
        self.remove(entry)
        self.add_tail(head, entry)

    def splice(self, source: int, head: int) -> None:
        """list_splice_init: all entries of `source`, in their order, to the front of `head`."""
        first = self.next[source]
        if first == source:
            return
        last = self.prev[source]
        after = self.next[head]
        self.next[head] = first
        self.prev[first] = head
        self.next[last] = after
        self.prev[after] = last
        self.init_head(source)

    def order(self, head: int) -> list[int]:
        """The list from front to back. Cost: O(entries on it)."""
        found = []
        entry = self.next[head]
        while entry not in (head, 0):
            found.append(entry)
            entry = self.next[entry]
        return found
