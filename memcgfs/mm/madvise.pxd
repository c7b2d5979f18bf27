cpdef void madvise_free_range(Core core, unsigned int mm, unsigned long long start, unsigned long long end) noexcept nogil
cdef void madvise_free_entry(Core core, unsigned int mm, unsigned long long at) noexcept nogil
cdef bint makes_clean(Core core, unsigned int pfn) noexcept nogil
cpdef void madvise_cold_range(Core core, unsigned int mm, unsigned long long start, unsigned long long end, bint is_pageout) noexcept nogil
cdef void madvise_cold_entry(Core core, unsigned long long at, bint is_pageout) noexcept nogil
