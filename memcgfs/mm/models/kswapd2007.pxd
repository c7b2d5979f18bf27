@cython.final
cdef class Kswapd:
    cdef readonly int[::1] priority
    cdef readonly int[::1] order
    cdef readonly long long[::1] nr_reclaimed
    cdef readonly long long[::1] total_scanned
    cdef readonly unsigned char[::1] may_writepage
    cdef readonly int[::1] swappiness
    cdef readonly int[::1] temp_priority
    cdef void wake(self, Core core, unsigned int node) noexcept nogil
    cdef void restart(self, Core core, unsigned int node) noexcept nogil
    cdef bint may_sleep(self, Core core, unsigned int node) noexcept nogil

cdef long long balance_pgdat(Core core, Kswapd kswapd, unsigned int node, ScanControl2007 sc) noexcept nogil
cdef long long run_until_nap(Core core, Kswapd kswapd, unsigned int node, ScanControl2007 sc) noexcept nogil
cdef void note_temp_priorities(Core core, Kswapd kswapd, unsigned int node) noexcept nogil
cdef bint wants_nap(Core core, Kswapd kswapd, unsigned int node) noexcept nogil
cdef bint balance_once(Core core, Kswapd kswapd, unsigned int node, ScanControl2007 sc) noexcept nogil
cdef bint is_in_trouble(Core core, Kswapd kswapd, unsigned int node) noexcept nogil
cdef bint should_scan(Core core, unsigned int zone, int priority) noexcept nogil
cdef int highest_zone_to_scan(Core core, Kswapd kswapd, unsigned int node) noexcept nogil
