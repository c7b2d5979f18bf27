"""Address spaces as the engine needs them: mm_struct, vm_area_struct and anon_vma as rows of arrays.

The sorted map of a task's VMAs is Python's (address_space.py); a fault needs only the row of the one VMA that it hits. Number 0 is
"none" for VMAs and anon_vmas, and init_mm for address spaces: who has no mm is charged as the top container is.
"""

from __future__ import annotations

from .arrays import Arrays
from .lists import Links


class AddressSpaces:
    """mm_struct: the container that its faults are charged to, the task that it was made for, and what it maps.

    in_fault: its mmap_sem is held by faults that have not ended. unuse_vpn: where swapoff found its last page. No number from nr_known
    up was ever used.
    """

    def __init__(self, arrays: Arrays, nr_mms: int) -> None:
        self.nr_mms = nr_mms
        self.container = arrays.of("I", nr_mms)
        self.pid = arrays.of("I", nr_mms)
        self.anon_rss = arrays.of("q", nr_mms)
        self.file_rss = arrays.of("q", nr_mms)
        self.swap_ptes = arrays.of("q", nr_mms)
        self.nr_ptes = arrays.of("q", nr_mms)
        self.min_flt = arrays.of("q", nr_mms)
        self.maj_flt = arrays.of("q", nr_mms)
        self.in_fault = arrays.of("I", nr_mms)
        self.unuse_vpn = arrays.of("Q", nr_mms)
        self.nr_known = 1

    def init(self, mm: int, container: int, pid: int) -> None:
        self.container[mm] = container
        self.pid[mm] = pid
        self.min_flt[mm] = 0
        self.maj_flt[mm] = 0
        self.unuse_vpn[mm] = 0
        self.nr_known = max(self.nr_known, mm + 1)

    def counts(self, mm: int) -> tuple[int, int, int, int]:
        """(anon_rss, file_rss, swap entries, page-table pages)."""
        return (self.anon_rss[mm], self.file_rss[mm], self.swap_ptes[mm], self.nr_ptes[mm])


class Vmas:
    """vm_area_struct: a range of pages of one address space; those of one anon_vma are linked, the oldest first, and those of one file.

    handle: the open file that is mapped (0: anonymous memory); pgoff: the file's page that lies at the start.
    """

    def __init__(self, arrays: Arrays, nr_vmas: int, nr_files: int) -> None:
        self.nr_vmas = nr_vmas
        self.start = arrays.of("Q", nr_vmas)
        self.end = arrays.of("Q", nr_vmas)
        self.mm = arrays.of("I", nr_vmas)
        self.flags = arrays.of("I", nr_vmas)
        self.anon_vma = arrays.of("I", nr_vmas)
        self.handle = arrays.of("I", nr_vmas)
        self.pgoff = arrays.of("Q", nr_vmas)
        self.links = Links(arrays.of("I", 2 * nr_vmas), arrays.of("I", 2 * nr_vmas), nr_vmas)
        self.i_mmap = Links(arrays.of("I", nr_vmas + nr_files), arrays.of("I", nr_vmas + nr_files), nr_vmas)

    def holds(self, vma: int, mm: int, vpn: int) -> bool:
        return self.mm[vma] == mm and self.start[vma] <= vpn < self.end[vma]

    def file_head(self, file: int) -> int:
        """The list of the VMAs that map a file (i_mmap). A file without any has none yet."""
        if self.i_mmap.next[self.nr_vmas + file] == 0:
            self.i_mmap.init_head(self.nr_vmas + file)
        return self.nr_vmas + file

    def map_file(self, vma: int, file: int, handle: int, pgoff: int) -> None:
        """vma_link: the VMA maps this file from now on."""
        self.handle[vma] = handle
        self.pgoff[vma] = pgoff
        self.i_mmap.add_tail(self.file_head(file), vma)

    def unmap_file(self, vma: int) -> None:
        """unlink_file_vma. One that maps none stays as it is."""
        self.i_mmap.remove(vma)
        self.handle[vma] = 0
        self.pgoff[vma] = 0

    def file_index(self, vma: int, vpn: int) -> int:
        """The file's page at this page of the address space."""
        return vpn - self.start[vma] + self.pgoff[vma]

    def anon_vma_head(self, anon_vma: int) -> int:
        return self.nr_vmas + anon_vma

    def write(self, vma: int, mm: int, start: int, end: int, flags: int) -> None:
        self.mm[vma] = mm
        self.start[vma] = start
        self.end[vma] = end
        self.flags[vma] = flags

    def link(self, vma: int, anon_vma: int) -> None:
        """anon_vma_link: the VMA's anonymous pages are found through this anon_vma from now on."""
        self.anon_vma[vma] = anon_vma
        self.links.add_tail(self.anon_vma_head(anon_vma), vma)

    def unlink(self, vma: int) -> bool:
        """anon_vma_unlink: True where it was the last VMA of its anon_vma."""
        anon_vma = self.anon_vma[vma]
        self.mm[vma] = 0
        if anon_vma == 0:
            return False
        self.anon_vma[vma] = 0
        self.links.remove(vma)
        return self.links.is_empty(self.anon_vma_head(anon_vma))
