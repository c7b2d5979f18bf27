cdef unsigned int get_block(Core core, unsigned int file, unsigned long long index) noexcept nogil
cdef int allocate_block(Core core, unsigned int file, unsigned long long index) noexcept nogil
cdef void free_block(Core core, unsigned int file, unsigned long long index) noexcept nogil
cdef void readpage(Core core, unsigned int pfn) noexcept nogil
cdef int writepage(Core core, unsigned int pfn, bint for_reclaim) noexcept nogil
cdef void trace_file_write(Core core, unsigned int pfn, bint for_reclaim) noexcept nogil
cdef void clear_from(Core core, unsigned int pfn, unsigned int first) noexcept nogil
cdef unsigned long long lowest_bytes(unsigned long long word, unsigned int count) noexcept nogil
cdef void copy_block_in(Core core, unsigned int pfn, unsigned int block) noexcept nogil
cdef void copy_block_out(Core core, unsigned int pfn, unsigned int block) noexcept nogil
