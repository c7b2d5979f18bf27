cdef void set_anon_rmap(Core core, unsigned int pfn, unsigned int vma, unsigned long long vpn) noexcept nogil
cdef void page_add_new_anon_rmap(Core core, unsigned int pfn, unsigned int vma, unsigned long long vpn) noexcept nogil
cdef void page_add_anon_rmap(Core core, unsigned int pfn, unsigned int vma, unsigned long long vpn) noexcept nogil
cdef void page_add_file_rmap(Core core, unsigned int pfn) noexcept nogil
cdef void page_remove_rmap(Core core, unsigned int pfn) noexcept nogil
cdef inline void count_file_rss(Core core, unsigned int mm, unsigned int pfn, long long amount) noexcept nogil
cdef inline unsigned long long page_check_address(Core core, unsigned int pfn, unsigned int vma, unsigned long long vpn) noexcept nogil
cdef inline bint is_spared(Core core, unsigned int mm) noexcept nogil
cdef inline bint counts_as_locked(Core core, unsigned int vma) noexcept nogil
cdef inline int page_referenced_one(Core core, unsigned int pfn, unsigned int vma, unsigned long long vpn) noexcept nogil
cdef bint may_count(Core core, unsigned int vma, int container) noexcept nogil
cpdef int page_referenced(Core core, unsigned int pfn, bint is_locked, int container) noexcept nogil
cdef inline int page_referenced_anon(Core core, unsigned int pfn, int container) noexcept nogil
cdef int page_referenced_file(Core core, unsigned int pfn, int container) noexcept nogil
cdef unsigned long long vma_address(Core core, unsigned int pfn, unsigned int vma) noexcept nogil
cdef bint is_mapped_locked(Core core, unsigned int pfn) noexcept nogil
cdef bint is_locked_anon(Core core, unsigned int pfn) noexcept nogil
cdef bint try_to_unmap_one(Core core, unsigned int pfn, unsigned int vma, unsigned long long vpn) noexcept nogil
cdef bint try_to_unmap(Core core, unsigned int pfn) noexcept nogil
cdef bint try_to_unmap_anon(Core core, unsigned int pfn) noexcept nogil
cdef bint try_to_unmap_file(Core core, unsigned int pfn) noexcept nogil
cdef bint page_mkclean(Core core, unsigned int pfn) noexcept nogil
