cdef class Model
cdef class Rules
cdef class Flusher

@cython.final
cdef class Core:
    cdef readonly object kernel
    cdef readonly object arrays
    cdef readonly Frames frames
    cdef readonly Links lru
    cdef readonly Links meta
    cdef readonly Zones zones
    cdef readonly ResCounters counters
    cdef readonly ResCounters memsw
    cdef readonly ResCounters kmem
    cdef readonly Containers containers
    cdef readonly MemcgStats stats
    cdef readonly Stocks stocks
    cdef readonly AddressSpaces mms
    cdef readonly Vmas vmas
    cdef readonly PageTables tables
    cdef readonly SwapAreas swap
    cdef readonly SwapToken token
    cdef readonly Shadows shadows
    cdef readonly Tlb tlb
    cdef readonly Disks disks
    cdef readonly Daemons daemons
    cdef readonly Files files
    cdef readonly OpenFiles open_files
    cdef readonly RadixTrees trees
    cdef readonly Blocks blocks
    cdef readonly KmemCache dentry_cache
    cdef readonly Lockdep lockdep
    cdef readonly TraceRing trace
    cdef readonly Model model
    cdef readonly Rules rules
    cdef readonly Flusher flusher
    cdef readonly long long[::1] events
    cdef readonly unsigned int nr_free_heads
    cdef readonly unsigned int nr_nodes
    cdef readonly unsigned int user_zone
    cdef readonly unsigned int kernel_zone
    cdef readonly int swap_cluster_max
    cdef readonly int def_priority
    cdef readonly unsigned int pagevec_size
    cdef readonly unsigned int folio_batch_size
    cdef readonly int reclaim_retries
    cdef readonly long long wait_ns
    cdef readonly long long jiffy_ns
    cdef readonly long long fault_ns
    cdef readonly unsigned long long task_pages
    cdef readonly long long charge_batch
    cdef readonly bint charges_kmem
    cdef readonly long long vm_total_pages
    cdef public int swappiness
    cdef public int page_cluster
    cdef public int laptop_mode
    cdef public int dirty_ratio
    cdef public int dirty_background_ratio
    cdef public long long dirty_writeback_ns
    cdef public long long dirty_expire_ns
    cdef readonly long long ratelimit_pages
    cdef public int vfs_cache_pressure
    cdef readonly unsigned long long traced
    cdef public long long clock_ns
    cdef readonly unsigned int current_mm
    cdef readonly long long current_pid
    cdef readonly unsigned int current_node
    cdef readonly bint current_is_killed
    cdef readonly bint current_is_memalloc
    cdef readonly bint current_is_kswapd
    cdef readonly bint current_is_pdflush
    cdef readonly int current_priority
    cdef readonly unsigned int current_memcg
    cdef readonly bint current_in_user_fault
    cdef readonly int memcg_in_oom
    cdef readonly bint over_memsw
    cdef readonly bint spares_swap
    cdef readonly int[::1] kswapd_max_order
    cdef readonly int scan_depth
    cdef readonly long long reclaimed_slab
    cdef readonly int fault
    cdef readonly unsigned int fault_page
    cdef readonly long long nr_dirtied
    cdef readonly bint dirty_exceeded
    cdef readonly bint is_writing_file
    cdef readonly bint has_killed
    cdef readonly bint is_interleaved
    cdef readonly object late_error
    cpdef void set_total_pages(self, long long nr_pages) noexcept nogil
    cpdef void set_current(self, unsigned int mm, long long pid, unsigned int node) noexcept nogil
    cpdef void set_current_memcg(self, unsigned int container) noexcept nogil
    cpdef void set_in_user_fault(self, bint on) noexcept nogil
    cpdef void set_memcg_in_oom(self, int container) noexcept nogil
    cpdef void set_priority(self, int priority) noexcept nogil
    cpdef void set_memalloc(self, bint on) noexcept nogil
    cpdef void kill_current(self) noexcept nogil
    cpdef void set_traced(self, unsigned long long events) noexcept nogil
    cpdef void set_writing_file(self, bint on) noexcept nogil
    cpdef void set_interleaved(self, bint on) noexcept nogil
    cpdef void set_has_killed(self, bint on) noexcept nogil
    cdef void count(self, unsigned int event) noexcept nogil
    cdef void count_many(self, unsigned int event, long long amount) noexcept nogil

cdef bint is_daemon(Core core) noexcept nogil
cdef void interleave(Core core, unsigned int point, unsigned int pfn) noexcept nogil
cdef void call_interleave(Core core, unsigned int point, unsigned int pfn) noexcept with gil
cdef unsigned int find_vma(Core core, unsigned int mm, unsigned long long vpn) noexcept with gil
cdef bint anon_vma_prepare(Core core, unsigned int vma) noexcept with gil
cdef void warn(Core core, unsigned int number) noexcept with gil
cdef void mem_container_out_of_memory(Core core, unsigned int container) noexcept with gil
cdef bint mem_cgroup_oom(Core core, unsigned int container) noexcept with gil
cdef void mem_cgroup_threshold(Core core, unsigned int container) noexcept with gil
cdef void memcg_oom_wake(Core core, unsigned int container) noexcept with gil
cdef void vmpressure_event(Core core, unsigned int container, int level) noexcept with gil
cdef bint out_of_memory(Core core, unsigned int gfp, unsigned int order) noexcept with gil
cdef void reap_killed(Core core) noexcept with gil
