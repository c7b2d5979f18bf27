cdef unsigned int find_get_page(Core core, unsigned int file, unsigned long long index) noexcept nogil
cdef bint is_page_of(Core core, unsigned int pfn, unsigned int file) noexcept nogil
cdef bint lock_page_of(Core core, unsigned int pfn, unsigned int file) noexcept nogil
cdef unsigned int find_lock_page(Core core, unsigned int file, unsigned long long index) noexcept nogil
cdef int add_to_page_cache(Core core, unsigned int pfn, unsigned int file, unsigned long long index, int why) noexcept nogil
cdef int add_to_page_cache_nowait(Core core, unsigned int pfn, unsigned int file, unsigned long long index, int why) noexcept nogil
cdef int enter_page_cache(Core core, unsigned int pfn, unsigned int file, unsigned long long index, int why) noexcept nogil
cdef void leave_shadow(Core core, unsigned int file, unsigned long long index, long long age, unsigned int whose) noexcept nogil
cdef unsigned int forget_shadow(Core core, unsigned int file, unsigned long long index) noexcept nogil
cdef void forget_shadows(Core core, unsigned int file, long long first, long long last) noexcept nogil
cdef void take_shadow(Core core, unsigned int pfn, unsigned int file, unsigned long long index, int why) noexcept nogil
cdef int add_to_page_cache_lru(Core core, unsigned int pfn, unsigned int file, unsigned long long index, int why) noexcept nogil
cdef int add_to_page_cache_ahead(Core core, unsigned int pfn, unsigned int file, unsigned long long index) noexcept nogil
cdef int add_to_page_cache_pvec(Core core, unsigned int pfn, unsigned int file, unsigned long long index, int why) noexcept nogil
cpdef void pagevec_lru_add(Core core) noexcept nogil
cdef void remove_from_page_cache(Core core, unsigned int pfn, int why) noexcept nogil
