cdef bint page_get_meta_page(Core core, unsigned int pfn) noexcept nogil
cdef void lock_meta_page(Core core, unsigned int pfn) noexcept nogil
cdef void unlock_meta_page(Core core, unsigned int pfn) noexcept nogil
cdef void page_assign_meta_page(Core core, unsigned int pfn, unsigned int container, unsigned int refs) noexcept nogil
cpdef void mem_container_uncharge_page(Core core, unsigned int pfn, unsigned int what) noexcept nogil
cpdef void force_empty_page(Core core, unsigned int pfn) noexcept nogil
