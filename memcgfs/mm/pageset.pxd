cdef unsigned int take_from_pageset(Zones zones, Frames frames, Links lru, unsigned int zone, unsigned int pcp) noexcept nogil
cdef void rmqueue_bulk(Zones zones, Frames frames, Links lru, unsigned int zone, unsigned int pcp) noexcept nogil
cdef void put_rest(Zones zones, Frames frames, Links lru, unsigned int zone, unsigned int pfn, unsigned int end) noexcept nogil
cdef void give_to_pageset(Zones zones, Frames frames, Links lru, unsigned int zone, unsigned int pcp, unsigned int pfn) noexcept nogil
cdef void free_pages_bulk(Zones zones, Frames frames, Links lru, unsigned int zone, unsigned int pcp) noexcept nogil
