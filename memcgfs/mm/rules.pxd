cdef class Rules:
    cdef readonly bint charges_once
    cdef readonly bint maps_zero_page
    cdef readonly bint charges_swap_cache
    cdef readonly bint counts_zero_page
    cdef readonly bint shmem_insists
    cdef readonly bint uses_own_pagevecs
    cdef readonly bint marks_written
    cdef readonly bint spares_locked
    cdef readonly bint looks_around_slot
    cdef readonly bint keeps_unevictable
    cdef readonly bint has_late_advice
    cdef readonly bint maps_around
    cdef readonly bint has_folios
    cdef readonly bint knows_exclusive
    cdef readonly bint forgets_on_rmdir
    cdef readonly bint inherits_notify
    cdef readonly bint kills_outsiders
    cdef readonly bint retries_fault
    cdef readonly object oom_message
    cdef readonly object knobs
    cdef int charge(self, Core core, unsigned int pfn, unsigned int mm) noexcept nogil
    cdef int cache_charge(self, Core core, unsigned int pfn, unsigned int mm) noexcept nogil
    cdef int cache_charge_nowait(self, Core core, unsigned int pfn, unsigned int mm) noexcept nogil
    cdef int cache_charge_ahead(self, Core core, unsigned int pfn, unsigned int mm) noexcept nogil
    cdef int swap_cache_charge(self, Core core, unsigned int pfn, unsigned int slot, unsigned int mm) noexcept nogil
    cdef void swap_cache_uncharge(self, Core core, unsigned int pfn, unsigned int what) noexcept nogil
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
