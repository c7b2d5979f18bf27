cdef unsigned int get_page_from_freelist(Core core, unsigned int kind, unsigned int which) noexcept nogil
cdef unsigned int get_page_without_watermarks(Core core, unsigned int kind) noexcept nogil
cdef void wakeup_kswapd(Core core, unsigned int kind) noexcept nogil
cdef unsigned int gfp_zone(Core core, unsigned int gfp) noexcept nogil
cpdef unsigned int alloc_page(Core core, unsigned int gfp) noexcept nogil
cdef unsigned int alloc_page_slowly(Core core, unsigned int kind, unsigned int gfp) noexcept nogil
cdef void get_page(Core core, unsigned int pfn) noexcept nogil
cpdef void put_page(Core core, unsigned int pfn) noexcept nogil
cpdef void free_page(Core core, unsigned int pfn) noexcept nogil
