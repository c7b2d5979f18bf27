@cython.final
cdef class ResCounters:
    cdef readonly unsigned long long largest
    cdef readonly unsigned long long unit
    cdef readonly bint wraps
    cdef readonly unsigned long long[::1] usage
    cdef readonly unsigned long long[::1] limit
    cdef readonly unsigned long long[::1] failcnt
    cpdef void init(self, unsigned int counter) noexcept nogil
    cpdef bint charge(self, unsigned int counter, unsigned long long value) noexcept nogil
    cdef bint has_room(self, unsigned int counter, unsigned long long value) noexcept nogil
    cpdef bint uncharge(self, unsigned int counter, unsigned long long value) noexcept nogil
    cpdef unsigned long long pages(self, unsigned int counter) noexcept nogil
    cpdef bint check_under_limit(self, unsigned int counter) noexcept nogil
