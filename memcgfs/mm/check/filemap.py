"""Files and their pages, tags, blocks and shadows."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from .. import params
from ..dump import entries
from ..files import I_DIRTY, I_LOCK, block_tree, page_tree, shadow_tree
from ..params import INDEX_BITS
from ..radix_tree import MAP_SHIFT, TAG_DIRTY, TAG_WRITEBACK
from .walk import Walk

if TYPE_CHECKING:
    from ..core import Core


def check_files(walk: Walk) -> None:
    """A file and its pages know each other; its tags, dirty pages, blocks, mappings and place among the dirty files are as marked."""
    core, files = walk.core, walk.core.files
    mappings = memoryview(core.frames.mapping)
    cached: set[int] = set()
    blocks: Counter[int] = Counter()
    nodes = dirty_pages = nr_shadows = 0
    waiting = set(core.files.dirty.order(files.s_dirty)) | set(core.files.dirty.order(files.s_io))
    swapped = set(core.files.dirty.order(files.shmem_swaplist))
    for number, file in walk.machine.files.items():
        pages = entries(core, 2 * number)
        cached.update(pages.values())
        walk.equal(f"file {number}: pages", files.nr_pages[number], len(pages))
        for index, pfn in pages.items():
            flags = walk.flags[pfn]
            walk.equal(f"frame {pfn}: its file and index", mappings[pfn], number << INDEX_BITS | index)
            for tag, flag in ((TAG_DIRTY, params.PG_DIRTY), (TAG_WRITEBACK, params.PG_WRITEBACK)):
                tagged = core.trees.next_index(2 * number, index, tag) == index
                expected = file.is_on_disk and bool(flags & flag)
                walk.expect(tagged == expected, f"file {number}: tag {tag} of page {index} is {tagged}, flags {flags:#x}")
            dirty_pages += file.is_on_disk and bool(flags & params.PG_DIRTY)
        is_dirty = core.trees.is_tagged(2 * number, TAG_DIRTY)
        walk.expect(not is_dirty or number in waiting, f"file {number} has dirty pages, and does not wait to be written")
        places = entries(core, 2 * number + 1)
        last = max((*pages, *places), default=-1)
        walk.expect(last < files.nr_size_pages(number), f"file {number} has something of page {last}, behind its end")
        walk.expect(not files.state[number] & I_LOCK, f"file {number} is being written")
        walk.expect(not files.state[number] & I_DIRTY or number in waiting, f"file {number} is dirty, and on no list")
        walk.equal(f"file {number}: blocks", files.nr_blocks[number], len(places))
        if file.is_on_disk:
            blocks.update(places.values())
        else:
            in_swap = f"file {number}: on the list of files in memory with pages in swap"
            walk.expect((number in swapped) == bool(places), in_swap)
            walk.expect(not places.keys() & pages.keys(), f"file {number}: a page is in memory and in swap")
        trees = (page_tree(number), block_tree(number), shadow_tree(files, number))
        nodes += sum(nr_nodes(core, tree) for tree in trees)
        shadows = entries(core, trees[2])
        walk.equal(f"file {number}: shadows", files.nr_shadows[number], len(shadows))
        walk.expect(not shadows.keys() & pages.keys(), f"file {number}: a page is in memory, and has left a shadow")
        walk.expect(all(core.shadows.whose[row] for row in shadows.values()), f"file {number}: a shadow that is nobody's")
        nr_shadows += len(shadows)
    walk.equal("shadows of files' pages", core.shadows.nr_used, nr_shadows)
    walk.equal("nodes of radix trees", core.trees.nr_nodes_used, nodes)
    walk.expect(cached == walk.with_flag(params.PG_CACHE), "the pages of the files are not those that are marked so")
    walk.equal("nr_dirty", core.zones.total(params.NR_FILE_DIRTY), dirty_pages)
    walk.expect(max(blocks.values(), default=1) == 1, "a block belongs to two pages")
    walk.equal("free blocks", core.blocks.nr_free(), core.blocks.nr_blocks - 1 - len(blocks))
    walk.equal("pages about to be read ahead", core.open_files.nr_pooled, 0)
    walk.equal("pages about to be written", files.nr_pvec, 0)
    walk.equal("pages of a call on their way to the LRU", core.open_files.nr_lru_pvec, 0)
    walk.expect(not core.is_writing_file, "a write() is under way")
    for vma in [vma for space in walk.machine.spaces.values() for vma in space.starts.values()]:
        handle = core.vmas.handle[vma]
        if handle:
            listed = core.vmas.i_mmap.order(core.vmas.file_head(core.open_files.file[handle]))
            walk.equal(f"VMA {vma}: times on the list of its file", listed.count(vma), 1)


def nr_nodes(core: Core, tree: int) -> int:
    """Nodes that the entries of this tree need, counted level by level."""
    total = 0
    keys = set(entries(core, tree))
    for _ in range(core.trees.height[tree]):
        keys = {key >> MAP_SHIFT for key in keys}
        total += len(keys)
    return total
