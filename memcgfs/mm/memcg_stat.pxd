@cython.final
cdef class MemcgStats:
    cdef readonly long long[::1] stat
    cdef readonly long long[::1] past
    cpdef void init(self, unsigned int container) noexcept nogil
    cpdef void add(self, unsigned int container, unsigned int item, long long amount) noexcept nogil
    cpdef long long count(self, unsigned int container, unsigned int item) noexcept nogil
    cpdef void bequeath(self, unsigned int container, unsigned int parent, unsigned int item) noexcept nogil
