cdef void add_unused(Core core, unsigned long long dentry) noexcept nogil
cdef unsigned long long take_oldest(Core core) noexcept nogil
cpdef long long lookup_missing(Core core, long long count) noexcept nogil
cdef void prune_dcache(Core core, long long count) noexcept nogil
cpdef long long shrink_dcache_memory(Core core, long long nr, unsigned int gfp) noexcept nogil
