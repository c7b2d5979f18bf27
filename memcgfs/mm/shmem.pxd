cdef bint shmem_writepage(Core core, unsigned int pfn) noexcept nogil
cdef bint move_to_swap_cache(Core core, unsigned int pfn, unsigned int slot) noexcept nogil
cdef unsigned int forget_slot(Core core, unsigned int file, long long index) noexcept nogil
cdef int move_from_swap_cache(Core core, unsigned int pfn, unsigned int file, long long index, unsigned int slot) noexcept nogil
cdef int shmem_fault(Core core, unsigned int file, long long index) noexcept nogil
cdef bint shmem_fill_hole(Core core, unsigned int file, long long index) noexcept nogil
cdef int shmem_take_back(Core core, unsigned int pfn, unsigned int file, long long index, unsigned int slot) noexcept nogil
cdef void shmem_truncate_range(Core core, unsigned int file, long long first) noexcept nogil
cdef int shmem_unuse(Core core, unsigned int pfn, unsigned int slot) noexcept nogil
