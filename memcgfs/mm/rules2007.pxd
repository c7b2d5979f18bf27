cdef class Rules2007(Rules):
    cdef int charge(self, Core core, unsigned int pfn, unsigned int mm) noexcept nogil
    cdef int cache_charge(self, Core core, unsigned int pfn, unsigned int mm) noexcept nogil
    cdef int swap_cache_charge(self, Core core, unsigned int pfn, unsigned int slot, unsigned int mm) noexcept nogil
    cdef void swap_cache_uncharge(self, Core core, unsigned int pfn, unsigned int what) noexcept nogil

cdef int mem_container_charge(Core core, unsigned int pfn, unsigned int mm, bint is_cache) noexcept nogil
cdef bint charge_or_reclaim(Core core, unsigned int container) noexcept nogil
