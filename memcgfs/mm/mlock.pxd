cdef void mlock_vma_page(Core core, unsigned int pfn, unsigned int vma) noexcept nogil
cdef void mlock_page(Core core, unsigned int pfn) noexcept nogil
cdef void munlock_page(Core core, unsigned int pfn) noexcept nogil
cpdef void mlock_vma_pages_range(Core core, unsigned int mm, unsigned long long start, unsigned long long end, bint is_locked) noexcept nogil
