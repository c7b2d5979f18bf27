"""The dentry cache: names that were looked up (fs/dcache.c: d_alloc, dput, prune_dcache, shrink_dcache_memory).

A name that does not exist leaves a negative dentry, which nobody uses, and which the kernel keeps in case that somebody asks again. All
dentries of this machine are of that kind: each is on the list of unused ones from its birth to its end.

A dentry begins referenced, and is passed over once for it: pruned is what was not asked for since the list's end came by the last time.
"""

from __future__ import annotations

from .core import Core
from .params import GFP_FS
from .slab import kmem_cache_alloc, kmem_cache_free, object_words
from .slabs import DCACHE_REFERENCED, OBJECT_FLAGS, OBJECT_IN_USE, OBJECT_NEWER, OBJECT_OLDER
from .waiting import next_due_ns, run_due


def add_unused(core: Core, dentry: int) -> None:
    """To the front of the list of unused dentries."""
    at = object_words(dentry)
    core.tables.ram[at + OBJECT_NEWER] = 0
    core.tables.ram[at + OBJECT_OLDER] = core.dentry_cache.newest
    if core.dentry_cache.newest != 0:
        core.tables.ram[object_words(core.dentry_cache.newest) + OBJECT_NEWER] = dentry
    else:
        core.dentry_cache.oldest = dentry
    core.dentry_cache.newest = dentry


def take_oldest(core: Core) -> int:
    """The dentry at the end of the list, which it leaves. There is one."""
    dentry = core.dentry_cache.oldest
    newer = core.tables.ram[object_words(dentry) + OBJECT_NEWER]
    core.dentry_cache.oldest = newer
    if newer != 0:
        core.tables.ram[object_words(newer) + OBJECT_OLDER] = 0
    else:
        core.dentry_cache.newest = 0
    return dentry


def lookup_missing(core: Core, count: int) -> int:
    """Looks up so many new names that do not exist; gives how many before memory ran out, or the task was killed.

    What falls due meanwhile is done after each, as after each fault.
    """
    done = 0
    while done < count and not core.current_is_killed:
        dentry = kmem_cache_alloc(core, core.dentry_cache)
        if dentry == 0:
            break
        core.tables.ram[object_words(dentry) + OBJECT_FLAGS] = OBJECT_IN_USE | DCACHE_REFERENCED
        add_unused(core, dentry)
        done += 1
        if 0 <= next_due_ns(core) <= core.clock_ns:
            run_due(core)
    return done


def prune_dcache(core: Core, count: int) -> None:
    """Looks at so many unused dentries, the oldest first: one that is referenced has another round, any other is freed."""
    while count > 0 and core.dentry_cache.oldest != 0:
        count -= 1
        dentry = take_oldest(core)
        at = object_words(dentry)
        if core.tables.ram[at + OBJECT_FLAGS] & DCACHE_REFERENCED:
            core.tables.ram[at + OBJECT_FLAGS] = OBJECT_IN_USE
            add_unused(core, dentry)
        else:
            kmem_cache_free(core, core.dentry_cache, dentry)


def shrink_dcache_memory(core: Core, nr: int, gfp: int) -> int:
    """The shrinker: looks at nr dentries, and says how many there are, in hundreds and as vfs_cache_pressure weighs them (in percent).

    -1: whoever asks must not enter a filesystem. The answer is an int of C; where the kernel's would wrap, ours is the largest.
    """
    if nr > 0:
        if gfp & GFP_FS == 0:
            return -1
        prune_dcache(core, nr)
    return min(core.dentry_cache.nr_objects // 100 * core.vfs_cache_pressure, 0x7FFFFFFF)
