cdef class Flusher:
    cdef readonly long long min_pages
    cdef readonly long long kupdate_start_ns
    cdef readonly long long kupdate_left
    cdef readonly long long kupdate_next_ns
    cdef long long run(self, Core core, unsigned int daemon) noexcept nogil
