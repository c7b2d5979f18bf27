cdef bint accounts_kmem(Core core) noexcept nogil
cpdef int kmem_charge_pages(Core core, unsigned int container, long long nr_pages) noexcept nogil
cpdef void kmem_uncharge_pages(Core core, unsigned int container, long long nr_pages) noexcept nogil
cdef long long pages_of_objects(long long nr_bytes) noexcept nogil
cdef long long pages_for(Core core, unsigned int container, long long nr_bytes) noexcept nogil
cpdef int kmem_alloc(Core core, unsigned int container, long long nr_bytes) noexcept nogil
cpdef void kmem_free(Core core, unsigned int container, long long nr_bytes) noexcept nogil
cdef void charge_tree_nodes(Core core) noexcept nogil
cpdef void settle_tree_nodes(Core core) noexcept nogil
cdef void create_empty_buffers(Core core, unsigned int pfn) noexcept nogil
cdef void drop_buffers(Core core, unsigned int pfn) noexcept nogil
