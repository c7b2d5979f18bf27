"""Page tables, under the VMAs that they belong to."""

from __future__ import annotations

from collections import Counter

from .. import params
from ..pagetable import leaf_end, pte_place, word_of
from ..params import INDEX_BITS, PTE_PRESENT, PTE_SHIFT, ZERO_PAGE
from .walk import Walk


def check_page_tables(walk: Walk) -> None:
    """Each entry lies under a VMA; resident and swapped pages are as counted; anonymous pages are found by their reverse map."""
    core, vmas = walk.core, walk.core.vmas
    mappings = memoryview(core.frames.mapping)
    ram = memoryview(core.tables.ram)
    for mm, space in walk.machine.spaces.items():
        anon = file = swapped = 0
        entries: Counter[int] = Counter()
        for start, vma in space.starts.items():
            end = vmas.end[vma]
            walk.expect(vmas.mm[vma] == mm and vmas.start[vma] == start < end, f"mm {mm}: VMA {vma} is not where it is sorted")
            vpn = core.tables.next_leaf(mm, start, end)
            while vpn < end:
                leaf = core.tables.leaf(mm, vpn)
                stop = leaf_end(vpn, end)
                entries[leaf] += 0
                for page in range(vpn, stop):
                    pte = ram[pte_place(leaf, page)]
                    entries[leaf] += pte != 0
                    if pte & PTE_PRESENT:
                        pfn = pte >> PTE_SHIFT
                        walk.mapped[pfn] += 1
                        if walk.flags[pfn] & params.PG_ANON:
                            anon += 1
                            walk.equal(f"frame {pfn}: reverse map", mappings[pfn], vmas.anon_vma[vma] << INDEX_BITS | page)
                        else:
                            file += pfn != ZERO_PAGE or core.rules.counts_zero_page
                            check_file_page(walk, pfn, vma, page)
                    elif pte:
                        swapped += 1
                        walk.swapped[pte >> PTE_SHIFT] += 1
                vpn = core.tables.next_leaf(mm, stop, end)
        for leaf, count in entries.items():
            walk.expect(bool(walk.flags[leaf] & params.PG_TABLE), f"frame {leaf} is no page table")
            words = ram[word_of(leaf) : word_of(leaf + 1)]
            walk.equal(f"frame {leaf}: page table entries, all under a VMA", sum(1 for word in words if word), count)
        walk.equal(f"mm {mm}: anon_rss", core.mms.anon_rss[mm], anon)
        walk.equal(f"mm {mm}: file_rss", core.mms.file_rss[mm], file)
        walk.equal(f"mm {mm}: swap entries", core.mms.swap_ptes[mm], swapped)
        walk.equal(f"mm {mm}: page tables", core.mms.nr_ptes[mm], len(entries))
        walk.leaves |= entries.keys()
    walk.equal("page tables", core.zones.total(params.NR_PAGETABLE), len(walk.leaves))
    walk.expect(walk.with_flag(params.PG_TABLE) == walk.leaves, "a page table belongs to no address space")


def check_file_page(walk: Walk, pfn: int, vma: int, page: int) -> None:
    """What is mapped and not anonymous is the zero page, or the page of the VMA's file."""
    vmas = walk.core.vmas
    if not vmas.handle[vma]:
        walk.expect(pfn == ZERO_PAGE, f"frame {pfn} is mapped at page {page}, and is not anonymous")
        return
    file = walk.core.open_files.file[vmas.handle[vma]]
    index = page - vmas.start[vma] + vmas.pgoff[vma]
    in_file = bool(walk.flags[pfn] & params.PG_CACHE) and walk.core.frames.mapping[pfn] == file << INDEX_BITS | index
    walk.expect(in_file, f"frame {pfn} is mapped at page {page}, which is page {index} of file {file}")
