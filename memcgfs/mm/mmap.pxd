cpdef long long access_pages(Core core, unsigned int mm, const unsigned long long[::1] pages, const unsigned char[::1] writes, long long first) noexcept
cdef void use_translation(Core core, unsigned int mm, unsigned long long vpn, unsigned long long at, unsigned long long before) noexcept nogil
cdef bint fault_in(Core core, unsigned int mm, unsigned long long vpn, unsigned char write) noexcept nogil
cdef void zap_page(Core core, unsigned int mm, unsigned long long vpn, unsigned long long at, int why) noexcept nogil
cpdef void zap_page_range(Core core, unsigned int mm, unsigned long long start, unsigned long long end, int why) noexcept nogil
cpdef void free_pgtables(Core core, unsigned int mm, unsigned long long start, unsigned long long end) noexcept nogil
cpdef int copy_page_range(Core core, unsigned int mm, unsigned int child, unsigned long long start, unsigned long long end, bint cow) noexcept nogil
cdef bint copy_one_pte(Core core, unsigned int child, unsigned long long vpn, unsigned long long at, bint cow) noexcept nogil
