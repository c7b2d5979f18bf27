"""Translations that the processor still holds (x86: mm/pgtable.c, ptep_clear_flush_young).

Reclaim clears the accessed bit of an entry without flushing its translation. As long as that one is held, an access goes by without a
look at the entry, and does not make it young again: the page looks unused at its next scan, however hot it is. Unmapping a page drops
its translation. How many survive is a property of the machine; here the last ones used do: a page of anonymous memory is held as long
as no more than so many pages of any kind were used since, one of a mapped file as long as no more than so many pages of files were. On a
machine with 0 of both, entries are always young after an access.
"""

from __future__ import annotations

from typing import Final

from .arrays import Arrays
from .lists import Links
from .params import INDEX_BITS

NR_BUCKETS: Final = 1024  # of our hash, which decides on nothing but how long a look-up takes


class Tlb:
    """Rows from 1 on, first the nr_anon of all pages, then the nr_file of files' pages, which are in both sets; each set is a list, the
    last
    one used foremost. key: address space, set and page, 0 in a row that is free; bucket, chain: rows by a hash of their key."""

    def __init__(self, arrays: Arrays, nr_anon: int, nr_file: int) -> None:
        self.nr_anon = nr_anon
        self.nr_file = nr_file
        self.is_on = nr_anon + nr_file > 0
        nr_rows = nr_anon + nr_file
        self.key = arrays.of("Q", nr_rows + 1)
        self.chain = arrays.of("I", nr_rows + 1)
        self.bucket = arrays.of("I", NR_BUCKETS)
        self.links = Links(arrays.of("I", nr_rows + 3), arrays.of("I", nr_rows + 3), nr_rows + 1)
        for head in (nr_rows + 1, nr_rows + 2):
            self.links.init_head(head)
        for row in range(1, nr_rows + 1):
            self.links.add(self.links.first_head + (row > nr_anon), row)

    def find(self, which: int, mm: int, vpn: int) -> int:
        """The row in a set (1: that of files), or 0."""
        row = self.bucket[tlb_bucket(vpn)]
        while row != 0 and self.key[row] != tlb_key(which, mm, vpn):
            row = self.chain[row]
        return row

    def use(self, mm: int, vpn: int, is_file: bool) -> bool:
        """An access. True where the translation was held."""
        is_held = self.use_set(0, mm, vpn)
        if is_file:
            return self.use_set(1, mm, vpn)
        return is_held

    def use_set(self, which: int, mm: int, vpn: int) -> bool:
        """It is in this set from now on, in the place of the one that was not used for longest."""
        if (self.nr_file if which != 0 else self.nr_anon) == 0:
            return False
        head = self.links.first_head + which
        row = self.find(which, mm, vpn)
        if row != 0:
            self.links.move(head, row)
            return True
        row = self.links.prev[head]
        self.forget(row)
        self.key[row] = tlb_key(which, mm, vpn)
        self.chain[row] = self.bucket[tlb_bucket(vpn)]
        self.bucket[tlb_bucket(vpn)] = row
        self.links.move(head, row)
        return False

    def forget(self, row: int) -> None:
        """The row is free from now on."""
        if self.key[row] == 0:
            return
        bucket = tlb_bucket(self.key[row])
        at = self.bucket[bucket]
        if at == row:
            self.bucket[bucket] = self.chain[row]
        else:
            while self.chain[at] != row:
                at = self.chain[at]
            self.chain[at] = self.chain[row]
        self.key[row] = 0

    def drop(self, mm: int, vpn: int) -> None:
        """flush_tlb_page: the entry is cleared."""
        if self.is_on:
            self.drop_from(0, mm, vpn)
            self.drop_from(1, mm, vpn)

    def drop_from(self, which: int, mm: int, vpn: int) -> None:
        row = self.find(which, mm, vpn)
        if row != 0:
            self.forget(row)
            self.links.move_tail(self.links.first_head + which, row)


def tlb_key(which: int, mm: int, vpn: int) -> int:
    return ((mm * 2 + which) << INDEX_BITS) | vpn


def tlb_bucket(vpn: int) -> int:
    """The low bits of the page, so that neighbours lie in buckets of their own; a whole key has the same."""
    return vpn % NR_BUCKETS
