cdef long long soft_limit_excess(Core core, unsigned int group) noexcept nogil
cdef int largest_soft_limit_excess(Core core, int but) noexcept nogil
cdef void soft_reclaim(Core core, ClassicScanControl sc, unsigned int root, unsigned int node) noexcept nogil
cdef void soft_limit_reclaim(Core core, ClassicScanControl outer, unsigned int node) noexcept nogil
cdef void reclaim_excess(Core core, ClassicScanControl outer, unsigned int node, int first) noexcept with gil
