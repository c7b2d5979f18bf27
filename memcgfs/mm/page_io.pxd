cdef void swap_writepage(Core core, unsigned int pfn, bint for_reclaim) noexcept nogil
cdef void swap_readpage(Core core, unsigned int pfn) noexcept nogil
cdef unsigned int swap_disk(Core core, unsigned int pfn) noexcept nogil
cdef void copy_out(Core core, unsigned int pfn, unsigned int slot) noexcept nogil
cdef void copy_in(Core core, unsigned int pfn, unsigned int slot) noexcept nogil
cdef void copy_page(Core core, unsigned int source_pfn, unsigned int pfn) noexcept nogil
cdef void copy_words(unsigned long long[::1] source, unsigned int number, unsigned long long[::1] target, unsigned int target_number) noexcept nogil
