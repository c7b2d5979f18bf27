cdef int page_cache_read(Core core, unsigned int file, long long index) noexcept nogil
cdef bint wait_until_read(Core core, unsigned int pfn, unsigned int file) noexcept nogil
cpdef long long file_read_page(Core core, unsigned int handle, long long index, unsigned int offset, unsigned int nr_bytes, long long request) noexcept nogil
cpdef long long file_read_pages(Core core, unsigned int handle, long long first, long long nr_pages) noexcept nogil
cpdef long long file_read_bytes(Core core, unsigned int handle, const unsigned long long[::1] pages) noexcept
cdef long long grab_cache_page(Core core, unsigned int file, long long index) noexcept nogil
cpdef long long file_write_begin(Core core, unsigned int handle, long long index, bint is_whole) noexcept nogil
cdef long long prepare_page(Core core, unsigned int file, long long index, bint is_whole) noexcept nogil
cpdef void file_write_end(Core core, unsigned int handle, unsigned int pfn, unsigned long long end) noexcept nogil
cpdef long long file_write_pages(Core core, unsigned int handle, long long first, long long nr_pages) noexcept nogil
cdef int filemap_fault(Core core, unsigned int handle, long long index, unsigned int advice) noexcept nogil
cpdef void begin_folio(Core core, unsigned int handle, long long index, long long nr_pages, bint is_first) noexcept nogil
cdef int filemap_fault_folios(Core core, unsigned int handle, long long index, unsigned int advice) noexcept nogil
cdef void do_sync_mmap_readahead(Core core, unsigned int handle, long long index, unsigned int advice) noexcept nogil
cdef void read_around(Core core, unsigned int handle, unsigned int file, long long index) noexcept nogil
