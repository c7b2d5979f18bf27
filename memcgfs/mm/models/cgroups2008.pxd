cdef class Cgroups2008(DoubleLru):
    cdef readonly long long[::1] mz_count
    cdef readonly long long[::1] nr_active
    cdef readonly long long[::1] nr_inactive
    cdef readonly int[::1] prev_priority
    cdef bint may_reclaim_mapped(self, Core core, unsigned int zone, LruScanControl sc, int priority) noexcept nogil
    cdef bint has_far_too_much(self, Core core, unsigned int zone, int order, unsigned int class_zone) noexcept nogil
    cdef long long nr_to_scan(self, Core core, unsigned int container, unsigned int zone, int priority, bint active) noexcept nogil
    cdef void note_priority(self, Core core, unsigned int container, int priority) noexcept nogil
    cdef void record_priority(self, Core core, unsigned int container, int priority) noexcept nogil
    cdef void moved(self, Core core, unsigned int pfn, bint active, int why) noexcept nogil
    cdef void charged(self, Core core, unsigned int pfn, unsigned int container) noexcept nogil
    cdef void uncharged(self, Core core, unsigned int pfn, unsigned int container) noexcept nogil
    cdef int first_list(self, Core core) noexcept nogil
    cdef void container_made(self, Core core, unsigned int container) noexcept nogil
    cdef bint shrink_container(self, Core core, unsigned int container) noexcept nogil
    cpdef long long count(self, Core core, int container, bint active)
    cpdef tuple walk(self, Core core, int container)

cdef unsigned int group_list(Core core, unsigned int container, unsigned int zone, bint active) noexcept nogil
cdef void add_list(Core core, Cgroups2008 model, unsigned int pfn, bint active) noexcept nogil
cdef void remove_list(Core core, Cgroups2008 model, unsigned int pfn) noexcept nogil
cdef void count_list(Core core, Cgroups2008 model, unsigned int pfn, unsigned int container, int amount) noexcept nogil
cdef long long calc_mapped_ratio(Core core, unsigned int container) noexcept nogil
cdef long long mem_cgroup_isolate_pages(Core core, long long nr_to_scan, unsigned int dst, LruScanControl sc, int order, int mode, unsigned int zone, int mem_container, bint active) noexcept nogil
cdef bint try_to_free_mem_cgroup_pages(Core core, Cgroups2008 model, unsigned int container) noexcept with gil
