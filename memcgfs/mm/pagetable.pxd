@cython.final
cdef class PageTables:
    cdef readonly unsigned long long[::1] ram
    cdef readonly unsigned int[::1] segments
    cdef readonly unsigned int[::1] leaves
    cdef readonly unsigned int[::1] nr_leaves
    cdef readonly unsigned int[::1] free_segments
    cdef readonly unsigned int nr_segments
    cdef readonly unsigned int nr_free
    cdef readonly unsigned int frontier
    cpdef unsigned int segment(self, unsigned long long mm, unsigned long long vpn) noexcept nogil
    cpdef unsigned int leaf(self, unsigned long long mm, unsigned long long vpn) noexcept nogil
    cpdef bint can_add(self, unsigned long long mm, unsigned long long vpn) noexcept nogil
    cpdef void add_leaf(self, unsigned long long mm, unsigned long long vpn, unsigned int pfn) noexcept nogil
    cpdef unsigned int remove_leaf(self, unsigned long long mm, unsigned long long vpn) noexcept nogil
    cpdef unsigned long long next_leaf(self, unsigned long long mm, unsigned long long vpn, unsigned long long end) noexcept nogil
    cpdef unsigned long long entry(self, unsigned long long mm, unsigned long long vpn) noexcept nogil

cdef unsigned long long leaf_place(unsigned long long segment, unsigned long long vpn) noexcept nogil
cdef unsigned long long word_of(unsigned long long number) noexcept nogil
cdef unsigned long long leaf_end(unsigned long long vpn, unsigned long long end) noexcept nogil
cdef unsigned long long pte_place(unsigned long long leaf, unsigned long long vpn) noexcept nogil
cdef unsigned long long mk_pte(unsigned long long pfn, unsigned long long bits) noexcept nogil
cdef unsigned long long swp_pte(unsigned long long slot) noexcept nogil
cdef unsigned int pte_frame(unsigned long long pte) noexcept nogil
cdef bint is_swap_pte(unsigned long long pte) noexcept nogil
