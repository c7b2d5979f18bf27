@cython.final
cdef class Shadows:
    cdef readonly unsigned int nr_shadows
    cdef readonly long long[::1] age
    cdef readonly unsigned int[::1] whose
    cdef readonly unsigned int first_free
    cdef readonly unsigned int frontier
    cdef readonly long long nr_used
    cdef unsigned int take(self, long long age, unsigned int whose) noexcept nogil
    cdef void give(self, unsigned int row) noexcept nogil
