cdef void zone_statistics(Core core, unsigned int preferred, unsigned int zone) noexcept nogil
cdef unsigned int buffered_rmqueue(Core core, unsigned int gfp, int order, unsigned int zone, unsigned int preferred) noexcept nogil
cdef bint may_take_from(Core core, unsigned int zone, int order, unsigned int class_zone, unsigned int alloc_flags) noexcept nogil
cdef unsigned int get_page_from_freelist(Core core, unsigned int gfp, int order, unsigned int zonelist, unsigned int alloc_flags) noexcept nogil
cdef void wakeup_kswapds(Core core, unsigned int zonelist, int order) noexcept nogil
cdef void wakeup_kswapd(Core core, unsigned int node, int order) noexcept nogil
cdef unsigned int gfp_zone(Core core, unsigned int gfp) noexcept nogil
cpdef unsigned int alloc_page(Core core, unsigned int gfp) noexcept nogil
cpdef unsigned int alloc_pages(Core core, unsigned int gfp, int order) noexcept nogil
cdef unsigned int alloc_pages_slowly(Core core, unsigned int gfp, int order, unsigned int zonelist) noexcept nogil
cdef bint try_to_free_pages_for(Core core, unsigned int gfp, int order, unsigned int zonelist) noexcept nogil
cdef bint may_retry(unsigned int gfp, int order) noexcept nogil
cdef void get_page(Core core, unsigned int pfn) noexcept nogil
cpdef void put_page(Core core, unsigned int pfn) noexcept nogil
cdef void put_cold_page(Core core, unsigned int pfn) noexcept nogil
cdef void free_hot_cold_page(Core core, unsigned int pfn, bint cold) noexcept nogil
cpdef void free_pages(Core core, unsigned int pfn, int order) noexcept nogil
