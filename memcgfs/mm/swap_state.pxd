cdef unsigned int lookup_swap_cache(Core core, unsigned int slot) noexcept nogil
cdef int insert_into_swap_cache(Core core, unsigned int pfn, unsigned int slot, int why) noexcept nogil
cdef bint add_to_swap(Core core, unsigned int pfn) noexcept nogil
cdef int add_to_swap_cache(Core core, unsigned int pfn, unsigned int slot) noexcept nogil
cdef void delete_from_swap_cache(Core core, unsigned int pfn, int why) noexcept nogil
cdef bint remove_exclusive_swap_page(Core core, unsigned int pfn) noexcept nogil
cdef bint can_share_swap_page(Core core, unsigned int pfn) noexcept nogil
cdef void free_page_and_swap_cache(Core core, unsigned int pfn) noexcept nogil
cdef void free_swap_and_cache(Core core, unsigned int slot) noexcept nogil
