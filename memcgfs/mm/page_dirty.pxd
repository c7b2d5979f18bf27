cdef inline bint accounts_dirty(Core core, unsigned int pfn) noexcept nogil
cdef void arm_kupdate(Core core) noexcept nogil
cpdef void restart_kupdate(Core core) noexcept nogil
cdef void mark_inode_dirty(Core core, unsigned int file) noexcept nogil
cdef bint set_page_dirty(Core core, unsigned int pfn) noexcept nogil
cdef inline bint test_clear_page_dirty(Core core, unsigned int pfn) noexcept nogil
cdef void cancel_dirty_page(Core core, unsigned int pfn) noexcept nogil
cdef inline void set_page_writeback(Core core, unsigned int pfn) noexcept nogil
cdef inline void clear_page_writeback(Core core, unsigned int pfn) noexcept nogil
