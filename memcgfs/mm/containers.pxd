@cython.final
cdef class Containers:
    cdef readonly unsigned int nr_containers
    cdef readonly long long[::1] css
    cdef readonly long long[::1] leaked
    cdef readonly unsigned long long[::1] peak
    cdef readonly long long[::1] nr_cache
    cdef readonly unsigned char[::1] control_type
    cdef readonly unsigned char[::1] is_released
    cdef readonly unsigned int[::1] released
    cdef readonly unsigned int nr_released
    cpdef void init(self, unsigned int container) noexcept nogil
    cpdef void css_get(self, unsigned int container) noexcept nogil
    cpdef void forget_released(self, unsigned int container) noexcept nogil
    cpdef void css_put(self, unsigned int container) noexcept nogil
