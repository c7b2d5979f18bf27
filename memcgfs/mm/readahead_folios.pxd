cdef long long ra_init_size(long long request, long long largest) noexcept nogil
cdef long long ra_next_size(long long size, long long largest) noexcept nogil
cdef int fls_order(long long nr_pages) noexcept nogil
cdef int folio_order(long long index, int order, long long last) noexcept nogil
cdef int ra_alloc_folio(Core core, unsigned int file, long long index, int order, long long mark) noexcept nogil
cdef void read_pages(Core core, int base) noexcept nogil
cdef bint is_folio_free(Core core, unsigned int file, long long index, int order) noexcept nogil
cdef void page_cache_ra_order(Core core, unsigned int handle) noexcept nogil
cdef void do_page_cache_ra(Core core, unsigned int file, long long index, long long nr_pages, long long lookahead) noexcept nogil
cdef void force_page_cache_ra(Core core, unsigned int file, long long index, long long nr_pages, long long largest) noexcept nogil
cdef long long nr_cached_before(Core core, unsigned int file, long long index, long long largest) noexcept nogil
cdef bint goes_on(Core core, unsigned int handle, long long index) noexcept nogil
cdef void page_cache_sync_ra(Core core, unsigned int handle, long long index, long long request) noexcept nogil
cdef long long nr_folio_pages(Core core, unsigned int file, long long index) noexcept nogil
cdef void page_cache_async_ra(Core core, unsigned int handle, unsigned int pfn, long long index, long long request) noexcept nogil
cdef void read_around_folios(Core core, unsigned int handle, long long index) noexcept nogil
