cdef void end_page_read(Core core, unsigned int pfn) noexcept nogil
cdef void laptop_io_completion(Core core) noexcept nogil
cdef void end_page_writeback(Core core, unsigned int pfn) noexcept nogil
cdef void trace_end_of_write(Core core, unsigned int pfn) noexcept nogil
cdef long long next_due_ns(Core core) noexcept nogil
cdef void run_next(Core core) noexcept nogil
cdef void run_daemon(Core core, unsigned int daemon) noexcept nogil
cpdef void run_due(Core core) noexcept nogil
cpdef void sleep_until(Core core, long long until_ns) noexcept nogil
cdef void pass_time(Core core, long long until_ns) noexcept nogil
cdef void io_schedule(Core core) noexcept nogil
cdef void congestion_wait(Core core, long long timeout_ns) noexcept nogil
cdef long long congestion_nap(Core core, unsigned int daemon) noexcept nogil
cdef void submit_bio(Core core, unsigned int disk, unsigned int pfn, bint is_write) noexcept nogil
cdef bint lock_page(Core core, unsigned int pfn) noexcept nogil
cdef void wait_on_page_writeback(Core core, unsigned int pfn) noexcept nogil
