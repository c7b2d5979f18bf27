@cython.final
cdef class Kswapd:
    cdef readonly ScanControl2007 sc
    cdef readonly int priority
    cdef readonly long long nr_reclaimed
    cdef readonly long long total_scanned
    cdef readonly int[::1] temp_priority
    cdef void restart(self, Core core) noexcept nogil

cdef long long balance_pgdat(Core core, Kswapd kswapd) noexcept nogil
cdef long long run_until_nap(Core core, Kswapd kswapd) noexcept nogil
cdef void note_temp_priorities(Core core, Kswapd kswapd) noexcept nogil
cdef bint wants_nap(Core core, Kswapd kswapd) noexcept nogil
cdef bint balance_once(Core core, Kswapd kswapd) noexcept nogil
cdef bint should_scan(Core core, unsigned int zone, int priority) noexcept nogil
cdef int highest_zone_to_scan(Core core, int priority) noexcept nogil
