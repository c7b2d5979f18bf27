cdef unsigned int find_next_to_unuse(Core core, unsigned int area, unsigned int slot) noexcept nogil
cdef unsigned long long find_swap_pte(Core core, unsigned int mm, unsigned int slot, unsigned long long start, unsigned long long end) noexcept nogil
cdef int unuse_pte(Core core, unsigned int mm, unsigned long long vpn, unsigned int slot, unsigned int pfn) noexcept nogil
cdef int unuse_mm(Core core, unsigned int mm, unsigned int slot, unsigned int pfn) noexcept nogil
cdef int unuse_mms(Core core, unsigned int slot, unsigned int pfn, unsigned int start_mm) noexcept nogil
cdef int unuse_slot(Core core, unsigned int slot, unsigned int pfn, unsigned int start_mm) noexcept nogil
cpdef int try_to_unuse(Core core, unsigned int area) noexcept nogil
