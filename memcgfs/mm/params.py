"""Every number of the engine that is fixed: page flags, page-table bits, statistics, places where an operation may be interleaved.

What a test wants to make small (batch sizes, priorities, waits) is no constant but a field of MachineConfig.
"""

from __future__ import annotations

from typing import Final

# 1: lock order and page locks are asserted. The join puts 0 here: an assertion cannot be raised without the GIL.
LOCKDEP: Final = 1

# struct page flags (include/linux/page-flags.h); the bits above ZONE_SHIFT hold the frame's zone.
PG_LOCKED: Final = 0x1
PG_REFERENCED: Final = 0x2
PG_UPTODATE: Final = 0x4
PG_DIRTY: Final = 0x8
PG_LRU: Final = 0x10
PG_ACTIVE: Final = 0x20
PG_WRITEBACK: Final = 0x40
PG_RECLAIM: Final = 0x80
PG_READAHEAD: Final = 0x80  # the same bit: a page is never both being written for reclaim and the mark of a window
PG_SWAPCACHE: Final = 0x100
PG_ANON: Final = 0x200
PG_FREE: Final = 0x400  # on a free list (PageBuddy)
PG_TABLE: Final = 0x800  # holds a leaf of a page table
PG_CONTENT: Final = 0x1000  # its bytes were written; without it the page reads as zeros
PG_METAPAGE: Final = 0x2000  # the meta page's bit lock (bit 21 in 2007)
PG_RESERVED: Final = 0x4000  # frame 0: the zero page
PG_CHARGED_CACHE: Final = 0x8000  # charged as cache, not as mapped memory (for memory.stat)
PG_ERROR: Final = 0x10000  # a write of it failed
PG_CACHE: Final = 0x20000  # a file's page in the page cache: page->mapping is set
PG_SLAB: Final = 0x40000  # holds objects of a kernel cache
PG_BLOCK: Final = 0x80000  # in a block of kernel memory that a task holds
PG_META_ACTIVE: Final = 0x100000  # its record is on its group's active list (PAGE_CGROUP_FLAG_ACTIVE of 2.6.25)
PG_TAIL: Final = 0x200000  # a page of a folio, and not its first: the folio is counted once
PG_MLOCKED: Final = 0x400000  # mapped by a VMA that is locked in memory, under rules that keep such pages from reclaim's lists
PG_WORKINGSET: Final = 0x800000  # was on the active list, or would be (workingset.py)
PG_SWAPBACKED: Final = 0x1000000  # needs a slot of swap to go; kept by models that list such pages apart
PG_UNEVICTABLE: Final = 0x2000000  # on the list that reclaim does not walk
ZONE_SHIFT: Final = 26
PG_MASK: Final = 0x3FFFFFF

ZERO_PAGE: Final = 0  # the frame that every read fault on untouched anonymous memory maps

# A page, of all architectures that there are.
PAGE_SHIFT: Final = 12
PAGE_BYTES: Final = 4096
PAGE_WORDS: Final = 512
KB_PER_PAGE: Final = 4

# Page table entries, x86's own bits. Not present and not zero: a swap entry, its slot where the frame number would be.
PTE_PRESENT: Final = 0x1
PTE_RW: Final = 0x2
PTE_ACCESSED: Final = 0x20
PTE_DIRTY: Final = 0x40
PTE_SHIFT: Final = 12

# A page's `mapping` word: anon_vma number above, page offset (35 bits) below.
INDEX_BITS: Final = 35

# Page tables: a leaf of 512 entries fills one frame; the emulator finds leaves by segment, segments by address space.
LEAF_SHIFT: Final = 9
LEAF_ENTRIES: Final = 512
LEAF_MASK: Final = 511
SEGMENT_SHIFT: Final = 22
SEGMENT_BITS: Final = 13
SEGMENT_MASK: Final = 8191

# vm_flags
VM_WRITE: Final = 0x2
VM_SHARED: Final = 0x8
VM_LOCKED: Final = 0x2000
VM_SEQ_READ: Final = 0x8000  # madvise: its pages are read in order
VM_RAND_READ: Final = 0x10000  # or in no order
VM_LOCKED_SHARED: Final = 0x2008
VM_WRITTEN_SHARED: Final = 0xA

# Zone statistics (include/linux/mmzone.h: enum zone_stat_item)
NR_FREE_PAGES: Final = 0
NR_INACTIVE: Final = 1
NR_ACTIVE: Final = 2
NR_ANON_PAGES: Final = 3
NR_FILE_MAPPED: Final = 4
NR_FILE_PAGES: Final = 5
NR_FILE_DIRTY: Final = 6
NR_WRITEBACK: Final = 7
NR_SLAB_RECLAIMABLE: Final = 8
NR_PAGETABLE: Final = 9
NR_VMSCAN_WRITE: Final = 10

