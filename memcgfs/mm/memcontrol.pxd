cdef bint page_get_meta_page(Core core, unsigned int pfn) noexcept nogil
cdef void lock_meta_page(Core core, unsigned int pfn) noexcept nogil
cdef void unlock_meta_page(Core core, unsigned int pfn) noexcept nogil
cdef void page_assign_meta_page(Core core, unsigned int pfn, unsigned int container, unsigned int refs) noexcept nogil
cdef void charge_again(Core core, unsigned int pfn, bint is_cache) noexcept nogil
cdef void add_meta_page(Core core, unsigned int pfn, unsigned int container, bint is_cache) noexcept nogil
cdef void trace_round(Core core, unsigned int container, int nr_retries, int then) noexcept nogil
cpdef void mem_container_uncharge_page(Core core, unsigned int pfn, unsigned int what) noexcept nogil
cdef inline void mod_lruvec_page_state(Core core, unsigned int pfn, unsigned int item, long long amount) noexcept nogil
cdef inline void mod_memcg_page_state(Core core, unsigned int pfn, unsigned int item, long long amount) noexcept nogil
cdef inline void count_memcg_event_mm(Core core, unsigned int mm, unsigned int item) noexcept nogil
cdef int swap_free(Core core, unsigned int slot) noexcept nogil
cdef int mem_cgroup_swappiness(Core core, int container) noexcept nogil
cpdef int charge_kmem(Core core, unsigned int container, long long nr_pages) noexcept nogil
cpdef void uncharge_kmem(Core core, unsigned int container, long long nr_pages) noexcept nogil
cpdef void drain_all_stocks(Core core, unsigned int container) noexcept nogil
cpdef void container_offline(Core core, unsigned int container) noexcept nogil
cpdef void lru_add_drain_all(Core core) noexcept nogil
cpdef long long shrink_subtree(Core core, unsigned int container, bint may_swap) noexcept nogil
cpdef void force_empty_page(Core core, unsigned int pfn) noexcept nogil
