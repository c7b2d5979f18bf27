"""Translations that the processor still holds (x86: mm/pgtable.c, ptep_clear_flush_young).

Reclaim clears the accessed bit of an entry without flushing its translation. As long as that one is held, an access goes by without a
look at the entry, and does not make it young again: the page looks unused at its next scan, however hot it is. Unmapping a page drops
its translation. How many survive is a property of the machine; here the last ones used do, so many of anonymous memory and so many of
mapped files. A machine with 0 of both is one whose entries are always young after an access.
"""

from __future__ import annotations

from typing import Final

from .arrays import Arrays
from .lists import Links
from .params import INDEX_BITS

NR_BUCKETS: Final = 1024


class Tlb:
    """Rows from 1 on, first those of anonymous memory; each set is a list, the last one used foremost. key: address space and page, 0 in a
    row that is free; bucket, chain: rows by a hash of their key."""

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

    def find(self, mm: int, vpn: int) -> int:
        """The row, or 0."""
        row = self.bucket[tlb_bucket(mm, vpn)]
        while row != 0 and self.key[row] != tlb_key(mm, vpn):
            row = self.chain[row]
        return row

    def use(self, mm: int, vpn: int, is_file: bool) -> bool:
        """An access. True where the translation was held; it is now, in the place of the one that was not used for longest."""
        if (self.nr_file if is_file else self.nr_anon) == 0:
            return False
        row = self.find(mm, vpn)
        if row != 0:
            self.links.move(self.links.first_head + (row > self.nr_anon), row)
            return True
        row = self.links.prev[self.links.first_head + is_file]
        self.forget(row)
        self.key[row] = tlb_key(mm, vpn)
        self.chain[row] = self.bucket[tlb_bucket(mm, vpn)]
        self.bucket[tlb_bucket(mm, vpn)] = row
        self.links.move(self.links.first_head + is_file, row)
        return False

    def forget(self, row: int) -> None:
        """The row is free from now on."""
        if self.key[row] == 0:
            return
        bucket = tlb_bucket(self.key[row] >> INDEX_BITS, self.key[row])
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
            row = self.find(mm, vpn)
            if row != 0:
                self.forget(row)
                self.links.move_tail(self.links.first_head + (row > self.nr_anon), row)


def tlb_key(mm: int, vpn: int) -> int:
    return (mm << INDEX_BITS) | vpn


def tlb_bucket(mm: int, vpn: int) -> int:
    """The low bits of the page, so that neighbours lie in buckets of their own."""
    return (vpn ^ mm * 97) % NR_BUCKETS
