@cython.final
cdef class Files:
    cdef readonly unsigned int nr_files
    cdef readonly unsigned long long[::1] size
    cdef readonly long long[::1] nr_pages
    cdef readonly long long[::1] nr_blocks
    cdef readonly long long[::1] nr_shadows
    cdef readonly unsigned char[::1] kind
    cdef readonly unsigned char[::1] error
    cdef readonly unsigned char[::1] state
    cdef readonly unsigned int[::1] ra_pages
    cdef readonly unsigned int device_ra_pages
    cdef readonly long long[::1] writeback_index
    cdef readonly long long[::1] dirtied_when_ns
    cdef readonly Links dirty
    cdef readonly unsigned int s_dirty
    cdef readonly unsigned int s_io
    cdef readonly unsigned int shmem_swaplist
    cdef readonly bint makes_tail
    cdef readonly unsigned int[::1] pvec
    cdef readonly int nr_pvec
    cpdef void init(self, unsigned int file, unsigned int kind) noexcept nogil
    cpdef unsigned long long nr_size_pages(self, unsigned int file) noexcept nogil
    cdef bint is_on_disk(self, unsigned int file) noexcept nogil
    cpdef void set_size(self, unsigned int file, unsigned long long nr_bytes) noexcept nogil
    cpdef void set_ra_pages(self, unsigned int file, unsigned int nr_pages) noexcept nogil
    cpdef bint is_clean(self) noexcept nogil
    cpdef bint forget_error(self, unsigned int file) noexcept nogil

@cython.final
cdef class OpenFiles:
    cdef readonly unsigned int nr_open_files
    cdef readonly unsigned int[::1] file
    cdef readonly unsigned int[::1] ra_pages
    cdef readonly long long[::1] start
    cdef readonly long long[::1] ra_size
    cdef readonly long long[::1] async_size
    cdef readonly long long[::1] prev_index
    cdef readonly unsigned int[::1] prev_offset
    cdef readonly long long[::1] mmap_hit
    cdef readonly long long[::1] mmap_miss
    cdef readonly unsigned int[::1] pooled_pfn
    cdef readonly long long[::1] pooled_index
    cdef readonly long long nr_pooled
    cdef readonly long long[::1] last_index
    cdef readonly unsigned int[::1] order
    cdef readonly long long[::1] prev_pos
    cdef readonly unsigned char[::1] is_random
    cdef readonly long long[::1] folio_end
    cdef readonly unsigned int[::1] lru_pvec
    cdef readonly unsigned int nr_lru_pvec
    cpdef void init(self, unsigned int handle, unsigned int file, unsigned int ra_pages) noexcept nogil
    cpdef void end_read(self, unsigned int handle) noexcept nogil
    cdef void pool(self, unsigned int pfn, long long index) noexcept nogil
    cpdef void set_ra_pages(self, unsigned int handle, unsigned int nr_pages) noexcept nogil
    cpdef void set_random(self, unsigned int handle, bint on) noexcept nogil

@cython.final
cdef class Blocks:
    cdef readonly unsigned int nr_blocks
    cdef readonly unsigned long long[::1] words
    cdef readonly unsigned char[::1] content
    cdef readonly unsigned int[::1] free
    cdef readonly unsigned int nr_returned
    cdef readonly unsigned int frontier
    cpdef unsigned int nr_free(self) noexcept nogil
    cdef unsigned int take(self) noexcept nogil
    cdef void give(self, unsigned int block) noexcept nogil

cdef unsigned int page_tree(unsigned int file) noexcept nogil
cdef unsigned int block_tree(unsigned int file) noexcept nogil
cdef unsigned int shadow_tree(Files files, unsigned int file) noexcept nogil
