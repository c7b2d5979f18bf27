@cython.final
cdef class Tlb:
    cdef readonly unsigned int nr_anon
    cdef readonly unsigned int nr_file
    cdef readonly bint is_on
    cdef readonly unsigned long long[::1] key
    cdef readonly unsigned int[::1] chain
    cdef readonly unsigned int[::1] bucket
    cdef readonly Links links
    cpdef unsigned int find(self, unsigned int which, unsigned long long mm, unsigned long long vpn) noexcept nogil
    cdef bint use(self, unsigned long long mm, unsigned long long vpn, bint is_file) noexcept nogil
    cdef bint use_set(self, unsigned int which, unsigned long long mm, unsigned long long vpn) noexcept nogil
    cdef void forget(self, unsigned int row) noexcept nogil
    cdef void drop(self, unsigned long long mm, unsigned long long vpn) noexcept nogil
    cdef void drop_from(self, unsigned int which, unsigned long long mm, unsigned long long vpn) noexcept nogil

cdef unsigned long long tlb_key(unsigned long long which, unsigned long long mm, unsigned long long vpn) noexcept nogil
cdef unsigned int tlb_bucket(unsigned long long vpn) noexcept nogil
