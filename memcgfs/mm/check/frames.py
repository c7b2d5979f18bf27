"""Every frame's references and mappings, and the statistics made of them."""

from __future__ import annotations

from collections import Counter

from .. import params
from ..params import ZERO_PAGE
from .walk import Walk


def check_references(walk: Walk) -> None:
    """page_count and page_mapcount of every frame, and the statistics made of them."""
    core = walk.core
    waiting = Counter(pfn for pages in core.model.waiting() for pfn in pages)
    blocks = dict(block for task in walk.machine.tasks.values() for block in task.blocks)
    held = {page for pfn, order in blocks.items() for page in range(pfn, pfn + (1 << order))}
    walk.expect(walk.with_flag(params.PG_BLOCK) == held, "blocks of kernel memory are not those that tasks hold")
    anon = 0
    mapped_files = int(walk.mapped[ZERO_PAGE] > 0)
    for pfn in walk.frames():
        flags = walk.flags[pfn]
        walk.equal(f"frame {pfn}: mapcount", walk.mapcount[pfn], walk.mapped[pfn])
        cached = bool(flags & (params.PG_SWAPCACHE | params.PG_CACHE))
        references = walk.mapped[pfn] + cached + waiting[pfn] + (pfn in walk.leaves) + (pfn in walk.slabs) + (pfn in blocks)
        walk.equal(f"frame {pfn}: count", walk.count[pfn], references)
        walk.expect((references == 0 and pfn not in held) == (pfn in walk.free), f"frame {pfn}: {references} references, flags {flags:#x}")
        if walk.mapped[pfn] > 0:
            anon += bool(flags & params.PG_ANON)
            mapped_files += not flags & params.PG_ANON
    walk.equal("zero page: count", walk.count[ZERO_PAGE], walk.mapped[ZERO_PAGE] + 1)
    walk.equal("nr_anon_pages", core.zones.total(params.NR_ANON_PAGES), anon)
    walk.equal("nr_mapped", core.zones.total(params.NR_FILE_MAPPED), mapped_files)
    in_a_cache = len(walk.with_flag(params.PG_SWAPCACHE)) + len(walk.with_flag(params.PG_CACHE))
    walk.equal("nr_file_pages", core.zones.total(params.NR_FILE_PAGES), in_a_cache)
