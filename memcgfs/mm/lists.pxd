@cython.final
cdef class Links:
    cdef readonly unsigned int first_head
    cdef readonly unsigned int[:] next
    cdef readonly unsigned int[:] prev
    cpdef void init_head(self, unsigned int head) noexcept nogil
    cpdef bint is_empty(self, unsigned int head) noexcept nogil
    cpdef bint is_linked(self, unsigned int entry) noexcept nogil
    cpdef void add(self, unsigned int head, unsigned int entry) noexcept nogil
    cpdef void add_tail(self, unsigned int head, unsigned int entry) noexcept nogil
    cpdef void remove(self, unsigned int entry) noexcept nogil
    cpdef inline void move(self, unsigned int head, unsigned int entry) noexcept nogil
    cpdef void move_tail(self, unsigned int head, unsigned int entry) noexcept nogil
    cpdef void splice(self, unsigned int source, unsigned int head) noexcept nogil
