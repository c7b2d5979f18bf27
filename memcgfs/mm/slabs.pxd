@cython.final
cdef class Slabs:
    cdef readonly unsigned int nr_caches
    cdef readonly long long[::1] objects
    cdef readonly long long[::1] seeks
    cdef readonly long long[::1] nr_to_scan
    cpdef unsigned int add_cache(self, long long objects, long long seeks) noexcept nogil
