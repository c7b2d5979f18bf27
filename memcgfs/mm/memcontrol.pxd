cdef bint page_get_meta_page(Core core, unsigned int pfn) noexcept nogil
cdef void lock_meta_page(Core core, unsigned int pfn) noexcept nogil
cdef void unlock_meta_page(Core core, unsigned int pfn) noexcept nogil
cdef void page_assign_meta_page(Core core, unsigned int pfn, unsigned int container, unsigned int refs) noexcept nogil
cdef void charge_again(Core core, unsigned int pfn, bint is_cache) noexcept nogil
cdef void add_meta_page(Core core, unsigned int pfn, unsigned int container, bint is_cache) noexcept nogil
cdef void trace_round(Core core, unsigned int container, int nr_retries, int then) noexcept nogil
cpdef void mem_container_uncharge_page(Core core, unsigned int pfn, unsigned int what) noexcept nogil
cpdef void force_empty_page(Core core, unsigned int pfn) noexcept nogil
