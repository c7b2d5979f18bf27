cdef bint shmem_writepage(Core core, unsigned int pfn) noexcept nogil
cdef bint move_to_swap_cache(Core core, unsigned int pfn, unsigned int slot) noexcept nogil
cdef unsigned int forget_slot(Core core, unsigned int file, long long index) noexcept nogil
cdef int move_from_swap_cache(Core core, unsigned int pfn, unsigned int file, long long index, unsigned int slot) noexcept nogil
cdef int shmem_getpage(Core core, unsigned int file, long long index, bint fills_holes) noexcept nogil
cdef int shmem_fault(Core core, unsigned int file, long long index) noexcept nogil
cpdef long long shmem_read_page(Core core, unsigned int file, long long index, unsigned int offset) noexcept nogil
cdef long long shmem_read_pages(Core core, unsigned int file, long long first, long long nr_pages) noexcept nogil
cdef long long shmem_write_begin(Core core, unsigned int file, long long index) noexcept nogil
cdef int shmem_make_room(Core core, unsigned int pfn) noexcept nogil
cdef bint shmem_fill_hole(Core core, unsigned int file, long long index) noexcept nogil
cdef int shmem_take_back(Core core, unsigned int pfn, unsigned int file, long long index, unsigned int slot) noexcept nogil
cdef long long shmem_truncate_page(Core core, unsigned int file, long long index) noexcept nogil
cdef void shmem_truncate_range(Core core, unsigned int file, long long first) noexcept nogil
cdef int shmem_unuse(Core core, unsigned int pfn, unsigned int slot) noexcept nogil
