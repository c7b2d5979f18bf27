cpdef void vmpressure(Core core, unsigned int container, long long scanned, long long reclaimed) noexcept nogil
cpdef void vmpressure_prio(Core core, unsigned int container, int priority) noexcept nogil
cdef void vmpressure_work(Core core, unsigned int container) noexcept nogil
cpdef int vmpressure_calc_level(long long scanned, long long reclaimed) noexcept nogil
