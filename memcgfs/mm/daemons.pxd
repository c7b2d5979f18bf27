@cython.final
cdef class Daemons:
    cdef readonly long long[::1] due_ns
    cdef readonly unsigned char[::1] is_running
    cdef readonly unsigned char[::1] is_napping
    cdef readonly long long next_ns
    cdef readonly unsigned int next_daemon
    cpdef bint is_asleep(self, unsigned int daemon) noexcept nogil
    cpdef void set_due(self, unsigned int daemon, long long due_ns) noexcept nogil
    cdef void nap(self, unsigned int daemon) noexcept nogil
    cdef void wake_napping(self, long long now_ns) noexcept nogil
    cdef void begin(self, unsigned int daemon) noexcept nogil
    cdef void end(self, unsigned int daemon) noexcept nogil
    cdef void find_next(self) noexcept nogil
