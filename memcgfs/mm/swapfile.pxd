@cython.final
cdef class SwapArea:
    cdef readonly unsigned int max
    cdef readonly unsigned int pages
    cdef readonly unsigned int[:] map
    cdef readonly unsigned short[::1] block_used
    cdef readonly unsigned int[:] cache
    cdef readonly unsigned int[:] content
    cdef readonly unsigned long long[::1] words
    cdef readonly unsigned int nr_used
    cdef readonly unsigned int nr_cached
    cdef readonly unsigned int lowest_bit
    cdef readonly unsigned int highest_bit
    cdef readonly unsigned int cluster_next
    cdef readonly unsigned int cluster_nr
    cpdef bint is_full(self) noexcept nogil
    cpdef unsigned int take(self) noexcept nogil
    cdef unsigned int find_cluster(self) noexcept nogil
    cdef unsigned int last_used(self, unsigned int first, unsigned int last) noexcept nogil
    cdef void claim(self, unsigned int offset) noexcept nogil
    cpdef bint duplicate(self, unsigned int slot) noexcept nogil
    cpdef int free(self, unsigned int slot) noexcept nogil
