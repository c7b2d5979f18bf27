@cython.final
cdef class Zones:
    cdef readonly unsigned int nr_zones
    cdef readonly unsigned long long[::1] start
    cdef readonly unsigned long long[::1] end
    cdef readonly long long[::1] present
    cdef readonly unsigned long long[::1] frontier
    cdef readonly unsigned int[::1] free_head
    cdef readonly long long[::1] wmark
    cdef readonly long long[::1] lowmem_reserve
    cdef readonly unsigned char[::1] zonelist
    cdef readonly long long[::1] stat
    cdef readonly long long[::1] pages_scanned
    cdef readonly unsigned char[::1] all_unreclaimable
    cdef readonly int[::1] prev_priority
    cdef readonly long long[::1] nr_scan_active
    cdef readonly long long[::1] nr_scan_inactive
    cpdef long long count(self, unsigned int zone, unsigned int item) noexcept nogil
    cpdef void add(self, unsigned int zone, unsigned int item, long long amount) noexcept nogil
    cpdef long long total(self, unsigned int item) noexcept nogil
    cpdef unsigned int zone_in_list(self, unsigned int kind, unsigned int place) noexcept nogil
    cpdef bint watermark_ok(self, unsigned int zone, unsigned int which, unsigned int class_zone) noexcept nogil
    cpdef bint has_free(self, unsigned int zone) noexcept nogil
    cpdef bint is_near_oom(self, unsigned int zone) noexcept nogil

cdef unsigned int take_frame(Zones zones, Frames frames, Links lru, unsigned int zone) noexcept nogil
cdef void give_frame(Zones zones, Frames frames, Links lru, unsigned int pfn) noexcept nogil
