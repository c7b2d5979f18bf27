cdef unsigned long long anon_mapping(unsigned long long anon_vma, unsigned long long index) noexcept nogil
cdef unsigned int page_anon_vma(Core core, unsigned int pfn) noexcept nogil
cpdef unsigned long long page_index(Core core, unsigned int pfn) noexcept nogil
cdef void set_anon_rmap(Core core, unsigned int pfn, unsigned int vma, unsigned long long vpn) noexcept nogil
cdef void page_add_new_anon_rmap(Core core, unsigned int pfn, unsigned int vma, unsigned long long vpn) noexcept nogil
cdef void page_add_anon_rmap(Core core, unsigned int pfn, unsigned int vma, unsigned long long vpn) noexcept nogil
cdef void page_add_file_rmap(Core core, unsigned int pfn) noexcept nogil
cdef void page_remove_rmap(Core core, unsigned int pfn) noexcept nogil
cdef unsigned long long page_check_address(Core core, unsigned int pfn, unsigned int vma, unsigned long long vpn) noexcept nogil
cpdef int page_referenced(Core core, unsigned int pfn, int container) noexcept nogil
cdef int try_to_unmap_one(Core core, unsigned int pfn, unsigned int vma, unsigned long long vpn) noexcept nogil
cdef int try_to_unmap(Core core, unsigned int pfn) noexcept nogil
