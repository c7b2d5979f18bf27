@cython.final
cdef class Kswapd:
    cdef readonly int[::1] priority
    cdef readonly int[::1] order
    cdef readonly long long[::1] nr_reclaimed
    cdef readonly long long[::1] total_scanned
    cdef readonly unsigned char[::1] may_writepage
    cdef readonly int[::1] swappiness
    cdef readonly int[::1] temp_priority
    cdef readonly int[::1] zone
    cdef readonly int[::1] end_zone
    cdef readonly long long[::1] lru_pages
    cdef readonly unsigned char[::1] is_shrunk
    cdef readonly long long[::1] nr_scanned
    cdef readonly unsigned char[::1] are_all_ok
    cdef void wake(self, Core core, unsigned int node) noexcept nogil
    cdef void restart(self, Core core, unsigned int node) noexcept nogil
    cdef bint may_sleep(self, Core core, unsigned int node) noexcept nogil

cdef long long balance_pgdat(Core core, Kswapd kswapd, unsigned int node, LruScanControl sc) noexcept nogil
cdef long long run_until_nap(Core core, Kswapd kswapd, unsigned int node, LruScanControl sc) noexcept nogil
cdef void note_temp_priorities(Core core, Kswapd kswapd, unsigned int node) noexcept nogil
cdef bint wants_nap(Core core, Kswapd kswapd, unsigned int node) noexcept nogil
cdef bint begin_pass(Core core, Kswapd kswapd, unsigned int node) noexcept nogil
cdef bint balance_zones(Core core, Kswapd kswapd, unsigned int node, LruScanControl sc) noexcept nogil
cdef void shrink_zone_of_pass(Core core, Kswapd kswapd, unsigned int node, unsigned int zone, LruScanControl sc) noexcept nogil
cdef void finish_zone(Core core, Kswapd kswapd, unsigned int node, unsigned int zone, LruScanControl sc) noexcept nogil
cdef bint is_in_trouble(Core core, Kswapd kswapd, unsigned int node) noexcept nogil
cdef bint should_scan(Core core, unsigned int zone, int priority) noexcept nogil
cdef int highest_zone_to_scan(Core core, Kswapd kswapd, unsigned int node) noexcept nogil
