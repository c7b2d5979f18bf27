@cython.final
cdef class Disk:
    cdef readonly long long latency_ns
    cdef readonly long long transfer_ns
    cdef readonly unsigned int depth
    cdef readonly bint is_synchronous
    cdef readonly unsigned int congestion_on
    cdef readonly unsigned int congestion_off
    cdef readonly unsigned int ring
    cdef readonly unsigned int[::1] pfn
    cdef readonly unsigned char[::1] is_write
    cdef readonly long long[::1] done_ns
    cdef readonly unsigned int first
    cdef readonly unsigned int nr_requests
    cdef readonly unsigned int nr_writes
    cdef readonly long long free_from_ns
    cdef readonly bint is_congested
    cpdef bint has_room(self, bint is_write) noexcept nogil
    cpdef void submit(self, unsigned int pfn, bint is_write, long long now_ns) noexcept nogil
    cpdef long long next_done_ns(self) noexcept nogil
    cpdef unsigned int complete(self) noexcept nogil
    cpdef bint next_is_write(self) noexcept nogil