# Events of a zone (include/linux/vmstat.h: FOR_ALL_ZONES); they follow the statistics in a zone's row
PGALLOC: Final = 11
PGREFILL: Final = 12
PGSTEAL: Final = 13
PGSCAN_KSWAPD: Final = 14
PGSCAN_DIRECT: Final = 15

# Statistics of a zone on a machine of several nodes (CONFIG_NUMA); they come last, so that one with a single node never looks there
NUMA_HIT: Final = 16
NUMA_MISS: Final = 17
NUMA_FOREIGN: Final = 18
NUMA_LOCAL: Final = 19
NUMA_OTHER: Final = 20
NR_UNEVICTABLE: Final = 21
ZONE_ROW: Final = 32  # a power of two, so that a row is found by shifting

# What a container's statistics have besides those items of its pages' zones (include/linux/memcontrol.h: enum memcg_stat_item; of
# enum node_stat_item and vm_event_item what memory.stat shows)
MEMCG_SHMEM: Final = 11
MEMCG_SWAPCACHE: Final = 12
MEMCG_SWAP: Final = 13
MEMCG_REFAULT_ANON: Final = 14
MEMCG_REFAULT_FILE: Final = 15
MEMCG_PGPGIN: Final = 16
MEMCG_PGPGOUT: Final = 17
MEMCG_PGFAULT: Final = 18
MEMCG_PGMAJFAULT: Final = 19
MEMCG_KMEM: Final = 20  # pages of kernel memory that were charged here
MEMCG_ROW: Final = 32

# The lists of a container that memory.stat tells of (include/linux/mmzone.h: enum lru_list)
LRU_INACTIVE_ANON: Final = 0
LRU_ACTIVE_ANON: Final = 1
LRU_INACTIVE_FILE: Final = 2
LRU_ACTIVE_FILE: Final = 3
LRU_UNEVICTABLE: Final = 4
NR_LRU_LISTS: Final = 5

# Events of the machine (enum vm_event_item)
PSWPIN: Final = 0
PSWPOUT: Final = 1
PGFREE: Final = 2
PGACTIVATE: Final = 3
PGDEACTIVATE: Final = 4
PGFAULT: Final = 5
PGMAJFAULT: Final = 6
SLABS_SCANNED: Final = 7
KSWAPD_STEAL: Final = 8
PAGEOUTRUN: Final = 9
ALLOCSTALL: Final = 10
PGROTATED: Final = 11
PGPGIN: Final = 12  # pages here; kB where they are shown
PGPGOUT: Final = 13
NR_VM_EVENTS: Final = 16

# Watermarks of a zone, by place in its triple
WMARK_MIN: Final = 0
WMARK_LOW: Final = 1
WMARK_HIGH: Final = 2

# Zone types, lowest first; a node's zones lie in this order
ZONE_DMA: Final = 0
ZONE_DMA32: Final = 1
ZONE_NORMAL: Final = 2
ZONE_HIGHMEM: Final = 3
MAX_NR_ZONES: Final = 4

# gfp masks (include/linux/gfp.h): what a request for memory may do, and the highest zone that serves it
GFP_DMA_BIT: Final = 0x1
GFP_HIGHMEM_BIT: Final = 0x2
GFP_WAIT: Final = 0x10
GFP_HIGH: Final = 0x20
GFP_IO: Final = 0x40
GFP_FS: Final = 0x80
GFP_COLD: Final = 0x100
GFP_REPEAT: Final = 0x400
GFP_NOFAIL: Final = 0x800
GFP_NORETRY: Final = 0x1000
GFP_ATOMIC: Final = 0x20
GFP_NOIO: Final = 0x10
GFP_NOFS: Final = 0x50
GFP_KERNEL: Final = 0xD0
GFP_HIGHUSER: Final = 0xD2

# get_page_from_freelist: the watermark that must be left, and who may go below it
ALLOC_NO_WATERMARKS: Final = 0x01
ALLOC_WMARK_MIN: Final = 0x02
ALLOC_WMARK_LOW: Final = 0x04
ALLOC_WMARK_HIGH: Final = 0x08
ALLOC_HARDER: Final = 0x10
ALLOC_HIGH: Final = 0x20

# The buddy allocator's blocks have 2^0 to 2^10 pages
NR_ORDERS: Final = 11
LARGEST_ORDER: Final = 10
LARGEST_BLOCK: Final = 1024
PAGE_ALLOC_COSTLY_ORDER: Final = 3

