@cython.final
cdef class ZoneLru:
    cdef readonly unsigned int first_head
    cdef readonly unsigned int scan_heads
    cdef readonly unsigned int pagevec_size
    cdef readonly unsigned int[::1] active_pvec
    cdef readonly unsigned int[::1] inactive_pvec
    cdef readonly unsigned int[::1] put_back_pvec
    cdef readonly unsigned int[::1] freed_pvec
    cdef readonly unsigned int nr_active_pvec
    cdef readonly unsigned int nr_inactive_pvec
    cpdef unsigned int head(self, unsigned int zone, bint active) noexcept nogil
    cpdef unsigned int scan_head(self, unsigned int depth, unsigned int which) noexcept nogil

cdef void add_page_to_list(Core core, ZoneLru lru, unsigned int pfn, bint active) noexcept nogil
cdef void del_page_from_list(Core core, unsigned int pfn, bint active) noexcept nogil
cdef void lru_cache_add_active(Core core, ZoneLru lru, unsigned int pfn) noexcept nogil
cdef void lru_cache_add(Core core, ZoneLru lru, unsigned int pfn) noexcept nogil
cdef void flush_active_pagevec(Core core, ZoneLru lru) noexcept nogil
cdef void flush_inactive_pagevec(Core core, ZoneLru lru) noexcept nogil
cdef void lru_add_drain(Core core, ZoneLru lru) noexcept nogil
cdef void del_page_from_lru(Core core, unsigned int pfn) noexcept nogil
cdef void activate_page(Core core, ZoneLru lru, unsigned int pfn, int why) noexcept nogil
cdef void mark_page_accessed(Core core, ZoneLru lru, unsigned int pfn) noexcept nogil
cdef void rotate_reclaimable_page(Core core, ZoneLru lru, unsigned int pfn) noexcept nogil
