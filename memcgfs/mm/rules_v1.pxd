cdef class RulesV1(Rules):
    cdef int charge(self, Core core, unsigned int pfn, unsigned int mm) noexcept nogil
    cdef int cache_charge(self, Core core, unsigned int pfn, unsigned int mm) noexcept nogil
    cdef int cache_charge_ahead(self, Core core, unsigned int pfn, unsigned int mm) noexcept nogil
    cdef int swap_cache_charge(self, Core core, unsigned int pfn, unsigned int slot, unsigned int mm) noexcept nogil
    cdef void swapped_in(self, Core core, unsigned int slot) noexcept nogil
    cdef void swapped_out(self, Core core, unsigned int pfn, unsigned int slot) noexcept nogil
    cdef void swap_freed(self, Core core, unsigned int slot) noexcept nogil
    cdef void page_freed(self, Core core, unsigned int pfn, unsigned int what) noexcept nogil
    cdef int charge_kmem(self, Core core, unsigned int container, long long nr_pages) noexcept nogil
    cdef void uncharge_kmem(self, Core core, unsigned int container, long long nr_pages) noexcept nogil
    cdef void drain_stocks(self, Core core, unsigned int container) noexcept nogil
    cdef void arm_flush(self, Core core) noexcept nogil
    cdef void run_flush(self, Core core) noexcept nogil
    cdef void container_offline(self, Core core, unsigned int container) noexcept nogil

cdef int mem_cgroup_charge(Core core, unsigned int pfn, unsigned int container, bint is_cache, int gfp) noexcept nogil
cdef void commit_charge(Core core, unsigned int pfn, unsigned int container, bint is_cache) noexcept nogil
cdef long long charge_counters(Core core, unsigned int container, long long nr_pages) noexcept nogil
cdef int try_charge_memcg(Core core, unsigned int container, long long nr_pages, unsigned int gfp) noexcept nogil
cdef long long mem_cgroup_margin(Core core, unsigned int container) noexcept nogil
cdef bint consume_stock(Core core, unsigned int container, long long nr_pages) noexcept nogil
cdef void refill_stock(Core core, unsigned int container, long long nr_pages) noexcept nogil
cdef void drain_stock(Core core, unsigned int place) noexcept nogil
cdef void drain_all_stock(Core core, unsigned int top) noexcept nogil
cdef void mem_cgroup_uncharge(Core core, unsigned int pfn, unsigned int what) noexcept nogil
cdef void forget_charge(Core core, unsigned int pfn, unsigned int container, unsigned int what) noexcept nogil
cdef void mem_cgroup_swapout(Core core, unsigned int pfn, unsigned int slot) noexcept nogil
cdef unsigned int mem_cgroup_id_get_online(Core core, unsigned int container) noexcept nogil
cdef void mem_cgroup_uncharge_swap(Core core, unsigned int slot) noexcept nogil
cdef int obj_cgroup_charge_pages(Core core, unsigned int container, long long nr_pages) noexcept nogil
cdef void obj_cgroup_uncharge_pages(Core core, unsigned int container, long long nr_pages) noexcept nogil
cdef void mem_cgroup_css_offline(Core core, unsigned int container) noexcept nogil
