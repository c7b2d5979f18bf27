@cython.final
cdef class Stocks:
    cdef readonly unsigned int nr_places
    cdef readonly unsigned int[::1] cached
    cdef readonly long long[::1] nr_pages
    cdef readonly unsigned int[::1] victim
    cdef int find(self, unsigned int cpu, unsigned int container_plus_1) noexcept nogil
    cdef int next_victim(self, unsigned int cpu) noexcept nogil
    cdef void put(self, unsigned int place, unsigned int container, long long nr_pages) noexcept nogil
    cdef long long take(self, unsigned int place) noexcept nogil
