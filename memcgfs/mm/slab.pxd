cdef unsigned long long object_words(unsigned long long number) noexcept nogil
cdef void add_partial(Core core, KmemCache cache, unsigned long long pfn, bint last) noexcept nogil
cdef void link_partial(Core core, KmemCache cache, unsigned long long before, unsigned long long pfn) noexcept nogil
cdef void remove_partial(Core core, KmemCache cache, unsigned long long pfn) noexcept nogil
cdef bint cache_grow(Core core, KmemCache cache) noexcept nogil
cdef unsigned long long kmem_cache_alloc(Core core, KmemCache cache) noexcept nogil
cdef void kmem_cache_free(Core core, KmemCache cache, unsigned long long number) noexcept nogil
