cdef class PythonModel(Model):
    cdef readonly Core core
    cdef readonly object policy
    cdef readonly unsigned int pages_head
    cdef readonly unsigned int first_head
    cdef void page_added(self, Core core, unsigned int pfn, bint active) noexcept with gil
    cdef void page_arrived(self, Core core, unsigned int pfn) noexcept nogil
    cdef void page_accessed(self, Core core, unsigned int pfn) noexcept with gil
    cdef void page_freed(self, Core core, unsigned int pfn) noexcept with gil
    cdef void written(self, Core core, unsigned int pfn) noexcept with gil
    cdef void charged(self, Core core, unsigned int pfn, unsigned int container) noexcept with gil
    cdef void uncharged(self, Core core, unsigned int pfn, unsigned int container) noexcept with gil
    cdef void container_made(self, Core core, unsigned int container) noexcept with gil
    cdef bint shrink_zones(self, Core core, unsigned int zonelist, int order, unsigned int gfp) noexcept with gil
    cdef bint shrink_container(self, Core core, unsigned int container) noexcept with gil
    cdef bint reclaim(self, Core core, int container) noexcept with gil
    cpdef tuple walk(self, Core core, int container)

cdef bint evict_page(Core core, unsigned int pfn) noexcept nogil
cdef void push_out(Core core, unsigned int pfn) noexcept nogil
cdef bint take_from_owners(Core core, unsigned int pfn) noexcept nogil