# Disks: the files', then one for each swap area there can be
DISK_FILES: Final = 0
DISK_SWAP: Final = 1
MAX_SWAPFILES: Final = 32
NR_DISKS: Final = 33

# Daemons, in the order in which they run when they are due at once: kswapd of each node, and pdflush's
DAEMON_KSWAPD: Final = 0
DAEMON_PDFLUSH: Final = 16  # background_writeout
DAEMON_KUPDATE: Final = 17  # wb_kupdate
DAEMON_LAPTOP: Final = 18  # laptop_timer
DAEMON_STATS: Final = 19  # flush_memcg_stats_dwork, for what reclaim goes by
DAEMON_MEMCG: Final = 20  # what else is due as often
NR_DAEMONS: Final = 21
MEMCG_FLUSH_NS: Final = 2000000000  # FLUSH_TIME (mm/memcontrol.c): 2 * HZ

PAGEVEC_SIZE: Final = 14  # of write-out; those of the LRU are as long as the machine's configuration says
MAX_WRITEBACK_PAGES: Final = 1024
WB_SYNC_NONE: Final = 0
WB_SYNC_ALL: Final = 1
WB_SYNC_HOLD: Final = 2
MMAP_LOTSAMISS: Final = 100
FAULT_AROUND_PAGES: Final = 16  # mm/memory.c: fault_around_pages

# __isolate_lru_page modes
ISOLATE_INACTIVE: Final = 0
ISOLATE_ACTIVE: Final = 1
ISOLATE_BOTH: Final = 2

# pageout and shrink_page_list answers
PAGE_KEEP: Final = 0
PAGE_ACTIVATE: Final = 1
PAGE_SUCCESS: Final = 2

# What a fault answers
VM_FAULT_MINOR: Final = 0
VM_FAULT_MAJOR: Final = 1
VM_FAULT_OOM: Final = 2
VM_FAULT_SIGSEGV: Final = 3
VM_FAULT_SIGBUS: Final = 4

ENOENT: Final = 2
EINTR: Final = 4
ENOMEM: Final = 12
EBUSY: Final = 16
EEXIST: Final = 17
ENOSPC: Final = 28

# control_type (patch 8/9)
MEM_CONTAINER_TYPE_MAPPED: Final = 1
MEM_CONTAINER_TYPE_CACHED: Final = 2  # reserved for later, and acts like 1
MEM_CONTAINER_TYPE_ALL: Final = 3

# try_charge (mm/memcontrol.c since 2.6.36): fruitless reclaims before somebody is killed; and who waits for no memory gets none at once
MAX_RECLAIM_RETRIES: Final = 16
SMALL_CHARGE: Final = 8  # pages, 1 << PAGE_ALLOC_COSTLY_ORDER: so few are tried for again as long as anything comes free

# Where the kernel drops a lock or may sleep, and a test may put another operation in between
AT_META_PAGE_ALLOC: Final = 1
AT_ISOLATE: Final = 2
AT_CONGESTION_WAIT: Final = 3
AT_IO_WAIT: Final = 4

# Locks whose order is asserted: a lower one is never taken while a higher one is held
LOCK_ZONE_LRU: Final = 1
LOCK_META_PAGE: Final = 2
LOCK_CONTAINER_LRU: Final = 4

# Swap: SWAPFILE_CLUSTER slots are handed out in a row before a new run is looked for
SWAPFILE_CLUSTER: Final = 256
SLOT_WORDS: Final = 4
SWAP_AREA_SHIFT: Final = 16  # areas start at multiples of so many slots

# Shrinkers are asked in steps of so many objects (mm/vmscan.c); an object is as dear as so many disk seeks (linux/mm.h)
SHRINK_BATCH: Final = 128
DEFAULT_SEEKS: Final = 2

# Where 2.6.23 would try for ever, the machine gives up after so many rounds, says so in its log, and is out of memory. A task meets the
# first where its limit cannot hold both a shared page and the copy of it, the second where nothing on the LRU can go and kswapd sleeps.
MAX_FAULTS_PER_ACCESS: Final = 100
MAX_ALLOC_ROUNDS: Final = 1000
MAX_UNUSE_ROUNDS: Final = 100  # of swapoff, over the slots that are left: whom it interrupted holds one, and does not get on
MAX_SHMEM_ROUNDS: Final = 100

WARN_UNCHARGE_BELOW_ZERO: Final = 1
WARN_FAULT_LIVELOCK: Final = 2
WARN_ALLOC_LIVELOCK: Final = 3
WARN_UNUSE_LIVELOCK: Final = 4
WARN_SHMEM_LIVELOCK: Final = 5
