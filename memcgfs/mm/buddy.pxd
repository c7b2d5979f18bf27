cdef unsigned int rmqueue(Zones zones, Frames frames, Links lru, unsigned int zone, int order) noexcept nogil
cdef unsigned int take_block(Zones zones, Frames frames, Links lru, unsigned int zone, int order) noexcept nogil
cdef void put_block(Zones zones, Frames frames, Links lru, unsigned int zone, unsigned int pfn, int order) noexcept nogil
cdef void unlist_block(Frames frames, Links lru, unsigned int pfn) noexcept nogil
cdef bint is_free_buddy(Zones zones, Frames frames, unsigned int zone, unsigned int pfn, int order) noexcept nogil
cdef void free_one_page(Zones zones, Frames frames, Links lru, unsigned int zone, unsigned int pfn, int order) noexcept nogil
