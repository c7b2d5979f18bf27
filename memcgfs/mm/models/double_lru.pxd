cdef class DoubleLru(Model):
    cdef readonly ZoneLru lru
    cdef readonly Kswapd kswapd
    cdef readonly unsigned int meta_scan_heads
    cdef readonly bint is_zonewide
    cdef readonly bint waits_for_blocks
    cdef bint may_reclaim_mapped(self, Core core, unsigned int zone, LruScanControl sc, int priority) noexcept nogil
    cdef bint has_far_too_much(self, Core core, unsigned int zone, int order, unsigned int class_zone) noexcept nogil
    cdef long long nr_to_scan(self, Core core, unsigned int container, unsigned int zone, int priority, bint active) noexcept nogil
    cdef void note_priority(self, Core core, unsigned int container, int priority) noexcept nogil
    cdef void record_priority(self, Core core, unsigned int container, int priority) noexcept nogil
    cdef void page_added(self, Core core, unsigned int pfn, bint active) noexcept nogil
    cdef void page_arrived(self, Core core, unsigned int pfn) noexcept nogil
    cdef void page_accessed(self, Core core, unsigned int pfn) noexcept nogil
    cdef void activate(self, Core core, unsigned int pfn) noexcept nogil
    cdef void page_freed(self, Core core, unsigned int pfn) noexcept nogil
    cdef void written(self, Core core, unsigned int pfn) noexcept nogil
    cdef void drain(self, Core core) noexcept nogil
    cdef bint shrink_zones(self, Core core, unsigned int zonelist, int order, unsigned int gfp) noexcept nogil
    cdef long long run_kswapd(self, Core core, unsigned int node) noexcept nogil
    cdef tuple walk_zones(self, Core core)
    cpdef tuple waiting(self)

cdef long long isolate_pages_global(Core core, long long nr_to_scan, unsigned int dst, LruScanControl sc, int order, int mode, unsigned int zone, int mem_container, bint active) noexcept nogil
cdef void trace_reclaim_begin(Core core, LruScanControl sc) noexcept nogil
cdef void trace_reclaim_end(Core core, LruScanControl sc, long long nr_reclaimed, int priority, bint success) noexcept nogil
cdef long long shrink_zones(Core core, int priority, unsigned int zonelist, LruScanControl sc) noexcept nogil
cdef long long count_lru_pages(Core core, unsigned int zonelist) noexcept nogil
cdef bint do_try_to_free_pages(Core core, unsigned int zonelist, LruScanControl sc) noexcept nogil
cdef void record_priority(Core core, unsigned int zonelist, LruScanControl sc, int priority) noexcept nogil
cdef bint try_to_free_pages(Core core, DoubleLru model, unsigned int zonelist, int order, unsigned int gfp) noexcept with gil
cdef long long run_kswapd_of_node(Core core, DoubleLru model, unsigned int node) noexcept with gil
