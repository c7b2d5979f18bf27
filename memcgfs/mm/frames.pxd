@cython.final
cdef class Frames:
    cdef readonly unsigned int nr_frames
    cdef readonly unsigned int[::1] flags
    cdef readonly int[::1] count
    cdef readonly int[::1] mapcount
    cdef readonly unsigned long long[::1] mapping
    cdef readonly unsigned int[::1] private
    cdef readonly unsigned int[::1] container
    cdef readonly unsigned char[::1] meta_refs
    cpdef unsigned int zone(self, unsigned int pfn) noexcept nogil
    cpdef bint has(self, unsigned int pfn, unsigned int flag) noexcept nogil
    cpdef void set(self, unsigned int pfn, unsigned int flag) noexcept nogil
    cpdef void clear(self, unsigned int pfn, unsigned int flag) noexcept nogil
    cpdef bint test_and_set(self, unsigned int pfn, unsigned int flag) noexcept nogil
    cpdef bint test_and_clear(self, unsigned int pfn, unsigned int flag) noexcept nogil
