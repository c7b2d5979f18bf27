cdef class Rules2008(Rules):
    cdef int charge(self, Core core, unsigned int pfn, unsigned int mm) noexcept nogil
    cdef int cache_charge(self, Core core, unsigned int pfn, unsigned int mm) noexcept nogil
    cdef int cache_charge_nowait(self, Core core, unsigned int pfn, unsigned int mm) noexcept nogil

cdef int mem_cgroup_charge_common(Core core, unsigned int pfn, unsigned int mm, bint is_cache, bint may_wait) noexcept nogil
