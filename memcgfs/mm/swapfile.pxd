@cython.final
cdef class SwapAreas:
    cdef readonly unsigned int nr_slots
    cdef readonly unsigned int[:] map
    cdef readonly unsigned int[:] cache
    cdef readonly unsigned int[:] content
    cdef readonly unsigned int[::1] shadow
    cdef readonly long long[::1] shadow_age
    cdef readonly unsigned int[:] owner
    cdef readonly unsigned long long[::1] words
    cdef readonly unsigned short[::1] block_used
    cdef readonly unsigned char[::1] area_at
    cdef readonly unsigned int[::1] start
    cdef readonly unsigned int[::1] max
    cdef readonly unsigned int[::1] pages
    cdef readonly unsigned int[::1] inuse_pages
    cdef readonly unsigned int[::1] lowest_bit
    cdef readonly unsigned int[::1] highest_bit
    cdef readonly unsigned int[::1] cluster_next
    cdef readonly unsigned int[::1] cluster_nr
    cdef readonly int[::1] prio
    cdef readonly int[::1] next_of
    cdef readonly unsigned char[::1] is_writeok
    cdef readonly int head
    cdef readonly int next
    cdef readonly long long nr_swap_pages
    cdef readonly long long total_swap_pages
    cdef readonly unsigned int nr_cached
    cpdef unsigned int area_of(self, unsigned int slot) noexcept nogil
    cpdef bint is_full(self) noexcept nogil
    cpdef void add_area(self, unsigned int area, unsigned int start, unsigned int nr_pages, int prio) noexcept nogil
    cpdef void enter(self, unsigned int area) noexcept nogil
    cpdef void leave(self, unsigned int area) noexcept nogil
    cpdef void forget(self, unsigned int area) noexcept nogil
    cpdef unsigned int take(self) noexcept nogil
    cdef inline unsigned int scan_swap_map(self, unsigned int area) noexcept nogil
    cdef unsigned int find_cluster(self, unsigned int area) noexcept nogil
    cdef unsigned int last_used(self, unsigned int first, unsigned int last) noexcept nogil
    cdef inline void claim(self, unsigned int area, unsigned int slot) noexcept nogil
    cpdef bint duplicate(self, unsigned int slot) noexcept nogil
    cdef void leave_shadow(self, unsigned int slot, long long age, unsigned int whose) noexcept nogil
    cpdef int free(self, unsigned int slot) noexcept nogil
