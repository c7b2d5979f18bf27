cdef class Containers2007(Model):
    cdef readonly ZoneLru lru
    cdef readonly Kswapd kswapd
    cdef readonly unsigned int meta_scan_heads
    cdef void page_added(self, Core core, unsigned int pfn, bint active) noexcept nogil
    cdef void page_arrived(self, Core core, unsigned int pfn) noexcept nogil
    cdef void page_accessed(self, Core core, unsigned int pfn) noexcept nogil
    cdef void activate(self, Core core, unsigned int pfn) noexcept nogil
    cdef void moved(self, Core core, unsigned int pfn, bint active, int why) noexcept nogil
    cdef void page_freed(self, Core core, unsigned int pfn) noexcept nogil
    cdef void written(self, Core core, unsigned int pfn) noexcept nogil
    cdef void drain(self, Core core) noexcept nogil
    cdef void charged(self, Core core, unsigned int pfn, unsigned int container) noexcept nogil
    cdef void uncharged(self, Core core, unsigned int pfn, unsigned int container) noexcept nogil
    cdef int first_list(self, Core core) noexcept nogil
    cdef void container_made(self, Core core, unsigned int container) noexcept nogil
    cdef bint shrink_zones(self, Core core, unsigned int zonelist, int order, unsigned int gfp) noexcept nogil
    cdef bint shrink_container(self, Core core, unsigned int container) noexcept nogil
    cdef long long run_kswapd(self, Core core, unsigned int node) noexcept nogil
    cpdef tuple walk(self, Core core, int container)
    cpdef tuple waiting(self)

cdef unsigned int list_head(Core core, unsigned int container, bint active) noexcept nogil
cdef bint set_aside(Core core, unsigned int pfn, unsigned int container, unsigned int head) noexcept nogil
cdef long long isolate_pages_global(Core core, long long nr_to_scan, unsigned int dst, ScanControl2007 sc, int order, int mode, unsigned int zone, int mem_container, bint active) noexcept nogil
cdef long long mem_container_isolate_pages(Core core, long long nr_to_scan, unsigned int dst, ScanControl2007 sc, int order, int mode, unsigned int zone, int mem_container, bint active) noexcept nogil
cdef void trace_reclaim_begin(Core core, ScanControl2007 sc) noexcept nogil
cdef void trace_reclaim_end(Core core, ScanControl2007 sc, long long nr_reclaimed, int priority, bint success) noexcept nogil
cdef long long shrink_zones(Core core, int priority, unsigned int zonelist, ScanControl2007 sc) noexcept nogil
cdef long long count_lru_pages(Core core, unsigned int zonelist) noexcept nogil
cdef bint do_try_to_free_pages(Core core, unsigned int zonelist, ScanControl2007 sc) noexcept nogil
cdef bint try_to_free_pages(Core core, Containers2007 model, unsigned int zonelist, int order, unsigned int gfp) noexcept with gil
cdef long long run_kswapd_of_node(Core core, Containers2007 model, unsigned int node) noexcept with gil
cdef bint try_to_free_mem_container_pages(Core core, Containers2007 model, unsigned int container) noexcept with gil
