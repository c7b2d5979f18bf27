@cython.final
cdef class WritebackControl:
    cdef readonly long long nr_to_write
    cdef readonly long long pages_skipped
    cdef readonly bint nonblocking
    cdef readonly int sync_mode
    cdef readonly long long older_than_ns
    cdef readonly bint is_cyclic
    cdef readonly bint for_kupdate
    cdef readonly bint encountered_congestion

cdef long long dirtyable_memory(Core core) noexcept nogil
cdef long long half(long long percentage) noexcept nogil
cdef long long effective_dirty_ratio(Core core) noexcept nogil
cpdef long long dirty_threshold(Core core) noexcept nogil
cpdef long long background_threshold(Core core) noexcept nogil
cdef bint clear_page_dirty_for_io(Core core, unsigned int pfn) noexcept nogil
cdef void write_cache_pages(Core core, unsigned int file, WritebackControl wbc) noexcept nogil
cdef int pagevec_lookup_dirty(Core core, unsigned int file, long long index) noexcept nogil
cdef int write_pagevec(Core core, unsigned int file, WritebackControl wbc, int count) noexcept nogil
cdef void wait_on_page_writeback_range(Core core, unsigned int file, long long first, long long last) noexcept nogil
cdef void writeback_single_inode(Core core, unsigned int file, WritebackControl wbc) noexcept nogil
cdef void sync_single_inode(Core core, unsigned int file, WritebackControl wbc) noexcept nogil
cdef void writeback_inodes(Core core, WritebackControl wbc) noexcept nogil
cpdef void sync_file(Core core, unsigned int file) noexcept nogil
cpdef void filemap_fdatawrite(Core core, unsigned int file, bint is_sync) noexcept with gil
cdef void sync_inodes_sb(Core core, int sync_mode) noexcept with gil
cpdef void sync_inodes(Core core) noexcept nogil
cdef void wait_for_disk(Core core) noexcept nogil
cdef void balance_dirty_pages_ratelimited(Core core) noexcept nogil
cdef long long nr_dirty_or_written(Core core) noexcept nogil
cdef void balance_dirty_pages(Core core) noexcept nogil
cdef long long write_some(Core core, long long nr_pages) noexcept with gil
cdef void pdflush_operation(Core core, long long min_pages) noexcept nogil
cdef void wakeup_pdflush(Core core, long long nr_pages) noexcept nogil
cdef bint is_writeout_over_limit(Core core) noexcept nogil
cdef void throttle_vm_writeout(Core core, unsigned int gfp) noexcept nogil
