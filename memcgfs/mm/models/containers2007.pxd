cdef class Containers2007(DoubleLru):
    cdef bint may_reclaim_mapped(self, Core core, unsigned int zone, LruScanControl sc, int priority) noexcept nogil
    cdef void moved(self, Core core, unsigned int pfn, bint active, int why) noexcept nogil
    cdef void charged(self, Core core, unsigned int pfn, unsigned int container) noexcept nogil
    cdef void uncharged(self, Core core, unsigned int pfn, unsigned int container) noexcept nogil
    cdef int first_list(self, Core core) noexcept nogil
    cdef void container_made(self, Core core, unsigned int container) noexcept nogil
    cdef bint shrink_container(self, Core core, unsigned int container) noexcept nogil
    cpdef tuple walk(self, Core core, int container)

cdef unsigned int list_head(Core core, unsigned int container, bint active) noexcept nogil
cdef bint set_aside(Core core, unsigned int pfn, unsigned int container, unsigned int head) noexcept nogil
cdef long long mem_container_isolate_pages(Core core, long long nr_to_scan, unsigned int dst, LruScanControl sc, int order, int mode, unsigned int zone, int mem_container, bint active) noexcept nogil
cdef bint try_to_free_mem_container_pages(Core core, Containers2007 model, unsigned int container) noexcept with gil
