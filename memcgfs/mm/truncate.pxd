cdef void unmap_mapping_range(Core core, unsigned int file, unsigned long long first) noexcept nogil
cdef void unmap_pages(Core core, unsigned int file, unsigned long long first, unsigned long long end) noexcept nogil
cdef void truncate_inode_pages(Core core, unsigned int file, long long first) noexcept nogil
cdef void truncate_complete_page(Core core, unsigned int pfn) noexcept nogil
cdef void truncate_blocks(Core core, unsigned int file, long long first) noexcept nogil
cpdef void vmtruncate(Core core, unsigned int file, unsigned long long nr_bytes) noexcept nogil
cpdef long long block_truncate_page(Core core, unsigned int file, long long index) noexcept nogil
cpdef void finish_truncated_page(Core core, unsigned int pfn) noexcept nogil
cpdef long long invalidate_mapping_pages(Core core, unsigned int file, long long first, long long last) noexcept nogil
cpdef void truncate_range(Core core, unsigned int file, long long first, long long end) noexcept nogil
cpdef void drop_pagecache(Core core, unsigned int file) noexcept nogil
cdef long long release_when_full(Core core, long long nr_seen) noexcept nogil
cdef void release_rest(Core core, long long nr_seen) noexcept nogil
