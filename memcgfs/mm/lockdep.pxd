@cython.final
cdef class Lockdep:
    cdef readonly unsigned int held
    cdef void lock(self, unsigned int lock) noexcept nogil
    cdef void unlock(self, unsigned int lock) noexcept nogil
    cpdef unsigned int swap_held(self, unsigned int held) noexcept nogil
