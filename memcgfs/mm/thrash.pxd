@cython.final
cdef class SwapToken:
    cdef readonly unsigned int mm
    cdef readonly long long global_faults
    cdef readonly long long[::1] priority
    cdef readonly long long[::1] faultstamp
    cdef readonly long long[::1] last_interval
    cpdef void init(self, unsigned int mm, unsigned int parent) noexcept nogil
    cpdef void grab(self, unsigned int mm) noexcept nogil
    cpdef void put(self, unsigned int mm) noexcept nogil
    cpdef void disable(self) noexcept nogil
