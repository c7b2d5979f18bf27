@cython.final
cdef class Frames:
    cdef readonly unsigned int nr_frames
    cdef readonly unsigned int[:] flags
    cdef readonly int[:] count
    cdef readonly int[:] mapcount
    cdef readonly unsigned long long[:] mapping
    cdef readonly unsigned int[:] private
    cdef readonly unsigned int[:] container
    cdef readonly unsigned int[:] meta_refs
    cdef readonly Links lru
    cdef readonly Links meta
    cpdef unsigned int zone(self, unsigned int pfn) noexcept nogil
    cpdef unsigned int owner(self, unsigned int pfn) noexcept nogil
    cpdef unsigned long long index(self, unsigned int pfn) noexcept nogil
    cdef void set_mapping(self, unsigned int pfn, unsigned long long owner, unsigned long long index) noexcept nogil
    cpdef bint has(self, unsigned int pfn, unsigned int flag) noexcept nogil
    cpdef void set(self, unsigned int pfn, unsigned int flag) noexcept nogil
    cpdef void clear(self, unsigned int pfn, unsigned int flag) noexcept nogil
    cpdef bint test_and_set(self, unsigned int pfn, unsigned int flag) noexcept nogil
    cpdef bint test_and_clear(self, unsigned int pfn, unsigned int flag) noexcept nogil
