@cython.final
cdef class Zones:
    cdef readonly unsigned int nr_zones
    cdef readonly unsigned int nr_nodes
    cdef readonly unsigned int first_head
    cdef readonly unsigned long long[::1] start
    cdef readonly unsigned long long[::1] end
    cdef readonly long long[::1] present
    cdef readonly unsigned long long[::1] untouched
    cdef readonly unsigned long long[::1] frontier
    cdef readonly long long[::1] nr_free
    cdef readonly int[::1] pcp_count
    cdef readonly int[::1] pcp_high
    cdef readonly int[::1] pcp_batch
    cdef readonly long long[::1] wmark
    cdef readonly long long[::1] lowmem_reserve
    cdef readonly unsigned char[::1] zonelist
    cdef readonly unsigned char[::1] zonelist_length
    cdef readonly long long[::1] stat
    cdef readonly long long[::1] pages_scanned
    cdef readonly unsigned char[::1] all_unreclaimable
    cdef readonly int[::1] prev_priority
    cdef readonly long long[::1] nr_scan_active
    cdef readonly long long[::1] nr_scan_inactive
    cpdef long long count(self, unsigned int zone, unsigned int item) noexcept nogil
    cpdef void add(self, unsigned int zone, unsigned int item, long long amount) noexcept nogil
    cdef long long nr_lru_pages(self, unsigned int zone) noexcept nogil
    cpdef long long total(self, unsigned int item) noexcept nogil
    cpdef unsigned int nr_in_list(self, unsigned int zonelist) noexcept nogil
    cpdef unsigned int zone_in_list(self, unsigned int zonelist, unsigned int place) noexcept nogil
    cpdef unsigned int free_head(self, unsigned int zone, unsigned int order) noexcept nogil
    cpdef int smallest_block(self, unsigned int zone, int order) noexcept nogil
    cpdef unsigned int pcp(self, unsigned int zone, unsigned int cpu, bint cold) noexcept nogil
    cpdef unsigned int pcp_head(self, unsigned int pcp) noexcept nogil
    cpdef bint watermark_ok(self, unsigned int zone, int order, unsigned int which, unsigned int class_zone, unsigned int alloc_flags) noexcept nogil
    cdef bint leaves(self, unsigned int zone, int order, long long least, unsigned int class_zone) noexcept nogil
    cpdef bint is_near_oom(self, unsigned int zone) noexcept nogil
