cdef int handle_mm_fault(Core core, unsigned int mm, unsigned long long vpn, bint write) noexcept nogil
cdef unsigned int pte_alloc(Core core, unsigned int mm, unsigned long long vpn) noexcept nogil
cdef void pte_free(Core core, unsigned int mm, unsigned long long vpn) noexcept nogil
cdef inline void map_new_page(Core core, unsigned int mm, unsigned int vma, unsigned long long vpn, unsigned long long at, unsigned int pfn) noexcept nogil
cdef unsigned int alloc_charged_page(Core core, unsigned int mm) noexcept nogil
cdef int lost_race(Core core, unsigned int pfn) noexcept nogil
cdef int do_anonymous_page(Core core, unsigned int mm, unsigned int vma, unsigned long long vpn, unsigned long long at, bint write) noexcept nogil
cdef int do_linear_fault(Core core, unsigned int mm, unsigned int vma, unsigned long long vpn, unsigned long long at, bint write) noexcept nogil
cdef bint make_copy_in_vain(Core core, unsigned int mm, unsigned int vma, unsigned long long vpn) noexcept nogil
cdef bint do_fault_around(Core core, unsigned int mm, unsigned int vma, unsigned long long vpn, unsigned long long at) noexcept nogil
cdef bint is_ready_to_map(Core core, unsigned int pfn) noexcept nogil
cdef void map_file_page(Core core, unsigned int mm, unsigned int vma, unsigned long long at, unsigned int pfn) noexcept nogil
cdef int do_cow_fault(Core core, unsigned int mm, unsigned int vma, unsigned long long vpn, unsigned long long at, unsigned int file_pfn, int ret) noexcept nogil
cdef void set_page_dirty_balance(Core core, unsigned int pfn) noexcept nogil
cdef int do_wp_page(Core core, unsigned int mm, unsigned int vma, unsigned long long vpn, unsigned long long at) noexcept nogil
cdef bint should_try_to_free_swap(Core core, unsigned int pfn, unsigned int vma, bint is_write) noexcept nogil
cdef int do_swap_page(Core core, unsigned int mm, unsigned int vma, unsigned long long vpn, unsigned long long at, bint write) noexcept nogil
