cdef class Rules:
    cdef int charge(self, Core core, unsigned int pfn, unsigned int mm) noexcept nogil
    cdef int cache_charge(self, Core core, unsigned int pfn, unsigned int mm) noexcept nogil
