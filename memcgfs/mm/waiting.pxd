cdef void end_swap_bio_read(Core core, unsigned int pfn) noexcept nogil
cdef void end_swap_bio_write(Core core, unsigned int pfn) noexcept nogil
cdef long long next_due_ns(Core core) noexcept nogil
cdef void run_next(Core core) noexcept nogil
cdef void wake_kswapd(Core core) noexcept nogil
cpdef void run_due(Core core) noexcept nogil
cpdef void sleep_until(Core core, long long until_ns) noexcept nogil
cdef void wait_for_disk(Core core) noexcept nogil
cdef void congestion_wait(Core core, long long timeout_ns) noexcept nogil
cdef void submit_bio(Core core, unsigned int pfn, bint is_write) noexcept nogil
cdef void lock_page(Core core, unsigned int pfn) noexcept nogil
