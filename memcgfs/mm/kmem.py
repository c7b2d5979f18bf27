"""Memory of the kernel's own that is charged to whoever needs it (mm/slab.h: memcg_slab_post_alloc_hook; mm/memcontrol.c:
obj_cgroup_charge, obj_cgroup_uncharge).

Whole pages (page tables, stacks) are charged as such, through the rules. Objects are charged by their bytes: each container pays for as
many pages as its objects would fill. A charge is the current task's, whatever address space it works on. None of this takes frames,
but for page tables: it is a charge that is modelled, with the sizes of x86_64 below, each with the pointer to its owner (8 bytes).
"""

from __future__ import annotations

from typing import Final

from .core import Core
from .params import PAGE_BYTES

XA_NODE_BYTES: Final = 584  # struct xa_node: 64 slots of a file's tree of pages
BUFFER_HEAD_BYTES: Final = 112  # struct buffer_head: for each block of a file's page that is written
VMA_BYTES: Final = 200  # struct vm_area_struct
FILE_BYTES: Final = 200  # struct file
SHMEM_INODE_BYTES: Final = 940  # struct shmem_inode_info, and its dentry


def accounts_kmem(core: Core) -> bool:
    return core.charges_kmem and core.rules.charges_once


def kmem_charge_pages(core: Core, container: int, nr_pages: int) -> int:
    """memcg_kmem_charge_page: whole pages. 0, or -ENOMEM."""
    if container == 0 or nr_pages == 0 or not accounts_kmem(core):
        return 0
    return core.rules.charge_kmem(core, container, nr_pages)


def kmem_uncharge_pages(core: Core, container: int, nr_pages: int) -> None:
    """The container may be offline by now."""
    if container != 0 and nr_pages > 0 and accounts_kmem(core):
        core.rules.uncharge_kmem(core, container, nr_pages)


def pages_of_objects(nr_bytes: int) -> int:
    return (nr_bytes + PAGE_BYTES - 1) // PAGE_BYTES


def kmem_alloc(core: Core, container: int, nr_bytes: int) -> int:
    """Objects of so many bytes. 0, or -ENOMEM. The top container's are nobody's."""
    if container == 0 or not accounts_kmem(core):
        return 0
    charged = 0
    needed = pages_for(core, container, nr_bytes)
    while charged < needed:
        error = kmem_charge_pages(core, container, needed - charged)
        if error != 0:
            kmem_uncharge_pages(core, container, charged)
            return error
        charged = needed
        needed = pages_for(core, container, nr_bytes)  # the charge may have reclaimed others of its objects
    core.containers.object_bytes[container] += nr_bytes
    kmem_uncharge_pages(core, container, charged - needed)
    return 0


def pages_for(core: Core, container: int, nr_bytes: int) -> int:
    """How many pages more its objects would fill."""
    old = core.containers.object_bytes[container]
    return pages_of_objects(old + nr_bytes) - pages_of_objects(old)


def kmem_free(core: Core, container: int, nr_bytes: int) -> None:
    """They are gone. The container may be offline by now."""
    if container == 0 or not accounts_kmem(core):
        return
    old = core.containers.object_bytes[container]
    core.containers.object_bytes[container] = old - nr_bytes
    kmem_uncharge_pages(core, container, pages_of_objects(old) - pages_of_objects(old - nr_bytes))


def charge_tree_nodes(core: Core) -> None:
    """The nodes that a tree of pages has just got are the current task's. One that cannot be charged is nobody's."""
    while core.trees.nr_fresh > 0:
        core.trees.nr_fresh -= 1
        node = core.trees.fresh[core.trees.nr_fresh]
        if core.current_memcg != 0 and kmem_alloc(core, core.current_memcg, XA_NODE_BYTES) == 0:
            core.trees.owner[node] = core.current_memcg


def settle_tree_nodes(core: Core) -> None:
    """Nodes that somebody paid for, and no tree has any more, go back."""
    while core.trees.first_owned != 0:
        node = core.trees.take_owned()
        container = core.trees.owner[node]
        core.trees.owner[node] = 0
        core.trees.free_node(node)
        kmem_free(core, container, XA_NODE_BYTES)


def create_empty_buffers(core: Core, pfn: int) -> None:
    """A page of the disk's that is written gets its buffer heads, at the expense of who pays for the page; `private` says who did."""
    if core.frames.private[pfn] == 0 and core.frames.meta_refs[pfn] != 0 and core.frames.container[pfn] != 0 and accounts_kmem(core):
        container = core.frames.container[pfn]
        if kmem_alloc(core, container, BUFFER_HEAD_BYTES) == 0:
            core.frames.private[pfn] = container


def drop_buffers(core: Core, pfn: int) -> None:
    container = core.frames.private[pfn]
    if container != 0:
        core.frames.private[pfn] = 0
        kmem_free(core, container, BUFFER_HEAD_BYTES)
