@cython.final
cdef class Disks:
    cdef readonly unsigned int nr_disks
    cdef readonly unsigned int nr_in_use
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
    cdef readonly unsigned int[::1] first
    cdef readonly long long[::1] free_from_ns
    cdef readonly unsigned int[::1] nr_requests
    cdef readonly unsigned char[::1] congested
    cdef readonly unsigned int nr_writes
    cdef readonly unsigned long long nr_relieved
    cdef readonly long long next_ns
    cdef readonly unsigned int next_disk
    cpdef unsigned int nr_queued(self, unsigned int disk) noexcept nogil
    cpdef bint has_room(self, unsigned int disk, bint is_write) noexcept nogil
    cpdef bint is_read_congested(self, unsigned int disk) noexcept nogil
    cpdef bint is_write_congested(self, unsigned int disk) noexcept nogil
    cpdef void submit(self, unsigned int disk, unsigned int pfn, bint is_write, long long now_ns) noexcept nogil
    cpdef long long next_done_ns(self, unsigned int disk) noexcept nogil
    cpdef bint next_is_write(self) noexcept nogil
    cpdef unsigned int complete(self) noexcept nogil
    cdef void find_next(self) noexcept nogil
