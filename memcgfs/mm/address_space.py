"""The VMAs of one task, sorted by where they start (mm/mmap.c). The engine sees each as a row of arrays; the order is kept here.

Invariants: VMAs do not overlap; neighbours that could be one VMA are one, as vma_merge does it; every leaf of the page table lies
under a VMA.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sortedcontainers import SortedDict

from . import kernel_objects
from .errors import BadRange, MapsNoFile, MappingExists, NotMapped, OutOfMemory, TooManyMappings
from .files import page_tree
from .kmem import VMA_BYTES
from .params import LEAF_ENTRIES, LEAF_MASK, PG_UPTODATE, PTE_PRESENT, PTE_SHIFT, VM_LOCKED, VM_RAND_READ, VM_SEQ_READ, VM_SHARED, VM_WRITE
from .trace_ring import UNMAP_ZAP

if TYPE_CHECKING:
    from .file import OpenFile
    from .machine import Machine

MAX_MAP_COUNT = 65536  # sysctl vm.max_map_count


class AddressSpace:
    """`mm`: its row in core.mms. `users`: tasks that share it (threads). Pages count from 0 to `end`, exclusive.
    `payers`: the container that each VMA is charged to, as kernel memory."""

    def __init__(self, machine: Machine, mm: int, container: int, pid: int) -> None:
        self.machine = machine
        self.core = machine.core
        self.mm = mm
        self.end = machine.task_pages
        self.users = 1
        self.starts: SortedDict[int, int] = SortedDict()
        self.opened: dict[int, OpenFile] = {}
        self.payers: dict[int, int] = {}
        self.core.mms.init(mm, container, pid)
        self.core.token.init(mm, 0)
        self.core.containers.css_get(container)

    @property
    def container(self) -> int:
        return int(self.core.mms.container[self.mm])

    @property
    def total_vm(self) -> int:
        """Pages mapped, present or not."""
        return sum(end - start for start, end, _ in self.ranges())

    def ranges(self) -> Iterator[tuple[int, int, int]]:
        """(start, end, vm_flags) of each VMA, ascending."""
        vmas = self.core.vmas
        for vma in self.starts.values():
            yield vmas.start[vma], vmas.end[vma], vmas.flags[vma]

    def check_range(self, start: int, npages: int) -> None:
        if start < 0 or npages < 1 or start + npages > self.end:
            raise BadRange(f"pages {start}+{npages} are not in 0..{self.end}")

    def find_vma(self, vpn: int) -> int:
        """The VMA that holds the page, or 0. Cost: O(log VMAs)."""
        place = self.starts.bisect_right(vpn) - 1
        if place < 0:
            return 0
        vma: int = self.starts.values()[place]
        return vma if vpn < self.core.vmas.end[vma] else 0

    def overlapping(self, start: int, end: int) -> list[int]:
        """The VMAs that share pages with [start, end), ascending."""
        first = self.find_vma(start)
        found = [first] if first and self.core.vmas.start[first] < start else []
        return found + [self.starts[at] for at in self.starts.irange(start, end, inclusive=(True, False))]

    def check_free(self, start: int, npages: int) -> None:
        self.check_range(start, npages)
        if self.overlapping(start, start + npages):
            raise MappingExists(f"something is mapped in pages {start}+{npages}")

    def map(self, start: int, npages: int, flags: int = VM_WRITE) -> None:
        """An anonymous mapping. Raises BadRange, MappingExists, TooManyMappings."""
        self.check_free(start, npages)
        self.insert(start, start + npages, flags)

    def map_file(self, start: int, npages: int, flags: int, opened: OpenFile, offset: int = 0) -> None:
        """A mapping of a file from this page of it on; the mapping becomes a user of the open file. Raises as map() does."""
        self.check_free(start, npages)
        self.new_vma(start, start + npages, flags, opened, offset)

    def map_missing(self, start: int, end: int) -> None:
        """Maps what is not mapped of [start, end)."""
        vmas = self.core.vmas
        for vma in self.overlapping(start, end):
            if start < vmas.start[vma]:
                self.insert(start, vmas.start[vma], VM_WRITE)
            start = max(start, vmas.end[vma])
        if start < end:
            self.insert(start, end, VM_WRITE)

    def insert(self, start: int, end: int, flags: int) -> None:
        """vma_merge, or a new VMA."""
        vmas = self.core.vmas
        before = self.find_vma(start - 1) if start else 0
        after = self.starts.get(end, 0)
        joins_before = before != 0 and vmas.flags[before] == flags and not vmas.handle[before]
        joins_after = after != 0 and vmas.flags[after] == flags and not vmas.handle[after]
        if joins_before and joins_after and self.may_join(before, after):
            last = vmas.end[after]
            self.adopt_anon_vma(before, after)
            self.drop(after)
            vmas.write(before, self.mm, vmas.start[before], last, flags)
        elif joins_before:
            vmas.write(before, self.mm, vmas.start[before], end, flags)
        elif joins_after:
            del self.starts[end]
            self.starts[start] = after
            vmas.write(after, self.mm, start, vmas.end[after], flags)
        else:
            self.new_vma(start, end, flags)

    def may_join(self, before: int, after: int) -> bool:
        """can_vma_merge_after: what they map goes on from one to the other; of their anon_vmas one is none, or both are the same. (An
        open file is mapped once: neighbours that map the same one were one mapping.)"""
        vmas = self.core.vmas
        if vmas.handle[before] != vmas.handle[after]:
            return False
        anon_vmas = self.core.vmas.anon_vma
        return 0 in (anon_vmas[before], anon_vmas[after]) or bool(anon_vmas[before] == anon_vmas[after])

    def adopt_anon_vma(self, vma: int, other: int) -> None:
        """The joined VMA has the anonymous pages of both."""
        vmas = self.core.vmas
        if vmas.anon_vma[vma] == 0 and vmas.anon_vma[other] != 0:
            vmas.link(vma, vmas.anon_vma[other])

    def new_vma(self, start: int, end: int, flags: int, opened: OpenFile | None = None, pgoff: int = 0) -> int:
        """With a file, the VMA becomes a user of the open file."""
        if len(self.starts) >= MAX_MAP_COUNT:
            raise TooManyMappings(f"a task has at most {MAX_MAP_COUNT} mappings")
        kernel_objects.charge(self.machine, self.container, 0, VMA_BYTES)
        vma = self.machine.vma_ids.take()
        self.payers[vma] = self.container
        self.core.vmas.write(vma, self.mm, start, end, flags)
        self.starts[start] = vma
        if opened is not None:
            opened.get()
            self.opened[vma] = opened
            self.core.vmas.map_file(vma, opened.file.number, opened.handle, pgoff)
        return vma

    def drop(self, vma: int) -> None:
        """The VMA is gone; its pages are not its concern any more."""
        vmas = self.core.vmas
        del self.starts[vmas.start[vma]]
        anon_vma = vmas.anon_vma[vma]
        if vmas.unlink(vma):
            self.machine.anon_vma_ids.give(anon_vma)
        vmas.unmap_file(vma)
        self.machine.vma_ids.give(vma)
        kernel_objects.uncharge(self.machine, self.payers.pop(vma), 0, VMA_BYTES)
        opened = self.opened.pop(vma, None)
        if opened is not None:
            opened.close()

    def split(self, vma: int, at: int) -> None:
        """split_vma: two VMAs that meet at this page; the upper one is new, and joins the anon_vma."""
        vmas = self.core.vmas
        start, end = vmas.start[vma], vmas.end[vma]
        if not start < at < end:
            return
        upper = self.new_vma(at, end, vmas.flags[vma], self.opened.get(vma), vmas.pgoff[vma] + at - start)
        vmas.write(vma, self.mm, start, at, vmas.flags[vma])
        if vmas.anon_vma[vma]:
            vmas.link(upper, vmas.anon_vma[vma])

    def cut(self, start: int, end: int) -> list[int]:
        """The VMAs of [start, end), split so that none reaches beyond."""
        for at in (start, end):
            vma = self.find_vma(at)
            if vma:
                self.split(vma, at)
        return self.overlapping(start, end)

    def unmap(self, start: int, npages: int) -> None:
        """munmap: holes in the range are no error."""
        self.check_range(start, npages)
        end = start + npages
        for vma in self.cut(start, end):
            self.machine.engine.zap_page_range(self.core, self.mm, self.core.vmas.start[vma], self.core.vmas.end[vma], UNMAP_ZAP)
            self.drop(vma)
        self.free_pgtables(start, end)

    def free_pgtables(self, start: int, end: int) -> None:
        """Leaves that no VMA needs any more go back."""
        first, last = start & ~LEAF_MASK, (end + LEAF_MASK) & ~LEAF_MASK
        if first < start and self.overlapping(first, start):
            first += LEAF_ENTRIES
        if end < last and self.overlapping(end, last):
            last -= LEAF_ENTRIES
        if first < last:
            self.machine.engine.free_pgtables(self.core, self.mm, first, last)

    def discard(self, start: int, npages: int) -> None:
        """madvise(MADV_DONTNEED). Raises BadRange for a locked mapping, as the kernel's EINVAL."""
        self.check_range(start, npages)
        end = start + npages
        vmas = self.core.vmas
        found = self.overlapping(start, end)
        if any(vmas.flags[vma] & VM_LOCKED for vma in found):
            raise BadRange("locked pages cannot be discarded")
        for vma in found:
            self.machine.engine.zap_page_range(self.core, self.mm, max(start, vmas.start[vma]), min(end, vmas.end[vma]), UNMAP_ZAP)

    def unlocked(self, start: int, npages: int) -> Iterator[tuple[int, int, int]]:
        """(VMA, start, end) of what is mapped of the range; all of it must be unlocked (can_madv_lru_vma). Raises BadRange, the kernel's
        EINVAL."""
        self.check_range(start, npages)
        vmas = self.core.vmas
        for vma in self.overlapping(start, start + npages):
            if vmas.flags[vma] & VM_LOCKED:
                raise BadRange("locked pages stay in memory")
            yield vma, max(start, vmas.start[vma]), min(start + npages, vmas.end[vma])

    def lazy_free(self, start: int, npages: int) -> None:
        """madvise(MADV_FREE), for anonymous memory only: raises BadRange elsewhere (EINVAL)."""
        for vma, first, end in self.unlocked(start, npages):
            if self.core.vmas.handle[vma]:
                raise BadRange("only anonymous memory can be freed")
            self.machine.engine.madvise_free_range(self.core, self.mm, first, end)

    def cool(self, start: int, npages: int, is_pageout: bool) -> None:
        """madvise(MADV_COLD), or MADV_PAGEOUT."""
        for _, first, end in self.unlocked(start, npages):
            self.machine.engine.madvise_cold_range(self.core, self.mm, first, end, is_pageout)

    def punch_holes(self, start: int, npages: int) -> None:
        """madvise(MADV_REMOVE): what shared mappings have there of their files is a hole from now on. Raises BadRange for a mapping that
        is none (EINVAL), or not shared (EACCES)."""
        vmas = self.core.vmas
        for vma, first, end in self.unlocked(start, npages):
            if not vmas.handle[vma] or not vmas.flags[vma] & VM_SHARED:
                raise BadRange("only a shared mapping's pages can be removed from its file")
            index = vmas.pgoff[vma] + first - vmas.start[vma]
            self.machine.engine.truncate_range(self.core, self.core.open_files.file[vmas.handle[vma]], index, index + end - first)

    def populated_by_writing(self, start: int, npages: int) -> Iterator[tuple[int, int, bool]]:
        """populate_vma_page_range: (start, end, write?) of each VMA. Since 2.6.38 what is shared is read only; what may not be written is
        read."""
        vmas = self.core.vmas
        for vma in self.overlapping(start, start + npages):
            flags = vmas.flags[vma]
            write = bool(flags & VM_WRITE) and not (flags & VM_SHARED and self.core.rules.keeps_unevictable)
            yield max(start, vmas.start[vma]), min(start + npages, vmas.end[vma]), write

    def set_read_hint(self, start: int, npages: int, hint: int) -> None:
        """madvise(MADV_NORMAL), _SEQUENTIAL or _RANDOM: 0, VM_SEQ_READ or VM_RAND_READ, for what is mapped of the range."""
        self.check_range(start, npages)
        vmas = self.core.vmas
        for vma in self.cut(start, start + npages):
            flags = vmas.flags[vma] & ~(VM_SEQ_READ | VM_RAND_READ) | hint
            vmas.write(vma, self.mm, vmas.start[vma], vmas.end[vma], flags)
        self.join_neighbours(start, start + npages)

    def read_in(self, start: int, npages: int) -> None:
        """madvise(MADV_WILLNEED): what the range maps of files is read in. Raises MapsNoFile where it maps none (EBADF)."""
        self.check_range(start, npages)
        vmas = self.core.vmas
        for vma in self.overlapping(start, start + npages):
            if not vmas.handle[vma]:
                raise MapsNoFile("only a file's pages can be read in advance")
            first, end = max(start, vmas.start[vma]), min(start + npages, vmas.end[vma])
            index = vmas.pgoff[vma] + first - vmas.start[vma]
            self.machine.engine.force_page_cache_readahead(self.core, self.core.open_files.file[vmas.handle[vma]], index, end - first)

    def is_in_core(self, page: int) -> bool:
        """mincore_page: of a page that is not mapped its mapping's cache is asked, of a swapped one the swap cache."""
        pte = self.core.tables.entry(self.mm, page)
        if pte & PTE_PRESENT:
            return True
        vma = self.find_vma(page)
        if not vma:
            raise NotMapped(f"page {page} is not mapped")
        if pte:
            pfn = self.core.swap.cache[pte >> PTE_SHIFT]
        elif self.core.vmas.handle[vma]:
            vmas = self.core.vmas
            file = self.core.open_files.file[vmas.handle[vma]]
            pfn = self.core.trees.lookup(page_tree(file), page - vmas.start[vma] + vmas.pgoff[vma])
        else:
            return False
        return bool(pfn and self.core.frames.has(pfn, PG_UPTODATE))

    def check_mapped(self, start: int, npages: int) -> None:
        """Raises OutOfMemory where the range is not mapped throughout, as mlock(2)."""
        self.check_range(start, npages)
        vmas = self.core.vmas
        at = start
        for vma in self.overlapping(start, start + npages):
            if vmas.start[vma] > at:
                break
            at = vmas.end[vma]
        if at < start + npages:
            raise OutOfMemory(f"pages {start}+{npages} are not mapped throughout")

    def set_locked(self, start: int, npages: int, locked: bool) -> None:
        """mlock and munlock of ranges that are mapped throughout."""
        self.check_mapped(start, npages)
        vmas = self.core.vmas
        for vma in self.cut(start, start + npages):
            flags = vmas.flags[vma] | VM_LOCKED if locked else vmas.flags[vma] & ~VM_LOCKED
            vmas.write(vma, self.mm, vmas.start[vma], vmas.end[vma], flags)
            if self.core.rules.keeps_unevictable:
                self.machine.engine.mlock_vma_pages_range(self.core, self.mm, vmas.start[vma], vmas.end[vma], locked)
        self.join_neighbours(start, start + npages)

    def join_neighbours(self, start: int, end: int) -> None:
        """Puts VMAs together again that a change of flags made alike."""
        vmas = self.core.vmas
        before = self.find_vma(start - 1) if start else self.find_vma(start)
        while before and vmas.start[before] < end:
            after = self.starts.get(vmas.end[before], 0)
            if not after or vmas.start[after] > end:
                return
            if vmas.flags[before] == vmas.flags[after] and self.may_join(before, after):
                last = vmas.end[after]
                self.adopt_anon_vma(before, after)
                self.drop(after)
                vmas.write(before, self.mm, vmas.start[before], last, vmas.flags[before])
            else:
                before = after

    def copy_to(self, child: AddressSpace) -> bool:
        """dup_mmap: the child gets the same VMAs and shares their pages. False where memory ran out half-way."""
        vmas = self.core.vmas
        for vma in list(self.starts.values()):
            start, end = vmas.start[vma], vmas.end[vma]
            copy = child.new_vma(start, end, vmas.flags[vma] & ~VM_LOCKED, self.opened.get(vma), vmas.pgoff[vma])
            if not vmas.anon_vma[vma]:
                continue  # nothing but zero pages and pages of files, which the child's own faults find
            vmas.link(copy, vmas.anon_vma[vma])
            cow = not vmas.flags[vma] & VM_SHARED
            if self.machine.engine.copy_page_range(self.core, self.mm, child.mm, start, end, cow) != 0:
                return False
        return True

    def teardown(self) -> None:
        """exit_mmap: pages, VMAs and page tables go back, and so does the reference on the container."""
        vmas = self.core.vmas
        for vma in list(self.starts.values()):
            self.machine.engine.zap_page_range(self.core, self.mm, vmas.start[vma], vmas.end[vma], UNMAP_ZAP)
        if self.starts:
            last = vmas.end[self.starts.values()[-1]]
            self.machine.engine.free_pgtables(self.core, self.mm, self.starts.keys()[0] & ~LEAF_MASK, last)
        for vma in list(self.starts.values()):
            self.drop(vma)
        self.core.containers.css_put(self.container)
