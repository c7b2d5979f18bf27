@cython.final
cdef class TraceRing:
    cdef readonly long long first
    cdef readonly long long end
    cdef readonly long long overrun
    cdef readonly long long nr_records
    cdef readonly long long[::1] words
    cpdef void forget_until(self, long long end) noexcept nogil
    cpdef void forget_overrun(self) noexcept nogil
    cpdef long long place_of(self, long long number) noexcept nogil
    cdef long long append(self, long long ns, long long event, long long pid) noexcept nogil
