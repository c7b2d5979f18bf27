@cython.final
cdef class ResCounters:
    cdef readonly unsigned long long ulong_max
    cdef readonly unsigned long long[::1] usage
    cdef readonly unsigned long long[::1] limit
    cdef readonly unsigned long long[::1] failcnt
    cpdef void init(self, unsigned int counter) noexcept nogil
    cpdef bint charge(self, unsigned int counter, unsigned long long value) noexcept nogil
    cpdef bint uncharge(self, unsigned int counter, unsigned long long value) noexcept nogil
    cpdef bint check_under_limit(self, unsigned int counter) noexcept nogil
