cdef class Fifo(Model):
    cdef readonly unsigned int pages_head
    cdef readonly unsigned int first_head
    cdef void page_added(self, Core core, unsigned int pfn, bint active) noexcept nogil
    cdef void page_arrived(self, Core core, unsigned int pfn) noexcept nogil
    cdef void page_freed(self, Core core, unsigned int pfn) noexcept nogil
    cdef void charged(self, Core core, unsigned int pfn, unsigned int container) noexcept nogil
    cdef void uncharged(self, Core core, unsigned int pfn, unsigned int container) noexcept nogil
    cdef void container_made(self, Core core, unsigned int container) noexcept nogil
    cdef bint shrink_zones(self, Core core, unsigned int zonelist, int order, unsigned int gfp) noexcept nogil
    cdef bint shrink_container(self, Core core, unsigned int container) noexcept nogil
    cpdef tuple walk(self, Core core, int container)

cdef bint evict_oldest(Core core, Links pages, unsigned int head) noexcept nogil
