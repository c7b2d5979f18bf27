cdef long long get_init_ra_size(long long request, long long largest) noexcept nogil
cdef long long get_next_ra_size(long long size, long long largest) noexcept nogil
cdef long long max_sane_readahead(Core core, long long nr_pages) noexcept nogil
cdef long long do_page_cache_readahead(Core core, unsigned int file, long long index, long long nr_pages, long long lookahead) noexcept nogil
cpdef void force_page_cache_readahead(Core core, unsigned int file, long long index, long long nr_pages) noexcept nogil
cdef void page_cache_sync_readahead(Core core, unsigned int handle, long long index, long long request) noexcept nogil
cdef void page_cache_async_readahead(Core core, unsigned int handle, unsigned int pfn, long long index, long long request) noexcept nogil
cdef bint is_sequential(Core core, unsigned int handle, long long index, long long request) noexcept nogil
cdef void ondemand_readahead(Core core, unsigned int handle, bint hit_mark, long long index, long long request) noexcept nogil
