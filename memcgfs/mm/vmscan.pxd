cdef bint isolate_lru_page(Core core, unsigned int pfn, int mode) noexcept nogil
cdef bint needs_slot(Core core, unsigned int pfn) noexcept nogil
cdef bint may_write_to_queue(Core core, unsigned int pfn) noexcept nogil
cdef int pageout(Core core, unsigned int pfn) noexcept nogil
cdef void trace_pageout(Core core, unsigned int pfn) noexcept nogil
cdef bint remove_mapping(Core core, unsigned int pfn, int why) noexcept nogil
cpdef long long shrink_slab(Core core, long long scanned, unsigned int gfp, long long lru_pages) noexcept nogil
cpdef void drop_slab(Core core) noexcept nogil
