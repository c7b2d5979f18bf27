@cython.final
cdef class AddressSpaces:
    cdef readonly unsigned int nr_mms
    cdef readonly unsigned int[::1] container
    cdef readonly long long[::1] anon_rss
    cdef readonly long long[::1] file_rss
    cdef readonly long long[::1] swap_ptes
    cdef readonly long long[::1] nr_ptes
    cdef readonly long long[::1] min_flt
    cdef readonly long long[::1] maj_flt
    cdef readonly unsigned int[::1] in_fault
    cdef readonly unsigned long long[::1] unuse_vpn
    cdef readonly unsigned int nr_known
    cpdef void init(self, unsigned int mm, unsigned int container) noexcept nogil
    cpdef tuple counts(self, unsigned int mm)

@cython.final
cdef class Vmas:
    cdef readonly unsigned int nr_vmas
    cdef readonly unsigned long long[::1] start
    cdef readonly unsigned long long[::1] end
    cdef readonly unsigned int[::1] mm
    cdef readonly unsigned int[::1] flags
    cdef readonly unsigned int[::1] anon_vma
    cdef readonly unsigned int[::1] handle
    cdef readonly unsigned long long[::1] pgoff
    cdef readonly Links links
    cdef readonly Links i_mmap
    cpdef bint holds(self, unsigned int vma, unsigned int mm, unsigned long long vpn) noexcept nogil
    cpdef unsigned int file_head(self, unsigned int file) noexcept nogil
    cpdef void map_file(self, unsigned int vma, unsigned int file, unsigned int handle, unsigned long long pgoff) noexcept nogil
    cpdef void unmap_file(self, unsigned int vma) noexcept nogil
    cdef unsigned long long file_index(self, unsigned int vma, unsigned long long vpn) noexcept nogil
    cpdef unsigned int anon_vma_head(self, unsigned int anon_vma) noexcept nogil
    cpdef void write(self, unsigned int vma, unsigned int mm, unsigned long long start, unsigned long long end, unsigned int flags) noexcept nogil
    cpdef void link(self, unsigned int vma, unsigned int anon_vma) noexcept nogil
    cpdef bint unlink(self, unsigned int vma) noexcept nogil
