@cython.final
cdef class RadixTrees:
    cdef readonly unsigned int[::1] root
    cdef readonly unsigned char[::1] height
    cdef readonly unsigned int[::1] slots
    cdef readonly unsigned char[::1] nr_used
    cdef readonly unsigned long long[::1] tags
    cdef readonly unsigned int[::1] path
    cdef readonly unsigned int frontier
    cdef readonly unsigned int first_free
    cdef readonly long long nr_nodes_used
    cdef readonly unsigned int[::1] owner
    cdef readonly unsigned int first_owned
    cdef readonly unsigned int[::1] fresh
    cdef readonly unsigned int nr_fresh
    cdef unsigned int new_node(self) noexcept nogil
    cdef void free_node(self, unsigned int node) noexcept nogil
    cdef unsigned int take_owned(self) noexcept nogil
    cdef bint reaches(self, unsigned int tree, unsigned long long index) noexcept nogil
    cpdef unsigned int lookup(self, unsigned int tree, unsigned long long index) noexcept nogil
    cdef void extend(self, unsigned int tree) noexcept nogil
    cpdef bint insert(self, unsigned int tree, unsigned long long index, unsigned int entry) noexcept nogil
    cdef void descend(self, unsigned int tree, unsigned long long index) noexcept nogil
    cpdef unsigned int delete(self, unsigned int tree, unsigned long long index) noexcept nogil
    cpdef void set_tag(self, unsigned int tree, unsigned long long index, unsigned int tag) noexcept nogil
    cpdef void clear_tag(self, unsigned int tree, unsigned long long index, unsigned int tag) noexcept nogil
    cpdef bint is_tagged(self, unsigned int tree, unsigned int tag) noexcept nogil
    cdef bint slot_has(self, unsigned int node, unsigned long long index, int shift, unsigned int tag) noexcept nogil
    cpdef long long next_index(self, unsigned int tree, unsigned long long index, unsigned int tag) noexcept nogil

cdef unsigned long long slot_place(unsigned long long node, unsigned long long index, int shift) noexcept nogil
cdef unsigned long long tag_bit(unsigned long long index, int shift) noexcept nogil
cdef unsigned long long shifted(unsigned long long one, unsigned int places) noexcept nogil
