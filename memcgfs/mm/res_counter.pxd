@cython.final
cdef class ResCounters:
    cdef readonly unsigned long long largest
    cdef readonly unsigned long long unit
    cdef readonly bint wraps
    cdef readonly unsigned long long unlimited
    cdef readonly bint counts_failures
    cdef readonly unsigned long long[::1] usage
    cdef readonly unsigned long long[::1] limit
    cdef readonly unsigned long long[::1] failcnt
    cdef readonly unsigned long long[::1] max_usage
    cdef readonly unsigned int[::1] above
    cdef readonly unsigned int refused
    cpdef void init(self, unsigned int counter, int parent) noexcept nogil
    cpdef void ignore_failures(self) noexcept nogil
    cpdef bint charge(self, unsigned int counter, unsigned long long value) noexcept nogil
    cpdef void charge_anyway(self, unsigned int counter, unsigned long long value) noexcept nogil
    cdef void add(self, unsigned int counter, unsigned long long value) noexcept nogil
    cdef void cancel(self, unsigned int counter, unsigned int end, unsigned long long value) noexcept nogil
    cdef bint has_room(self, unsigned int counter, unsigned long long value) noexcept nogil
    cpdef bint uncharge(self, unsigned int counter, unsigned long long value) noexcept nogil
    cdef void take_from(self, unsigned int counter, unsigned long long value) noexcept nogil
    cpdef bint set_limit(self, unsigned int counter, unsigned long long limit) noexcept nogil
    cpdef unsigned long long room(self, unsigned int counter) noexcept nogil
    cpdef unsigned long long pages(self, unsigned int counter) noexcept nogil
    cpdef bint check_under_limit(self, unsigned int counter) noexcept nogil
