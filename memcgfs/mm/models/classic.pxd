cdef void wait_for_disks(Core core) noexcept nogil

cdef class Classic(Model):
    cdef readonly Lruvecs lruvecs
    cdef readonly FolioBatches batches
    cdef readonly long long[::1] nr
    cdef readonly long long[::1] targets
    cdef void page_added(self, Core core, unsigned int pfn, bint active) noexcept nogil
    cdef void page_arrived(self, Core core, unsigned int pfn) noexcept nogil
    cdef void page_accessed(self, Core core, unsigned int pfn) noexcept nogil
    cdef void activate(self, Core core, unsigned int pfn) noexcept nogil
    cdef void refaulted(self, Core core, unsigned int pfn, long long age, unsigned int whose) noexcept nogil
    cdef void mapped(self, Core core, unsigned int pfn, unsigned int vma) noexcept nogil
    cdef void unmapped(self, Core core, unsigned int pfn, unsigned int mm, unsigned long long vpn) noexcept nogil
    cdef void page_freed(self, Core core, unsigned int pfn) noexcept nogil
    cdef void written(self, Core core, unsigned int pfn) noexcept nogil
    cdef void mlocked(self, Core core, unsigned int pfn) noexcept nogil
    cdef void munlocked(self, Core core, unsigned int pfn) noexcept nogil
    cdef void lazyfree(self, Core core, unsigned int pfn) noexcept nogil
    cdef void deactivate(self, Core core, unsigned int pfn) noexcept nogil
    cdef bint reclaim_page(self, Core core, unsigned int pfn) noexcept nogil
    cdef void drain(self, Core core) noexcept nogil
    cdef void charged(self, Core core, unsigned int pfn, unsigned int container) noexcept nogil
    cdef void uncharged(self, Core core, unsigned int pfn, unsigned int container) noexcept nogil
    cdef void container_made(self, Core core, unsigned int container) noexcept nogil
    cdef void container_removed(self, Core core, unsigned int container) noexcept nogil
    cdef bint shrink_zones(self, Core core, unsigned int zonelist, int order, unsigned int gfp) noexcept nogil
    cdef bint shrink_container(self, Core core, unsigned int container) noexcept nogil
    cdef long long shrink_subtree(self, Core core, unsigned int container, bint may_swap) noexcept nogil
    cdef long long flush_stats(self, Core core) noexcept nogil
    cdef bint last_resort(self, Core core, unsigned int container) noexcept nogil
    cdef long long run_kswapd(self, Core core, unsigned int node) noexcept nogil
    cdef void wakeup_flushers(self, Core core) noexcept nogil
    cpdef long long lru_size(self, Core core, unsigned int container, int which)
    cpdef tuple walk(self, Core core, int container)
    cpdef tuple waiting(self)
